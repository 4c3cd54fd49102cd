/* SPDX-License-Identifier: MIT */
#include "pki/csr.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "pki/issue.h"
#include "pki/key.h"
#include "pki/names.h"

void fay_csr_make(EVP_PKEY *key, const char *name, fay_buffer *out)
{
    FAY_CLEANUP(fay_csr_freep) X509_REQ *request = X509_REQ_new();
    fay_ossl_must(request != NULL && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
                  X509_REQ_set_pubkey(request, key) == 1);
    X509_NAME *subject = X509_REQ_get_subject_name(request);
    fay_ossl_must(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                             (const unsigned char *)name, -1, -1, 0) == 1);
    fay_ossl_must(X509_REQ_sign(request, key, fay_issue_hash(key)) > 0);
    unsigned char *der = NULL;
    int size = i2d_X509_REQ(request, &der);
    fay_ossl_must(size > 0);
    fay_buffer_append(out, der, (size_t)size);
    OPENSSL_free(der);
}

/* NULL unless there is one, and it is a Node's. */
static char *requested_name(const X509_REQ *request)
{
    const X509_NAME *subject = X509_REQ_get_subject_name(request);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return NULL;
    unsigned char *utf8 = NULL;
    int size =
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    char *name = NULL;
    if (size > 0 && fay_node_name_valid((const char *)utf8, (size_t)size))
        name = fay_strndup((const char *)utf8, (size_t)size);
    OPENSSL_free(utf8);
    ERR_clear_error();
    return name;
}

int fay_csr_parse(const void *bytes, size_t size, fay_csr *ret, fay_error *err)
{
    const unsigned char *at = bytes;
    if (size == 0 || size > FAY_CSR_MAX)
        return fay_fail_with(err, FAY_E_TLS, "a request for a certificate of %zu bytes", size);
    FAY_CLEANUP(fay_csr_freep) X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)size);
    if (request == NULL || at != (const unsigned char *)bytes + size)
        return fay_ossl_fail(err, "the request for a certificate cannot be read");
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    if (key == NULL || X509_REQ_verify(request, key) != 1)
        return fay_ossl_fail(err, "the request for a certificate is not signed by its key");
    int r = fay_key_check("the request for a certificate", key, err);
    if (r < 0)
        return r;
    char *name = requested_name(request);
    if (name == NULL)
        return fay_fail_with(err, FAY_E_TLS, "the request for a certificate names no Node");
    fay_ossl_must(EVP_PKEY_up_ref(key) == 1);
    *ret = (fay_csr){.key = key, .name = name, .digest = fay_digest_of(bytes, size)};
    return 0;
}

void fay_csr_deinit(fay_csr *csr)
{
    EVP_PKEY_free(csr->key);
    free(csr->name);
    *csr = (fay_csr){0};
}
