/* SPDX-License-Identifier: MIT */
/*
 * DS2 (Kalavri et al., OSDI'18, section 3) and the Flink autoscaler, which is made of it
 * (eq_baselines.h). One traversal from the source: what a stage needs is the source's rate times
 * its visits times its measured useful time of one Item.
 */
#include <math.h>
#include <stdlib.h>

#include "sim/eq_baselines.h"

typedef struct policy {
    uint64_t interval; /* periods between decisions; metrics are over one */
    uint64_t warm_up;  /* intervals ignored after an action */
    double head_room;  /* of the rate, on top */
    double target;     /* utilisation aimed at; 0 = DS2, which aims at the head room */
    double catch_up;   /* periods in which the source's queue shall be empty */
    double stabilises; /* periods; down only to the most that was wanted within */
} policy;

static const policy ds2_policy = {.interval = 5, .warm_up = 1, .head_room = 0.2};
static const policy flink_policy = {
    .interval = 3, .warm_up = 1, .target = 0.7, .catch_up = 10, .stabilises = 20};

#define FLINK_BUSY_LEAST 0.4 /* the band of utilisation in which nothing is done: 0.4 .. 1 */
#define SLOTS_USED       0.8 /* the rate is cut to what so much of the machine carries */

typedef struct ds2 {
    const policy *rules;
    fay_eq_window windows[FAY_EQ_STAGES_MAX], wanted[FAY_EQ_STAGES_MAX];
    double means[FAY_EQ_STAGES_MAX]; /* useful time of an Item; 0 = not known yet */
    uint64_t ticks, skip;
} ds2;

static void *new_with(const policy *rules)
{
    ds2 *d = fay_alloc(sizeof *d);
    d->rules = rules;
    return d;
}

static void *ds2_new(fay_eq_line *line)
{
    (void)line;
    return new_with(&ds2_policy);
}

static void *flink_new(fay_eq_line *line)
{
    (void)line;
    return new_with(&flink_policy);
}

/* The rate that the machine carries with the means as they are known. */
static double carried(const ds2 *d, const fay_eq_line *line)
{
    double rate = HUGE_VAL;
    for (size_t resource = 0; resource < FAY_EQ_RESOURCES; resource++) {
        double has = 0, needs = 0;
        for (size_t i = 0; i < fay_eq_nodes_count(line); i++) {
            has += fay_eq_node_of(line, i)->capacity[resource];
        }
        for (size_t i = 0; i < fay_eq_stages_count(line); i++) {
            fay_eq_facts facts;
            fay_eq_facts_of(line, i, &facts);
            needs += facts.visits * d->means[i] * facts.needs[resource];
        }
        if (needs > 0)
            rate = FAY_MIN(rate, SLOTS_USED * has / needs);
    }
    return rate;
}

/* A stage's even share of the machine, for as long as not all means are known. */
static size_t even_share(const fay_eq_line *line)
{
    double slots = 0;
    for (size_t i = 0; i < fay_eq_nodes_count(line); i++) {
        slots += fay_eq_node_of(line, i)->capacity[0];
    }
    return (size_t)slots / fay_eq_stages_count(line);
}

static double source_rate(const ds2 *d, const fay_eq_line *line)
{
    fay_eq_source source = fay_eq_source_of(line);
    fay_eq_glance gain = fay_eq_window_gain(&d->windows[0]);
    double rate = source.closed ? source.rate : (double)gain.arrivals / (double)d->rules->interval;
    double most = carried(d, line);
    return FAY_MIN(rate, most);
}

static bool all_known(const ds2 *d, const fay_eq_line *line)
{
    for (size_t i = 0; i < fay_eq_stages_count(line); i++) {
        if (d->means[i] <= 0)
            return false;
    }
    return true;
}

