/* SPDX-License-Identifier: MIT */
#include "sim/oracle.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t add_atom(fay_sim_oracle *oracle, uint32_t root, uint32_t made_by, uint32_t index)
{
    fay_sim_world *world = oracle->faults->world;
    FAY_RESERVE(oracle->atoms, oracle->atoms_capacity, oracle->atoms_count + 1);
    fay_sim_atom *atom = &oracle->atoms[oracle->atoms_count];
    *atom = (fay_sim_atom){.root = root, .made_by = made_by, .index = index};
    memset(atom->visits, 0xff, sizeof atom->visits);
    atom->kind = (uint8_t)fay_sim_below(world, FAY_SIM_KINDS);
    atom->padding = (uint8_t)fay_sim_below(world, oracle->shape->payload + 1);
    atom->poison = fay_sim_hit(oracle->faults, FAY_SIM_ITEM_POISONED);
    return (uint32_t)oracle->atoms_count++;
}

void fay_sim_oracle_init(fay_sim_oracle *oracle, const fay_sim_shape *shape, fay_sim_faults *faults,
                         fay_sim_trace *trace)
{
    *oracle = (fay_sim_oracle){.shape = shape, .faults = faults, .trace = trace};
    for (uint32_t root = 0; root < shape->items; root++) {
        (void)add_atom(oracle, root, FAY_SIM_NONE, 0); /* a source Item's atom is its number */
    }
}

void fay_sim_oracle_deinit(fay_sim_oracle *oracle)
{
    free(oracle->atoms);
    free(oracle->visits);
    free(oracle->tries);
}

static size_t made_at(const fay_sim_oracle *oracle, uint32_t atom)
{
    uint32_t try = oracle->atoms[atom].made_by;
    return try == FAY_SIM_NONE ? oracle->shape->count
                               : oracle->visits[oracle->tries[try].visit].stage;
}

uint64_t fay_sim_oracle_targets(const fay_sim_oracle *oracle, uint32_t atom)
{
    const fay_sim_atom *a = &oracle->atoms[atom];
    if (a->made_by == FAY_SIM_NONE && oracle->shape->letters)
        return UINT64_C(1) << fay_sim_shape_reenters(oracle->shape, a->root);
    return fay_sim_shape_targets(oracle->shape, made_at(oracle, atom), a->kind);
}

fay_path fay_sim_oracle_path(const fay_sim_oracle *oracle, uint32_t atom, size_t stage)
{
    const fay_sim_atom *a = &oracle->atoms[atom];
    fay_path path = {0};
    int fits = 0;
    if (a->made_by != FAY_SIM_NONE) {
        path = oracle->visits[oracle->tries[a->made_by].visit].path;
        fits = fay_path_append(&path, a->index);
    }
    uint64_t targets = fay_sim_oracle_targets(oracle, atom);
    uint64_t before = stage < oracle->shape->count ? (UINT64_C(1) << stage) - 1 : ~FAY_TARGET_SINK;
    if ((targets & (targets - 1)) != 0)
        fits |= fay_path_append(&path, (uint64_t)__builtin_popcountll(targets & before));
    assert(fits == 0); /* a few stages never come near the longest path */
    return path;
}

uint32_t fay_sim_oracle_visit(fay_sim_oracle *oracle, uint32_t atom, size_t stage)
{
    uint32_t *known = &oracle->atoms[atom].visits[stage];
    if (*known == FAY_SIM_NONE) {
        FAY_RESERVE(oracle->visits, oracle->visits_capacity, oracle->visits_count + 1);
        *known = (uint32_t)oracle->visits_count++;
        oracle->visits[*known] = (fay_sim_visit){.atom = atom,
                                                 .stage = (uint8_t)stage,
                                                 .path = fay_sim_oracle_path(oracle, atom, stage),
                                                 .tries = FAY_SIM_NONE};
    }
    return *known;
}

static uint32_t draw_children(const fay_sim_oracle *oracle, fay_sim_world *world, size_t stage)
{
    if (oracle->atoms_count > FAY_SIM_ATOMS_MAX)
        return 1;
    if (fay_sim_chance(world, oracle->shape->big))
        return (uint32_t)fay_sim_between(world, 10, 60);
    double chance = fay_prng_unit(&world->prng);
    for (uint32_t count = 0; count < 3; count++) {
        chance -= oracle->shape->stages[stage].children[count];
        if (chance < 0)
            return count;
    }
    return 3;
}

