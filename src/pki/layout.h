/* SPDX-License-Identifier: MIT */
/*
 * What lies in a directory of keys and certificates (--tls-dir).
 *
 *     ca.pem  cert.pem  key.pem  [crl.pem]     the identity of a host: many Nodes may share it
 *     ca-key.pem                               only where the CA is, as all that follows
 *     tokens                                   the open ones
 *     issued/NAME@KEY@SERIAL.pem               every certificate that was issued
 *     hosts/NAME/                              a directory such as this, to be taken to that host
 *
 * ca.pem is written last: without it the directory is none of these.
 */
#ifndef FAY_LAYOUT_H
#define FAY_LAYOUT_H

#include "pki/ossl.h"

#define FAY_LAYOUT_CA          "ca.pem"
#define FAY_LAYOUT_CA_KEY      "ca-key.pem"
#define FAY_LAYOUT_CERTIFICATE "cert.pem"
#define FAY_LAYOUT_KEY         "key.pem"
#define FAY_LAYOUT_CRL         "crl.pem"
#define FAY_LAYOUT_TOKENS      "tokens"
#define FAY_LAYOUT_ISSUED      "issued"
#define FAY_LAYOUT_HOSTS       "hosts"
#define FAY_LAYOUT_UNFINISHED  ".unfinished" /* `cert init` is at work, or was when it died */

bool fay_layout_has(const char *directory, const char *name);
void fay_layout_remove(const char *directory, const char *name);

int fay_layout_write_certificate(const char *directory, const char *name, X509 *x509,
                                 fay_error *err);
int fay_layout_write_key(const char *directory, const char *name, EVP_PKEY *key, fay_error *err);
int fay_layout_write_crl(const char *directory, X509_CRL *crl, fay_error *err);

/* The first certificate of a file. */
int fay_layout_load_certificate(const char *directory, const char *name, X509 **ret,
                                fay_error *err);
/* NULL if there is none. */
int fay_layout_load_crl(const char *directory, X509_CRL **ret, fay_error *err);

#endif /* FAY_LAYOUT_H */
