/* SPDX-License-Identifier: MIT */
/*
 * The program faymora: the command line; and by hidden verbs what it starts itself.
 *
 *     faymora --instance FD       one stage's Instance, on a socketpair to the run's owner
 *     faymora --bench-worker      the no-op class that `faymora bench frames` measures
 */
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/cli.h"
#include "instance/instance.h"

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--instance") == 0)
        return fay_instance_main((int)strtol(argv[2], NULL, 10));
    if (argc == 2 && strcmp(argv[1], "--bench-worker") == 0)
        return fay_bench_worker(argc, argv);
    return fay_cli_main(argc, argv);
}
