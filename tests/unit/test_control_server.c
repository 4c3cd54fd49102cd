/* SPDX-License-Identifier: MIT */
/* The control socket of a Node: real sockets, real files, a toy table of verbs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/texts.h"
#include "control/message.h"
#include "control/server.h"
#include "control/sockets.h"
#include "net/link.h"
#include "pki/role.h"
#include "support/scratch.h"

/* One end that calls. */
typedef struct end {
    fay_link *link;
    fay_buffer said;
    bool closed;
} end;

typedef struct node {
    uv_loop_t loop;
    fay_server *server;
    fay_call *open;
    unsigned ended;
    end ends[2];
} node;

/* ---- a Node ---------------------------------------------------------------------------------- */

static void verb_echo(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    fay_call_done(call, json_deep_copy(args));
}
static void verb_who(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    (void)args;
    fay_call_done(call, json_string(fay_call_caller(call)));
}
static void on_end(void *context)
{
    node *n = context;
    n->open = NULL;
    n->ended++;
}
static void verb_open(void *context, fay_call *call, const json_t *args)
{
    node *n = context;
    (void)args;
    n->open = call;
    fay_call_on_end(call, on_end, n);
}

static const fay_verb verbs[] = {{"echo", FAY_ROLE_AGENT, verb_echo},
                                 {"who", FAY_ROLE_NODE, verb_who},
                                 {"open", FAY_ROLE_OBSERVER, verb_open},
                                 {0}};

static void begin(node *n)
{
    *n = (node){0};
    assert_int_equal(uv_loop_init(&n->loop), 0);
    n->server = fay_server_new(&n->loop, "here", "a", verbs, n, NULL);
    assert_non_null(n->server);
}

static void finish(node *n)
{
    for (size_t i = 0; i < FAY_COUNT(n->ends); i++) {
        if (n->ends[i].link != NULL && !n->ends[i].closed)
            fay_link_close(n->ends[i].link);
        fay_buffer_deinit(&n->ends[i].said);
    }
    fay_server_free(n->server);
    (void)uv_run(&n->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&n->loop), 0);
}

/* ---- who calls it ---------------------------------------------------------------------------- */

static int on_frame(void *context, const fay_frame *frame)
{
    static const char *const kinds[] = {"more", "done", "failed"};
    end *e = context;
    fay_control_answer answer;
    assert_int_equal(frame->type, FAY_MESSAGE_ANSWER);
    assert_int_equal(fay_control_answer_parse(frame->payload, frame->size, &answer), 0);
    fay_buffer_printf(&e->said, "%u %s %.*s\n", answer.number, kinds[answer.kind],
                      (int)answer.json_size, answer.json);
    return 0;
}
static void on_closed(void *context, int why)
{
    (void)why;
    ((end *)context)->closed = true;
}
static const fay_link_events events = {.frame = on_frame, .closed = on_closed};

static int open_here(void)
{
    int directory = -1;
    assert_int_equal(fay_sockets_open("here", false, &directory, NULL), 0);
    return directory;
}

static int connect_to(const char *name)
{
    int fd = -1, directory = open_here();
    assert_int_equal(fay_sockets_connect(directory, name, &fd, NULL), 0);
    (void)close(directory);
    return fd;
}

static void connect_end(node *n, end *e)
{
    e->link = fay_link_open(&n->loop, connect_to("a"), &events, e);
    fay_link_untimed(e->link);
}

static void say(const end *e, uint32_t number, const char *verb, const char *json)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    const fay_control_call call = {.number = number,
                                   .verb = verb,
                                   .verb_size = strlen(verb),
                                   .json = json,
                                   .json_size = strlen(json)};
    fay_control_call_write(&call, &payload);
    fay_link_send(e->link, FAY_MESSAGE_CALL, 0, fay_buffer_data(&payload),
                  fay_buffer_size(&payload));
}

