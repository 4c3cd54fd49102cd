/* SPDX-License-Identifier: MIT */
/*
 * The worker SDK from the other side of its socket: the test is the Instance. Each test forks a
 * worker, sends it frames and reads what it answers.
 */
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

static void *later(void *arg)
{
    fay_ctx *ctx = arg;
    fay_heartbeat(ctx, 0.25);
    (void)usleep(20000);
    (void)fay_emit(ctx, "late", 4);
    fay_done(ctx, FAY_ACK);
    return NULL;
}

static void *at_once(void *arg)
{
    fay_done(arg, FAY_POISON);
    return NULL;
}

static int defer(fay_ctx *ctx, void *(*fn)(void *))
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

static int emit_many(fay_ctx *ctx, size_t count, size_t size)
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

static int show(fay_ctx *ctx, const fay_item *in)
{
    char text[256];
    (void)snprintf(text, sizeof text, "%s %u %s %s %s %d %d", fay_item_id(in),
                   fay_item_attempt(in), fay_item_string(in, "fay.stage", "?"),
                   fay_item_string(in, "fay.parent", "-"), fay_item_string(in, "k", "?"),
                   (int)fay_stage_pressure(ctx), (int)fay_item_int(in, "fay.workers", -1));
    fay_item *out = fay_item_new(text, strlen(text));
    (void)fay_item_set_int(out, "n", 5);
    return fay_emit_item(ctx, out) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

static int wait_for_stop(fay_ctx *ctx)
{
    fay_heartbeat(ctx, 0.5);
    while (!fay_stopping(ctx)) {
        (void)usleep(1000);
    }
    return fay_emit(ctx, "stopped", 7) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

static int keep(struct state *s, fay_ctx *ctx, const fay_item *in)
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

static int process(void *self, fay_ctx *ctx, const fay_item *in)
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
static void let_go(void *self)
{
    struct state *s = self;
    while (s->count > 0) {
        fay_done(s->held[--s->count], FAY_ACK);
    }
}

static int init(void **self, const char *options, fay_error *err)
{
    static struct state state;
    *self = &state;
    if (strcmp(options, "{}") == 0)
        return FAY_OK;
    (void)snprintf(err->message, sizeof err->message, "no such option: %s", options);
    (void)snprintf(err->hint, sizeof err->hint, "leave it out");
    return FAY_E_CONFIG;
}

static void fini(void *self)
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

static void start(struct worker *w, const fay_worker_class *class)
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

static void send_bytes(struct worker *w, const void *bytes, size_t size)
{
    assert_int_equal(send(w->fd, bytes, size, MSG_NOSIGNAL), size);
}

static void send_frame(struct worker *w, fay_message type, const fay_buffer *payload)
{
    uint8_t header[FAY_FRAME_HEADER];
    size_t size = payload != NULL ? fay_buffer_size(payload) : 0;
    fay_frame_header(header, type, 0, 0, size);
    send_bytes(w, header, sizeof header);
    if (size > 0)
        send_bytes(w, payload->bytes + payload->start, size);
}

static void send_setup(struct worker *w, const char *options)
{
    char text[] = "x", stage[] = "stage", none[] = "";
    char *copy = fay_strdup(options);
    fay_buffer payload = {0};
    fay_setup setup = {.run = text, .pipeline = text, .stage = stage, .node = text, .mode = 4,
                       .module = none, .options = copy, .cwd = none, .scratch = none,
                       .item_max = FAY_MIB};
    fay_setup_write(&setup, &payload);
    send_frame(w, FAY_MESSAGE_SETUP, &payload);
    fay_buffer_deinit(&payload);
    free(copy);
}

/* Leases one Item for each text, with the next tags and roots. */
static void lease(struct worker *w, size_t count, const char *const *texts)
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

static void lease_one(struct worker *w, const char *text)
{
    lease(w, 1, &text);
}

/* The next frame in w->frame; false at the end. */
static bool next(struct worker *w)
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

static void expect(struct worker *w, fay_message type)
{
    if (!next(w))
        fail_msg("the worker ended instead of sending %s", fay_message_name(type));
    assert_string_equal(fay_message_name(w->frame.type), fay_message_name(type));
}

static void begin(struct worker *w)
{
    start(w, &cls);
    expect(w, FAY_MESSAGE_HELLO);
    assert_int_equal(fay_load32(w->frame.payload), FAY_PROTOCOL_VERSION);
    assert_int_equal(fay_load32(w->frame.payload + 4), w->pid);
    send_setup(w, "");
}

static int end(struct worker *w)
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
static const char *results(struct worker *w, uint32_t count)
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

static void expect_verdict(struct worker *w, uint64_t tag, fay_verdict_kind kind, const char *error)
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

static void expect_given_back(struct worker *w, uint64_t first, uint32_t count)
{
    expect(w, FAY_MESSAGE_GIVEN_BACK);
    assert_int_equal(w->frame.size, 12);
    assert_int_equal(fay_load64(w->frame.payload), first);
    assert_int_equal(fay_load32(w->frame.payload + 8), count);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void results_travel_as_runs(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease(&w, 3, (const char *const[]){"x", "y", "z"});
    assert_string_equal(results(&w, 3), "0: x / y / z");
    lease(&w, 4, (const char *const[]){"x", "none", "two", "z"});
    assert_string_equal(results(&w, 4), "3: x / / a b / z");
    assert_int_equal(end(&w), 0);
}

static void failures_break_the_run(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease(&w, 6, (const char *const[]){"x", "retry", "y", "poison", "weird", "huge"});
    assert_string_equal(results(&w, 1), "0: x");
    expect_verdict(&w, 1, FAY_VERDICT_RETRY, "try 2");
    assert_string_equal(results(&w, 1), "2: y");
    expect_verdict(&w, 3, FAY_VERDICT_POISON, "the worker refused the Item");
    expect_verdict(&w, 4, FAY_VERDICT_POISON, "process() gave 17, which is no verdict");
    expect_verdict(&w, 5, FAY_VERDICT_TOO_LARGE,
                   "a result of 1.9MiB is larger than max_item (1MiB)");
    assert_int_equal(end(&w), 0);
}

/* Reads parts until the RESULTS; all children in order, `size` bytes each. */
static void expect_parts(struct worker *w, uint64_t tag, size_t count, size_t size)
{
    size_t seen = 0;
    for (;;) {
        fay_part_frame part;
        fay_block_item child = {0};
        assert_true(next(w));
        if (w->frame.type == FAY_MESSAGE_RESULTS)
            break;
        assert_int_equal(w->frame.type, FAY_MESSAGE_PART);
        assert_int_equal(fay_part_parse(w->frame.payload, w->frame.size, &part), 0);
        assert_int_equal(part.tag, tag);
        assert_true(part.block.data_size <= FAY_MAX(FAY_FRAME_CHUNK_MAX, size));
        while (fay_block_next(&part.block, &child)) {
            assert_int_equal(child.size, size);
            assert_int_equal(child.data[0], 'a' + seen++ % 26);
        }
    }
    fay_results_frame r;
    assert_int_equal(fay_results_parse(w->frame.payload, w->frame.size, &r), 0);
    assert_int_equal(r.first_tag, tag);
    assert_int_equal(r.count, 1);
    assert_int_equal(seen + r.block.count, count);
}

static void large_sets_travel_in_parts(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease(&w, 2, (const char *const[]){"x", "large"});
    assert_string_equal(results(&w, 1), "0: x");
    expect_parts(&w, 1, 10, 60000);
    lease_one(&w, "many");
    expect_parts(&w, 2, 100000, 1);
    assert_int_equal(end(&w), 0);
}

static void items_have_status_and_attributes(void **state)
{
    (void)state;
    struct worker w;
    fay_buffer payload = {0}, attrs = {0};
    begin(&w);
    fay_write8(&payload, FAY_HIGH);
    fay_write32(&payload, 3);
    fay_write32(&payload, 4);
    send_frame(&w, FAY_MESSAGE_STATUS, &payload);
    fay_buffer_clear(&payload);

    fay_batch *batch = fay_batch_new();
    assert_int_equal(fay_attrs_from_json("{\"k\":\"v\"}", 9, &attrs, NULL, NULL, NULL), 0);
    fay_entry *entry = fay_batch_append(batch, "show", 4);
    entry->root = 7;
    entry->attempt = 1;
    (void)fay_path_append(&entry->path, 2);
    fay_batch_append_attrs(batch, attrs.bytes, fay_buffer_size(&attrs));
    fay_write64(&payload, 0);
    fay_write64(&payload, 1000);
    fay_block_head(batch, 0, 1, true, NULL, &payload);
    fay_block_data(batch, 0, 1, &payload);
    send_frame(&w, FAY_MESSAGE_LEASE, &payload);
    assert_string_equal(results(&w, 1), "0: 7.2 2 stage 7 v 1 3");
    fay_results_frame r;
    fay_block_item child = {0};
    assert_int_equal(fay_results_parse(w.frame.payload, w.frame.size, &r), 0);
    assert_true(fay_block_next(&r.block, &child));
    assert_int_equal(child.attrs_size, 4);
    assert_memory_equal(child.attrs, "\x81\xa1n\x05", 4);
    assert_int_equal(end(&w), 0);
    fay_batch_unref(batch);
    fay_buffer_deinit(&payload);
    fay_buffer_deinit(&attrs);
}

static void deferred_items_end_from_a_thread(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease_one(&w, "later");
    expect(&w, FAY_MESSAGE_HEARTBEAT);
    assert_int_equal(fay_load64(w.frame.payload), 0);
    assert_string_equal(results(&w, 1), "0: early late");
    lease_one(&w, "at once");
    expect_verdict(&w, 1, FAY_VERDICT_POISON, "the worker refused the Item");
    assert_int_equal(end(&w), 0);
}

static void idle_ends_what_is_held(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease(&w, 2, (const char *const[]){"hold", "hold"});
    assert_string_equal(results(&w, 1), "1:");
    assert_string_equal(results(&w, 1), "0:");
    assert_int_equal(end(&w), 0);
}

static void kept_items_stay(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    for (int i = 0; i < 40; i++) {
        char text[16], wanted[32];
        (void)snprintf(text, sizeof text, "keep %d", i);
        (void)snprintf(wanted, sizeof wanted, i > 0 ? "%d: keep %d" : "%d:", i, i - 1);
        lease_one(&w, text);
        assert_string_equal(results(&w, 1), wanted);
    }
    assert_int_equal(end(&w), 0);
}

static void recall_gives_back_what_is_not_begun(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease(&w, 3, (const char *const[]){"wait", "x", "y"});
    lease(&w, 1, (const char *const[]){"z"});
    expect(&w, FAY_MESSAGE_HEARTBEAT); /* it has begun the first */
    send_frame(&w, FAY_MESSAGE_RECALL, NULL);
    lease_one(&w, "after");
    expect_given_back(&w, 1, 2);
    expect_given_back(&w, 3, 1);
    send_frame(&w, FAY_MESSAGE_RETIRE, NULL);
    expect_given_back(&w, 4, 1);
    assert_string_equal(results(&w, 1), "0: stopped");
    assert_false(next(&w));
    assert_int_equal(end(&w), 0);
}

static void retire_waits_for_what_is_in_hand(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease_one(&w, "later");
    expect(&w, FAY_MESSAGE_HEARTBEAT);
    send_frame(&w, FAY_MESSAGE_RETIRE, NULL);
    lease_one(&w, "x"); /* crosses the RETIRE */
    expect_given_back(&w, 1, 1);
    assert_string_equal(results(&w, 1), "0: early late");
    assert_false(next(&w));
    assert_int_equal(end(&w), 0);
}

static void expect_failed(struct worker *w, const char *message, const char *hint)
{
    fay_failed failed;
    expect(w, FAY_MESSAGE_FAILED);
    assert_int_equal(fay_failed_parse(w->frame.payload, w->frame.size, &failed), 0);
    assert_int_equal(failed.kind, FAY_FAILED_START);
    assert_non_null(memmem(failed.message.bytes, failed.message.size, message, strlen(message)));
    assert_int_equal(failed.hint.size, strlen(hint));
    assert_memory_equal(failed.hint.bytes, hint, failed.hint.size);
}

static void a_worker_that_cannot_start_says_so(void **state)
{
    (void)state;
    struct worker w;
    start(&w, &cls);
    expect(&w, FAY_MESSAGE_HELLO);
    send_setup(&w, "{\"a\":1}");
    expect_failed(&w, "test could not start: no such option: {\"a\":1}", "leave it out");
    assert_int_equal(end(&w), 3);

    fay_worker_class newer = cls;
    newer.abi = FAY_ABI + 1;
    start(&w, &newer);
    expect(&w, FAY_MESSAGE_HELLO);
    expect_failed(&w, "binary interface 2",
                  "build it against the headers of Faymora " FAY_VERSION_STRING
                  ", or update Faymora");
    assert_int_equal(end(&w), 3);

    fay_worker_class older = cls; /* knew nothing behind process() */
    older.size = offsetof(fay_worker_class, idle);
    start(&w, &older);
    expect(&w, FAY_MESSAGE_HELLO);
    send_setup(&w, "");
    lease_one(&w, "x");
    assert_string_equal(results(&w, 1), "0: x");
    assert_int_equal(end(&w), 0);
}

static void bad_frames_end_it(void **state)
{
    (void)state;
    static const uint8_t bad[][16] = {
        {0, 0, 0, 0, 99},                      /* no such message */
        {0, 0, 0, 0, FAY_MESSAGE_SPAWN},       /* not for workers */
        {4, 0, 0, 0, FAY_MESSAGE_LEASE, 0, 0, 0, 1, 2, 3, 4},
        {0, 0, 0, 0, FAY_MESSAGE_SETUP},       /* empty, and the second one */
        {1, 0, 0, 0, FAY_MESSAGE_STATUS, 0, 0, 0, 9},
        {0xff, 0xff, 0xff, 0xff, FAY_MESSAGE_LEASE},
    };
    for (size_t i = 0; i < FAY_COUNT(bad); i++) {
        struct worker w;
        begin(&w);
        send_bytes(&w, bad[i], 16);
        assert_int_equal(end(&w), 1);
    }
    struct worker w;
    start(&w, &cls);
    lease_one(&w, "x"); /* before the SETUP */
    assert_int_equal(end(&w), 1);
}

static void the_end_of_the_socket_ends_it(void **state)
{
    (void)state;
    struct worker w;
    start(&w, &cls);
    assert_int_equal(end(&w), 0);
    begin(&w);
    assert_int_equal(end(&w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_travel_as_runs),
        cmocka_unit_test(failures_break_the_run),
        cmocka_unit_test(large_sets_travel_in_parts),
        cmocka_unit_test(items_have_status_and_attributes),
        cmocka_unit_test(deferred_items_end_from_a_thread),
        cmocka_unit_test(idle_ends_what_is_held),
        cmocka_unit_test(kept_items_stay),
        cmocka_unit_test(recall_gives_back_what_is_not_begun),
        cmocka_unit_test(retire_waits_for_what_is_in_hand),
        cmocka_unit_test(a_worker_that_cannot_start_says_so),
        cmocka_unit_test(bad_frames_end_it),
        cmocka_unit_test(the_end_of_the_socket_ends_it),
    };
    (void)alarm(50);
    return cmocka_run_group_tests_name("sdk", tests, NULL, NULL);
}
