/* SPDX-License-Identifier: MIT */
/*
 * Instances and their workers: what is at the other end of the owner's links.
 *
 *     owner ──LEASE RECALL SPAWN RETIRE──► wire ──► instance ──► worker: tasks, some of them begun
 *           ◄──RESULTS VERDICT DOWN ..──── wire ◄──────'
 *
 * An Instance passes on what its mode passes on: `solo` and `tagged` workers name the Item that
 * failed, `lines` and `batch` workers die with all they hold; lines are answered in order and in
 * runs, tagged Items in any order. What an Instance does not hold any more (its worker has gone
 * meanwhile) it drops: the owner has taken it back already, or will when the news arrives. A killed
 * Instance does nothing more, but its frames on the wire still arrive.
 */
#ifndef FAY_SIM_WORKERS_H
#define FAY_SIM_WORKERS_H

#include "sim/oracle.h"

enum {                /* kinds of events in the world */
    FAY_SIM_UPWARD,   /* frame: reaches the owner */
    FAY_SIM_DOWNWARD, /* frame: reaches an Instance */
    FAY_SIM_STARTED,  /* link, worker, serial */
    FAY_SIM_DONE,     /* link, worker, serial, value = tag: a task's time is over */
    FAY_SIM_KINDS_OF_WORKERS
};

enum {
    FAY_SIM_LINKS_MAX = 10000
};

typedef struct fay_sim_frame {
    int kind; /* FAY_FLOW_*: of an event if upward, of an action if downward */
    uint32_t link;
    uint16_t worker;
    bool garbage; /* must be refused */
    uint64_t tag, count;
    fay_ns ns;
    int cause, verdict;
    uint32_t from, to; /* PART, RESULTS of one Item: which of the children */
    size_t items_count;
    uint32_t items[]; /* LEASE: visits; RESULTS, PART: tries */
} fay_sim_frame;

typedef struct fay_sim_task {
    uint64_t tag;
    uint32_t visit;
    uint32_t unit; /* the LEASE it came with */
    bool begun;
    fay_ns took;
    enum {
        FAY_SIM_SUCCEEDS,
        FAY_SIM_VERDICT,
        FAY_SIM_KILLS
    } end;
    int cause, verdict;
} fay_sim_task;

typedef struct fay_sim_worker {
    enum {
        FAY_SIM_GONE,
        FAY_SIM_BOOTS,
        FAY_SIM_WORKS
    } state;
    bool ending; /* finishes what it has begun, then goes in good order */
    bool slow;
    uint64_t serial; /* tells its timers from those of the one before */
    fay_ns boots_ns;
    fay_sim_task *tasks;
    size_t tasks_count, tasks_capacity;
    uint32_t *answers; /* tries of consecutive tags that were not sent yet; lines only */
    size_t answers_count, answers_capacity;
    uint64_t answers_tag;
    fay_ns answers_ns;
} fay_sim_worker;

typedef struct fay_sim_instance {
    bool alive;
    size_t stage;
    uint32_t units;
    fay_sim_wire up, down;
    fay_sim_worker workers[FAY_SIM_WORKERS_MAX];
} fay_sim_instance;

typedef struct fay_sim_crew {
    fay_sim_world *world; /* borrowed, as all four */
    fay_sim_faults *faults;
    fay_sim_oracle *oracle;
    fay_sim_trace *trace;
    uint64_t serial;
    fay_sim_instance *instances[FAY_SIM_LINKS_MAX]; /* by link; link 0 does not exist */
    size_t count;
} fay_sim_crew;

void fay_sim_crew_init(fay_sim_crew *crew, fay_sim_world *world, fay_sim_faults *faults,
                       fay_sim_oracle *oracle);
void fay_sim_crew_deinit(fay_sim_crew *crew);

uint32_t fay_sim_crew_connect(fay_sim_crew *crew, size_t stage); /* a new Instance: its link */
void fay_sim_crew_kill(fay_sim_crew *crew, uint32_t link);
void fay_sim_crew_kill_all(fay_sim_crew *crew);
void fay_sim_crew_stall(fay_sim_crew *crew, uint32_t link, fay_ns time);
/* The Instance speaks of a lease that never was. */
void fay_sim_crew_garble(fay_sim_crew *crew, uint32_t link);

fay_sim_frame *fay_sim_frame_new(int kind, uint32_t link, uint16_t worker, size_t items);
/* Takes the frame over. */
void fay_sim_crew_send(fay_sim_crew *crew, fay_sim_frame *frame);
/* One of the kinds above but UPWARD, which is the owner's. Does not free event->frame. */
void fay_sim_crew_event(fay_sim_crew *crew, const fay_sim_event *event);

#endif /* FAY_SIM_WORKERS_H */
