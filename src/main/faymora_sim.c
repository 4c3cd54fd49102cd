/* SPDX-License-Identifier: MIT */
/*
 * faymora-sim: the cores of Faymora in virtual time, with everything going wrong that may.
 *
 *     faymora-sim NAME [--seeds A-B | --seed N] [--trace] [--quiet]
 *
 * One row of the table below is one simulation.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/flow_sim.h"
#include "sim/seeds.h"

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2
};

static const struct simulation {
    const char *name;
    fay_sim_one *one;
    const char *what;
} simulations[] = {
    {"flow", fay_sim_flow, "whole pipelines: workers, Instances, links, disks and owners die"},
};

static void help(FILE *out)
{
    (void)fputs("usage: faymora-sim SIMULATION [OPTIONS]\n\nSimulations:\n", out);
    for (size_t i = 0; i < FAY_COUNT(simulations); i++) {
        (void)fprintf(out, "  %-10s %s\n", simulations[i].name, simulations[i].what);
    }
    (void)fputs("\nOptions:\n"
                "  --seeds A-B  the seeds to run, both ends included (1-100)\n"
                "  --seed N     this one; prints the hash of its trace\n"
                "  --trace      print what happens; with --seed\n"
                "  -q, --quiet  print failures only\n"
                "  -h, --help   print this\n"
                "\nExit: 0 all went well, 1 a seed failed (its number is printed), 2 usage.\n",
                out);
}

static int usage(const char *what)
{
    (void)fprintf(stderr, "faymora-sim: error: %s\n  hint: faymora-sim --help\n", what);
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

static bool parse_seeds(const char *text, bool range, fay_sim_seeds *seeds)
{
    const char *end;
    if (!parse_number(text, &end, &seeds->from))
        return false;
    seeds->to = seeds->from;
    if (range && *end == '-' && !parse_number(end + 1, &end, &seeds->to))
        return false;
    return *end == '\0' && seeds->from <= seeds->to && seeds->to < UINT64_MAX;
}

static int simulate(const struct simulation *simulation, int argc, char **argv)
{
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
            if (!parse_seeds(optarg, option == 'r', &seeds))
                return usage("seeds are numbers: --seed 7, --seeds 1-300");
            break;
        case 't': seeds.trace = true; break;
        case 'q': seeds.quiet = true; break;
        case 'h': help(stdout); return 0;
        default: return EXIT_USAGE;
        }
    }
    if (optind < argc)
        return usage("too many arguments");
    if (seeds.trace && seeds.from != seeds.to)
        return usage("--trace is for a single --seed");
    return fay_sim_seeds_run(&seeds, simulation->name, simulation->one) > 0 ? EXIT_FAILED : 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        help(stdout);
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < FAY_COUNT(simulations); i++) {
        if (strcmp(argv[1], simulations[i].name) == 0)
            return simulate(&simulations[i], argc - 1, argv + 1);
    }
    return usage(argc > 1 ? "there is no such simulation" : "which simulation?");
}
