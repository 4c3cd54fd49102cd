/* SPDX-License-Identifier: MIT */
#include "instance/worker.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/memory.h"
#include "wire/codec.h"

#define QUIET_MAX FAY_SECOND /* for a worker that has nothing to do but to exit */

enum {
    ITEM_VARIABLES = 4
};

/* ---- answers -------------------------------------------------------------------------------- */

/* A verdict is made without the stderr of the worker, which only we have. */
static void send_verdict(const fay_worker *w, const uint8_t *payload, size_t size)
{
    fay_verdict verdict;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer with_tail = {0};
    if (w->tail.bytes != NULL && fay_verdict_parse(payload, size, &verdict) == 0 &&
        verdict.tail.size == 0) {
        size_t tail = FAY_MIN(fay_buffer_size(&w->tail), FAY_STDERR_TAIL_MAX);
        verdict.tail.bytes = (const char *)w->tail.bytes + w->tail.end - tail;
        verdict.tail.size = tail;
        fay_verdict_write(&verdict, &with_tail);
        payload = fay_buffer_data(&with_tail);
        size = fay_buffer_size(&with_tail);
    }
    fay_link_send(w->instance->link, FAY_MESSAGE_VERDICT, w->number, payload, size);
}

void fay_worker_reply(fay_worker *w)
{
    fay_instance *in = w->instance;
    for (size_t i = 0; in->link != NULL && i < in->replies.count; i++) {
        const fay_reply *r = &in->replies.list[i];
        const uint8_t *head = fay_reply_head(&in->replies, r);
        if (r->type == FAY_MESSAGE_VERDICT) {
            send_verdict(w, r->head_size > 0 ? head : r->data,
                         r->head_size > 0 ? r->head_size : r->data_size);
        } else {
            fay_link_send2(in->link, r->type, w->number, head, r->head_size, r->data, r->data_size);
        }
    }
    fay_replies_clear(&in->replies);
    if (in->link != NULL && fay_link_backlog(in->link) > FAY_LINK_KEPT_MAX)
        in->choked = true; /* until the link has drained */
}

static void send_up(fay_worker *w)
{
    uint8_t payload[12];
    fay_store32(payload, (uint32_t)w->child.pid);
    fay_store64(payload + 4, w->spawn_ns);
    w->up = true;
    if (w->instance->link != NULL)
        fay_link_send(w->instance->link, FAY_MESSAGE_UP, w->number, payload, sizeof payload);
}

/* ---- birth ---------------------------------------------------------------------------------- */

static void make_env(fay_worker *w)
{
    const fay_instance *in = w->instance;
    w->env = fay_alloc((in->env_count + 1 + ITEM_VARIABLES + 1) * sizeof *w->env);
    memcpy(w->env, in->env, in->env_count * sizeof *w->env);
    size_t size = sizeof "FAYMORA_SLOT=65536";
    char *slot = fay_alloc(size);
    (void)snprintf(slot, size, "FAYMORA_SLOT=%u", w->number + 1u);
    w->env[in->env_count] = slot;
    w->env_count = in->env_count + 1;
}

static void start(fay_worker *w)
{
    fay_instance *in = w->instance;
    int error = 0;
    if (fay_is_oneshot(in)) {
        error = fay_errors_open(w, &w->errors_end);
        w->child.pid = 0;
    } else {
        error = fay_feed_start(w);
    }
    if (error != 0) {
        char why[128];
        (void)snprintf(w->error, sizeof w->error, "cannot start: %s",
                       strerror_r(error, why, sizeof why));
        if (fay_stage_program_fault(error))
            fay_stage_cannot_start(in, error);
        fay_worker_gone(w, FAY_DOWN_START_FAILED, 0);
        return;
    }
    w->spawn_ns = fay_now() - w->spawned;
    if (in->setup.mode != FAY_MODE_FRAMES)
        send_up(w); /* in frames mode when it says so itself */
    if (in->setup.recycle_age > 0)
        fay_tick_by(in, w->spawned + in->setup.recycle_age);
    if (in->setup.recycle_rss > 0)
        fay_tick_by(in, w->spawned + FAY_SECOND);
    if (!fay_is_oneshot(in))
        fay_tick_memory(w);
}

void fay_worker_ready(fay_worker *w)
{
    w->spawn_ns = fay_now() - w->spawned;
    send_up(w);
}

