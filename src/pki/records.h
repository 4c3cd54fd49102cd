/* SPDX-License-Identifier: MIT */
/*
 * The certificates that a CA has issued, one file each: so it knows which serial numbers belong to
 * a Node that is revoked, and which names are taken.
 */
#ifndef FAY_RECORDS_H
#define FAY_RECORDS_H

#include "pki/ossl.h"

/* All of them, of the CA in `directory`. */
int fay_records_load(const char *directory, STACK_OF(X509) * *ret, fay_error *err);
/* The one of this serial (hex, upper case). FAY_E_NOTFOUND. */
int fay_records_find(const char *directory, const char *serial, X509 **ret, fay_error *err);

int fay_records_add(const char *directory, X509 *x509, fay_error *err);
void fay_records_remove(const char *directory, X509 *x509); /* it was never given away */

#endif /* FAY_RECORDS_H */
