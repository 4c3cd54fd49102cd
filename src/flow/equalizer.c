/* SPDX-License-Identifier: MIT */
#include "flow/equalizer.h"

#include <assert.h>
#include <math.h>

static const double spawn_guess_ns = 20e6; /* before the first worker has started */
enum {
    EVENS_UNTIL_DORMANT = 3,
    SPECULATIVE_MAX = 16,
    FLAPS_MAX = 6
};

static fay_ns period(const fay_equalizer *e)
{
    if (e->period > 0)
        return e->period;
    return (fay_ns)fmax(50e6, e->spawn_ns / 2);
}

static double target_wait(const fay_equalizer *e)
{
    return e->target_wait > 0 ? (double)e->target_wait : (double)period(e) / 2;
}

void fay_equalizer_scale(fay_equalizer *e, unsigned min, unsigned max, bool pinned, fay_ns now)
{
    assert(min <= max && max > 0);
    e->min = min;
    e->max = max;
    e->pinned = pinned;
    e->due = pinned ? FAY_NEVER : now;
    e->armed = !pinned;
    e->held_by = pinned ? "PINNED" : "";
}

void fay_equalizer_init(fay_equalizer *e, unsigned min, unsigned max, bool pinned, fay_ns now)
{
    *e = (fay_equalizer){.spawn_ns = spawn_guess_ns, .last_at = now, .held_by = ""};
    fay_equalizer_scale(e, min, max, pinned, now);
    e->armed = false;
    e->due = FAY_NEVER;
}

void fay_equalizer_spawned(fay_equalizer *e, fay_ns took)
{
    e->spawn_ns += 0.3 * ((double)took - e->spawn_ns);
}

/* How long the surplus worker must have been idle before it goes. */
static fay_ns hold(const fay_equalizer *e)
{
    double t = (double)period(e);
    double least = fmax(2 * t, fmax(1.5 * e->spawn_ns, e->item_ns / 2));
    return (fay_ns)(least * (1 + e->flaps));
}

static bool backlog(const fay_equalizer *e, const fay_equalizer_input *in)
{
    if (in->kept_out)
        return true;
    double may_wait = e->item_ns > 0 ? 0.5 * in->live * target_wait(e) / e->item_ns : 0;
    return (double)in->queued >= fmax(2, may_wait) && in->idle == 0;
}

/* Pressure without an evaluation, where nothing could be decided anyway: no timer is needed. */
static void note_pressure(fay_equalizer *e, const fay_equalizer_input *in, bool growing)
{
    bool blocked = in->blocked && in->queued > 0;
    if (blocked || growing) {
        e->pressure = blocked ? FAY_BLOCKED : FAY_HIGH;
    } else if (e->pressure != FAY_LOW) {
        e->pressure = FAY_EVEN;
    }
    e->held_by = blocked ? "BLOCKED" : growing ? "AT_MAX" : "";
}

void fay_equalizer_watch(fay_equalizer *e, fay_ns now, const fay_equalizer_input *in)
{
    if (e->pinned || e->armed)
        return;
    unsigned have = in->live + in->starting;
    bool growing = backlog(e, in) || (in->queued > 0 && have == 0);
    if (growing && !in->blocked && have < e->max) {
        e->armed = true;
        e->evens = 0;
        e->due = now;
        return;
    }
    note_pressure(e, in, growing);
    e->due = FAY_NEVER;
    if (in->idle_since == FAY_NEVER || have <= e->min)
        return;
    fay_ns next = e->released_at + period(e) / 8;
    if (e->refused_at > 0)
        next = FAY_MAX(next, e->refused_at + period(e)); /* not again before much is different */
    e->due = FAY_MAX(in->idle_since + hold(e), next);
}

static void estimate(fay_equalizer *e, fay_ns now, const fay_equalizer_input *in)
{
    fay_ns elapsed = now - e->last_at;
    if (elapsed < period(e) / 8 && e->rate > 0)
        return;
    double seconds = fmax((double)elapsed / 1e9, 1e-6);
    double rate = (double)(in->arrivals - e->last_arrivals) / seconds;
    double fresh = fmin(1, (double)elapsed / (4.0 * (double)period(e)));
    e->rate = e->rate > 0 ? e->rate + fresh * (rate - e->rate) : rate;
    uint64_t finished = in->finished - e->last_finished;
    if (finished > 0) {
        double item = (double)(in->useful_ns - e->last_useful_ns) / (double)finished;
        double weight = fmin(1, 0.1 + (double)finished / 64);
        e->item_ns = e->item_ns > 0 ? e->item_ns + weight * (item - e->item_ns) : item;
    }
    e->last_arrivals = in->arrivals;
    e->last_finished = in->finished;
    e->last_useful_ns = in->useful_ns;
    e->last_at = now;
}

