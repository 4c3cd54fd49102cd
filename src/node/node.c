/* SPDX-License-Identifier: MIT */
#include "node/node.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/texts.h"
#include "control/sockets.h"
#include "node/internal.h"
#include "node/notify.h"

enum {
    PEERS_MS = 3000,   /* for one of its peers to answer */
    LEAVE_MS = 2000,   /* to say BYE */
    KEPT_MAX = 8 << 20 /* bytes that may wait for one peer */
};

int fay_node_fail(const fay_error *err, int exit)
{
    fay_error_print(err);
    return exit;
}

static void say(const fay_node *node, const char *text)
{
    if (!node->config->quiet)
        (void)fprintf(stderr, "faymora: %s\n", text);
}

/* ---- what the Grid tells --------------------------------------------------------------------- */

static void on_changed(void *context, const fay_node_id *id, fay_member_state state)
{
    fay_node *node = context;
    fay_node_tell_member(node, id, state);
    fay_watch_members(node);
}

static void on_delivered(void *context, const fay_node_id *origin, fay_grid_bytes bytes)
{
    fay_node_heard(context, origin, bytes);
}

void fay_node_end(fay_node *node, int exit)
{
    node->exit = exit;
    uv_stop(&node->loop);
}

static int keep_certification(fay_node *node, fay_error *err)
{
    const fay_node_identity *own = &node->identity;
    if (fay_keyring_has(&node->keyring, &own->id, own->boot, &own->certification_digest))
        return 0;
    return fay_keyring_add(&node->keyring, fay_buffer_data(&own->certification),
                           fay_buffer_size(&own->certification), time(NULL), err);
}

void fay_node_certify(fay_node *node)
{
    fay_error err = {0};
    if (keep_certification(node, &err) != 0)
        fay_log(FAY_ERROR, "node.uncertified", "error=\"%s\"", err.message);
}

void fay_node_rekey(fay_node *node)
{
    fay_error err = {0};
    fay_peers_keys member = fay_node_identity_keys(&node->identity, true);
    fay_peers_keys client = fay_node_identity_keys(&node->identity, false);
    int r = fay_peers_rekey(node->peers, &member, &err);
    r = r != 0 ? r : fay_peers_rekey(node->clients, &client, &err);
    if (r != 0)
        fay_log(FAY_ERROR, "node.rekey", "error=\"%s\"", err.message);
}

static void on_crl(void *context, const void *bytes, size_t size)
{
    fay_revocations_heard(context, bytes, size);
}

static void on_crl_wanted(void *context, uint64_t link)
{
    fay_revocations_give(context, link);
}

/* Others know a start of ours that is later than this one, and it does not live. */
static void on_reboot(void *context, uint64_t boot)
{
    fay_node *node = context;
    fay_error err = {0};
    if (fay_node_state_reboot(&node->state, boot, &err) != 0)
        fay_log(FAY_WARN, "state.failed", "error=\"%s\"", err.message);
    if (fay_node_identity_reboot(&node->identity, node->config->name, boot, &err) != 0) {
        fay_node_end(node, fay_node_fail(&err, FAY_NODE_EXIT_GRID));
        return;
    }
    fay_log(FAY_INFO, "node.reboot", "boot=%llu", (unsigned long long)boot);
    fay_node_certify(node);
    fay_node_rekey(node);
    fay_driver_rebooted(node->driver, boot, &node->identity.certification_digest);
}

static void on_replaced(void *context, uint64_t boot, const char *address)
{
    fay_node *node = context;
    fay_error err = {0};
    (void)fay_fail_with(&err, FAY_E_EXISTS,
                        "another Node '%s' with this key is at work%s%s, of a later start (%llu)",
                        node->config->name, address[0] != '\0' ? " at " : "", address,
                        (unsigned long long)boot);
    fay_hint(&err, "its state directory was copied? another --name, or another key");
    fay_node_end(node, fay_node_fail(&err, FAY_NODE_EXIT_GRID));
}

static void on_left(void *context)
{
    fay_node_end(context, 0);
}