static void await_said(node *n, end *e, const char *expected)
{
    while (fay_buffer_size(&e->said) < strlen(expected) && !e->closed) {
        (void)uv_run(&n->loop, UV_RUN_ONCE);
    }
    assert_string_equal(fay_buffer_text(&e->said), expected);
    fay_buffer_clear(&e->said);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void callers_are_answered(void **state)
{
    (void)state;
    node n;
    begin(&n);
    connect_end(&n, &n.ends[0]);
    connect_end(&n, &n.ends[1]);
    say(&n.ends[0], 1, "echo", "{\"a\":1}");
    say(&n.ends[1], 1, "who", "{}");
    say(&n.ends[0], 2, "fly", "[");
    char who[64];
    (void)snprintf(who, sizeof who, "1 done \"uid %u, pid %d\"\n", (unsigned)geteuid(),
                   (int)getpid());
    await_said(&n, &n.ends[1], who);
    await_said(&n, &n.ends[0],
               "1 done {\"a\":1}\n2 failed {\"status\":\"not_found\",\"exit\":2,\"message\":\"this "
               "Node (faymora " FAY_VERSION_STRING
               ") knows no \\\"fly\\\"\",\"hint\":\"the command "
               "may be of a later version than the Node\"}\n");
    finish(&n);
}

static void the_socket_is_our_users_alone_and_goes_with_the_node(void **state)
{
    (void)state;
    struct stat is;
    node n;
    begin(&n);
    assert_string_equal(fay_server_path(n.server), "here/a.sock");
    assert_int_equal(stat("here/a.sock", &is), 0);
    assert_true(S_ISSOCK(is.st_mode));
    assert_int_equal(is.st_mode & 07777, 0600);
    assert_int_equal(stat("here", &is), 0);
    assert_int_equal(is.st_mode & 07777, 0700);
    finish(&n);
    assert_int_equal(access("here/a.sock", F_OK), -1);
}

static void who_hangs_up_ends_its_calls(void **state)
{
    (void)state;
    node n;
    begin(&n);
    connect_end(&n, &n.ends[0]);
    connect_end(&n, &n.ends[1]);
    say(&n.ends[0], 1, "open", "{}");
    while (n.open == NULL) {
        (void)uv_run(&n.loop, UV_RUN_ONCE);
    }
    fay_link_close(n.ends[0].link);
    n.ends[0].closed = true;
    while (n.ended == 0) {
        (void)uv_run(&n.loop, UV_RUN_ONCE);
    }
    say(&n.ends[1], 1, "echo", "{}"); /* the others go on */
    await_said(&n, &n.ends[1], "1 done {}\n");
    finish(&n);
}

static void the_nodes_end_is_seen(void **state)
{
    (void)state;
    node n;
    begin(&n);
    connect_end(&n, &n.ends[0]);
    say(&n.ends[0], 1, "open", "{}");
    while (n.open == NULL) {
        (void)uv_run(&n.loop, UV_RUN_ONCE);
    }
    fay_server_free(n.server);
    n.server = NULL;
    assert_int_equal(n.ended, 1);
    while (!n.ends[0].closed) {
        (void)uv_run(&n.loop, UV_RUN_ONCE);
    }
    finish(&n);
}

static void who_breaks_the_protocol_is_closed(void **state)
{
    (void)state;
    node n;
    begin(&n);
    connect_end(&n, &n.ends[0]);
    fay_link_send(n.ends[0].link, FAY_MESSAGE_STOP, 0, NULL, 0);
    while (!n.ends[0].closed) {
        (void)uv_run(&n.loop, UV_RUN_ONCE);
    }
    finish(&n);
}

/* What waits for one that does not read is bounded; it is closed then, and the call ends. */
static void who_does_not_read_is_closed(void **state)
{
    (void)state;
    node n;
    begin(&n);
    connect_end(&n, &n.ends[0]);
    connect_end(&n, &n.ends[1]);
    say(&n.ends[0], 1, "open", "{}");
    while (n.open == NULL) {
        (void)uv_run(&n.loop, UV_RUN_ONCE);
    }
    fay_link_pause(n.ends[0].link, true);
    FAY_CLEANUP(fay_freep) char *text = fay_alloc(FAY_MIB + 1);
    memset(text, 'x', FAY_MIB);
    size_t sent = 0;
    for (; n.open != NULL && sent < 4 * FAY_CALLER_KEPT_MAX; sent += FAY_MIB) {
        assert_int_equal(fay_call_more(n.open, json_string(text)), 0);
        (void)uv_run(&n.loop, UV_RUN_NOWAIT);
    }
    assert_null(n.open);
    assert_int_equal(n.ended, 1);
    assert_in_range(sent, FAY_CALLER_KEPT_MAX, 2 * FAY_CALLER_KEPT_MAX);
    say(&n.ends[1], 1, "echo", "{}");
    await_said(&n, &n.ends[1], "1 done {}\n");
    finish(&n);
}

/* Those beyond the limit wait until others have gone. */
static void callers_at_once_are_counted(void **state)
{
    (void)state;
    node n;
    begin(&n);
    int fds[FAY_CALLERS_MAX];
    for (size_t i = 0; i < FAY_COUNT(fds); i++) {
        fds[i] = connect_to("a");
        (void)uv_run(&n.loop, UV_RUN_NOWAIT);
    }
    connect_end(&n, &n.ends[0]);
    say(&n.ends[0], 1, "echo", "{}");
    for (int i = 0; i < 10; i++) {
        (void)uv_run(&n.loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(fay_buffer_size(&n.ends[0].said), 0);
    (void)close(fds[7]);
    await_said(&n, &n.ends[0], "1 done {}\n");
    for (size_t i = 0; i < FAY_COUNT(fds); i++) {
        if (i != 7)
            (void)close(fds[i]);
    }
    finish(&n);
}

static void a_name_is_one_nodes_alone(void **state)
{
    (void)state;
    node n;
    fay_error err = {0};
    begin(&n);
    assert_null(fay_server_new(&n.loop, "here", "a", verbs, &n, &err));
    assert_int_equal(err.status, FAY_E_EXISTS);
    assert_string_equal(err.message, "a Node 'a' is at work on this machine already");
    (void)close(connect_to("a")); /* it still is */
    fay_server *b = fay_server_new(&n.loop, "here", "b", verbs, &n, &err);
    assert_non_null(b);
    int directory = open_here();
    char **names = fay_sockets_names(directory);
    assert_int_equal(fay_texts_count(names), 2);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "b");
    fay_texts_free(names);
    (void)close(directory);
    fay_server_free(b);
    assert_null(fay_server_new(&n.loop, "here", "../a", verbs, &n, &err));
    assert_int_equal(err.status, FAY_E_INVAL);
    finish(&n);
}

/* Its process was killed: the file is there, and nobody listens. */
static void what_was_left_behind_is_replaced(void **state)
{
    (void)state;
    int fd = -1, directory = -1;
    fay_error err = {0};
    assert_int_equal(fay_sockets_open("here", true, &directory, &err), 0);
    assert_int_equal(fay_sockets_listen(directory, "a", &fd, &err), 0);
    (void)close(fd);
    assert_int_equal(access("here/a.sock", F_OK), 0);
    assert_int_equal(fay_sockets_connect(directory, "a", &fd, &err), FAY_E_NOTFOUND);
    assert_string_equal(err.message, "the Node 'a' is no longer at work here");
    assert_int_equal(fay_sockets_connect(directory, "b", &fd, &err), FAY_E_NOTFOUND);
    assert_string_equal(err.message, "no Node 'b' is at work here");
    (void)close(directory);
    node n;
    begin(&n);
    (void)close(connect_to("a"));
    finish(&n);
}

static void other_files_are_left_alone(void **state)
{
    (void)state;
    uv_loop_t loop;
    fay_error err = {0};
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(mkdir("here", 0700), 0);
    FILE *file = fopen("here/a.sock", "we");
    assert_non_null(file);
    (void)fclose(file);
    assert_null(fay_server_new(&loop, "here", "a", verbs, NULL, &err));
    assert_string_equal(err.message, "a.sock is in the way, and is no socket");
    assert_int_equal(access("here/a.sock", F_OK), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void directories_of_others_are_refused(void **state)
{
    (void)state;
    int fd = -1;
    fay_error err = {0};
    assert_int_equal(fay_sockets_open("none", false, &fd, &err), FAY_E_NOTFOUND);
    assert_int_equal(mkdir("here", 0700), 0);
    assert_int_equal(chmod("here", 0770), 0);
    assert_int_equal(fay_sockets_open("here", true, &fd, &err), FAY_E_DENIED);
    assert_string_equal(err.message, "here may be written by others (mode 0770)");
    assert_string_equal(err.hint, "they could pose as a Node there: chmod go-w here");
    assert_int_equal(chmod("here", 0750), 0);
    assert_int_equal(fay_sockets_open("here", true, &fd, &err), 0);
    (void)close(fd);
    if (geteuid() != 0)
        return;
    assert_int_equal(chown("here", 12345, 12345), 0);
    assert_int_equal(fay_sockets_open("here", true, &fd, &err), FAY_E_DENIED);
    assert_string_equal(err.message, "here belongs to user 12345, not to 0");
    assert_int_equal(fay_sockets_open("here", false, &fd, &err), 0); /* root may look */
    (void)close(fd);
    /* What is not root's, and not another user's own, that one does not believe. */
    assert_int_equal(seteuid(23456), 0);
    assert_int_equal(chmod("here", 0755), -1);
    int r = fay_sockets_open(".", true, &fd, &err);
    assert_int_equal(seteuid(0), 0);
    assert_true(r < 0);
}

/* An address of a socket has 108 bytes; directories lie deeper. */
static void deep_directories_do_as_well(void **state)
{
    (void)state;
    uv_loop_t loop;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer path = {0};
    char name[FAY_NODE_NAME_MAX + 1];
    memset(name, 'n', sizeof name);
    name[FAY_NODE_NAME_MAX] = '\0';
    for (int i = 0; i < 20; i++) {
        fay_buffer_append_text(&path, i > 0 ? "/a-directory" : "a-directory");
    }
    assert_int_equal(uv_loop_init(&loop), 0);
    fay_server *server = fay_server_new(&loop, fay_buffer_text(&path), name, verbs, NULL, NULL);
    assert_non_null(server);
    int fd = -1, directory = -1;
    assert_int_equal(fay_sockets_open(fay_buffer_text(&path), false, &directory, NULL), 0);
    char **names = fay_sockets_names(directory);
    assert_int_equal(fay_texts_count(names), 1);
    assert_string_equal(names[0], name);
    assert_int_equal(fay_sockets_connect(directory, names[0], &fd, NULL), 0);
    fay_texts_free(names);
    (void)close(fd);
    (void)close(directory);
    fay_server_free(server);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void assert_directory(const char *state, const char *expected)
{
    FAY_CLEANUP(fay_freep) char *directory = fay_sockets_directory(state);
    assert_string_equal(directory, expected);
}

static void the_directory_is_of_flag_or_environment(void **state)
{
    (void)state;
    char last[64];
    (void)snprintf(last, sizeof last, "/tmp/faymora-%u", (unsigned)geteuid());
    (void)setenv("FAYMORA_STATE_DIR", "/var/lib/f", 1);
    (void)setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    assert_directory("state", "state");
    assert_directory(NULL, "/var/lib/f");
    (void)unsetenv("FAYMORA_STATE_DIR");
    assert_directory(NULL, "/run/user/7/faymora");
    (void)setenv("XDG_RUNTIME_DIR", "", 1);
    assert_directory(NULL, geteuid() == 0 ? "/run/faymora" : last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(callers_are_answered),
        IN_SCRATCH(the_socket_is_our_users_alone_and_goes_with_the_node),
        IN_SCRATCH(who_hangs_up_ends_its_calls),
        IN_SCRATCH(the_nodes_end_is_seen),
        IN_SCRATCH(who_breaks_the_protocol_is_closed),
        IN_SCRATCH(who_does_not_read_is_closed),
        IN_SCRATCH(callers_at_once_are_counted),
        IN_SCRATCH(a_name_is_one_nodes_alone),
        IN_SCRATCH(what_was_left_behind_is_replaced),
        IN_SCRATCH(other_files_are_left_alone),
        IN_SCRATCH(directories_of_others_are_refused),
        IN_SCRATCH(deep_directories_do_as_well),
        IN_SCRATCH(the_directory_is_of_flag_or_environment),
    };
    return cmocka_run_group_tests_name("control_server", tests, NULL, NULL);
}
