/* SPDX-License-Identifier: MIT */
#include "pipeline/pace.h"

#include <math.h>
#include <stdlib.h>

static const double rounding = 1e-6; /* of an Item: sums of pieces are not exact */
static const double never_s = 1e10;  /* three hundred years */

void fay_pace_deinit(fay_pace *pace)
{
    free(pace->pieces);
    *pace = (fay_pace){0};
}

static double seconds(fay_ns time)
{
    return (double)time / 1e9;
}

/* Items of a piece up to `time` seconds from its begin. */
static double area(const fay_pace_piece *piece, double time)
{
    double slope = piece->lasts > 0 ? (piece->to - piece->from) / seconds(piece->lasts) : 0;
    return piece->from * time + slope * time * time / 2;
}

/* The other way round: when `items` of a piece are due; INFINITY = never. */
static double when(const fay_pace_piece *piece, double items)
{
    double slope = piece->lasts > 0 ? (piece->to - piece->from) / seconds(piece->lasts) : 0;
    double root = sqrt(fmax(0, piece->from * piece->from + 2 * slope * items));
    if (items <= 0)
        return 0;
    return piece->from + root > 0 ? 2 * items / (piece->from + root) : (double)INFINITY;
}

static uint64_t number_of(double items)
{
    return items < 0x1p63 ? (uint64_t)items : UINT64_MAX;
}

/* Those before the area was so large; the one that is due just then is of what follows. */
static uint64_t before(double items)
{
    return number_of(ceil(fmax(0, items - rounding)));
}

uint64_t fay_pace_total(const fay_pace *pace)
{
    double items = 0;
    for (size_t i = 0; i < pace->count; i++) {
        if (pace->pieces[i].lasts == 0)
            return UINT64_MAX;
        items += area(&pace->pieces[i], seconds(pace->pieces[i].lasts));
    }
    return pace->count > 0 ? before(items) : UINT64_MAX;
}

fay_ns fay_pace_lasts(const fay_pace *pace)
{
    fay_ns lasts = 0;
    for (size_t i = 0; i < pace->count; i++) {
        if (pace->pieces[i].lasts == 0)
            return FAY_NEVER;
        lasts += pace->pieces[i].lasts;
    }
    return pace->count > 0 ? lasts : FAY_NEVER;
}

uint64_t fay_pace_due_by(const fay_pace *pace, fay_ns time)
{
    double items = 0;
    if (pace->count == 0)
        return UINT64_MAX;
    for (size_t i = 0; i < pace->count; i++) {
        const fay_pace_piece *piece = &pace->pieces[i];
        if (piece->lasts == 0 || time < piece->lasts) {
            bool pauses = piece->from <= 0 && piece->to <= 0;
            double now = floor(items + area(piece, seconds(time)) + rounding) + 1;
            uint64_t due = pauses ? before(items) : number_of(now);
            return FAY_MIN(due, fay_pace_total(pace));
        }
        time -= piece->lasts;
        items += area(piece, seconds(piece->lasts));
    }
    return before(items);
}

fay_ns fay_pace_due(const fay_pace *pace, uint64_t number)
{
    double items = (double)number;
    fay_ns begun = 0;
    if (pace->count == 0)
        return 0;
    for (size_t i = 0; i < pace->count; i++) {
        const fay_pace_piece *piece = &pace->pieces[i];
        double lasts = piece->lasts > 0 ? seconds(piece->lasts) : (double)INFINITY;
        double all = piece->lasts > 0 ? area(piece, lasts) : (double)INFINITY;
        if (items < all - rounding) {
            double due = fmin(when(piece, items), lasts);
            return due < never_s ? begun + (fay_ns)ceil(due * 1e9) : FAY_NEVER;
        }
        items = fmax(0, items - all);
        begun += piece->lasts;
    }
    return FAY_NEVER;
}
