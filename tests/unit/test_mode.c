/* SPDX-License-Identifier: MIT */
/* Worker modes but lines: requests, commands, frames, and what their answers mean. */
#include "mode_talk.h"

/* ---- json ----------------------------------------------------------------------------------- */

static void json_requests_say_all(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_JSON, TEXTS("x"));
    fay_mode_status(t.mode, 1, 3);
    lease(&t, 7, 0, "{\"k\":[1]}", TEXTS("a\"b"));
    assert_string_equal(given(&t),
                        "{\"id\":7,\"attempt\":1,\"attrs\":{\"fay.id\":\"7\",\"fay.attempt\":1,"
                        "\"fay.stage\":\"stage\",\"fay.node\":\"here\",\"fay.enqueued\":1234567,"
                        "\"fay.parent\":\"\",\"fay.pressure\":1,\"fay.workers\":3,\"k\":[1]},"
                        "\"item\":\"a\\\"b\"}\n");
    end(&t);
}

static void json_answers_come_in_any_order(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_JSON, TEXTS("x"));
    lease(&t, 0, 1, NULL, TEXTS("a", "b", "c", "d", "e"));
    (void)given(&t);
    assert_int_equal(print(&t,
                           "{\"id\":3,\"emit\":[\"D\"]}\n{\"id\":4,\"emit\":[]}\n"
                           "{\"id\":0,\"emit\":[\"A\",{\"item\":\"B\",\"attrs\":{\"k\":true}},"
                           "[1, 2],{\"x\":1}]}\n"
                           "{\"id\":1,\"error\":\"no\",\"retry\":false}\n"
                           "{\"id\":2,\"heartbeat\":0.5}\n{\"id\":2,\"error\":\"later\"}\n",
                           false),
                     0);
    assert_said(&t, "RESULTS 3+2 (1 0): D\n"
                    "RESULTS 0+1 (4): A|B{\"k\":true}|[1,2]|{\"x\":1}\n"
                    "VERDICT 1 poison: no\nVERDICT 2 retry: later\n");
    assert_int_equal(fay_mode_held(t.mode), 0);
    end(&t);
}

static void json_garbage_is_quoted(void **state)
{
    static const struct {
        const char *line, *error;
    } cases[] = {
        {"hello\n", "printed a line that is no JSON, at byte 5: invalid token: \"hello\""},
        {"[1]\n", "printed a line that is no JSON object: \"[1]\""},
        {"{\"id\":0,\"emit\":[\"\\ud800\"]}\n",
         "printed a line that is no JSON, at byte 24: invalid Unicode '\\uD800': "
         "\"{\\\"id\\\":0,\\\"emit\\\":[\\\"\\\\ud800\\\"]}\""},
        {"{\"id\":0,\"emit\":[],\"error\":\"e\"}\n",
         "answered with both emit and error: "
         "\"{\\\"id\\\":0,\\\"emit\\\":[],\\\"error\\\":\\\"e\\\"}\""},
        {"{\"id\":9,\"emit\":[]}\n",
         "answered id 9, which it does not have in hand: \"{\\\"id\\\":9,\\\"emit\\\":[]}\""},
        {"{\"emit\":[]}\n", "answered without the \"id\" of an Item: \"{\\\"emit\\\":[]}\""},
        {"{\"id\":0}\n", "answered with neither emit, error nor heartbeat: \"{\\\"id\\\":0}\""},
        {"{\"id\":0,\"emit\":1}\n",
         "answered with an \"emit\" that is no list: \"{\\\"id\\\":0,\\\"emit\\\":1}\""},
        {"{\"id\":0,\"emit\":[{\"$base64\":\"*\"}]}\n",
         "answered with a \"$base64\" that is not base64: "
         "\"{\\\"id\\\":0,\\\"emit\\\":[{\\\"$base64\\\":\\\"*\\\"}]}\""},
    };
    (void)state;
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        talk t;
        begin(&t, FAY_MODE_JSON, TEXTS("x"));
        lease(&t, 0, 1, NULL, TEXTS("a", "b"));
        (void)given(&t);
        assert_int_equal(print(&t, "{\"id\":1,\"emit\":[\"B\"]}\n", false), 0);
        assert_int_equal(print(&t, cases[i].line, false), FAY_E_PEER);
        assert_string_equal(fay_mode_error(t.mode), cases[i].error);
        assert_said(&t, "RESULTS 1+1 (1): B\n");
        end(&t);
    }
}

