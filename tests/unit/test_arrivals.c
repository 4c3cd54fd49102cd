/* SPDX-License-Identifier: MIT */
/* How fast Items arrive: steady while nothing changes, quick when something has. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/prng.h"
#include "flow/arrivals.h"

static const double period = 0.1;

typedef struct stream {
    fay_arrivals arrivals;
    fay_prng prng;
    double now;
} stream;

static stream *begin(uint64_t seed)
{
    stream *s = fay_alloc(sizeof *s);
    fay_arrivals_init(&s->arrivals, 0);
    fay_prng_init(&s->prng, seed);
    return s;
}

/* A Poisson process of `rate` batches per second, of `items` each, for `seconds`. */
static void feed(stream *s, double rate, uint64_t items, double seconds)
{
    double end = s->now + seconds;
    for (;;) {
        s->now -= log(1 - fay_prng_unit(&s->prng)) / rate;
        if (s->now > end)
            break;
        fay_arrivals_add(&s->arrivals, s->now, items, period);
        (void)fay_arrivals_rate(&s->arrivals, s->now, period, 0);
    }
    s->now = end;
}

static double rate_of(stream *s)
{
    return fay_arrivals_rate(&s->arrivals, s->now, period, 0);
}

static void assert_near(double found, double wanted, double tolerance)
{
    if (fabs(found - wanted) > tolerance * wanted)
        fail_msg("%.1f is not within %.0f %% of %.1f", found, 100 * tolerance, wanted);
}

static void nothing_is_no_rate(void **state)
{
    (void)state;
    stream *s = begin(1);
    s->now = 5;
    assert_true(rate_of(s) == 0);
    free(s);
}

static void a_steady_stream_has_its_rate(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        stream *s = begin(seed);
        feed(s, 800, 1, 10);
        assert_near(rate_of(s), 800, 0.15);
        free(s);
    }
}

static void a_step_is_seen_within_a_period(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        stream *s = begin(seed);
        feed(s, 200, 1, 10);
        feed(s, 2000, 1, period);
        assert_near(rate_of(s), 2000, 0.35);
        feed(s, 2000, 1, 4);
        feed(s, 200, 1, 3 * period);
        assert_true(rate_of(s) < 500);
        free(s);
    }
}

static void silence_lowers_the_rate(void **state)
{
    (void)state;
    stream *s = begin(3);
    feed(s, 1000, 1, 5);
    s->now += 1;
    assert_true(rate_of(s) < 500);
    s->now += 1000;
    assert_true(rate_of(s) < 2);
    free(s);
}

/* What lies between two bursts must not make the next one look like chance. */
static void each_burst_after_a_silence_is_seen_at_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        stream *s = begin(seed);
        for (int burst = 0; burst < 5; burst++) {
            feed(s, 600, 1, period);
            assert_true(rate_of(s) > 300);
            feed(s, 600, 1, 19 * period);
            for (int i = 0; i < 40; i++) {
                s->now += period;
                (void)rate_of(s);
            }
        }
        free(s);
    }
}

/* Batches make the counts disperse; that is no change. */
static void batches_are_no_steps(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        stream *s = begin(seed);
        feed(s, 100, 500, 20);
        double changed = s->arrivals.changed;
        feed(s, 100, 500, 10);
        assert_true(s->arrivals.changed == changed);
        assert_near(rate_of(s), 50000, 0.3);
        free(s);
    }
}

/* However fast it is, the ring holds some 20 periods. */
static void a_fast_stream_is_remembered_as_long_as_a_slow_one(void **state)
{
    (void)state;
    stream *s = begin(5);
    feed(s, 100000, 1, 4);
    assert_near(rate_of(s), 100000, 0.05);
    double back = s->now - s->arrivals.ring[(s->arrivals.pushed + 1) % FAY_ARRIVALS_ENTRIES].at;
    assert_true(s->arrivals.pushed < FAY_ARRIVALS_ENTRIES || back > 18 * period);
    free(s);
}

static void a_ramp_is_followed(void **state)
{
    (void)state;
    double carried = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        stream *s = begin(seed);
        for (int i = 0; i < 40; i++) {
            feed(s, 5000 + 50 * i, 1, period);
        }
        double flat = fay_arrivals_rate(&s->arrivals, s->now, period, 0);
        double ahead = fay_arrivals_rate(&s->arrivals, s->now, period, 0.4);
        assert_near(flat, 6950, 0.12);
        assert_in_range((unsigned)ahead, (unsigned)flat, (unsigned)(1.2 * flat));
        carried += (ahead - flat) / 20;
        free(s);
    }
    assert_true(carried > 25); /* by some of the slope: jumps count with what they are */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_no_rate),
        cmocka_unit_test(a_steady_stream_has_its_rate),
        cmocka_unit_test(a_step_is_seen_within_a_period),
        cmocka_unit_test(silence_lowers_the_rate),
        cmocka_unit_test(each_burst_after_a_silence_is_seen_at_once),
        cmocka_unit_test(batches_are_no_steps),
        cmocka_unit_test(a_fast_stream_is_remembered_as_long_as_a_slow_one),
        cmocka_unit_test(a_ramp_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
