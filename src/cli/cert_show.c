/* SPDX-License-Identifier: MIT */
/* faymora cert show: whose certificates these are, what for, until when, whether they hold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cert.h"
#include "item/json.h"
#include "net/probe.h"
#include "pki/crl.h"
#include "pki/identity.h"
#include "pki/key.h"

/* ---- one certificate ------------------------------------------------------------------------- */

static void append_id(const fay_certificate *c, char text[FAY_NODE_ID_TEXT_MAX])
{
    fay_node_id id = fay_node_id_of(&c->public_key, c->name);
    (void)fay_hex(id.bytes, sizeof id.bytes, text);
}

static void append_validity(const fay_certificate *c, int64_t now, fay_buffer *out)
{
    char from[FAY_DATE_TEXT_MAX];
    char to[FAY_DATE_TEXT_MAX];
    long long days = (long long)fay_certificate_days_left(c, now);
    fay_buffer_printf(out, "  valid        %s to %s, ", fay_date_text(c->not_before, from),
                      fay_date_text(c->not_after, to));
    if (now < c->not_before) {
        fay_buffer_append_text(out, "NOT YET VALID\n");
    } else if (now > c->not_after) {
        fay_buffer_printf(out, "EXPIRED %lld days ago\n", -days);
    } else {
        fay_buffer_printf(out, "%lld days left\n", days);
    }
}

static const char *use_of(const fay_certificate *c)
{
    if (c->is_ca)
        return c->is_our_ca ? "CA made by cert init" : "CA";
    if (c->for_server && c->for_client)
        return "server, client";
    if (c->for_server || c->for_client)
        return c->for_server ? "server" : "client";
    return "neither server nor client";
}

void fay_cert_append(const fay_certificate *c, const char *file, int64_t now, fay_buffer *out)
{
    char hex[FAY_DIGEST_TEXT_MAX];
    if (file != NULL)
        fay_buffer_printf(out, "%s\n", file);
    if (c->name[0] != '\0' && !c->is_ca) {
        append_id(c, hex);
        fay_buffer_printf(out, "  name         %s\n  id           %s\n", c->name, hex);
    }
    if (c->roles != 0) {
        fay_buffer_append_text(out, "  roles        ");
        fay_roles_append(c->roles, ", ", out);
        fay_buffer_append_text(out, "\n");
    }
    const char *lead = "  names       ";
    for (char **san = c->sans; *san != NULL; san++) {
        if (strncmp(*san, "URI:", 4) == 0)
            continue;
        fay_buffer_printf(out, "%s %s", lead, strchr(*san, ':') + 1);
        lead = "";
    }
    fay_buffer_append_text(out, lead[0] == '\0' ? "\n" : "");
    fay_buffer_printf(out, "  use          %s\n  subject      %s\n  issuer       %s\n", use_of(c),
                      c->subject, c->issuer);
    append_validity(c, now, out);
    fay_buffer_printf(out, "  key          %s %s\n", c->key, fay_digest_text(&c->public_key, hex));
    fay_buffer_printf(out, "  fingerprint  %s\n", fay_digest_text(&c->fingerprint, hex));
    fay_buffer_printf(out, "  serial       %s\n", c->serial);
}

static void append_string(fay_buffer *out, const char *name, const char *text)
{
    fay_buffer_printf(out, "\"%s\":", name);
    if (text != NULL) {
        fay_json_append_string(out, text, strlen(text));
    } else {
        fay_buffer_append_text(out, "null");
    }
    fay_buffer_append_text(out, ",");
}

void fay_cert_append_roles_json(unsigned roles, fay_buffer *out)
{
    const char *before = "";
    fay_buffer_append_text(out, "[");
    FAY_EACH_BIT(bit, roles)
    {
        fay_buffer_printf(out, "%s\"%s\"", before, fay_role_word(1u << bit));
        before = ",";
    }
    fay_buffer_append_text(out, "]");
}

