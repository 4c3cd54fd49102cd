/* SPDX-License-Identifier: MIT */
/* What the baselines have in common (eq_baselines.h). */
#include <assert.h>

#include "sim/eq_baselines.h"

#define ROUNDING 1e-9 /* ticks are whole numbers, windows too */

void fay_eq_window_add(fay_eq_window *window, double keep, fay_eq_glance glance)
{
    while (window->count > 0 && fay_eq_window_at(window, 0)->time < glance.time - keep - ROUNDING) {
        window->first = (window->first + 1) % FAY_EQ_WINDOW_MAX;
        window->count--;
    }
    assert(window->count < FAY_EQ_WINDOW_MAX);
    window->glances[(window->first + window->count++) % FAY_EQ_WINDOW_MAX] = glance;
}

const fay_eq_glance *fay_eq_window_at(const fay_eq_window *window, size_t i)
{
    assert(i < window->count);
    return &window->glances[(window->first + i) % FAY_EQ_WINDOW_MAX];
}

double fay_eq_window_max(const fay_eq_window *window)
{
    double most = fay_eq_window_at(window, 0)->value;
    for (size_t i = 1; i < window->count; i++) {
        double value = fay_eq_window_at(window, i)->value;
        most = FAY_MAX(most, value);
    }
    return most;
}

fay_eq_glance fay_eq_glance_at(const fay_eq_line *line, const fay_eq_reading *reading)
{
    return (fay_eq_glance){.time = fay_eq_now(line),
                           .arrivals = reading->arrivals,
                           .finished = reading->finished,
                           .useful = reading->useful};
}

fay_eq_glance fay_eq_window_gain(const fay_eq_window *window)
{
    const fay_eq_glance *first = fay_eq_window_at(window, 0);
    const fay_eq_glance *last = fay_eq_window_at(window, window->count - 1);
    return (fay_eq_glance){.time = last->time - first->time,
                           .arrivals = last->arrivals - first->arrivals,
                           .finished = last->finished - first->finished,
                           .useful = last->useful - first->useful};
}

size_t fay_eq_bounded(const fay_eq_line *line, size_t stage, size_t count)
{
    fay_eq_facts facts;
    fay_eq_facts_of(line, stage, &facts);
    size_t most = FAY_MIN(count, facts.workers_max);
    return FAY_MAX(facts.workers_min, most);
}

void fay_eq_scale(fay_eq_line *line, size_t stage, size_t count)
{
    fay_eq_reading reading;
    fay_eq_read(line, stage, &reading);
    size_t target = fay_eq_bounded(line, stage, count);
    size_t has = reading.workers - reading.draining;
    if (target > has)
        (void)fay_eq_spawn(line, stage, target - has);
    for (; has > target; has--) {
        (void)fay_eq_retire(line, stage, FAY_EQ_CHEAPEST);
    }
}
