/* SPDX-License-Identifier: MIT */
#include "sim/grid_sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/grid_chaos.h"
#include "sim/grid_judge.h"
#include "sim/grid_net.h"

static const fay_ns storm_for = 1 * FAY_SECOND, quiet_for = 10 * FAY_SECOND;
static const fay_ns patience = 120 * FAY_SECOND; /* what has not come by then does not come */

typedef struct samples {
    double *items; /* seconds */
    size_t count, capacity;
} samples;

typedef struct run {
    fay_net net;
    samples *samples;
    fay_ns begun;        /* of what is measured */
    uint32_t running;    /* Nodes that shall know it */
    bool *knows;         /* by node */
    uint32_t left;       /* that do not yet */
    uint32_t subject;    /* of join, kill, silent */
    fay_member_state is; /* what it is to be */
} run;

static void add_sample(samples *to, fay_ns time)
{
    FAY_RESERVE(to->items, to->capacity, to->count + 1);
    to->items[to->count++] = (double)time / (double)FAY_SECOND;
}

/* ---- what is waited for ---------------------------------------------------------------------- */

static void learn(run *r, uint32_t node)
{
    if (r->knows[node])
        return;
    r->knows[node] = true;
    r->left--;
    add_sample(r->samples, r->net.world.now - r->begun);
}

/* All that live shall know that the subject is in that state. */
static void on_subject(void *context, uint32_t node, const fay_node_id *id, fay_member_state state)
{
    run *r = context;
    if (node != r->subject && fay_net_find(&r->net, id) == r->subject && state == r->is)
        learn(r, node);
}

/* All shall know that many alive. */
static void on_count(void *context, uint32_t node, const fay_node_id *id, fay_member_state state)
{
    run *r = context;
    (void)id;
    (void)state;
    const fay_members *members = fay_grid_members(r->net.nodes[node].grid);
    if (fay_members_alive(members) == r->running)
        learn(r, node);
}

/* All shall hear it, once. */
static void on_heard(void *context, uint32_t node, fay_grid_bytes bytes)
{
    run *r = context;
    (void)bytes;
    if (r->knows[node])
        fay_sim_fail(r->net.trace, "n%u hears it twice", node);
    learn(r, node);
}

static void expect(run *r, fay_net_changed *changed, uint32_t of)
{
    memset(r->knows, 0, r->net.nodes_count * sizeof *r->knows);
    r->begun = r->net.world.now;
    r->left = of;
    r->net.changed = changed;
    r->net.delivered = NULL;
    r->net.context = r;
}

static void wait_for_all(run *r, const char *what)
{
    fay_ns until = r->net.world.now + patience;
    while (r->left > 0 && fay_net_step(&r->net, until)) {
    }
    if (r->left > 0)
        fay_sim_fail(r->net.trace, "%s: %u Nodes do not know it", what, r->left);
    r->net.changed = NULL;
}

static void rest(run *r)
{
    fay_ns until = r->net.world.now + quiet_for;
    while (fay_net_step(&r->net, until)) {
    }
    fay_sim_judge_tables(&r->net);
    fay_sim_judge_links(&r->net);
    fay_sim_judge_observers(&r->net);
}

/* ---- scenarios ------------------------------------------------------------------------------- */

static void start_all(run *r, uint32_t count)
{
    fay_net_start(&r->net, 0, 0);
    for (uint32_t n = 1; n < count; n++) {
        fay_net_start(&r->net, n, fay_sim_below(&r->net.world, storm_for));
    }
    r->running = count;
    expect(r, on_count, count);
    wait_for_all(r, "the storm");
}

/* A Grid at rest; what its making took is not measured. */
static void settle(run *r, uint32_t count)
{
    samples *measured = r->samples, unmeasured = {0};
    r->samples = &unmeasured;
    start_all(r, count);
    rest(r);
    free(unmeasured.items);
    r->samples = measured;
}

static void join(run *r)
{
    uint32_t last = r->net.nodes_count - 1;
    settle(r, last);
    r->subject = last;
    r->is = FAY_ALIVE;
    expect(r, on_subject, last);
    fay_net_start(&r->net, last, 0);
    wait_for_all(r, "the join");
    rest(r);
}

static void storm(run *r)
{
    start_all(r, r->net.nodes_count);
    rest(r);
}

static void lose(run *r, bool silent)
{
    settle(r, r->net.nodes_count);
    r->subject = (uint32_t)fay_sim_below(&r->net.world, r->net.nodes_count);
    r->is = FAY_DEAD;
    expect(r, on_subject, r->net.nodes_count - 1);
    if (silent) {
        fay_net_silence(&r->net, r->subject);
    } else {
        fay_net_kill(&r->net, r->subject);
    }
    wait_for_all(r, "the death");
    rest(r);
}

static void lose_killed(run *r)
{
    lose(r, false);
}

static void lose_silent(run *r)
{
    lose(r, true);
}

