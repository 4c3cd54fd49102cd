/* SPDX-License-Identifier: MIT */
/* The worker that `faymora bench frames` measures: a class that returns each Item as it came. */
#ifndef FAY_BENCH_H
#define FAY_BENCH_H

int fay_bench_worker(int argc, char **argv);

#endif /* FAY_BENCH_H */
