/* SPDX-License-Identifier: MIT */
/* faymora cert: the keys and certificates of a Grid. Here the words of the command line. */
#include "cli/cert.h"

#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/texts.h"
#include "base/units.h"
#include "pki/role.h"

enum {
    INIT = 1,
    HOST = 2,
    TOKEN = 4,
    SHOW = 8,
    RENEW = 16,
    REVOKE = 32
};

typedef enum key {
    KEY_NAME = 1,
    KEY_SAN,
    KEY_ROLE,
    KEY_ALGORITHM,
    KEY_TTL,
    KEY_USES,
    KEY_PEER
} key;

static const fay_flag flags[] = {
    {"name", 0, KEY_NAME, "NAME", "init: the Node's name (default: this host's)"},
    {"san", 0, KEY_SAN, "X", "init, host, renew: one more name or address; may be repeated"},
    {"role", 0, KEY_ROLE, "agent|node|client|observer", "init, host, token; may be repeated"},
    {"algorithm", 0, KEY_ALGORITHM, "p256|ed25519", "init, host: of the keys (default p256)"},
    {"ttl", 0, KEY_TTL, "D", "token: how long it is good (default 1h)"},
    {"uses", 0, KEY_USES, "N", "token: for how many machines (default 1)"},
    {"peer", 0, KEY_PEER, "HOST:PORT", "show: what that Node shows"},
    {0},
};

/* Who takes which flag, by its key. */
static const unsigned takers[] = {
    [KEY_NAME] = INIT,
    [KEY_SAN] = INIT | HOST | RENEW,
    [KEY_ROLE] = INIT | HOST | TOKEN,
    [KEY_ALGORITHM] = INIT | HOST,
    [KEY_TTL] = TOKEN,
    [KEY_USES] = TOKEN,
    [KEY_PEER] = SHOW,
};

static const struct verb {
    const char *name;
    const char *word; /* what it takes; NULL = nothing */
    int (*run)(const fay_cert *cert);
    unsigned bit;
    bool needs_word;
} verbs[] = {
    {"init", NULL, fay_cert_init, INIT, false},
    {"host", "the name of a host", fay_cert_host, HOST, true},
    {"token", NULL, fay_cert_token, TOKEN, false},
    {"show", "a file", fay_cert_show, SHOW, false},
    {"renew", "the name of a Node", fay_cert_renew, RENEW, false},
    {"revoke", "the name of a Node", fay_cert_revoke, REVOKE, true},
};

int fay_cert_fail(const fay_error *err)
{
    int exit = FAY_EXIT_TLS;
    if (err->status == FAY_E_IO)
        exit = FAY_EXIT_IO;
    if (err->status == FAY_E_INVAL || err->status == FAY_E_EXISTS)
        exit = FAY_EXIT_USAGE;
    if (err->status == FAY_E_NOTFOUND)
        exit = FAY_EXIT_DEAD; /* 1: what was looked up is not there */
    return fay_cli_fail(err, exit);
}

/* ---- flags ----------------------------------------------------------------------------------- */

static int take_role(fay_cert *cert, const char *value)
{
    unsigned role = fay_role_find(value, strlen(value));
    cert->roles |= role;
    return role != 0 ? 0
                     : fay_cli_misuse(cert->cli,
                                      "'--role' is agent, node, client or observer, not "
                                      "'%.100s'",
                                      value);
}

static int take_ttl(fay_cert *cert, const char *value)
{
    if (fay_duration_parse(value, &cert->ttl) == 0 && cert->ttl >= FAY_SECOND)
        return 0;
    return fay_cli_misuse(cert->cli,
                          "'--ttl' takes a duration from 1s on, such as 1h, not '%.100s'", value);
}

static int take_uses(fay_cert *cert, const char *value)
{
    fay_error err = {0};
    if (fay_args_number("--uses", value, 1, FAY_TOKEN_USES_MAX, &err, &cert->uses) == 0)
        return 0;
    return fay_cli_misuse(cert->cli, "%s", err.message);
}

static int take_flag(fay_cert *cert)
{
    const char *value = cert->cli->args.value;
    switch ((key)cert->cli->args.key) {
    case KEY_NAME: cert->name = value; return 0;
    case KEY_SAN: fay_texts_push(&cert->sans, fay_strdup(value)); return 0;
    case KEY_ROLE: return take_role(cert, value);
    case KEY_ALGORITHM:
        if (fay_algorithm_parse(value, &cert->algorithm))
            return 0;
        return fay_cli_misuse(cert->cli, "'--algorithm' is p256 or ed25519, not '%.100s'", value);
    case KEY_TTL: return take_ttl(cert, value);
    case KEY_USES: return take_uses(cert, value);
    case KEY_PEER: cert->peer = value; return 0;
    }
    return 0;
}

