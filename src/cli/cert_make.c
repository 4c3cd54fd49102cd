/* SPDX-License-Identifier: MIT */
/* faymora cert init, host, token, renew, revoke. */
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/texts.h"
#include "base/units.h"
#include "cli/cert.h"
#include "item/json.h"
#include "pki/authority.h"
#include "pki/host_names.h"
#include "pki/layout.h"
#include "pki/role.h"

#define HOSTS_FILE "/etc/hosts"

static void free_texts(char ***texts)
{
    fay_texts_free(*texts);
}

static void append_quoted(fay_buffer *out, const char *text)
{
    fay_json_append_string(out, text, strlen(text));
}

/* The directory of the CA; NULL: it was said why not, and *ret_exit is the exit code. */
static const char *directory_of(const fay_cert *cert, int *ret_exit)
{
    fay_error err = {0};
    const fay_tls_flags *flags = &cert->cli->tls;
    if (flags->ca != NULL || flags->certificate != NULL || flags->key != NULL) {
        *ret_exit =
            fay_cli_misuse(cert->cli, "'cert %s' works in a directory: --tls-dir", cert->verb);
        return NULL;
    }
    if (cert->settings.directory != NULL)
        return cert->settings.directory;
    (void)fay_fail_with(&err, FAY_E_INVAL, "no directory is named, and HOME is not set");
    fay_hint(&err, "--tls-dir DIR, or FAYMORA_TLS_DIR");
    *ret_exit = fay_cert_fail(&err);
    return NULL;
}

/* Names and addresses of this host, and those of --san. */
static char **sans_of_host(const fay_cert *cert, const char *hostname)
{
    size_t room = FAY_SANS_MAX - FAY_MIN(FAY_SANS_MAX, fay_texts_count(cert->sans));
    char **sans = fay_host_names(hostname, HOSTS_FILE, room);
    for (char **san = cert->sans; san != NULL && *san != NULL; san++)
        fay_texts_push(&sans, fay_strdup(*san));
    return sans;
}

/* ---- what is printed ------------------------------------------------------------------------- */

/* A certificate that was made, and where it is: the exit code. */
static int report(const fay_cert *cert, const char *directory, const char *file, const char *next)
{
    fay_error err = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate certificate = {0};
    FAY_CLEANUP(fay_freep) char *path = fay_printed("%s/%s", directory, file);
    if (fay_layout_load_certificate(directory, file, &x509, &err) < 0 ||
        fay_certificate_describe(x509, &certificate, &err) < 0)
        return fay_cert_fail(&err);
    if (cert->cli->json) {
        fay_buffer_append_text(&text, "{\"schema\":1,\"directory\":");
        append_quoted(&text, directory);
        fay_buffer_append_text(&text, ",\"certificate\":");
        fay_cert_append_json(&certificate, path, cert->now, &text);
        fay_buffer_append_text(&text, "}\n");
    } else {
        fay_cert_append(&certificate, path, cert->now, &text);
    }
    int exit = cert->cli->quiet && !cert->cli->json ? FAY_EXIT_OK : fay_cli_print(&text);
    if (exit == FAY_EXIT_OK && !cert->cli->quiet && !cert->cli->json)
        (void)fprintf(stderr, "%s\n", next);
    return exit;
}

/* Variables go before the directory, and someone may have forgotten them. */
static void warn_of_variables(const fay_cert *cert)
{
    const fay_tls_settings *s = &cert->settings;
    const fay_tls_file *files[] = {&s->ca, &s->server.certificate, &s->client.certificate};
    for (size_t i = 0; i < FAY_COUNT(files) && !cert->cli->quiet; i++) {
        if (files[i]->path == NULL || files[i]->origin[0] == '\0')
            continue;
        (void)fprintf(stderr, "faymora: warning: %s is set (%s) and goes before this directory\n",
                      files[i]->origin, files[i]->path);
    }
}

/* The CA of that directory. false: *ret_exit, and why has been said. */
static bool open_authority(const fay_cert *cert, fay_authority *ret, int *ret_exit)
{
    fay_error err = {0};
    const char *directory = directory_of(cert, ret_exit);
    if (directory == NULL)
        return false;
    if (fay_authority_open(directory, ret, &err) == 0)
        return true;
    *ret_exit = fay_cert_fail(&err);
    return false;
}

/* ---- init, host ------------------------------------------------------------------------------ */

int fay_cert_init(const fay_cert *cert)
{
    fay_error err = {0};
    char hostname[HOST_NAME_MAX + 1] = "";
    int exit = 0;
    const char *directory = directory_of(cert, &exit);
    if (directory == NULL)
        return exit;
    (void)gethostname(hostname, sizeof hostname - 1);
    FAY_CLEANUP(free_texts) char **sans = sans_of_host(cert, hostname);
    fay_issue host = {.name = cert->name != NULL ? cert->name : hostname,
                      .sans = sans,
                      .roles = cert->roles != 0 ? cert->roles : FAY_ROLES_HOST,
                      .now = cert->now};
    if (fay_authority_create(directory, cert->algorithm, &host, &err) < 0)
        return fay_cert_fail(&err);
    warn_of_variables(cert);
    return report(
        cert, directory, FAY_LAYOUT_CERTIFICATE,
        "The CA and this host's identity are made. For another machine: faymora cert host "
        "NAME, or faymora cert token");
}

