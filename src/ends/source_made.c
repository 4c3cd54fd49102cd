/* SPDX-License-Identifier: MIT */
/*
 * Items that are not read from anywhere: `generate`, whose Items are a function of their number,
 * and the arguments behind `:::`. Both give the same again from any number on; their position is
 * the number of the next Item.
 *
 * Generated Items that have a pace (pipeline/pace.h) are given once they are due, and all of those:
 * the time at which the first one was wanted is that of its number, and what the run has no room
 * for stays due. The source ends when there are as many as were asked for, or behind the last
 * piece.
 */
#include <stdlib.h>
#include <string.h>

#include "base/texts.h"
#include "ends/source_kind.h"
#include "loop/timer.h"

#define CHUNK_BYTES (256 * FAY_KIB)
enum {
    CHUNK_ITEMS = 4096,
    DIGITS = 20
};

struct made {
    fay_source source;
    uint64_t next, count; /* count UINT64_MAX = without end */
    size_t size;          /* generate */
    const fay_pace *pace;
    fay_ns begun;     /* the time from which the pace counts; 0 = not yet */
    fay_timer *timer; /* until the next one is due */
    uint64_t ends[CHUNK_ITEMS];
};

static void free_made(fay_source *source)
{
    fay_timer_free(((struct made *)source)->timer);
    free(source);
}

static int resume_made(fay_source *source, const fay_source_past *past, fay_error *err)
{
    (void)err;
    struct made *made = (struct made *)source;
    made->next = past->position;
    return 0;
}

static uint64_t expected_made(const fay_source *source)
{
    uint64_t count = ((const struct made *)source)->count;
    return count < UINT64_MAX ? count : 0;
}

/* How many Items the next chunk has. */
static size_t portion(const struct made *made, uint64_t items, uint64_t bytes)
{
    uint64_t n = FAY_MIN(items, (uint64_t)CHUNK_ITEMS);
    n = FAY_MIN(n, FAY_MIN(bytes, (uint64_t)CHUNK_BYTES) / (made->size + 1) + 1);
    return (size_t)FAY_MIN(n, made->count - made->next);
}

/* Adds one to a decimal number of `size` digits at `text`; false when it would need one more. */
static bool count_up(uint8_t *text, size_t size)
{
    while (size > 0) {
        if (text[--size] != '9') {
            text[size]++;
            return true;
        }
        text[size] = '0';
    }
    return false;
}

