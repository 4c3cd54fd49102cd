/* SPDX-License-Identifier: MIT */
#include "sim/grid_sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/grid_scenes.h"

void fay_grid_sim_list(FILE *out)
{
    for (size_t i = 0; i < fay_sim_scenes_count; i++) {
        (void)fprintf(out, "  %-8s %s%s\n", fay_sim_scenes[i].name, fay_sim_scenes[i].what,
                      fay_sim_scenes[i].is_long ? " (long)" : "");
    }
}

/* ---- running --------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const fay_sim_samples *of, double part)
{
    size_t at = (size_t)(part * (double)(of->count - 1) + 0.5);
    return of->items[at];
}

static bool print_row(const fay_grid_sim *sim, const fay_sim_scene *s, fay_sim_samples *measured,
                      FILE *out)
{
    size_t size = sim->nodes <= 10 ? 0 : sim->nodes <= 100 ? 1 : sim->nodes <= 1000 ? 2 : 3;
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

static void run_seed(const fay_grid_sim *sim, const fay_sim_scene *s, uint64_t seed,
                     fay_sim_samples *measured, FILE *out)
{
    bool single = sim->first_seed == sim->last_seed;
    fay_sim_trace trace;
    fay_sim_trace_init(&trace, seed, single, sim->trace);
    fay_sim_run r = {.samples = measured};
    fay_net_init(&r.net, &trace, sim->nodes, s->clones);
    r.knows = fay_alloc(r.net.nodes_count * sizeof *r.knows);
    s->run(&r);
    fay_sim_say(&trace, "end", "%" PRIu64 " messages, %" PRIu64 " bytes, %" PRIu64 " dials",
                r.net.stats.messages, r.net.stats.bytes, r.net.stats.dials);
    if (single)
        (void)fprintf(out, "seed %" PRIu64 ": trace %016" PRIx64 "\n", seed, trace.hash);
    free(r.knows);
    fay_net_deinit(&r.net);
}

static bool run_scenario(const fay_grid_sim *sim, const fay_sim_scene *s, FILE *out)
{
    fay_sim_samples measured = {0};
    uint32_t most = s->nodes_max > 0 ? s->nodes_max : FAY_GRID_SIM_NODES_MAX;
    if (sim->nodes < s->nodes_min || sim->nodes > most) {
        (void)fprintf(out, "%-8s %6u  takes %u to %u Nodes\n", s->name, sim->nodes,
                      FAY_MAX(s->nodes_min, (uint32_t)FAY_GRID_SIM_NODES_MIN), most);
        return true;
    }
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

static bool is_named(const fay_grid_sim *sim, const fay_sim_scene *s)
{
    const char *names = sim->scenarios;
    size_t size = strlen(s->name);
    if (strcmp(names, "all") == 0 || strcmp(names, "long") == 0)
        return s->is_long == (names[0] == 'l');
    for (const char *at = names; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, s->name, size) == 0 && (at[size] == '\0' || at[size] == ','))
            return true;
    }
    return false;
}

static size_t count_named(const fay_grid_sim *sim)
{
    size_t found = 0;
    for (size_t i = 0; i < fay_sim_scenes_count; i++) {
        found += is_named(sim, &fay_sim_scenes[i]);
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
    bool several = strcmp(sim->scenarios, "all") == 0 || strcmp(sim->scenarios, "long") == 0;
    if (!several && count_named(sim) != count_words(sim->scenarios)) {
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
    for (size_t i = 0; i < fay_sim_scenes_count; i++) {
        if (is_named(sim, &fay_sim_scenes[i]))
            reached = run_scenario(sim, &fay_sim_scenes[i], out) && reached;
    }
    return reached ? 0 : 1;
}
