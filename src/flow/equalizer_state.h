/* SPDX-License-Identifier: MIT */
/*
 * All that an Equalizer remembers, and what follows from it at once. Of flow/equalizer.c and the
 * modules that it is made of, and nobody else's:
 *
 *     equalizer.c          when to look, and what to decide
 *     equalizer_events.c   what happens: told by the ledger
 *     plan.c               what is offered to a stage, and how many workers that needs
 *     board.c              what the stages know of each other
 *     growth.c, shrink.c   whether growth was worth it; when an idle worker goes
 *     account.c, pinned.c  the view: what is told of it
 *
 * Times are seconds since the epoch of the Equalizers.
 */
#ifndef FAY_EQUALIZER_STATE_H
#define FAY_EQUALIZER_STATE_H

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
    double slow; /* EVEN although there is a queue: look so much more rarely */
    double evaluated, full_due, low_due;
    double queue_high;
    double standing; /* a queue longer than W* since; < 0 = none */
    double grown, shrunk, nudged, gap;
    double flaps, flapped;
    double refused_at, refused_rate; /* LOW: above this rate the coldest one is needed */
    uint64_t refused_total;
    bool capped; /* more is offered than the pipeline can do */
    bool denied; /* there was no place for all that it wanted */
    uint64_t evaluations;
    fay_equalizer_view view; /* written by account.c and pinned.c; decides nothing */
} fay_equalizer;

struct fay_equalizers {
    fay_ns epoch; /* times are seconds since then */
    size_t count;
    double capacity[FAY_RESOURCES];
    double *sent;  /* [from * count + to], forgotten as `done` is */
    size_t *order; /* of the stages, upstream first */
    fay_equalizer stages[];
};

#define FAY_HEAD_ROOM 1.2    /* above R: 1.2 sqrt(R) */
#define FAY_ROUNDING  2e-9   /* times are given in ns */
#define FAY_LONG_AGO  (-1e6) /* before the epoch: it has never been */

double fay_equalizer_seconds(const fay_equalizers *all, fay_ns time); /* since the epoch */
unsigned fay_equalizer_workers(const fay_equalizer *e);               /* that serve or start */
/* Those that retire need their place until they are gone. */
double fay_equalizer_places(const fay_equalizer *e);
double fay_equalizer_root(double load); /* sqrt(R); of a stage that hardly works, 0.5 */
double fay_equalizer_period(const fay_equalizer *e);      /* T, seconds */
double fay_equalizer_target_wait(const fay_equalizer *e); /* W*, seconds */
double fay_equalizer_soon(const fay_equalizer *e);        /* T/8: nothing is done twice within */
/* Hardly any of its workers waits for room downstream. */
bool fay_equalizer_flows(const fay_equalizer *e);
/* Looks at the stage at that time, if not before. */
void fay_equalizer_wake(fay_equalizer *e, double at);
/* How long a start takes, for those who have not started anybody yet: what the others took. */
void fay_equalizer_guess_spawn(fay_equalizers *all, double seconds);

#endif /* FAY_EQUALIZER_STATE_H */
