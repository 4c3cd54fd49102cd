/* SPDX-License-Identifier: MIT */
/* Links: frames of all sizes arrive whole and in order; ends, silence, stops and broken peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "net/link.h"

enum {
    OPEN = 99,
    LARGEST = 3000000
};

/* One end, and what it has seen. */
typedef struct end {
    fay_link *link;
    int why; /* OPEN until it is closed */
    uint64_t frames, bytes, sum;
    bool in_order;
    unsigned batches, drained, spares; /* the last: so often it may still be spared */
} end;

/* A frame's payload is a number that tells its length and all its bytes. */
static int on_frame(void *context, const fay_frame *frame)
{
    end *e = context;
    for (size_t i = 0; i < frame->size; i += 997) {
        if (frame->payload[i] != (uint8_t)(e->frames + i))
            e->in_order = false;
    }
    if (frame->worker != (uint16_t)e->frames)
        e->in_order = false;
    e->frames++;
    e->bytes += frame->size;
    return frame->type == FAY_MESSAGE_STOP ? FAY_E_DENIED : 0;
}
static void on_batch(void *context)
{
    ((end *)context)->batches++;
}
static void on_closed(void *context, int why)
{
    ((end *)context)->why = why;
}
static void on_drained(void *context)
{
    ((end *)context)->drained++;
}
static bool on_silence(void *context)
{
    end *e = context;
    return e->spares > 0 && e->spares-- > 0;
}

static const fay_link_events events = {.frame = on_frame,
                                       .batch = on_batch,
                                       .closed = on_closed,
                                       .drained = on_drained,
                                       .spares = on_silence};

typedef struct pair {
    uv_loop_t loop;
    int fds[2];
    end a, b;
} pair;

static void begin(pair *p, bool both)
{
    *p = (pair){.a = {.why = OPEN, .in_order = true}, .b = {.why = OPEN, .in_order = true}};
    assert_int_equal(uv_loop_init(&p->loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->fds), 0);
    p->a.link = fay_link_open(&p->loop, p->fds[0], &events, &p->a);
    if (both)
        p->b.link = fay_link_open(&p->loop, p->fds[1], &events, &p->b);
}

static void finish(pair *p)
{
    if (p->a.why == OPEN)
        fay_link_close(p->a.link);
    if (p->b.why == OPEN && p->b.link != NULL)
        fay_link_close(p->b.link);
    (void)uv_run(&p->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&p->loop), 0);
}

/* From one pattern, made once: many large frames are sent without a look at the loop between them,
 * and must not take as long as a silence that closes links, however slow the machine. */
static void send_sized(fay_link *link, uint64_t number, size_t size)
{
    static uint8_t pattern[LARGEST + 256];
    if (pattern[1] == 0) {
        for (size_t i = 0; i < sizeof pattern; i++) {
            pattern[i] = (uint8_t)i;
        }
    }
    const uint8_t *payload = pattern + number % 256;
    size_t head = size / 3;
    assert_true(size <= LARGEST);
    fay_link_send2(link, FAY_MESSAGE_RESULTS, (uint16_t)number, payload, head, payload + head,
                   size - head);
}

static void frames_of_all_sizes_arrive(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 16383, 16384, 70000, LARGEST, 5, 0, 1000000};
    (void)state;
    pair p;
    begin(&p, true);
    uint64_t sent = 0, bytes = 0;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < FAY_COUNT(sizes); i++) {
            send_sized(p.a.link, sent++, sizes[i]);
            bytes += sizes[i];
        }
    }
    assert_true(fay_link_backlog(p.a.link) > 0);
    while (p.b.frames < sent && p.a.why == OPEN) {
        (void)uv_run(&p.loop, UV_RUN_ONCE);
    }
    assert_int_equal(p.b.bytes, bytes);
    assert_true(p.b.in_order);
    assert_int_equal(p.a.drained, 1);
    finish(&p);
}

static void small_frames_are_written_together(void **state)
{
    (void)state;
    pair p;
    begin(&p, true);
    for (uint64_t i = 0; i < 1000; i++) {
        send_sized(p.a.link, i, 20);
    }
    assert_true(fay_link_backlog(p.a.link) > 0); /* until the wake-up ends */
    while (p.b.frames < 1000) {
        (void)uv_run(&p.loop, UV_RUN_ONCE);
    }
    assert_int_equal(fay_link_backlog(p.a.link), 0);
    assert_int_equal(p.b.batches, 1);
    finish(&p);
}

static void what_was_sent_before_the_end_arrives(void **state)
{
    (void)state;
    pair p;
    begin(&p, true);
    send_sized(p.a.link, 0, 100);
    send_sized(p.b.link, 0, 100); /* never read by a: its end is a reset */
    fay_link_close(p.a.link);
    while (p.b.why == OPEN) {
        (void)uv_run(&p.loop, UV_RUN_ONCE);
    }
    p.a.why = 0;
    assert_int_equal(p.b.frames, 1);
    assert_int_equal(p.b.why, 0);
    finish(&p);
}

