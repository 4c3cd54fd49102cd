/* SPDX-License-Identifier: MIT */
#include "support/say.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "item/attrs.h"
#include "wire/codec.h"
#include "wire/verdict.h"

static void say_block(const fay_block *block, fay_buffer *text)
{
    fay_block_item item = {0};
    while (fay_block_next(block, &item)) {
        fay_buffer_append_text(text, item.index == 1 ? ": " : "|");
        fay_buffer_append(text, item.data, item.size);
        if (item.attrs_size > 0)
            fay_attrs_to_json(item.attrs, item.attrs_size, text);
        if (block->routes != NULL)
            fay_buffer_printf(text, "@%llx", (unsigned long long)item.targets);
    }
}

static void say_results(const uint8_t *payload, size_t size, fay_buffer *text)
{
    fay_results_frame r;
    int rc = fay_results_parse(payload, size, &r);
    assert(rc == 0);
    fay_buffer_printf(text, "RESULTS %llu+%u", (unsigned long long)r.first_tag, r.count);
    for (uint32_t i = 0; r.children != NULL && i < r.count; i++) {
        fay_buffer_printf(text, "%s%u%s", i == 0 ? " (" : " ",
                          fay_load32(r.children + 4 * (size_t)i), i + 1 == r.count ? ")" : "");
    }
    say_block(&r.block, text);
}

static void say_end(int exit_code, int signal, fay_text error, fay_buffer *text)
{
    if (exit_code != 0)
        fay_buffer_printf(text, " exit %d", exit_code);
    if (signal != 0)
        fay_buffer_printf(text, " signal %d", signal);
    if (error.size > 0)
        fay_buffer_printf(text, ": %.*s", (int)error.size, error.bytes);
}

static void say_verdict(const uint8_t *payload, size_t size, fay_buffer *text)
{
    static const char *const kinds[] = {"?",         "retry",       "poison", "timeout",
                                        "too-large", "no-argument", "back"};
    fay_verdict v;
    int rc = fay_verdict_parse(payload, size, &v);
    assert(rc == 0);
    fay_buffer_printf(text, "VERDICT %llu %s", (unsigned long long)v.tag, kinds[v.kind]);
    say_end(v.exit, v.signal, v.error, text);
    if (v.tail.size > 0)
        fay_buffer_printf(text, " [%.*s]", (int)v.tail.size, v.tail.bytes);
}

static void say_down(const uint8_t *payload, size_t size, fay_buffer *text)
{
    static const char *const causes[] = {"retired", "exit",    "signal",   "timeout", "oom",
                                         "start",   "garbage", "recycled", "stalled"};
    fay_down d;
    int rc = fay_down_parse(payload, size, &d);
    assert(rc == 0);
    fay_buffer_printf(text, "DOWN %s", causes[d.cause]);
    say_end(d.exit, d.signal, d.error, text);
}

static void say_failed(const uint8_t *payload, size_t size, fay_buffer *text)
{
    fay_failed f;
    int rc = fay_failed_parse(payload, size, &f);
    assert(rc == 0);
    static const char *const kinds[] = {"", "start", "stop", "breach"};
    fay_buffer_printf(text, "FAILED %s: %.*s", kinds[f.kind], (int)f.message.size, f.message.bytes);
    if (f.hint.size > 0)
        fay_buffer_printf(text, " (%.*s)", (int)f.hint.size, f.hint.bytes);
}

void say_frame(fay_message type, const uint8_t *payload, size_t size, fay_buffer *text)
{
    fay_part_frame part;
    int rc = 0;
    switch ((int)type) {
    case FAY_MESSAGE_PING:
    case FAY_MESSAGE_HELLO: return;
    case FAY_MESSAGE_RESULTS: say_results(payload, size, text); break;
    case FAY_MESSAGE_PART:
        rc = fay_part_parse(payload, size, &part);
        assert(rc == 0);
        fay_buffer_printf(text, "PART %llu", (unsigned long long)part.tag);
        say_block(&part.block, text);
        break;
    case FAY_MESSAGE_VERDICT: say_verdict(payload, size, text); break;
    case FAY_MESSAGE_DOWN: say_down(payload, size, text); break;
    case FAY_MESSAGE_FAILED: say_failed(payload, size, text); break;
    case FAY_MESSAGE_GIVEN_BACK:
        assert(size == 12);
        fay_buffer_printf(text, "BACK %llu+%u", (unsigned long long)fay_load64(payload),
                          fay_load32(payload + 8));
        break;
    case FAY_MESSAGE_NOTE:
        fay_buffer_printf(text, "NOTE %.*s", (int)size, (const char *)payload);
        break;
    default: fay_buffer_append_text(text, fay_message_name(type)); break;
    }
    fay_buffer_append_text(text, "\n");
}

const char *say_replies(fay_replies *replies)
{
    static fay_buffer text, payload;
    fay_buffer_clear(&text);
    for (size_t i = 0; i < replies->count; i++) {
        const fay_reply *r = &replies->list[i];
        fay_buffer_clear(&payload);
        fay_buffer_append(&payload, fay_reply_head(replies, r), r->head_size);
        fay_buffer_append(&payload, r->data, r->data_size);
        say_frame(r->type, fay_buffer_data(&payload), fay_buffer_size(&payload), &text);
    }
    fay_replies_clear(replies);
    return fay_buffer_text(&text);
}

static char **copy_texts(const char *const *texts)
{
    size_t count = 0;
    while (texts != NULL && texts[count] != NULL) {
        count++;
    }
    char **copy = fay_alloc((count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = fay_strdup(texts[i]);
    }
    return copy;
}

fay_setup say_setup(fay_mode_kind mode, const char *const *argv)
{
    return (fay_setup){.run = fay_strdup("7f3a"),
                       .pipeline = fay_strdup("test"),
                       .stage = fay_strdup("stage"),
                       .node = fay_strdup("here"),
                       .mode = (uint8_t)mode,
                       .argv = copy_texts(argv),
                       .module = fay_strdup(""),
                       .options = fay_strdup(""),
                       .cwd = fay_strdup(""),
                       .env = copy_texts(NULL),
                       .whens = copy_texts(NULL),
                       .feeds = fay_alloc(sizeof(uint64_t)),
                       .item_max = FAY_MIB,
                       .output_max = FAY_GIB,
                       .stop_signal = SIGTERM,
                       .stop_grace = FAY_SECOND};
}

void say_lease(uint64_t first, int gap, const char *attrs, const char *const *texts,
               fay_buffer *payload)
{
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer encoded = {0};
    batch->gap = (uint8_t)gap;
    if (attrs != NULL) {
        int rc = fay_attrs_from_json(attrs, strlen(attrs), &encoded, NULL, NULL, NULL);
        assert(rc == 0);
    }
    for (size_t i = 0; texts[i] != NULL; i++) {
        fay_batch_append(batch, texts[i], strlen(texts[i]))->root = first + i;
        fay_batch_append_attrs(batch, fay_buffer_data(&encoded), fay_buffer_size(&encoded));
    }
    fay_write64(payload, first);
    fay_write64(payload, 1234567);
    fay_block_head(batch, 0, batch->count, true, NULL, payload);
    fay_block_data(batch, 0, batch->count, payload);
}
