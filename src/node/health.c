/* SPDX-License-Identifier: MIT */
/* The verb doctor: what this Node finds of itself. */
#include <sys/resource.h>
#include <time.h>

#include "base/limits.h"
#include "node/internal.h"
#include "pki/certificate.h"

static void add(json_t *checks, const char *name, bool ok, const char *message, const char *hint)
{
    json_t *check = json_pack("{s:s, s:b, s:s, s:s}", "name", name, "ok", ok, "message", message,
                              "hint", ok ? "" : hint);
    (void)json_array_append_new(checks, check);
}

static void check_certificate(json_t *checks, const char *name, const fay_credential *credential)
{
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate certificate = {0};
    char date[FAY_DATE_TEXT_MAX];
    if (fay_certificate_describe(sk_X509_value(credential->chain, 0), &certificate, NULL) != 0)
        return;
    int64_t days = fay_certificate_days_left(&certificate, time(NULL));
    FAY_CLEANUP(fay_freep)
    char *message = fay_printed("%s: %lld days left, until %s", certificate.name, (long long)days,
                                fay_date_text(certificate.not_after, date));
    add(checks, name, days >= FAY_EXPIRY_WARNING_DAYS, message,
        "faymora cert renew, then SIGHUP to this Node");
}

static void check_grid(json_t *checks, const fay_node *node)
{
    const fay_members *members = fay_driver_members(node->driver);
    size_t alive = fay_members_alive(members), links = fay_driver_links(node->driver);
    FAY_CLEANUP(fay_freep)
    char *message = fay_printed("%zu Nodes alive, %zu links of this one", alive, links);
    bool cut_off = alive == 1 && node->config->peers != NULL;
    add(checks, "grid", !cut_off, message, "none of its peers answers: their addresses, firewalls");
}

static void check_state(json_t *checks, const fay_node *node)
{
    add(checks, "state", !node->state_failed, node->state.directory,
        "it cannot be written: a full disk, its permissions");
}

static void check_files(json_t *checks)
{
    enum {
        ENOUGH = 1024
    };
    struct rlimit limit = {0};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    FAY_CLEANUP(fay_freep)
    char *message = fay_printed("%llu open files allowed", (unsigned long long)limit.rlim_cur);
    add(checks, "files", limit.rlim_cur >= ENOUGH, message, "ulimit -n 4096, or LimitNOFILE=");
}

void fay_node_health(void *context, fay_call *call, const json_t *args)
{
    (void)args;
    const fay_node *node = context;
    json_t *checks = json_array();
    check_certificate(checks, "server certificate", &node->identity.keys.server);
    check_certificate(checks, "client certificate", &node->identity.keys.client);
    check_grid(checks, node);
    check_state(checks, node);
    check_files(checks);
    fay_call_done(call, json_pack("{s:o}", "checks", checks));
}