static const char *flag_name(int wanted)
{
    const fay_flag *flag = flags;
    while (flag->key != wanted) {
        flag++;
    }
    return flag->name;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < FAY_COUNT(verbs); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static int unknown(const fay_cert *cert)
{
    const char *names[FAY_COUNT(verbs)];
    for (size_t i = 0; i < FAY_COUNT(verbs); i++)
        names[i] = verbs[i].name;
    const char *meant = fay_suggest(cert->verb, names, FAY_COUNT(names));
    return fay_cli_misuse(cert->cli, "unknown command 'cert %.40s'; %s%s", cert->verb,
                          meant != NULL ? "did you mean " : "see --help for those there are",
                          meant != NULL ? meant : "");
}

static int carry_out(fay_cert *cert, uint64_t given)
{
    if (cert->verb == NULL)
        return fay_cli_misuse(cert->cli, "'cert' takes init, host, token, show, renew or revoke");
    const struct verb *verb = find_verb(cert->verb);
    if (verb == NULL)
        return unknown(cert);
    FAY_EACH_BIT(bit, given)
    {
        if ((takers[bit] & verb->bit) == 0) {
            return fay_cli_misuse(cert->cli, "'cert %s' takes no '--%s'", verb->name,
                                  flag_name((int)bit));
        }
    }
    if (verb->word == NULL && cert->word != NULL)
        return fay_cli_misuse(cert->cli, "'%.100s' is one word too many", cert->word);
    if (cert->peer != NULL && cert->word != NULL)
        return fay_cli_misuse(cert->cli, "'cert show' takes '--peer' or a file, not both");
    if (verb->needs_word && cert->word == NULL)
        return fay_cli_misuse(cert->cli, "'cert %s' takes %s", verb->name, verb->word);
    int exit = fay_cli_tls(cert->cli, &cert->settings);
    return exit == 0 ? verb->run(cert) : exit;
}

/* 0, or FAY_CLI_STOP: return cli->exit. */
static int parse(fay_cert *cert, uint64_t *ret_given)
{
    fay_cli *cli = cert->cli;
    int r;
    while ((r = fay_cli_next(cli)) > 0) {
        if (r == FAY_ARGS_FLAG) {
            *ret_given |= (uint64_t)1 << cli->args.key;
            if (take_flag(cert) != 0)
                return FAY_CLI_STOP;
        } else if (cert->verb == NULL) {
            cert->verb = cli->args.value;
        } else if (cert->word == NULL) {
            cert->word = cli->args.value;
        } else {
            (void)fay_cli_misuse(cli, "'%.100s' is one word too many", cli->args.value);
            return FAY_CLI_STOP;
        }
    }
    if (r == FAY_ARGS_END && cli->args.at < cli->args.argc) {
        (void)fay_cli_misuse(cli, "'cert' takes no command behind --");
        return FAY_CLI_STOP;
    }
    return r;
}

static int run(fay_cli *cli)
{
    fay_cert cert = {.cli = cli,
                     .now = (int64_t)time(NULL),
                     .algorithm = FAY_P256,
                     .ttl = 3600 * FAY_SECOND,
                     .uses = 1};
    uint64_t given = 0;
    int exit = parse(&cert, &given) == FAY_CLI_STOP ? cli->exit : carry_out(&cert, given);
    fay_tls_settings_deinit(&cert.settings);
    fay_texts_free(cert.sans);
    return exit;
}

const fay_cli_command fay_command_cert = {
    .name = "cert",
    .usage = "cert init [--name NAME] [--san X].. [--role R]..\n"
             "cert host NAME [--san X].. [--role R]..\n"
             "cert token [--ttl 1h] [--uses 1] [--role R]..\n"
             "cert show [FILE | --peer HOST:PORT]\n"
             "cert renew [NODE] [--san X]..\n"
             "cert revoke NODE",
    .summary = "keys and certificates of a Grid",
    .examples =
        "faymora cert init                  # a CA, and the identity of this host\n"
        "faymora cert host b --san 10.0.0.8 # a key and a certificate for another host\n"
        "faymora cert token --uses 5        # lets five machines fetch their own\n"
        "faymora cert show                  # whose they are, what for, until when\n"
        "faymora cert show --peer b:7331    # which ones a Node shows, and if we believe it\n"
        "faymora cert renew                 # the same key for another year\n"
        "faymora cert revoke b",
    .notes = "All is in one directory: --tls-dir, else FAYMORA_TLS_DIR, else\n"
             "~/.config/faymora/tls. Without a CA of ours, certificates of any PKI will do:\n"
             "--ca, --cert and --key, or the variables FAYMORA_TLS_* of faymora-cert(1).\n"
             "host, token, renew and revoke need the key of the CA: be where cert init was.\n"
             "Nothing but show --peer uses the network.",
    .exits = "0 ok\n"
             "1 revoke, renew: the CA has issued nothing to that Node, or revoked it\n"
             "2 usage; or something is there already that would be overwritten\n"
             "4 a key or certificate is missing, unreadable, of another, expired, or not trusted\n"
             "7 a file cannot be read or written",
    .words = "init host token show renew revoke @",
    .flags = flags,
    .run = run,
};
