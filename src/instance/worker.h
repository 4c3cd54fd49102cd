/* SPDX-License-Identifier: MIT */
/*
 * The parts of an Instance, and one of its workers. Private to this room.
 *
 *     instance.c   the link: what the owner says         stage.c    SETUP: command, environment
 *     worker.c     a worker's life: spawn, stop, down    feed.c     lines, json, frames: streams
 *     tick.c       clocks: timeouts, stall, recycle      try.c      exec, batch: its processes
 *     errors.c     what workers say on stderr            output.c   output that is held
 *     usage.c      what workers use of the machine
 *
 * A worker:
 *
 *     (free) --SPAWN--> up --RETIRE, recycle--> retiring --in hand: nothing--> stopping --exit--+
 *       ^                '--- exits, is killed (timeout, garbage, KILL) ------------------------+
 *       '-------------------------------- DOWN, when all it gave has been sent -----------------'
 */
#ifndef FAY_INSTANCE_WORKER_H
#define FAY_INSTANCE_WORKER_H

#include <uv.h>

#include "base/base.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "host/spawn.h"
#include "instance/output.h"
#include "instance/watch.h"
#include "item/route.h"
#include "net/link.h"
#include "wire/setup.h"
#include "wire/used.h"
#include "wire/verdict.h"
#include "worker/mode.h"

typedef struct fay_instance fay_instance;

/* What it uses of the machine while it has Items in hand. */
typedef struct fay_worker_usage {
    fay_ns since; /* it has Items in hand, and that was not counted before; FAY_NEVER = none */
    fay_ns busy;  /* since the last look, up to `since` */
    fay_ns cpu;   /* of its process at the last look */
    fay_main_threads main;
    fay_ns at, gap; /* the next look, no sooner; the time to that from the last one, 0 = none */
    bool answered;  /* an Item: it is looked at on such occasions then, no timer is needed */
} fay_worker_usage;

typedef struct fay_worker {
    fay_instance *instance;
    uint16_t number;
    bool greeted;                   /* frames: it has said HELLO */
    bool up;                        /* UP has been sent */
    bool running;                   /* `child` is a process that is not reaped */
    bool retiring;                  /* takes no Items any more */
    bool quiet;                     /* stdin is closed and nothing in hand: it has only to exit */
    bool choked;                    /* its output is not read, because the owner takes nothing */
    bool killed;                    /* on the owner's word */
    bool hinted;                    /* has had its stall hint */
    fay_down_cause leave;           /* retiring: why */
    fay_down_cause kill;            /* what we killed it for; FAY_DOWN_RETIRED = nothing */
    char error[FAY_ERROR_TEXT_MAX]; /* the same in words */
    fay_mode *mode;
    fay_child child;
    fay_watch *pid, *input, *output, *errors;
    fay_link *link;   /* frames */
    uint64_t written; /* to its stdin */
    bool ends;        /* lines: its stdin is closed when all is written, whatever it owes */
    bool waits;       /* for input, when that was decided: what it owes then will not come */
    bool untouched;   /* it has gone by itself, and has not read a byte of that */
    fay_buffer out;   /* its output that the mode has not used */
    char **env;       /* the stage's, FAYMORA_SLOT, and in exec mode room for those of the Item */
    size_t env_count;
    fay_ns spawned, spawn_ns;
    /* stderr */
    fay_buffer tail, line;
    int errors_end; /* exec, batch: the end that is given to each process; else -1 */
    /* exec, batch: the try */
    uint64_t seen; /* above every tag that was leased to it */
    fay_held_output held;
    uint64_t line_size; /* of the line that is being printed */
    bool sending;       /* a try has succeeded: its output is being sent */
    bool timed_out, too_large, over_memory;
    const char *failed; /* killed by us for another reason, in w->error; else NULL */
    /* clocks */
    fay_ns stop_at; /* the next step of stopping */
    int stop_step;
    fay_ns sign;    /* it was given Items or printed something */
    fay_ns sampled; /* for the stall hint and rss: when, and what it had used */
    uint64_t sampled_cpu;
    fay_ns memory_at; /* when its memory is looked at next */
    fay_worker_usage usage;
    fay_ns broken_at; /* it has closed stdin or stdout: when that becomes an error; or FAY_NEVER */
    const char *broken; /* the same in words */
} fay_worker;

struct fay_instance {
    uv_loop_t loop;
    uv_timer_t timer;
    fay_ns timer_at; /* FAY_NEVER = not armed */
    fay_link *link;  /* NULL once it is closed */
    bool greeted, ready, failed, stopping, choked, done;
    bool hinted; /* a worker has had the stall hint: one is enough */
    fay_setup setup;
    fay_router *router;
    char *file;        /* the program */
    const char **argv; /* of the stage's command, with what the buffering cure adds */
    char **env;        /* the stage's whole environment */
    size_t env_count;
    fay_worker *workers[FAY_WORKERS_MAX];
    size_t workers_count; /* numbers in use are below this */
    unsigned alive;
    int pressure; /* of the last STATUS */
    unsigned stage_workers;
    fay_replies replies;
    fay_buffer errors; /* stderr lines that our own stderr has not taken */
    fay_ns sweep_at, errors_at;
    uint64_t oom_kills;
    fay_used used;  /* by all workers, not told yet */
    fay_ns used_at; /* when it may be told next */
};

