/* SPDX-License-Identifier: MIT */
/* The traces of eq_trace.h: the named ones, and those that are drawn from a number. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/prng.h"
#include "sim/eq_chance.h"
#include "sim/eq_trace.h"

enum {
    QUEUE = 64, /* places between two stages */
    DISTURBED = 60
};

/* ---- what traces are made of ----------------------------------------------------------------- */

static fay_eq_stage_plan *add_stage(fay_eq_trace *t, double mean, double cv)
{
    assert(t->stages_count < FAY_EQ_STAGES_MAX);
    fay_eq_stage_plan *plan = &t->stages[t->stages_count];
    *plan = (fay_eq_stage_plan){.mean = mean,
                                .cv = cv,
                                .selectivity = 1,
                                .queue_max = t->stages_count > 0 ? QUEUE : 0,
                                .needs = {1}};
    t->stages_count++;
    return plan;
}

static void feed_share(fay_eq_trace *t, size_t stage, size_t to, double from, double upto)
{
    fay_eq_stage_plan *plan = &t->stages[stage];
    assert(plan->edges_count < FAY_EQ_EDGES_MAX);
    plan->edges[plan->edges_count].to = to;
    plan->edges[plan->edges_count].from = from;
    plan->edges[plan->edges_count++].upto = upto;
}

static void feed(fay_eq_trace *t, size_t stage, size_t to)
{
    feed_share(t, stage, to, 0, 1);
}

static void chain(fay_eq_trace *t)
{
    for (size_t i = 0; i + 1 < t->stages_count; i++) {
        feed(t, i, i + 1);
    }
}

static void three_stages(fay_eq_trace *t, double second, double third)
{
    (void)add_stage(t, 0.02, 1);
    (void)add_stage(t, second, 1);
    (void)add_stage(t, third, 1);
    chain(t);
}

static void usual_stages(fay_eq_trace *t)
{
    three_stages(t, 0.25, 0.05);
}

static void nodes(fay_eq_trace *t, size_t count, double cpu, double memory)
{
    t->nodes_count = count;
    for (size_t i = 0; i < count; i++) {
        t->nodes[i][0] = cpu;
        t->nodes[i][1] = memory;
    }
}

static void rate_from(fay_eq_trace *t, double time, double rate)
{
    assert(t->points_count < FAY_EQ_POINTS_MAX);
    t->points[t->points_count++] = (fay_eq_point){.time = time, .rate = rate};
}

static void slope_from(fay_eq_trace *t, double time, double rate)
{
    rate_from(t, time, rate);
    t->points[t->points_count - 1].slope = true;
}

/* One rate, and from the disturbance on another. */
static void step(fay_eq_trace *t, double before, double after)
{
    rate_from(t, 0, before);
    rate_from(t, DISTURBED, after);
    t->disturbed_at = DISTURBED;
}

static void change(fay_eq_trace *t, double time, fay_eq_aspect what, size_t index, double value)
{
    assert(t->changes_count < FAY_EQ_CHANGES_MAX);
    t->changes[t->changes_count++] =
        (fay_eq_change){.time = time, .what = what, .index = index, .value = value};
}

static void cold(fay_eq_trace *t)
{
    t->stated_start = true;
    t->zero = true;
    t->measured_from = 0;
}

/* ---- the standard ones ----------------------------------------------------------------------- */

static void step_up(fay_eq_trace *t)
{
    usual_stages(t);
    step(t, 20, 200);
    t->duration = 150;
}

static void step_down(fay_eq_trace *t)
{
    usual_stages(t);
    step(t, 200, 20);
    t->duration = 150;
    t->falls = true;
}

static void ramp(fay_eq_trace *t)
{
    usual_stages(t);
    rate_from(t, 0, 20);
    slope_from(t, 40, 20);
    rate_from(t, 160, 200);
    t->duration = 200;
    t->disturbed_at = 160;
}

static void sine(fay_eq_trace *t)
{
    usual_stages(t);
    t->sine_mean = 110;
    t->sine_swing = 90;
    t->sine_period = 80;
    t->duration = 240;
}

static void spike(fay_eq_trace *t)
{
    usual_stages(t);
    rate_from(t, 0, 20);
    rate_from(t, 60, 300);
    rate_from(t, 70, 20);
    t->duration = 150;
    t->disturbed_at = 70;
}

/* The bottleneck moves from the third stage to the second. */
static void shift(fay_eq_trace *t)
{
    three_stages(t, 0.10, 0.40);
    rate_from(t, 0, 80);
    change(t, DISTURBED, FAY_EQ_MEAN, 1, 0.40);
    change(t, DISTURBED, FAY_EQ_MEAN, 2, 0.10);
    t->duration = 160;
    t->disturbed_at = DISTURBED;
}

static void fanout(fay_eq_trace *t)
{
    three_stages(t, 0.20, 0.15);
    t->stages[1].selectivity = 4;
    step(t, 10, 60);
    t->duration = 150;
}

static void noisy(fay_eq_trace *t)
{
    usual_stages(t);
    for (size_t i = 0; i < t->stages_count; i++) {
        t->stages[i].cv = 2;
    }
    rate_from(t, 0, 80);
    t->duration = 240;
}

