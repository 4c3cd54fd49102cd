/* SPDX-License-Identifier: MIT */
/*
 * The run's owner from inside, shared by the files that compose it and by nobody else:
 *
 *     run.c        fay_run_execute(): opens all in order, runs the loop, takes all down
 *     owner.c      the loop: source --> flow --> actions, once per wake-up
 *     actions.c    what the flow asks for, carried out in order
 *     instances.c  a stage's Instance: started, fed, heard, started again
 *     heard.c      what an Instance says, as events for the flow
 *     resume.c     the state directory: what may be resumed, and from where
 *     breaker.c    the circuit breaker: the user is asked, or the run stops
 *     ending.c     failures, signals, drain and abort; the way to the exit code
 *     display.c    progress, summary, errors
 *
 *     RUNNING --(drain: signal, run_time)--> DRAINING --.
 *        |---------------(source ends)------------------+--DONE--> ENDING --> (loop stops)
 *        '---(failure, second signal: abort)------------'
 *
 * Events are fed to the flow wherever they come up, but for those that come up while its actions
 * are carried out: as actions are borrowed until the next feed, these wait (`pending`) until all
 * are.
 *
 * Ownership: `options` and `pipeline` are the caller's; everything else is the owner's, opened in
 * order by run.c and freed by it in reverse, whatever has been opened by then. All functions run on
 * the loop's thread.
 */
#ifndef FAY_OWNER_H
#define FAY_OWNER_H

#include <uv.h>

#include "base/base.h"
#include "base/buffer.h"
#include "ends/sink.h"
#include "ends/source.h"
#include "ends/spools.h"
#include "flow/flow.h"
#include "host/cores.h"
#include "host/memory.h"
#include "item/route.h"
#include "journal/journal.h"
#include "letters/letters.h"
#include "letters/news.h"
#include "loop/await.h"
#include "loop/process.h"
#include "loop/sync.h"
#include "loop/timer.h"
#include "net/link.h"
#include "report/events.h"
#include "report/history.h"
#include "report/progress.h"
#include "report/trail.h"
#include "run/ask.h"
#include "run/run.h"
#include "run/state.h"

typedef struct fay_owner fay_owner;

typedef struct fay_owner_instance {
    fay_owner *owner;
    size_t stage;
    uint32_t number;  /* of the link; each has a new one */
    fay_link *link;   /* NULL: closed */
    unsigned numbers; /* of workers over this link: below this */
    fay_process *process;
    bool up;                              /* it has said HELLO: the flow knows the link */
    bool proven;                          /* a worker of this stage was up once */
    unsigned early;                       /* deaths before HELLO */
    char *death;                          /* what is known of the last one */
    fay_pressure pressure;                /* that was told last */
    uint64_t spawned, retired, high, low; /* for --explain */
    uint64_t held;                        /* refusals */
    fay_history *history;                 /* NULL: nobody asks for it */
} fay_owner_instance;

/* A LOADED that waits to be fed. */
typedef struct fay_owner_loaded {
    uint32_t spool;
    uint64_t cursor;
    fay_spooled items;
} fay_owner_loaded;

/* Items of a run over all its lives: what the summary and the exit code tell of. */
typedef struct fay_owner_tally {
    uint64_t in, out, dead;
} fay_owner_tally;

typedef struct fay_owner_pending {
    uint64_t items, bytes; /* written */
    fay_owner_loaded *loaded;
    size_t loaded_count, loaded_capacity;
    bool abort, drain; /* to be fed */
    enum {
        FAY_SYNCED_NOT,
        FAY_SYNCED_WELL,
        FAY_SYNCED_BADLY
    } synced;
} fay_owner_pending;

struct fay_owner {
    const fay_run_options *options;
    const fay_pipeline *pipeline;
    char *run, *node, *dead_path;
    char *file; /* of the pipeline: its real path; NULL = it was stated inline */
    char hash[FAY_LETTER_HASH_SIZE]; /* of the pipeline, as dead letters have it */
    fay_ns begun;

    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    fay_timer *deadline, *draining_timer, *ending_timer, *run_timer, *progress_timer;
    fay_processes *processes;

    char **whens;
    uint64_t *feeds;
    fay_router *router;
    fay_flow_stage *stages;
    fay_flow *flow;
    fay_owner_pending pending;
    fay_owner_instance *instances; /* one a stage */

