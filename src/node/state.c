/* SPDX-License-Identifier: MIT */
#include "node/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/host_port.h"
#include "base/limits.h"
#include "base/texts.h"
#include "pki/store.h"

enum {
    BOOT_FILE_MAX = 32
};

int fay_node_state_root(const char *named, char **ret, fay_error *err)
{
    const char *given = named != NULL ? named : fay_variable("FAYMORA_STATE_DIR");
    const char *state = fay_variable("XDG_STATE_HOME"), *home = fay_variable("HOME");
    if (given != NULL) {
        *ret = fay_strdup(given);
    } else if (geteuid() == 0 && state == NULL) {
        *ret = fay_strdup("/var/lib/faymora");
    } else if (state != NULL) {
        *ret = fay_printed("%s/faymora", state);
    } else if (home != NULL) {
        *ret = fay_printed("%s/.local/state/faymora", home);
    } else {
        (void)fay_fail_with(err, FAY_E_INVAL,
                            "no directory for this Node's state is named, and "
                            "HOME is not set");
        fay_hint(err, "--state-dir DIR, or FAYMORA_STATE_DIR");
        return FAY_E_INVAL;
    }
    return 0;
}

static char *path_of(const fay_node_state *state, const char *name)
{
    return fay_printed("%s/%s", state->directory, name);
}

static int take_lock(fay_node_state *state, const char *name, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *path = path_of(state, "lock");
    state->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FAY_STORE_PRIVATE);
    if (state->lock < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot open %s", path);
    if (flock(state->lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    (void)fay_fail_with(err, FAY_E_EXISTS, "a Node '%s' runs here already (it holds %s)", name,
                        path);
    fay_hint(err, "another --name, or another --state-dir");
    return FAY_E_EXISTS;
}

int fay_node_state_open(const char *root, const char *name, fay_node_state *ret, fay_error *err)
{
    FAY_CLEANUP(fay_node_state_close)
    fay_node_state state = {.directory = fay_printed("%s/%s", root, name), .lock = -1};
    int r = fay_store_make(state.directory, err);
    r = r != 0 ? r : take_lock(&state, name, err);
    if (r != 0)
        return r;
    *ret = state;
    state = (fay_node_state){.lock = -1};
    return 0;
}

void fay_node_state_close(fay_node_state *state)
{
    free(state->directory);
    if (state->lock >= 0)
        (void)close(state->lock);
    *state = (fay_node_state){.lock = -1};
}

/* ---- boot ------------------------------------------------------------------------------------ */

/* 0: there is none, or nothing that could be one. */
static uint64_t last_boot(const fay_node_state *state)
{
    FAY_CLEANUP(fay_freep) char *path = path_of(state, "boot");
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    if (fay_store_read(path, BOOT_FILE_MAX, &text, NULL) != 0)
        return 0;
    char *end = NULL;
    errno = 0;
    unsigned long long boot = strtoull(fay_buffer_text(&text), &end, 10);
    bool good = errno == 0 && (*end == '\n' || *end == '\0') && boot < FAY_GRID_BOOT_MAX;
    return good ? (uint64_t)boot : 0;
}

int fay_node_state_reboot(fay_node_state *state, uint64_t boot, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *path = path_of(state, "boot");
    FAY_CLEANUP(fay_freep) char *text = fay_printed("%llu\n", (unsigned long long)boot);
    return fay_store_write(path, text, strlen(text), FAY_STORE_PRIVATE, err);
}

int fay_node_state_boot(fay_node_state *state, uint64_t now, uint64_t *ret, fay_error *err)
{
    uint64_t boot = FAY_MAX(last_boot(state) + 1, now);
    *ret = FAY_MIN(boot, FAY_GRID_BOOT_MAX);
    return fay_node_state_reboot(state, *ret, err);
}

/* ---- peers ----------------------------------------------------------------------------------- */

static bool is_address(const char *text)
{
    if (strlen(text) > FAY_GRID_ADDRESS_MAX || !fay_host_port_valid(text))
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~')
            return false;
    }
    return true;
}

char **fay_node_state_peers(const fay_node_state *state)
{
    FAY_CLEANUP(fay_freep) char *path = path_of(state, "peers");
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    char **peers = NULL;
    if (fay_store_read(path, FAY_PEERS_FILE_MAX, &text, NULL) != 0)
        return NULL;
    FAY_CLEANUP(fay_freep) char *lines = fay_strdup(fay_buffer_text(&text));
    char *rest = lines;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (is_address(line) && fay_texts_count(peers) < FAY_PEERS_KEPT_MAX)
            fay_texts_push(&peers, fay_strdup(line));
    }
    return peers;
}

int fay_node_state_keep_peers(fay_node_state *state, char *const *peers, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *path = path_of(state, "peers");
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    for (size_t i = 0; i < FAY_MIN(fay_texts_count(peers), FAY_PEERS_KEPT_MAX); i++) {
        fay_buffer_printf(&text, "%s\n", peers[i]);
    }
    int r = fay_store_write(path, fay_buffer_data(&text), fay_buffer_size(&text), FAY_STORE_PRIVATE,
                            err);
    bool again = state->failed;
    state->failed = r != 0;
    return r != 0 && again ? 0 : r;
}
