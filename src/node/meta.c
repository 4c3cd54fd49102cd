/* SPDX-License-Identifier: MIT */
#include "node/meta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/texts.h"
#include "wire/codec.h"

enum {
    VERSION = 1,
    AGENT = 1,
    DRAINING = 2,
    HOLDER = 4
};

static const double milli = 1000;

const char *fay_strategy_word(fay_strategy strategy)
{
    switch (strategy) {
#define X(name, number, word)                                                                      \
    case name: return word;
        FAY_STRATEGIES(X)
#undef X
    }
    return NULL;
}

bool fay_strategy_parse(const char *word, fay_strategy *ret)
{
#define X(name, number, text)                                                                      \
    if (strcmp(word, text) == 0) {                                                                 \
        *ret = name;                                                                               \
        return true;                                                                               \
    }
    FAY_STRATEGIES(X)
#undef X
    return false;
}

bool fay_weight_valid(double weight)
{
    return isfinite(weight) && fabs(weight) <= FAY_WEIGHT_MAX;
}

void fay_node_meta_deinit(fay_node_meta *meta)
{
    free(meta->reason);
    fay_texts_free(meta->tags);
    *meta = (fay_node_meta){0};
}

static void write_double(fay_buffer *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    fay_write64(out, bits);
}

int fay_node_meta_write(const fay_node_meta *meta, fay_buffer *out, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    size_t tags = fay_texts_count(meta->tags);
    if (tags > FAY_TAGS_MAX)
        return fay_fail_with(err, FAY_E_INVAL, "%zu tags are more than %zu", tags, FAY_TAGS_MAX);
    fay_write8(&bytes, VERSION);
    fay_write8(&bytes, (uint8_t)((meta->agent ? AGENT : 0) | (meta->draining ? DRAINING : 0) |
                                 (meta->holder ? HOLDER : 0)));
    fay_write8(&bytes, (uint8_t)meta->strategy);
    write_double(&bytes, meta->weight);
    fay_write64(&bytes, (uint64_t)llround(meta->cores * milli));
    fay_write64(&bytes, meta->memory);
    fay_write64(&bytes, meta->disk);
    fay_write_text(&bytes, meta->reason);
    fay_write8(&bytes, (uint8_t)tags);
    for (size_t i = 0; i < tags; i++) {
        fay_write_text(&bytes, meta->tags[i]);
    }
    size_t size = fay_buffer_size(&bytes);
    if (size > FAY_GRID_META_MAX) {
        (void)fay_fail_with(err, FAY_E_INVAL,
                            "what this Node says of itself is %zu bytes, and %zu fit", size,
                            FAY_GRID_META_MAX);
        fay_hint(err, "fewer or shorter tags");
        return FAY_E_INVAL;
    }
    fay_buffer_append(out, fay_buffer_data(&bytes), size);
    return 0;
}

static void read_all(fay_reader *reader, fay_node_meta *ret)
{
    reader->bad = reader->bad || fay_read8(reader) != VERSION;
    unsigned flags = fay_read8(reader), strategy = fay_read8(reader);
    ret->agent = (flags & AGENT) != 0;
    ret->draining = (flags & DRAINING) != 0;
    ret->holder = (flags & HOLDER) != 0;
    ret->strategy = (fay_strategy)strategy;
    ret->weight = fay_read_double(reader);
    ret->cores = (double)fay_read64(reader) / milli;
    ret->memory = fay_read64(reader);
    ret->disk = fay_read64(reader);
    ret->reason = fay_read_text(reader, FAY_GRID_META_MAX);
    size_t tags = fay_read8(reader);
    reader->bad = reader->bad || tags > FAY_TAGS_MAX || fay_strategy_word(ret->strategy) == NULL;
    for (size_t i = 0; i < tags && !reader->bad; i++) {
        fay_texts_push(&ret->tags, fay_read_text(reader, FAY_GRID_META_MAX));
    }
}

int fay_node_meta_parse(const void *bytes, size_t size, fay_node_meta *ret)
{
    fay_reader reader = fay_reader_of(bytes, size);
    fay_node_meta meta = {0};
    read_all(&reader, &meta);
    if (fay_reader_done(&reader) != 0 || !fay_weight_valid(meta.weight)) {
        fay_node_meta_deinit(&meta);
        return FAY_E_PEER;
    }
    *ret = meta;
    return 0;
}
