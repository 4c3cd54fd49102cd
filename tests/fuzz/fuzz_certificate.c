/* SPDX-License-Identifier: MIT */
/* Any bytes as certificates: refused, or what they say is fit for a terminal, a path and a list. */
#include <assert.h>
#include <string.h>

#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/csr.h"
#include "pki/identity.h"
#include "pki/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_printable(const char *text)
{
    for (; *text != '\0'; text++)
        assert((unsigned char)*text >= ' ' && (unsigned char)*text < 0x7f);
}

static void look(X509 *x509)
{
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate c = {0};
    if (fay_certificate_describe(x509, &c, NULL) != 0)
        return;
    assert_printable(c.name);
    assert_printable(c.subject);
    assert_printable(c.issuer);
    assert_printable(c.serial);
    assert(strchr(c.name, ' ') == NULL);
    for (char **san = c.sans; *san != NULL; san++)
        assert_printable(*san);
    assert(!c.is_our_ca || c.is_ca);
    (void)fay_node_id_of(&c.public_key, c.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *list = NULL;
    FAY_CLEANUP(fay_crl_freep) X509_CRL *crl = NULL;
    fay_error err = {0};
    fay_csr csr = {0};
    if (fay_certificates_parse("x", data, size, &list, &err) != 0)
        assert(err.message[0] != '\0' && list == NULL);
    for (int i = 0; i < sk_X509_num(list); i++)
        look(sk_X509_value(list, i));
    if (fay_crl_parse("x", data, size, &crl, &err) == 0) {
        (void)fay_crl_number(crl);
        (void)fay_crl_count(crl);
    }
    if (fay_csr_parse(data, size, &csr, &err) == 0)
        assert(fay_node_name_valid(csr.name, strlen(csr.name)));
    fay_csr_deinit(&csr);
    return 0;
}