void fay_worker_spawn(fay_instance *in, uint16_t number)
{
    if (number >= FAY_WORKERS_MAX || in->workers[number] != NULL)
        return;
    fay_worker *w = fay_alloc(sizeof *w);
    *w = (fay_worker){.instance = in, .number = number, .errors_end = -1};
    w->stop_at = w->broken_at = w->usage.since = FAY_NEVER;
    w->spawned = w->sign = fay_now();
    const fay_mode_config config = {.setup = &in->setup, .router = in->router, .number = number};
    w->mode = fay_mode_new(&config, NULL);
    assert(w->mode != NULL); /* the setup was tried */
    fay_mode_status(w->mode, in->pressure, in->stage_workers);
    fay_held_output_init(&w->held);
    make_env(w);
    in->workers[number] = w;
    in->workers_count = FAY_MAX(in->workers_count, (size_t)number + 1);
    in->alive++;
    start(w);
    if (in->link != NULL)
        fay_link_breathe(in->link); /* a start may take long, and many may follow */
}

/* ---- work ----------------------------------------------------------------------------------- */

void fay_worker_lease(fay_worker *w, const fay_frame *frame, const fay_lease_frame *lease)
{
    w->seen = lease->first_tag + lease->block.count;
    fay_instance *in = w->instance;
    fay_ns now = fay_now();
    if (w->retiring) { /* it was recycled while the Items were on their way */
        uint8_t back[12];
        fay_store64(back, lease->first_tag);
        fay_store32(back + 8, lease->block.count);
        fay_link_send(in->link, FAY_MESSAGE_GIVEN_BACK, w->number, back, sizeof back);
        return;
    }
    if (fay_mode_held(w->mode) == 0)
        w->sign = now;
    if (!fay_is_oneshot(in))
        fay_usage_leased(w);
    if (fay_mode_lease(w->mode, lease, now, &in->replies) != 0) {
        fay_link_close(in->link); /* an owner that breaks the protocol is none */
        in->link = NULL;
        in->done = true;
        return;
    }
    fay_worker_reply(w);
    if (in->setup.timeout > 0)
        fay_tick_by(in, now + in->setup.timeout);
    if (in->setup.stall > 0 && !w->hinted && !fay_is_oneshot(in))
        fay_tick_by(in, now + in->setup.stall);
    if (fay_is_oneshot(in)) {
        fay_try_next(w);
    } else if (in->setup.mode == FAY_MODE_FRAMES) {
        if (w->link != NULL)
            fay_link_forward(w->link, frame, 0);
    } else {
        fay_feed_write(w);
        fay_mode_settle(w->mode);
    }
}

void fay_worker_recall(fay_worker *w)
{
    fay_mode_recall(w->mode, &w->instance->replies);
    fay_worker_reply(w);
    if (w->link != NULL)
        fay_link_send(w->link, FAY_MESSAGE_RECALL, 0, NULL, 0);
}

void fay_worker_answered(fay_worker *w)
{
    const fay_setup *s = &w->instance->setup;
    if (!fay_is_oneshot(w->instance))
        fay_usage_answered(w);
    if (s->recycle_items > 0 && !fay_is_oneshot(w->instance) && !w->retiring &&
        fay_mode_answered(w->mode) >= s->recycle_items) {
        fay_worker_retire(w, FAY_DOWN_RECYCLED); /* comes back here */
        return;
    }
    bool stuck = w->instance->failed && !w->running && !w->sending; /* its Items stay undone */
    if (!w->retiring || w->quiet || (fay_mode_owed(w->mode) > 0 && !stuck))
        return;
    w->quiet = true;
    if (!w->running) {
        fay_worker_gone(w, w->leave, 0);
        return;
    }
    fay_watch_close(&w->input);
    w->stop_at = fay_now() + FAY_MIN(s->stop_grace, QUIET_MAX);
    fay_tick_by(w->instance, w->stop_at);
}

void fay_worker_retire(fay_worker *w, fay_down_cause why)
{
    if (w->retiring)
        return;
    w->retiring = true;
    w->leave = why;
    fay_mode_recall(w->mode, &w->instance->replies);
    fay_worker_reply(w);
    if (w->link != NULL) {
        fay_link_send(w->link, FAY_MESSAGE_RETIRE, 0, NULL, 0);
    } else if (w->instance->setup.mode == FAY_MODE_LINES) {
        fay_feed_write(w); /* closes its stdin if it owes nothing; else that is looked at soon */
        fay_tick_by(w->instance, fay_now());
    }
    fay_worker_answered(w);
}

