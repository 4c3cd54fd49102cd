/* SPDX-License-Identifier: MIT */
/*
 * All clocks of an Instance hang on one timer, which is set for the earliest thing to look at and
 * never moved later: what is over by then is found out when it fires. So the way of an Item costs a
 * comparison, and an Instance with nothing in hand has no timer.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "host/tree.h"
#include "instance/worker.h"

#define SAMPLE         (500 * FAY_MS) /* between two looks at a process that seems to do nothing */
#define LEAVING_SAMPLE (100 * FAY_MS) /* the same, of one that is to go */
#define RSS_EVERY      FAY_SECOND
#define MEMORY_EVERY   (200 * FAY_MS)
#define HELLO_WITHIN   (10 * FAY_SECOND)
#define SWEEP_AFTER    (50 * FAY_MS)

static void note(const fay_worker *w, const char *text)
{
    char line[512];
    int length = snprintf(line, sizeof line, "stage %s, worker %u %s", w->instance->setup.stage,
                          w->number + 1u, text);
    if (length > 0) {
        fay_link_send(w->instance->link, FAY_MESSAGE_NOTE, w->number, line,
                      FAY_MIN((size_t)length, sizeof line - 1));
    }
}

/* ---- one worker: each gives the time of its next look ---------------------------------------- */

static fay_ns look_at_timeout(fay_worker *w, fay_ns now)
{
    const fay_instance *in = w->instance;
    fay_ns since = fay_mode_since(w->mode);
    if (in->setup.timeout == 0 || since == FAY_NEVER || !w->running || w->kill != FAY_DOWN_RETIRED)
        return FAY_NEVER;
    fay_ns limit = in->setup.timeout;
    if (in->setup.mode == FAY_MODE_BATCH)
        limit *= fay_mode_begun(w->mode);
    if (now < since + limit)
        return since + limit;
    if (fay_is_oneshot(in)) {
        fay_try_timed_out(w);
        return FAY_NEVER;
    }
    char text[FAY_UNITS_TEXT_MAX], error[96];
    (void)snprintf(error, sizeof error, "took longer than timeout (%s)",
                   fay_duration_text(limit, text));
    fay_worker_kill(w, FAY_DOWN_TIMEOUT, error);
    return FAY_NEVER;
}

/* Neither runs nor has printed in two looks, `gap` apart; *ret is what the second one saw. */
static bool is_idle(fay_worker *w, fay_ns now, fay_ns gap, fay_tree *ret)
{
    if (!fay_tree_look(w->child.pid, ret))
        return false;
    bool again = w->sampled > w->sign && now >= w->sampled + gap / 2;
    bool same = again && ret->cpu == w->sampled_cpu;
    w->sampled = now;
    w->sampled_cpu = ret->cpu;
    return same && ret->sleeping;
}

static void hint_at_stall(fay_worker *w)
{
    char text[FAY_UNITS_TEXT_MAX], line[384];
    (void)snprintf(line, sizeof line,
                   "took an Item, printed nothing for %s and waits for more: it may hold its "
                   "output back in a buffer; flush after each line, or set buffering: pty or "
                   "mode: batch",
                   fay_duration_text(w->instance->setup.stall, text));
    w->hinted = true;
    if (!w->instance->hinted)
        note(w, line);
    w->instance->hinted = true;
}

/* Idle, with an Item in hand and nothing printed: it may hold its answer back in a buffer, or what
 * held the Item in a pipeline of several has died. At the end of its input it must answer or exit:
 * so a lines worker gets that, and another takes its place. */
static fay_ns look_at_stall(fay_worker *w, fay_ns now)
{
    const fay_setup *s = &w->instance->setup;
    if (s->stall == 0 || w->hinted || fay_is_oneshot(w->instance) || !w->running ||
        s->mode == FAY_MODE_FRAMES || fay_mode_held(w->mode) == 0 ||
        (s->mode == FAY_MODE_LINES && w->retiring))
        return FAY_NEVER;
    fay_tree tree;
    if (now < w->sign + s->stall)
        return w->sign + s->stall;
    if (!is_idle(w, now, SAMPLE, &tree) || !tree.reading)
        return now + SAMPLE;
    hint_at_stall(w);
    if (s->mode == FAY_MODE_LINES) {
        fay_worker_retire(w, FAY_DOWN_RECYCLED);
        fay_feed_end(w, true);
    }
    return FAY_NEVER;
}

/* A lines worker that is to go and owes answers: it may hold them back. It is left to itself while
 * it works, since one that is about to leave anyway does not wait for its end. */
static fay_ns look_at_leaving(fay_worker *w, fay_ns now)
{
    fay_tree tree;
    if (!w->retiring || w->ends || w->input == NULL || !w->running ||
        w->instance->setup.mode != FAY_MODE_LINES)
        return FAY_NEVER;
    if (!is_idle(w, now, LEAVING_SAMPLE, &tree))
        return now + LEAVING_SAMPLE;
    fay_feed_end(w, tree.reading);
    return FAY_NEVER;
}

static fay_ns look_at_recycling(fay_worker *w, fay_ns now)
{
    const fay_setup *s = &w->instance->setup;
    if (w->retiring || !w->running || fay_is_oneshot(w->instance))
        return FAY_NEVER;
    if (s->recycle_age > 0 && now >= w->spawned + s->recycle_age) {
        fay_worker_retire(w, FAY_DOWN_RECYCLED);
        return FAY_NEVER;
    }
    fay_tree tree;
    if (s->recycle_rss > 0 && fay_tree_look(w->child.pid, &tree) && tree.rss > s->recycle_rss) {
        fay_worker_retire(w, FAY_DOWN_RECYCLED);
        return FAY_NEVER;
    }
    fay_ns next = s->recycle_age > 0 ? w->spawned + s->recycle_age : FAY_NEVER;
    return s->recycle_rss > 0 ? FAY_MIN(next, now + RSS_EVERY) : next;
}

