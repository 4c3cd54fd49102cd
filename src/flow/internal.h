/* SPDX-License-Identifier: MIT */
/*
 * The flow's inside, shared by the files that compose it and by nobody else:
 *
 *     flow.c      the life of a flow, events to their places, deadline
 *     schedule.c  READY -> LEASED: who gets what, and when nobody may
 *     intake.c    source Items and loaded spools -> READY
 *     settle.c    LEASED -> results: children to queues
 *     output.c    results of the last stages: held or written; roots completed
 *     failure.c   LEASED -> back, DELAYED or DEAD; workers and links that die
 *     workers.c   workers and links: who is there, who is idle, how many are wanted
 *     commit.c    sink, then journal
 *     actions.c   the list of what shall be done
 *     check.c     the invariants
 */
#ifndef FAY_FLOW_INTERNAL_H
#define FAY_FLOW_INTERNAL_H

#include "base/hash.h"
#include <bsd/sys/queue.h>

#include "base/prng.h"
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

    FAY_BREAKER_ITEMS = 20,
    FAY_CRASHES_MAX = 5,
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
    fay_ns idle_since;
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
    uint64_t leased;
    fay_equalizer equalizer;
    fay_flow_tokens tokens;
    double item_ns;
    bool blocked;
    /* breaker, crash loop */
    uint64_t alike, signature;
    bool proven; /* something succeeded, or the breaker is told to look no more */
    unsigned crashes;
    fay_ns crashed_at, spawn_after;
    /* rates, over windows of 100 ms */
    fay_ns window_at;
    uint64_t window_in, window_out;
    double in_rate, out_rate;
    fay_flow_stats stats;
    uint64_t delayed;
};

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
    uint32_t next_spool;
    fay_prng prng;
    bool ended, draining, aborted, failed, done;
    fay_stage *paused; /* for this stage, until somebody decides; NULL = not */
    bool saturated;    /* all cores of the machine are busy */
    fay_flow_totals totals;
    uint64_t finished; /* source Items, good or bad: what a percentage is of */
    fay_flow_action *actions;
    size_t actions_count, actions_capacity;
    void **lent; /* memory behind the actions, freed with them */
    size_t lent_count, lent_capacity;
    bool actions_given; /* to the driver: the next feed or step starts a new list */
};

