/* SPDX-License-Identifier: MIT */
#include "sim/eq_oracle.h"

#include <math.h>
#include <stdlib.h>

#include "sim/eq_baselines.h"
#include "sim/eq_line.h"

#define WAIT_MAX   0.5 /* W* */
#define LATE_MAX   0.01
#define LOOK_EVERY 0.5 /* into the future */
#define ROUNDING   1e-9

size_t fay_eq_staff(double rate, double mean, double cv)
{
    double load = rate * mean;
    if (load <= 0)
        return 0;
    size_t least = (size_t)FAY_MAX(1.0, ceil(load + ROUNDING)), count = 0;
    double loss = 1; /* Erlang's B of `count` workers, by its recursion */
    for (;;) {
        count++;
        loss = load * loss / ((double)count + load * loss);
        if (count < least || (double)count <= load)
            continue;
        double waits = loss / (1 - load / (double)count * (1 - loss));
        double late = waits * exp(-((double)count - load) / mean * WAIT_MAX * 2 / (1 + cv * cv));
        if (late <= LATE_MAX)
            return count;
    }
}

static void visits_at(const fay_eq_trace *trace, double time, double *ret)
{
    double selectivity[FAY_EQ_STAGES_MAX];
    for (size_t i = 0; i < trace->stages_count; i++) {
        selectivity[i] = fay_eq_trace_selectivity(trace, i, time);
    }
    fay_eq_trace_visits(trace, selectivity, ret);
}

/* Of all Items, the slow ones included, where these are no accident. */
static double foreseen_cv(const fay_eq_stage_plan *plan)
{
    if (!plan->slow_expected)
        return plan->cv;
    double square = (1 - plan->slow) * (1 + plan->cv * plan->cv) +
                    plan->slow * FAY_EQ_SLOW_FACTOR * FAY_EQ_SLOW_FACTOR;
    double mean = 1 + plan->slow * (FAY_EQ_SLOW_FACTOR - 1);
    return sqrt(square / (mean * mean) - 1);
}

size_t fay_eq_staffed(const fay_eq_trace *trace, size_t stage, double time)
{
    double visits[FAY_EQ_STAGES_MAX];
    visits_at(trace, time, visits);
    return fay_eq_staff(fay_eq_trace_rate(trace, time) * visits[stage],
                        fay_eq_trace_mean(trace, stage, time), foreseen_cv(&trace->stages[stage]));
}

/* The most that will be needed before an order of the next period could be there. */
static size_t foreseen(const fay_eq_trace *trace, size_t stage, double now)
{
    size_t most = 0, looks = (size_t)((1.2 * trace->spawn_latency + 1.6) / LOOK_EVERY);
    for (size_t i = 0; i <= looks; i++) {
        size_t count = fay_eq_staffed(trace, stage, now + (double)i * LOOK_EVERY);
        most = FAY_MAX(most, count);
    }
    return most;
}

/* Slow nodes, and workers that have died and are not replaced yet, do no work. */
static size_t made_up_for(const fay_eq_trace *trace, size_t stage, size_t count, double now)
{
    double slots = 0, working = 0, then = now + 1.2 * trace->spawn_latency + 1;
    for (size_t i = 0; i < trace->nodes_count; i++) {
        slots += trace->nodes[i][0];
        working += trace->nodes[i][0] * fay_eq_trace_speed(trace, i, then);
    }
    double gone = trace->stages[stage].crashes * (trace->spawn_latency + 0.5);
    return (size_t)ceil((double)count * (slots / working) * (1 + gone) - ROUNDING);
}

/* The time that an Item of the source costs each stage. */
static void costs_at(const fay_eq_trace *trace, double now, double *ret)
{
    visits_at(trace, now, ret);
    for (size_t i = 0; i < trace->stages_count; i++) {
        ret[i] *= fay_eq_trace_mean(trace, i, now);
    }
}

/* Takes room for one more worker out of what is free, if it is there. */
static bool take_room(const fay_eq_stage_plan *plan, double *room)
{
    for (size_t i = 0; i < FAY_EQ_RESOURCES; i++) {
        if (plan->needs[i] > room[i])
            return false;
    }
    for (size_t i = 0; i < FAY_EQ_RESOURCES; i++) {
        room[i] -= plan->needs[i];
    }
    return true;
}