static void json_may_be_nested_to_a_limit(void **state)
{
    (void)state;
    for (size_t depth = 2046; depth <= 2047; depth++) { /* in an object and a list */
        talk t;
        begin(&t, FAY_MODE_JSON, TEXTS("x"));
        lease(&t, 0, 1, NULL, TEXTS("a"));
        (void)given(&t);
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer line = {0};
        fay_buffer_append_text(&line, "{\"id\":0,\"emit\":[");
        memset(fay_buffer_reserve(&line, depth), '[', depth);
        fay_buffer_commit(&line, depth);
        memset(fay_buffer_reserve(&line, depth), ']', depth);
        fay_buffer_commit(&line, depth);
        fay_buffer_append_text(&line, "]}\n");
        assert_int_equal(print(&t, fay_buffer_text(&line), false), depth < 2047 ? 0 : FAY_E_PEER);
        if (depth == 2047) {
            static const char error[] = "printed a line of JSON nested more than 2048 deep: \"{";
            assert_memory_equal(fay_mode_error(t.mode), error, sizeof error - 1);
        }
        end(&t);
    }
}

static void json_does_not_run_ahead_of_its_worker(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_JSON, TEXTS("x"));
    FAY_CLEANUP(fay_freep) char *large = fay_alloc(50 * FAY_KIB);
    memset(large, 'x', 50 * FAY_KIB - 1);
    lease(&t, 0, 1, NULL, TEXTS(large, large, large));
    write_input(&t, SIZE_MAX);
    fay_mode_recall(t.mode, &t.replies);
    assert_said(&t, "BACK 1+2\n");
    assert_int_equal(fay_mode_held(t.mode), 1);
    end(&t);
}

/* ---- exec, batch ---------------------------------------------------------------------------- */

static int ended(talk *t, int status)
{
    const fay_ending ending = {.status = status};
    return fay_mode_ended(t->mode, &ending, 3, &t->replies);
}

static void exec_fills_in_the_command(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_EXEC, TEXTS("x", "{}", "a{/.}b", "{@k}", "{id}-{%}"));
    lease(&t, 7, 0, "{\"k\":\"v\"}", TEXTS("dir/f.txt", "-n"));
    fay_command c;
    assert_int_equal(fay_mode_begin(t.mode, 1, &c, &t.replies), FAY_MODE_BEGIN);
    const char *const argv[] = {"x", "dir/f.txt", "afb", "v", "7-3"};
    for (size_t i = 0; i < FAY_COUNT(argv); i++) {
        assert_string_equal(c.argv[i], argv[i]);
    }
    assert_null(c.argv[5]);
    assert_string_equal(c.env[0], "FAYMORA_ITEM=dir/f.txt");
    assert_string_equal(c.env[1], "FAYMORA_ITEM_ATTRS={\"k\":\"v\"}");
    assert_string_equal(c.env[2], "FAYMORA_ID=7");
    assert_string_equal(c.env[3], "FAYMORA_ATTEMPT=1");
    assert_false(c.input);
    assert_int_equal(ended(&t, 0), FAY_MODE_ACCEPTED);
    assert_int_equal(print(&t, "one\ntwo\n", true), 0);
    assert_said(&t, "RESULTS 7+1 (2): one{\"k\":\"v\"}|two{\"k\":\"v\"}\n");
    assert_int_equal(fay_mode_begin(t.mode, 1, &c, &t.replies), FAY_MODE_BEGIN);
    assert_string_equal(c.argv[1], "-n");
    assert_int_equal(ended(&t, 0), FAY_MODE_ACCEPTED);
    assert_int_equal(print(&t, "", true), 0); /* filtered */
    assert_said(&t, "RESULTS 8+1 (0)\n");
    assert_int_equal(fay_mode_begin(t.mode, 1, &c, &t.replies), FAY_MODE_IDLE);
    end(&t);
}

