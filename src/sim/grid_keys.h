/* SPDX-License-Identifier: MIT */
/*
 * Record keys and certifications of simulated Nodes: as good as real ones as long as everybody uses
 * these functions alone, whoever means ill included.
 *
 *     certification   id 16 | u64 boot | u64 the record key
 *
 * A signature is a hash of the text under the record key. Nothing is secret, but nobody here takes
 * what is not its own.
 */
#ifndef FAY_SIM_GRID_KEYS_H
#define FAY_SIM_GRID_KEYS_H

#include "grid/grid.h"
#include "sim/world.h"

/* A new record key of that Node for that boot. */
void fay_sim_certify(fay_sim_world *world, const fay_node_id *id, uint64_t boot,
                     uint8_t ret[FAY_KEY_HASH_SIZE]);
void fay_sim_sign(const uint8_t *certification, fay_grid_bytes text,
                  uint8_t ret[FAY_SIGNATURE_SIZE]);
/* The answer to VERIFY. */
bool fay_sim_signed(const fay_grid_action *verify);

#endif /* FAY_SIM_GRID_KEYS_H */
