/* SPDX-License-Identifier: MIT */
/* Who calls a Node: a process that listens on a socket, with a toy table of verbs, and this one. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "control/client.h"
#include "control/server.h"
#include "control/sockets.h"
#include "pki/role.h"
#include "support/scratch.h"

#define LONG (60 * FAY_SECOND)

/* ---- the other process ----------------------------------------------------------------------- */

static void verb_echo(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    fay_call_done(call, json_deep_copy(args));
}
static void verb_count(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    for (json_int_t i = 0; i < json_integer_value(json_object_get(args, "to")); i++) {
        (void)fay_call_more(call, json_integer(i));
    }
    if (json_is_true(json_object_get(args, "ends")))
        fay_call_done(call, NULL);
}
static void verb_refuse(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    (void)args;
    fay_error err = {0};
    (void)fay_fail_with(&err, FAY_E_EXISTS, "two are named \x1b[31ma\xc2\x9b");
    fay_hint(&err, "give the id");
    fay_call_fail(call, &err, 2);
}
static void verb_sleep(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    (void)call;
    (void)args;
}
static void verb_die(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    (void)call;
    (void)args;
    _exit(0);
}

static const fay_verb verbs[] = {
    {"echo", FAY_ROLE_CLIENT, verb_echo},     {"count", FAY_ROLE_CLIENT, verb_count},
    {"refuse", FAY_ROLE_CLIENT, verb_refuse}, {"sleep", FAY_ROLE_CLIENT, verb_sleep},
    {"die", FAY_ROLE_CLIENT, verb_die},       {0}};

/* Returns when it listens. */
static pid_t start_node(const char *name)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        uv_loop_t loop;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(ready[0]);
        bool ok = uv_loop_init(&loop) == 0 &&
                  fay_server_new(&loop, "here", name, verbs, NULL, NULL) != NULL &&
                  write(ready[1], "x", 1) == 1;
        if (ok)
            (void)uv_run(&loop, UV_RUN_DEFAULT);
        _exit(1);
    }
    (void)close(ready[1]);
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    return pid;
}