static void slow_node(fay_eq_trace *t)
{
    usual_stages(t);
    nodes(t, 4, 48, 0);
    rate_from(t, 0, 100);
    change(t, DISTURBED, FAY_EQ_SPEED, 1, 0.25);
    t->duration = 160;
    t->disturbed_at = DISTURBED;
}

static void poison(fay_eq_trace *t)
{
    usual_stages(t);
    t->stages[1].slow = 0.002;
    rate_from(t, 0, 80);
    t->duration = 240;
}

static void cold_start(fay_eq_trace *t)
{
    usual_stages(t);
    cold(t);
    rate_from(t, 0, 100);
    t->duration = 90;
    t->disturbed_at = 0;
}

static void on_off(fay_eq_trace *t)
{
    usual_stages(t);
    cold(t);
    t->duration = 240;
    for (int begin = 0; begin <= 240; begin += 60) {
        rate_from(t, begin, 60);
        rate_from(t, begin + 20, 0);
    }
}

static void plateau(fay_eq_trace *t)
{
    usual_stages(t);
    t->stages[1].plateau = 16;
    step(t, 20, 120);
    t->disturbed_at = -1; /* the load cannot be met */
    t->duration = 200;
}

static void grid_full(fay_eq_trace *t)
{
    usual_stages(t);
    nodes(t, 4, 8, 0);
    step(t, 20, 200);
    t->disturbed_at = -1;
    t->duration = 160;
}

static void long_tasks(fay_eq_trace *t)
{
    (void)add_stage(t, 0.02, 1);
    (void)add_stage(t, 20, 0.5);
    (void)add_stage(t, 0.05, 1);
    chain(t);
    rate_from(t, 0, 0.2);
    rate_from(t, 100, 1);
    t->duration = 400;
    t->disturbed_at = 100;
    t->measured_from = 60;
}

static void from_stdin(fay_eq_trace *t)
{
    usual_stages(t);
    nodes(t, 4, 24, 0);
    t->stages[0].queue_max = QUEUE;
    t->closed = 20000;
    t->read_rate = 2000;
    t->workers_max = 72;
    t->stated_start = true;
    for (size_t i = 0; i < t->stages_count; i++) {
        t->start[i] = 1;
    }
    t->duration = 200;
    t->measured_from = 0;
}

/* ---- the extra ones -------------------------------------------------------------------------- */

/*     0 ─┬─► 1 ─┬─► 3    a copy each, or 7 of 10 here and the rest there
 *        └─► 2 ─┘                                                            */
static void branches(fay_eq_trace *t)
{
    (void)add_stage(t, 0.02, 1);
    (void)add_stage(t, 0.20, 1);
    (void)add_stage(t, 0.08, 1);
    (void)add_stage(t, 0.05, 1);
    feed(t, 1, 3);
    feed(t, 2, 3);
    step(t, 20, 120);
    t->duration = 150;
}

static void copies(fay_eq_trace *t)
{
    branches(t);
    feed(t, 0, 1);
    feed(t, 0, 2);
}

static void routes(fay_eq_trace *t)
{
    branches(t);
    feed_share(t, 0, 1, 0, 0.7);
    feed_share(t, 0, 2, 0.7, 1);
}

/* The second stage's workers need four times the memory: of that there is enough, or not. */
static void hungry(fay_eq_trace *t, double memory)
{
    usual_stages(t);
    nodes(t, 4, 48, memory);
    for (size_t i = 0; i < t->stages_count; i++) {
        t->stages[i].needs[1] = i == 1 ? 4 : 1;
    }
    step(t, 20, 200);
    t->duration = 150;
}

static void memory(fay_eq_trace *t)
{
    hungry(t, 84);
}

static void memory_full(fay_eq_trace *t)
{
    hungry(t, 40);
    t->disturbed_at = -1;
}

static void crashing(fay_eq_trace *t, double rate)
{
    usual_stages(t);
    for (size_t i = 0; i < t->stages_count; i++) {
        t->stages[i].crashes = rate;
    }
    rate_from(t, 0, 80);
    t->duration = 240;
}

static void crashes_rare(fay_eq_trace *t)
{
    crashing(t, 0.001);
}

static void crashes_some(fay_eq_trace *t)
{
    crashing(t, 0.01);
}

static void crashes_many(fay_eq_trace *t)
{
    crashing(t, 0.1);
}

/* From 1 to 4 outputs of an Item and down to a half, in small steps. */
static void drift(fay_eq_trace *t)
{
    three_stages(t, 0.15, 0.15);
    rate_from(t, 0, 40);
    t->duration = 240;
    for (int i = 0; i <= 20; i++) {
        change(t, 60 + 3 * i, FAY_EQ_SELECTIVITY, 0, 1 + 3 * i / 20.0);
    }
    for (int i = 0; i <= 20; i++) {
        change(t, 150 + 3 * i, FAY_EQ_SELECTIVITY, 0, 4 - 3.5 * i / 20.0);
    }
}

/* A finite input that is over before three cold stages are warm: a worker that starts for the last
 * Items is wasted. */
