/* SPDX-License-Identifier: MIT */
/*
 * The flow's inside, shared by the files that compose it and by nobody else:
 *
 *     flow.c      the life of a flow, events to their places, deadline
 *     schedule.c  READY -> LEASED: who gets what, and when nobody may
 *     intake.c    source Items and loaded spools -> READY; how fast the source is
 *     settle.c    LEASED -> results: children to queues
 *     output.c    results of the last stages: held or written; roots completed
 *     failure.c   LEASED -> back, DELAYED or DEAD; workers and links that die
 *     workers.c   workers and links: who is there, who is idle
 *     staff.c     how many are wanted: the Equalizer is asked, and obeyed
 *     held.c      what is told of that
 *     commit.c    sink, then journal
 *     actions.c   the list of what shall be done
 *     check.c     the invariants
 *
 * "Rule N" is that of docs/ARCHITECTURE.md, "Nothing is lost". What holds for all functions below:
 * `now` never goes back; events, batches and notes are borrowed for the call, and who keeps a batch
 * takes a reference; what breaks a rule of the flow itself asserts, what a peer does wrong returns
 * FAY_E_PEER before anything has changed. Actions join the list at its end, so their order is that
 * of the calls.
 */
#ifndef FAY_FLOW_INTERNAL_H
#define FAY_FLOW_INTERNAL_H

#include "base/hash.h"
#include <bsd/sys/queue.h>

#include "base/prng.h"
#include "flow/cost.h"
#include "flow/delays.h"
#include "flow/equalizer.h"
#include "flow/flow.h"
#include "flow/leases.h"
#include "flow/order.h"
#include "flow/piece.h"
#include "flow/queue.h"
#include "flow/ranges.h"
#include "flow/roots.h"

enum {
    FAY_BREAKER_ITEMS = 20, /* first tries of a stage that fail alike: the flow pauses */
    FAY_CRASHES_MAX = 5,    /* deaths within 10 s without a result between: the run fails */
};

typedef struct fay_flow_link fay_flow_link;
typedef struct fay_flow_stage_state fay_stage;

/*
 *     STARTING --WORKER_UP--> LIVE --RETIRE--> RETIRING --WORKER_DOWN--> gone
 */
typedef struct fay_flow_worker {
    TAILQ_ENTRY(fay_flow_worker) idle_link, stage_link;
    fay_flow_link *link;
    uint16_t number;
    enum {
        FAY_WORKER_STARTING,
        FAY_WORKER_LIVE,
        FAY_WORKER_RETIRING
    } state;
    bool idle;    /* on the stage's idle stack */
    bool suspect; /* holds suspects: gets nothing else until they are answered */
    bool recalled;
    bool resident;  /* has given a result: its memory is taken */
    fay_ns started; /* time that its start took, as far as it was seen */
    fay_ns idle_since;
    fay_ns heard; /* results, or the first lease after it had idled */
    fay_leases leases;
    fay_pieces parts; /* of the result set of `parts_tag` */
    uint64_t parts_tag;
    size_t parts_weight;
} fay_flow_worker;

struct fay_flow_link {
    uint32_t id;
    size_t stage;
    uint64_t next_tag;
    fay_flow_worker **workers; /* by number; NULL = free */
    size_t workers_count, workers_capacity;
    UT_hash_handle hh;
};

typedef struct fay_flow_tokens { /* a token bucket; rate 0 = no limit */
    double rate, tokens;
    fay_ns at;
} fay_flow_tokens;

struct fay_flow_stage_state {
    fay_flow_stage config;
    size_t index;
    bool tests;             /* its children are routed by `when` */
    uint64_t all, possible; /* targets: where untested children go; where any may go */
    uint64_t upstream_of;   /* bit n: Items here count for the order of stage n */
    fay_queue queue;
    uint64_t queue_limit; /* Items, grows with the rate */
    fay_order *order;     /* of an ordered stage */

