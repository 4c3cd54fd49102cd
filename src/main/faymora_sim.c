/* SPDX-License-Identifier: MIT */
/*
 * faymora-sim: the cores of Faymora in virtual time.
 *
 *     faymora-sim flow       whole pipelines, with everything going wrong that may
 *     faymora-sim equalizer  the controllers of elasticity, measured against each other
 *     faymora-sim grid       membership: how fast news are known, and whether all agree
 *
 * One row of the table at the end is one simulation.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/eq_sim.h"
#include "sim/flow_sim.h"
#include "sim/grid_sim.h"
#include "sim/seeds.h"

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_IO = 7 /* as faymora's */
};

static int usage(const char *what, const char *hint)
{
    (void)fprintf(stderr, "faymora-sim: error: %s\n  hint: %s\n", what, hint);
    return EXIT_USAGE;
}

static bool parse_number(const char *text, const char **ret_end, uint64_t *ret)
{
    char *end;
    errno = 0;
    if (text[0] < '0' || text[0] > '9')
        return false;
    *ret = strtoull(text, &end, 10);
    *ret_end = end;
    return errno == 0;
}

static bool parse_seeds(const char *text, bool range, uint64_t *ret_from, uint64_t *ret_to)
{
    const char *end;
    if (!parse_number(text, &end, ret_from))
        return false;
    *ret_to = *ret_from;
    if (range && *end == '-' && !parse_number(end + 1, &end, ret_to))
        return false;
    return *end == '\0' && *ret_from <= *ret_to && *ret_to < UINT64_MAX;
}

static const char bad_seeds[] =
    "seeds are numbers up to 18446744073709551614, the first no larger than the last: --seed 7, "
    "--seeds 1-300";

/* ---- flow ------------------------------------------------------------------------------------ */

static void flow_help(FILE *out)
{
    (void)fputs(
        "usage: faymora-sim flow [OPTIONS]\n"
        "\nWhole pipelines: workers, Instances, links, disks and owners die.\n"
        "\nOptions:\n"
        "  --seeds A-B  the seeds to run, both ends included (1-100)\n"
        "  --seed N     this one; prints the hash of its trace\n"
        "  --trace      print what happens; with --seed\n"
        "  -q, --quiet  print failures only\n"
        "  -h, --help   print this\n"
        "\nThe last line also counts the workers that were retired, how many of these were\n"
        "the last of their stage (to none), and how often that woke again (from none).\n"
        "\nExit: 0 all went well, 1 a seed failed (its number is printed), 2 usage.\n",
        out);
}

static int flow_main(int argc, char **argv)
{
    static const char hint[] = "faymora-sim flow --help";
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 'r'}, {"seed", required_argument, NULL, 's'},
        {"trace", no_argument, NULL, 't'},       {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},        {0}};
    fay_sim_seeds seeds = {.from = 1, .to = 100};
    int option;
    /* One thread, so getopt's globals are nobody else's. */
    while ((option = getopt_long(argc, argv, "qh", options, NULL)) != -1) { // NOLINT(concurrency-*)
        switch (option) {
        case 'r':
        case 's':
            if (!parse_seeds(optarg, option == 'r', &seeds.from, &seeds.to))
                return usage(bad_seeds, hint);
            break;
        case 't': seeds.trace = true; break;
        case 'q': seeds.quiet = true; break;
        case 'h': flow_help(stdout); return 0;
        default: return EXIT_USAGE;
        }
    }
    if (optind < argc)
        return usage("too many arguments", hint);
    if (seeds.trace && seeds.from != seeds.to)
        return usage("--trace is for a single --seed", hint);
    return fay_sim_seeds_run(&seeds, "flow", fay_sim_flow) > 0 ? EXIT_FAILED : 0;
}

/* ---- equalizer ------------------------------------------------------------------------------- */