static void exec_exits_are_verdicts(void **state)
{
    static const struct {
        int status, rc;
        const char *said;
    } cases[] = {
        {EXIT(1), FAY_MODE_ANSWERED, "VERDICT 0 retry exit 1: exit 1\n"},
        {EXIT(65), FAY_MODE_ANSWERED, "VERDICT 0 poison exit 65: exit 65\n"},
        {EXIT(75), FAY_MODE_ANSWERED, "VERDICT 0 retry exit 75: exit 75\n"},
        {11, FAY_MODE_ANSWERED,
         "VERDICT 0 retry signal 11: killed by signal 11 (Segmentation fault)\n"},
        {EXIT(126), FAY_MODE_STOP,
         "FAILED stop: stage stage: x: exit 126 (command cannot be executed) (exit 126 and 127 "
         "stop the run: the next Item would fare no better)\n"},
    };
    (void)state;
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        talk t;
        begin(&t, FAY_MODE_EXEC, TEXTS("x", "{}"));
        lease(&t, 0, 1, NULL, TEXTS("a"));
        fay_command c;
        assert_int_equal(fay_mode_begin(t.mode, 1, &c, &t.replies), FAY_MODE_BEGIN);
        assert_int_equal(ended(&t, cases[i].status), cases[i].rc);
        assert_said(&t, cases[i].said);
        end(&t);
    }
}

static void exec_items_that_are_no_arguments_are_refused(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_EXEC, TEXTS("x", "{}"));
    FAY_CLEANUP(fay_freep) char *large = fay_alloc(128 * FAY_KIB);
    memset(large, 'x', 128 * FAY_KIB - 1);
    lease(&t, 0, 1, NULL, TEXTS(large, "good"));
    fay_command c;
    assert_int_equal(fay_mode_begin(t.mode, 1, &c, &t.replies), FAY_MODE_BEGIN);
    assert_said(&t, "VERDICT 0 no-argument: the Item is longer than the kernel takes as an "
                    "argument (128 KiB)\n");
    assert_string_equal(c.argv[1], "good");
    end(&t);
}

static void large_output_travels_in_parts(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_EXEC, TEXTS("x", "{}"));
    lease(&t, 0, 1, NULL, TEXTS("a"));
    fay_command c;
    assert_int_equal(fay_mode_begin(t.mode, 1, &c, &t.replies), FAY_MODE_BEGIN);
    assert_int_equal(ended(&t, 0), FAY_MODE_ACCEPTED);
    FAY_CLEANUP(fay_freep) char *line = fay_alloc(40 * FAY_KIB);
    memset(line, 'x', 40 * FAY_KIB - 2);
    line[40 * FAY_KIB - 2] = '\n';
    for (int i = 0; i < 10; i++) {
        assert_int_equal(print(&t, line, i == 9), 0);
    }
    size_t parts = 0;
    for (size_t i = 0; i < t.replies.count; i++) {
        parts += t.replies.list[i].type == FAY_MESSAGE_PART;
    }
    assert_int_equal(parts, 9);
    assert_int_equal(t.replies.list[t.replies.count - 1].type, FAY_MESSAGE_RESULTS);
    end(&t);
}

static void a_batch_is_answered_whole(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_BATCH, TEXTS("sort"));
    lease(&t, 0, 1, NULL, TEXTS("b", "a", "c"));
    fay_command c;
    assert_int_equal(fay_mode_begin(t.mode, 1, &c, &t.replies), FAY_MODE_BEGIN);
    assert_true(c.input);
    assert_string_equal(given(&t), "b\na\nc\n");
    assert_int_equal(ended(&t, 0), FAY_MODE_ACCEPTED);
    assert_int_equal(print(&t, "a\nb\nc\n", true), 0);
    assert_said(&t, "RESULTS 0+3 (3 0 0): a|b|c\n");
    end(&t);
}

