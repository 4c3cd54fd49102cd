/* SPDX-License-Identifier: MIT */
#include "node/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc): of uthash */
static fay_keyring_entry *find(const fay_keyring *keyring, const fay_node_id *id)
{
    fay_keyring_entry *entry;
    HASH_FIND(hh, keyring->table, id, sizeof *id, entry);
    return entry;
}

static fay_keyring_entry *add(fay_keyring *keyring, const fay_node_id *id)
{
    fay_keyring_entry *entry = fay_alloc(sizeof *entry);
    entry->id = *id;
    HASH_ADD(hh, keyring->table, id, sizeof entry->id, entry);
    return entry;
}

static void drop(fay_keyring *keyring, fay_keyring_entry *entry)
{
    HASH_DEL(keyring->table, entry);
    for (size_t i = 0; i < FAY_KEYRING_BOOTS; i++) {
        free(entry->boots[i].bytes);
    }
    free(entry);
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */

void fay_keyring_deinit(fay_keyring *keyring)
{
    while (keyring->table != NULL) {
        drop(keyring, keyring->table);
    }
}

const uint8_t *fay_keyring_find(const fay_keyring *keyring, const fay_node_id *id, uint64_t boot)
{
    const fay_keyring_entry *entry = find(keyring, id);
    for (size_t i = 0; entry != NULL && i < FAY_KEYRING_BOOTS; i++) {
        if (entry->boots[i].boot == boot)
            return entry->boots[i].record_key;
    }
    return NULL;
}

bool fay_keyring_has(const fay_keyring *keyring, const fay_node_id *id, uint64_t boot,
                     const fay_digest *digest)
{
    const fay_keyring_entry *entry = find(keyring, id);
    for (size_t i = 0; entry != NULL && i < FAY_KEYRING_BOOTS; i++) {
        if (entry->boots[i].boot == boot)
            return fay_digest_equal(&entry->boots[i].digest, digest);
    }
    return false;
}

/* Where that boot belongs, with the earliest one gone, or its earlier certification;
 * FAY_KEYRING_BOOTS: nowhere, it is earlier than all that are kept. */
static size_t place_for(fay_keyring_entry *entry, uint64_t boot)
{
    size_t at = 0;
    while (at < FAY_KEYRING_BOOTS && entry->boots[at].boot > boot) {
        at++;
    }
    if (at == FAY_KEYRING_BOOTS)
        return at;
    if (entry->boots[at].boot == boot) {
        free(entry->boots[at].bytes);
        return at;
    }
    free(entry->boots[FAY_KEYRING_BOOTS - 1].bytes);
    memmove(&entry->boots[at + 1], &entry->boots[at],
            (FAY_KEYRING_BOOTS - 1 - at) * sizeof entry->boots[0]);
    return at;
}

static int check_role(const fay_keyring *keyring, const fay_certification *c, fay_error *err)
{
    unsigned roles =
        fay_trusted_roles(keyring->trusted, c->ours, c->roles, sk_X509_value(c->chain, 0));
    if ((roles & (FAY_ROLE_AGENT | FAY_ROLE_NODE)) != 0)
        return 0;
    (void)fay_fail_with(err, FAY_E_DENIED,
                        "the certificate of '%s' is no Node's: it has neither "
                        "of the roles agent and node",
                        c->name);
    fay_hint(err, "faymora cert host --role agent, or --trust for another PKI");
    return FAY_E_DENIED;
}

int fay_keyring_add_checked(fay_keyring *keyring, const fay_certification *certification,
                            const void *bytes, size_t size, fay_error *err)
{
    fay_keyring_entry *entry = find(keyring, &certification->id);
    int r = check_role(keyring, certification, err);
    if (r != 0)
        return r;
    if (entry == NULL && HASH_COUNT(keyring->table) >= FAY_GRID_MEMBERS_MAX) {
        return fay_fail_with(err, FAY_E_NORES, "more than %zu Nodes are known",
                             FAY_GRID_MEMBERS_MAX);
    }
    if (entry == NULL)
        entry = add(keyring, &certification->id);
    size_t at = place_for(entry, certification->boot);
    if (at == FAY_KEYRING_BOOTS)
        return 0;
    entry->boots[at].boot = certification->boot;
    entry->boots[at].digest = certification->digest;
    memcpy(entry->boots[at].record_key, certification->record_key, FAY_RECORD_KEY_SIZE);
    entry->boots[at].bytes = fay_alloc(size);
    memcpy(entry->boots[at].bytes, bytes, size);
    entry->boots[at].size = size;
    return 0;
}

int fay_keyring_add(fay_keyring *keyring, const void *bytes, size_t size, int64_t now,
                    fay_error *err)
{
    FAY_CLEANUP(fay_certification_deinit) fay_certification certification = {0};
    int r = fay_certification_check(bytes, size, keyring->trust, now, &certification, err);
    return r != 0 ? r : fay_keyring_add_checked(keyring, &certification, bytes, size, err);
}

const uint8_t *fay_keyring_bytes(const fay_keyring *keyring, const fay_digest *digest,
                                 size_t *ret_size)
{
    for (fay_keyring_entry *entry = keyring->table; entry != NULL; entry = entry->hh.next) {
        for (size_t i = 0; i < FAY_KEYRING_BOOTS; i++) {
            if (entry->boots[i].boot != 0 && fay_digest_equal(&entry->boots[i].digest, digest)) {
                *ret_size = entry->boots[i].size;
                return entry->boots[i].bytes;
            }
        }
    }
    return NULL;
}

static bool holds(const fay_keyring *keyring, const fay_keyring_entry *entry, int64_t now)
{
    FAY_CLEANUP(fay_certification_deinit) fay_certification certification = {0};
    return fay_certification_check(entry->boots[0].bytes, entry->boots[0].size, keyring->trust, now,
                                   &certification, NULL) == 0 &&
           check_role(keyring, &certification, NULL) == 0;
}

void fay_keyring_recheck(fay_keyring *keyring, int64_t now,
                         void (*dropped)(void *context, const fay_node_id *id), void *context)
{
    fay_keyring_entry *next;
    for (fay_keyring_entry *entry = keyring->table; entry != NULL; entry = next) {
        next = entry->hh.next;
        if (holds(keyring, entry, now))
            continue;
        fay_node_id id = entry->id;
        drop(keyring, entry);
        dropped(context, &id);
    }
}
