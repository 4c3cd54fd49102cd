/* SPDX-License-Identifier: MIT */
/*
 * How a run ends.
 *
 *     source ends ------------------------------> DONE --> ENDING: STOP to Instances, sink finished
 *     first signal, run_time --> drain ---------> DONE --> ENDING   as well
 *     second signal, deadline --> abort: TERM to workers, their grace --> ENDING: links closed
 *     failure, reader gone -----> abort --------> DONE --> ENDING: links closed at once
 *     the breaker asks, and a signal or run_time comes --> abort   as well
 *     third signal -----------------------------> all killed now
 *
 * ENDING lasts until the Instances, the sink and the hooks have ended, or its timer says that they
 * have had time enough. What is left then is killed when the run is taken down.
 */
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "run/owner.h"

#define DRAIN_DEFAULT (30 * FAY_SECOND)
/* A key held down, or a signal that comes to us and to our group, is one press. Who presses a third
 * time knows what for: it only must not be the second one that has come twice. */
#define SECOND_APART FAY_SECOND
#define THIRD_APART  (100 * FAY_MS)
enum {
    ENDING_MS = 2000,
    KILLED_MS = 1000,
    GRACE_LOOK_MS = 20 /* how often workers that were told to end are looked at */
};

/* ---- failures -------------------------------------------------------------------------------- */

void fay_owner_report(fay_owner *owner, int exit, const fay_error *err)
{
    if (owner->exit != 0 && owner->exit != FAY_EXIT_SIGPIPE && owner->why != NULL)
        return; /* what follows from the first failure is no news */
    fay_owner_say_error(owner, err);
    owner->exit = exit;
    owner->why = fay_strdup(err->message);
}

void fay_owner_fail(fay_owner *owner, int exit, const fay_error *err)
{
    fay_ask_close(owner->ask);
    fay_owner_report(owner, exit, err);
    fay_owner_abort(owner);
}

void fay_owner_log_lost(void *context, const fay_error *err)
{
    fay_owner *owner = context;
    fay_owner_say_warning(owner, err);
    if (owner->lost == NULL)
        owner->lost = fay_strdup(err->message);
}

void fay_owner_abort(fay_owner *owner)
{
    fay_ask_close(owner->ask);
    if (owner->stage_of_life == FAY_RUNNING || owner->stage_of_life == FAY_DRAINING) {
        owner->stage_of_life = FAY_ABORTED;
        owner->pending.abort = true;
    }
    fay_owner_wake(owner);
}

/* ---- drain ----------------------------------------------------------------------------------- */

/* Items that are in workers. */
static unsigned long long in_flight(const fay_owner *owner)
{
    unsigned long long count = 0;
    for (size_t i = 0; i < owner->pipeline->stages_count; i++) {
        fay_flow_stats stats;
        fay_flow_stage_stats(owner->flow, uv_hrtime(), i, &stats);
        count += stats.leased;
    }
    return count;
}

static fay_ns patience(const fay_owner *owner)
{
    return owner->options->deadline > 0 ? owner->options->deadline : DRAIN_DEFAULT;
}

static void end_hard(fay_owner *owner);

static void on_drain_overdue(void *context)
{
    fay_owner *owner = context;
    fay_owner_say(owner, "faymora: not drained in time: aborting\n");
    end_hard(owner);
}

void fay_owner_drain(fay_owner *owner)
{
    if (owner->stage_of_life != FAY_RUNNING)
        return;
    if (fay_ask_is_open(owner->ask)) { /* paused: what has failed would fail again */
        fay_owner_abort(owner);
        return;
    }
    owner->stage_of_life = FAY_DRAINING;
    owner->source_ended = true; /* nothing more is read of it */
    owner->pending.drain = true;
    owner->draining_timer = fay_timer_new(&owner->loop, on_drain_overdue, owner);
    fay_timer_start(owner->draining_timer, patience(owner) / FAY_MS);
    fay_owner_wake(owner);
}

static void on_run_time(void *context)
{
    fay_owner *owner = context;
    char text[FAY_UNITS_TEXT_MAX];
    fay_error err = {0};
    (void)fay_fail_with(&err, FAY_E_TIMEOUT, "the run has taken %s (limits.run_time)",
                        fay_duration_text(owner->pipeline->run_time, text));
    if (owner->stage_of_life != FAY_RUNNING)
        return;
    fay_owner_report(owner, FAY_EXIT_LIMIT, &err);
    fay_owner_drain(owner);
}

void fay_owner_start_run_timer(fay_owner *owner)
{
    if (owner->pipeline->run_time == 0)
        return;
    owner->run_timer = fay_timer_new(&owner->loop, on_run_time, owner);
    fay_timer_start(owner->run_timer, owner->pipeline->run_time / FAY_MS);
}

/* ---- the end --------------------------------------------------------------------------------- */

static fay_ns longest_grace(const fay_owner *owner)
{
    fay_ns grace = 0;
    for (size_t i = 0; i < owner->pipeline->stages_count; i++) {
        grace = FAY_MAX(grace, owner->pipeline->stages[i].stop_grace);
    }
    return grace;
}

static void on_ending_overdue(void *context)
{
    fay_owner *owner = context;
    bool open = false;
    for (size_t i = 0; i < owner->pipeline->stages_count; i++) {
        open = open || owner->instances[i].link != NULL;
    }
    if (!open) {
        uv_stop(&owner->loop); /* they are killed when all is taken down */
        return;
    }
    fay_owner_close_instances(owner);
    fay_timer_start(owner->ending_timer, KILLED_MS);
    fay_owner_check_end(owner);
}