static uint32_t try_new(fay_sim_oracle *oracle, uint32_t visit)
{
    FAY_RESERVE(oracle->tries, oracle->tries_capacity, oracle->tries_count + 1);
    uint32_t number = (uint32_t)oracle->tries_count++;
    fay_sim_try *try = &oracle->tries[number];
    fay_sim_visit *v = &oracle->visits[visit];
    *try = (fay_sim_try){.visit = visit, .before = v->tries, .batch = number, .mates = 1};
    v->tries = number;
    try->first = (uint32_t)oracle->atoms_count;
    return number;
}

/* A few children more of the last try that has some. */
static void add_children(fay_sim_oracle *oracle, fay_sim_world *world, uint32_t number)
{
    fay_sim_try *try = &oracle->tries[number];
    const fay_sim_visit *v = &oracle->visits[try->visit];
    uint32_t root = oracle->atoms[v->atom].root;
    for (uint32_t more = draw_children(oracle, world, v->stage); more > 0; more--) {
        (void)add_atom(oracle, root, number, try->count++);
    }
}

uint32_t fay_sim_oracle_try(fay_sim_oracle *oracle, fay_sim_world *world, uint32_t visit)
{
    uint32_t number = try_new(oracle, visit);
    add_children(oracle, world, number);
    return number;
}

uint32_t fay_sim_oracle_mate(fay_sim_oracle *oracle, fay_sim_world *world, uint32_t visit,
                             uint32_t first)
{
    uint32_t number = try_new(oracle, visit);
    assert(number == first + oracle->tries[first].mates);
    oracle->tries[number].batch = first;
    oracle->tries[first].mates++;
    add_children(oracle, world, first);
    return number;
}

void fay_sim_oracle_untry(fay_sim_oracle *oracle, uint32_t try)
{
    assert(try + 1 == oracle->tries_count && oracle->tries[try].count == 0);
    oracle->visits[oracle->tries[try].visit].tries = oracle->tries[try].before;
    oracle->tries_count--;
}

size_t fay_sim_oracle_payload(const fay_sim_oracle *oracle, uint32_t atom,
                              char payload[FAY_SIM_PAYLOAD_MAX])
{
    const fay_sim_atom *a = &oracle->atoms[atom];
    int size = snprintf(payload, FAY_SIM_PAYLOAD_MAX, "a%u k%u ", atom, a->kind);
    assert(size > 0 && size + a->padding <= FAY_SIM_PAYLOAD_MAX);
    memset(payload + size, '.', a->padding);
    return (size_t)size + a->padding;
}

uint32_t fay_sim_oracle_parse(const fay_sim_oracle *oracle, const uint8_t *payload, size_t size)
{
    uint64_t atom = 0;
    for (size_t i = 1; i < size && i < 10 && payload[i] >= '0' && payload[i] <= '9'; i++) {
        atom = 10 * atom + (uint64_t)(payload[i] - '0');
    }
    if (atom >= oracle->atoms_count)
        return FAY_SIM_NONE;
    char expected[FAY_SIM_PAYLOAD_MAX];
    size_t length = fay_sim_oracle_payload(oracle, (uint32_t)atom, expected);
    bool same = size == length && memcmp(payload, expected, size) == 0;
    return same ? (uint32_t)atom : FAY_SIM_NONE;
}

/* ---- the judgement --------------------------------------------------------------------------- */

static void use(fay_sim_oracle *oracle, uint32_t try)
{
    oracle->tries[try].used = true;
    const fay_sim_visit *visit = &oracle->visits[oracle->tries[try].visit];
    for (uint32_t t = visit->tries; t != FAY_SIM_NONE; t = oracle->tries[t].before) {
        if (t != try && oracle->tries[t].used) {
            fay_sim_fail(oracle->trace, "atom %u of root %u: tries %u and %u at stage %u are mixed",
                         visit->atom, oracle->atoms[visit->atom].root, t, try, visit->stage);
        }
    }
}

/* What is there proves the tries it came from, up to the source, and those that were answered with
 * them; each visit may have one such. */