    TAILQ_HEAD(fay_idle_stack, fay_flow_worker)
    idle; /* a stack: the last one in is the first to be leased to */
    TAILQ_HEAD(fay_worker_list, fay_flow_worker) workers;
    unsigned live, starting, retiring, idle_count, peak, wanted;
    bool owed; /* fewer are wanted, and nobody has been idle since */
    uint64_t leased;
    uint64_t told_in;  /* arrivals that its Equalizer knows of */
    fay_cost cost;     /* of one worker */
    unsigned resident; /* workers that are */
    fay_flow_tokens tokens;
    double item_ns;
    bool blocked;
    /* breaker, crash loop */
    uint64_t alike, signature;
    bool proven; /* something succeeded, or the breaker is told to look no more */
    unsigned crashes;
    fay_ns crashed_at, spawn_after;
    /* what was made of it last, and the refusals that were told last, of two words */
    fay_equalizer_view view;
    fay_held refused_by, refused_before;
    unsigned refused_wanted, refusals; /* of the same word, 6 at most */
    fay_ns refused_at;
    /* rates, over windows of 100 ms */
    fay_ns window_at;
    uint64_t window_in, window_out;
    double in_rate, out_rate;
    fay_flow_stats stats;
    uint64_t delayed;
};

typedef struct fay_flow_reading { /* of the source */
    fay_ns open_ns, held_ns;      /* there was room for what it has, or not */
    double items;
} fay_flow_reading;

typedef struct fay_flow_commit {
    enum {
        FAY_COMMIT_IDLE,
        FAY_COMMIT_SYNCING,
        FAY_COMMIT_RECORDING,
        FAY_COMMIT_BROKEN
    } state;
    fay_ranges acked;            /* done: all of it, written */
    fay_ranges snapshot;         /* what the record will say */
    fay_ranges fresh, recording; /* done since the last record; those of the one under way */
    bool dirty;
    fay_ns last;
} fay_flow_commit;

struct fay_flow {
    fay_flow_config config;
    const fay_router *router;
    fay_stage *stages;
    size_t stages_count;
    size_t *downstream_first;                      /* indexes of stages */
    uint64_t source_all, source_possible, ordered; /* masks */
    bool source_tests;
    fay_flow_link *links;
    fay_roots roots;
    uint64_t roots_max, next_root;
    uint64_t begun; /* ordered runs: above the greatest root of which something was leased */
    fay_delays delays;
    fay_flow_commit commit;
    fay_flow_tokens source_tokens;
    fay_ns stepped; /* time of the last step */
    uint64_t sink_items, sink_bytes, sink_reserved;
    uint64_t held_bytes;
    uint64_t free_bytes; /* of the machine's memory, that may be taken still */
    uint32_t next_spool;
    fay_prng prng;
    bool ended, draining, aborted, failed, done;
    fay_stage *paused; /* for this stage, until somebody decides; NULL = not */
    fay_equalizers *equalizers;
    bool saturated;   /* all cores of the machine are busy */
    bool source_open; /* there was room for what the source has when this was looked at */
    fay_ns source_since;
    fay_flow_reading reading,
        before; /* in the window that began at `reading_since`, and the last */
    fay_ns reading_since;
    fay_flow_totals totals;
    uint64_t finished; /* source Items, good or bad: what a percentage is of */
    fay_flow_action *actions;
    size_t actions_count, actions_capacity;
    void **lent; /* memory behind the actions, freed with them */
    size_t lent_count, lent_capacity;
    bool actions_given; /* to the driver: the next feed or step starts a new list */
};

/* Nothing more is begun: for good, or until somebody decides. */
static inline bool fay_flow_rests(const fay_flow *flow)
{
    return flow->aborted || flow->failed || flow->paused != NULL;
}

/* ---- actions.c ------------------------------------------------------------------------------- */

/* A new action at the end of the list, zeroed but for its kind. The pointer is valid until the next
 * one is made. Not while the driver carries out the list (actions_given). */
fay_flow_action *fay_flow_act(fay_flow *flow, fay_flow_action_kind kind);

/* An action about Items [at, at + count) of a batch, with a reference that goes with the list. A
 * WRITE that goes on where the last action, also a WRITE, ends is joined to it. Either way it is
 * the last of the list then. */
void fay_flow_act_items(fay_flow *flow, fay_flow_action_kind kind, fay_batch *batch, size_t at,
                        size_t count);

/* The run must end. Only the first failure becomes an action; nothing is leased behind it. */
void fay_flow_act_fail(fay_flow *flow, fay_flow_failure why, size_t stage, const uint8_t *note,
                       size_t size);

/* Gives an action a copy of the note; of size 0 none. */
void fay_flow_act_note(fay_flow *flow, fay_flow_action *action, const uint8_t *note, size_t size);

/* Takes over memory that an action points to: it is freed with the list. */
void fay_flow_lend(fay_flow *flow, void *memory);

