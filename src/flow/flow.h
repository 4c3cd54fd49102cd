/* SPDX-License-Identifier: MIT */
/*
 * The flow of one run: the ledger of every unfinished Item, the stages' Equalizers, and what may be
 * written and committed when. A pure state machine: no socket, no clock, no entropy but its seed,
 * no callback. The driver (the run's owner, or the simulator) feeds it events and carries out, in
 * order, the actions that come out.
 *
 *     source --feed--> READY --lease--> LEASED --results--> children READY at the next stages,
 *                        ^                |                 or output for the sink
 *                        |                |- verdict, worker died --> DELAYED --> READY, tries + 1
 *                        '----------------|- link died, given back --> READY at the head, uncounted
 *                                         '- attempts used up -------> DEAD
 *
 *     fay_flow_feed(flow, now, &event);           once for each thing that happened
 *     fay_flow_step(flow, now, &actions);         once per wake-up; then carry out the actions
 *     wake me at fay_flow_deadline(flow)
 *
 * The rules are those of docs/ARCHITECTURE.md ("Nothing is lost"); their numbers stand in the code.
 *
 * Ownership: batches in events are borrowed; the flow takes references of its own. Batches in
 * actions belong to the flow and are valid until the next feed or step; who needs one for longer
 * takes a reference. Everything else in an event or action is borrowed likewise.
 */
#ifndef FAY_FLOW_H
#define FAY_FLOW_H

#include <faymora/worker.h>

#include "base/base.h"
#include "base/modes.h"
#include "flow/view.h"
#include "item/route.h"
#include "wire/batch.h"
#include "wire/used.h"

typedef struct fay_flow fay_flow;

typedef struct fay_flow_stage {
    bool solo;         /* exec: a worker has one Item in hand, and at most one more waits for it */
    bool start_hidden; /* lines, json: a worker is up before it has read anything */
    bool recall;       /* exec, frames, json: may be asked to give back what has not begun */
    uint64_t batch_items,
        batch_bytes;   /* batch: one lease of up to so much; 0 = not a batch stage */
    fay_ns batch_wait; /* how long a batch may wait to fill */
    uint64_t retries;  /* after the first try; UINT64_MAX = forever */
    fay_ns backoff_initial, backoff_max;
    double backoff_factor, backoff_jitter;
    fay_on_error on_error;
    unsigned retry_on; /* FAY_RETRY_ON_* */
    bool ordered;
    uint64_t reorder_items;
    fay_ns reorder_wait;
    uint64_t queue_items, queue_bytes;
    bool queue_grows;  /* to 20 ms of the measured rate, FAY_QUEUE_GROWN_MAX at most */
    uint64_t prefetch; /* Items leased to one worker at most; 0 = by expected time */
    double rate;       /* Items leased per second at most; 0 = no limit */
    unsigned workers_min, workers_start, workers_max;
    unsigned workers_saturated; /* so many at most while all cores are busy; 0 = no bound */
    double cpu;                 /* cores that a worker needs; 0 = as measured (USED) */
    uint64_t memory;            /* bytes that it needs; 0 = as measured */
    bool fits;                  /* as many as the machine holds: one core each until measured */
    bool pinned;                /* no Equalizer */
    fay_ns period, target_wait; /* of the Equalizer; 0 = auto */
} fay_flow_stage;

typedef struct fay_flow_config {
    const fay_flow_stage *stages;
    size_t stages_count;
    const fay_router
        *router;          /* borrowed for the flow's life; whom each stage and the source feed */
    bool journal;         /* rule 5: a root's output is written when the root is complete */
    uint64_t parts_bytes; /* of one result set beyond which it goes to a spool; 0 = 1 MiB */
    uint64_t held_bytes;  /* output of open roots beyond this goes to a spool; 0 = 16 MiB */
    uint64_t sink_items, sink_bytes; /* room for what is not WRITTEN yet; 0 = 65,536 and 16 MiB */
    fay_ns commit_ns;                /* between two commits; 0 = 200 ms */
    double source_rate;              /* source Items per second at most; 0 = no limit */
    uint64_t failures_max;           /* Items that may fail for good; 0 = no limit */
    double failures_percent;         /* of those that finished, once 20 have; 0 = no limit */
    double cores;                    /* of the machine; 0 = no bound */
    bool breaker;                    /* pause when the first 20 Items of a stage all fail alike */
    uint64_t seed;                   /* of the jitter */
} fay_flow_config;