static void equalizer_help(FILE *out)
{
    (void)fputs(
        "usage: faymora-sim equalizer [OPTIONS]\n"
        "\nHow well controllers keep each stage at the workers that its load needs: all see\n"
        "the same arrivals and the same work, and are measured against an oracle.\n"
        "\nOptions:\n"
        "  --trace NAMES     traces, with commas between them (all)\n"
        "  --fuzz N          N random pipelines with random loads instead\n"
        "  --baseline NAMES  other systems' controllers beside ours, or all\n"
        "  --seeds A-B       the seeds to run, both ends included (1-3)\n"
        "  --seed N          this one\n"
        "  -v, --timeline    print each period of one trace and one seed\n"
        "  --json            print JSON; of one trace and one seed with its time line\n"
        "  --plot FILE       draw the workers over time as an SVG, likewise\n"
        "  -h, --help        print this\n"
        "\nTraces:\n",
        out);
    fay_eq_sim_list(out);
    (void)fputs(
        "\nJSON: `controllers` sums up, `runs` has one object for each trace, controller and "
        "seed:\n"
        "  settle_t            periods from the disturbance until queues are short again\n"
        "  p50, p99            periods from source to sink\n"
        "  workers, backlog    worker-periods; Item-periods in queues\n"
        "  workers_mean, _peak workers of all stages\n"
        "  extra_workers,      the same beyond those of the same run without its slow Items;\n"
        "  extra_workers_peak  null where the trace has none\n"
        "  actions, reversals  workers started and retired; the opposite within 20 periods\n"
        "  reversals_per_100   reversals in 100 periods\n"
        "  armed               share of the time in which the controller was busy with a stage\n"
        "  evaluations, makespan, repeated (Items of workers that died), lost\n"
        "Loads that are constant: noisy (lognormal, CV 2), and with one Item in 500 that takes\n"
        "100 times as long: poison, straggler, oneslow.\n",
        out);
    (void)fputs("\nExit: 0 all went well, 1 a run lost an Item, 2 usage, 7 the drawing cannot be "
                "written.\n",
                out);
}

static int equalizer_run(const fay_eq_sim *sim)
{
    fay_error err = {0};
    int status = fay_eq_sim_run(sim, stdout, &err);
    if (status >= 0)
        return status > 0 ? EXIT_FAILED : 0;
    (void)usage(err.message, err.hint[0] != '\0' ? err.hint : "faymora-sim equalizer --help");
    return status == FAY_E_INVAL ? EXIT_USAGE : EXIT_IO;
}

static int equalizer_main(int argc, char **argv)
{
    static const char hint[] = "faymora-sim equalizer --help";
    static const struct option options[] = {
        {"trace", required_argument, NULL, 't'},    {"fuzz", required_argument, NULL, 'f'},
        {"baseline", required_argument, NULL, 'b'}, {"seeds", required_argument, NULL, 'r'},
        {"seed", required_argument, NULL, 's'},     {"timeline", no_argument, NULL, 'v'},
        {"json", no_argument, NULL, 'j'},           {"plot", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},           {0}};
    fay_eq_sim sim = {.first_seed = 1, .last_seed = 3};
    const char *end;
    int option;
    while ((option = getopt_long(argc, argv, "vh", options, NULL)) != -1) { // NOLINT(concurrency-*)
        switch (option) {
        case 't': sim.traces = optarg; break;
        case 'f':
            if (!parse_number(optarg, &end, &sim.fuzz) || *end != '\0' || sim.fuzz == 0)
                return usage("--fuzz takes a number of pipelines: --fuzz 40", hint);
            break;
        case 'b': sim.baselines = optarg; break;
        case 'r':
        case 's':
            if (!parse_seeds(optarg, option == 'r', &sim.first_seed, &sim.last_seed))
                return usage(bad_seeds, hint);
            break;
        case 'v': sim.timeline = true; break;
        case 'j': sim.json = true; break;
        case 'p': sim.plot = optarg; break;
        case 'h': equalizer_help(stdout); return 0;
        default: return EXIT_USAGE;
        }
    }
    if (optind < argc)
        return usage("too many arguments", hint);
    if (sim.fuzz > 0 && sim.traces != NULL)
        return usage("--fuzz and --trace exclude each other", hint);
    if (sim.traces == NULL)
        sim.traces = "all";
    return equalizer_run(&sim);
}

