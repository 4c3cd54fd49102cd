/* SPDX-License-Identifier: MIT */
#include "instance/instance.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/tree.h"
#include "instance/worker.h"
#include "wire/codec.h"

enum {
    MMAP_FROM = 128 * 1024,
    FLUSH_MS = 5000
};

/* ---- what the owner says -------------------------------------------------------------------- */

static int on_hello(fay_instance *in, const fay_frame *frame)
{
    fay_reader r = fay_reader_of(frame->payload, frame->size);
    uint32_t version = fay_read32(&r);
    (void)fay_read32(&r);
    if (fay_reader_done(&r) != 0)
        return FAY_E_PEER;
    in->greeted = true;
    if (version != FAY_PROTOCOL_VERSION) {
        char text[96];
        (void)snprintf(text, sizeof text, "the run speaks protocol version %u, its Instance %u",
                       version, FAY_PROTOCOL_VERSION);
        fay_stage_failed(in, text, "use programs of one installation");
    }
    return 0;
}

static int on_status(fay_instance *in, const fay_frame *frame)
{
    fay_reader r = fay_reader_of(frame->payload, frame->size);
    uint8_t pressure = fay_read8(&r);
    in->pressure = pressure < 128 ? pressure : pressure - 256; /* an i8 */
    in->stage_workers = fay_read32(&r);
    (void)fay_read32(&r);
    if (fay_reader_done(&r) != 0)
        return FAY_E_PEER;
    for (size_t i = 0; i < in->workers_count; i++) {
        fay_worker *w = in->workers[i];
        if (w == NULL)
            continue;
        fay_mode_status(w->mode, in->pressure, in->stage_workers);
        if (w->link != NULL)
            fay_link_forward(w->link, frame, 0);
    }
    return 0;
}

static int on_lease(fay_instance *in, fay_worker *w, const fay_frame *frame)
{
    fay_lease_frame lease;
    if (fay_lease_parse(frame->payload, frame->size, &lease) != 0 || lease.block.ids == NULL)
        return FAY_E_PEER;
    if (w != NULL && w->kill == FAY_DOWN_RETIRED) /* else it is down, and the owner will hear so */
        fay_worker_lease(w, frame, &lease);
    return in->done ? FAY_E_PEER : 0;
}

static int on_kill(fay_worker *w, const fay_frame *frame)
{
    fay_reader r = fay_reader_of(frame->payload, frame->size);
    uint32_t signal = fay_read32(&r);
    if (fay_reader_done(&r) != 0 || signal >= NSIG)
        return FAY_E_PEER;
    if (w != NULL)
        fay_worker_end(w, (int)signal);
    return 0;
}

static void on_stop(fay_instance *in)
{
    in->stopping = true;
    in->done = in->alive == 0;
    for (size_t i = 0; i < in->workers_count; i++) {
        if (in->workers[i] != NULL)
            fay_worker_retire(in->workers[i], FAY_DOWN_RETIRED);
    }
}

static int on_frame(void *context, const fay_frame *frame)
{
    fay_instance *in = context;
    fay_worker *w = frame->worker < FAY_WORKERS_MAX ? in->workers[frame->worker] : NULL;
    if (frame->type == FAY_MESSAGE_HELLO)
        return on_hello(in, frame);
    if (frame->type == FAY_MESSAGE_STOP) {
        on_stop(in);
        return 0;
    }
    if (in->failed && !in->ready)
        return 0; /* it has been told so */
    if (frame->type == FAY_MESSAGE_SETUP)
        return fay_stage_setup(in, frame->payload, frame->size);
    if (!in->ready || !in->greeted)
        return FAY_E_PEER;
    switch ((int)frame->type) {
    case FAY_MESSAGE_SPAWN:
        if (!in->stopping)
            fay_worker_spawn(in, frame->worker);
        return 0;
    case FAY_MESSAGE_LEASE: return on_lease(in, w, frame);
    case FAY_MESSAGE_STATUS: return on_status(in, frame);
    case FAY_MESSAGE_RETIRE:
        if (w != NULL)
            fay_worker_retire(w, FAY_DOWN_RETIRED);
        return 0;
    case FAY_MESSAGE_RECALL:
        if (w != NULL)
            fay_worker_recall(w);
        return 0;
    case FAY_MESSAGE_KILL: return on_kill(w, frame);
    default: return FAY_E_PEER;
    }
}

static void on_drained(void *context)
{
    fay_instance *in = context;
    in->choked = false;
    for (size_t i = 0; i < in->workers_count && !in->choked; i++) {
        if (in->workers[i] == NULL)
            continue;
        if (fay_is_oneshot(in)) {
            fay_try_resume(in->workers[i]);
        } else {
            fay_feed_resume(in->workers[i]);
        }
    }
}

/* The owner is gone: nothing of us may be left, and nothing is worth saying. */
static void on_closed(void *context, int why)
{
    fay_instance *in = context;
    (void)why;
    in->link = NULL;
    in->done = true;
}

static bool spares(void *context)
{
    (void)context;
    return fay_tree_is_at_work(getppid());
}

static const fay_link_events owner_link = {
    .frame = on_frame, .closed = on_closed, .spares = spares, .drained = on_drained};

/* ---- the end -------------------------------------------------------------------------------- */

static void kill_all(fay_instance *in)
{
    for (size_t i = 0; i < in->workers_count; i++) {
        if (in->workers[i] != NULL && in->workers[i]->running)
            fay_child_signal(&in->workers[i]->child, SIGKILL);
    }
    (void)fay_host_sweep(NULL, 0, FAY_SECOND);
}

static void flush_and_close(fay_instance *in)
{
    uint64_t end = uv_now(&in->loop) + FLUSH_MS;
    uv_run_mode mode = UV_RUN_NOWAIT; /* the first round sends, and only then is there to wait */
    while (in->link != NULL && fay_link_backlog(in->link) > 0 && uv_now(&in->loop) < end) {
        (void)uv_run(&in->loop, mode);
        mode = UV_RUN_ONCE;
    }
    if (in->link != NULL)
        fay_link_close(in->link);
    in->link = NULL;
}

static void send_hello(fay_instance *in)
{
    uint8_t hello[8];
    fay_store32(hello, FAY_PROTOCOL_VERSION);
    fay_store32(hello + 4, (uint32_t)getpid());
    fay_link_send(in->link, FAY_MESSAGE_HELLO, 0, hello, sizeof hello);
}

int fay_instance_main(int fd)
{
    /* Large buffers go back to the system when they are freed. */
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_FROM); // NOLINT(concurrency-mt-unsafe): the only thread
    fay_host_init(-1);
    /* When the owner dies while we are stopped, the kernel hangs up on our process group, which is
     * an orphan then: we still have to clear away. And a terminal with tostop must not stop us. */
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGTTOU, SIG_IGN);
    fay_instance *in = fay_alloc(sizeof *in);
    if (uv_loop_init(&in->loop) != 0)
        return 1;
    fay_tick_init(in);
    in->link = fay_link_open(&in->loop, fd, &owner_link, in);
    send_hello(in);
    while (!in->done) {
        (void)uv_run(&in->loop, UV_RUN_ONCE);
    }
    bool asked = in->link != NULL;
    flush_and_close(in);
    kill_all(in);
    if (!asked)
        _exit(0); /* at once; what is open goes with the process */
    uv_close((uv_handle_t *)&in->timer, NULL);
    (void)uv_run(&in->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&in->loop);
    fay_replies_deinit(&in->replies);
    fay_buffer_deinit(&in->errors);
    fay_stage_deinit(in);
    free(in);
    return 0;
}