/* Drops all actions, their references and what was lent to them. */
void fay_flow_actions_clear(fay_flow *flow);

/* ---- settle.c -------------------------------------------------------------------------------- */

/* The Item is done with these results, or dead with none. It must not be leased, queued or delayed
 * any more; `results` is empty afterwards. Its children go on at once, or in an ordered stage when
 * it is their turn (rule 8); its root may be complete then, and gone. */
void fay_flow_finish(fay_flow *flow, fay_stage *stage, fay_ns now, const fay_entry *item,
                     fay_pieces *results);

/* RESULTS: 0, or FAY_E_PEER for tags that the worker does not hold (rule 1), a number of children
 * that does not add up, or targets that the stage has not. All of it is settled or nothing (rule
 * 2). */
int fay_flow_results(fay_flow *flow, fay_ns now, fay_flow_worker *worker,
                     const fay_flow_event *event);

/* PART: kept with the worker until RESULTS has the rest of its tag (rule 2), beyond parts_bytes in
 * a spool. 0, or FAY_E_PEER as above, also for a part of another set than the one begun. */
int fay_flow_part(fay_flow *flow, fay_flow_worker *worker, const fay_flow_event *event);

/* The set that the worker has begun is void, with its spool. */
void fay_flow_drop_parts(fay_flow *flow, fay_flow_worker *worker);

/* `count` leases of the stage have ended: the places they had reserved downstream are free again
 * (rule 4). */
void fay_flow_unreserve(fay_flow *flow, fay_stage *stage, uint64_t count);

/* Makes an entry a child: its parent's root, no attempts, and the parent's path with `index` and
 * `branch` appended; UINT64_MAX = it is the parent itself, -1 = no fan-out. Both must fit. */
void fay_flow_name_child(fay_entry *child, const fay_entry *parent, uint64_t index, int branch);

/* Items that come to the stage count as unfinished for every ordered stage at or behind it (rule
 * 8). Before they are queued; their paths are final. */
void fay_flow_enter_orders(fay_flow *flow, const fay_stage *stage, const fay_batch *batch,
                           size_t at, size_t count);

/* Sends the Items of a BATCH piece to their targets, as children of `parent` from number `index` on
 * (UINT64_MAX: they are source Items themselves): queues, the root's output, or nowhere. Raises
 * root->open by those that are queued; copies them where they have several targets, else renames
 * the entries in place. */
void fay_flow_deliver(fay_flow *flow, fay_ns now, fay_root *root, const fay_entry *parent,
                      const fay_piece *piece, uint64_t index);

/* ---- output.c -------------------------------------------------------------------------------- */

/* WRITE, and the sink's room is less by it until WRITTEN. */
void fay_flow_write(fay_flow *flow, fay_batch *batch, size_t at, size_t count);

/* Output of an open root: written at once, or with a journal held until it is complete (rule 5),
 * beyond held_bytes in a spool. The other one for the Items of a spool whose target is the sink; it
 * takes a reference of its own. */
void fay_flow_output(fay_flow *flow, fay_root *root, fay_batch *batch, size_t at, size_t count);
void fay_flow_output_spool(fay_flow *flow, fay_root *root, const fay_piece *spooled);

/* A dead Item's letter, at once or with its root, likewise. Its root must still be open; the note
 * is copied. */
void fay_flow_letter(fay_flow *flow, fay_stage *stage, fay_batch *batch, size_t at,
                     const uint8_t *note, size_t note_size);

/* The root has no unfinished Item left (open == 0): what was held of it is written, it is closed
 * and counts as done; or all that happens later, to it and to its group at once (rule 5). */
void fay_flow_complete(fay_flow *flow, uint64_t number);

/* Moves the BATCH pieces of a list into one spool, in their order: SPILL actions. The list is one
 * SPOOL piece then, and letters. */
void fay_flow_spill(fay_flow *flow, fay_pieces *pieces);

/* One user less of a spool; the last one's ends it: UNSPOOL, and `spool` is void. */
void fay_flow_unspool(fay_flow *flow, fay_spool *spool);

/* Removes a piece from its list and frees it, with its share of a spool. */
void fay_flow_release_piece(fay_flow *flow, fay_pieces *pieces, fay_piece *piece);

/* ---- intake.c -------------------------------------------------------------------------------- */

