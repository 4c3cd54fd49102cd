/* SPDX-License-Identifier: MIT */
/*
 * The certificates that a CA has issued, one file each: so it knows which serial numbers belong to
 * a Node that is revoked, and which names are taken.
 *
 *     issued/NAME@KEY@SERIAL.pem      KEY: the first 16 digits of the public key's fingerprint
 *
 * To read a certificate takes a tenth of a millisecond, most of it for its key; so what one is
 * looked for by is in its file's name.
 */
#ifndef FAY_RECORDS_H
#define FAY_RECORDS_H

#include "pki/digest.h"
#include "pki/ossl.h"

/* Those of the CA in `directory` that are of this name; and those that may be of this key, if it is
 * not NULL. */
int fay_records_load(const char *directory, const char *name, const fay_digest *key,
                     STACK_OF(X509) * *ret, fay_error *err);
/* The one of this serial (hex, upper case). FAY_E_NOTFOUND. */
int fay_records_find(const char *directory, const char *serial, X509 **ret, fay_error *err);

int fay_records_add(const char *directory, X509 *x509, fay_error *err);
void fay_records_remove(const char *directory, X509 *x509); /* it was never given away */

#endif /* FAY_RECORDS_H */
