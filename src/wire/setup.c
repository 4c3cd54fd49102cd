/* SPDX-License-Identifier: MIT */
#include "wire/setup.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/modes.h"
#include "base/texts.h"
#include "wire/codec.h"

void fay_setup_deinit(fay_setup *setup)
{
    char *texts[] = {setup->run,    setup->pipeline, setup->stage, setup->node,
                     setup->module, setup->options,  setup->cwd};
    for (size_t i = 0; i < FAY_COUNT(texts); i++) {
        free(texts[i]);
    }
    fay_texts_free(setup->argv);
    fay_texts_free(setup->env);
    fay_texts_free(setup->whens);
    free(setup->feeds);
    *setup = (fay_setup){0};
}

static void write_texts(fay_buffer *out, char *const *texts)
{
    uint32_t count = (uint32_t)fay_texts_count(texts);
    fay_write32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        fay_write_text(out, texts[i]);
    }
}

static char **read_texts(fay_reader *r)
{
    uint32_t count = fay_read32(r);
    if (count > FAY_ARGV_MAX) {
        r->bad = true;
        count = 0;
    }
    char **texts = fay_alloc(((size_t)count + 1) * sizeof *texts);
    for (uint32_t i = 0; i < count && !r->bad; i++) {
        texts[i] = fay_read_text(r, FAY_SETUP_TEXT_MAX);
    }
    return texts;
}

void fay_setup_write(const fay_setup *setup, fay_buffer *out)
{
    const char *texts[] = {setup->run,    setup->pipeline, setup->stage, setup->node,
                           setup->module, setup->options,  setup->cwd};
    const uint8_t bytes[] = {setup->mode, setup->emit, setup->format, setup->buffering, setup->tag};
    const uint64_t numbers[] = {setup->item_max,
                                setup->output_max,
                                setup->timeout,
                                setup->stall,
                                (uint64_t)(int64_t)setup->stop_signal,
                                setup->stop_grace,
                                setup->recycle_items,
                                setup->recycle_rss,
                                setup->recycle_age,
                                setup->memory_max};
    for (size_t i = 0; i < FAY_COUNT(texts); i++) {
        fay_write_text(out, texts[i]);
    }
    fay_buffer_append(out, bytes, sizeof bytes);
    for (size_t i = 0; i < FAY_COUNT(numbers); i++) {
        fay_write64(out, numbers[i]);
    }
    write_texts(out, setup->argv);
    write_texts(out, setup->env);
    write_texts(out, setup->whens);
    fay_write32(out, setup->stages);
    fay_write32(out, setup->index);
    for (uint32_t i = 0; i < setup->stages; i++) {
        fay_write64(out, setup->feeds[i]);
    }
}

static void read_routes(fay_reader *r, fay_setup *setup)
{
    setup->whens = read_texts(r);
    setup->stages = fay_read32(r);
    setup->index = fay_read32(r);
    if (setup->stages > FAY_STAGES_MAX || fay_texts_count(setup->whens) != setup->stages ||
        (setup->stages > 0 && setup->index >= setup->stages)) {
        r->bad = true;
        return;
    }
    setup->feeds = fay_alloc((setup->stages + 1) * sizeof *setup->feeds);
    for (uint32_t i = 0; i < setup->stages; i++) {
        setup->feeds[i] = fay_read64(r);
    }
}

int fay_setup_parse(const uint8_t *payload, size_t size, fay_setup *ret)
{
    fay_reader r = fay_reader_of(payload, size);
    fay_setup setup = {0};
    char **texts[] = {&setup.run,    &setup.pipeline, &setup.stage, &setup.node,
                      &setup.module, &setup.options,  &setup.cwd};
    uint8_t *bytes[] = {&setup.mode, &setup.emit, &setup.format, &setup.buffering, &setup.tag};
    uint64_t stop_signal = 0;
    uint64_t *numbers[] = {&setup.item_max,      &setup.output_max,  &setup.timeout,
                           &setup.stall,         &stop_signal,       &setup.stop_grace,
                           &setup.recycle_items, &setup.recycle_rss, &setup.recycle_age,
                           &setup.memory_max};
    for (size_t i = 0; i < FAY_COUNT(texts); i++) {
        *texts[i] = fay_read_text(&r, FAY_SETUP_TEXT_MAX);
    }
    for (size_t i = 0; i < FAY_COUNT(bytes); i++) {
        *bytes[i] = fay_read8(&r);
    }
    for (size_t i = 0; i < FAY_COUNT(numbers); i++) {
        *numbers[i] = fay_read64(&r);
    }
    setup.stop_signal = (int32_t)(int64_t)stop_signal;
    setup.argv = read_texts(&r);
    setup.env = read_texts(&r);
    read_routes(&r, &setup);
    if (fay_reader_done(&r) != 0 || setup.mode > FAY_MODE_FRAMES || setup.emit > FAY_EMIT_WHOLE ||
        setup.format > FAY_FORMAT_MSGPACK || setup.buffering > FAY_BUFFERING_NONE) {
        fay_setup_deinit(&setup);
        return FAY_E_PEER;
    }
    *ret = setup;
    return 0;
}
