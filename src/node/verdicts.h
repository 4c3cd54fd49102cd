/* SPDX-License-Identifier: MIT */
/*
 * Signatures that cannot be checked yet: the certification that tells the signer's record key is
 * fetched first, from whoever has brought what was signed, else from any other link.
 *
 *     VERIFY --key known--> verdict
 *              '-- not --> waits --WANT--> CERTIFICATION: good --> verdicts on all that wait for it
 *                                          |  none there, link lost --> the next link is asked
 *                                          '-- no link left, or bad --> not ok, all of them
 *
 * A certificate that was renewed has another certification of the same key: it is fetched as well,
 * to be given to others, but nothing waits for it.
 *
 * How many wait is bounded by the Grid's own limits on what it has verified at once.
 */
#ifndef FAY_NODE_VERDICTS_H
#define FAY_NODE_VERDICTS_H

#include "grid/grid.h"
#include "node/keyring.h"

typedef struct fay_verdict { /* one that waits */
    uint64_t token, boot;
    fay_node_id id;
    uint8_t signature[FAY_SIGNATURE_SIZE];
    uint8_t *text;
    size_t size;
} fay_verdict;

enum {
    FAY_VERDICT_TRIES = 3 /* links that are asked for one certification */
};

typedef struct fay_wanted { /* a certification that is being fetched */
    fay_digest digest;
    uint64_t asked[FAY_VERDICT_TRIES]; /* links; the last one is */
    size_t tries;
    fay_verdict *waiting;
    size_t count, capacity;
} fay_wanted;

typedef struct fay_verdicts {
    fay_keyring *keyring; /* borrowed */
    /* Asks a link for a certification; the answer comes to fay_verdicts_answer(). False: there is
     * no such link any more. */
    bool (*want)(void *context, uint64_t link, const fay_digest *digest);
    /* A link that is none of those; 0 = there is none. */
    uint64_t (*other)(void *context, const uint64_t *links, size_t count);
    void (*decided)(void *context, uint64_t token, bool ok);
    void *context;
    fay_wanted *wanted;
    size_t count, capacity;
} fay_verdicts;

void fay_verdicts_deinit(fay_verdicts *verdicts);

/* A VERIFY; `decided` may be called from within. */
void fay_verdicts_ask(fay_verdicts *verdicts, const fay_grid_action *verify);
/* What a link has answered; no bytes: it does not have it. FAY_E_PEER: they are not what was asked
 * for; the link shall end. */
int fay_verdicts_answer(fay_verdicts *verdicts, uint64_t link, const fay_digest *digest,
                        const void *bytes, size_t size, int64_t now);
void fay_verdicts_lost(fay_verdicts *verdicts, uint64_t link);

#endif /* FAY_NODE_VERDICTS_H */
