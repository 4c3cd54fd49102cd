/* SPDX-License-Identifier: MIT */
/* Calls of one caller, as transcripts of what is answered; in every way that a call can end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "control/calls.h"
#include "control/message.h"
#include "pki/role.h"

typedef struct talk {
    fay_calls *calls;
    fay_call *open; /* that of the verb `open` */
    fay_buffer said;
} talk;

static void verb_echo(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    fay_call_done(call, json_deep_copy(args));
}
static void verb_who(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    (void)args;
    fay_call_done(call, json_pack("{s:s,s:i}", "who", fay_call_caller(call), "roles",
                                  (int)fay_call_roles(call)));
}
static void on_end(void *context)
{
    talk *t = context;
    t->open = NULL;
    fay_buffer_append_text(&t->said, "end\n");
}
static void verb_open(void *context, fay_call *call, const json_t *args)
{
    talk *t = context;
    (void)args;
    t->open = call;
    fay_call_on_end(call, on_end, t);
}
static void verb_refuse(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    (void)args;
    fay_error err = {0};
    (void)fay_fail_with(&err, FAY_E_EXISTS, "two Nodes are named \"a\"");
    fay_hint(&err, "give the id");
    fay_call_fail(call, &err, 2);
}
/* A result, or part, that is beyond the limit. */
static json_t *large(void)
{
    char *text = fay_alloc(FAY_ANSWER_JSON_MAX + 1);
    memset(text, 'x', FAY_ANSWER_JSON_MAX);
    json_t *value = json_string(text);
    free(text);
    return value;
}
static void verb_large(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    (void)args;
    assert_int_equal(fay_call_more(call, large()), FAY_E_NORES);
    fay_call_done(call, large());
}

static const fay_verb verbs[] = {
    {"echo", FAY_ROLE_CLIENT | FAY_ROLE_OBSERVER, verb_echo},
    {"who", FAY_ROLE_CLIENT, verb_who},
    {"open", FAY_ROLE_CLIENT, verb_open},
    {"refuse", FAY_ROLE_CLIENT, verb_refuse},
    {"large", FAY_ROLE_CLIENT, verb_large},
    {"steer", FAY_ROLE_AGENT | FAY_ROLE_NODE, verb_echo},
    {0},
};

static void on_send(void *context, fay_message type, const void *payload, size_t size)
{
    static const char *const kinds[] = {"more", "done", "failed"};
    talk *t = context;
    fay_control_answer answer;
    assert_int_equal(type, FAY_MESSAGE_ANSWER);
    assert_int_equal(fay_control_answer_parse(payload, size, &answer), 0);
    fay_buffer_printf(&t->said, "%u %s %.*s\n", answer.number, kinds[answer.kind],
                      (int)answer.json_size, answer.json);
}

static void begin(talk *t, unsigned roles)
{
    *t = (talk){0};
    const fay_calls_config config = {.verbs = verbs,
                                     .verbs_context = t,
                                     .send = on_send,
                                     .send_context = t,
                                     .roles = roles,
                                     .caller = "b (10.0.0.7)"};
    t->calls = fay_calls_new(&config);
}

static void finish(talk *t)
{
    fay_calls_free(t->calls);
    fay_buffer_deinit(&t->said);
}

static int give(talk *t, fay_message type, const fay_buffer *payload)
{
    const fay_frame frame = {
        .type = type, .payload = fay_buffer_data(payload), .size = fay_buffer_size(payload)};
    return fay_calls_frame(t->calls, &frame);
}

static int call(talk *t, uint32_t number, const char *verb, const char *json)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    const fay_control_call said = {.number = number,
                                   .verb = verb,
                                   .verb_size = strlen(verb),
                                   .json = json,
                                   .json_size = strlen(json)};
    fay_control_call_write(&said, &payload);
    return give(t, FAY_MESSAGE_CALL, &payload);
}

static int cancel(talk *t, uint32_t number)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_control_cancel_write(number, &payload);
    return give(t, FAY_MESSAGE_CANCEL, &payload);
}

static void assert_said(talk *t, const char *expected)
{
    assert_string_equal(fay_buffer_text(&t->said), expected);
    fay_buffer_clear(&t->said);
}

static void a_call_is_answered(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_ROLE_CLIENT);
    assert_int_equal(call(&t, 7, "echo", "{\"a\":[1,null,\"\\u00e9\"]}"), 0);
    assert_said(&t, "7 done {\"a\":[1,null,\"\303\251\"]}\n");
    assert_int_equal(call(&t, 8, "who", "{}"), 0);
    assert_said(&t, "8 done {\"who\":\"b (10.0.0.7)\",\"roles\":4}\n");
    assert_int_equal(call(&t, 9, "refuse", "{}"), 0);
    assert_said(&t, "9 failed {\"status\":\"exists\",\"exit\":2,\"message\":\"two Nodes are named "
                    "\\\"a\\\"\",\"hint\":\"give the id\"}\n");
    finish(&t);
}

