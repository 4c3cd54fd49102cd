/* SPDX-License-Identifier: MIT */
/* What a Node does now and then. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/texts.h"
#include "node/internal.h"
#include "node/notify.h"
#include "pki/layout.h"

enum {
    KEEP_AFTER_MS = 500,         /* a change of the members: many come together */
    LOOK_AGAIN_MS = 60 * 1000,   /* while it is due: the CA's Node may be away */
    LOOK_FIRST_MS = 3000,        /* others are met by then */
    LOOK_EVERY_MS = 3600 * 1000, /* at the certificates' dates */
};

/* ---- peers ----------------------------------------------------------------------------------- */

struct fay_kept_peers { /* what the pool writes; the loop does not touch it meanwhile */
    fay_node *node;
    char **addresses;
    fay_error err;
    int result;
};

static void write_peers(uv_work_t *work)
{
    struct fay_kept_peers *kept = work->data;
    kept->result = fay_node_state_keep_peers(&kept->node->state, kept->addresses, &kept->err);
}

static void on_written(uv_work_t *work, int status)
{
    (void)status;
    struct fay_kept_peers *kept = work->data;
    fay_node *node = kept->node;
    node->is_keeping = false;
    node->state_failed = node->state.failed;
    if (kept->result != 0) {
        fay_log(FAY_WARN, "state.failed", "error=\"%s\" hint=\"a full disk? it goes on without\"",
                kept->err.message);
    }
    fay_texts_free(kept->addresses);
    free(kept);
}

static char **addresses_of(const fay_node *node)
{
    char **addresses = NULL;
    size_t count = 0;
    FAY_EACH_MEMBER(member, fay_driver_members(node->driver))
    {
        if (member->record == NULL || fay_node_id_same(&member->id, &node->identity.id) ||
            fay_member_state_of(member) == FAY_LEFT || count == FAY_PEERS_KEPT_MAX)
            continue;
        fay_texts_push(&addresses, fay_grid_text(member->record->address));
        count++;
    }
    return addresses;
}

static void on_keep(void *context)
{
    fay_node *node = context;
    if (node->is_keeping) {
        fay_timer_start(node->keep_timer, KEEP_AFTER_MS);
        return;
    }
    char **addresses = addresses_of(node);
    if (addresses == NULL) /* alone: who was here before is worth more than nobody */
        return;
    struct fay_kept_peers *kept = fay_alloc(sizeof *kept);
    *kept = (struct fay_kept_peers){.node = node, .addresses = addresses};
    node->keeping.data = kept;
    node->is_keeping = true;
    (void)malloc_trim(0); /* what a crowd that came at once has needed */
    (void)uv_queue_work(&node->loop, &node->keeping, write_peers, on_written);
}

void fay_watch_members(fay_node *node)
{
    if (!fay_timer_running(node->keep_timer))
        fay_timer_start(node->keep_timer, KEEP_AFTER_MS);
}

/* ---- certificates ---------------------------------------------------------------------------- */

void fay_watch_reload(fay_node *node)
{
    fay_error err = {0};
    fay_notify("RELOADING=1");
    if (fay_node_identity_reload(&node->identity, node->config->name, &err) == 0) {
        fay_revocations_look(node); /* a list that was heard may be later than the file */
        fay_node_rekey(node);
        fay_revocations_apply(node);
        fay_node_certify(node);
        fay_driver_certified(node->driver, &node->identity.certification_digest);
        fay_log(FAY_INFO, "node.reloaded", "name=%s", node->config->name);
    } else {
        fay_log(FAY_ERROR, "node.reload", "error=\"%s\" hint=\"%s\"", err.message, err.hint);
    }
    fay_notify("READY=1");
}

/* `cert revoke` has written a list, or another Node that shares the directory. */
static void on_file(uv_fs_event_t *handle, const char *name, int events, int status)
{
    (void)events;
    fay_node *node = handle->data;
    if (status == 0 && name != NULL && strcmp(name, FAY_LAYOUT_CRL) == 0)
        fay_revocations_read(node);
}

static void watch_files(fay_node *node)
{
    const fay_tls_settings *tls = node->config->tls;
    if (tls->directory == NULL || tls->crl.path == NULL || tls->crl.origin[0] != '\0')
        return;
    node->files = fay_alloc(sizeof *node->files);
    (void)uv_fs_event_init(&node->loop, node->files);
    node->files->data = node;
    if (uv_fs_event_start(node->files, on_file, tls->directory, 0) != 0)
        fay_log(FAY_WARN, "node.unwatched", "directory=%s", tls->directory);
}

static void on_files_closed(uv_handle_t *handle)
{
    free(handle);
}

static void on_look(void *context)
{
    fay_node *node = context;
    bool due = fay_renewal_look(node);
    fay_timer_start(node->renew_timer, due ? LOOK_AGAIN_MS : LOOK_EVERY_MS);
}

/* ---- the service manager --------------------------------------------------------------------- */

static void on_watchdog(void *context)
{
    fay_node *node = context;
    fay_notify("WATCHDOG=1\nSTATUS=grid %zu nodes",
               fay_members_alive(fay_driver_members(node->driver)));
    fay_timer_start(node->watchdog_timer, fay_notify_watchdog() / FAY_MS);
}

void fay_watch_begin(fay_node *node)
{
    node->keep_timer = fay_timer_new(&node->loop, on_keep, node);
    if (node->config->tls != NULL) {
        node->renew_timer = fay_timer_new(&node->loop, on_look, node);
        fay_timer_start(node->renew_timer, LOOK_FIRST_MS);
        watch_files(node);
    }
    if (fay_notify_watchdog() > 0) {
        node->watchdog_timer = fay_timer_new(&node->loop, on_watchdog, node);
        fay_timer_start(node->watchdog_timer, 0);
    }
}

void fay_watch_end(fay_node *node)
{
    fay_timer_free(node->keep_timer);
    fay_timer_free(node->renew_timer);
    fay_timer_free(node->watchdog_timer);
    if (node->files != NULL)
        uv_close((uv_handle_t *)node->files, on_files_closed);
}
