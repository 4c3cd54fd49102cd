/* SPDX-License-Identifier: MIT */
#include "ends/source.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ends/source_kind.h"

void fay_source_init(fay_source *source, const fay_source_kind_ops *ops,
                     const fay_source_config *config)
{
    *source = (fay_source){.ops = ops, .config = *config, .def = &config->pipeline->source};
}

int fay_source_blame(int status, const char *name, fay_error *err)
{
    if (err != NULL) {
        char message[sizeof err->message];
        (void)snprintf(message, sizeof message, "%.100s: %.250s", name, err->message);
        memcpy(err->message, message, sizeof message);
    }
    return status;
}

static int open_kind(const fay_source_config *config, fay_source **ret, fay_error *err)
{
    if (config->retry_dead != NULL)
        return fay_source_open_dead(config, ret, err);
    switch (config->pipeline->source.kind) {
    case FAY_SOURCE_STDIN: return fay_source_open_stdin(config, ret, err);
    case FAY_SOURCE_FILE: return fay_source_open_file(config, ret, err);
    case FAY_SOURCE_DIR: return fay_source_open_dir(config, ret, err);
    case FAY_SOURCE_EXEC: return fay_source_open_exec(config, ret, err);
    case FAY_SOURCE_LISTEN: return fay_source_open_listen(config, ret, err);
    case FAY_SOURCE_GENERATE: return fay_source_open_generate(config, ret, err);
    case FAY_SOURCE_ITEMS: return fay_source_open_items(config, ret, err);
    case FAY_SOURCE_DEAD: return fay_source_open_dead(config, ret, err);
    }
    return FAY_E_INVAL;
}

int fay_source_open(const fay_source_config *config, fay_source **ret, fay_error *err)
{
    fay_source *source = NULL;
    int r = open_kind(config, &source, err);
    if (r != 0)
        return r;
    if (config->pipeline->spool && config->state != NULL && source->ops->identity == NULL)
        return fay_source_open_spool(config, source, ret, err);
    *ret = source;
    return 0;
}

void fay_source_free(fay_source *source)
{
    if (source != NULL)
        source->ops->free(source);
}

int fay_source_pull(fay_source *source, uint64_t items, uint64_t bytes, fay_chunk *ret,
                    fay_error *err)
{
    assert(items > 0 && bytes > 0);
    if (source->ended)
        return FAY_PULL_END;
    int r = source->ops->pull(source, items, bytes, ret, err);
    source->ended = r == FAY_PULL_END;
    return r;
}

char *fay_source_identity(fay_source *source, const char **ret_why)
{
    char *identity = source->ops->identity != NULL ? source->ops->identity(source) : NULL;
    if (identity == NULL)
        *ret_why = source->ops->why_not;
    return identity;
}

char *fay_source_notes(fay_source *source, const fay_range *ranges, size_t count, uint64_t position)
{
    if (source->ops->notes == NULL)
        return fay_strdup("");
    return source->ops->notes(source, ranges, count, position);
}

void fay_source_recorded(fay_source *source, uint64_t position)
{
    if (source->ops->recorded != NULL)
        source->ops->recorded(source, position);
}

/* The first line in which the identities differ, for people. */
static int differ(const char *was, const char *is, fay_error *err)
{
    while (*was != '\0' && *was == *is) {
        was++;
        is++;
    }
    (void)fay_fail_with(err, FAY_E_STALE,
                        "the source is not the one that the state is of: it was '%.*s', it is "
                        "'%.*s' from there on",
                        (int)FAY_MIN(strcspn(was, "\n"), (size_t)80), was,
                        (int)FAY_MIN(strcspn(is, "\n"), (size_t)80), is);
    fay_hint(err, "give it the same input again, or remove the state to start over");
    return FAY_E_STALE;
}

int fay_source_resume(fay_source *source, const fay_source_past *past, fay_error *err)
{
    const char *why = "";
    FAY_CLEANUP(fay_freep) char *identity = fay_source_identity(source, &why);
    if (identity == NULL)
        return fay_fail_with(err, FAY_E_STALE, "%s", why);
    if (!source->ops->unnumbered && strcmp(identity, past->identity) != 0)
        return differ(past->identity, identity, err);
    return source->ops->resume(source, past, err);
}

bool fay_source_is_numbered(const fay_source *source)
{
    return !source->ops->unnumbered;
}

void fay_source_acked(fay_source *source, uint64_t root, uint64_t count)
{
    if (source->ops->acked != NULL)
        source->ops->acked(source, root, count);
}

uint64_t fay_source_expected(const fay_source *source)
{
    return source->ops->expected != NULL ? source->ops->expected(source) : 0;
}