static void a_stream_goes_on_until_it_is_cancelled(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_ROLE_CLIENT);
    assert_int_equal(call(&t, 1, "open", "{}"), 0);
    assert_int_equal(fay_call_more(t.open, json_integer(1)), 0);
    assert_int_equal(call(&t, 2, "echo", "{}"), 0); /* meanwhile */
    assert_int_equal(fay_call_more(t.open, NULL), 0);
    assert_said(&t, "1 more 1\n2 done {}\n1 more {}\n");
    assert_int_equal(cancel(&t, 1), 0);
    assert_said(&t, "end\n");
    assert_null(t.open);
    assert_int_equal(cancel(&t, 1), 0); /* it has ended: nothing */
    assert_said(&t, "");

    assert_int_equal(call(&t, 3, "open", "{}"), 0);
    fay_call_done(t.open, NULL); /* by itself: nobody is told */
    assert_said(&t, "3 done {}\n");
    finish(&t);
}

static void who_is_gone_ends_its_calls(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_ROLE_CLIENT);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(call(&t, i, "open", "{}"), 0);
    }
    fay_calls_free(t.calls);
    t.calls = NULL;
    assert_said(&t, "end\nend\nend\n");
    finish(&t);
}

static void who_may_not_is_told(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_ROLE_CLIENT | FAY_ROLE_OBSERVER);
    assert_int_equal(call(&t, 1, "steer", "{}"), 0);
    assert_said(&t, "1 failed {\"status\":\"denied\",\"exit\":4,\"message\":\"'steer' is denied to "
                    "b (10.0.0.7): its role is client, observer\",\"hint\":\"it takes a "
                    "certificate with one of these roles: agent, node\"}\n");
    finish(&t);
    begin(&t, 0);
    assert_int_equal(call(&t, 1, "echo", "{}"), 0);
    assert_non_null(strstr(fay_buffer_text(&t.said), "its role is none"));
    finish(&t);
}

static void what_is_wrong_with_a_call_is_answered(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_ROLE_CLIENT);
    assert_int_equal(call(&t, 1, "fly\n\xff", "{}"), 0);
    assert_said(&t, "1 failed {\"status\":\"not_found\",\"exit\":2,\"message\":\"this Node "
                    "(faymora " FAY_VERSION_STRING
                    ") knows no \\\"fly\\\\n\357\277\275\\\"\",\"hint\":\"the command may be of a "
                    "later version than the Node\"}\n");
    assert_int_equal(call(&t, 2, "echo", "[1]"), 0);
    assert_said(&t, "2 failed {\"status\":\"invalid\",\"exit\":2,\"message\":\"the arguments of "
                    "'echo' are no JSON object\",\"hint\":\"\"}\n");
    assert_int_equal(call(&t, 3, "echo", "{\"a\":"), 0);
    assert_non_null(strstr(fay_buffer_text(&t.said), "no JSON object: no JSON, at byte 5"));
    fay_buffer_clear(&t.said);
    assert_int_equal(call(&t, 4, "large", "{}"), 0);
    assert_non_null(strstr(fay_buffer_text(&t.said), "4 failed {\"status\":\"no_resources\""));
    finish(&t);
}

static void calls_at_once_are_counted(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_ROLE_CLIENT);
    for (uint32_t i = 0; i < FAY_CALLS_MAX; i++) {
        assert_int_equal(call(&t, i, "open", "{}"), 0);
    }
    assert_int_equal(call(&t, 1000, "echo", "{}"), 0);
    assert_said(&t, "1000 failed {\"status\":\"no_resources\",\"exit\":4,\"message\":\"b "
                    "(10.0.0.7) has 64 calls under way, which is the most\",\"hint\":\"\"}\n");
    assert_int_equal(cancel(&t, 5), 0);
    assert_int_equal(call(&t, 1001, "echo", "{}"), 0);
    assert_said(&t, "end\n1001 done {}\n");
    finish(&t);
}

static void who_breaks_the_protocol_is_known(void **state)
{
    (void)state;
    talk t;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    begin(&t, FAY_ROLE_CLIENT);
    assert_int_equal(call(&t, 1, "open", "{}"), 0);
    assert_int_equal(call(&t, 1, "echo", "{}"), FAY_E_PEER); /* that number is under way */
    fay_buffer_append_text(&bytes, "abc");
    assert_int_equal(give(&t, FAY_MESSAGE_CALL, &bytes), FAY_E_PEER);
    assert_int_equal(give(&t, FAY_MESSAGE_CANCEL, &bytes), FAY_E_PEER);
    assert_int_equal(give(&t, FAY_MESSAGE_ANSWER, &bytes), FAY_E_PEER);
    assert_int_equal(give(&t, FAY_MESSAGE_PING, &(fay_buffer){0}), 0);
    assert_said(&t, "");
    finish(&t);
}

static void statuses_have_names(void **state)
{
    (void)state;
#define X(status, number, text) assert_int_equal(fay_status_find(fay_status_name(status)), status);
    FAY_STATUSES(X)
#undef X
    assert_string_equal(fay_status_name(FAY_E_DENIED), "denied");
    assert_int_equal(fay_status_find("of a later version"), FAY_E_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_answered),
        cmocka_unit_test(a_stream_goes_on_until_it_is_cancelled),
        cmocka_unit_test(who_is_gone_ends_its_calls),
        cmocka_unit_test(who_may_not_is_told),
        cmocka_unit_test(what_is_wrong_with_a_call_is_answered),
        cmocka_unit_test(calls_at_once_are_counted),
        cmocka_unit_test(who_breaks_the_protocol_is_known),
        cmocka_unit_test(statuses_have_names),
    };
    return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
