/* SPDX-License-Identifier: MIT */
#include "grid/params.h"

#include "base/units.h"

static fay_ns scaled(fay_ns lan, unsigned times_wan, bool wan)
{
    return wan ? lan * times_wan : lan;
}

static void set(fay_grid_params *ret, bool wan)
{
#define COUNT(name, lan, least, most)           ret->name = (lan);
#define TIME(name, lan, times_wan, least, most) ret->name = scaled((lan), (times_wan), wan);
    FAY_GRID_PARAMS(COUNT, TIME)
#undef COUNT
#undef TIME
}

void fay_grid_params_lan(fay_grid_params *ret)
{
    set(ret, false);
}

void fay_grid_params_wan(fay_grid_params *ret)
{
    set(ret, true);
}

/* ---- each for itself ------------------------------------------------------------------------- */

static int bad_count(fay_error *err, const char *name, unsigned value, const unsigned bounds[2])
{
    (void)fay_fail_with(err, FAY_E_CONFIG, "grid parameter %s is %u", name, value);
    fay_hint(err, "from %u to %u", bounds[0], bounds[1]);
    return FAY_E_CONFIG;
}

static int bad_time(fay_error *err, const char *name, fay_ns value, const fay_ns bounds[2])
{
    char text[FAY_UNITS_TEXT_MAX], least[FAY_UNITS_TEXT_MAX], most[FAY_UNITS_TEXT_MAX];
    (void)fay_fail_with(err, FAY_E_CONFIG, "grid parameter %s is %s", name,
                        fay_duration_text(value, text));
    fay_hint(err, "from %s to %s", fay_duration_text(bounds[0], least),
             fay_duration_text(bounds[1], most));
    return FAY_E_CONFIG;
}

static int check_bounds(const fay_grid_params *params, fay_error *err)
{
    const struct count {
        const char *name;
        unsigned value, bounds[2];
    } counts[] = {
#define COUNT(name, lan, least, most) {#name, params->name, {(least), (most)}},
#define TIME(name, lan, times_wan, least, most)
        FAY_GRID_PARAMS(COUNT, TIME)
#undef COUNT
#undef TIME
    };
    const struct time {
        const char *name;
        fay_ns value, bounds[2];
    } times[] = {
#define COUNT(name, lan, least, most)
#define TIME(name, lan, times_wan, least, most) {#name, params->name, {(least), (most)}},
        FAY_GRID_PARAMS(COUNT, TIME)
#undef COUNT
#undef TIME
    };
    for (size_t i = 0; i < FAY_COUNT(counts); i++) {
        const struct count *c = &counts[i];
        if (c->value < c->bounds[0] || c->value > c->bounds[1])
            return bad_count(err, c->name, c->value, c->bounds);
    }
    for (size_t i = 0; i < FAY_COUNT(times); i++) {
        const struct time *t = &times[i];
        if (t->value < t->bounds[0] || t->value > t->bounds[1])
            return bad_time(err, t->name, t->value, t->bounds);
    }
    return 0;
}

/* ---- one against the other ------------------------------------------------------------------- */

static int check_order(const fay_grid_params *p, fay_error *err)
{
    const struct rule {
        bool broken;
        const char *what, *hint;
    } rules[] = {
        {p->mesh_again > p->mesh_max, "mesh_again is greater than mesh_max",
         "with fewer members than that a Grid would have rings and links to all in turn"},
        {p->mesh_max > 2 * p->rings + 2, "mesh_max is greater than 2 x rings + 2",
         "more links in a small Grid than in a large one have no use"},
        {p->rings_large < p->rings, "rings_large is less than rings",
         "more members need as many rings at least"},
        {p->rewish_max < p->rewish_quiet, "rewish_max is less than rewish_quiet",
         "it bounds a wait that begins anew with each change"},
        {p->silent < 3 * p->heartbeat, "silent is less than 3 x heartbeat",
         "one heartbeat that is late would end a link"},
        {p->unacknowledged > p->silent, "unacknowledged is greater than silent",
         "both ends of a link that has stalled should see it"},
        {p->handshake < p->connect, "handshake is less than connect",
         "it begins when the connection is there"},
        {p->suspicion_max < p->suspicion_min, "suspicion_max is less than suspicion_min",
         "the wait falls from one to the other as accusers agree"},
        {p->suspicion_min < p->suspicion_refused, "suspicion_min is less than suspicion_refused",
         "a port that is shut is the surest sign"},
        {p->late_self < p->late_dial, "late_self is less than late_dial",
         "a loop that is late spoils handshakes first"},
        {p->gone_kept < p->gone_told, "gone_kept is less than gone_told",
         "what is told must be there"},
        {p->stub < p->gone_kept, "stub is less than gone_kept",
         "a stub is what is left when the rest is dropped"},
    };
    for (size_t i = 0; i < FAY_COUNT(rules); i++) {
        if (!rules[i].broken)
            continue;
        (void)fay_fail_with(err, FAY_E_CONFIG, "grid parameter %s", rules[i].what);
        fay_hint(err, "%s", rules[i].hint);
        return FAY_E_CONFIG;
    }
    return 0;
}

int fay_grid_params_check(const fay_grid_params *params, fay_error *err)
{
    int status = check_bounds(params, err);
    return status != 0 ? status : check_order(params, err);
}