/* Shares the machine out so that the slowest stage is as fast as can be: one by one, always to the
 * slowest, until that cannot grow. Returns the rate that they carry together. */
static double share_out(const fay_eq_trace *trace, const double *costs, size_t *ret)
{
    double room[FAY_EQ_RESOURCES] = {0};
    for (size_t i = 0; i < trace->nodes_count; i++) {
        for (size_t resource = 0; resource < FAY_EQ_RESOURCES; resource++) {
            room[resource] += trace->nodes[i][resource];
        }
    }
    for (size_t i = 0; i < trace->stages_count; i++) {
        ret[i] = take_room(&trace->stages[i], room) ? 1 : 0;
    }
    for (;;) {
        size_t slowest = 0;
        for (size_t i = 1; i < trace->stages_count; i++) {
            double rate = (double)ret[i] / costs[i], least = (double)ret[slowest] / costs[slowest];
            if (rate < least * (1 - ROUNDING))
                slowest = i;
        }
        if (ret[slowest] >= trace->workers_max || !take_room(&trace->stages[slowest], room))
            return (double)ret[slowest] / costs[slowest];
        ret[slowest]++;
    }
}

/* The rate that stages with a shared resource can reach. */
static double plateau_of(const fay_eq_trace *trace, const double *costs)
{
    double rate = HUGE_VAL;
    for (size_t i = 0; i < trace->stages_count; i++) {
        if (trace->stages[i].plateau > 0)
            rate = FAY_MIN(rate, (double)trace->stages[i].plateau / costs[i]);
    }
    return rate;
}

/* Not more than can be of use when the load is more than can be carried. */
static size_t limited(const fay_eq_trace *trace, size_t stage, size_t count, double now)
{
    double costs[FAY_EQ_STAGES_MAX] = {0}, load = fay_eq_trace_rate(trace, now);
    size_t shares[FAY_EQ_STAGES_MAX] = {0};
    costs_at(trace, now, costs);
    double machine = share_out(trace, costs, shares), plateau = plateau_of(trace, costs);
    if (load <= FAY_MIN(machine, plateau))
        return count;
    if (machine < plateau)
        return shares[stage];
    return FAY_MIN(count, (size_t)ceil(plateau * costs[stage] * 1.05 + ROUNDING));
}

/* A closed source: a share of the machine until the end, or what its rate needs if that is less. */
static size_t until_the_end(const fay_eq_line *line, size_t stage)
{
    const fay_eq_trace *trace = line->trace;
    const fay_eq_stage_plan *plan = &trace->stages[stage];
    double costs[FAY_EQ_STAGES_MAX] = {0};
    size_t shares[FAY_EQ_STAGES_MAX] = {0};
    fay_eq_reading reading;
    fay_eq_read(line, stage, &reading);
    if (fay_eq_source_of(line).exhausted && reading.queued == 0 && reading.busy == 0)
        return 1;
    costs_at(trace, fay_eq_now(line), costs);
    (void)share_out(trace, costs, shares);
    size_t needed =
        fay_eq_staff(trace->read_rate * costs[stage] / plan->mean, plan->mean, plan->cv);
    return FAY_MIN(shares[stage], needed);
}

static void tick(void *self, fay_eq_line *line)
{
    const fay_eq_trace *trace = line->trace;
    double now = fay_eq_now(line);
    (void)self;
    for (size_t i = 0; i < trace->stages_count; i++) {
        fay_eq_reading reading;
        fay_eq_read(line, i, &reading);
        size_t count;
        if (trace->closed > 0) {
            count = until_the_end(line, i);
        } else {
            count = made_up_for(trace, i, foreseen(trace, i, now), now);
            count = limited(trace, i, count, now);
            if (trace->zero && count == 0 && (reading.queued > 0 || reading.busy > 0))
                count = reading.workers;
        }
        fay_eq_scale(line, i, count);
    }
}

const fay_eq_controller fay_eq_oracle = {
    .name = "oracle", .what = "knows the load, the work and the future", .tick = tick};