/* What its processes hold may pass the limit for as long as nobody looks: it is no hard one. */
static fay_ns look_at_memory(fay_worker *w, fay_ns now)
{
    const fay_setup *s = &w->instance->setup;
    if (s->memory_max == 0 || !w->running || w->kill != FAY_DOWN_RETIRED)
        return FAY_NEVER;
    if (now < w->memory_at)
        return w->memory_at;
    fay_tree tree;
    w->memory_at = now + MEMORY_EVERY;
    if (!fay_tree_look(w->child.pid, &tree) || tree.rss <= s->memory_max)
        return w->memory_at;
    char used[FAY_UNITS_TEXT_MAX], limit[FAY_UNITS_TEXT_MAX], error[192];
    (void)snprintf(error, sizeof error,
                   "stage %s: a worker held %s, more than resources.memory (%s)", s->stage,
                   fay_size_text(tree.rss, used), fay_size_text(s->memory_max, limit));
    if (fay_is_oneshot(w->instance)) {
        fay_try_over_memory(w, error);
    } else {
        fay_worker_kill(w, FAY_DOWN_OOM, error);
    }
    return FAY_NEVER;
}

/* It has nothing to do but to exit: asked, then made to. */
static fay_ns look_at_stopping(fay_worker *w, fay_ns now)
{
    if (now < w->stop_at || !w->running)
        return w->running ? w->stop_at : FAY_NEVER;
    const fay_setup *s = &w->instance->setup;
    bool ask = w->stop_step++ == 0 && s->stop_signal > 0 && s->stop_signal != SIGKILL;
    fay_child_signal(&w->child, ask ? s->stop_signal : SIGKILL);
    w->stop_at = ask ? now + s->stop_grace : FAY_NEVER;
    return w->stop_at;
}

static fay_ns look_at_start(fay_worker *w, fay_ns now)
{
    if (w->greeted || w->up || w->hinted || w->link == NULL)
        return FAY_NEVER;
    if (now < w->spawned + HELLO_WITHIN)
        return w->spawned + HELLO_WITHIN;
    w->hinted = true;
    note(w, "has started, but does not speak the protocol of mode frames: is it a program made "
            "with fay_worker_main()?");
    return FAY_NEVER;
}

static fay_ns look_at(fay_worker *w, fay_ns now)
{
    fay_ns next = FAY_MIN(look_at_timeout(w, now), look_at_leaving(w, now));
    next = FAY_MIN(next, look_at_stall(w, now));
    next = FAY_MIN(next, look_at_recycling(w, now));
    next = FAY_MIN(next, look_at_memory(w, now));
    next = FAY_MIN(next, look_at_stopping(w, now));
    next = FAY_MIN(next, look_at_start(w, now));
    next = FAY_MIN(next, fay_usage_look(w, now));
    if (w->broken_at != FAY_NEVER && now < w->broken_at) {
        next = FAY_MIN(next, w->broken_at);
    } else if (w->broken_at != FAY_NEVER) {
        fay_feed_overdue(w); /* may end it */
    }
    return next;
}

/* ---- the timer ------------------------------------------------------------------------------ */

static void sweep(fay_instance *in)
{
    pid_t known[FAY_WORKERS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < in->workers_count; i++) {
        if (in->workers[i] != NULL && in->workers[i]->running)
            known[count++] = in->workers[i]->child.pid;
    }
    in->sweep_at = FAY_NEVER;
    if (!fay_host_sweep(known, count, 0))
        fay_tick_sweep(in);
}

static void on_timer(uv_timer_t *timer)
{
    fay_instance *in = timer->data;
    in->timer_at = FAY_NEVER;
    if (in->link == NULL)
        return;
    fay_ns now = fay_now(), next = FAY_NEVER;
    if (now >= in->sweep_at)
        sweep(in);
    if (now >= in->errors_at)
        fay_errors_write(in);
    for (size_t i = 0; i < in->workers_count; i++) {
        if (in->workers[i] != NULL)
            next = FAY_MIN(next, look_at(in->workers[i], now));
    }
    fay_tick_by(in, FAY_MIN(next, FAY_MIN(in->sweep_at, in->errors_at)));
}

void fay_tick_by(fay_instance *in, fay_ns when)
{
    if (when >= in->timer_at)
        return;
    in->timer_at = when;
    fay_ns now = fay_now();
    uv_update_time(&in->loop);
    (void)uv_timer_start(&in->timer, on_timer, when > now ? (when - now) / FAY_MS + 1 : 0, 0);
}

void fay_tick_init(fay_instance *in)
{
    (void)uv_timer_init(&in->loop, &in->timer);
    in->timer.data = in;
    in->timer_at = in->sweep_at = in->errors_at = FAY_NEVER;
}

void fay_tick_memory(fay_worker *w)
{
    if (w->instance->setup.memory_max == 0)
        return;
    w->memory_at = fay_now() + MEMORY_EVERY;
    fay_tick_by(w->instance, w->memory_at);
}

void fay_tick_sweep(fay_instance *in)
{
    if (in->sweep_at != FAY_NEVER)
        return;
    in->sweep_at = fay_now() + SWEEP_AFTER;
    fay_tick_by(in, in->sweep_at);
}