/* For each set bit of the mask, the lowest first. */
/* NOLINTBEGIN(bugprone-macro-parentheses): `bit` is declared here */
#define FAY_EACH_BIT(bit, mask)                                                                    \
    for (uint64_t bit##_left = (mask), bit = 0;                                                    \
         bit##_left != 0 && ((void)(bit = (uint64_t)__builtin_ctzll(bit##_left)), true);           \
         bit##_left &= bit##_left - 1)
/* NOLINTEND(bugprone-macro-parentheses) */

/* Nothing more is begun: for good, or until somebody decides. */
static inline bool fay_flow_rests(const fay_flow *flow)
{
    return flow->aborted || flow->failed || flow->paused != NULL;
}

/* actions.c */
fay_flow_action *fay_flow_act(fay_flow *flow, fay_flow_action_kind kind);
void fay_flow_act_items(fay_flow *flow, fay_flow_action_kind kind, fay_batch *batch, size_t at,
                        size_t count);
void fay_flow_act_fail(fay_flow *flow, fay_flow_failure why, size_t stage, const uint8_t *note,
                       size_t size);
void fay_flow_act_note(fay_flow *flow, fay_flow_action *action, const uint8_t *note, size_t size);
/* Memory that an action points to; freed when the actions are. */
void fay_flow_lend(fay_flow *flow, void *memory);
void fay_flow_actions_clear(fay_flow *flow);

/* settle.c */
void fay_flow_finish(fay_flow *flow, fay_stage *stage, fay_ns now, const fay_entry *item,
                     fay_pieces *results);
int fay_flow_results(fay_flow *flow, fay_ns now, fay_flow_worker *worker,
                     const fay_flow_event *event);
int fay_flow_part(fay_flow *flow, fay_flow_worker *worker, const fay_flow_event *event);
void fay_flow_drop_parts(fay_flow *flow, fay_flow_worker *worker);
void fay_flow_unreserve(fay_flow *flow, fay_stage *stage, uint64_t count);
void fay_flow_name_child(fay_entry *child, const fay_entry *parent, uint64_t index, int branch);
void fay_flow_enter_orders(fay_flow *flow, const fay_stage *stage, const fay_batch *batch,
                           size_t at, size_t count);
void fay_flow_deliver(fay_flow *flow, fay_ns now, fay_root *root, const fay_entry *parent,
                      const fay_piece *piece, uint64_t index);

/* output.c */
void fay_flow_write(fay_flow *flow, fay_batch *batch, size_t at, size_t count);
void fay_flow_output(fay_flow *flow, fay_root *root, fay_batch *batch, size_t at, size_t count);
void fay_flow_output_spool(fay_flow *flow, fay_root *root, const fay_piece *spooled);
/* A dead Item's letter, at once or with its root. */
void fay_flow_letter(fay_flow *flow, fay_stage *stage, fay_batch *batch, size_t at,
                     const uint8_t *note, size_t note_size);
void fay_flow_complete(fay_flow *flow, uint64_t number, fay_root *root);
void fay_flow_spill(fay_flow *flow, fay_pieces *pieces);
void fay_flow_unspool(fay_flow *flow, fay_spool *spool);
void fay_flow_release_piece(fay_flow *flow, fay_pieces *pieces, fay_piece *piece);

/* intake.c */
void fay_flow_source(fay_flow *flow, fay_ns now, const fay_flow_event *event);
void fay_flow_reenter(fay_flow *flow, fay_ns now, const fay_flow_event *event);
int fay_flow_loaded(fay_flow *flow, fay_ns now, const fay_flow_event *event);
void fay_flow_forget_unbegun(fay_flow *flow);

/* failure.c */
/* Results that cannot be taken: the Item is dead, with no note (its driver knows what that means).
 * */
void fay_flow_refuse(fay_flow *flow, fay_ns now, fay_stage *stage, fay_batch *batch, size_t at);
int fay_flow_verdict(fay_flow *flow, fay_ns now, fay_flow_worker *worker,
                     const fay_flow_event *event);
int fay_flow_given_back(fay_flow *flow, fay_ns now, fay_flow_worker *worker,
                        const fay_flow_event *event);
void fay_flow_worker_down(fay_flow *flow, fay_ns now, fay_flow_worker *worker,
                          const fay_flow_event *event);
void fay_flow_link_down(fay_flow *flow, fay_ns now, fay_flow_link *link,
                        const fay_flow_event *event);
void fay_flow_go_on(fay_flow *flow, fay_ns now);

/* workers.c */
fay_flow_link *fay_flow_find_link(const fay_flow *flow, uint32_t id);
fay_flow_worker *fay_flow_find_worker(const fay_flow_link *link, uint16_t number);
void fay_flow_link_up(fay_flow *flow, const fay_flow_event *event);
void fay_flow_worker_up(fay_flow *flow, fay_ns now, fay_flow_worker *worker, fay_ns took);
void fay_flow_worker_remove(fay_flow *flow, fay_flow_worker *worker);
void fay_flow_worker_idle(fay_flow *flow, fay_flow_worker *worker,
                          fay_ns now); /* if it holds nothing */
void fay_flow_worker_busy(fay_flow *flow, fay_flow_worker *worker);
void fay_flow_staff(fay_flow *flow, fay_ns now, fay_stage *stage); /* spawns and retires */
fay_ns fay_flow_staff_due(const fay_flow *flow, const fay_stage *stage);
void fay_flow_link_remove(fay_flow *flow, fay_flow_link *link);

/* schedule.c */
void fay_flow_schedule(fay_flow *flow, fay_ns now);
fay_ns fay_flow_schedule_due(const fay_flow *flow, const fay_stage *stage);
uint64_t fay_flow_room(const fay_flow *flow, const fay_stage *stage);
double fay_flow_tokens_have(const fay_flow_tokens *tokens, fay_ns now);
fay_ns fay_flow_tokens_due(const fay_flow_tokens *tokens, fay_ns now);
void fay_flow_tokens_spend(fay_flow_tokens *tokens, fay_ns now, double count);

/* commit.c */
void fay_flow_commit_root(fay_flow *flow, uint64_t root, uint64_t end);
void fay_flow_commit_step(fay_flow *flow, fay_ns now);
void fay_flow_commit_synced(fay_flow *flow, bool ok);
void fay_flow_commit_recorded(fay_flow *flow, bool ok);
fay_ns fay_flow_commit_due(const fay_flow *flow);

#endif /* FAY_FLOW_INTERNAL_H */