/* A part of an answer that is lost is done again, though its results are there: so it has none. */
static void a_batch_ends_before_an_item_that_cannot_be_said(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_BATCH, TEXTS("sort"));
    lease(&t, 0, 0, NULL, TEXTS("b", "a", "x\ny", "d", "c"));
    fay_command c;
    assert_int_equal(fay_mode_begin(t.mode, 1, &c, &t.replies), FAY_MODE_BEGIN);
    assert_string_equal(given(&t), "b\na\n");
    assert_int_equal(fay_mode_begun(t.mode), 2);
    assert_int_equal(ended(&t, 0), FAY_MODE_ACCEPTED);
    assert_int_equal(print(&t, "a\nb\n", true), 0);
    assert_said(&t, "RESULTS 0+2 (2 0): a|b\n");
    assert_int_equal(fay_mode_begin(t.mode, 1, &c, &t.replies), FAY_MODE_BEGIN);
    assert_said(&t, "VERDICT 2 poison: the Item cannot be said in the stage's format; use mode json"
                    " or exec\n");
    assert_int_equal(fay_mode_begun(t.mode), 2);
    assert_int_equal(ended(&t, 0), FAY_MODE_ACCEPTED);
    assert_int_equal(print(&t, "c\nd\n", true), 0);
    assert_said(&t, "RESULTS 3+2 (2 0): c|d\n");
    lease(&t, 10, 0, NULL, TEXTS("b", "a", "x\ny", "d"));
    assert_int_equal(fay_mode_begin(t.mode, 1, &c, &t.replies), FAY_MODE_BEGIN);
    assert_int_equal(ended(&t, EXIT(1)), FAY_MODE_BROKEN);
    assert_said(&t, "BACK 12+2\n");
    end(&t);
}

static void a_failed_batch_of_several_has_no_culprit(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_BATCH, TEXTS("sort"));
    lease(&t, 0, 1, NULL, TEXTS("b", "a"));
    lease(&t, 5, 1, NULL, TEXTS("c"));
    fay_command c;
    assert_int_equal(fay_mode_begin(t.mode, 1, &c, &t.replies), FAY_MODE_BEGIN);
    assert_int_equal(fay_mode_begun(t.mode), 2);
    assert_int_equal(ended(&t, EXIT(1)), FAY_MODE_BROKEN);
    assert_said(&t, "BACK 5+1\n");
    end(&t);
    begin(&t, FAY_MODE_BATCH, TEXTS("sort"));
    lease(&t, 9, 1, NULL, TEXTS("b"));
    assert_int_equal(fay_mode_begin(t.mode, 1, &c, &t.replies), FAY_MODE_BEGIN);
    assert_int_equal(ended(&t, EXIT(1)), FAY_MODE_ANSWERED);
    assert_said(&t, "VERDICT 9 retry exit 1: exit 1\n");
    end(&t);
}

/* ---- frames --------------------------------------------------------------------------------- */

static int from_worker(talk *t, fay_message type, const fay_buffer *payload)
{
    const fay_frame frame = {
        .type = type, .payload = fay_buffer_data(payload), .size = fay_buffer_size(payload)};
    return fay_mode_frame(t->mode, &frame, 2, &t->replies);
}

static void results_of(uint64_t first, uint32_t count, const char *child, fay_buffer *payload)
{
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    for (uint32_t i = 0; i < count; i++) {
        (void)fay_batch_append(batch, child, strlen(child));
    }
    fay_buffer_clear(payload);
    fay_write64(payload, first);
    fay_write32(payload, count);
    fay_write64(payload, 10);
    fay_write8(payload, 0);
    fay_block_head(batch, 0, count, false, NULL, payload);
    fay_block_data(batch, 0, count, payload);
}