/* ---- grid ------------------------------------------------------------------------------------ */

static void grid_help(FILE *out)
{
    (void)fputs("usage: faymora-sim grid [OPTIONS]\n"
                "\nMembership of many Nodes: how fast news are known everywhere.\n"
                "\nOptions:\n"
                "  --scenario NAMES  scenarios, with commas between them, all or long (all)\n"
                "  --nodes N         Nodes, 2 to 4000 (100)\n"
                "  --seeds A-B       the seeds to run, both ends included (1-3)\n"
                "  --seed N          this one; prints the hash of its trace\n"
                "  --trace           print what happens; with --seed\n"
                "  -h, --help        print this\n"
                "\nScenarios:\n",
                out);
    fay_grid_sim_list(out);
    (void)fputs("\nExit: 0 all targets reached, 1 missed or something must not be, 2 usage.\n",
                out);
}

static int grid_run(const fay_grid_sim *sim)
{
    fay_error err = {0};
    int status = fay_grid_sim_run(sim, stdout, &err);
    return status >= 0 ? status : usage(err.message, err.hint);
}

static int grid_main(int argc, char **argv)
{
    static const char hint[] = "faymora-sim grid --help";
    static const struct option options[] = {{"scenario", required_argument, NULL, 'c'},
                                            {"nodes", required_argument, NULL, 'n'},
                                            {"seeds", required_argument, NULL, 'r'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"trace", no_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    fay_grid_sim sim = {.scenarios = "all", .nodes = 100, .first_seed = 1, .last_seed = 3};
    uint64_t nodes;
    const char *end;
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) { // NOLINT(concurrency-*)
        switch (option) {
        case 'c': sim.scenarios = optarg; break;
        case 'n':
            if (!parse_number(optarg, &end, &nodes) || *end != '\0' || nodes > UINT32_MAX)
                return usage("--nodes takes a number: --nodes 100", hint);
            sim.nodes = (uint32_t)nodes;
            break;
        case 'r':
        case 's':
            if (!parse_seeds(optarg, option == 'r', &sim.first_seed, &sim.last_seed))
                return usage(bad_seeds, hint);
            break;
        case 't': sim.trace = true; break;
        case 'h': grid_help(stdout); return 0;
        default: return EXIT_USAGE;
        }
    }
    if (optind < argc)
        return usage("too many arguments", hint);
    if (sim.trace && sim.first_seed != sim.last_seed)
        return usage("--trace is for a single --seed", hint);
    return grid_run(&sim);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static const struct simulation {
    const char *name;
    int (*main)(int argc, char **argv); /* argv[0] is the name */
    const char *what;
} simulations[] = {
    {"flow", flow_main, "whole pipelines: workers, Instances, links, disks and owners die"},
    {"equalizer", equalizer_main, "elasticity: controllers, measured against an oracle"},
    {"grid", grid_main, "membership: how fast news are known, and whether all agree"},
};

static void help(FILE *out)
{
    (void)fputs("usage: faymora-sim SIMULATION [OPTIONS]\n\nSimulations:\n", out);
    for (size_t i = 0; i < FAY_COUNT(simulations); i++) {
        (void)fprintf(out, "  %-10s %s\n", simulations[i].name, simulations[i].what);
    }
    (void)fputs("\nOptions: faymora-sim SIMULATION --help\n", out);
}

int main(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        help(stdout);
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < FAY_COUNT(simulations); i++) {
        if (strcmp(argv[1], simulations[i].name) == 0)
            return simulations[i].main(argc - 1, argv + 1);
    }
    return usage(argc > 1 ? "there is no such simulation" : "which simulation?",
                 "faymora-sim --help");
}
