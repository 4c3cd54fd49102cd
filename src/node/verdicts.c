/* SPDX-License-Identifier: MIT */
#include "node/verdicts.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static void free_wanted(fay_wanted *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        free(wanted->waiting[i].text);
    }
    free(wanted->waiting);
}

void fay_verdicts_deinit(fay_verdicts *verdicts)
{
    for (size_t i = 0; i < verdicts->count; i++) {
        free_wanted(&verdicts->wanted[i]);
    }
    free(verdicts->wanted);
    verdicts->wanted = NULL;
    verdicts->count = verdicts->capacity = 0;
}

static fay_wanted *find(fay_verdicts *verdicts, const fay_digest *digest)
{
    for (size_t i = 0; i < verdicts->count; i++) {
        if (fay_digest_equal(&verdicts->wanted[i].digest, digest))
            return &verdicts->wanted[i];
    }
    return NULL;
}

static bool holds(const fay_verdicts *verdicts, const fay_verdict *verdict)
{
    const uint8_t *key = fay_keyring_find(verdicts->keyring, &verdict->id, verdict->boot);
    return key != NULL && fay_record_key_verify(key, verdict->text, verdict->size, //
                                                verdict->signature);
}

/* Takes it off the list before it decides: who is told may ask again. */
static void decide(fay_verdicts *verdicts, fay_wanted *wanted)
{
    fay_wanted all = *wanted;
    *wanted = verdicts->wanted[--verdicts->count];
    for (size_t i = 0; i < all.count; i++) {
        verdicts->decided(verdicts->context, all.waiting[i].token,
                          holds(verdicts, &all.waiting[i]));
    }
    free_wanted(&all);
}

/* False: nobody is left to be asked. */
static bool ask_next(fay_verdicts *verdicts, fay_wanted *wanted, uint64_t link)
{
    while (wanted->tries < FAY_VERDICT_TRIES) {
        if (link == 0)
            link = verdicts->other(verdicts->context, wanted->asked, wanted->tries);
        if (link == 0)
            return false;
        wanted->asked[wanted->tries++] = link;
        if (verdicts->want(verdicts->context, link, &wanted->digest))
            return true;
        link = 0;
    }
    return false;
}

static void wait_for(fay_wanted *wanted, const fay_grid_action *verify)
{
    FAY_RESERVE(wanted->waiting, wanted->capacity, wanted->count + 1);
    fay_verdict *verdict = &wanted->waiting[wanted->count++];
    *verdict = (fay_verdict){.token = verify->token,
                             .boot = verify->boot,
                             .id = *verify->id,
                             .text = fay_alloc(verify->bytes.size),
                             .size = verify->bytes.size};
    memcpy(verdict->signature, verify->signature, sizeof verdict->signature);
    memcpy(verdict->text, verify->bytes.bytes, verify->bytes.size);
}

/* Begins to fetch it, unless that is under way. */
static fay_wanted *fetch(fay_verdicts *verdicts, const fay_digest *digest, bool *ret_fresh)
{
    fay_wanted *wanted = find(verdicts, digest);
    *ret_fresh = wanted == NULL;
    if (wanted != NULL)
        return wanted;
    FAY_RESERVE(verdicts->wanted, verdicts->capacity, verdicts->count + 1);
    wanted = &verdicts->wanted[verdicts->count++];
    *wanted = (fay_wanted){.digest = *digest};
    return wanted;
}

void fay_verdicts_ask(fay_verdicts *verdicts, const fay_grid_action *verify)
{
    const uint8_t *key = fay_keyring_find(verdicts->keyring, verify->id, verify->boot);
    fay_digest digest = {{0}};
    bool fresh = false;
    if (verify->certification != NULL)
        memcpy(digest.bytes, verify->certification, sizeof digest.bytes);
    if (key != NULL || verify->certification == NULL) {
        bool ok = key != NULL && fay_record_key_verify(key, verify->bytes.bytes, verify->bytes.size,
                                                       verify->signature);
        verdicts->decided(verdicts->context, verify->token, ok);
        if (!ok || verify->certification == NULL ||
            fay_keyring_has(verdicts->keyring, verify->id, verify->boot, &digest))
            return;
    }
    fay_wanted *wanted = fetch(verdicts, &digest, &fresh);
    if (key == NULL)
        wait_for(wanted, verify);
    if (fresh && !ask_next(verdicts, wanted, verify->link))
        decide(verdicts, wanted);
}

int fay_verdicts_answer(fay_verdicts *verdicts, uint64_t link, const fay_digest *digest,
                        const void *bytes, size_t size, int64_t now)
{
    fay_error err = {0};
    fay_wanted *wanted = find(verdicts, digest);
    if (wanted == NULL || wanted->asked[wanted->tries - 1] != link)
        return 0; /* of one that was given up */
    if (size == 0) {
        if (!ask_next(verdicts, wanted, 0))
            decide(verdicts, wanted);
        return 0;
    }
    fay_digest is = fay_digest_of(bytes, size);
    if (!fay_digest_equal(&is, digest))
        return FAY_E_PEER;
    if (fay_keyring_add(verdicts->keyring, bytes, size, now, &err) != 0)
        fay_log(FAY_WARN, "grid.uncertified", "error=\"%s\"", err.message);
    decide(verdicts, wanted);
    return 0;
}

void fay_verdicts_lost(fay_verdicts *verdicts, uint64_t link)
{
    for (size_t i = verdicts->count; i-- > 0;) {
        fay_wanted *wanted = &verdicts->wanted[i];
        if (wanted->asked[wanted->tries - 1] == link && !ask_next(verdicts, wanted, 0))
            decide(verdicts, wanted);
    }
}
