/* SPDX-License-Identifier: MIT */
#include "sim/grid_keys.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "wire/codec.h"

enum {
    AT_BOOT = FAY_NODE_ID_SIZE,
    AT_KEY = FAY_NODE_ID_SIZE + 8
};

void fay_sim_certify(fay_sim_world *world, const fay_node_id *id, uint64_t boot,
                     uint8_t ret[FAY_KEY_HASH_SIZE])
{
    memcpy(ret, id->bytes, FAY_NODE_ID_SIZE);
    fay_store64(ret + AT_BOOT, boot);
    fay_store64(ret + AT_KEY, fay_prng_next(&world->prng));
}

void fay_sim_sign(const uint8_t *certification, fay_grid_bytes text,
                  uint8_t ret[FAY_SIGNATURE_SIZE])
{
    assert(text.bytes != NULL);
    memset(ret, 0, FAY_SIGNATURE_SIZE);
    fay_store64(ret, fay_hash64(text.bytes, text.size, fay_load64(certification + AT_KEY)));
}

bool fay_sim_signed(const fay_grid_action *verify)
{
    const uint8_t *certification = verify->certification;
    uint8_t signature[FAY_SIGNATURE_SIZE];
    if (certification == NULL || memcmp(certification, verify->id, FAY_NODE_ID_SIZE) != 0 ||
        fay_load64(certification + AT_BOOT) != verify->boot)
        return false;
    fay_sim_sign(certification, verify->bytes, signature);
    return memcmp(signature, verify->signature, sizeof signature) == 0;
}
