/* SPDX-License-Identifier: MIT */
/* faymora agent, faymora node: a member of the Grid on this machine. */
#include <limits.h>
#include <math.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/host_port.h"
#include "base/limits.h"
#include "base/texts.h"
#include "base/units.h"
#include "cli/cli.h"
#include "node/join.h"
#include "node/node.h"
#include "pki/authority.h"
#include "pki/layout.h"
#include "pki/names.h"
#include "pki/role.h"

static const int64_t token_ttl_s = 3600;

enum {
    NAME = 1,
    LISTEN,
    ADVERTISE,
    PEER,
    JOIN,
    WEIGHT,
    STRATEGY,
    CPUS,
    MEMORY,
    DISK,
    TAG,
    TRUST,
    CRL,
    STATE,
    WAN
};

static const fay_flag flags[] = {
    {"name", 0, NAME, "X", "the Node's name; this host's unless said"},
    {"listen", 0, LISTEN, "A:P", "where others reach it (0.0.0.0:" FAY_NODE_PORT ")"},
    {"advertise", 0, ADVERTISE, "H:P", "what others are told to dial, if that is another address"},
    {"peer", 0, PEER, "H:P", "any member of the Grid; may be given more than once"},
    {"join", 0, JOIN, "TOKEN", "get a certificate from the Grid, by a token of faymora cert token"},
    {"weight", 0, WEIGHT, "W",
     "how heavy it is on the scales (1); below 0: the strategy is flipped"},
    {"strategy", 0, STRATEGY, "S", "horizontal (least burdened first) or vertical"},
    {"cpus", 0, CPUS, "N", "cores for workers; all unless said"},
    {"mem", 0, MEMORY, "S", "memory for workers, as 8GiB; all unless said"},
    {"disk", 0, DISK, "S", "disk for workers; all unless said"},
    {"tag", 0, TAG, "T", "what stages may ask for; may be given more than once"},
    {"trust", 0, TRUST, "PATTERN", "certificates of another PKI that are trusted, by name; or all"},
    {"crl", 0, CRL, "F", "the list of revoked certificates, of another PKI"},
    {"state-dir", 0, STATE, "DIR", "where it keeps its state"},
    {"wan", 0, WAN, NULL, "the members are far from each other: wait longer for all"},
    {0},
};

typedef struct fay_agent {
    fay_node_config config;
    char **peers, **tags, **trust;
    const char *crl;                  /* NULL = not given */
    fay_token token;                  /* to join by */
    char offered[FAY_TOKEN_TEXT_MAX]; /* a token for the next machine; "" = none */
    bool joins;
    char hostname[HOST_NAME_MAX + 1];
} fay_agent;

static void agent_deinit(fay_agent *agent)
{
    fay_texts_free(agent->peers);
    fay_texts_free(agent->tags);
    fay_texts_free(agent->trust);
    fay_token_wipe(&agent->token);
    OPENSSL_cleanse(agent->offered, sizeof agent->offered);
}

/* ---- flags ----------------------------------------------------------------------------------- */

static int take_number(fay_cli *cli, const char *flag, double most, double *ret)
{
    char *end = NULL;
    double value = strtod(cli->args.value, &end);
    if (end == cli->args.value || *end != '\0' || !isfinite(value) || fabs(value) > most)
        return fay_cli_misuse(cli, "'--%s' takes a number, not '%s'", flag, cli->args.value);
    *ret = value;
    return 0;
}

static int take_size(fay_cli *cli, const char *flag, uint64_t *ret)
{
    if (fay_size_parse(cli->args.value, ret) != 0 || *ret == 0) {
        return fay_cli_misuse(cli, "'--%s' takes a size such as 8GiB, not '%s'", flag,
                              cli->args.value);
    }
    return 0;
}

static int take_join(fay_cli *cli, fay_agent *agent)
{
    fay_error err = {0};
    if (fay_token_parse(cli->args.value, &agent->token, &err) != 0)
        return fay_cli_fail(&err, FAY_EXIT_USAGE);
    agent->joins = true;
    return 0;
}

static int take_cpus(fay_cli *cli, fay_node_config *config)
{
    int r = take_number(cli, "cpus", FAY_CPU_MAX, &config->cores);
    if (r == 0 && config->cores <= 0)
        return fay_cli_misuse(cli, "'--cpus' takes a number above 0, not '%s'", cli->args.value);
    return r;
}

