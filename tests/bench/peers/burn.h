/* SPDX-License-Identifier: MIT */
/* burn(ms): spends that many milliseconds of this thread's CPU time. */
#ifndef BENCH_BURN_H
#define BENCH_BURN_H

#include <time.h>

static double thread_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void burn(double ms)
{
    volatile unsigned x = 1;
    for (double end = thread_ms() + ms; thread_ms() < end;) {
        for (int i = 0; i < 2000; i++)
            x = x * 1664525u + 1013904223u;
    }
}

#endif