/* Flink goes down late, and does nothing while a stage is used neither too much nor too little. */
static size_t held_back(ds2 *d, fay_eq_line *line, size_t stage, size_t wants, size_t has,
                        const double rates[2])
{
    double rate = rates[0], drain = rates[1], capacity = (double)has / d->means[stage];
    fay_eq_window_add(&d->wanted[stage], d->rules->stabilises,
                      (fay_eq_glance){.time = fay_eq_now(line), .value = (double)wants});
    if (wants < has) {
        size_t lately = (size_t)fay_eq_window_max(&d->wanted[stage]);
        wants = FAY_MIN(has, lately);
    }
    bool in_band = rate > 0 && rate <= capacity && capacity <= rate / FLINK_BUSY_LEAST;
    return in_band && drain * 0.5 < capacity - rate ? has : wants;
}

/* One stage of the traversal, at this rate of Items and of backlog; true = something was done. */
static bool decide(ds2 *d, fay_eq_line *line, size_t stage, const double rates[2], bool known)
{
    const policy *rules = d->rules;
    double rate = rates[0], drain = rates[1];
    fay_eq_reading reading;
    fay_eq_facts facts;
    fay_eq_read(line, stage, &reading);
    fay_eq_facts_of(line, stage, &facts);
    fay_eq_glance gain = fay_eq_window_gain(&d->windows[stage]);
    if (gain.finished > 0)
        d->means[stage] = gain.useful / (double)gain.finished;
    double mean = d->means[stage];
    size_t has = reading.workers - reading.draining;
    if (mean <= 0) {
        if (reading.queued > 0 || has > 0)
            fay_eq_scale(line, stage, FAY_MAX(has, (size_t)1));
        return false;
    }
    double load = rules->target > 0 ? (rate / rules->target + drain) * mean
                                    : rate * mean * (1 + rules->head_room);
    size_t wants = (size_t)ceil(load);
    if (facts.workers_min == 0 && rate <= 0 && reading.queued == 0)
        wants = 0;
    if (!known)
        wants = FAY_MIN(wants, even_share(line));
    wants = fay_eq_bounded(line, stage, wants);
    if (rules->stabilises > 0)
        wants = held_back(d, line, stage, wants, has, rates);
    bool worth = wants > has + 1 || wants + 1 < has || (wants > has && reading.queued > has);
    if (wants == has || (rules->target <= 0 && !worth))
        return false;
    fay_eq_scale(line, stage, wants);
    return true;
}

static void tick(void *self, fay_eq_line *line)
{
    ds2 *d = self;
    fay_eq_reading reading;
    for (size_t i = 0; i < fay_eq_stages_count(line); i++) {
        fay_eq_read(line, i, &reading);
        fay_eq_window_add(&d->windows[i], (double)d->rules->interval,
                          fay_eq_glance_at(line, &reading));
    }
    if (++d->ticks % d->rules->interval != 0)
        return;
    for (size_t i = 0; i < fay_eq_stages_count(line); i++) {
        fay_eq_evaluated(line);
    }
    if (d->skip > 0) {
        d->skip--;
        return;
    }
    fay_eq_read(line, 0, &reading);
    double rate = source_rate(d, line);
    double drain = d->rules->catch_up > 0 ? (double)reading.queued / d->rules->catch_up : 0;
    bool known = all_known(d, line), acted = false;
    for (size_t i = 0; i < fay_eq_stages_count(line); i++) {
        fay_eq_facts facts;
        fay_eq_facts_of(line, i, &facts);
        const double rates[2] = {rate * facts.visits, drain * facts.visits};
        acted = decide(d, line, i, rates, known) || acted;
    }
    if (acted)
        d->skip = d->rules->warm_up;
}

const fay_eq_controller fay_eq_ds2 = {.name = "ds2",
                                      .what = "DS2: true rates, 20 % head room, every 5 periods",
                                      .new = ds2_new,
                                      .free = free,
                                      .tick = tick};

const fay_eq_controller fay_eq_flink = {
    .name = "flink",
    .what = "Flink's autoscaler: DS2 at 0.7, catches up, goes down late",
    .new = flink_new,
    .free = free,
    .tick = tick};