static int take_flag(fay_cli *cli, fay_agent *agent)
{
    fay_node_config *config = &agent->config;
    const char *value = cli->args.value;
    switch (cli->args.key) {
    case NAME: config->name = value; return 0;
    case LISTEN: config->listen = value; return 0;
    case ADVERTISE: config->advertise = value; return 0;
    case PEER: fay_texts_push(&agent->peers, fay_strdup(value)); return 0;
    case JOIN: return take_join(cli, agent);
    case WEIGHT: return take_number(cli, "weight", FAY_WEIGHT_MAX, &config->weight);
    case STRATEGY:
        return fay_strategy_parse(value, &config->strategy)
                   ? 0
                   : fay_cli_misuse(cli, "'--strategy' is horizontal or vertical, not '%s'", value);
    case CPUS: return take_cpus(cli, config);
    case MEMORY: return take_size(cli, "mem", &config->memory);
    case DISK: return take_size(cli, "disk", &config->disk);
    case TAG: fay_texts_push(&agent->tags, fay_strdup(value)); return 0;
    case TRUST: fay_texts_push(&agent->trust, fay_strdup(value)); return 0;
    case CRL: agent->crl = value; return 0;
    case STATE: config->state = value; return 0;
    case WAN: config->wan = true; return 0;
    }
    return 0;
}

static int check(fay_cli *cli, fay_agent *agent)
{
    fay_node_config *config = &agent->config;
    if (config->name == NULL) {
        (void)gethostname(agent->hostname, sizeof agent->hostname - 1);
        config->name = agent->hostname;
    }
    if (!fay_node_name_valid(config->name, strlen(config->name))) {
        return fay_cli_misuse(cli, "'%s' is no name of a Node: letters, digits, - . _, at most %zu",
                              config->name, FAY_NODE_NAME_MAX);
    }
    if (config->listen != NULL && strchr(config->listen, ':') == NULL)
        return fay_cli_misuse(cli, "'--listen' takes ADDRESS:PORT, not '%s'", config->listen);
    if (config->advertise != NULL && !fay_host_port_valid(config->advertise))
        return fay_cli_misuse(cli, "'--advertise' takes HOST:PORT, not '%s'", config->advertise);
    for (char **peer = agent->peers; peer != NULL && *peer != NULL; peer++) {
        if (!fay_host_port_valid(*peer))
            return fay_cli_misuse(cli, "'--peer' takes HOST:PORT, not '%s'", *peer);
    }
    if (agent->joins && agent->peers == NULL)
        return fay_cli_misuse(cli, "'--join' needs a '--peer' to join by");
    for (char **one = agent->trust; one != NULL && *one != NULL; one++) {
        config->trust_all = config->trust_all || strcmp(*one, "all") == 0;
    }
    config->peers = agent->peers;
    config->tags = agent->tags;
    config->trust = agent->trust;
    return 0;
}

