/* SPDX-License-Identifier: MIT */
#include "grid/suspicion.h"

#include <string.h>

#include "base/limits.h"

enum {
    REFUSED_BY = 3 /* or all observers, if there are fewer */
};

static const uint8_t *key_of(const fay_members *members, const fay_charge *charge)
{
    const fay_grid_member *observer = fay_members_find(members, &charge->said.observer);
    return observer != NULL && observer->record != NULL ? observer->record->tls_key : NULL;
}

static bool same_key(const uint8_t *a, const uint8_t *b)
{
    return a != NULL && b != NULL && memcmp(a, b, FAY_KEY_HASH_SIZE) == 0;
}

/* Whether an earlier accuser that counts has the same key, which the suspect has not. */
static bool repeats(const fay_members *members, const fay_grid_member *suspect, size_t at)
{
    const uint8_t *key = key_of(members, &suspect->charges[at]);
    if (suspect->record != NULL && same_key(key, suspect->record->tls_key))
        return false;
    for (size_t i = 0; i < at; i++) {
        const fay_charge *earlier = &suspect->charges[i];
        if (earlier->counts && same_key(key, key_of(members, earlier)))
            return true;
    }
    return false;
}

static fay_ns wait_of(const fay_grid_params *p, size_t accusers, size_t observers)
{
    /* Natural logarithms of 1 to 9, since k is 8 at most. */
    static const double logs[] = {0.0,    0.6931, 1.0986, 1.3863, 1.6094,
                                  1.7918, 1.9459, 2.0794, 2.1972};
    size_t k = FAY_MIN((size_t)p->confirmations, observers > 0 ? observers - 1 : 0);
    size_t c = FAY_MIN(accusers - 1, k);
    if (c == k)
        return p->suspicion_min;
    double part = logs[c] / logs[k];
    return p->suspicion_max - (fay_ns)((double)(p->suspicion_max - p->suspicion_min) * part);
}

fay_suspicion fay_suspicion_of(const fay_members *members, const fay_grid_member *suspect,
                               size_t observers, unsigned patience)
{
    fay_suspicion s = {.since = FAY_NEVER, .due = FAY_NEVER};
    size_t refused = 0;
    for (size_t i = 0; i < suspect->charges_count; i++) {
        const fay_charge *charge = &suspect->charges[i];
        if (!charge->counts)
            continue;
        s.since = FAY_MIN(s.since, charge->heard_at);
        if (repeats(members, suspect, i))
            continue;
        s.accusers++;
        refused += charge->said.evidence == FAY_EVIDENCE_REFUSED;
    }
    if (s.accusers == 0)
        return s;
    s.refused = refused >= FAY_MIN((size_t)REFUSED_BY, FAY_MAX(observers, (size_t)1));
    s.enough = s.accusers >= 2 || fay_members_alive(members) <= FAY_LONE_ACCUSER;
    fay_ns wait = s.refused ? members->params->suspicion_refused
                            : wait_of(members->params, s.accusers, observers);
    s.due = s.since + patience * wait;
    return s;
}
