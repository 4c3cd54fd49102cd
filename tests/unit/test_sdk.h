/* SPDX-License-Identifier: MIT */
/*
 * Both ends of a worker's socket, for the tests of the SDK: a class whose Items say in their
 * payload what is to be done with them, and the Instance's side, which sends frames and reads them.
 */
#ifndef FAY_TEST_SDK_H
#define FAY_TEST_SDK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <faymora/worker.h>

#include "base/limits.h"
#include "item/attrs.h"
#include "wire/block.h"
#include "wire/codec.h"
#include "wire/frame.h"
#include "wire/setup.h"
#include "wire/verdict.h"

/* ---- the worker ------------------------------------------------------------------------------ */

static inline void *later(void *arg)
{
    fay_ctx *ctx = arg;
    fay_heartbeat(ctx, 0.25);
    (void)usleep(20000);
    (void)fay_emit(ctx, "late", 4);
    fay_done(ctx, FAY_ACK);
    return NULL;
}

static inline void *at_once(void *arg)
{
    fay_done(arg, FAY_POISON);
    return NULL;
}

static inline int defer(fay_ctx *ctx, void *(*fn)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, fn, ctx) != 0)
        return FAY_RETRY;
    if (fn == at_once)
        (void)pthread_join(thread, NULL); /* done before process() returns */
    else
        (void)pthread_detach(thread);
    return FAY_DEFER;
}

struct state {
    fay_item *kept;
    fay_ctx *held[16];
    size_t count;
};

static inline int emit_many(fay_ctx *ctx, size_t count, size_t size)
{
    char *bytes = malloc(size);
    if (bytes == NULL)
        return FAY_RETRY;
    for (size_t i = 0; i < count; i++) {
        memset(bytes, 'a' + (int)(i % 26), size);
        (void)fay_emit(ctx, bytes, size);
    }
    free(bytes);
    return FAY_ACK;
}

