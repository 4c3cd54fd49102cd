/* SPDX-License-Identifier: MIT */
/*
 * Whose record keys are whose: certifications that were checked, by Node and boot, and kept so that
 * others may be given them. Of each Node the last two boots are kept: what was said just before a
 * restart is still on its way when the restart is known.
 */
#ifndef FAY_NODE_KEYRING_H
#define FAY_NODE_KEYRING_H

#include "base/hash.h"

#include "node/trust.h"
#include "pki/certification.h"

enum {
    FAY_KEYRING_BOOTS = 2
};

typedef struct fay_keyring_entry {
    fay_node_id id;
    struct {
        uint64_t boot; /* 0 = none; the later boot first */
        uint8_t record_key[FAY_RECORD_KEY_SIZE];
        fay_digest digest;
        uint8_t *bytes;
        size_t size;
    } boots[FAY_KEYRING_BOOTS];
    UT_hash_handle hh;
} fay_keyring_entry;

typedef struct fay_keyring {
    const fay_trust *trust;     /* borrowed */
    const fay_trusted *trusted; /* borrowed */
    fay_keyring_entry *table;   /* uthash, by id */
} fay_keyring;

void fay_keyring_deinit(fay_keyring *keyring);

/* Whether that very certification of the boot is here, not an earlier one of the same key. */
bool fay_keyring_has(const fay_keyring *keyring, const fay_node_id *id, uint64_t boot,
                     const fay_digest *digest);

/* NULL = not known. */
const uint8_t *fay_keyring_find(const fay_keyring *keyring, const fay_node_id *id, uint64_t boot);

/* Checks a certification and keeps it. FAY_E_PEER, FAY_E_TLS: it does not hold; FAY_E_DENIED: its
 * certificate is no member's; FAY_E_NORES: there are too many. */
int fay_keyring_add(fay_keyring *keyring, const void *bytes, size_t size, int64_t now,
                    fay_error *err);

/* One that was checked before, but for the role. FAY_E_DENIED, FAY_E_NORES. */
int fay_keyring_add_checked(fay_keyring *keyring, const fay_certification *certification,
                            const void *bytes, size_t size, fay_error *err);

/* Its bytes; NULL = not here. */
const uint8_t *fay_keyring_bytes(const fay_keyring *keyring, const fay_digest *digest,
                                 size_t *ret_size);

/* Checks all again, after a change of the trust: drops those that do not hold, and says which. */
void fay_keyring_recheck(fay_keyring *keyring, int64_t now,
                         void (*dropped)(void *context, const fay_node_id *id), void *context);

#endif /* FAY_NODE_KEYRING_H */
