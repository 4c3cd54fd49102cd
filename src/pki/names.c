/* SPDX-License-Identifier: MIT */
#include "pki/names.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/limits.h"

enum {
    LABEL_MAX = 63 /* RFC 1035 */
};

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool fay_node_name_valid(const char *name, size_t length)
{
    if (length == 0 || length > FAY_NODE_NAME_MAX || !is_alphanumeric(name[0]))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_alphanumeric(name[i]) && name[i] != '-' && name[i] != '.' && name[i] != '_')
            return false;
    }
    return true;
}

static bool is_dns_name(const char *text)
{
    if (strlen(text) > FAY_DNS_NAME_MAX)
        return false;
    if (strncmp(text, "*.", 2) == 0)
        text += 2;
    for (;;) {
        size_t length = 0;
        while (is_alphanumeric(text[length]) || text[length] == '-' || text[length] == '_') {
            length++;
        }
        if (length == 0 || length > LABEL_MAX || text[0] == '-' || text[length - 1] == '-')
            return false;
        if (text[length] == '\0')
            return true;
        if (text[length] != '.')
            return false;
        text += length + 1;
    }
}

/* The bytes of an address, 4 or 16; 0 if it is none. */
static int parse_address(const char *text, uint8_t bytes[16])
{
    if (inet_pton(AF_INET, text, bytes) == 1)
        return 4;
    return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

/* 10.0.0.300 is a DNS name by its letters, and surely meant for an address. */
static bool looks_like_ipv4(const char *text)
{
    return text[strspn(text, "0123456789.")] == '\0';
}

bool fay_san_valid(const char *text)
{
    uint8_t bytes[16];
    return parse_address(text, bytes) > 0 || (is_dns_name(text) && !looks_like_ipv4(text));
}

static void push(GENERAL_NAMES *names, int kind, ASN1_STRING *value)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    fay_ossl_must(name != NULL);
    GENERAL_NAME_set0_value(name, kind, value);
    fay_ossl_must(sk_GENERAL_NAME_push(names, name) > 0);
}

static ASN1_STRING *string_of(int type, const void *bytes, size_t size)
{
    ASN1_STRING *string = ASN1_STRING_type_new(type);
    fay_ossl_must(string != NULL && ASN1_STRING_set(string, bytes, (int)size) == 1);
    return string;
}

void fay_san_push(GENERAL_NAMES *names, const char *text)
{
    uint8_t bytes[16];
    int size = parse_address(text, bytes);
    if (size > 0) {
        push(names, GEN_IPADD, string_of(V_ASN1_OCTET_STRING, bytes, (size_t)size));
    } else {
        push(names, GEN_DNS, string_of(V_ASN1_IA5STRING, text, strlen(text)));
    }
}

void fay_san_push_uri(GENERAL_NAMES *names, const char *uri)
{
    push(names, GEN_URI, string_of(V_ASN1_IA5STRING, uri, strlen(uri)));
}

/* Printable ASCII: a NUL, or what a terminal acts on, is in no such name. */
static char *printable(const char *kind, const ASN1_STRING *string)
{
    const uint8_t *bytes = ASN1_STRING_get0_data(string);
    int size = ASN1_STRING_length(string);
    for (int i = 0; i < size; i++) {
        if (bytes[i] <= ' ' || bytes[i] >= 0x7f)
            return NULL;
    }
    return size > 0 ? fay_printed("%s:%.*s", kind, size, (const char *)bytes) : NULL;
}

char *fay_san_text(const GENERAL_NAME *name)
{
    int kind;
    const ASN1_STRING *string = GENERAL_NAME_get0_value(name, &kind);
    char text[INET6_ADDRSTRLEN];
    if (kind == GEN_DNS)
        return printable("DNS", string);
    if (kind == GEN_URI)
        return printable("URI", string);
    if (kind != GEN_IPADD)
        return NULL;
    int size = ASN1_STRING_length(string);
    if (size != 4 && size != 16)
        return NULL;
    int family = size == 4 ? AF_INET : AF_INET6;
    (void)inet_ntop(family, ASN1_STRING_get0_data(string), text, sizeof text);
    return fay_printed("IP:%s", text);
}