static void frames_are_passed_on_when_they_are_right(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_FRAMES, TEXTS("x"));
    lease(&t, 0, 0, NULL, TEXTS("a", "b", "c"));
    fay_buffer payload = {0};
    results_of(1, 2, "X", &payload);
    assert_int_equal(from_worker(&t, FAY_MESSAGE_RESULTS, &payload), 0);
    assert_said(&t, "RESULTS 1+2: X|X\n");
    assert_int_equal(from_worker(&t, FAY_MESSAGE_RESULTS, &payload), FAY_E_PEER);
    assert_string_equal(fay_mode_error(t.mode), "answered tag 1, which it does not have in hand");
    results_of(0, 2, "X", &payload); /* one of them is answered */
    assert_int_equal(from_worker(&t, FAY_MESSAGE_RESULTS, &payload), FAY_E_PEER);
    fay_buffer_clear(&payload);
    fay_mode_recall(t.mode, &t.replies);
    fay_write64(&payload, 0);
    fay_write32(&payload, 1);
    assert_int_equal(from_worker(&t, FAY_MESSAGE_GIVEN_BACK, &payload), 0);
    assert_said(&t, "BACK 0+1\n");
    lease(&t, 3, 0, NULL, TEXTS("d", "e"));
    fay_buffer_clear(&payload);
    fay_write64(&payload, 3);
    fay_write32(&payload, 2);
    assert_int_equal(from_worker(&t, FAY_MESSAGE_GIVEN_BACK, &payload), 0); /* unasked */
    assert_said(&t, "BACK 4+1\nVERDICT 3 back: the worker gave it back without having done it, "
                    "more than 16 times\n");
    assert_int_equal(from_worker(&t, FAY_MESSAGE_SPAWN, &payload), FAY_E_PEER);
    assert_string_equal(fay_mode_error(t.mode), "sent SPAWN, which is not a worker's to send");
    fay_buffer_deinit(&payload);
    end(&t);
}

static void parts_without_end_are_garbage(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_FRAMES, TEXTS("x"));
    t.setup.output_max = 100;
    lease(&t, 0, 0, NULL, TEXTS("a", "b"));
    fay_ns since = fay_mode_since(t.mode);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    (void)fay_batch_append(batch, "0123456789", 10);
    fay_buffer payload = {0};
    for (unsigned i = 0; i < 7; i++) { /* 30 bytes each, of two Items by turns */
        fay_buffer_clear(&payload);
        fay_write64(&payload, i % 2);
        fay_block_head(batch, 0, 1, false, NULL, &payload);
        fay_block_data(batch, 0, 1, &payload);
        assert_int_equal(fay_buffer_size(&payload), 30);
        assert_int_equal(from_worker(&t, FAY_MESSAGE_PART, &payload), i < 6 ? 0 : FAY_E_PEER);
    }
    assert_string_equal(fay_mode_error(t.mode),
                        "sent more than max_output (100B) in PARTs of one Item");
    assert_int_equal(fay_mode_since(t.mode), since); /* its timeout goes on */
    fay_buffer_deinit(&payload);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_requests_say_all),
        cmocka_unit_test(json_answers_come_in_any_order),
        cmocka_unit_test(json_garbage_is_quoted),
        cmocka_unit_test(json_may_be_nested_to_a_limit),
        cmocka_unit_test(json_does_not_run_ahead_of_its_worker),
        cmocka_unit_test(exec_fills_in_the_command),
        cmocka_unit_test(exec_exits_are_verdicts),
        cmocka_unit_test(exec_items_that_are_no_arguments_are_refused),
        cmocka_unit_test(large_output_travels_in_parts),
        cmocka_unit_test(a_batch_is_answered_whole),
        cmocka_unit_test(a_batch_ends_before_an_item_that_cannot_be_said),
        cmocka_unit_test(a_failed_batch_of_several_has_no_culprit),
        cmocka_unit_test(frames_are_passed_on_when_they_are_right),
        cmocka_unit_test(parts_without_end_are_garbage),
    };
    return cmocka_run_group_tests_name("mode", tests, NULL, NULL);
}
