/* SPDX-License-Identifier: MIT */
#include "sim/spools.h"

#include <stdlib.h>

void fay_sim_spools_clear(fay_sim_spools *spools)
{
    for (size_t i = 0; i < spools->count; i++) {
        free(spools->list[i].atoms);
        free(spools->list[i].targets);
    }
    spools->count = 0;
}

void fay_sim_spools_deinit(fay_sim_spools *spools)
{
    fay_sim_spools_clear(spools);
    free(spools->list);
    spools->list = NULL;
}

bool fay_sim_spools_is_open(const fay_sim_spools *spools, uint32_t spool)
{
    return spool < spools->count && spools->list[spool].open;
}

static fay_sim_spool *open_spool(fay_sim_spools *spools, uint32_t spool, const char *what)
{
    if (!fay_sim_spools_is_open(spools, spool))
        fay_sim_fail(spools->oracle->trace, "%s: there is no spool %u", what, spool);
    return &spools->list[spool];
}

void fay_sim_spools_spill(fay_sim_spools *spools, const fay_flow_action *action)
{
    FAY_RESERVE(spools->list, spools->capacity, (size_t)action->spool + 1);
    while (spools->count <= action->spool) {
        spools->list[spools->count++] = (fay_sim_spool){0};
    }
    fay_sim_spool *spool = &spools->list[action->spool];
    spool->open = true;
    FAY_RESERVE(spool->atoms, spool->atoms_capacity, spool->count + action->count);
    FAY_RESERVE(spool->targets, spool->targets_capacity, spool->count + action->count);
    for (size_t i = 0; i < action->count; i++) {
        const fay_entry *entry = &action->batch->entries[action->at + i];
        uint32_t atom =
            fay_sim_oracle_parse(spools->oracle, action->batch->bytes + entry->at, entry->size);
        if (atom == FAY_SIM_NONE)
            fay_sim_fail(spools->oracle->trace, "SPILL of what is nobody's");
        spool->atoms[spool->count] = atom;
        spool->targets[spool->count++] =
            action->targets != NULL ? action->targets[i] : FAY_TARGET_SINK;
    }
}

void fay_sim_spools_drop(fay_sim_spools *spools, uint32_t spool)
{
    open_spool(spools, spool, "UNSPOOL")->open = false;
}

fay_batch *fay_sim_spools_load(fay_sim_spools *spools, uint32_t number, uint64_t cursor,
                               size_t most, uint64_t **ret_targets, uint64_t *ret_next)
{
    const fay_sim_spool *spool = open_spool(spools, number, "LOAD");
    if (cursor % 3 != 0 || cursor / 3 > spool->count)
        fay_sim_fail(spools->oracle->trace, "LOAD of spool %u: no such cursor", number);
    size_t from = cursor / 3, count = FAY_MIN(most, spool->count - from);
    fay_batch *batch = fay_batch_new();
    *ret_targets = fay_alloc(count * sizeof **ret_targets);
    for (size_t i = 0; i < count; i++) {
        char payload[FAY_SIM_PAYLOAD_MAX];
        size_t size = fay_sim_oracle_payload(spools->oracle, spool->atoms[from + i], payload);
        (void)fay_batch_append(batch, payload, size);
        (*ret_targets)[i] = spool->targets[from + i];
    }
    *ret_next = cursor + 3 * count;
    return batch;
}

uint32_t *fay_sim_spools_for_sink(fay_sim_spools *spools, uint32_t number, size_t *ret_count)
{
    const fay_sim_spool *spool = open_spool(spools, number, "WRITE_SPOOL");
    uint32_t *atoms = fay_alloc(spool->count * sizeof *atoms);
    *ret_count = 0;
    for (size_t i = 0; i < spool->count; i++) {
        if ((spool->targets[i] & FAY_TARGET_SINK) != 0)
            atoms[(*ret_count)++] = spool->atoms[i];
    }
    return atoms;
}