/* SOURCE: opens a root for each Item and sends it to its first stages; those that a resumed run has
 * on record only tell their position (rule 7). Roots must rise over all such events. */
void fay_flow_source(fay_flow *flow, fay_ns now, const fay_flow_event *event);

/* REENTER: each Item opens a root of its own in the stage that the event names. */
void fay_flow_reenter(fay_flow *flow, fay_ns now, const fay_flow_event *event);

/* LOADED: the next Items of a spool, queued in front of it. 0; FAY_FLOW_STALE if nobody asked for
 * them at this cursor; FAY_E_IO if it is not what was spilled. */
int fay_flow_loaded(fay_flow *flow, fay_ns now, const fay_flow_event *event);

/* Room for source Items, whatever their rate may be (flow.c). */
void fay_flow_source_space(const fay_flow *flow, uint64_t *ret_items, uint64_t *ret_bytes);
/* Before the stages are staffed: how long there has been room for what the source has, and not. */
void fay_flow_time_source(fay_flow *flow, fay_ns now);
/* Items per second of the source while it is not held back; 0 = not known, or it has not been held
 * back of late: then what arrives says it all, and is known for longer and forgotten in time. */
double fay_flow_source_rate(const fay_flow *flow);

/* Drain: source Items of which nothing has begun are forgotten, the youngest first, as if they had
 * not been read. In an ordered run none that is older than one that has begun (rule 8). */
void fay_flow_forget_unbegun(fay_flow *flow);

/* ---- failure.c ------------------------------------------------------------------------------- */

/* Results that cannot be taken, of an Item whose lease has ended: it is dead whatever retries it
 * has left, with no note (the driver knows what that means). */
void fay_flow_refuse(fay_flow *flow, fay_ns now, fay_stage *stage, fay_batch *batch, size_t at);

/* VERDICT: the try counts (rule 3), and the Item is delayed or dead; BACK is uncounted and goes to
 * the head, FAY_GIVE_BACKS_MAX times. What the worker has sent of its results is void. 0, or
 * FAY_E_PEER if it does not hold the tag. */
int fay_flow_verdict(fay_flow *flow, fay_ns now, fay_flow_worker *worker,
                     const fay_flow_event *event);

/* GIVEN_BACK, the answer to a recall (rule 9): to the head in their order, uncounted. 0, or
 * FAY_E_PEER if the worker does not hold them all. */
int fay_flow_given_back(fay_flow *flow, fay_ns now, fay_flow_worker *worker,
                        const fay_flow_event *event);

/* WORKER_DOWN: what it holds goes back, a lone Item's try counts, several are halved (rule 3); one
 * that was retired costs nobody an attempt. `worker` is void afterwards. */
void fay_flow_worker_down(fay_flow *flow, fay_ns now, fay_flow_worker *worker,
                          const fay_flow_event *event);

/* LINK_DOWN: all its leases end in this step (rule 1) and go back uncounted, its workers are gone;
 * `link` is void afterwards. */
void fay_flow_link_down(fay_flow *flow, fay_ns now, fay_flow_link *link,
                        const fay_flow_event *event);

/* GO_ON: ends a pause of the breaker, which looks no more at the stage that it was for. Nothing if
 * there is none. */
void fay_flow_go_on(fay_flow *flow, fay_ns now);

/* ---- workers.c ------------------------------------------------------------------------------- */

/* NULL: it is closed, or was never there. */
fay_flow_link *fay_flow_find_link(const fay_flow *flow, uint32_t id);
/* NULL: no worker has this number on the link now. */
fay_flow_worker *fay_flow_find_worker(const fay_flow_link *link, uint16_t number);

/* LINK_UP: a link of the stage, without workers. Its id is new. */
void fay_flow_link_up(fay_flow *flow, const fay_flow_event *event);
/* Frees a link that has no workers any more. */
void fay_flow_link_remove(fay_flow *flow, fay_flow_link *link);

/* WORKER_UP: STARTING -> LIVE and idle. Nothing for one that is retired meanwhile. */
void fay_flow_worker_up(fay_flow *flow, fay_ns now, fay_flow_worker *worker, fay_ns took);
/* Frees a worker, in whatever state, that holds no lease and no parts. */
void fay_flow_worker_remove(fay_flow *flow, fay_flow_worker *worker);