static void ending(fay_eq_trace *t)
{
    usual_stages(t);
    cold(t);
    t->stages[0].queue_max = QUEUE;
    t->closed = 400;
    t->read_rate = 100;
    t->duration = 100;
}

/* One Item in 500 takes 100 times as long as the others, which are all alike. */
static void straggler(fay_eq_trace *t)
{
    (void)add_stage(t, 0.02, 0);
    (void)add_stage(t, 0.10, 0);
    (void)add_stage(t, 0.05, 0);
    chain(t);
    t->stages[1].slow = 1.0 / 500;
    t->stages[1].slow_expected = true;
    rate_from(t, 0, 200);
    t->duration = 240;
}

/* So few Items that seldom more than one of the slow ones, one in 500, is under way. */
static void one_slow(fay_eq_trace *t)
{
    (void)add_stage(t, 0.02, 1);
    add_stage(t, 0.10, 1)->slow = 1.0 / 500;
    (void)add_stage(t, 0.05, 1);
    chain(t);
    rate_from(t, 0, 20);
    t->duration = 240;
}

/* ---- all of them ----------------------------------------------------------------------------- */

struct entry {
    const char *name;
    void (*make)(fay_eq_trace *t);
};

static const struct entry standard[] = {
    {"step_up", step_up},  {"step_down", step_down},  {"ramp", ramp},
    {"sine", sine},        {"spike", spike},          {"shift", shift},
    {"fanout", fanout},    {"noisy", noisy},          {"slownode", slow_node},
    {"poison", poison},    {"coldstart", cold_start}, {"onoff", on_off},
    {"plateau", plateau},  {"gridcap", grid_full},    {"longtask", long_tasks},
    {"stdin", from_stdin},
};

static const struct entry extra_ones[] = {
    {"copies", copies},
    {"routes", routes},
    {"memory", memory},
    {"memoryfull", memory_full},
    {"crashesrare", crashes_rare},
    {"crashessome", crashes_some},
    {"crashesmany", crashes_many},
    {"drift", drift},
    {"ending", ending},
    {"straggler", straggler},
    {"oneslow", one_slow},
};

/* What most of them have in common. */
static void defaults(fay_eq_trace *t)
{
    *t = (fay_eq_trace){
        .spawn_latency = 2, .workers_max = 128, .measured_from = 30, .disturbed_at = -1};
    nodes(t, 8, 48, 0);
}

size_t fay_eq_traces_count(bool extra)
{
    return extra ? FAY_COUNT(extra_ones) : FAY_COUNT(standard);
}

void fay_eq_trace_make(bool extra, size_t index, fay_eq_trace *ret)
{
    assert(index < fay_eq_traces_count(extra));
    const struct entry *entry = extra ? &extra_ones[index] : &standard[index];
    defaults(ret);
    (void)snprintf(ret->name, sizeof ret->name, "%s", entry->name);
    entry->make(ret);
}

/* ---- drawn ones ------------------------------------------------------------------------------ */

static double between(fay_prng *prng, double from, double to)
{
    return from + (to - from) * fay_prng_unit(prng);
}

static void draw_stages(fay_eq_trace *t, fay_prng *prng)
{
    static const double cvs[] = {0, 1, 1, 2};
    size_t count = 2 + fay_prng_below(prng, 4);
    for (size_t i = 0; i < count; i++) {
        double mean = exp(between(prng, log(0.01), log(1)));
        double cv = cvs[fay_prng_below(prng, FAY_COUNT(cvs))];
        bool doubles = fay_prng_below(prng, 4) == 0;
        add_stage(t, mean, cv)->selectivity = doubles && i + 1 < count ? 2 : 1;
    }
    chain(t);
}

/* The rate at which the dearest stage needs 60 workers, at most 250. */
static double greatest_rate(const fay_eq_trace *t)
{
    double dearest = 0, visits = 1;
    for (size_t i = 0; i < t->stages_count; i++) {
        dearest = FAY_MAX(dearest, visits * t->stages[i].mean);
        visits *= t->stages[i].selectivity;
    }
    return FAY_MIN(250.0, 60 / dearest);
}

void fay_eq_trace_fuzz(uint64_t number, fay_eq_trace *ret)
{
    static const double latencies[] = {0.3, 1, 2, 4};
    fay_prng prng;
    fay_eq_chance_init(&prng, number, "fuzz", 0);
    defaults(ret);
    (void)snprintf(ret->name, sizeof ret->name, "fuzz%u", (unsigned)(number % 100000));
    ret->duration = 200;
    draw_stages(ret, &prng);
    double most = greatest_rate(ret), time = 0, rate = most * between(&prng, 0.05, 1);
    while (time < ret->duration) {
        rate_from(ret, time, rate);
        ret->points[ret->points_count - 1].slope = fay_prng_below(&prng, 3) == 0;
        time += between(&prng, 20, 60);
        rate = most * exp(between(&prng, log(0.03), 0));
    }
    rate_from(ret, time, rate);
    ret->spawn_latency = latencies[fay_prng_below(&prng, FAY_COUNT(latencies))];
}
