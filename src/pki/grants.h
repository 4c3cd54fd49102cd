/* SPDX-License-Identifier: MIT */
/*
 * The open tokens of a CA: how long, how often and for which roles each may still be used. The file
 * is 0600 and replaced as a whole; a use is in it before its certificate is given away.
 *
 *     faymora tokens 1
 *     token SECRET EXPIRES USES ROLES          EXPIRES in seconds since 1970
 *     use SHA-256-OF-THE-REQUEST SERIAL        of the token above: who asks the same again, because
 *                                              the answer was lost, gets the same certificate
 */
#ifndef FAY_GRANTS_H
#define FAY_GRANTS_H

#include "base/buffer.h"
#include "pki/digest.h"
#include "pki/token.h"

enum {
    FAY_SERIAL_TEXT_MAX = 41 /* 20 bytes are a serial's most: RFC 5280 */
};

typedef struct fay_grant_use {
    fay_digest request;
    char serial[FAY_SERIAL_TEXT_MAX];
} fay_grant_use;

typedef struct fay_grant {
    uint8_t secret[FAY_SECRET_SIZE];
    int64_t expires;
    size_t uses_max;
    unsigned roles;
    fay_grant_use *uses;
    size_t uses_count, uses_capacity;
} fay_grant;

typedef struct fay_grants {
    fay_grant *list;
    size_t count, capacity;
} fay_grants;

void fay_grants_deinit(fay_grants *grants); /* wipes the secrets */

/* FAY_E_TLS: the text is not of this form, names the line; *ret is empty then. */
int fay_grants_parse(const char *text, size_t size, fay_grants *ret, fay_error *err);
void fay_grants_append(const fay_grants *grants, fay_buffer *out);

/* Drops what has expired. */
void fay_grants_expire(fay_grants *grants, int64_t now);
/* A new one, to be filled, valid until the next. FAY_E_NORES: there are too many. */
int fay_grants_add(fay_grants *grants, fay_grant **ret, fay_error *err);

/* The one whose secret proves this request; NULL = none. */
fay_grant *fay_grants_find(fay_grants *grants, const fay_digest *request, const fay_digest *proof);

/* The serial that this request was answered with; NULL = it was not. */
const char *fay_grant_served(const fay_grant *grant, const fay_digest *request);
/* FAY_E_NORES: it is used up. */
int fay_grant_use_up(fay_grant *grant, const fay_digest *request, const char *serial,
                     fay_error *err);

#endif /* FAY_GRANTS_H */
