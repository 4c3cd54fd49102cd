/* SPDX-License-Identifier: MIT */
/*
 * The owner's spools: Items that the flow has moved out of memory, with their targets. They live in
 * unlinked files, so an owner's death takes them along. A cursor is opaque to the flow; here it is
 * three times the number of the next Item, so that one that was made up is noticed.
 */
#ifndef FAY_SIM_SPOOLS_H
#define FAY_SIM_SPOOLS_H

#include "sim/oracle.h"

typedef struct fay_sim_spool {
    bool open;
    uint32_t *atoms;
    uint64_t *targets;
    size_t count, atoms_capacity, targets_capacity;
} fay_sim_spool;

typedef struct fay_sim_spools {
    fay_sim_oracle *oracle; /* borrowed */
    fay_sim_spool *list;    /* by number */
    size_t count, capacity;
} fay_sim_spools;

void fay_sim_spools_deinit(fay_sim_spools *spools);
void fay_sim_spools_clear(fay_sim_spools *spools);

void fay_sim_spools_spill(fay_sim_spools *spools, const fay_flow_action *action);
void fay_sim_spools_drop(fay_sim_spools *spools, uint32_t spool);
/* Up to `most` Items from a cursor on: fills batch, *ret_targets (free it), *ret_next. */
fay_batch *fay_sim_spools_load(fay_sim_spools *spools, uint32_t number, uint64_t cursor,
                               size_t most, uint64_t **ret_targets, uint64_t *ret_next);
/* The atoms in it that are for the sink: *ret_count of them; free the list. */
uint32_t *fay_sim_spools_for_sink(fay_sim_spools *spools, uint32_t number, size_t *ret_count);
bool fay_sim_spools_is_open(const fay_sim_spools *spools, uint32_t spool);

#endif /* FAY_SIM_SPOOLS_H */