static const fay_driver_events driver_events = {.changed = on_changed,
                                                .delivered = on_delivered,
                                                .crl = on_crl,
                                                .crl_wanted = on_crl_wanted,
                                                .reboot = on_reboot,
                                                .replaced = on_replaced,
                                                .left = on_left};

/* ---- who comes ------------------------------------------------------------------------------- */

static bool on_accepted(void *context, fay_peer *peer, const fay_peer_who *who,
                        const fay_peer_events **ret_events, void **ret_context)
{
    fay_node *node = context;
    if (who->joins)
        return fay_admission_accept(node->admission, peer, ret_events, ret_context);
    if (who->member != NULL)
        return fay_driver_accept(node->driver, peer, who, ret_events, ret_context);
    return fay_callers_accept(node, peer, who, ret_events, ret_context);
}

static void on_refused(void *context, const char *address, const fay_error *err)
{
    (void)context;
    fay_log(FAY_INFO, "peer.refused", "address=%s error=\"%s\"", address, err->message);
}

static bool is_known(void *context, const char *address)
{
    const fay_node *node = context;
    size_t length = strlen(address);
    if (node->driver == NULL)
        return false;
    FAY_EACH_MEMBER(member, fay_driver_members(node->driver))
    {
        if (member->record == NULL)
            continue;
        const fay_grid_bytes *theirs = &member->record->address;
        if (theirs->size > length && memcmp(theirs->bytes, address, length) == 0 &&
            theirs->bytes[length] == ':')
            return true;
    }
    return false;
}

static const fay_peers_events peers_events = {
    .accepted = on_accepted, .refused = on_refused, .known = is_known};

/* ---- where it is ----------------------------------------------------------------------------- */

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]:", 6) == 0 ||
           strncmp(address, "localhost:", 10) == 0;
}