void fay_cert_append_json(const fay_certificate *c, const char *file, int64_t now, fay_buffer *out)
{
    char hex[FAY_DIGEST_TEXT_MAX];
    char date[FAY_DATE_TEXT_MAX];
    fay_buffer_append_text(out, "{");
    append_string(out, "file", file);
    append_string(out, "name", c->name[0] != '\0' ? c->name : NULL);
    append_id(c, hex);
    append_string(out, "id", c->is_ca || c->name[0] == '\0' ? NULL : hex);
    fay_buffer_append_text(out, "\"roles\":");
    fay_cert_append_roles_json(c->roles, out);
    fay_buffer_append_text(out, ",\"sans\":[");
    for (char **san = c->sans; *san != NULL; san++) {
        fay_buffer_append_text(out, san == c->sans ? "" : ",");
        fay_json_append_string(out, *san, strlen(*san));
    }
    fay_buffer_append_text(out, "],");
    append_string(out, "subject", c->subject);
    append_string(out, "issuer", c->issuer);
    append_string(out, "serial", c->serial);
    append_string(out, "not_before", fay_date_json(c->not_before, date));
    append_string(out, "not_after", fay_date_json(c->not_after, date));
    append_string(out, "key", c->key);
    append_string(out, "public_key", fay_digest_text(&c->public_key, hex));
    append_string(out, "fingerprint", fay_digest_text(&c->fingerprint, hex));
    fay_buffer_printf(out, "\"days_left\":%lld,\"ca\":%s,\"server\":%s,\"client\":%s}",
                      (long long)fay_certificate_days_left(c, now), c->is_ca ? "true" : "false",
                      c->for_server ? "true" : "false", c->for_client ? "true" : "false");
}

/* ---- a page of them -------------------------------------------------------------------------- */

typedef struct page {
    const fay_cert *cert;
    fay_buffer text;
    size_t count;
} page;

static int add_certificate(page *p, const char *file, X509 *x509, fay_error *err)
{
    fay_certificate certificate = {0};
    int r = fay_certificate_describe(x509, &certificate, err);
    if (r < 0)
        return r;
    if (p->cert->cli->json) {
        fay_buffer_append_text(&p->text, p->count > 0 ? "," : "");
        fay_cert_append_json(&certificate, file, p->cert->now, &p->text);
    } else {
        fay_cert_append(&certificate, file, p->cert->now, &p->text);
    }
    p->count++;
    fay_certificate_deinit(&certificate);
    return 0;
}

static int add_file(page *p, const char *file, fay_error *err)
{
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *list = NULL;
    int r = fay_certificates_load(file, &list, err);
    for (int i = 0; r == 0 && i < sk_X509_num(list); i++)
        r = add_certificate(p, file, sk_X509_value(list, i), err);
    return r;
}

static void begin(page *p)
{
    if (p->cert->cli->json)
        fay_buffer_append_text(&p->text, "{\"schema\":1,\"certificates\":[");
}

static void append_crl(page *p, const char *file, X509_CRL *crl)
{
    unsigned long long number = (unsigned long long)fay_crl_number(crl);
    if (!p->cert->cli->json) {
        fay_buffer_printf(&p->text, "%s\n  number       %llu\n  revoked      %zu\n", file, number,
                          fay_crl_count(crl));
        return;
    }
    fay_buffer_append_text(&p->text, "],\"crl\":{");
    append_string(&p->text, "file", file);
    fay_buffer_printf(&p->text, "\"number\":%llu,\"revoked\":%zu}", number, fay_crl_count(crl));
}

/* ---- a file ---------------------------------------------------------------------------------- */

