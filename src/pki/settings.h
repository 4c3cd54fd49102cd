/* SPDX-License-Identifier: MIT */
/*
 * Which files hold the keys and certificates: from flags, the environment, or a directory.
 *
 *     --tls-dir D | --ca F --cert F --key F                  flags: the environment's files are out
 *     FAYMORA_TLS_CA                                         the environment, each of these alone
 *     FAYMORA_TLS_{SERVER,CLIENT}_{CERTIFICATE,PRIVATE_KEY}
 *     FAYMORA_TLS_{SERVER,CLIENT}_PUBLIC_KEY                 only compared with the certificate
 *     FAYMORA_TLS_DIR                                        for what is not named above
 *     ~/.config/faymora/tls                                  if nothing at all is named
 *
 * Each RAKTR_TLS_x is read where FAYMORA_TLS_x is unset. A variable that is empty is unset.
 */
#ifndef FAY_SETTINGS_H
#define FAY_SETTINGS_H

#include "base/base.h"

typedef struct fay_tls_flags { /* NULL = not given */
    const char *directory, *ca, *certificate, *key;
} fay_tls_flags;

/* The value of a variable, or NULL. */
typedef const char *fay_variable_fn(void *context, const char *name);

typedef struct fay_tls_file {
    char *path;         /* NULL = none */
    const char *origin; /* the flag or variable that names it; "" = it is of the directory */
} fay_tls_file;

typedef struct fay_tls_pair {
    fay_tls_file certificate, key;
    fay_tls_file public_key; /* to compare with; path NULL = nothing to compare */
} fay_tls_pair;

typedef struct fay_tls_settings {
    char *directory; /* where `cert init` works; NULL = none named, and no home */
    fay_tls_file ca;
    fay_tls_file crl; /* need not be there */
    fay_tls_pair server, client;
    bool
        by_variables; /* both pairs are of the environment: then any certificate is trusted that the
                          CA has signed, unless told otherwise */
    char **warnings;  /* NULL = none */
} fay_tls_settings;

/* FAY_E_INVAL: flags that do not go together; FAY_E_TLS: half of a pair is missing. */
int fay_tls_settings_resolve(const fay_tls_flags *flags, fay_variable_fn *lookup, void *context,
                             fay_tls_settings *ret, fay_error *err);
void fay_tls_settings_deinit(fay_tls_settings *settings);

#endif /* FAY_SETTINGS_H */