static void prove(fay_sim_oracle *oracle, uint32_t atom)
{
    uint32_t made_by = oracle->atoms[atom].made_by;
    if (made_by == FAY_SIM_NONE || oracle->tries[made_by].used)
        return;
    uint32_t first = oracle->tries[made_by].batch;
    for (uint32_t try = first; try < first + oracle->tries[first].mates; try++) {
        use(oracle, try);
        prove(oracle, oracle->visits[oracle->tries[try].visit].atom);
    }
}

static void check_order(fay_sim_oracle *oracle, uint32_t *last, uint32_t atom)
{
    size_t from = made_at(oracle, atom);
    if (last[from] != FAY_SIM_NONE) {
        const fay_sim_atom *a = &oracle->atoms[last[from]], *b = &oracle->atoms[atom];
        fay_path a_path = fay_sim_oracle_path(oracle, last[from], oracle->shape->count);
        fay_path b_path = fay_sim_oracle_path(oracle, atom, oracle->shape->count);
        if (a->root > b->root || (a->root == b->root && fay_path_compare(&a_path, &b_path) >= 0)) {
            fay_sim_fail(oracle->trace,
                         "out of order in the sink: atom %u of root %u after %u of %u", atom,
                         b->root, last[from], a->root);
        }
    }
    last[from] = atom;
}

static void read_sink(fay_sim_oracle *oracle, const fay_sim_file *sink)
{
    const uint8_t *bytes = fay_sim_file_bytes(sink), *end = bytes + fay_sim_file_size(sink);
    bool ordered = fay_sim_shape_ordered(oracle->shape);
    uint32_t last[FAY_SIM_STAGES_MAX + 1];
    memset(last, 0xff, sizeof last);
    while (bytes < end) {
        const uint8_t *stop = memchr(bytes, '\n', (size_t)(end - bytes));
        uint32_t atom = stop == NULL ? FAY_SIM_NONE
                                     : fay_sim_oracle_parse(oracle, bytes, (size_t)(stop - bytes));
        if (atom == FAY_SIM_NONE) {
            fay_sim_fail(oracle->trace, "a line of the sink is nobody's: '%.*s'",
                         (int)FAY_MIN(end - bytes, 40), (const char *)bytes);
        }
        if (++oracle->atoms[atom].written > 1) {
            fay_sim_fail(oracle->trace, "atom %u of root %u is in the sink twice", atom,
                         oracle->atoms[atom].root);
        }
        prove(oracle, atom);
        if (ordered)
            check_order(oracle, last, atom);
        bytes = stop + 1;
    }
}

static void read_dead(fay_sim_oracle *oracle, const fay_sim_file *dead)
{
    fay_buffer text FAY_CLEANUP(fay_buffer_deinit) = {0};
    fay_buffer_append(&text, fay_sim_file_bytes(dead), fay_sim_file_size(dead));
    const char *at = fay_buffer_text(&text);
    while (*at != '\0') {
        char *end;
        unsigned long atom = strtoul(at, &end, 10), stage = strtoul(end, &end, 10);
        (void)strtoul(end, &end, 10);
        if (*end != '\n' || atom >= oracle->atoms_count || stage >= oracle->shape->count ||
            oracle->atoms[atom].visits[stage] == FAY_SIM_NONE)
            fay_sim_fail(oracle->trace, "a dead letter is nobody's: '%.20s'", at);
        fay_sim_visit *visit = &oracle->visits[oracle->atoms[atom].visits[stage]];
        if (++visit->letters > 1)
            fay_sim_fail(oracle->trace, "atom %lu of stage %lu has two dead letters", atom, stage);
        prove(oracle, (uint32_t)atom);
        at = end + 1;
    }
}

static uint32_t used_try(const fay_sim_oracle *oracle, const fay_sim_visit *visit)
{
    for (uint32_t t = visit->tries; t != FAY_SIM_NONE; t = oracle->tries[t].before) {
        if (oracle->tries[t].used)
            return t;
    }
    return FAY_SIM_NONE;
}

