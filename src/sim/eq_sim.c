/* SPDX-License-Identifier: MIT */
#include "sim/eq_sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/eq_line.h"
#include "sim/eq_results.h"

/* Is a name in a list of names? */
static bool is_among(const char *name, const char *list)
{
    size_t length = strlen(name);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

static size_t names_count(const char *list)
{
    size_t count = 1;
    for (; (list = strchr(list, ',')) != NULL; list++) {
        count++;
    }
    return count;
}

/* The first name that stands in the list again, or NULL; free() it. */
static char *named_twice(const char *list)
{
    for (const char *rest = strchr(list, ','); rest != NULL; rest = strchr(list, ',')) {
        char *name = fay_printed("%.*s", (int)(rest - list), list);
        if (is_among(name, rest))
            return name;
        free(name);
        list = rest + 1;
    }
    return NULL;
}

/* Why not each name of the list is that of a trace (or whatever it is). */
static int refuse_names(const char *what, const char *list, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *twice = named_twice(list);
    if (twice != NULL) {
        (void)fay_fail_with(err, FAY_E_INVAL, "the %s %s is named twice in \"%s\"", what, twice,
                            list);
        fay_hint(err, "name it once");
        return FAY_E_INVAL;
    }
    (void)fay_fail_with(err, FAY_E_INVAL, "there is no such %s in \"%s\"", what, list);
    fay_hint(err, "faymora-sim equalizer --help lists them");
    return FAY_E_INVAL;
}

/* ---- what is asked for ----------------------------------------------------------------------- */

static int choose_traces(const fay_eq_sim *sim, fay_eq_results *results, fay_error *err)
{
    size_t most = fay_eq_traces_count(false) + fay_eq_traces_count(true), named = 0;
    results->traces = fay_alloc(FAY_MAX(most, (size_t)sim->fuzz) * sizeof *results->traces);
    for (; results->traces_count < sim->fuzz; results->traces_count++) {
        fay_eq_trace_fuzz(results->traces_count, &results->traces[results->traces_count]);
    }
    for (int extra = 0; sim->fuzz == 0 && extra < 2; extra++) {
        bool whole = is_among(extra == 0 ? "all" : "extra", sim->traces);
        named += whole;
        for (size_t i = 0; i < fay_eq_traces_count(extra == 1); i++) {
            fay_eq_trace *trace = &results->traces[results->traces_count];
            fay_eq_trace_make(extra == 1, i, trace);
            bool by_name = is_among(trace->name, sim->traces);
            named += by_name;
            results->traces_count += whole || by_name;
        }
    }
    if (sim->fuzz == 0 && named != names_count(sim->traces))
        return refuse_names("trace", sim->traces, err);
    return 0;
}

static int choose_controllers(const fay_eq_sim *sim, fay_eq_results *results, fay_error *err)
{
    bool all = is_among("all", sim->baselines);
    size_t named = all;
    for (size_t i = 0; i < fay_eq_controllers_count(); i++) {
        const fay_eq_controller *controller = fay_eq_controller_at(i);
        bool by_name = is_among(controller->name, sim->baselines);
        named += by_name;
        if (all || by_name || fay_eq_controller_always(i))
            results->controllers[results->controllers_count++] = controller;
    }
    if (sim->baselines != NULL && named != names_count(sim->baselines))
        return refuse_names("baseline", sim->baselines, err);
    return 0;
}

static int choose(const fay_eq_sim *sim, fay_eq_results *results, fay_error *err)
{
    uint64_t seeds = sim->last_seed - sim->first_seed;
    if (seeds >= FAY_EQ_SEEDS_MAX || sim->fuzz > FAY_EQ_FUZZ_MAX) {
        (void)fay_fail_with(err, FAY_E_INVAL, "at most %d seeds and %d drawn pipelines at once",
                            FAY_EQ_SEEDS_MAX, FAY_EQ_FUZZ_MAX);
        return FAY_E_INVAL;
    }
    int status = choose_traces(sim, results, err);
    if (status == 0)
        status = choose_controllers(sim, results, err);
    if (status < 0)
        return status;
    results->first_seed = sim->first_seed;
    results->seeds_count = (size_t)seeds + 1;
    bool one = results->traces_count == 1 && results->seeds_count == 1;
    if (!one && (sim->timeline || sim->plot != NULL)) {
        (void)fay_fail_with(err, FAY_E_INVAL, "a time line is of one trace and one seed");
        fay_hint(err, "faymora-sim equalizer --trace step_up --seed 1 --timeline");
        return FAY_E_INVAL;
    }
    size_t runs = results->traces_count * results->controllers_count * results->seeds_count;
    results->metrics = fay_alloc(runs * sizeof *results->metrics);
    if (one)
        results->records = fay_alloc(results->controllers_count * sizeof *results->records);
    return 0;
}

/* ---- the runs -------------------------------------------------------------------------------- */

static void run_line(const fay_eq_trace *on, const fay_eq_controller *controller, uint64_t seed,
                     fay_eq_metrics *ret, fay_eq_record *ret_record)
{
    FAY_CLEANUP(fay_freep) fay_eq_line *line = fay_alloc(sizeof *line);
    fay_eq_line_run(line, on, controller, seed);
    fay_eq_metrics_make(on, &line->record, ret);
    if (ret_record != NULL) {
        *ret_record = line->record;
        line->record = (fay_eq_record){0};
    }
    fay_eq_line_deinit(line);
}

static void run_one(fay_eq_results *results, size_t trace, size_t controller, size_t seed)
{
    const fay_eq_controller *with = results->controllers[controller];
    uint64_t number = results->first_seed + seed;
    fay_eq_metrics *metrics = fay_eq_result(results, trace, controller, seed), without;
    fay_eq_trace quick;
    run_line(&results->traces[trace], with, number, metrics,
             results->records != NULL ? &results->records[controller] : NULL);
    if (fay_eq_trace_without_slow(&results->traces[trace], &quick)) {
        run_line(&quick, with, number, &without, NULL);
        fay_eq_metrics_compare(metrics, &without);
    }
}

static int run_all(fay_eq_results *results)
{
    int lost = 0;
    for (size_t trace = 0; trace < results->traces_count; trace++) {
        for (size_t controller = 0; controller < results->controllers_count; controller++) {
            for (size_t seed = 0; seed < results->seeds_count; seed++) {
                run_one(results, trace, controller, seed);
                lost += fay_eq_result(results, trace, controller, seed)->lost;
            }
        }
    }
    return lost;
}

static int plot(const char *path, const fay_eq_results *results, fay_error *err)
{
    FILE *file = fopen(path, "we");
    if (file != NULL)
        fay_eq_plot_print(results, file);
    if (file != NULL && fclose(file) == 0)
        return 0;
    int r = fay_fail_errno(err, FAY_E_IO, errno, "cannot write %s", path);
    fay_hint(err, "see to its directory and the room there, or name another file with --plot");
    return r;
}

int fay_eq_sim_run(const fay_eq_sim *sim, FILE *out, fay_error *err)
{
    FAY_CLEANUP(fay_eq_results_deinit) fay_eq_results results = {0};
    int status = choose(sim, &results, err);
    if (status < 0)
        return status;
    int lost = run_all(&results);
    if (sim->timeline && !sim->json)
        fay_eq_timeline_print(&results, out);
    if (sim->json) {
        fay_eq_json_print(&results, out);
    } else {
        fay_eq_table_print(&results, out);
    }
    if (sim->plot != NULL)
        status = plot(sim->plot, &results, err);
    return status < 0 ? status : lost;
}

void fay_eq_sim_list(FILE *out)
{
    for (int extra = 0; extra < 2; extra++) {
        (void)fputs(extra == 0 ? "  all:  " : "  extra:", out);
        for (size_t i = 0; i < fay_eq_traces_count(extra == 1); i++) {
            fay_eq_trace trace;
            fay_eq_trace_make(extra == 1, i, &trace);
            (void)fprintf(out, "%s %s", i > 0 && i % 8 == 0 ? "\n        " : "", trace.name);
        }
        (void)fputs("\n", out);
    }
    (void)fputs("\nBaselines:\n", out);
    for (size_t i = 0; i < fay_eq_controllers_count(); i++) {
        const fay_eq_controller *controller = fay_eq_controller_at(i);
        (void)fprintf(out, "  %-9s %s%s\n", controller->name, controller->what,
                      fay_eq_controller_always(i) ? "; always takes part" : "");
    }
}