static inline fay_ns fay_now(void)
{
    return uv_hrtime();
}
static inline bool fay_is_oneshot(const fay_instance *in)
{
    return in->setup.mode == FAY_MODE_EXEC || in->setup.mode == FAY_MODE_BATCH;
}

/* ---- stage.c */
/* Takes the SETUP apart. After a failure FAILED has been sent. FAY_E_PEER: it is none. */
int fay_stage_setup(fay_instance *in, const uint8_t *payload, size_t size);
void fay_stage_deinit(fay_instance *in);
void fay_stage_failed(fay_instance *in, const char *message, const char *hint);
/* FAILED: a worker's answers cannot be trusted, and the run must not go on with them. */
void fay_stage_breach(fay_instance *in, const char *message, const char *hint);
/* The program itself cannot be started, whatever the Item: the next worker would fare no better. */
bool fay_stage_program_fault(int sys_errno);
/* FAILED: the program cannot be started, for this reason. */
void fay_stage_cannot_start(fay_instance *in, int sys_errno);

/* ---- worker.c */
void fay_worker_spawn(fay_instance *in, uint16_t number);
void fay_worker_lease(fay_worker *worker, const fay_frame *frame, const fay_lease_frame *lease);
void fay_worker_retire(fay_worker *worker, fay_down_cause why);
void fay_worker_recall(fay_worker *worker);
/* The owner's KILL: the signal to its group, SIGKILL after the stage's grace; 0: that at once. */
void fay_worker_end(fay_worker *worker, int signal);
/* Kills it with all that is in its group. */
void fay_worker_kill(fay_worker *worker, fay_down_cause why, const char *error);
/* Sends all replies that a mode has made, and clears them. */
void fay_worker_reply(fay_worker *worker);
/* frames: it says that it may be given Items. */
void fay_worker_ready(fay_worker *worker);
/* After answers: retires it by age in Items, goes on stopping it. */
void fay_worker_answered(fay_worker *worker);
/* Its process is reaped: sends DOWN and forgets it. `status` as from waitpid. */
void fay_worker_down(fay_worker *worker, int status);
/* Sends DOWN for a cause of ours, with the text in worker->error, and forgets it. */
void fay_worker_gone(fay_worker *worker, fay_down_cause cause, int status);

/* ---- feed.c: lines, json, frames */
/* 0, or the errno of what failed. */
int fay_feed_start(fay_worker *worker);
void fay_feed_write(fay_worker *worker);
/* lines: gives it the end of its input although it owes answers. `waits`: it waits for input. */
void fay_feed_end(fay_worker *worker, bool waits);
void fay_feed_resume(fay_worker *worker);
/* The time for an exit that would explain a closed stream has passed. */
void fay_feed_overdue(fay_worker *worker);

/* ---- try.c: exec, batch */
/* Starts the next process, if there are Items and none runs. May end the worker. */
void fay_try_next(fay_worker *worker);
void fay_try_resume(fay_worker *worker);
/* The process is to end, and its Item to have this verdict. */
void fay_try_timed_out(fay_worker *worker);
void fay_try_over_memory(fay_worker *worker, const char *error);

/* ---- errors.c */
/* 0, or errno. *ret_end is what the worker writes to. */
int fay_errors_open(fay_worker *worker, int *ret_end);
/* Reads what is there now. */
void fay_errors_drain(fay_worker *worker);
/* Passes the last line on although it has no end. */
void fay_errors_flush(fay_worker *worker);
/* Gives our stderr what it takes. */
void fay_errors_write(fay_instance *in);

/* ---- usage.c */
/* lines, json, frames: it is given Items; it has answered some. */
void fay_usage_leased(fay_worker *worker);
void fay_usage_answered(fay_worker *worker);
/* exec, batch: its process has started; whether what that has used is wanted at its end; and is. */
void fay_usage_began(fay_worker *worker);
bool fay_usage_is_due(const fay_worker *worker);
void fay_usage_ended(fay_worker *worker, const fay_spent *all);
/* The time of the next look at one that is at its first Item for long; FAY_NEVER = none is due. */
fay_ns fay_usage_look(fay_worker *worker, fay_ns now);

/* ---- tick.c */
/* Looks at everything no later than then. */
void fay_tick_by(fay_instance *in, fay_ns when);
void fay_tick_init(fay_instance *in);
void fay_tick_memory(fay_worker *worker); /* its process is new: looks at its memory from now on */
void fay_tick_sweep(fay_instance *in);    /* soon, leftovers of processes that ended */

#endif /* FAY_INSTANCE_WORKER_H */