static void half(run *r)
{
    uint32_t count = r->net.nodes_count;
    settle(r, count);
    FAY_CLEANUP(fay_freep) uint32_t *order = fay_alloc(count * sizeof *order);
    for (uint32_t n = 0; n < count; n++) {
        uint32_t at = (uint32_t)fay_sim_below(&r->net.world, n + 1);
        order[n] = order[at];
        order[at] = n;
    }
    r->running = count - count / 2;
    expect(r, on_count, r->running);
    for (uint32_t n = 0; n < count / 2; n++) {
        fay_net_kill(&r->net, order[n]);
    }
    wait_for_all(r, "the deaths");
    rest(r);
}

/* What is said to all; a small one, then one that is too large to be flooded. */
static void say_to_all(run *r, size_t size)
{
    FAY_CLEANUP(fay_freep) uint8_t *bytes = fay_alloc(size);
    settle(r, r->net.nodes_count);
    expect(r, NULL, r->net.nodes_count - 1);
    r->net.delivered = on_heard;
    fay_net_broadcast(&r->net, (uint32_t)fay_sim_below(&r->net.world, r->net.nodes_count),
                      (fay_grid_bytes){bytes, size});
    wait_for_all(r, "what was said");
    rest(r);
}

static void say_small(run *r)
{
    say_to_all(r, 500);
}

static void say_large(run *r)
{
    say_to_all(r, 100 * FAY_KIB);
}

/* Half cannot reach the other half for a minute: both take each other for dead, and go on. */
static void split(run *r)
{
    static const fay_ns minute = 60 * FAY_SECOND;
    uint32_t count = r->net.nodes_count;
    settle(r, count);
    for (uint32_t n = 0; n < count / 2; n++) {
        r->net.nodes[n].apart = true;
    }
    fay_net_split(&r->net, minute);
    fay_ns until = r->net.world.now + minute;
    while (fay_net_step(&r->net, until)) {
    }
    r->running = count;
    expect(r, on_count, count);
    wait_for_all(r, "the heal");
    rest(r);
}

static void on_death(void *context, uint32_t node, const fay_node_id *id, fay_member_state state)
{
    run *r = context;
    uint32_t subject = fay_net_find(&r->net, id);
    if (state == FAY_DEAD)
        fay_sim_fail(r->net.trace, "n%u takes n%u, which only paused, for dead", node, subject);
}

/* One Node of a hundred, or one, pauses for 2 s in each minute, for ten minutes. */
static void freeze(run *r)
{
    uint32_t count = r->net.nodes_count, at_once = FAY_MAX(count / 100, 1);
    settle(r, count);
    expect(r, on_death, 0);
    for (int minute = 0; minute < 10; minute++) {
        fay_ns begun = r->net.world.now;
        for (uint32_t i = 0; i < at_once; i++) {
            fay_ns until = begun + fay_sim_below(&r->net.world, FAY_SECOND);
            while (fay_net_step(&r->net, FAY_MAX(until, r->net.world.now))) {
            }
            fay_net_freeze(&r->net, (uint32_t)fay_sim_below(&r->net.world, count), 2 * FAY_SECOND);
        }
        while (fay_net_step(&r->net, begun + 60 * FAY_SECOND)) {
        }
    }
    rest(r);
}

static void chaos(run *r)
{
    settle(r, r->net.nodes_count);
    fay_sim_grid_chaos(&r->net);
    rest(r);
}

/* Targets of the design, in seconds, for up to 10, 100 and more Nodes. */
typedef struct scenario {
    const char *name, *what;
    void (*run)(run *r);
    double p50[3], p99[3]; /* 0 = none */
} scenario;

static const scenario scenarios[] = {
    {"join", "one more Node joins: all know it", join, {0}, {0.2, 0.3, 0.5}},
    {"storm", "all start in 1 s: tables are equal", storm, {0}, {1.5, 2, 4}},
    {"kill", "kill -9 of one: all list it dead", lose_killed, {0.4, 0.4, 0.5}, {1, 1, 1.2}},
    {"silent", "a machine is gone: all list it dead", lose_silent, {4.7, 4.7, 4.8}, {6, 6, 6.5}},
    {"half", "kill -9 of half: no zombies", half, {0}, {10, 10, 10}},
    {"say", "500 bytes to all: all hear it", say_small, {0}, {0.01, 0.02, 0.03}},
    {"sayhuge", "100 KiB to all: all hear it", say_large, {0}, {0}},
    {"split", "two halves for 60 s: tables are equal", split, {0}, {6, 6, 8}},
    {"freeze", "Nodes pause for 2 s: nobody is taken for dead", freeze, {0}, {0}},
    {"chaos", "everything goes wrong, then all agree", chaos, {0}, {0}},
};

void fay_grid_sim_list(FILE *out)
{
    for (size_t i = 0; i < FAY_COUNT(scenarios); i++) {
        (void)fprintf(out, "  %-8s %s\n", scenarios[i].name, scenarios[i].what);
    }
}