    fay_source *source;
    uint64_t next_root;
    fay_sink *sink;
    uint64_t refused;     /* Items that the sink's format could not say */
    uint64_t out;         /* Items in the sink, those included */
    uint64_t lettered;    /* dead letters written */
    fay_owner_tally past; /* of the lives before this one, as far as they are on record */
    fay_letters *letters;
    fay_spools *spools;

    fay_state *state;
    fay_sync_work *sync;   /* of the ends, running */
    fay_sink_place marked; /* the sink when it was last marked */
    uint64_t marked_dead;
    fay_owner_tally marked_tally; /* what is in both, as of then */
    fay_journal_range *ranges;    /* of the record under way */
    uint64_t recorded;            /* its position in the source */
    size_t ranges_capacity;

    fay_events *events;
    fay_trail *trail;
    fay_progress *progress;
    fay_ask *ask;      /* the breaker's question; NULL = none was asked, or they go on */
    fay_error tripped; /* what it is about */
    fay_await *relay;  /* workers' stderr, while there is a bar to be kept whole */

    uv_signal_t signals[2];
    fay_ns pressed;
    char *why;  /* it ended early */
    char *lost; /* the first log that could not be written to its end */
    unsigned presses;
    int signal; /* that has ended the run */
    int exit;
    uint32_t next_link;
    int relay_fds[2];
    enum {
        FAY_RUNNING,
        FAY_DRAINING,
        FAY_ABORTED,
        FAY_ENDING
    } stage_of_life;

    bool dirty;           /* something has been fed: step */
    bool changed;         /* since progress was shown */
    fay_cores_time cores; /* when the machine was looked at last */
    fay_ns cores_looked_at;
    bool saturated;
    bool carrying;     /* out actions: nothing may be fed */
    bool source_open;  /* workers are there: it may be read */
    bool source_ready; /* it may have something */
    bool source_ended;
    bool sink_failed, sink_finished;
    bool syncing; /* the flow waits for SYNCED */
    bool marking; /* the sink has not come to the mark yet, behind which that begins */
    bool done;    /* the flow is */
};

/* ---- owner.c --------------------------------------------------------------------------------- */

/* The loop, its pump and the list of children; 0, or FAY_E_NORES. */
int fay_owner_loop_init(fay_owner *owner);
/* A step is due: the pump does it before the loop sleeps again. */
void fay_owner_wake(fay_owner *owner);
/* As fay_flow_feed(), now, and wakes. Not while actions are carried out: what comes up then is
 * `pending`. */
int fay_owner_feed(fay_owner *owner, const fay_flow_event *event);
/* The source may have something. `context` is the owner. */
void fay_owner_source_ready(void *context);
/* Lets the source be read, if all Instances are up and a worker of each stage has started: until
 * then no Item is consumed. */
void fay_owner_open_source(fay_owner *owner);

/* ---- actions.c ------------------------------------------------------------------------------- */

/* Each action, in order (rule 6 rests on that). Feeds nothing. */
void fay_owner_carry_out(fay_owner *owner, const fay_flow_actions *actions);
/* Appends what went wrong, as far as the action's note tells or the end of its stage's Instance. */
void fay_owner_tell_cause(const fay_owner *owner, const fay_flow_action *action, fay_buffer *cause);
/* An Item that the sink's format cannot say: a dead letter of stage "sink". */
void fay_owner_refuse(fay_owner *owner, const fay_batch *batch, size_t index);

/* ---- instances.c ----------------------------------------------------------------------------- */

/* One for each stage. One that cannot be started ends the run. One that ends while it is needed is
 * started again, under a new link number. */
void fay_owner_start_instances(fay_owner *owner);
/* By the number of its link; NULL if that is closed: the flow hears of it next. */
fay_owner_instance *fay_owner_find_instance(fay_owner *owner, uint32_t link);
/* HELLO has come: the flow is told of the link. */
void fay_owner_instance_ready(fay_owner_instance *instance);
/* The link is gone, with its leases: closed by the other end, silent (FAY_E_TIMEOUT) or closed by
 * us (FAY_E_PEER). Whatever is left of the process is killed, and started again if needed. */