int fay_cert_host(const fay_cert *cert)
{
    fay_error err = {0};
    int exit = 0;
    FAY_CLEANUP(fay_authority_close) fay_authority authority = {.lock = -1};
    if (!open_authority(cert, &authority, &exit))
        return exit;
    FAY_CLEANUP(fay_freep) char *path = NULL;
    fay_issue what = {.name = cert->word,
                      .sans = cert->sans,
                      .roles = cert->roles != 0 ? cert->roles : FAY_ROLES_HOST,
                      .now = cert->now};
    int r = fay_authority_host(&authority, cert->algorithm, &what, &path, &err);
    if (r != 0)
        return fay_cert_fail(&err);
    FAY_CLEANUP(fay_freep)
    char *next =
        fay_printed("Take %s to %s as its --tls-dir; the key in it is secret", path, cert->word);
    return report(cert, path, FAY_LAYOUT_CERTIFICATE, next);
}

/* ---- token ----------------------------------------------------------------------------------- */

static int print_token(const fay_cert *cert, const fay_token_terms *terms, const fay_token *token)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer roles = {0};
    char line[FAY_TOKEN_TEXT_MAX];
    char date[FAY_DATE_TEXT_MAX];
    (void)fay_token_text(token, line);
    if (cert->cli->json) {
        fay_buffer_printf(&text,
                          "{\"schema\":1,\"token\":\"%s\",\"expires\":\"%s\",\"uses\":%zu,"
                          "\"roles\":",
                          line, fay_date_json(terms->expires, date), terms->uses);
        fay_cert_append_roles_json(terms->roles, &text);
        fay_buffer_append_text(&text, "}\n");
    } else {
        fay_buffer_printf(&text, "%s\n", line);
    }
    OPENSSL_cleanse(line, sizeof line);
    int exit = fay_cli_print(&text);
    if (exit == FAY_EXIT_OK && !cert->cli->json && !cert->cli->quiet) {
        fay_roles_append(terms->roles, ", ", &roles);
        (void)fprintf(stderr,
                      "Good for %zu %s until %s, as %s. Whoever has it may join: keep it "
                      "secret\n",
                      terms->uses, terms->uses == 1 ? "machine" : "machines",
                      fay_date_text(terms->expires, date), fay_buffer_text(&roles));
    }
    OPENSSL_cleanse(text.bytes, text.capacity);
    return exit;
}

int fay_cert_token(const fay_cert *cert)
{
    fay_error err = {0};
    int exit = 0;
    FAY_CLEANUP(fay_authority_close) fay_authority authority = {.lock = -1};
    if (!open_authority(cert, &authority, &exit))
        return exit;
    FAY_CLEANUP(fay_token_wipe) fay_token token = {0};
    fay_token_terms terms = {.now = cert->now,
                             .expires = cert->now + (int64_t)(cert->ttl / FAY_SECOND),
                             .uses = (size_t)cert->uses,
                             .roles = cert->roles != 0 ? cert->roles : FAY_ROLES_TOKEN};
    int r = fay_authority_token(&authority, &terms, &token, &err);
    return r < 0 ? fay_cert_fail(&err) : print_token(cert, &terms, &token);
}

/* ---- renew, revoke --------------------------------------------------------------------------- */

int fay_cert_renew(const fay_cert *cert)
{
    fay_error err = {0};
    char hostname[HOST_NAME_MAX + 1] = "";
    int exit = 0;
    FAY_CLEANUP(fay_authority_close) fay_authority authority = {.lock = -1};
    if (!open_authority(cert, &authority, &exit))
        return exit;
    FAY_CLEANUP(fay_freep) char *path = NULL;
    (void)gethostname(hostname, sizeof hostname - 1);
    /* This host may have got other names and addresses since; of another it is not known here. */
    FAY_CLEANUP(free_texts)
    char **sans = cert->word == NULL ? sans_of_host(cert, hostname)
                                     : fay_texts_copy(cert->sans, fay_texts_count(cert->sans));
    int r = fay_authority_renew(&authority, cert->word, sans, cert->now, &path, &err);
    if (r != 0)
        return fay_cert_fail(&err);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    FAY_CLEANUP(fay_freep)
    char *next = cert->word == NULL ? fay_strdup("The key is the same")
                                    : fay_printed("The key is the same. Take %s/%s to %s", path,
                                                  slash + 1, cert->word);
    return report(cert, path, slash + 1, next);
}

int fay_cert_revoke(const fay_cert *cert)
{
    fay_error err = {0};
    int exit = 0;
    FAY_CLEANUP(fay_authority_close) fay_authority authority = {.lock = -1};
    if (!open_authority(cert, &authority, &exit))
        return exit;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    size_t count = 0;
    uint64_t number = 0;
    int r = fay_authority_revoke(&authority, cert->word, cert->now, &count, &number, &err);
    if (r < 0)
        return fay_cert_fail(&err);
    FAY_CLEANUP(fay_freep) char *path = fay_printed("%s/" FAY_LAYOUT_CRL, cert->settings.directory);
    if (cert->cli->json) {
        fay_buffer_append_text(&text, "{\"schema\":1,\"name\":");
        append_quoted(&text, cert->word);
        fay_buffer_printf(&text, ",\"revoked\":%zu,\"number\":%llu,\"file\":", count,
                          (unsigned long long)number);
        append_quoted(&text, path);
        fay_buffer_append_text(&text, "}\n");
    } else if (!cert->cli->quiet) {
        fay_buffer_printf(&text, "%zu %s of %s revoked; list number %llu: %s\n", count,
                          count == 1 ? "certificate" : "certificates", cert->word,
                          (unsigned long long)number, path);
    }
    return fay_cli_print(&text);
}