/* An address of this machine that others may reach: the first of an interface that is up. */
static char *first_address(int family)
{
    struct ifaddrs *all = NULL;
    char text[NI_MAXHOST];
    char *found = NULL;
    if (getifaddrs(&all) != 0)
        return NULL;
    for (const struct ifaddrs *at = all; at != NULL && found == NULL; at = at->ifa_next) {
        bool fits = at->ifa_addr != NULL && at->ifa_addr->sa_family == family &&
                    (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0;
        socklen_t size =
            family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        if (fits &&
            getnameinfo(at->ifa_addr, size, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0 &&
            strchr(text, '%') == NULL) /* not one of the link alone */
            found = fay_strdup(text);
    }
    freeifaddrs(all);
    return found;
}

/* What others are told to dial; free() it. */
static char *advertised(const fay_node *node)
{
    const char *bound = fay_peers_address(node->peers);
    const char *port = strrchr(bound, ':');
    if (node->config->advertise != NULL)
        return fay_strdup(node->config->advertise);
    if (strncmp(bound, "0.0.0.0:", 8) != 0 && strncmp(bound, "[::]:", 5) != 0)
        return fay_strdup(bound);
    FAY_CLEANUP(fay_freep) char *four = first_address(AF_INET);
    if (four != NULL)
        return fay_printed("%s%s", four, port);
    FAY_CLEANUP(fay_freep) char *six = first_address(AF_INET6);
    return six != NULL ? fay_printed("[%s]%s", six, port) : fay_printed("127.0.0.1%s", port);
}

/* ---- start ----------------------------------------------------------------------------------- */

static int open_state(fay_node *node)
{
    fay_error err = {0};
    FAY_CLEANUP(fay_freep) char *root = NULL;
    int r = fay_node_state_root(node->config->state, &root, &err);
    r = r != 0 ? r : fay_node_state_open(root, node->config->name, &node->state, &err);
    if (r != 0) {
        return fay_node_fail(&err, r == FAY_E_EXISTS  ? FAY_NODE_EXIT_GRID
                                   : r == FAY_E_INVAL ? FAY_NODE_EXIT_USAGE
                                                      : FAY_NODE_EXIT_STATE);
    }
    if (fay_node_state_boot(&node->state, (uint64_t)node->since, &node->identity.boot, &err) != 0) {
        node->state_failed = true;
        fay_log(FAY_WARN, "state.failed", "error=\"%s\" hint=\"a full disk? it goes on without\"",
                err.message);
    }
    return 0;
}

static int load_identity(fay_node *node)
{
    fay_error err = {0};
    const fay_node_config *config = node->config;
    uint64_t boot = node->identity.boot;
    int r = config->tls != NULL
                ? fay_node_identity_load(config->tls, config->name, boot, &node->identity, &err)
                : fay_node_identity_make(config->name, boot, &node->identity, &err);
    if (r != 0)
        return fay_node_fail(&err, FAY_NODE_EXIT_GRID);
    char **warnings = node->identity.keys.warnings;
    for (char **warning = warnings; warning != NULL && *warning != NULL; warning++) {
        (void)fprintf(stderr, "faymora: warning: %s\n", *warning);
    }
    return 0;
}

static void fill_meta(fay_node *node)
{
    const fay_node_config *config = node->config;
    fay_machine_size size = fay_machine_size_of(&node->machine);
    node->meta = (fay_node_meta){
        .agent = config->agent,
        .holder = config->tls != NULL && fay_admission_holds(config->tls->directory),
        .strategy = config->strategy,
        .weight = config->weight,
        .cores = config->cores > 0 ? config->cores : size.cores,
        .memory = config->memory > 0 ? config->memory : size.memory,
        .disk = config->disk > 0 ? config->disk : size.disk,
        .reason = fay_strdup(""),
        .tags = fay_texts_copy(config->tags, fay_texts_count(config->tags))};
}

static fay_peers *make_peers(fay_node *node, bool member, const fay_grid_params *params)
{
    fay_peers_config config = {.loop = &node->loop,
                               .keys = fay_node_identity_keys(&node->identity, member),
                               .events = member ? &peers_events : NULL,
                               .context = node,
                               .connect = params->connect,
                               .handshake = params->handshake,
                               .unacknowledged = params->unacknowledged,
                               .kept_max = KEPT_MAX};
    return fay_peers_new(&config);
}

static int listen_on(fay_node *node)
{
    fay_error err = {0};
    bool keys = node->config->tls != NULL;
    const char *address = node->config->listen != NULL ? node->config->listen
                          : keys                       ? "0.0.0.0:" FAY_NODE_PORT
                                                       : "127.0.0.1:" FAY_NODE_PORT;
    if (!keys && !is_loopback(address)) {
        (void)fay_fail_with(&err, FAY_E_TLS,
                            "without keys a Node listens on loopback only, not on "
                            "%s",
                            address);
        fay_hint(&err, "faymora cert init makes keys; or --listen 127.0.0.1:" FAY_NODE_PORT);
        return fay_node_fail(&err, FAY_NODE_EXIT_GRID);
    }
    if (fay_peers_listen(node->peers, address, &err) != 0)
        return fay_node_fail(&err, FAY_NODE_EXIT_GRID);
    return 0;
}

/* The peers that were named, and those that were members when it last ran. */
static char **seeds_of(const fay_node *node)
{
    char **seeds = fay_node_state_peers(&node->state);
    for (char *const *peer = node->config->peers; peer != NULL && *peer != NULL; peer++) {
        fay_texts_push(&seeds, fay_strdup(*peer));
    }
    return seeds;
}

static uint64_t drawn_seed(void)
{
    uint64_t seed = 0;
    ssize_t size = getrandom(&seed, sizeof seed, 0);
    (void)size; /* of eight bytes it gives all */
    return seed;
}

static int start_grid(fay_node *node, const fay_grid_params *params)
{
    fay_error err = {0};
    FAY_CLEANUP(fay_freep) char *address = advertised(node);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer meta = {0};
    if (fay_node_meta_write(&node->meta, &meta, &err) != 0)
        return fay_node_fail(&err, FAY_NODE_EXIT_USAGE);
    char **seeds = seeds_of(node);
    fay_grid_config grid = {.params = *params,
                            .id = node->identity.id,
                            .boot = node->identity.boot,
                            .tls_key = node->identity.public_key.bytes,
                            .certification = node->identity.certification_digest.bytes,
                            .name = node->config->name,
                            .address = address,
                            .meta = fay_buffer_data(&meta),
                            .meta_size = fay_buffer_size(&meta),
                            .seeds = (const char *const *)seeds,
                            .seeds_count = fay_texts_count(seeds),
                            .seed = drawn_seed()};
    fay_driver_config config = {.loop = &node->loop,
                                .peers = node->peers,
                                .keyring = &node->keyring,
                                .record_key = &node->identity.record_key,
                                .grid = &grid,
                                .events = &driver_events,
                                .context = node};
    node->driver = fay_driver_new(&config);
    fay_texts_free(seeds);
    return 0;
}

static const fay_members *members_of(void *context)
{
    const fay_node *node = context;
    return fay_driver_members(node->driver);
}

static void start_services(fay_node *node)
{
    fay_error err = {0};
    const fay_node_config *config = node->config;
    fay_admission_config admission = {.directory =
                                          node->meta.holder ? config->tls->directory : NULL,
                                      .peers = node->clients,
                                      .members = members_of,
                                      .self = &node->identity.id,
                                      .context = node};
    node->admission = fay_admission_new(&admission);
    FAY_CLEANUP(fay_freep) char *sockets = fay_sockets_directory(config->state);
    node->server = fay_server_new(&node->loop, sockets, config->name, fay_node_verbs, node, &err);
    if (node->server == NULL) {
        fay_log(FAY_WARN, "control.none", "error=\"%s\" hint=\"commands: --grid %s\"", err.message,
                fay_peers_address(node->peers));
    }
}

static void announce(const fay_node *node)
{
    const fay_node_config *config = node->config;
    FAY_CLEANUP(fay_freep)
    char *ready = fay_printed("%s ready on %s, %g cpus, weight %g, %s%s", config->name,
                              fay_peers_address(node->peers), node->meta.cores, node->meta.weight,
                              fay_strategy_word(node->meta.strategy),
                              config->tls == NULL ? "; without keys, for this machine alone: "
                                                    "faymora cert init makes some"
                                                  : "");
    say(node, ready);
    if (config->join_token != NULL && !config->quiet) {
        FAY_CLEANUP(fay_freep) char *address = advertised(node);
        (void)fprintf(stderr, "Add a machine (1 h, once):\n  faymora agent --peer %s --join %s\n",
                      address, config->join_token);
    }
    if (config->trust_all && config->tls != NULL && config->tls->by_variables) {
        say(node, "every certificate that the CA has signed is trusted as agent, node and client "
                  "(--trust PATTERN for fewer)");
    }
    fay_notify("READY=1\nSTATUS=listening on %s", fay_peers_address(node->peers));
}

/* Once: who starts a Grid starts its machines in any order. */
static void on_peers_due(void *context)
{
    const fay_node *node = context;
    char *const *peers = node->config->peers;
    if (fay_members_alive(fay_driver_members(node->driver)) > 1 ||
        fay_driver_links(node->driver) > 0)
        return;
    FAY_CLEANUP(fay_freep)
    char *text = fay_printed("%s%s does not answer yet; it is dialled until it does", peers[0],
                             peers[1] != NULL ? ", nor any other peer," : "");
    say(node, text);
}

/* ---- signals --------------------------------------------------------------------------------- */

static void on_leave_due(void *context)
{
    fay_node_end(context, 0);
}

static void log_state(const fay_node *node)
{
    const fay_members *members = fay_driver_members(node->driver);
    fay_log(FAY_WARN, "node.state", "name=%s boot=%llu alive=%zu links=%zu callers=%zu",
            node->config->name, (unsigned long long)node->identity.boot, fay_members_alive(members),
            fay_driver_links(node->driver), node->callers_count);
}

static void on_signal(uv_signal_t *handle, int number)
{
    fay_node *node = handle->data;
    if (number == SIGHUP) {
        fay_watch_reload(node);
    } else if (number == SIGUSR1) {
        log_state(node);
    } else if (node->leaving) {
        fay_node_end(node, 0);
    } else {
        node->leaving = true;
        fay_notify("STOPPING=1");
        fay_driver_leave(node->driver);
        fay_timer_start(node->leave_timer, LEAVE_MS);
    }
}

static void begin_signals(fay_node *node)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    for (size_t i = 0; i < FAY_COUNT(numbers); i++) {
        (void)uv_signal_init(&node->loop, &node->signals[i]);
        node->signals[i].data = node;
        (void)uv_signal_start(&node->signals[i], on_signal, numbers[i]);
    }
    node->leave_timer = fay_timer_new(&node->loop, on_leave_due, node);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void begin_loop(fay_node *node)
{
    (void)signal(SIGPIPE, SIG_IGN);           // NOLINT(cert-err33-c)
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* keys are in our memory */
    (void)uv_loop_init(&node->loop);
    begin_signals(node);
}

static int start(fay_node *node)
{
    fay_grid_params params;
    if (node->config->wan) {
        fay_grid_params_wan(&params);
    } else {
        fay_grid_params_lan(&params);
    }
    fay_machine_init(&node->machine, node->state.directory);
    fill_meta(node);
    node->trusted = (fay_trusted){.all = node->config->trust_all || node->config->tls == NULL,
                                  .patterns = node->config->trust};
    node->keyring = (fay_keyring){.trust = &node->identity.keys.trust, .trusted = &node->trusted};
    fay_revocations_look(node);
    node->peers = make_peers(node, true, &params);
    node->clients = make_peers(node, false, &params);
    node->chronicle = fay_chronicle_new();
    node->asking = fay_asking_new(&node->loop, node->clients);
    fay_error err = {0};
    if (keep_certification(node, &err) != 0)
        return fay_node_fail(&err, FAY_NODE_EXIT_GRID);
    int r = listen_on(node);
    r = r != 0 ? r : start_grid(node, &params);
    if (r != 0)
        return r;
    start_services(node);
    fay_revocations_apply(node);
    fay_watch_begin(node);
    node->peers_timer = fay_timer_new(&node->loop, on_peers_due, node);
    if (node->config->peers != NULL)
        fay_timer_start(node->peers_timer, PEERS_MS);
    return 0;
}

static void on_walk(uv_handle_t *handle, void *context)
{
    (void)context;
    if (handle->type == UV_SIGNAL && !uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void stop(fay_node *node)
{
    fay_server_free(node->server);
    fay_callers_end(node);
    fay_admission_free(node->admission);
    fay_asking_free(node->asking);
    fay_driver_free(node->driver);
    fay_watch_end(node);
    fay_timer_free(node->leave_timer);
    fay_timer_free(node->peers_timer);
    if (node->peers != NULL)
        fay_peers_free(node->peers);
    if (node->clients != NULL)
        fay_peers_free(node->clients);
    uv_walk(&node->loop, on_walk, NULL);
    (void)uv_run(&node->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&node->loop);
    if (node->chronicle != NULL)
        fay_chronicle_free(node->chronicle);
    fay_keyring_deinit(&node->keyring);
    fay_machine_deinit(&node->machine);
    fay_node_meta_deinit(&node->meta);
}

int fay_node_run(const fay_node_config *config)
{
    fay_node *node = fay_alloc(sizeof *node);
    node->config = config;
    TAILQ_INIT(&node->callers);
    node->since = time(NULL);
    node->state.lock = -1;
    int exit = open_state(node);
    exit = exit != 0 ? exit : load_identity(node);
    if (exit == 0) {
        begin_loop(node);
        exit = start(node);
        if (exit == 0) {
            announce(node);
            (void)uv_run(&node->loop, UV_RUN_DEFAULT);
            exit = node->exit;
        }
        stop(node);
    }
    fay_node_identity_deinit(&node->identity);
    fay_node_state_close(&node->state);
    free(node);
    return exit;
}