/* Onto the stack of idle ones, if it is LIVE and holds nothing; no longer suspect or recalled. */
void fay_flow_worker_idle(fay_flow *flow, fay_flow_worker *worker, fay_ns now);
/* Off that stack, if it is on it: it is about to get a lease. */
void fay_flow_worker_busy(fay_flow *flow, fay_flow_worker *worker);

/* A worker more, on the stage's link with the fewest: SPAWN. False: it has no link. */
bool fay_flow_worker_spawn(fay_flow *flow, fay_stage *stage);
/* One less, which must hold nothing: RETIRE. */
void fay_flow_worker_retire(fay_flow *flow, fay_flow_worker *worker);
/* The bottom of that stack; NULL = none is idle. */
fay_flow_worker *fay_flow_longest_idle(const fay_stage *stage);

/* ---- staff.c --------------------------------------------------------------------------------- */

/* Asks the Equalizer, then makes SPAWN and RETIRE actions until there are as many as wanted, as far
 * as there is a link, and idle ones to retire: only those are. Then says why (held.c). */
void fay_flow_staff(fay_flow *flow, fay_ns now, fay_stage *stage);
/* When to do so although nothing happens; FAY_NEVER = on events only. */
fay_ns fay_flow_staff_due(const fay_flow *flow, const fay_stage *stage);

/* ---- held.c ---------------------------------------------------------------------------------- */

/* What has come of it: sets the stage's view; DECISION for an action (`change` more workers, or
 * fewer), and for a refusal that is news; PRESSURE when that, or what holds the stage, is another.
 */
void fay_flow_tell_staff(fay_flow *flow, fay_ns now, fay_stage *stage, int change);

/* ---- fit.c ----------------------------------------------------------------------------------- */

void fay_flow_fit_init(fay_flow *flow);
/* All cores are busy, and with workers of that stage for a good part, or that is not known. */
bool fay_flow_fills_cores(const fay_flow *flow, const fay_stage *stage);
/* USED. */
void fay_flow_used(fay_flow *flow, const fay_flow_event *event);
/* The worker holds memory from now on, or no more. */
void fay_flow_resident(fay_flow *flow, fay_flow_worker *worker, bool resident);
/* Before an evaluation: how much memory there is. */
void fay_flow_fit(fay_flow *flow);

/* ---- schedule.c ------------------------------------------------------------------------------ */

/* Wakes what was delayed long enough, then leases all that may be leased (rules 4 and 8), stages
 * downstream first; prefetches, and recalls (rule 9). */
void fay_flow_schedule(fay_flow *flow, fay_ns now);
/* When this stage may lease although nothing happens (a batch has waited, a token is there). */
fay_ns fay_flow_schedule_due(const fay_flow *flow, const fay_stage *stage);

/* How many Items of the stage may be leased now: places left in every queue that a child may enter,
 * the sink's included, and in the reorder window (rules 4 and 8). UINT64_MAX = no bound. */
uint64_t fay_flow_room(const fay_flow *flow, const fay_stage *stage);

/* Token buckets whose rate is above 0: what is there (never more than 50 ms of the rate, or one);
 * when there will be one, FAY_NEVER if there is; and to take some, which may go into debt. */
double fay_flow_tokens_have(const fay_flow_tokens *tokens, fay_ns now);
fay_ns fay_flow_tokens_due(const fay_flow_tokens *tokens, fay_ns now);
void fay_flow_tokens_spend(fay_flow_tokens *tokens, fay_ns now, double count);

/* ---- commit.c: rule 6 ------------------------------------------------------------------------ */

/* A root is done, all of it is on its way to the sink; `end` is the source's position behind it. It
 * is ACKED at once, with a journal when it is on record. */
void fay_flow_commit_root(fay_flow *flow, uint64_t root, uint64_t end);

/* SYNC, if roots were done since the last one, none is under way and it is time: commit_ns have
 * passed, or nothing else is left to wait for. */
void fay_flow_commit_step(fay_flow *flow, fay_ns now);
/* SYNCED: RECORD of what was done when the sync was asked for; not ok: nothing is committed ever
 * again, and the run fails. */
void fay_flow_commit_synced(fay_flow *flow, bool ok);
/* RECORDED: those roots are ACKED; not ok: likewise. */
void fay_flow_commit_recorded(fay_flow *flow, bool ok);
/* When the next commit is due; FAY_NEVER = there is nothing to commit, or one is under way. */
fay_ns fay_flow_commit_due(const fay_flow *flow);

#endif /* FAY_FLOW_INTERNAL_H */