/* No certificates are in it: a list of revoked ones, or a key. */
static int show_other(page *p, const char *file, const fay_error *why)
{
    FAY_CLEANUP(fay_crl_freep) X509_CRL *crl = NULL;
    FAY_CLEANUP(fay_pkey_freep) EVP_PKEY *key = NULL;
    char name[FAY_KEY_TEXT_MAX];
    char hex[FAY_DIGEST_TEXT_MAX];
    if (fay_crl_load(file, &crl, NULL) == 0) {
        append_crl(p, file, crl);
        fay_buffer_append_text(&p->text, p->cert->cli->json ? "}\n" : "");
        return fay_cli_print(&p->text);
    }
    if (fay_key_load_public(file, &key, NULL) < 0)
        return fay_cert_fail(why);
    fay_digest digest = fay_key_fingerprint(key);
    (void)fay_key_text(key, name);
    (void)fay_digest_text(&digest, hex);
    if (p->cert->cli->json) {
        fay_buffer_append_text(&p->text, "],\"key\":{");
        append_string(&p->text, "file", file);
        fay_buffer_printf(&p->text, "\"key\":\"%s\",\"public_key\":\"%s\"}}\n", name, hex);
    } else {
        fay_buffer_printf(&p->text, "%s\n  key          %s %s\n", file, name, hex);
    }
    return fay_cli_print(&p->text);
}

static int show_file(page *p, const char *file)
{
    fay_error err = {0};
    begin(p);
    int r = add_file(p, file, &err);
    if (r == FAY_E_IO || r == FAY_E_NOTFOUND)
        return fay_cli_fail(&err, FAY_EXIT_IO);
    if (r < 0 && p->count == 0)
        return show_other(p, file, &err);
    if (r < 0)
        return fay_cert_fail(&err);
    fay_buffer_append_text(&p->text, p->cert->cli->json ? "]}\n" : "");
    return fay_cli_print(&p->text);
}

/* ---- an identity ----------------------------------------------------------------------------- */

/* What to check its certificates for. Those of a directory for what they are made for: it may be a
 * client's alone. */
static unsigned needs_of(const fay_tls_settings *settings)
{
    const char *server = settings->server.certificate.path;
    const char *client = settings->client.certificate.path;
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *list = NULL;
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate c = {0};
    unsigned needs = 0;
    if (server == NULL || client == NULL || settings->server.certificate.origin[0] != '\0') {
        needs |= server != NULL ? FAY_NEEDS_SERVER : 0u;
        needs |= client != NULL ? FAY_NEEDS_CLIENT : 0u;
    } else if (fay_certificates_load(server, &list, NULL) == 0 &&
               fay_certificate_describe(sk_X509_value(list, 0), &c, NULL) == 0) {
        needs |= c.for_server ? FAY_NEEDS_SERVER : 0u;
        needs |= c.for_client ? FAY_NEEDS_CLIENT : 0u;
    }
    return needs != 0 ? needs : FAY_NEEDS_SERVER | FAY_NEEDS_CLIENT;
}

static void add_identity(page *p, const fay_tls_settings *s)
{
    const char *const files[] = {s->ca.path, s->server.certificate.path,
                                 s->client.certificate.path};
    for (size_t i = 0; i < FAY_COUNT(files); i++) {
        bool twice =
            i == 2 && files[1] != NULL && files[2] != NULL && strcmp(files[1], files[2]) == 0;
        if (files[i] != NULL && !twice)
            (void)add_file(p, files[i], NULL); /* what is wrong with it, the check says */
    }
    FAY_CLEANUP(fay_crl_freep) X509_CRL *crl = NULL;
    if (s->crl.path != NULL && fay_crl_load(s->crl.path, &crl, NULL) == 0) {
        append_crl(p, s->crl.path, crl);
    } else if (p->cert->cli->json) {
        fay_buffer_append_text(&p->text, "],\"crl\":null");
    }
}

