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
 */
#ifndef FAY_OWNER_H
#define FAY_OWNER_H

#include <uv.h>

#include "base/base.h"
#include "base/buffer.h"
#include "flow/flow.h"
#include "host/resources.h"

#include "item/route.h"
#include "journal/journal.h"
#include "net/link.h"
#include "run/ask.h"
#include "run/await.h"
#include "run/events.h"
#include "run/letters.h"
#include "run/news.h"
#include "run/process.h"
#include "run/progress.h"
#include "run/run.h"
#include "run/sink.h"
#include "run/source.h"
#include "run/spools.h"
#include "run/state.h"
#include "run/sync.h"
#include "run/trail.h"

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
    uint64_t spawned, retired, high, low; /* for --explain */
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
    bool done;    /* the flow is */
};

/* owner.c */
int fay_owner_loop_init(fay_owner *owner);
void fay_owner_wake(fay_owner *owner); /* a step is due */
/* As fay_flow_feed(); not while actions are carried out. */
int fay_owner_feed(fay_owner *owner, const fay_flow_event *event);
void fay_owner_source_ready(void *context);
void fay_owner_open_source(fay_owner *owner); /* if all stages have workers */

/* actions.c */
void fay_owner_carry_out(fay_owner *owner, const fay_flow_actions *actions);
/* What went wrong, as far as the stage has told. */
void fay_owner_tell_cause(const fay_owner *owner, const fay_flow_action *action, fay_buffer *cause);
/* An Item that the sink cannot say. */
void fay_owner_refuse(fay_owner *owner, const fay_batch *batch, size_t index);

/* instances.c */
void fay_owner_start_instances(fay_owner *owner);
fay_owner_instance *fay_owner_find_instance(fay_owner *owner, uint32_t link);
void fay_owner_lease(fay_owner_instance *instance, const fay_flow_action *action);
void fay_owner_stop_instances(fay_owner *owner);  /* as it goes well */
void fay_owner_term_workers(fay_owner *owner);    /* KILL, with the stage's stop signal */
void fay_owner_close_instances(fay_owner *owner); /* they kill their workers */
void fay_owner_free_instances(fay_owner *owner);
bool fay_owner_instances_ended(const fay_owner *owner);
void fay_owner_instance_ready(fay_owner_instance *instance); /* HELLO has come */
void fay_owner_send_status(fay_owner_instance *instance);

/* heard.c */
extern const fay_link_events fay_owner_link_events; /* context: the fay_owner_instance */
void fay_owner_link_closed(fay_owner_instance *instance, int why);

/* resume.c */
int fay_owner_open_ends(fay_owner *owner, fay_error *err); /* state, source, sink, letters */
void fay_owner_record(fay_owner *owner, const fay_flow_action *action);

/* breaker.c */
void fay_owner_paused(fay_owner *owner, const fay_flow_action *action);

/* ending.c */
/* Something has gone wrong: told at once. The first one decides the exit code. */
void fay_owner_report(fay_owner *owner, int exit, const fay_error *err);
/* And ends the run. */
void fay_owner_fail(fay_owner *owner, int exit, const fay_error *err);
/* A log is cut off: told at once, and in the exit code if there is nothing worse. */
void fay_owner_log_lost(void *context, const fay_error *err);
int fay_owner_exit_code(const fay_owner *owner);
/* So far, earlier lives included. */
fay_owner_tally fay_owner_count(const fay_owner *owner);
void fay_owner_drain(fay_owner *owner);
void fay_owner_abort(fay_owner *owner);
void fay_owner_done(fay_owner *owner); /* the flow is */
void fay_owner_check_end(fay_owner *owner);
int fay_owner_catch_signals(fay_owner *owner);
void fay_owner_start_run_timer(fay_owner *owner);

/* display.c */
void fay_owner_say(fay_owner *owner, const char *format, ...) FAY_PRINTF(2, 3);
void fay_owner_say_error(fay_owner *owner, const fay_error *err);
void fay_owner_say_warning(fay_owner *owner, const fay_error *err);
void fay_owner_open_display(fay_owner *owner);
void fay_owner_show_progress(fay_owner *owner); /* if it is time and something has changed */
void fay_owner_summary(fay_owner *owner);
void fay_owner_close_display(fay_owner *owner);
int fay_owner_stderr(const fay_owner *owner); /* what Instances get as theirs */

#endif /* FAY_OWNER_H */