static void a_paused_link_reads_nothing(void **state)
{
    (void)state;
    pair p;
    begin(&p, true);
    fay_link_pause(p.b.link, true);
    send_sized(p.a.link, 0, 10);
    for (int i = 0; i < 5; i++) {
        (void)uv_run(&p.loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(p.b.frames, 0);
    fay_link_pause(p.b.link, false);
    while (p.b.frames == 0) {
        (void)uv_run(&p.loop, UV_RUN_ONCE);
    }
    finish(&p);
}

static void wrong_bytes_and_refused_frames_close(void **state)
{
    (void)state;
    pair p;
    begin(&p, false);
    assert_int_equal(write(p.fds[1], "\1\0\0\0\310\0\0\0", 8), 8);
    while (p.a.why == OPEN) {
        (void)uv_run(&p.loop, UV_RUN_ONCE);
    }
    assert_int_equal(p.a.why, FAY_E_PEER);
    finish(&p);
    (void)close(p.fds[1]);

    begin(&p, true);
    fay_link_send(p.a.link, FAY_MESSAGE_STOP, 0, NULL, 0);
    while (p.b.why == OPEN) {
        (void)uv_run(&p.loop, UV_RUN_ONCE);
    }
    assert_int_equal(p.b.why, FAY_E_DENIED);
    finish(&p);
}

/* An end that says nothing is given up after the lease length, and not woken more than it must. */
static void silence_closes(void **state)
{
    (void)state;
    pair p;
    begin(&p, false);
    uint64_t start = uv_hrtime();
    unsigned wakes = 0;
    while (p.a.why == OPEN) {
        (void)uv_run(&p.loop, UV_RUN_ONCE);
        wakes++;
    }
    uint64_t ms = (uv_hrtime() - start) / FAY_MS;
    assert_int_equal(p.a.why, FAY_E_TIMEOUT);
    assert_in_range(ms, FAY_LINK_SILENCE_MS - 50, FAY_LINK_SILENCE_MS + 1500);
    assert_true(wakes <= 8);
    uint8_t pings[256];
    assert_int_equal(read(p.fds[1], pings, sizeof pings), 3 * FAY_FRAME_HEADER);
    finish(&p);
    (void)close(p.fds[1]);
}

/* An end that is known to be at work has as long again. */
static void who_works_is_spared(void **state)
{
    (void)state;
    pair p;
    begin(&p, false);
    p.a.spares = 1;
    uint64_t start = uv_hrtime();
    while (p.a.why == OPEN) {
        (void)uv_run(&p.loop, UV_RUN_ONCE);
    }
    assert_int_equal(p.a.why, FAY_E_TIMEOUT);
    assert_int_equal(p.a.spares, 0);
    assert_true((uv_hrtime() - start) / FAY_MS >= 2 * FAY_LINK_SILENCE_MS - 50);
    finish(&p);
    (void)close(p.fds[1]);
}

/* Amid long work a sign of life is given, and what nobody could hear meanwhile is not held against
 * anybody. */
static void who_is_long_about_it_breathes(void **state)
{
    (void)state;
    pair p;
    begin(&p, false);
    uint64_t start = uv_hrtime();
    while (uv_hrtime() - start < (FAY_LINK_SILENCE_MS + 500) * FAY_MS) {
        fay_link_breathe(p.a.link); /* the loop does not turn */
    }
    uint8_t pings[256];
    assert_true(read(p.fds[1], pings, sizeof pings) >= (ssize_t)(3 * FAY_FRAME_HEADER));
    (void)uv_run(&p.loop, UV_RUN_NOWAIT);
    assert_int_equal(p.a.why, OPEN);
    finish(&p);
    (void)close(p.fds[1]);
}

static void two_idle_ends_stay_connected(void **state)
{
    (void)state;
    pair p;
    begin(&p, true);
    uint64_t start = uv_hrtime();
    while (p.a.why == OPEN && uv_hrtime() - start < 5 * FAY_SECOND) {
        (void)uv_run(&p.loop, UV_RUN_ONCE);
    }
    assert_int_equal(p.a.why, OPEN);
    assert_int_equal(p.b.why, OPEN);
    finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_all_sizes_arrive),
        cmocka_unit_test(small_frames_are_written_together),
        cmocka_unit_test(what_was_sent_before_the_end_arrives),
        cmocka_unit_test(a_paused_link_reads_nothing),
        cmocka_unit_test(wrong_bytes_and_refused_frames_close),
        cmocka_unit_test(silence_closes),
        cmocka_unit_test(who_works_is_spared),
        cmocka_unit_test(who_is_long_about_it_breathes),
        cmocka_unit_test(two_idle_ends_stay_connected),
    };
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
