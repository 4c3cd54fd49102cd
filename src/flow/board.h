/* SPDX-License-Identifier: MIT */
/*
 * The board: what the Equalizers of a run know of each other. Inside flow/equalizer*.c only.
 *
 *     visits v     how many Items of a stage come from one of the source: along the edges, from
 *                  what each stage has sent whom for what it has finished
 *     hints        what each stage will send: a sustained rate, and what it drains besides
 *     ceiling X    source Items per second that the pipeline can reach at all
 *     rest         Items that may still come to a stage, once the source has ended
 */
#ifndef FAY_BOARD_H
#define FAY_BOARD_H

#include "flow/arrivals.h"
#include "flow/equalizer.h"
#include "flow/service.h"

typedef struct fay_probe { /* the last growth, until it is known whether it was worth it */
    bool on;
    unsigned workers;  /* before it */
    double rate;       /* of these, Items/s */
    double since;      /* when all had started; < 0 = not yet */
    uint64_t finished; /* by then */
} fay_probe;

typedef struct fay_equalizer {
    fay_equalizer_stage config;
    uint64_t feeders; /* bit n: stage n feeds it */
    /* estimates */
    fay_arrivals arrivals;
    fay_service service;
    uint64_t finished;
    double cost[FAY_RESOURCES];
    double spawn_s; /* L; a guess until a worker has started */
    bool spawn_known;
    double first_spawn; /* of those that start now, the first: since */
    double rate;        /* l, as last used */
    double item_s;      /* s; 0 = not known */
    double before_s;    /* s before the growth under probe; 0 = not known */
    double done;        /* finished, older ones forgotten: for the selectivity */
    double visits;      /* v */
    /* hints to those downstream */
    double hint_rate, hint_drain, hint_at;
    /* what the counters said last */
    fay_equalizer_counters last;
    /* growth */
    fay_probe probe;
    double cap, cap_until, cap_backoff, calm; /* workers that growth was worth; see growth.c */
    double sized;                             /* the rate that the last growth was for */
    /* when */
    bool armed;
    unsigned evens, stalls;
    double slow; /* EVEN although there is a queue: look more rarely */
    double evaluated, full_due, low_due;
    double queue_high;
    double standing; /* a queue longer than W* since; < 0 = none */
    double grown, shrunk, nudged, gap;
    double flaps, flapped;
    double refused_at, refused_rate; /* LOW: above this rate the coldest one is needed */
    uint64_t refused_total;
    bool capped; /* more is offered than the pipeline can do */
    bool denied; /* there was no place for all that it wanted */
    fay_equalizer_view view;
} fay_equalizer;

struct fay_equalizers {
    fay_ns epoch; /* times are seconds since then */
    size_t count;
    double capacity[FAY_RESOURCES];
    double *sent;  /* [from * count + to], forgotten as `done` is */
    size_t *order; /* of the stages, upstream first */
    fay_equalizer stages[];
};

#define FAY_HEAD_ROOM 1.2  /* above R: 1.2 sqrt(R) */
#define FAY_ROUNDING  2e-9 /* times are given in ns */

double fay_board_seconds(const fay_equalizers *all, fay_ns time); /* since the epoch */
unsigned fay_board_workers(const fay_equalizer *e);               /* that serve or start */
double fay_board_root(double load);              /* sqrt(R); of a stage that hardly works, 0.5 */
double fay_board_period(const fay_equalizer *e); /* T, seconds */
double fay_board_target_wait(const fay_equalizer *e); /* W*, seconds */

/* How long a start takes, for those who have not started anybody yet: what the others took. */
void fay_board_guess_spawn(fay_equalizers *all, double seconds);

/* Children that an Item of `from` has at `to`. */
double fay_board_selectivity(const fay_equalizers *all, size_t from, size_t to);
/* Sets the visits of all stages. */
void fay_board_visit(fay_equalizers *all);

typedef struct fay_ceiling {
    double rate;   /* X, source Items/s; INFINITY = not known */
    double shared; /* what capacity alone allows */
    size_t scarce; /* the resource that decides it */
    double slack;  /* the least of what the stages' workers do now, source Items/s */
} fay_ceiling;
fay_ceiling fay_board_ceiling(const fay_equalizers *all);
/* Workers that are an even share of the machine, as long as not every stage is known: who is known
 * first would take all, and stand in the others' way until it has given it back. Else INFINITY. */
double fay_board_even_share(const fay_equalizers *all, const fay_equalizer *e);
/* Whether an Item's time is known at every stage that Items come to. */
bool fay_board_is_known(const fay_equalizers *all);

/* Source Items per second that a stage's workers are enough for. */
double fay_board_slack(const fay_equalizer *e);
/* How many workers of that stage do most for the whole when all that there is of the resource goes
 * to work; 0 = not known. */
double fay_board_share(const fay_equalizers *all, const fay_equalizer *e, size_t resource);
/* How many more workers of that stage there are free places for; *ret_scarce: for want of what not
 * more. */
double fay_board_free(const fay_equalizers *all, const fay_equalizer *e, size_t *ret_scarce);
/* The same when it grows: the first worker always has a place, and a stage up to its share of the
 * cores, although others are on them. */
double fay_board_room(const fay_equalizers *all, const fay_equalizer *e, size_t *ret_scarce);

/* What those upstream will send, if all have said so of late. */
bool fay_board_hint(const fay_equalizers *all, size_t stage, double now, double *ret_rate,
                    double *ret_drain, double *ret_age);
/* Tells those downstream, and wakes those for whom that is news. */
void fay_board_publish(fay_equalizers *all, size_t stage, double now, double rate, double drain);
/* Whether anything is to be expected from upstream. */
bool fay_board_is_fed(const fay_equalizers *all, size_t stage);
double fay_board_rest(const fay_equalizers *all, size_t stage);

#endif /* FAY_BOARD_H */
