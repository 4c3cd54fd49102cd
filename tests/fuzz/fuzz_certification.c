/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a certification, and any bytes of a true one changed: refused with a reason, or it
 * is the true one. The first byte: 0, the rest is one; else the rest are places and what is there
 * instead, `u16 place | u8`.
 */
#include <assert.h>
#include <string.h>

#include "pki/certification.h"
#include "pki/issue.h"
#include "pki/key.h"
#include "pki/role.h"
#include "wire/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t now = 1800000000;

static struct {
    fay_trust trust;
    fay_buffer bytes;
} truth;

static void make_truth(void)
{
    EVP_PKEY *ca_key = fay_key_make(FAY_ED25519);
    EVP_PKEY *key = fay_key_make(FAY_ED25519);
    X509 *ca = fay_issue_ca(ca_key, now);
    X509 *own = NULL;
    fay_record_key record_key;
    fay_issue what = {.name = "a", .roles = FAY_ROLES_HOST, .now = now};
    fay_credential server = {.key = key, .chain = sk_X509_new_null()};
    int r = fay_issue_certificate(ca, ca_key, key, &what, &own, NULL);
    assert(r == 0);
    truth.trust.anchors = sk_X509_new_null();
    fay_ossl_must(X509_up_ref(ca) == 1 && sk_X509_push(truth.trust.anchors, ca) > 0 &&
                  sk_X509_push(server.chain, own) > 0 && sk_X509_push(server.chain, ca) > 0);
    fay_record_key_make(&record_key);
    r = fay_certification_make(&server, "a", 1, record_key.public_key, &truth.bytes, NULL);
    assert(r == 0);
    fay_record_key_deinit(&record_key);
    sk_X509_pop_free(server.chain, X509_free);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
}

/* Whether it is believed. */
static bool check(const uint8_t *bytes, size_t size)
{
    FAY_CLEANUP(fay_certification_deinit) fay_certification c = {0};
    fay_error err = {0};
    if (fay_certification_check(bytes, size, &truth.trust, now, &c, &err) != 0) {
        assert(err.message[0] != '\0' && c.chain == NULL);
        return false;
    }
    assert(strcmp(c.name, "a") == 0 && c.boot == 1);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (truth.trust.anchors == NULL)
        make_truth();
    if (size == 0)
        return 0;
    if (data[0] == 0) {
        (void)check(data + 1, size - 1);
        return 0;
    }
    size_t length = fay_buffer_size(&truth.bytes);
    FAY_CLEANUP(fay_freep) uint8_t *changed = fay_alloc(length);
    memcpy(changed, fay_buffer_data(&truth.bytes), length);
    for (size_t at = 1; at + 3 <= size; at += 3)
        changed[fay_load16(data + at) % length] = data[at + 2];
    bool same = memcmp(changed, fay_buffer_data(&truth.bytes), length) == 0;
    assert(check(changed, length) || !same);
    return 0;
}
