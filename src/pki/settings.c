/* SPDX-License-Identifier: MIT */
#include "pki/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/texts.h"
#include "pki/layout.h"

/* A variable and its twin. */
typedef struct variable {
    const char *name, *twin;
} variable;

#define VARIABLE(name)                                                                             \
    {                                                                                              \
        "FAYMORA_TLS_" name, "RAKTR_TLS_" name                                                     \
    }
static const variable directory_variable = VARIABLE("DIR");
static const variable ca_variable = VARIABLE("CA");
static const struct {
    variable certificate, key, public_key;
} server_variables = {VARIABLE("SERVER_CERTIFICATE"), VARIABLE("SERVER_PRIVATE_KEY"),
                      VARIABLE("SERVER_PUBLIC_KEY")},
  client_variables = {VARIABLE("CLIENT_CERTIFICATE"), VARIABLE("CLIENT_PRIVATE_KEY"),
                      VARIABLE("CLIENT_PUBLIC_KEY")};

typedef struct resolver {
    fay_variable_fn *lookup;
    void *context;
    fay_tls_settings *settings;
} resolver;

/* ---- the environment ------------------------------------------------------------------------- */

static const char *value_of(const resolver *r, const char *name)
{
    const char *value = r->lookup(r->context, name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Whether the variable or its twin is set: then that is the file. */
static bool take_variable(const resolver *r, const variable *v, fay_tls_file *file)
{
    const char *value = value_of(r, v->name);
    const char *twin = value_of(r, v->twin);
    if (value == NULL && twin == NULL)
        return false;
    if (value != NULL && twin != NULL && strcmp(value, twin) != 0) {
        fay_texts_push(&r->settings->warnings, fay_printed("%s and %s differ; %s is used: %.300s",
                                                           v->name, v->twin, v->name, value));
    }
    *file = (fay_tls_file){.path = fay_strdup(value != NULL ? value : twin),
                           .origin = value != NULL ? v->name : v->twin};
    return true;
}

static int miss_half(const char *missing, const fay_tls_file *given, const char *what,
                     fay_error *err)
{
    (void)fay_fail_with(err, FAY_E_TLS, "%s is set (%.200s), %s is not", given->origin, given->path,
                        missing);
    fay_hint(err, "set %s to the file of its %s", missing, what);
    return FAY_E_TLS;
}

/* 1: the pair is of the environment; 0: it is not; or FAY_E_TLS: half of it is. */
static int take_pair(const resolver *r, bool server, fay_tls_pair *pair, fay_error *err)
{
    const variable *certificate =
        server ? &server_variables.certificate : &client_variables.certificate;
    const variable *key = server ? &server_variables.key : &client_variables.key;
    bool has_certificate = take_variable(r, certificate, &pair->certificate);
    bool has_key = take_variable(r, key, &pair->key);
    (void)take_variable(r, server ? &server_variables.public_key : &client_variables.public_key,
                        &pair->public_key);
    if (has_certificate && !has_key)
        return miss_half(key->name, &pair->certificate, "private key", err);
    if (has_key && !has_certificate)
        return miss_half(certificate->name, &pair->key, "certificate", err);
    return has_key;
}

/* ---- a directory ----------------------------------------------------------------------------- */

static fay_tls_file file_in(const char *directory, const char *name)
{
    return (fay_tls_file){.path = fay_printed("%s/%s", directory, name), .origin = ""};
}

static void fill_pair(const char *directory, fay_tls_pair *pair)
{
    if (pair->certificate.path != NULL)
        return;
    pair->certificate = file_in(directory, FAY_LAYOUT_CERTIFICATE);
    pair->key = file_in(directory, FAY_LAYOUT_KEY);
}

/* What is not named is in the directory. */
static void fill(fay_tls_settings *settings)
{
    const char *directory = settings->directory;
    if (settings->ca.path == NULL) {
        settings->ca = file_in(directory, FAY_LAYOUT_CA);
        settings->crl = file_in(directory, FAY_LAYOUT_CRL);
    }
    fill_pair(directory, &settings->server);
    fill_pair(directory, &settings->client);
}

static char *default_directory(const resolver *r)
{
    const char *config = value_of(r, "XDG_CONFIG_HOME");
    if (config != NULL && config[0] == '/') /* its specification: others are ignored */
        return fay_printed("%s/faymora/tls", config);
    const char *home = value_of(r, "HOME");
    return home != NULL ? fay_printed("%s/.config/faymora/tls", home) : NULL;
}

/* ---- flags ----------------------------------------------------------------------------------- */

static int check_flags(const fay_tls_flags *flags, fay_error *err)
{
    bool files = flags->ca != NULL || flags->certificate != NULL || flags->key != NULL;
    if (flags->directory != NULL && files)
        return fay_fail_with(err, FAY_E_INVAL, "it is --tls-dir, or --ca, --cert and --key");
    if ((flags->certificate != NULL) != (flags->key != NULL)) {
        return fay_fail_with(err, FAY_E_INVAL, "'%s' needs '%s' too",
                             flags->key != NULL ? "--key" : "--cert",
                             flags->key != NULL ? "--cert" : "--key");
    }
    return 0;
}

static fay_tls_file file_of_flag(const char *path, const char *origin)
{
    return (fay_tls_file){.path = fay_strdup(path), .origin = origin};
}

static void take_flags(const fay_tls_flags *flags, fay_tls_settings *settings)
{
    if (flags->ca != NULL)
        settings->ca = file_of_flag(flags->ca, "--ca");
    if (flags->certificate == NULL)
        return;
    settings->server.certificate = file_of_flag(flags->certificate, "--cert");
    settings->server.key = file_of_flag(flags->key, "--key");
    settings->client.certificate = file_of_flag(flags->certificate, "--cert");
    settings->client.key = file_of_flag(flags->key, "--key");
}

/* ---- all together ---------------------------------------------------------------------------- */

static int take_environment(const resolver *r, fay_error *err)
{
    fay_tls_settings *settings = r->settings;
    if (settings->ca.path == NULL)
        (void)take_variable(r, &ca_variable, &settings->ca);
    if (settings->server.certificate.path != NULL) /* of a flag */
        return 0;
    int server = take_pair(r, true, &settings->server, err);
    if (server < 0)
        return server;
    int client = take_pair(r, false, &settings->client, err);
    if (client < 0)
        return client;
    settings->by_variables = server > 0 && client > 0;
    return 0;
}

static int resolve(const resolver *r, const fay_tls_flags *flags, fay_error *err)
{
    fay_tls_settings *settings = r->settings;
    if (flags->directory != NULL) {
        settings->directory = fay_strdup(flags->directory);
        fill(settings);
        return 0;
    }
    take_flags(flags, settings);
    int failed = take_environment(r, err);
    if (failed < 0)
        return failed;
    bool named = settings->ca.path != NULL || settings->server.certificate.path != NULL ||
                 settings->client.certificate.path != NULL;
    fay_tls_file directory = {0};
    if (take_variable(r, &directory_variable, &directory)) {
        settings->directory = directory.path;
        fill(settings);
        return 0;
    }
    settings->directory = default_directory(r);
    if (!named && settings->directory != NULL)
        fill(settings);
    return 0;
}

int fay_tls_settings_resolve(const fay_tls_flags *flags, fay_variable_fn *lookup, void *context,
                             fay_tls_settings *ret, fay_error *err)
{
    FAY_CLEANUP(fay_tls_settings_deinit) fay_tls_settings settings = {0};
    resolver r = {lookup, context, &settings};
    int failed = check_flags(flags, err);
    if (failed == 0)
        failed = resolve(&r, flags, err);
    if (failed < 0)
        return failed;
    *ret = settings;
    settings = (fay_tls_settings){0};
    return 0;
}

static void free_pair(fay_tls_pair *pair)
{
    free(pair->certificate.path);
    free(pair->key.path);
    free(pair->public_key.path);
}

void fay_tls_settings_deinit(fay_tls_settings *settings)
{
    free(settings->directory);
    free(settings->ca.path);
    free(settings->crl.path);
    free_pair(&settings->server);
    free_pair(&settings->client);
    fay_texts_free(settings->warnings);
    *settings = (fay_tls_settings){0};
}