/* A range [from, to) of root numbers. */
typedef struct fay_range {
    uint64_t from, to;
} fay_range;

typedef enum fay_flow_cause { /* why a worker is gone */
    FAY_FLOW_RETIRED,         /* as asked, or recycled: nothing of it counts */
    FAY_FLOW_EXIT,
    FAY_FLOW_SIGNAL,
    FAY_FLOW_TIMEOUT,
    FAY_FLOW_POISONED, /* it broke its protocol: counts, never waits for retry_on */
} fay_flow_cause;

/* How a try of one Item ended. */
typedef enum fay_flow_try {
    FAY_TRY_EXIT = 1,
    FAY_TRY_SIGNAL,
    FAY_TRY_TIMEOUT,
    FAY_TRY_AGAIN,  /* exit 75, FAY_RETRY: whatever retry_on says */
    FAY_TRY_POISON, /* never again */
    FAY_TRY_BACK,   /* given back, unasked: uncounted and at the head, but not for ever */
} fay_flow_try;

typedef enum fay_flow_event_kind {
    FAY_FLOW_SOURCE,      /* batch: source Items, roots set and rising; ends */
    FAY_FLOW_SOURCE_END,  /* no more will come */
    FAY_FLOW_REENTER,     /* batch, stage: retried dead letters, straight into their stage */
    FAY_FLOW_LINK_UP,     /* stage, link: an Instance of the stage is ready */
    FAY_FLOW_LINK_DOWN,   /* link */
    FAY_FLOW_WORKER_UP,   /* link, worker, ns = time its start took */
    FAY_FLOW_WORKER_DOWN, /* link, worker, cause, note, signature; ok: Items from `tag` on had not
                           * reached it */
    FAY_FLOW_RESULTS,     /* link, worker, tag, count, ns = useful time, batch, children, targets */
    FAY_FLOW_PART,        /* link, worker, tag, batch, targets */
    FAY_FLOW_VERDICT,     /* link, worker, tag, verdict, note, signature */
    FAY_FLOW_GIVEN_BACK,  /* link, worker, tag, count */
    FAY_FLOW_USED,        /* stage, used: what its workers have used */
    FAY_FLOW_WRITTEN,     /* items, bytes: the sink has taken them (0 bytes for a spool's) */
    FAY_FLOW_SYNCED,      /* ok: the sink and dead letters are on disk */
    FAY_FLOW_RECORDED,    /* ok: the record is on disk */
    FAY_FLOW_LOADED,      /* spool, tag = cursor, batch (empty = end), targets, ns = next cursor */
    FAY_FLOW_SCALE,   /* stage, min, max: min == max pins. Of `faymora scale`, which comes with the
                           * Agent; until then the simulator alone feeds it */
    FAY_FLOW_MACHINE, /* ok: all cores are busy; until the first one they are taken to be. bytes of
                           * memory that may be taken still; UINT64_MAX = not known, as at first */
    FAY_FLOW_DRAIN,   /* read no more, forget what has not begun, finish the rest */
    FAY_FLOW_ABORT,   /* lease nothing more; finish is when the last commit is done */
    FAY_FLOW_GO_ON,   /* after PAUSED, if that still holds; its stage is not paused for again */
} fay_flow_event_kind;