/* ---- running --------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const samples *of, double part)
{
    size_t at = (size_t)(part * (double)(of->count - 1) + 0.5);
    return of->items[at];
}

static bool print_row(const fay_grid_sim *sim, const scenario *s, samples *measured, FILE *out)
{
    size_t size = sim->nodes <= 10 ? 0 : sim->nodes <= 100 ? 1 : 2;
    qsort(measured->items, measured->count, sizeof measured->items[0], compare);
    double p50 = percentile(measured, 0.5), p99 = percentile(measured, 0.99);
    bool missed =
        (s->p99[size] > 0 && p99 > s->p99[size]) || (s->p50[size] > 0 && p50 > s->p50[size]);
    char target[32] = "-";
    if (s->p50[size] > 0) {
        (void)snprintf(target, sizeof target, "%g / %g", s->p50[size], s->p99[size]);
    } else if (s->p99[size] > 0) {
        (void)snprintf(target, sizeof target, "- / %g", s->p99[size]);
    }
    (void)fprintf(out, "%-8s %6u  %8.3f %8.3f %8.3f   %-10s %s\n", s->name, sim->nodes, p50, p99,
                  percentile(measured, 1), target,
                  s->p99[size] <= 0 ? ""
                  : missed          ? "missed"
                                    : "reached");
    (void)fflush(out);
    return !missed;
}

static void run_seed(const fay_grid_sim *sim, const scenario *s, uint64_t seed, samples *measured,
                     FILE *out)
{
    bool single = sim->first_seed == sim->last_seed;
    fay_sim_trace trace;
    fay_sim_trace_init(&trace, seed, single, sim->trace);
    run r = {.samples = measured};
    fay_net_init(&r.net, &trace, sim->nodes);
    r.knows = fay_alloc(sim->nodes * sizeof *r.knows);
    s->run(&r);
    fay_sim_say(&trace, "end", "%" PRIu64 " messages, %" PRIu64 " bytes, %" PRIu64 " dials",
                r.net.stats.messages, r.net.stats.bytes, r.net.stats.dials);
    if (single)
        (void)fprintf(out, "seed %" PRIu64 ": trace %016" PRIx64 "\n", seed, trace.hash);
    free(r.knows);
    fay_net_deinit(&r.net);
}

static bool run_scenario(const fay_grid_sim *sim, const scenario *s, FILE *out)
{
    samples measured = {0};
    FAY_RESERVE(measured.items, measured.capacity, sim->nodes);
    for (uint64_t seed = sim->first_seed; seed <= sim->last_seed; seed++) {
        run_seed(sim, s, seed, &measured, out);
    }
    bool reached = true;
    if (measured.count > 0) {
        reached = print_row(sim, s, &measured, out);
    } else {
        (void)fprintf(out, "%-8s %6u  nothing is measured, all is well\n", s->name, sim->nodes);
    }
    free(measured.items);
    return reached;
}

static bool is_named(const char *names, const char *name)
{
    if (strcmp(names, "all") == 0)
        return true;
    size_t size = strlen(name);
    for (const char *at = names; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, size) == 0 && (at[size] == '\0' || at[size] == ','))
            return true;
    }
    return false;
}

static size_t count_named(const char *names)
{
    size_t found = 0;
    for (size_t i = 0; i < FAY_COUNT(scenarios); i++) {
        found += is_named(names, scenarios[i].name);
    }
    return found;
}

static size_t count_words(const char *names)
{
    size_t words = 1;
    for (const char *at = names; *at != '\0'; at++) {
        words += *at == ',';
    }
    return words;
}

int fay_grid_sim_run(const fay_grid_sim *sim, FILE *out, fay_error *err)
{
    bool all = strcmp(sim->scenarios, "all") == 0;
    if (!all && count_named(sim->scenarios) != count_words(sim->scenarios)) {
        (void)fay_fail_with(err, FAY_E_INVAL, "there is no such scenario in '%s'", sim->scenarios);
        fay_hint(err, "faymora-sim grid --help lists them");
        return FAY_E_INVAL;
    }
    if (sim->nodes < FAY_GRID_SIM_NODES_MIN || sim->nodes > FAY_GRID_SIM_NODES_MAX) {
        (void)fay_fail_with(err, FAY_E_INVAL, "%u Nodes", sim->nodes);
        fay_hint(err, "from %d to %d", FAY_GRID_SIM_NODES_MIN, FAY_GRID_SIM_NODES_MAX);
        return FAY_E_INVAL;
    }
    (void)fprintf(out, "scenario  nodes    p50 s    p99 s    max s   target\n");
    bool reached = true;
    for (size_t i = 0; i < FAY_COUNT(scenarios); i++) {
        if (is_named(sim->scenarios, scenarios[i].name))
            reached = run_scenario(sim, &scenarios[i], out) && reached;
    }
    return reached ? 0 : 1;
}