void fay_owner_link_closed(fay_owner_instance *instance, int why);
/* Sends a LEASE, and notes it for the joblog. */
void fay_owner_lease(fay_owner_instance *instance, const fay_flow_action *action);
/* Sends pressure and numbers of workers, if it is up. */
void fay_owner_send_status(fay_owner_instance *instance);
/* Ways to end them, the gentlest first: STOP, what is in hand is finished; KILL to every worker
 * with the stage's stop signal; the links are closed, so that they kill their workers and exit, and
 * their leases end (rule 1); they are killed and freed. */
void fay_owner_stop_instances(fay_owner *owner);
void fay_owner_term_workers(fay_owner *owner);
void fay_owner_close_instances(fay_owner *owner);
void fay_owner_free_instances(fay_owner *owner);
/* Whether none of their processes runs. */
bool fay_owner_instances_ended(const fay_owner *owner);

/* ---- heard.c --------------------------------------------------------------------------------- */

/* What a link calls back; its context is the fay_owner_instance. A frame that breaks the protocol
 * closes the link. */
extern const fay_link_events fay_owner_link_events;

/* ---- resume.c -------------------------------------------------------------------------------- */

/* Opens state, source, sink and letters; with --resume cuts them back to the last record and tells
 * the flow what is done (rule 7). Before anything is fed. Negative, with err; nothing was touched
 * where the state does not fit. */
int fay_owner_open_ends(fay_owner *owner, fay_error *err);
/* RECORD: writes and syncs the record, of the sink as it was marked at the last sync. The flow is
 * fed RECORDED when that is done. */
void fay_owner_record(fay_owner *owner, const fay_flow_action *action);

/* ---- breaker.c ------------------------------------------------------------------------------- */

/* PAUSED: asks whoever is at the terminal, or fails the run if nobody is. */
void fay_owner_paused(fay_owner *owner, const fay_flow_action *action);

/* ---- ending.c -------------------------------------------------------------------------------- */

/* Something has gone wrong: told at once. The first one decides the exit code, what follows from it
 * is no news. */
void fay_owner_report(fay_owner *owner, int exit, const fay_error *err);
/* And ends the run, with what is in hand undone. */
void fay_owner_fail(fay_owner *owner, int exit, const fay_error *err);
/* A log is cut off: told at once, and in the exit code if there is nothing worse. `context` is the
 * owner. */
void fay_owner_log_lost(void *context, const fay_error *err);
/* By what is known now: a failure, else a signal, a lost log, dead Items, 0. */
int fay_owner_exit_code(const fay_owner *owner);
/* So far, earlier lives included. */
fay_owner_tally fay_owner_count(const fay_owner *owner);
/* RUNNING --> DRAINING: the source is read no further, what has begun is finished, within
 * --deadline. Nothing in any other state. */
void fay_owner_drain(fay_owner *owner);
/* RUNNING, DRAINING --> ABORTED: nothing more is leased; what is done is committed. */
void fay_owner_abort(fay_owner *owner);
/* DONE: the flow has nothing left to do. --> ENDING: Instances and sink are told to end. */
void fay_owner_done(fay_owner *owner);
/* Stops the loop, if it is ENDING and Instances, sink and hooks have ended: whoever of them ends
 * calls it. */
void fay_owner_check_end(fay_owner *owner);
/* SIGINT and SIGTERM, but for those that we were started with as ignored. 0, or FAY_E_NORES. */
int fay_owner_catch_signals(fay_owner *owner);
/* limits.run_time, if there is one. */
void fay_owner_start_run_timer(fay_owner *owner);

/* ---- display.c ------------------------------------------------------------------------------- */

/* To stderr, whole lines, around a bar or a question that stands there. */
void fay_owner_say(fay_owner *owner, const char *format, ...) FAY_PRINTF(2, 3);
/* "faymora: error: ..", "faymora: warning: ..", with the hint on a line of its own. */
void fay_owner_say_error(fay_owner *owner, const fay_error *err);
void fay_owner_say_warning(fay_owner *owner, const fay_error *err);
/* The bar or the plain lines, as asked for; before Instances start, which get its stderr. */
void fay_owner_open_display(fay_owner *owner);
/* The descriptor that Instances get as their stderr: ours, or while there is a bar a pipe to us. */
int fay_owner_stderr(const fay_owner *owner);
/* If it is time and something has changed. */
void fay_owner_show_progress(fay_owner *owner);
/* The closing lines, or with --json the object. */
void fay_owner_summary(fay_owner *owner);
/* Takes the bar away, after what workers said last. */
void fay_owner_close_display(fay_owner *owner);

#endif /* FAY_OWNER_H */
