/* SPDX-License-Identifier: MIT */
/*
 * The board: what the Equalizers of a run know of each other.
 *
 *     visits v     how many Items of a stage come from one of the source: along the edges, from
 *                  what each stage has sent whom for what it has finished
 *     hints        what each stage will send: a sustained rate, and what it drains besides
 *     ceiling X    source Items per second that the pipeline can reach at all
 *     rest         Items that may still come to a stage, once the source has ended
 */
#ifndef FAY_BOARD_H
#define FAY_BOARD_H

#include "flow/equalizer_state.h"

/* Children that an Item of `from` has at `to`. */
double fay_board_selectivity(const fay_equalizers *all, size_t from, size_t to);
/* Sets the visits of all stages. */
void fay_board_visit(fay_equalizers *all);

typedef struct fay_ceiling {
    double rate;         /* X, source Items/s; INFINITY = not known */
    double shared;       /* what capacity alone allows */
    fay_resource scarce; /* the one that decides it */
    double slack;        /* the least of what the stages' workers do now, source Items/s */
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
double fay_board_share(const fay_equalizers *all, const fay_equalizer *e, fay_resource resource);
/* How many more workers of that stage there are free places for; *ret_scarce: for want of what not
 * more. */
double fay_board_free(const fay_equalizers *all, const fay_equalizer *e, fay_resource *ret_scarce);
/* The same when it grows: the first worker always has a place, and a stage up to its share of the
 * cores, although others are on them. */
double fay_board_room(const fay_equalizers *all, const fay_equalizer *e, fay_resource *ret_scarce);

/* What those upstream will send, if all have said so of late. */
bool fay_board_hint(const fay_equalizers *all, size_t stage, double now, double *ret_rate,
                    double *ret_drain, double *ret_age);
/* Tells those downstream, and wakes those for whom that is news. */
void fay_board_publish(fay_equalizers *all, size_t stage, double now, double rate, double drain);
/* Whether anything is to be expected from upstream. */
bool fay_board_is_fed(const fay_equalizers *all, size_t stage);
/* Items that wait for it, and those that will be made of what waits and is worked on upstream. */
double fay_board_rest(const fay_equalizers *all, size_t stage);

#endif /* FAY_BOARD_H */