static void tell_done(fay_owner *owner)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
    fay_owner_tally tally = fay_owner_count(owner);
    fay_buffer_printf(&members, ",\"in\":%llu,\"out\":%llu,\"dead\":%llu,\"exit\":%d",
                      (unsigned long long)tally.in, (unsigned long long)tally.out,
                      (unsigned long long)tally.dead, fay_owner_exit_code(owner));
    fay_events_emit(owner->events, "done", FAY_HOOK_DONE, fay_buffer_text(&members));
}

void fay_owner_done(fay_owner *owner)
{
    if (owner->done)
        return;
    bool hard = owner->stage_of_life == FAY_ABORTED;
    owner->done = true;
    owner->stage_of_life = FAY_ENDING;
    fay_ns grace = longest_grace(owner);
    if (owner->presses > 1) {
        fay_owner_term_workers(owner); /* and once more: one may have been on its way */
    } else if (hard) {
        fay_owner_close_instances(owner);
        grace = 0;
    } else {
        fay_owner_stop_instances(owner);
    }
    fay_timer_start(owner->ending_timer, grace / FAY_MS + ENDING_MS);
    fay_trail_flush(owner->trail); /* what it cannot write is part of the exit code */
    tell_done(owner);
    fay_sink_finish(owner->sink, hard);
    fay_owner_check_end(owner);
}

void fay_owner_check_end(fay_owner *owner)
{
    if (owner->stage_of_life == FAY_ENDING && owner->sink_finished &&
        fay_owner_instances_ended(owner) && fay_events_idle(owner->events))
        uv_stop(&owner->loop);
}

/* ---- signals --------------------------------------------------------------------------------- */

static void on_grace(void *context)
{
    fay_owner *owner = context;
    fay_ns waited = uv_hrtime() - owner->pressed;
    if (in_flight(owner) > 0 && waited < longest_grace(owner)) {
        fay_timer_start(owner->draining_timer, GRACE_LOOK_MS);
        return;
    }
    fay_owner_close_instances(owner);
    fay_owner_check_end(owner);
}

/* Workers are told to end, and get their grace; nothing is leased any more. */
static void end_hard(fay_owner *owner)
{
    owner->presses = FAY_MAX(owner->presses, 2u);
    owner->pressed = uv_hrtime();
    fay_owner_abort(owner);
    fay_owner_term_workers(owner);
    fay_timer_free(owner->draining_timer);
    owner->draining_timer = fay_timer_new(&owner->loop, on_grace, owner);
    fay_timer_start(owner->draining_timer, GRACE_LOOK_MS);
}

static void first_press(fay_owner *owner, int number)
{
    char text[FAY_UNITS_TEXT_MAX];
    owner->presses = 1;
    owner->pressed = uv_hrtime();
    if (owner->signal == 0)
        owner->signal = number;
    if (owner->stage_of_life != FAY_RUNNING)
        return;
    if (fay_ask_is_open(owner->ask)) {
        fay_ask_close(owner->ask);
        fay_owner_say(owner, "stopped: what was not begun has not been consumed\n");
        fay_owner_abort(owner);
        return;
    }
    fay_owner_say(owner,
                  "%sdraining: %llu in flight, up to %s. Again to abort (in-flight items will be "
                  "redone).\n",
                  number == SIGINT ? "^C " : "", in_flight(owner),
                  fay_duration_text(patience(owner), text));
    fay_owner_drain(owner);
}

static void on_signal(uv_signal_t *handle, int number)
{
    fay_owner *owner = handle->data;
    if (owner->presses == 0) {
        first_press(owner, number);
        return;
    }
    if (uv_hrtime() - owner->pressed < (owner->presses == 1 ? SECOND_APART : THIRD_APART))
        return;
    if (owner->presses == 1) {
        fay_owner_say(owner, "aborting. Again to kill.\n");
        end_hard(owner);
        return;
    }
    uv_stop(&owner->loop); /* whatever is left is killed when all is taken down */
}

int fay_owner_catch_signals(fay_owner *owner)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < FAY_COUNT(numbers); i++) {
        struct sigaction now;
        (void)uv_signal_init(&owner->loop, &owner->signals[i]);
        owner->signals[i].data = owner;
        /* Who started us with a signal ignored (nohup, a shell's &) wants it ignored. */
        if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler == SIG_IGN)
            continue;
        if (uv_signal_start(&owner->signals[i], on_signal, numbers[i]) != 0)
            return FAY_E_NORES;
        uv_unref((uv_handle_t *)&owner->signals[i]);
    }
    owner->ending_timer = fay_timer_new(&owner->loop, on_ending_overdue, owner);
    return 0;
}

fay_owner_tally fay_owner_count(const fay_owner *owner)
{
    fay_flow_totals totals;
    fay_flow_total(owner->flow, &totals);
    return (fay_owner_tally){.in = owner->past.in + totals.read,
                             .out = owner->past.out + owner->out - owner->refused,
                             .dead = owner->past.dead + totals.dead + owner->refused};
}

int fay_owner_exit_code(const fay_owner *owner)
{
    if (owner->signal != 0 && owner->exit == 0)
        return 128 + owner->signal;
    if (owner->exit != 0)
        return owner->exit;
    if (owner->lost != NULL)
        return FAY_EXIT_IO;
    /* Dead ones of an earlier life count: who resumes wants to know of the whole run. */
    return fay_owner_count(owner).dead > 0 ? FAY_EXIT_DEAD : FAY_EXIT_OK;
}
