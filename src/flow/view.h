/* SPDX-License-Identifier: MIT */
/*
 * What an Equalizer has made of a stage: its word, the numbers that went into it, and what it has
 * led to. Enough to do the sum again by hand:
 *
 *     load   = rate x item_s
 *     wanted = load + spare + drain, rounded up, and one for each that is stuck
 */
#ifndef FAY_VIEW_H
#define FAY_VIEW_H

#include <faymora/worker.h>

#include "base/base.h"

/* By what rule a stage is to have another number of workers. */
typedef enum fay_rule {
    FAY_RULE_NONE,       /* the number is right */
    FAY_RULE_WAKING,     /* no worker is there, and something to do is, or is about to be */
    FAY_RULE_LEARNING,   /* nothing has finished yet: the root of the queue, as a guess */
    FAY_RULE_LOAD,       /* more arrives than those there do */
    FAY_RULE_BACKLOG,    /* what waits is to be worked off */
    FAY_RULE_LONG_ITEMS, /* a worker starts sooner than one is free: one for each that waits */
    FAY_RULE_STANDING,   /* they should be enough, and the queue stands: a tenth more */
    FAY_RULE_SHARE,      /* of what the whole pipeline can do */
    FAY_RULE_IDLE,       /* the one that has been idle longest is not needed */
    FAY_RULE_OVER_CAP,   /* more than growth was worth */
} fay_rule;

/* Why less is done than wanted (man faymora-run): the word, and what it means for people; "" where
 * that needs figures (report/reason.c). */
#define FAY_HELD_WORDS(X)                                                                          \
    X(AT_MAX, "")                                                                                  \
    X(NO_CPU, "the cores are in use")                                                              \
    X(NO_MEM, "the memory is in use")                                                              \
    X(GAIN, "more workers have done no more here")                                                 \
    X(LEARNING, "whether the last ones help is not known yet")                                     \
    X(BLOCKED, "other stages do not keep up")                                                      \
    X(SOURCE_DRY, "the rest is done before another one has started")                               \
    X(CRASHLOOP, "its workers die, the next one is started a little later")                        \
    X(DRAINING, "the run drains, and the rest is done before another one has started")             \
    X(PINNED, "its number is fixed")

typedef enum fay_held {
    FAY_HELD_NONE, /* nothing holds it */
#define FAY_X(id, meaning) FAY_HELD_##id,
    FAY_HELD_WORDS(FAY_X)
#undef FAY_X
} fay_held;

typedef struct fay_equalizer_view {
    fay_pressure pressure;
    fay_held held_by;
    fay_rule rule;
    unsigned spawn;          /* so many more, in the last evaluation */
    bool retire;             /* or one less */
    unsigned serving, stuck; /* live workers: those that do, and those on one Item for too long */
    unsigned starting;       /* workers that do not work yet */
    unsigned wanted;         /* workers, before anything held it */
    unsigned max;            /* workers, as the pipeline states it */
    uint64_t queued;         /* Items that wait */
    double rate;             /* l: Items that arrive, or are offered, in a second */
    bool from_source;        /* the latter, by the source: as many as it would give */
    double item_s, spawn_s;  /* s, L: seconds of an Item, 0 = not known; of a start */
    double load, spare;      /* R, and the head room above it; workers */
    double backlog;          /* B: Items that wait or will before a new worker is up, */
    double drain, drain_s;   /* D: workers for them, so that they are gone in so many seconds */
    double trigger;          /* HIGH below so many workers */
    double ceiling;          /* what the whole pipeline lets this stage do, Items/s; INFINITY = all
                               * of it */
    double cap;              /* workers that growth was worth; INFINITY = no bound */
    double idle_s;           /* of the worker that goes */
    double cores, bytes;     /* that all workers may use together; INFINITY = no bound */
    double each_cores, each_bytes; /* that one of this stage needs; 0 = that bounds nothing */
    uint64_t evaluations;
    bool armed;
} fay_equalizer_view;

/* A word for programs: "load", "long_items"; "" for NONE. And what it means, "" likewise, or where
 * nothing is to be said. */
const char *fay_rule_name(fay_rule rule);
const char *fay_rule_meaning(fay_rule rule);
/* "AT_MAX", "NO_CPU"; "" for NONE. */
const char *fay_held_name(fay_held held);
const char *fay_held_meaning(fay_held held);

#endif /* FAY_VIEW_H */
