/* SPDX-License-Identifier: MIT */
/*
 * What every module here needs of OpenSSL: its objects released at the end of a scope, and what it
 * says went wrong, in words. OpenSSL keeps a queue of errors for each thread; whoever meets one of
 * its failures empties the queue, so that the next failure is not told with an old reason.
 */
#ifndef FAY_OSSL_H
#define FAY_OSSL_H

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/base.h"
#include "base/buffer.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): `type` is one */
#define FAY_OSSL_FREEP(name, type, release)                                                        \
    static inline void name(type **pointer)                                                        \
    {                                                                                              \
        release(*pointer);                                                                         \
        *pointer = NULL;                                                                           \
    }
FAY_OSSL_FREEP(fay_bio_freep, BIO, (void)BIO_free)
FAY_OSSL_FREEP(fay_pkey_freep, EVP_PKEY, EVP_PKEY_free)
FAY_OSSL_FREEP(fay_x509_freep, X509, X509_free)
FAY_OSSL_FREEP(fay_csr_freep, X509_REQ, X509_REQ_free)
FAY_OSSL_FREEP(fay_crl_freep, X509_CRL, X509_CRL_free)
FAY_OSSL_FREEP(fay_names_freep, GENERAL_NAMES, GENERAL_NAMES_free)
FAY_OSSL_FREEP(fay_bignum_freep, BIGNUM, BN_free)
#undef FAY_OSSL_FREEP
/* NOLINTEND(bugprone-macro-parentheses) */

static inline void fay_x509s_freep(STACK_OF(X509) * *list)
{
    sk_X509_pop_free(*list, X509_free);
    *list = NULL;
}

/* FAY_E_TLS with the text and OpenSSL's last reason; empties its queue. */
int fay_ossl_fail(fay_error *err, const char *format, ...) FAY_PRINTF(2, 3);

/* Aborts unless `worked`: what fails only for want of memory, or by our own mistake. */
void fay_ossl_must(bool worked);

/* Frees a buffer that has held a secret, and wipes it before. */
void fay_secret_deinit(fay_buffer *buffer);

/* Seconds since 1970; false if it is no time. */
bool fay_ossl_time(const ASN1_TIME *time, int64_t *ret);

#endif /* FAY_OSSL_H */
