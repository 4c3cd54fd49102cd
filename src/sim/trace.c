/* SPDX-License-Identifier: MIT */
#include "sim/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LINE_MAX_BYTES = 512
};

void fay_sim_trace_init(fay_sim_trace *trace, uint64_t seed, bool on, bool print)
{
    *trace = (fay_sim_trace){
        .seed = seed, .on = on || print, .print = print, .hash = 0xcbf29ce484222325u};
}

/* FNV-1a, by Fowler, Noll and Vo: small, and good enough to tell two texts apart. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    }
    return hash;
}

static fay_ns now(const fay_sim_trace *trace)
{
    return trace->now != NULL ? *trace->now : 0;
}

void fay_sim_say(fay_sim_trace *trace, const char *who, const char *format, ...)
{
    if (!trace->on)
        return;
    char what[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 64];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    (void)snprintf(line, sizeof line, "[%5" PRIu64 ".%09" PRIu64 "] %-9s %s\n",
                   now(trace) / FAY_SECOND, now(trace) % FAY_SECOND, who, what);
    trace->hash = hash_text(trace->hash, line);
    if (trace->print)
        (void)fputs(line, stdout);
}

void fay_sim_fail(const fay_sim_trace *trace, const char *format, ...)
{
    char what[2 * LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    for (char *c = what; *c != '\0'; c++) { /* it may quote what a torn write has left */
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
    (void)fflush(stdout); /* the trace comes before its end */
    (void)printf("seed %" PRIu64 ": %s (at %" PRIu64 ".%09" PRIu64 " s)\n", trace->seed, what,
                 now(trace) / FAY_SECOND, now(trace) % FAY_SECOND);
    (void)fflush(stdout);
    exit(1); // NOLINT(concurrency-mt-unsafe): there is one thread
}
