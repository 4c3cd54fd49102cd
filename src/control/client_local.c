/* SPDX-License-Identifier: MIT */
/* A client of a Node on this machine, by its control socket. */
#include <stdlib.h>
#include <unistd.h>

#include "base/texts.h"
#include "control/client_way.h"
#include "control/message.h"
#include "control/sockets.h"
#include "net/link.h"

/* ---- the way --------------------------------------------------------------------------------- */

static int on_frame(void *context, const fay_frame *frame)
{
    return fay_client_frame(context, frame);
}

static void on_closed(void *context, int why)
{
    fay_client *client = context;
    fay_error err = {0};
    client->line = NULL;
    if (why == 0) {
        fay_client_lost(client, NULL);
        return;
    }
    (void)fay_fail_with(&err, (fay_status)why, "the connection with %s has ended: %s",
                        client->where, fay_strstatus((fay_status)why));
    if (why == FAY_E_PEER)
        fay_hint(&err, "it may be of another version than this command");
    fay_client_lost(client, &err);
}

static const fay_link_events events = {.frame = on_frame, .closed = on_closed};

static void say(fay_client *client, fay_message type, const void *payload, size_t size)
{
    if (client->line != NULL)
        fay_link_send(client->line, type, 0, payload, size);
}

static void hang_up(fay_client *client)
{
    if (client->line != NULL)
        fay_link_close(client->line);
}

static const fay_client_way way = {.send = say, .close = hang_up};

/* ---- which socket ---------------------------------------------------------------------------- */

static int nobody(const char *directory, fay_error *err)
{
    (void)fay_fail_with(err, FAY_E_NOTFOUND,
                        "no Node is at work on this machine: none listens in %s", directory);
    fay_hint(err, "start one: faymora agent; or call another machine's: --grid HOST:PORT");
    return FAY_E_NOTFOUND;
}

static void append_names(char *const *names, fay_buffer *list)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        fay_buffer_printf(list, "%s%s", i > 0 ? ", " : "", names[i]);
    }
}

/* Which one is not said, and there are several. */
static int ambiguous(char *const *names, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer list = {0};
    append_names(names, &list);
    (void)fay_fail_with(err, FAY_E_INVAL, "several Nodes are at work on this machine: %s",
                        fay_buffer_text(&list));
    fay_hint(err, "say which one: --name %s", names[0]);
    return FAY_E_INVAL;
}

/* Those that somebody listens on. *ret_fd is connected to the last of them, `err` says what was
 * wrong with the last of the others; both may be NULL. */
static char **names_alive(int at, int *ret_fd, fay_error *err)
{
    char **names = fay_sockets_names(at);
    char **alive = fay_texts_new();
    int last = -1;
    for (size_t i = 0; names[i] != NULL; i++) {
        int fd = -1;
        if (fay_sockets_connect(at, names[i], &fd, err) < 0)
            continue;
        fay_texts_push(&alive, fay_strdup(names[i]));
        if (last >= 0)
            (void)close(last);
        last = fd;
    }
    if (ret_fd != NULL) {
        *ret_fd = last;
    } else if (last >= 0) {
        (void)close(last);
    }
    fay_texts_free(names);
    return alive;
}

/* The only one of those. */
static int connect_only(int at, const char *directory, char **ret_name, int *ret_fd, fay_error *err)
{
    fay_error last = {0};
    int fd = -1, r = 0;
    char **alive = names_alive(at, &fd, &last);
    size_t count = fay_texts_count(alive);
    if (count == 1) {
        *ret_name = fay_strdup(alive[0]);
        *ret_fd = fd;
    } else if (count > 1) {
        (void)close(fd);
        r = ambiguous(alive, err);
    } else if (last.status != 0 && last.status != FAY_E_NOTFOUND) {
        *err = last;
        r = last.status;
    } else {
        r = nobody(directory, err);
    }
    fay_texts_free(alive);
    return r;
}

static int connect_named(int at, const char *name, char **ret_name, int *ret_fd, fay_error *err)
{
    int r = fay_sockets_connect(at, name, ret_fd, err);
    if (r == 0)
        *ret_name = fay_strdup(name);
    if (r != FAY_E_NOTFOUND)
        return r;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer list = {0};
    char **alive = names_alive(at, NULL, NULL);
    append_names(alive, &list);
    if (alive[0] != NULL)
        fay_hint(err, "these are: %s", fay_buffer_text(&list));
    fay_texts_free(alive);
    return r;
}

static int connect_to(const char *directory, const char *name, char **ret_name, int *ret_fd,
                      fay_error *err)
{
    int at = -1;
    int r = fay_sockets_open(directory, false, &at, err);
    if (r == FAY_E_NOTFOUND)
        return nobody(directory, err);
    if (r < 0)
        return r;
    if (name == NULL) {
        r = connect_only(at, directory, ret_name, ret_fd, err);
    } else {
        r = connect_named(at, name, ret_name, ret_fd, err);
    }
    (void)close(at);
    return r;
}

fay_client *fay_client_open_local(const char *directory, const char *name, fay_client_error *why)
{
    FAY_CLEANUP(fay_freep) char *found = NULL;
    int fd = -1;
    int r = connect_to(directory, name, &found, &fd, &why->error);
    if (r < 0) {
        why->exit = r == FAY_E_INVAL ? FAY_CONTROL_EXIT_USAGE : FAY_CONTROL_EXIT;
        return NULL;
    }
    fay_client *client = fay_client_new(&way);
    fay_text_replace(&client->where, fay_printed("the Node '%s'", found));
    client->line = fay_link_open(&client->loop, fd, &events, client);
    fay_link_untimed(client->line);
    return client;
}
