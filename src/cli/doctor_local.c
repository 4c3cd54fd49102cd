/* SPDX-License-Identifier: MIT */
/* What `faymora doctor` sees of this machine without a Node. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/doctor.h"
#include "host/cgroup.h"
#include "host/cores.h"
#include "host/memory.h"
#include "host/spawn.h"
#include "pki/certificate.h"

enum {
    PORT = 7331,
    FILES_ENOUGH = 4096, /* links, callers, and some for each worker */
    PROCESSES_ENOUGH = 1024
};

/* ---- keys and certificates ------------------------------------------------------------------- */

/* "a, id 3f9a.., 364 days left" */
static char *describe(const fay_credential *credential, int64_t now)
{
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate c = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    char id[FAY_NODE_ID_TEXT_MAX];
    if (fay_certificate_describe(sk_X509_value(credential->chain, 0), &c, NULL) < 0)
        return fay_strdup("?");
    fay_node_id node = fay_node_id_of(&c.public_key, c.name);
    fay_buffer_printf(&text, "%s, id %s", c.name, fay_hex(node.bytes, sizeof node.bytes, id));
    if (c.roles != 0) {
        fay_buffer_append_text(&text, ", may be ");
        fay_roles_append(c.roles, ", ", &text);
    }
    fay_buffer_printf(&text, "; %lld days left", (long long)fay_certificate_days_left(&c, now));
    return fay_strdup(fay_buffer_text(&text));
}

static void look_at_tls(fay_check_up *up)
{
    fay_error err = {0};
    int64_t now = (int64_t)time(NULL);
    FAY_CLEANUP(fay_tls_settings_deinit) fay_tls_settings settings = {0};
    FAY_CLEANUP(fay_identity_deinit) fay_identity identity = {0};
    int r = fay_tls_settings_resolve(&up->reach.cli->tls, fay_cli_variable, NULL, &settings, &err);
    if (r == 0)
        r = fay_identity_load(&settings, FAY_NEEDS_CLIENT, now, &identity, &err);
    if (r < 0) {
        fay_doctor_add(up, "tls", false, err.message, err.hint);
        return;
    }
    const char *warning = identity.warnings != NULL ? identity.warnings[0] : NULL;
    FAY_CLEANUP(fay_freep) char *text = describe(&identity.client, now);
    fay_doctor_add(up, "tls", true, text, warning);
    FAY_CLEANUP(fay_identity_deinit) fay_identity server = {0};
    if (fay_identity_load(&settings, FAY_NEEDS_SERVER, now, &server, &err) < 0) {
        FAY_CLEANUP(fay_freep)
        char *why =
            fay_printed("commands can call Nodes, but no Node can be started: %s", err.message);
        fay_doctor_add(up, "tls server", true, why,
                       err.hint[0] != '\0' ? err.hint : "faymora cert");
    }
}

/* ---- the machine ----------------------------------------------------------------------------- */

static void look_at_clock(fay_check_up *up)
{
    char text[FAY_DATE_TEXT_MAX];
    struct timex state = {0};
    bool kept = adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
    fay_doctor_add(up, "clock", true, fay_date_text((int64_t)time(NULL), text),
                   kept ? NULL
                        : "nothing keeps it right (NTP); certificates are good from one time to "
                          "another, by the clock of each machine");
}

static void look_at_limit(fay_check_up *up, const char *name, struct rlimit limit, rlim_t enough,
                          const char *hint)
{
    bool unlimited = limit.rlim_cur == RLIM_INFINITY;
    FAY_CLEANUP(fay_freep)
    char *text = unlimited ? fay_strdup("unlimited")
                           : fay_printed("%llu at once", (unsigned long long)limit.rlim_cur);
    fay_doctor_add(up, name, true, text, unlimited || limit.rlim_cur >= enough ? NULL : hint);
}

static void look_at_limits(fay_check_up *up)
{
    struct rlimit files = {0}, processes = {0};
    (void)getrlimit(RLIMIT_NOFILE, &files);
    (void)getrlimit(RLIMIT_NPROC, &processes);
    look_at_limit(
        up, "files", files, FILES_ENOUGH,
        "many workers or members need more: ulimit -n 65536, or LimitNOFILE= in the unit");
    look_at_limit(up, "processes", processes, PROCESSES_ENOUGH,
                  "many workers need more: ulimit -u 4096, or TasksMax= in the unit");
}

static void look_at_resources(fay_check_up *up)
{
    fay_memory memory;
    char free_text[FAY_UNITS_TEXT_MAX], limit_text[FAY_UNITS_TEXT_MAX];
    fay_memory_look(&memory);
    uint64_t left = fay_memory_free(&memory);
    FAY_CLEANUP(fay_freep)
    char *text = fay_printed(
        "%.4g of %u cores, %s of memory can be taken", fay_cores_usable(), fay_cores_count(),
        left == UINT64_MAX ? "an unknown amount" : fay_size_text(left, free_text));
    fay_doctor_add(up, "resources", left > 0, text,
                   left > 0 ? NULL : "the machine is short of memory: no worker can be started");
    if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) != 0) {
        fay_doctor_add(up, "cgroups", true, "there is no cgroup v2",
                       "limits of a container, and its pressure on memory, are not seen");
        return;
    }
    fay_cgroup_limits limits = fay_cgroup_look("");
    FAY_CLEANUP(fay_freep)
    char *around =
        fay_printed("v2; memory limited to %s", limits.memory_max == UINT64_MAX
                                                    ? "what the machine has"
                                                    : fay_size_text(limits.memory_max, limit_text));
    fay_doctor_add(up, "cgroups", true, around, NULL);
}

/* Bound, and given back at once. */
static void look_at_port(fay_check_up *up)
{
    const int on = 1;
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_free = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                   bind(fd, (const struct sockaddr *)&any, sizeof any) == 0;
    FAY_CLEANUP(fay_freep)
    char *text = fay_printed("%d is %s", PORT, is_free ? "free" : "taken");
    if (fd >= 0)
        (void)close(fd);
    fay_doctor_add(up, "port", true, text,
                   is_free ? NULL : "unless it is a Node's: faymora agent --listen 0.0.0.0:PORT");
}

static void look_at_programs(fay_check_up *up)
{
    FAY_CLEANUP(fay_freep) char *worker = fay_host_program("faymora-worker");
    FAY_CLEANUP(fay_freep) char *text = fay_printed("faymora %s", fay_version_string());
    bool there = access(worker, X_OK) == 0;
    fay_doctor_add(up, "programs", there, there ? text : worker,
                   there ? NULL
                         : "it is not there, and hosts modules: install all programs "
                           "together, or set FAYMORA_LIBEXEC");
}

void fay_doctor_look(fay_check_up *up)
{
    look_at_tls(up);
    look_at_clock(up);
    look_at_limits(up);
    look_at_resources(up);
    look_at_port(up);
    look_at_programs(up);
}