static void stop_node(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* ---- this one -------------------------------------------------------------------------------- */

static fay_client *open_client(const char *name)
{
    fay_client_error why = {0};
    fay_client *client = fay_client_open_local("here", name, &why);
    if (client == NULL)
        fail_msg("%s", why.error.message);
    return client;
}

static void assert_why(const fay_client_error *why, fay_status status, int exit, const char *text)
{
    assert_string_equal(why->error.message, text);
    assert_int_equal(why->error.status, status);
    assert_int_equal(why->exit, exit);
}

static void a_call_returns_its_result(void **state)
{
    (void)state;
    fay_client_error why = {0};
    pid_t node = start_node("a");
    fay_client *client = open_client(NULL);
    assert_string_equal(fay_client_where(client), "the Node 'a'");
    for (int i = 0; i < 3; i++) {
        json_t *result = fay_client_call(client, "echo", json_pack("{s:i}", "n", i), LONG, &why);
        assert_int_equal(json_integer_value(json_object_get(result, "n")), i);
        json_decref(result);
    }
    json_t *empty = fay_client_call(client, "echo", NULL, LONG, &why);
    assert_int_equal(json_object_size(empty), 0);
    json_decref(empty);
    fay_client_close(client);
    stop_node(node);
}

static void a_refusal_says_why(void **state)
{
    (void)state;
    fay_client_error why = {0};
    pid_t node = start_node("a");
    fay_client *client = open_client("a");
    assert_null(fay_client_call(client, "refuse", NULL, LONG, &why));
    assert_why(&why, FAY_E_EXISTS, 2, "two are named  [31ma  ");
    assert_string_equal(why.error.hint, "give the id");
    assert_null(fay_client_call(client, "fly", NULL, LONG, &why));
    assert_int_equal(why.error.status, FAY_E_NOTFOUND);
    char *text = fay_alloc(FAY_CALL_JSON_MAX + 1);
    memset(text, 'x', FAY_CALL_JSON_MAX);
    assert_null(fay_client_call(client, "echo", json_pack("{s:s}", "t", text), LONG, &why));
    assert_why(&why, FAY_E_INVAL, 2,
               "'echo' would have 64520 bytes of arguments, and 64512 are "
               "the most");
    free(text);
    json_decref(fay_client_call(client, "echo", NULL, LONG, &why)); /* it is none the worse */
    fay_client_close(client);
    stop_node(node);
}

typedef struct sum {
    json_int_t parts, until;
} sum;

static bool on_part(void *context, const json_t *part)
{
    sum *s = context;
    assert_int_equal(json_integer_value(part), s->parts);
    return ++s->parts != s->until;
}

static int listen_to(fay_client *client, const char *verb, json_t *args, sum *s, fay_ns timeout,
                     fay_client_error *why)
{
    const fay_client_stream stream = {
        .verb = verb, .args = args, .each = on_part, .context = s, .timeout = timeout};
    return fay_client_listen(client, &stream, why);
}

static void streams_end_by_either_end(void **state)
{
    (void)state;
    fay_client_error why = {0};
    pid_t node = start_node("a");
    fay_client *client = open_client("a");
    sum s = {0};
    json_t *args = json_pack("{s:i,s:b}", "to", 1000, "ends", 1);
    assert_int_equal(listen_to(client, "count", args, &s, 0, &why), 0);
    assert_int_equal(s.parts, 1000);

    s = (sum){.until = 10};
    args = json_pack("{s:i}", "to", 1000);
    assert_int_equal(listen_to(client, "count", args, &s, 0, &why), 0);
    assert_int_equal(s.parts, 10);

    /* What was on its way of that one disturbs nobody. */
    json_t *result = fay_client_call(client, "echo", json_pack("{s:i}", "n", 7), LONG, &why);
    assert_int_equal(json_integer_value(json_object_get(result, "n")), 7);
    json_decref(result);
    assert_int_equal(listen_to(client, "refuse", NULL, &s, 0, &why), FAY_E_EXISTS);
    assert_int_equal(why.exit, 2);
    fay_client_close(client);
    stop_node(node);
}

/* One that goes on for ever ends behind what is there already, if no more is wanted. */
static void what_is_there_already_can_be_had_alone(void **state)
{
    (void)state;
    fay_client_error why = {0};
    pid_t node = start_node("a");
    fay_client *client = open_client("a");
    for (int round = 0; round < 3; round++) {
        sum s = {0};
        json_t *args = json_pack("{s:i}", "to", 1000);
        assert_int_equal(listen_to(client, "count", args, &s, LONG, &why), 0);
        assert_int_equal(s.parts, 1000);
    }
    fay_client_close(client);
    stop_node(node);
}

static void who_does_not_answer_is_given_up(void **state)
{
    (void)state;
    fay_client_error why = {0};
    pid_t node = start_node("a");
    fay_client *client = open_client("a");
    assert_null(fay_client_call(client, "sleep", NULL, 100 * FAY_MS, &why));
    assert_why(&why, FAY_E_TIMEOUT, 4, "the Node 'a' did not answer 'sleep' within 100ms");
    json_decref(fay_client_call(client, "echo", NULL, LONG, &why));
    fay_client_close(client);
    stop_node(node);
}

static void a_nodes_end_is_told(void **state)
{
    (void)state;
    fay_client_error why = {0};
    sum s = {0};
    pid_t node = start_node("a");
    fay_client *client = open_client("a");
    assert_null(fay_client_call(client, "die", NULL, LONG, &why));
    assert_why(&why, FAY_E_CLOSED, 4, "the Node 'a' has closed the connection");
    assert_null(fay_client_call(client, "echo", NULL, LONG, &why)); /* nor is it called in vain */
    assert_int_equal(listen_to(client, "count", NULL, &s, 0, &why), FAY_E_CLOSED);
    fay_client_close(client);
    assert_int_equal(waitpid(node, NULL, 0), node);
    assert_null(fay_client_open_local("here", NULL, &why));
    assert_why(&why, FAY_E_NOTFOUND, 4, "no Node is at work on this machine: none listens in here");
    assert_null(fay_client_open_local("here", "a", &why));
    assert_why(&why, FAY_E_NOTFOUND, 4, "the Node 'a' is no longer at work here");
    assert_null(fay_client_open_local("nowhere", "a", &why));
    assert_why(&why, FAY_E_NOTFOUND, 4,
               "no Node is at work on this machine: none listens in nowhere");
}

static void of_several_one_is_named(void **state)
{
    (void)state;
    fay_client_error why = {0};
    pid_t a = start_node("a"), b = start_node("b"), c = start_node("c");
    stop_node(c); /* its file is there, and means nothing */
    assert_null(fay_client_open_local("here", NULL, &why));
    assert_why(&why, FAY_E_INVAL, 2, "several Nodes are at work on this machine: a, b");
    assert_string_equal(why.error.hint, "say which one: --name a");
    fay_client *client = open_client("b");
    assert_string_equal(fay_client_where(client), "the Node 'b'");
    fay_client_close(client);
    stop_node(a);
    assert_null(fay_client_open_local("here", "a", &why));
    assert_string_equal(why.error.hint, "these are: b");
    client = open_client(NULL); /* the only one that is alive */
    assert_string_equal(fay_client_where(client), "the Node 'b'");
    fay_client_close(client);
    stop_node(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(a_call_returns_its_result),
        IN_SCRATCH(a_refusal_says_why),
        IN_SCRATCH(streams_end_by_either_end),
        IN_SCRATCH(who_does_not_answer_is_given_up),
        IN_SCRATCH(a_nodes_end_is_told),
        IN_SCRATCH(of_several_one_is_named),
        IN_SCRATCH(what_is_there_already_can_be_had_alone),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