/* Whether an Item may have left nothing: dropped, or by a try whose children all left nothing. */
static bool may_be_nothing(const fay_sim_oracle *oracle, uint32_t visit_number)
{
    if (visit_number == FAY_SIM_NONE)
        return false; /* it never came there */
    const fay_sim_visit *visit = &oracle->visits[visit_number];
    if (visit->may_drop)
        return true;
    for (uint32_t t = visit->tries; t != FAY_SIM_NONE; t = oracle->tries[t].before) {
        const fay_sim_try *try = &oracle->tries[oracle->tries[t].batch];
        bool nothing = true;
        for (uint32_t i = 0; nothing && i < try->count; i++) {
            uint64_t targets = fay_sim_oracle_targets(oracle, try->first + i);
            nothing = (targets & FAY_TARGET_SINK) == 0;
            for (size_t s = 0; nothing && s < oracle->shape->count; s++) {
                if ((targets >> s & 1) != 0)
                    nothing = may_be_nothing(oracle, oracle->atoms[try->first + i].visits[s]);
            }
        }
        if (nothing)
            return true;
    }
    return false;
}

static void demand(fay_sim_oracle *oracle, uint32_t atom);

static void demand_visit(fay_sim_oracle *oracle, uint32_t atom, size_t stage)
{
    uint32_t number = oracle->atoms[atom].visits[stage], root = oracle->atoms[atom].root;
    if (number == FAY_SIM_NONE) {
        fay_sim_fail(oracle->trace, "atom %u of root %u never came to stage %zu", atom, root,
                     stage);
    }
    const fay_sim_visit *visit = &oracle->visits[number];
    uint32_t try = used_try(oracle, visit);
    if (visit->letters > 0) {
        if (try != FAY_SIM_NONE) {
            fay_sim_fail(oracle->trace,
                         "atom %u of root %u at stage %zu is dead, and try %u counted", atom, root,
                         stage, try);
        }
        return;
    }
    if (try == FAY_SIM_NONE) {
        if (!may_be_nothing(oracle, number)) {
            fay_sim_fail(oracle->trace, "atom %u of root %u at stage %zu: its results are missing",
                         atom, root, stage);
        }
        return;
    }
    const fay_sim_try *made = &oracle->tries[oracle->tries[try].batch];
    for (uint32_t i = 0; i < made->count; i++) {
        demand(oracle, made->first + i);
    }
}

static void demand(fay_sim_oracle *oracle, uint32_t atom)
{
    uint64_t targets = fay_sim_oracle_targets(oracle, atom);
    if ((targets & FAY_TARGET_SINK) != 0 && oracle->atoms[atom].written != 1) {
        fay_sim_fail(oracle->trace, "atom %u of root %u is missing in the sink", atom,
                     oracle->atoms[atom].root);
    }
    for (size_t stage = 0; stage < oracle->shape->count; stage++) {
        if ((targets >> stage & 1) != 0)
            demand_visit(oracle, atom, stage);
    }
}

void fay_sim_oracle_judge(fay_sim_oracle *oracle, const fay_sim_file *sink,
                          const fay_sim_file *dead, const fay_sim_fate *fates)
{
    read_sink(oracle, sink);
    read_dead(oracle, dead);
    for (uint32_t atom = 0; atom < oracle->atoms_count; atom++) {
        if (oracle->atoms[atom].written > 0 && fates[oracle->atoms[atom].root] == FAY_SIM_ABSENT) {
            fay_sim_fail(oracle->trace, "root %u is not done, and atom %u of it is in the sink",
                         oracle->atoms[atom].root, atom);
        }
    }
    for (size_t i = 0; i < oracle->visits_count; i++) {
        uint32_t root = oracle->atoms[oracle->visits[i].atom].root;
        if (oracle->visits[i].letters > 0 && fates[root] == FAY_SIM_ABSENT)
            fay_sim_fail(oracle->trace, "root %u is not done, and has a dead letter", root);
    }
    for (size_t i = 0; i < oracle->tries_count; i++) {
        const fay_sim_try *try = &oracle->tries[i];
        uint32_t root = oracle->atoms[oracle->visits[try->visit].atom].root;
        if (try->used && fates[root] == FAY_SIM_ABSENT)
            fay_sim_fail(oracle->trace, "root %u is not done, and try %zu of it counted", root, i);
    }
    for (uint32_t root = 0; root < oracle->shape->items; root++) {
        if (fates[root] == FAY_SIM_WHOLE)
            demand(oracle, root);
    }
}