void fay_worker_kill(fay_worker *w, fay_down_cause why, const char *error)
{
    if (w->kill == FAY_DOWN_RETIRED && why != FAY_DOWN_RETIRED) {
        w->kill = why;
        (void)snprintf(w->error, sizeof w->error, "%s", error);
    }
    w->killed = w->killed || why == FAY_DOWN_RETIRED;
    if (w->running) {
        fay_child_signal(&w->child, SIGKILL);
    } else if (why == FAY_DOWN_RETIRED) { /* KILL of a slot without a process */
        fay_worker_gone(w, FAY_DOWN_SIGNAL, SIGKILL);
    }
}

void fay_worker_end(fay_worker *w, int signal)
{
    if (!w->running || signal == 0 || signal == SIGKILL) {
        fay_worker_kill(w, FAY_DOWN_RETIRED, "");
        return;
    }
    if (w->killed) /* a second word does not give it more time */
        return;
    w->killed = true;
    w->stop_step = 1;
    w->stop_at = fay_now() + w->instance->setup.stop_grace;
    fay_child_signal(&w->child, signal);
    fay_tick_by(w->instance, w->stop_at);
}

/* ---- death ---------------------------------------------------------------------------------- */

static void forget(fay_worker *w)
{
    fay_instance *in = w->instance;
    in->workers[w->number] = NULL;
    in->alive--;
    fay_watch_close(&w->pid);
    fay_watch_close(&w->input);
    fay_watch_close(&w->output);
    fay_watch_close(&w->errors);
    if (w->link != NULL)
        fay_link_close(w->link);
    if (w->errors_end >= 0)
        (void)close(w->errors_end);
    fay_held_output_clear(&w->held);
    fay_buffer_deinit(&w->held.memory);
    fay_buffer_deinit(&w->out);
    fay_buffer_deinit(&w->tail);
    fay_buffer_deinit(&w->line);
    fay_mode_free(w->mode);
    if (w->env != NULL)
        free(w->env[in->env_count]);
    free(w->env);
    free(w);
    if (in->stopping && in->alive == 0)
        in->done = true;
}

void fay_worker_gone(fay_worker *w, fay_down_cause cause, int status)
{
    fay_instance *in = w->instance;
    fay_errors_drain(w);
    fay_errors_flush(w);
    size_t tail = FAY_MIN(fay_buffer_size(&w->tail), FAY_STDERR_TAIL_MAX);
    bool well = cause == FAY_DOWN_RETIRED || cause == FAY_DOWN_RECYCLED;
    const fay_down down = {.cause = cause,
                           .exit = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                           .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                           .ns = w->up ? 0 : fay_now() - w->spawned,
                           .seen = w->seen,

                           .error = fay_text_from(well ? NULL : w->error),
                           .tail = {.bytes = well || tail == 0
                                                 ? NULL
                                                 : (const char *)w->tail.bytes + w->tail.end - tail,
                                    .size = well ? 0 : tail}};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_down_write(&down, &payload);
    if (in->link != NULL) {
        fay_link_send(in->link, FAY_MESSAGE_DOWN, w->number, fay_buffer_data(&payload),
                      fay_buffer_size(&payload));
    }
    forget(w);
}

/* In words, how it has ended by itself. */
static void tell_end(fay_worker *w, int status)
{
    fay_status_text(status, w->error, sizeof w->error);
    size_t used = strlen(w->error), room = sizeof w->error - used, held = fay_mode_held(w->mode);
    if (w->untouched) {
        (void)snprintf(w->error + used, room, " before it has read anything");
    } else if (w->up && WIFEXITED(status) && held > 0) {
        (void)snprintf(w->error + used, room, " with %zu Item%s in hand", held,
                       held > 1 ? "s" : "");
    }
}

void fay_worker_down(fay_worker *w, int status)
{
    fay_instance *in = w->instance;
    size_t held = fay_mode_held(w->mode);
    if (w->kill != FAY_DOWN_RETIRED) {
        fay_worker_gone(w, w->kill, status);
        return;
    }
    if (w->retiring && held == 0) {
        fay_worker_gone(w, w->leave, status);
        return;
    }
    tell_end(w, status);
    if (w->untouched) /* nothing of what it holds had reached it */
        (void)fay_mode_oldest(w->mode, &w->seen);
    fay_down_cause cause = FAY_DOWN_EXIT;
    if (!w->up) {
        cause = FAY_DOWN_START_FAILED;
    } else if (WIFSIGNALED(status)) {
        uint64_t kills = WTERMSIG(status) == SIGKILL ? fay_memory_kills() : in->oom_kills;
        cause = kills != in->oom_kills ? FAY_DOWN_OOM : FAY_DOWN_SIGNAL;
        in->oom_kills = kills;
    }
    fay_worker_gone(w, cause, status);
}
