/* SPDX-License-Identifier: MIT */
#include "sim/grid_chaos.h"

#include <stdlib.h>

#include "sim/grid_judge.h"

/* name, the most of them in a second; of the whole Grid */
#define FAULTS(X)                                                                                  \
    X(STALL, 2.0)                                                                                  \
    X(FREEZE, 0.5)                                                                                 \
    X(KILL, 0.5)                                                                                   \
    X(JOIN_KILL, 0.2) /* and again, while it joins */                                              \
    X(SILENCE, 0.2)                                                                                \
    X(ONE_WAY, 0.2)                                                                                \
    X(LOSS, 0.2)                                                                                   \
    X(SLOW, 0.2)                                                                                   \
    X(CLONE, 0.05)                                                                                 \
    X(SPLIT, 0.05)

enum {
#define X(name, rate_max) name,
    FAULTS(X)
#undef X
    FAULTS_COUNT
};

static const fay_ns tick = 100 * FAY_MS, faulty_for = 60 * FAY_SECOND;
static const fay_ns calm_for = 10 * FAY_SECOND, calm_for_strangers = 70 * FAY_SECOND;
static const int64_t clock_jump = 3600; /* seconds, either way */

enum {
    SMALL = 20,      /* Nodes: up to that many each is checked after each of its steps */
    JUDGED_EACH = 10 /* ticks, where there are more */
};

typedef struct chaos {
    fay_sim_run *run;
    fay_net *net;
    double rates[FAULTS_COUNT]; /* a tick */
    double jumps, losses;       /* clocks and states, at a start */
    fay_ns over_at;             /* the last fault's end */
    fay_sim_seen *seen;
} chaos;

static bool chance(const chaos *c, double probability)
{
    return fay_sim_chance(&c->net->world, probability);
}

static void draw_rates(chaos *c)
{
    static const double rates_max[] = {
#define X(name, rate_max) [name] = (rate_max),
        FAULTS(X)
#undef X
    };
    for (size_t i = 0; i < FAULTS_COUNT; i++) {
        double rate = rates_max[i] * (double)tick / (double)FAY_SECOND;
        if (chance(c, 0.5))
            c->rates[i] = rate * fay_prng_unit(&c->net->world.prng);
    }
    c->jumps = chance(c, 0.5) ? 0.3 : 0;
    c->losses = chance(c, 0.5) ? 0.3 : 0;
    if (chance(c, 0.5)) {
        c->net->params.gone_told = 10 * FAY_SECOND;
        c->net->params.gone_kept = 20 * FAY_SECOND;
    }
}

/* A Node that lives, if the draw finds one. */
static bool draw_node(const chaos *c, uint32_t *ret)
{
    *ret = (uint32_t)fay_sim_below(&c->net->world, c->net->nodes_count);
    return fay_net_alive(c->net, *ret);
}

static bool hit(const chaos *c, size_t fault, uint32_t *ret_node)
{
    return chance(c, c->rates[fault]) && draw_node(c, ret_node);
}

/* Shortly after, or long enough for all to know. */
static fay_ns draw_time(chaos *c, fay_ns most)
{
    fay_ns time = FAY_MS + fay_sim_below(&c->net->world, chance(c, 0.5) ? most : most / 20);
    c->over_at = FAY_MAX(c->over_at, c->net->world.now + time);
    return time;
}

static void split(chaos *c)
{
    double part = fay_prng_unit(&c->net->world.prng);
    for (uint32_t n = 0; n < c->net->nodes_count; n++) {
        c->net->nodes[n].apart = chance(c, part);
    }
    fay_net_split(c->net, draw_time(c, 30 * FAY_SECOND));
}

/* It comes back a little later, and its clock or its state may not be what it was. */
static void restart(chaos *c, uint32_t n)
{
    fay_net_node *node = &c->net->nodes[n];
    if (chance(c, c->jumps))
        node->skew += chance(c, 0.5) ? clock_jump : -clock_jump;
    if (chance(c, c->losses))
        node->boot = 0;
    fay_net_start(c->net, n, draw_time(c, 20 * FAY_SECOND));
}

/* Killed, started, and killed in the middle of that. */
static void kill_joining(chaos *c, uint32_t n)
{
    fay_ns back = draw_time(c, 5 * FAY_SECOND);
    fay_net_kill(c->net, n);
    fay_net_start(c->net, n, back);
    fay_net_kill_later(c->net, n, back + fay_sim_below(&c->net->world, 20 * FAY_MS));
    fay_net_start(c->net, n, back + draw_time(c, 5 * FAY_SECOND) + 20 * FAY_MS);
    c->over_at = FAY_MAX(c->over_at, c->net->world.now + 11 * FAY_SECOND);
}

