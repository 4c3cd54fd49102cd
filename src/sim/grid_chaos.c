/* SPDX-License-Identifier: MIT */
#include "sim/grid_chaos.h"

#include <stdlib.h>

#include "sim/grid_judge.h"

/* name, the most of them in a second; of the whole Grid */
#define FAULTS(X)                                                                                  \
    X(STALL, 2.0)                                                                                  \
    X(FREEZE, 0.5)                                                                                 \
    X(KILL, 0.5)                                                                                   \
    X(SILENCE, 0.2)                                                                                \
    X(SPLIT, 0.05)

enum {
#define X(name, rate_max) name,
    FAULTS(X)
#undef X
    FAULTS_COUNT
};

static const fay_ns tick = 100 * FAY_MS, faulty_for = 60 * FAY_SECOND, calm_for = 60 * FAY_SECOND;

typedef struct chaos {
    fay_net *net;
    double rates[FAULTS_COUNT]; /* a tick */
    fay_sim_held *held;
} chaos;

static void draw_rates(chaos *c)
{
    static const double rates_max[] = {
#define X(name, rate_max) [name] = (rate_max),
        FAULTS(X)
#undef X
    };
    for (size_t i = 0; i < FAULTS_COUNT; i++) {
        double rate = rates_max[i] * (double)tick / (double)FAY_SECOND;
        if (fay_sim_chance(&c->net->world, 0.5))
            c->rates[i] = rate * fay_prng_unit(&c->net->world.prng);
    }
}

static bool hit(const chaos *c, size_t fault)
{
    return fay_sim_chance(&c->net->world, c->rates[fault]);
}

/* A Node that lives, if the draw finds one. */
static bool draw_node(const chaos *c, uint32_t *ret)
{
    *ret = (uint32_t)fay_sim_below(&c->net->world, c->net->nodes_count);
    return fay_net_alive(c->net, *ret);
}

/* Shortly after, or long enough for all to know. */
static fay_ns draw_time(const chaos *c, fay_ns most)
{
    return FAY_MS +
           fay_sim_below(&c->net->world, fay_sim_chance(&c->net->world, 0.5) ? most : most / 20);
}

static void split(chaos *c)
{
    double part = fay_prng_unit(&c->net->world.prng);
    for (uint32_t n = 0; n < c->net->nodes_count; n++) {
        c->net->nodes[n].apart = fay_sim_chance(&c->net->world, part);
    }
    fay_net_split(c->net, draw_time(c, 30 * FAY_SECOND));
}

static void hurt(chaos *c)
{
    uint32_t node;
    if (hit(c, STALL) && draw_node(c, &node))
        fay_net_stall(c->net, node, draw_time(c, 8 * FAY_SECOND));
    if (hit(c, FREEZE) && draw_node(c, &node))
        fay_net_freeze(c->net, node, draw_time(c, 15 * FAY_SECOND));
    if (hit(c, KILL) && draw_node(c, &node)) {
        fay_net_kill(c->net, node);
        fay_net_start(c->net, node, draw_time(c, 20 * FAY_SECOND));
    }
    if (hit(c, SILENCE) && draw_node(c, &node)) {
        fay_net_silence(c->net, node);
        fay_net_start(c->net, node, draw_time(c, 20 * FAY_SECOND));
    }
    if (hit(c, SPLIT) && c->net->world.now >= c->net->heals_at)
        split(c);
}

static void pass(chaos *c, fay_ns time, bool faulty)
{
    for (fay_ns until = c->net->world.now + time; c->net->world.now < until;) {
        fay_ns next = c->net->world.now + tick;
        while (fay_net_step(c->net, next)) {
        }
        fay_sim_judge_progress(c->net, c->held);
        if (faulty)
            hurt(c);
    }
}

void fay_sim_grid_chaos(fay_net *net)
{
    size_t pairs = (size_t)net->nodes_count * net->nodes_count;
    chaos c = {.net = net, .held = fay_alloc(pairs * sizeof *c.held)};
    draw_rates(&c);
    net->check = true;
    pass(&c, faulty_for, true);
    fay_sim_say(net->trace, "faults", "stop");
    pass(&c, calm_for, false);
    net->check = false;
    free(c.held);
}