static inline int show(fay_ctx *ctx, const fay_item *in)
{
    char text[256];
    (void)snprintf(text, sizeof text, "%s %u %s %s %s %d %d", fay_item_id(in), fay_item_attempt(in),
                   fay_item_string(in, "fay.stage", "?"), fay_item_string(in, "fay.parent", "-"),
                   fay_item_string(in, "k", "?"), (int)fay_stage_pressure(ctx),
                   (int)fay_item_int(in, "fay.workers", -1));
    fay_item *out = fay_item_new(text, strlen(text));
    (void)fay_item_set_int(out, "n", 5);
    return fay_emit_item(ctx, out) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

static inline int wait_for_stop(fay_ctx *ctx)
{
    fay_heartbeat(ctx, 0.5);
    while (!fay_stopping(ctx)) {
        (void)usleep(1000);
    }
    return fay_emit(ctx, "stopped", 7) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

static inline int keep(struct state *s, fay_ctx *ctx, const fay_item *in)
{
    if (s->kept != NULL) {
        size_t size;
        const void *data = fay_item_data(s->kept, &size);
        (void)fay_emit(ctx, data, size);
        fay_item_unref(s->kept);
    }
    s->kept = fay_item_ref(in);
    return FAY_ACK;
}

static inline int process(void *self, fay_ctx *ctx, const fay_item *in)
{
    struct state *s = self;
    size_t size;
    const char *data = fay_item_data(in, &size);
    const char *text = fay_item_string(in, "data", "");
    if (strcmp(text, "none") == 0)
        return FAY_ACK;
    if (strcmp(text, "two") == 0)
        return emit_many(ctx, 2, 1);
    if (strcmp(text, "retry") == 0) {
        (void)fay_emit(ctx, "dropped", 7);
        return fay_fail(ctx, FAY_RETRY, "try %d", 2);
    }
    if (strcmp(text, "poison") == 0)
        return FAY_POISON;
    if (strcmp(text, "weird") == 0)
        return 17;
    if (strcmp(text, "large") == 0)
        return emit_many(ctx, 10, 60000);
    if (strcmp(text, "many") == 0)
        return emit_many(ctx, 100000, 1);
    if (strcmp(text, "huge") == 0)
        return emit_many(ctx, 1, 2000000);
    if (strcmp(text, "show") == 0)
        return show(ctx, in);
    if (strcmp(text, "wait") == 0)
        return wait_for_stop(ctx);
    if (strcmp(text, "later") == 0) {
        (void)fay_emit(ctx, "early", 5);
        return defer(ctx, later);
    }
    if (strcmp(text, "at once") == 0)
        return defer(ctx, at_once);
    if (strncmp(text, "keep", 4) == 0)
        return keep(s, ctx, in);
    if (strcmp(text, "hold") == 0) {
        s->held[s->count++] = ctx;
        return FAY_DEFER;
    }
    return fay_emit(ctx, data, size);
}

/* Completes what is held, the last one first. */
static inline void let_go(void *self)
{
    struct state *s = self;
    while (s->count > 0) {
        fay_done(s->held[--s->count], FAY_ACK);
    }
}

static inline int init(void **self, const char *options, fay_error *err)
{
    static struct state state;
    *self = &state;
    if (strcmp(options, "{}") == 0)
        return FAY_OK;
    (void)snprintf(err->message, sizeof err->message, "no such option: %s", options);
    (void)snprintf(err->hint, sizeof err->hint, "leave it out");
    return FAY_E_CONFIG;
}

static inline void fini(void *self)
{
    fay_item_unref(((struct state *)self)->kept);
}

static const fay_worker_class cls = {.size = sizeof cls,
                                     .abi = FAY_ABI,
                                     .name = "test",
                                     .version = "1",
                                     .init = init,
                                     .process = process,
                                     .idle = let_go,
                                     .drain = let_go,
                                     .fini = fini};

/* ---- the Instance ---------------------------------------------------------------------------- */

struct worker {
    pid_t pid;
    int fd;
    uint64_t tag;
    fay_buffer in;
    fay_frame frame;
    size_t consume; /* bytes of the last frame, dropped before the next */
};

static inline void start(struct worker *w, const fay_worker_class *class)
{
    int pair[2];
    *w = (struct worker){0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    w->pid = fork();
    assert_true(w->pid >= 0);
    if (w->pid == 0) {
        char fd[16];
        char *argv[] = {(char[]){"test"}, NULL};
        (void)alarm(30);
        (void)close(pair[0]);
        (void)snprintf(fd, sizeof fd, "%d", pair[1]);
        (void)setenv("FAYMORA_FD", fd, 1);
        _exit(fay_worker_main(1, argv, class));
    }
    (void)close(pair[1]);
    w->fd = pair[0];
}

static inline void send_bytes(struct worker *w, const void *bytes, size_t size)
{
    assert_int_equal(send(w->fd, bytes, size, MSG_NOSIGNAL), size);
}

static inline void send_frame(struct worker *w, fay_message type, const fay_buffer *payload)
{
    uint8_t header[FAY_FRAME_HEADER];
    size_t size = payload != NULL ? fay_buffer_size(payload) : 0;
    fay_frame_header(header, type, 0, 0, size);
    send_bytes(w, header, sizeof header);
    if (size > 0)
        send_bytes(w, payload->bytes + payload->start, size);
}

static inline void send_setup(struct worker *w, const char *options)
{
    char text[] = "x", stage[] = "stage", none[] = "";
    char *copy = fay_strdup(options);
    fay_buffer payload = {0};
    fay_setup setup = {.run = text,
                       .pipeline = text,
                       .stage = stage,
                       .node = text,
                       .mode = 4,
                       .module = none,
                       .options = copy,
                       .cwd = none,
                       .item_max = FAY_MIB};
    fay_setup_write(&setup, &payload);
    send_frame(w, FAY_MESSAGE_SETUP, &payload);
    fay_buffer_deinit(&payload);
    free(copy);
}

/* Leases one Item for each text, with the next tags and roots. */
static inline void lease(struct worker *w, size_t count, const char *const *texts)
{
    fay_batch *batch = fay_batch_new();
    for (size_t i = 0; i < count; i++)
        fay_batch_append(batch, texts[i], strlen(texts[i]))->root = w->tag + i;
    fay_buffer payload = {0};
    fay_write64(&payload, w->tag);
    fay_write64(&payload, 1000);
    fay_block_head(batch, 0, count, true, NULL, &payload);
    fay_block_data(batch, 0, count, &payload);
    send_frame(w, FAY_MESSAGE_LEASE, &payload);
    w->tag += count;
    fay_batch_unref(batch);
    fay_buffer_deinit(&payload);
}

static inline void lease_one(struct worker *w, const char *text)
{
    lease(w, 1, &text);
}

/* The next frame in w->frame; false at the end. */
static inline bool next(struct worker *w)
{
    size_t needed;
    fay_buffer_consume(&w->in, w->consume);
    w->consume = 0;
    while (fay_buffer_size(&w->in) == 0 ||
           fay_frame_parse(fay_buffer_data(&w->in), fay_buffer_size(&w->in), &w->frame, &needed) !=
               FAY_FRAME_WHOLE) {
        uint8_t *room = fay_buffer_reserve(&w->in, 65536);
        ssize_t got = recv(w->fd, room, 65536, 0);
        if (got <= 0)
            return false;
        fay_buffer_commit(&w->in, (size_t)got);
    }
    w->consume = FAY_FRAME_HEADER + w->frame.size;
    return true;
}

static inline void expect(struct worker *w, fay_message type)
{
    if (!next(w))
        fail_msg("the worker ended instead of sending %s", fay_message_name(type));
    assert_string_equal(fay_message_name(w->frame.type), fay_message_name(type));
}

static inline void begin(struct worker *w)
{
    start(w, &cls);
    expect(w, FAY_MESSAGE_HELLO);
    assert_int_equal(fay_load32(w->frame.payload), FAY_PROTOCOL_VERSION);
    assert_int_equal(fay_load32(w->frame.payload + 4), w->pid);
    send_setup(w, "");
    expect(w, FAY_MESSAGE_UP);
    assert_int_equal(w->frame.size, 12);
    assert_int_equal(fay_load32(w->frame.payload), w->pid);
}

static inline int end(struct worker *w)
{
    int status;
    (void)shutdown(w->fd, SHUT_WR);
    while (next(w)) {
    }
    (void)close(w->fd);
    fay_buffer_deinit(&w->in);
    assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The results of the next `count` tags, as "tag: a b / / c": the children of each Item. In how many
 * frames they come depends on the clock. */
static inline const char *results(struct worker *w, uint32_t count)
{
    static char text[4096];
    int used = 0;
    uint64_t tag = 0;
    for (uint32_t seen = 0; seen < count;) {
        fay_results_frame r;
        fay_block_item child = {0};
        expect(w, FAY_MESSAGE_RESULTS);
        assert_int_equal(fay_results_parse(w->frame.payload, w->frame.size, &r), 0);
        if (seen == 0)
            used = snprintf(text, sizeof text, "%d:", (int)r.first_tag);
        else
            assert_int_equal(r.first_tag, tag);
        for (uint32_t i = 0; i < r.count; i++, seen++) {
            uint32_t children = r.children != NULL ? fay_load32(r.children + 4 * i) : 1;
            used += snprintf(text + used, sizeof text - (size_t)used, "%s", seen > 0 ? " /" : "");
            for (uint32_t c = 0; c < children; c++) {
                assert_true(fay_block_next(&r.block, &child));
                used += snprintf(text + used, sizeof text - (size_t)used, " %.*s",
                                 (int)FAY_MIN(child.size, (size_t)100), (const char *)child.data);
            }
        }
        tag = r.first_tag + r.count;
    }
    return text;
}

static inline void expect_verdict(struct worker *w, uint64_t tag, fay_verdict_kind kind,
                                  const char *error)
{
    fay_verdict verdict;
    char text[FAY_ERROR_TEXT_MAX + 1] = "";
    expect(w, FAY_MESSAGE_VERDICT);
    assert_int_equal(fay_verdict_parse(w->frame.payload, w->frame.size, &verdict), 0);
    memcpy(text, verdict.error.bytes, verdict.error.size);
    assert_int_equal(verdict.tag, tag);
    assert_int_equal(verdict.kind, kind);
    assert_string_equal(text, error);
}

static inline void expect_given_back(struct worker *w, uint64_t first, uint32_t count)
{
    expect(w, FAY_MESSAGE_GIVEN_BACK);
    assert_int_equal(w->frame.size, 12);
    assert_int_equal(fay_load64(w->frame.payload), first);
    assert_int_equal(fay_load32(w->frame.payload + 8), count);
}

#endif /* FAY_TEST_SDK_H */