static void append_verdict(page *p, const fay_identity *identity, const fay_error *err)
{
    fay_buffer_append_text(&p->text, ",\"warnings\":[");
    for (char **text = identity->warnings; text != NULL && *text != NULL; text++) {
        fay_buffer_append_text(&p->text, text == identity->warnings ? "" : ",");
        fay_json_append_string(&p->text, *text, strlen(*text));
    }
    fay_buffer_append_text(&p->text, "],\"error\":");
    if (err->message[0] != '\0') {
        fay_json_append_string(&p->text, err->message, strlen(err->message));
    } else {
        fay_buffer_append_text(&p->text, "null");
    }
    fay_buffer_append_text(&p->text, "}\n");
}

static int show_identity(page *p, const fay_tls_settings *settings)
{
    fay_error err = {0};
    FAY_CLEANUP(fay_identity_deinit) fay_identity identity = {0};
    begin(p);
    add_identity(p, settings);
    int r = fay_identity_load(settings, needs_of(settings), p->cert->now, &identity, &err);
    if (p->cert->cli->json)
        append_verdict(p, &identity, &err);
    int exit = fay_cli_print(&p->text);
    for (char **text = identity.warnings; text != NULL && *text != NULL; text++) {
        if (!p->cert->cli->quiet)
            (void)fprintf(stderr, "faymora: warning: %s\n", *text);
    }
    if (r < 0)
        return fay_cli_fail(&err, FAY_EXIT_TLS);
    return exit;
}

/* ---- a Node ---------------------------------------------------------------------------------- */

/* Whether we would believe it, as who dials it. */
static int judge(const fay_cert *cert, STACK_OF(X509) * shown, fay_identity *identity,
                 fay_error *err)
{
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *chain = NULL;
    fay_error why = {0};
    int r = fay_identity_load(&cert->settings, 0, cert->now, identity, &why);
    if (r < 0) {
        *err = why;
        return r;
    }
    const fay_check check = {
        .what = cert->peer, .trust = &identity->trust, .purpose = FAY_FOR_SERVER, .now = cert->now};
    return fay_verify(&check, sk_X509_value(shown, 0), shown, &chain, err);
}

static int show_peer(page *p)
{
    const fay_cert *cert = p->cert;
    fay_error err = {0};
    FAY_CLEANUP(fay_x509s_freep) STACK_OF(X509) *shown = NULL;
    FAY_CLEANUP(fay_identity_deinit) fay_identity identity = {0};
    int r = fay_probe(cert->peer, fay_cli_timeout(cert->cli), &shown, &err);
    if (r < 0)
        return fay_cli_fail(&err, r == FAY_E_INVAL ? FAY_EXIT_USAGE : FAY_EXIT_TLS);
    begin(p);
    for (int i = 0; r == 0 && i < sk_X509_num(shown); i++)
        r = add_certificate(p, NULL, sk_X509_value(shown, i), &err);
    if (r == 0)
        r = judge(cert, shown, &identity, &err);
    if (cert->cli->json) {
        fay_buffer_append_text(&p->text, "],\"crl\":null");
        append_verdict(p, &identity, &err);
    }
    int exit = fay_cli_print(&p->text);
    return r < 0 ? fay_cli_fail(&err, FAY_EXIT_TLS) : exit;
}

int fay_cert_show(const fay_cert *cert)
{
    struct stat status;
    FAY_CLEANUP(fay_tls_settings_deinit) fay_tls_settings other = {0};
    fay_tls_flags flags = {.directory = cert->word};
    page p = {.cert = cert};
    int exit;
    if (cert->peer != NULL) {
        exit = show_peer(&p);
    } else if (cert->word == NULL) {
        exit = show_identity(&p, &cert->settings);
    } else if (stat(cert->word, &status) == 0 && S_ISDIR(status.st_mode)) {
        (void)fay_tls_settings_resolve(&flags, fay_cli_variable, NULL, &other, NULL);
        exit = show_identity(&p, &other);
    } else {
        exit = show_file(&p, cert->word);
    }
    fay_buffer_deinit(&p.text);
    return exit;
}