typedef struct fay_flow_event {
    fay_flow_event_kind kind;
    size_t stage;
    uint32_t link;
    uint16_t worker;
    uint64_t tag, count, ns;
    fay_batch *batch;         /* children (RESULTS, PART), source Items, what was loaded */
    const uint32_t *children; /* RESULTS: per Item; NULL = one each */
    const uint64_t *targets;  /* per child; NULL = where the router sends all */
    const uint64_t *ends;     /* SOURCE: per Item, the source's position behind it; NULL = 0 */
    fay_flow_cause cause;
    fay_flow_try verdict;
    const uint8_t *note; /* opaque to the flow; comes out with DEAD */
    size_t note_size;
    uint64_t signature; /* equal for failures that are alike (exit code, signal, text) */
    uint64_t items, bytes;
    uint32_t spool;
    unsigned min, max;
    const fay_used *used;
    bool ok;
} fay_flow_event;

typedef enum fay_flow_action_kind {
    FAY_FLOW_LEASE,       /* link, worker, tag = first, batch, at, count */
    FAY_FLOW_RECALL,      /* link, worker */
    FAY_FLOW_SPAWN,       /* link, worker: a free number of that link */
    FAY_FLOW_RETIRE,      /* link, worker */
    FAY_FLOW_WRITE,       /* batch, at, count: to the sink */
    FAY_FLOW_WRITE_SPOOL, /* spool, items: those with the sink among their targets, to it */
    FAY_FLOW_LETTER, /* batch, at, stage, note: to the dead letters; without a note the paths of its
                        * children would have been too long */
    FAY_FLOW_SPILL,  /* spool, batch, at, count, targets (or NULL): append to an unlinked file */
    FAY_FLOW_LOAD,   /* spool, tag = cursor (0 at first): answer with LOADED */
    FAY_FLOW_UNSPOOL,  /* spool: no longer needed */
    FAY_FLOW_SYNC,     /* sink and dead letters to disk: answer with SYNCED */
    FAY_FLOW_RECORD,   /* ranges, position: into the journal, synced: answer with RECORDED */
    FAY_FLOW_ACKED,    /* root, count: source Items that are done (and on record) */
    FAY_FLOW_HOLDING,  /* stage, batch, at: this Item holds up an ordered stage */
    FAY_FLOW_DECISION, /* stage: another number of workers, or a refusal; look at
                        * fay_flow_stage_view() */
    FAY_FLOW_PRESSURE, /* stage: of another pressure, or held by something else; look at
                        * fay_flow_stage_stats() */
    FAY_FLOW_FAIL,     /* why, stage, note: the run must end; answer with ABORT */
    FAY_FLOW_PAUSED,   /* stage, items, note, batch, at: the first `items` Items of the stage failed
                        * alike, this one last. Until GO_ON or ABORT nothing is read, leased or
                        * spawned; what is in workers may finish */
    FAY_FLOW_DONE,     /* nothing is left to do */
} fay_flow_action_kind;

/* Why a run must end. */
typedef enum fay_flow_failure {
    FAY_FAIL_NONE,
    FAY_FAIL_ON_ERROR,  /* on_error: stop */
    FAY_FAIL_LIMIT,     /* limits.failures */
    FAY_FAIL_CRASHLOOP, /* 5 deaths of Instances or idle workers in 10 s, no result */
    FAY_FAIL_SYNC,      /* rule 6: a sync failed, nothing may be committed any more */
} fay_flow_failure;

typedef struct fay_flow_action {
    fay_flow_action_kind kind;
    fay_flow_failure why;
    size_t stage;
    uint32_t link;
    uint16_t worker;
    uint64_t tag, root, items;
    fay_batch *batch;
    size_t at, count;
    const uint64_t *targets;
    const uint8_t *note;
    size_t note_size;
    uint32_t spool;
    const fay_range *ranges;
    size_t ranges_count;
    uint64_t position; /* of the source, behind the roots done from 0 on; 0 = from the start */
} fay_flow_action;

typedef struct fay_flow_actions {
    const fay_flow_action *items;
    size_t count;
} fay_flow_actions;