/* n*, and whether the stage is under what HIGH asks for. */
static double wanted(const fay_equalizer *e, const fay_equalizer_input *in, bool *ret_high)
{
    unsigned have = in->live + in->starting;
    if (e->item_ns <= 0) { /* nothing is known: speculate by the backlog's root */
        double n = fmin(ceil(sqrt((double)in->queued)), SPECULATIVE_MAX);
        *ret_high = in->queued > 0 && n > have;
        return n;
    }
    double s = e->item_ns / 1e9;
    double rate = in->source_rate > 0 ? in->source_rate : e->rate;
    double capacity = in->live / s;
    double load = rate * s;
    double excess = fmax(0, rate - capacity) * e->spawn_ns / 1e9;
    double b = fmax(0, (double)in->queued + excess - rate * target_wait(e) / 1e9);
    double drain_s = 5.0 * (double)period(e) / 1e9;
    double d = fmin(b / fmax(drain_s, s) * s, b);
    double n = ceil(load + 1.2 * sqrt(load) + d);
    *ret_high = have < load + 0.2 * sqrt(load) + d / 2;
    /* Near the end: a worker that would have nothing left when it is up is not worth its start. */
    double left_s = have > 0 ? (double)in->queued * s / have : (double)INFINITY;
    if (in->drying && left_s < 2 * e->spawn_ns / 1e9) {
        *ret_high = false;
        return have;
    }
    if (in->kept_out && !in->blocked && in->idle == 0 && in->starting == 0) {
        *ret_high = true; /* more would come if it could: the measured rate is our own capacity */
        n = fmax(n, have + fmax(1, have / 2.0));
    }
    return n;
}

static bool low(const fay_equalizer *e, fay_ns now, const fay_equalizer_input *in)
{
    unsigned have = in->live + in->starting;
    if (in->idle_since == FAY_NEVER || in->queued > 0 || have <= e->min)
        return false;
    if (now < in->idle_since + hold(e) || now < e->released_at + period(e) / 8)
        return false;
    /* Idle for that long with nothing waiting is proof enough where the rate has fallen to nothing;
     * else the rest must carry the load with its head room. */
    double load = e->rate * e->item_ns / 1e9;
    return have - 1.0 >= load + 1.2 * sqrt(load) || in->arrivals == e->last_arrivals;
}

static fay_equalizer_decision grow(fay_equalizer *e, fay_ns now, const fay_equalizer_input *in,
                                   double n)
{
    unsigned have = in->live + in->starting;
    unsigned most = n > e->max ? e->max : (unsigned)n;
    e->pressure = FAY_HIGH;
    e->evens = 0;
    e->held_by = n > e->max ? "AT_MAX" : "";
    if (in->saturated && e->saturated_max > 0 && most > e->saturated_max) {
        most = e->saturated_max;
        e->held_by = "NO_CPU";
        e->due = now + 2 * period(e);
    }
    if (most <= have)
        return (fay_equalizer_decision){0};
    if (e->retired_at > 0 && now - e->retired_at < 30 * period(e) && e->flaps < FLAPS_MAX)
        e->flaps++;
    e->retired_at = 0;
    return (fay_equalizer_decision){.spawn = most - have};
}

static void sleep_until_watched(fay_equalizer *e)
{
    e->armed = false;
    e->due = FAY_NEVER;
}

fay_equalizer_decision fay_equalizer_evaluate(fay_equalizer *e, fay_ns now,
                                              const fay_equalizer_input *in)
{
    assert(!e->pinned);
    bool high;
    bool retire = low(e, now, in);
    estimate(e, now, in);
    double n = wanted(e, in, &high);
    e->held_by = in->blocked ? "BLOCKED" : "";
    e->due = now + period(e);

    if (in->blocked && in->queued > 0) {
        e->pressure = FAY_BLOCKED;
        e->evens = EVENS_UNTIL_DORMANT; /* until there is room again: watch() sees that */
    } else if (high) {
        fay_equalizer_decision grown = grow(e, now, in, n);
        if (grown.spawn == 0 && in->live + in->starting >= e->max)
            sleep_until_watched(e);
        return grown;
    } else if (retire) {
        e->pressure = FAY_LOW;
        e->evens = 0;
        e->retired_at = e->released_at = now;
        e->due = now + period(e) / 8;
        return (fay_equalizer_decision){.retire = true};
    } else {
        e->pressure = FAY_EVEN;
        e->refused_at = now;
    }
    if (++e->evens >= EVENS_UNTIL_DORMANT) {
        sleep_until_watched(e);
        e->flaps = e->flaps > 0 && now - e->released_at > 40 * period(e) ? e->flaps - 1 : e->flaps;
    }
    return (fay_equalizer_decision){0};
}