static size_t write_number(uint64_t number, uint8_t text[DIGITS])
{
    uint8_t reversed[DIGITS];
    size_t size = 0;
    do {
        reversed[size++] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    for (size_t i = 0; i < size; i++) {
        text[i] = reversed[size - 1 - i];
    }
    return size;
}

static void on_due(void *context)
{
    const struct made *made = context;
    made->source.config.ready(made->source.config.context);
}

/* The time since the pace began, which the first call does. A run that goes on is where it was. */
static fay_ns passed(struct made *made)
{
    fay_ns now = uv_hrtime();
    if (made->begun == 0) {
        fay_ns past = FAY_MIN(fay_pace_due(made->pace, made->next), fay_pace_lasts(made->pace));
        made->begun = now - (made->next > 0 ? FAY_MIN(past, now) : 0);
    }
    return now - made->begun;
}

/* `ready` is called at that time of the pace. */
static void wait_until(struct made *made, fay_ns time)
{
    fay_timer_at(made->timer, FAY_MIN(time, FAY_NEVER - made->begun) + made->begun);
}

/* How many are due and were not given; if none is, `ready` is called when one will be. */
static uint64_t due(struct made *made)
{
    if (made->pace->count == 0)
        return UINT64_MAX;
    uint64_t items = fay_pace_due_by(made->pace, passed(made));
    if (items > made->next)
        return items - made->next;
    wait_until(made, fay_pace_due(made->pace, made->next));
    return 0;
}

/* All have come; it is not over before the last piece is, unless they are as many as were asked
 * for. */
static int pull_end(struct made *made)
{
    uint64_t asked = made->source.def->generate_count;
    if (made->pace->count == 0 || (asked > 0 && made->next >= asked))
        return FAY_PULL_END;
    fay_ns lasts = fay_pace_lasts(made->pace);
    if (passed(made) >= lasts)
        return FAY_PULL_END;
    wait_until(made, lasts);
    return FAY_PULL_WAIT;
}

/* The number, then a space and dots up to the size asked for. A number that is longer is whole. */
static int pull_generate(fay_source *source, uint64_t items, uint64_t bytes, fay_chunk *ret,
                         fay_error *err)
{
    (void)err;
    struct made *made = (struct made *)source;
    if (made->next >= made->count)
        return pull_end(made);
    uint64_t ready = due(made);
    if (ready == 0)
        return FAY_PULL_WAIT;
    size_t n = portion(made, FAY_MIN(items, ready), bytes);
    fay_batch *batch = fay_batch_new();
    batch->gap = 1;
    fay_batch_reserve(batch, n, n * (FAY_MAX(made->size, (size_t)DIGITS) + 1));
    uint8_t number[DIGITS];
    size_t digits = write_number(made->next, number);
    for (size_t i = 0; i < n; i++) {
        size_t size = FAY_MAX(made->size, digits);
        uint8_t *at = batch->bytes + batch->size;
        memcpy(at, number, digits);
        if (size > digits) {
            at[digits] = ' ';
            memset(at + digits + 1, '.', size - digits - 1);
        }
        at[size] = '\n';
        batch->entries[i] = (fay_entry){.at = (uint32_t)batch->size, .size = (uint32_t)size};
        batch->size += size + 1;
        made->ends[i] = made->next + i + 1;
        if (!count_up(number, digits))
            digits = write_number(made->next + i + 1, number);
    }
    batch->count = n;
    made->next += n;
    *ret = (fay_chunk){.batch = batch, .ends = made->ends, .stage = -1};
    return FAY_PULL_ITEMS;
}

static char *identity_generate(fay_source *source)
{
    return fay_printed("generate size=%zu\n", ((struct made *)source)->size);
}

int fay_source_open_generate(const fay_source_config *config, fay_source **ret, fay_error *err)
{
    (void)err;
    static const fay_source_kind_ops ops = {.pull = pull_generate,
                                            .identity = identity_generate,
                                            .resume = resume_made,
                                            .expected = expected_made,
                                            .free = free_made};
    struct made *made = fay_alloc(sizeof *made);
    fay_source_init(&made->source, &ops, config);
    made->count = fay_pipeline_generated(made->source.def);
    made->size = (size_t)made->source.def->generate_size;
    made->pace = &made->source.def->generate_pace;
    if (made->pace->count > 0)
        made->timer = fay_timer_new(config->loop, on_due, made);
    *ret = &made->source;
    return 0;
}

static int pull_items(fay_source *source, uint64_t items, uint64_t bytes, fay_chunk *ret,
                      fay_error *err)
{
    (void)err;
    struct made *made = (struct made *)source;
    if (made->next >= made->count)
        return FAY_PULL_END;
    size_t n = portion(made, items, bytes);
    fay_batch *batch = fay_batch_new();
    for (size_t i = 0; i < n; i++) {
        const char *text = source->def->files[made->next++];
        size_t size = strlen(text);
        (void)fay_batch_append(batch, text, size);
        (void)fay_intake_attrs(source->def->format, batch, (const uint8_t *)text, size, NULL);
        made->ends[i] = made->next;
    }
    *ret = (fay_chunk){.batch = batch, .ends = made->ends, .stage = -1};
    return FAY_PULL_ITEMS;
}

static char *identity_items(fay_source *source)
{
    (void)source; /* the words themselves are in the pipeline's fingerprint */
    return fay_strdup("items\n");
}

int fay_source_open_items(const fay_source_config *config, fay_source **ret, fay_error *err)
{
    (void)err;
    static const fay_source_kind_ops ops = {.pull = pull_items,
                                            .identity = identity_items,
                                            .resume = resume_made,
                                            .expected = expected_made,
                                            .free = free_made};
    struct made *made = fay_alloc(sizeof *made);
    fay_source_init(&made->source, &ops, config);
    made->count = fay_texts_count(config->pipeline->source.files);
    *ret = &made->source;
    return 0;
}