/* A copy of a state directory is started, on a machine that has not run yet. */
static void clone(chaos *c, uint32_t of)
{
    for (uint32_t n = c->net->ids; n < c->net->nodes_count; n++) {
        if (c->net->nodes[n].lives > 0)
            continue;
        fay_net_clone(c->net, of, n);
        fay_net_start(c->net, n, draw_time(c, 5 * FAY_SECOND));
        c->net->nodes[n].lives++; /* taken */
        return;
    }
}

static void cut_one_way(chaos *c, uint32_t n)
{
    fay_net_node *node = &c->net->nodes[n];
    fay_ns until = c->net->world.now + draw_time(c, 15 * FAY_SECOND);
    *(chance(c, 0.5) ? &node->in_until : &node->out_until) = until;
    fay_sim_say(c->net->trace, node->address, "%s until %u s",
                node->in_until == until ? "hears nothing" : "is not heard",
                (unsigned)(until / FAY_SECOND));
}

static void disturb(chaos *c)
{
    uint32_t n;
    if (hit(c, STALL, &n))
        fay_net_stall(c->net, n, draw_time(c, 8 * FAY_SECOND));
    if (hit(c, FREEZE, &n))
        fay_net_freeze(c->net, n, draw_time(c, chance(c, 0.1) ? 60 * FAY_SECOND : 15 * FAY_SECOND));
    if (hit(c, ONE_WAY, &n))
        cut_one_way(c, n);
    if (hit(c, LOSS, &n))
        c->net->nodes[n].lossy_until = c->net->world.now + draw_time(c, 20 * FAY_SECOND);
    if (hit(c, SLOW, &n))
        c->net->nodes[n].slow_until = c->net->world.now + draw_time(c, 10 * FAY_SECOND);
    if (hit(c, SPLIT, &n) && c->net->world.now >= c->net->heals_at)
        split(c);
}

static void hurt(chaos *c)
{
    uint32_t n;
    if (hit(c, KILL, &n)) {
        fay_net_kill(c->net, n);
        restart(c, n);
    }
    if (hit(c, JOIN_KILL, &n))
        kill_joining(c, n);
    if (hit(c, SILENCE, &n)) {
        fay_net_silence(c->net, n);
        restart(c, n);
    }
    if (hit(c, CLONE, &n) && n > 0) /* somebody must be where seeds are */
        clone(c, n);
    disturb(c);
}

static void on_changed(void *context, uint32_t node, const fay_node_id *id, fay_member_state state)
{
    chaos *c = context;
    if (state == FAY_DEAD)
        fay_sim_judge_verdict(c->net, c->seen, node, id);
}

static void check_all(const fay_net *net)
{
    for (uint32_t n = 0; n < net->nodes_count; n++) {
        if (fay_net_alive(net, n))
            fay_grid_check(net->nodes[n].grid, net->world.now);
    }
}

static void pass(chaos *c, fay_ns time, bool faulty)
{
    bool small = c->net->nodes_count <= SMALL;
    unsigned ticks = 0;
    for (fay_ns until = c->net->world.now + time; c->net->world.now < until; ticks++) {
        fay_net_pass(c->net, tick);
        if (small || ticks % JUDGED_EACH == 0)
            fay_sim_judge_progress(c->net, c->seen);
        if (!small && ticks % JUDGED_EACH == 0)
            check_all(c->net);
        if (faulty)
            hurt(c);
    }
}

static void all_are_back(const fay_net *net)
{
    for (uint32_t n = 0; n < net->ids; n++) {
        if (!fay_net_lives(net, n))
            fay_sim_fail(net->trace, "nobody is left of n%u", n);
    }
}

void fay_sim_grid_chaos(fay_sim_run *run)
{
    fay_net *net = &run->net;
    chaos c = {.run = run, .net = net, .seen = fay_sim_seen_new(net)};
    draw_rates(&c);
    fay_sim_settle(run, net->ids);
    net->check = net->nodes_count <= SMALL;
    net->changed = on_changed;
    net->context = &c;
    pass(&c, faulty_for, true);
    fay_sim_say(net->trace, "faults", "stop");
    /* Who has forgotten where others are finds them by seeds alone: one in 30 s, of two. */
    bool forgets = net->params.gone_kept < faulty_for;
    fay_ns calm = forgets ? calm_for_strangers : calm_for;
    pass(&c, FAY_MAX(c.over_at, net->world.now) - net->world.now + calm, false);
    net->check = false;
    fay_sim_expect_nothing(run);
    fay_sim_seen_free(c.seen);
    all_are_back(net);
    fay_sim_rest(run);
}