/* FAY_CLI_STOP: return cli->exit. */
static int parse(fay_cli *cli, fay_agent *agent)
{
    for (;;) {
        int what = fay_cli_next(cli);
        int r = 0;
        if (what == FAY_CLI_STOP)
            return what;
        if (what == FAY_ARGS_END) {
            r = check(cli, agent);
        } else if (what == FAY_ARGS_FLAG) {
            r = take_flag(cli, agent);
        } else {
            r = fay_cli_misuse(cli, "'%s' is not expected", cli->args.value);
        }
        if (r != 0) {
            cli->exit = r;
            return FAY_CLI_STOP;
        }
        if (what == FAY_ARGS_END)
            return 0;
    }
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* Whether anything was named, or is there: else the Node runs without keys. */
static bool has_keys(const fay_tls_settings *settings)
{
    if (settings->by_variables || settings->directory == NULL)
        return settings->by_variables || settings->ca.path != NULL;
    if (settings->ca.origin != NULL && settings->ca.origin[0] != '\0')
        return true;
    return fay_layout_has(settings->directory, FAY_LAYOUT_CA);
}

static bool is_named(const fay_cli *cli)
{
    return cli->tls.directory != NULL || cli->tls.ca != NULL ||
           fay_cli_variable(NULL, "FAYMORA_TLS_DIR") != NULL ||
           fay_cli_variable(NULL, "RAKTR_TLS_DIR") != NULL;
}

static int join(const fay_agent *agent, const fay_tls_settings *settings)
{
    fay_error err = {0};
    fay_joining join = {.token = &agent->token,
                        .peers = agent->peers,
                        .name = agent->config.name,
                        .directory = settings->directory};
    if (settings->directory == NULL) {
        (void)fay_fail_with(&err, FAY_E_INVAL, "there is no directory for the certificate");
        fay_hint(&err, "--tls-dir DIR, or FAYMORA_TLS_DIR");
        return fay_cli_fail(&err, FAY_EXIT_USAGE);
    }
    if (fay_layout_has(settings->directory, FAY_LAYOUT_CA)) {
        (void)fprintf(stderr, "faymora: %s has an identity already; the token is not used\n",
                      settings->directory);
        return 0;
    }
    return fay_join_grid(&join, &err) != 0 ? fay_cli_fail(&err, FAY_EXIT_TLS) : 0;
}

/* A token for the next machine, where the CA is and somebody looks. */
static bool make_token(const fay_tls_settings *settings, char text[FAY_TOKEN_TEXT_MAX])
{
    fay_error err = {0};
    int64_t now = time(NULL);
    fay_token_terms terms = {
        .now = now, .expires = now + token_ttl_s, .uses = 1, .roles = FAY_ROLES_TOKEN};
    if (isatty(STDERR_FILENO) == 0 || settings->directory == NULL ||
        !fay_layout_has(settings->directory, FAY_LAYOUT_CA_KEY))
        return false;
    FAY_CLEANUP(fay_authority_close) fay_authority authority = {.lock = -1};
    FAY_CLEANUP(fay_token_wipe) fay_token token = {0};
    if (fay_authority_open(settings->directory, &authority, &err) != 0 ||
        fay_authority_token(&authority, &terms, &token, &err) != 0)
        return false;
    (void)fay_token_text(&token, text);
    return true;
}

static int run_with(fay_cli *cli, fay_agent *agent, const fay_tls_settings *settings)
{
    fay_node_config *config = &agent->config;
    int r = agent->joins ? join(agent, settings) : 0;
    if (r != 0)
        return r;
    if (has_keys(settings) || is_named(cli)) {
        config->tls = settings;
        config->trust_all = config->trust_all || (settings->by_variables && agent->trust == NULL);
        config->join_token =
            !cli->quiet && make_token(settings, agent->offered) ? agent->offered : NULL;
    } else if (agent->peers != NULL) {
        fay_error err = {0};
        (void)fay_fail_with(&err, FAY_E_TLS, "there are no keys to meet others with");
        fay_hint(&err, "faymora cert init, or --join TOKEN");
        return fay_cli_fail(&err, FAY_EXIT_TLS);
    }
    return fay_node_run(config);
}

static int run_as(fay_cli *cli, bool is_agent)
{
    FAY_CLEANUP(agent_deinit) fay_agent agent = {.config = {.agent = is_agent, .weight = 1}};
    FAY_CLEANUP(fay_tls_settings_deinit) fay_tls_settings settings = {0};
    if (parse(cli, &agent) == FAY_CLI_STOP)
        return cli->exit;
    int r = fay_cli_tls(cli, &settings);
    if (r == 0 && agent.crl != NULL) {
        free(settings.crl.path);
        settings.crl = (fay_tls_file){.path = fay_strdup(agent.crl), .origin = "--crl"};
    }
    agent.config.quiet = cli->quiet;
    return r != 0 ? r : run_with(cli, &agent, &settings);
}

static int run_agent(fay_cli *cli)
{
    return run_as(cli, true);
}

static int run_node(fay_cli *cli)
{
    return run_as(cli, false);
}

#define EXITS                                                                                      \
    "  0  it said BYE and ended\n"                                                                 \
    "  2  usage\n"                                                                                 \
    "  4  keys or certificates, its port, or a second Node that is this one\n"                     \
    "  7  its state directory\n"

const fay_cli_command fay_command_agent = {
    .name = "agent",
    .usage = "agent [--name X] [--listen A:P] [--peer H:P ..] [flags]",
    .summary = "a member of the Grid that spawns workers",
    .examples = "  faymora cert init; faymora agent         the first machine of a Grid\n"
                "  faymora agent --peer a:7331 --join fay1...     every other one\n"
                "  faymora agent --peer a:7331 --weight 2 --tag gpu\n",
    .notes =
        "Peers need not answer yet: they are dialled until they do. Members are remembered, so\n"
        "that a Grid that was switched off finds itself again without --peer.\n",
    .exits = EXITS,
    .flags = flags,
    .run = run_agent,
};

const fay_cli_command fay_command_node = {
    .name = "node",
    .usage = "node [--name X] [--listen A:P] [--peer H:P ..] [flags]",
    .summary = "a member of the Grid that spawns nothing",
    .examples = "  faymora node --peer a:7331\n",
    .notes = NULL,
    .exits = EXITS,
    .flags = flags,
    .run = run_node,
};
