/* SPDX-License-Identifier: MIT */
#include "item/route.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "item/when.h"

struct stage {
    fay_when *when; /* NULL: no test of its own */
    bool otherwise; /* `when: else` */
};

struct fay_router {
    size_t count;
    struct stage *stages;
    uint64_t *feeds; /* of each stage, then of the source */
};

/* What a walk decides with. Without an Item (NULL) it takes every way there is. */
struct item {
    const uint8_t *attrs, *data;
    size_t attrs_size, data_size;
};

fay_router *fay_router_new(const char *const *whens, const uint64_t *feeds, size_t count,
                           fay_error *err)
{
    assert(count <= FAY_STAGES_MAX);
    fay_router *router = fay_alloc(sizeof *router);
    router->count = count;
    router->stages = fay_alloc(count * sizeof *router->stages);
    router->feeds = fay_alloc((count + 1) * sizeof *router->feeds);
    memcpy(router->feeds, feeds, (count + 1) * sizeof *feeds);
    for (size_t i = 0; i < count; i++) {
        struct stage *stage = &router->stages[i];
        stage->otherwise = strcmp(whens[i], "else") == 0;
        if (stage->otherwise || whens[i][0] == '\0')
            continue;
        stage->when = fay_when_parse(whens[i], err);
        if (stage->when == NULL) {
            fay_router_free(router);
            return NULL;
        }
    }
    return router;
}

void fay_router_free(fay_router *router)
{
    if (router == NULL)
        return;
    for (size_t i = 0; i < router->count; i++) {
        fay_when_free(router->stages[i].when);
    }
    free(router->stages);
    free(router->feeds);
    free(router);
}

bool fay_router_tests(const fay_router *router, size_t from)
{
    assert(from <= router->count);
    for (size_t i = 0; i < router->count; i++) {
        if ((router->feeds[from] >> i & 1) != 0 && router->stages[i].when != NULL)
            return true;
    }
    return false;
}

uint64_t fay_router_all(const fay_router *router, size_t from)
{
    assert(from <= router->count);
    return router->feeds[from];
}

static bool takes(const struct stage *stage, const struct item *item)
{
    return item == NULL ||
           fay_when_test(stage->when, item->attrs, item->attrs_size, item->data, item->data_size);
}

/*
 * Adds the targets among `from` to *targets. Stages that the Item goes past are walked in turn,
 * each once (*passed), so that the cost is that of the pipeline and not of the ways through it.
 */
static void walk(const fay_router *router, uint64_t from, const struct item *item,
                 uint64_t *targets, uint64_t *passed)
{
    uint64_t taken = from & FAY_TARGET_SINK, tested = 0, otherwise = 0;
    bool any = false;
    for (size_t i = 0; i < router->count; i++) {
        uint64_t bit = UINT64_C(1) << i;
        const struct stage *stage = &router->stages[i];
        if ((from & bit) == 0)
            continue;
        if (stage->otherwise) {
            otherwise |= bit;
        } else if (stage->when == NULL) {
            taken |= bit;
        } else {
            tested |= bit;
            if (takes(stage, item)) {
                taken |= bit;
                any = true;
            }
        }
    }
    *targets |= taken;
    if (any && item != NULL)
        return;
    *targets |= otherwise;
    if (otherwise != 0)
        return;
    for (size_t i = 0; i < router->count; i++) {
        uint64_t bit = UINT64_C(1) << i;
        if ((tested & bit) == 0 || (*passed & bit) != 0)
            continue;
        *passed |= bit;
        walk(router, router->feeds[i], item, targets, passed);
    }
}

uint64_t fay_router_targets(const fay_router *router, size_t from, const uint8_t *attrs,
                            size_t attrs_size, const uint8_t *data, size_t data_size)
{
    assert(from <= router->count);
    const struct item item = {
        .attrs = attrs, .attrs_size = attrs_size, .data = data, .data_size = data_size};
    uint64_t targets = 0, passed = 0;
    walk(router, router->feeds[from], &item, &targets, &passed);
    return targets;
}

uint64_t fay_router_possible(const fay_router *router, size_t from)
{
    assert(from <= router->count);
    uint64_t targets = 0, passed = 0;
    walk(router, router->feeds[from], NULL, &targets, &passed);
    return targets;
}