typedef struct fay_flow_stats {
    uint64_t in, out, filtered, retried, dead, dropped; /* Items, since the start */
    uint64_t queued, leased, delayed, held;             /* Items, now */
    uint64_t queue_limit;
    unsigned workers, starting, idle, retiring, target, workers_peak;
    fay_pressure pressure;
    fay_held held_by;                  /* why less is done than wanted */
    double in_rate, out_rate, item_ns; /* per second; useful time of one Item */
    uint64_t useful_ns, bytes;
} fay_flow_stats;

typedef struct fay_flow_totals {
    uint64_t read, acked, open, dead, written, not_begun;
    uint64_t held_bytes;
    bool source_ended, draining, done;
} fay_flow_totals;

/* A flow without links: it asks for workers once it has one. The config is copied, but for the
 * router. From 1 to FAY_STAGES_MAX stages; whatever else is wrong with a pipeline was refused
 * before. */
/* Whether another try may follow one that ended so, if the Item has any left. `retry_on`:
 * FAY_RETRY_ON_*. */
bool fay_flow_may_retry(unsigned retry_on, fay_flow_try how);

fay_flow *fay_flow_new(const fay_flow_config *config, fay_ns now);
/* With all that it holds; actions that were given are void. NULL is fine. */
void fay_flow_free(fay_flow *flow);

/* A resumed run (rule 7): these roots are done, and the source's position behind the first gap-free
 * part of them. Before the first feed; the ranges are sorted and separate, as RECORD gave them. */
void fay_flow_restore(fay_flow *flow, const fay_range *ranges, size_t count, uint64_t position);
/* The circuit breaker is off: the run has a life behind it in which Items came through. */
void fay_flow_unwatch(fay_flow *flow);
/* With a journal: whether the root is done, on record or about to be; such a one is fed but done no
 * more. */
bool fay_flow_is_acked(const fay_flow *flow, uint64_t root);

enum {
    FAY_FLOW_STALE = 1 /* a lease that is no more: nothing has changed (rule 1) */
};
/*
 * 0; FAY_FLOW_STALE; or FAY_E_PEER when the event breaks the protocol with the link (unknown
 * worker, tags that it does not hold): nothing has changed, the driver closes the link and feeds
 * LINK_DOWN.
 */
int fay_flow_feed(fay_flow *flow, fay_ns now, const fay_flow_event *event);

/* Leases, writes, commits, equalizes. Fills *ret with all actions since the last step, in order,
 * valid until the next feed or step. The driver carries out each of them in this order. */
void fay_flow_step(fay_flow *flow, fay_ns now, fay_flow_actions *ret);

/* When to step next although nothing happened; FAY_NEVER = on events only. */
fay_ns fay_flow_deadline(const fay_flow *flow);

/* How many source Items and bytes may be fed now; 0 and 0 = none. A little more is harmless. */
void fay_flow_source_room(const fay_flow *flow, fay_ns now, uint64_t *ret_items,
                          uint64_t *ret_bytes);

/* Numbers to show and to equalize by: of one stage, and of the whole. Cheap, at any time. */
void fay_flow_stage_stats(const fay_flow *flow, fay_ns now, size_t index, fay_flow_stats *ret);
/* Why: the last decision about the stage's workers, with its numbers. Until the next step. */
const fay_equalizer_view *fay_flow_stage_view(const fay_flow *flow, size_t index);
void fay_flow_total(const fay_flow *flow, fay_flow_totals *ret);

/* Whether the breaker would look at a failure of that Item now: by its tag, or (NULL) the first in
 * the worker's hands. Then the item is lent until the next feed, to make a `signature` of; else no
 * signature is needed. */
bool fay_flow_watches(const fay_flow *flow, uint32_t link, uint16_t worker, const uint64_t *tag,
                      const uint8_t **ret_item, size_t *ret_size);

/* Asserts the invariants (docs/ARCHITECTURE.md): linear in all Items; for tests and simulator. */
void fay_flow_check(const fay_flow *flow);

#endif /* FAY_FLOW_H */
