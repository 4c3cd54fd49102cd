/* SPDX-License-Identifier: MIT */
/*
 * The book: a second account of one owner's life, kept from nothing but the events that go into the
 * flow and the actions that come out, and compared with both (audit.h) after every step.
 *
 *     source ─► WAITING ──LEASE──► LEASED ──results──► FINISHED; its children WAITING, or due
 *                  ▲                 │ '── failed for good ──► FINISHED, a letter due
 *                  '─────────────────'
 *
 * A visit (oracle.h) is in one place; a lease is of a live worker of a live link and answered once;
 * attempts are what was counted; a root is acked when nothing of it is open and all that was due is
 * written, nor of any root that a batch was answered together with. It does not know in which queue
 * the flow keeps what waits, only how many there are.
 */
#ifndef FAY_SIM_BOOK_H
#define FAY_SIM_BOOK_H

#include "sim/oracle.h"

typedef struct fay_sim_stay { /* of a visit, in this life */
    uint32_t life;
    enum {
        FAY_SIM_WAITING,
        FAY_SIM_LEASED,
        FAY_SIM_FINISHED
    } place;
    uint64_t attempts;
    unsigned backs;
    bool letter_due;
} fay_sim_stay;

typedef struct fay_sim_lease {
    uint32_t visit;
    uint16_t worker;
    bool open;
} fay_sim_lease;

typedef struct fay_sim_post { /* of a worker */
    enum {
        FAY_SIM_FREE,
        FAY_SIM_STARTING,
        FAY_SIM_UP
    } state;
    bool retiring;
    uint64_t held;
} fay_sim_post;

typedef struct fay_sim_link {
    bool up;
    size_t stage;
    fay_sim_lease *leases; /* by tag */
    size_t leases_count, leases_capacity;
    uint64_t first_tag;
    fay_sim_post posts[FAY_SIM_WORKERS_MAX];
} fay_sim_link;

typedef struct fay_sim_root {
    bool fed, acked, restored, recorded;
    bool proven;    /* something of it was tried in this life, with success or not */
    uint32_t group; /* the next root of its ring: those that batches have tied to it, or itself */
    uint32_t open;  /* visits that are not finished */
    uint32_t due;   /* outputs and letters that are not written */
} fay_sim_root;

typedef struct fay_sim_tally { /* of a stage */
    uint64_t waiting, leased, crashes;
    uint64_t granted; /* leases ever */
    unsigned min, max;
    unsigned most;    /* max, or what it was before, until no more are there */
    unsigned retired; /* in this step */
    bool emptied;     /* its last worker was retired, and no other has come */
} fay_sim_tally;

typedef struct fay_sim_grant { /* a LEASE of this step */
    size_t stage;
    uint32_t visit; /* the first one */
    uint64_t count;
    bool only; /* nothing else was leased at its stage */
} fay_sim_grant;

typedef struct fay_sim_book {
    fay_sim_oracle *oracle; /* borrowed */
    fay_sim_trace *trace;
    uint32_t life;
    fay_ns begun;        /* this life */
    fay_sim_stay *stays; /* by visit */
    size_t stays_count, stays_capacity;
    uint32_t *outputs; /* by atom: 2 * life = due, 2 * life + 1 = written */
    size_t outputs_count, outputs_capacity;
    fay_sim_link *links; /* by number */
    size_t links_count, links_capacity;
    fay_sim_root *roots;
    fay_sim_tally tallies[FAY_SIM_STAGES_MAX];
    fay_sim_grant *grants;
    size_t grants_count, grants_capacity;
    uint64_t failures, unwritten;
    bool stopped, sync_failed; /* FAIL has a cause */
    bool aborted;              /* no failure counts any more */
} fay_sim_book;

void fay_sim_book_init(fay_sim_book *book, fay_sim_oracle *oracle, fay_sim_trace *trace);
void fay_sim_book_deinit(fay_sim_book *book);
/* A new owner: knows what the journal says and nothing else. */
void fay_sim_book_begin(fay_sim_book *book, const fay_range *ranges, size_t count);

/* Events, after the flow has taken them. */
void fay_sim_book_source(fay_sim_book *book, uint32_t number);
void fay_sim_book_link_up(fay_sim_book *book, uint32_t link, size_t stage);
void fay_sim_book_link_down(fay_sim_book *book, uint32_t number);
void fay_sim_book_worker_up(fay_sim_book *book, uint32_t number, uint16_t worker);
void fay_sim_book_worker_down(fay_sim_book *book, const fay_flow_event *event);
void fay_sim_book_results(fay_sim_book *book, const fay_flow_event *event, const uint32_t *tries);
void fay_sim_book_verdict(fay_sim_book *book, const fay_flow_event *event);
void fay_sim_book_given_back(fay_sim_book *book, const fay_flow_event *event);
void fay_sim_book_scale(fay_sim_book *book, size_t stage, unsigned min, unsigned max);

void fay_sim_book_written(fay_sim_book *book, uint64_t items);

/* Whether the link is up and the worker holds all these tags. */
bool fay_sim_book_holds(const fay_sim_book *book, const fay_flow_event *event, uint64_t count);

/* Actions. */
void fay_sim_book_lease(fay_sim_book *book, const fay_flow_action *action);
void fay_sim_book_spawn(fay_sim_book *book, const fay_flow_action *action);
void fay_sim_book_retire(fay_sim_book *book, const fay_flow_action *action);
uint32_t fay_sim_book_write(fay_sim_book *book, const fay_batch *batch, size_t at); /* the atom */
uint32_t fay_sim_book_letter(fay_sim_book *book, const fay_flow_action *action);    /* the visit */
void fay_sim_book_acked(fay_sim_book *book, uint64_t from, uint64_t count, bool journal);
void fay_sim_book_fail(fay_sim_book *book, const fay_flow_action *action);

/* Roots of which something is open, or of another one of their ring. */
uint64_t fay_sim_book_open(const fay_sim_book *book);

/* A root has all that was due of it and its ring written. */
bool fay_sim_book_settled(const fay_sim_book *book, uint64_t root);

#endif /* FAY_SIM_BOOK_H */
