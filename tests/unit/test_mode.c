/* SPDX-License-Identifier: MIT */
/* Worker modes: conversations without processes. What the owner sends, what the worker is given and
 * prints, what the owner gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/say.h"
#include "wire/codec.h"
#include "worker/mode.h"

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define EXIT(code) ((code) << 8)

/* One mode and what it has said. */
typedef struct talk {
    fay_setup setup;
    fay_router *router;
    fay_mode *mode;
    fay_replies replies;
    fay_buffer given; /* to the worker */
    fay_buffer printed;
    bool well; /* ends with exit 0 */
} talk;

static void begin_as(talk *t, fay_setup setup, fay_router *router)
{
    *t = (talk){.setup = setup, .router = router};
    const fay_mode_config config = {.setup = &t->setup, .router = router, .number = 2};
    t->mode = fay_mode_new(&config, NULL);
    assert_non_null(t->mode);
}

static void begin(talk *t, fay_mode_kind mode, const char *const *argv)
{
    begin_as(t, say_setup(mode, argv), NULL);
}

static void end(talk *t)
{
    fay_mode_free(t->mode);
    fay_router_free(t->router);
    fay_replies_deinit(&t->replies);
    fay_buffer_deinit(&t->given);
    fay_buffer_deinit(&t->printed);
    fay_setup_deinit(&t->setup);
}

/* Writes up to `room` bytes of what the worker is to be given. */
static void write_input(talk *t, size_t room)
{
    for (;;) {
        size_t size;
        const uint8_t *bytes = fay_mode_input(t->mode, &size);
        size = FAY_MIN(size, room);
        if (size == 0)
            return;
        fay_buffer_append(&t->given, bytes, size);
        fay_mode_wrote(t->mode, size, 1);
        room -= size;
    }
}

static void lease(talk *t, uint64_t first, int gap, const char *attrs, const char *const *texts)
{
    fay_buffer payload = {0};
    say_lease(first, gap, attrs, texts, &payload);
    fay_lease_frame frame;
    assert_int_equal(fay_lease_parse(fay_buffer_data(&payload), fay_buffer_size(&payload), &frame),
                     0);
    assert_int_equal(fay_mode_lease(t->mode, &frame, 1, &t->replies), 0);
    fay_mode_settle(t->mode);
    fay_buffer_deinit(&payload);
}

static const char *given(talk *t)
{
    write_input(t, SIZE_MAX);
    return fay_buffer_text(&t->given);
}

/* The worker prints; what comes of it. */
static int print(talk *t, const char *text, bool final)
{
    fay_buffer_append_text(&t->printed, text);
    FAY_CLEANUP(fay_freep) /* of the very size, so that a read past its end shows */
    uint8_t *bytes = fay_alloc(fay_buffer_size(&t->printed) + 1);
    memcpy(bytes, fay_buffer_data(&t->printed), fay_buffer_size(&t->printed));
    fay_output output = {.bytes = bytes,
                         .size = fay_buffer_size(&t->printed),
                         .final = final,
                         .well = final && t->well};
    int rc = fay_mode_output(t->mode, &output, 2, &t->replies);
    fay_buffer said = {0};
    for (size_t i = 0; i < t->replies.count; i++) { /* the bytes do not outlive this call */
        fay_reply *r = &t->replies.list[i];
        fay_buffer_clear(&said);
        fay_buffer_append(&said, fay_reply_head(&t->replies, r), r->head_size);
        fay_buffer_append(&said, r->data, r->data_size);
        r->head_at = fay_buffer_size(&t->replies.heads);
        r->head_size = fay_buffer_size(&said);
        r->data_size = 0;
        fay_buffer_append(&t->replies.heads, fay_buffer_data(&said), fay_buffer_size(&said));
    }
    fay_buffer_deinit(&said);
    fay_buffer_consume(&t->printed, output.used);
    return rc;
}

#define assert_said(t, text) assert_string_equal(say_replies(&(t)->replies), (text))

/* ---- lines ---------------------------------------------------------------------------------- */

static void lines_are_matched_by_count(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    lease(&t, 10, 1, NULL, TEXTS("a", "b", "c"));
    lease(&t, 20, 1, NULL, TEXTS("d"));
    assert_string_equal(given(&t), "a\nb\nc\nd\n");
    assert_int_equal(print(&t, "A\nB", false), 0);
    assert_said(&t, "RESULTS 10+1: A\n");
    assert_int_equal(print(&t, "B\nC\nD\n", false), 0);
    assert_said(&t, "RESULTS 11+2: BB|C\nRESULTS 20+1: D\n");
    assert_int_equal(fay_mode_held(t.mode), 0);
    assert_int_equal(fay_mode_answered(t.mode), 4);
    end(&t);
}

static void lines_too_many_are_garbage(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    lease(&t, 0, 1, NULL, TEXTS("a"));
    assert_int_equal(print(&t, "A\nB\n", false), FAY_E_PEER);
    assert_said(&t, "RESULTS 0+1: A\n");
    assert_string_equal(fay_mode_error(t.mode), "printed more lines than it was given Items");
    end(&t);
}

static void a_last_line_counts_without_its_end(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    lease(&t, 0, 1, NULL, TEXTS("a", "b"));
    assert_int_equal(print(&t, "A\nB", true), 0);
    assert_said(&t, "RESULTS 0+1: A\nRESULTS 1+1: B\n");
    end(&t);
}

static void lines_with_a_newline_inside_are_refused(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    lease(&t, 0, 0, NULL, TEXTS("a", "b\nc", "d"));
    assert_said(&t, "VERDICT 1 poison: the Item has a newline inside and cannot go to a worker in "
                    "mode lines; use mode json or exec\n");
    assert_string_equal(given(&t), "a\nd\n");
    assert_int_equal(print(&t, "A\nD\n", false), 0);
    assert_said(&t, "RESULTS 0+1: A\nRESULTS 2+1: D\n");
    end(&t);
}

static void a_line_over_max_item_is_the_items_fault(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    t.setup.item_max = 4;
    lease(&t, 0, 1, NULL, TEXTS("a", "b"));
    assert_int_equal(print(&t, "1234\n12345", false), FAY_MODE_REFUSED);
    assert_said(&t, "RESULTS 0+1: 1234\n"
                    "VERDICT 1 too-large: printed an Item of more than max_item (4B)\n");
    end(&t);
}

static void lines_inherit_attributes_and_are_routed(void **state)
{
    (void)state;
    talk t;
    const char *whens[] = {"", "data == \"A\"", "else"};
    const uint64_t feeds[] = {6, FAY_TARGET_SINK, FAY_TARGET_SINK, 1};
    fay_router *router = fay_router_new(whens, feeds, 3, NULL);
    assert_non_null(router);
    begin_as(&t, say_setup(FAY_MODE_LINES, TEXTS("cat")), router);
    lease(&t, 0, 0, "{\"k\":1}", TEXTS("a", "b"));
    assert_int_equal(print(&t, "A\nB\n", false), 0);
    assert_said(&t, "RESULTS 0+2: A{\"k\":1}@2|B{\"k\":1}@4\n");
    end(&t);
}

static void lines_not_written_are_given_back(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    lease(&t, 5, 1, NULL, TEXTS("aa", "bb", "cc", "dd"));
    write_input(&t, 4); /* into the second */
    fay_mode_recall(t.mode, &t.replies);
    assert_said(&t, "BACK 7+2\n");
    assert_string_equal(given(&t), "aa\nbb\n");
    assert_int_equal(print(&t, "A\nB\n", false), 0);
    assert_said(&t, "RESULTS 5+2: A|B\n");
    end(&t);
}

static void lines_behind_the_end_count_only_if_all_are_there(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("grep"));
    lease(&t, 0, 1, NULL, TEXTS("a", "b", "c"));
    assert_int_equal(print(&t, "A\nB", false), 0);
    assert_said(&t, "RESULTS 0+1: A\n"); /* before the end: at once */
    fay_mode_input_ended(t.mode);
    assert_int_equal(print(&t, "B\n", false), 0);
    assert_said(&t, "");
    assert_int_equal(fay_mode_owed(t.mode), 1);
    assert_int_equal(print(&t, "C", true), 0);
    assert_said(&t, "RESULTS 1+1: BB\nRESULTS 2+1: C\n");
    end(&t);
    begin(&t, FAY_MODE_LINES, TEXTS("grep"));
    lease(&t, 0, 1, NULL, TEXTS("a", "b"));
    fay_mode_input_ended(t.mode);
    assert_int_equal(print(&t, "B\n", false), 0);
    assert_int_equal(print(&t, "", true), FAY_E_PEER);
    assert_said(&t, "");
    assert_string_equal(fay_mode_error(t.mode),
                        "it answered 1 of 2 lines behind the end of its input");
    assert_int_equal(fay_mode_held(t.mode), 2);
    end(&t);
}

static void who_ends_well_with_fewer_lines_breaks_the_contract(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("grep"));
    lease(&t, 0, 1, NULL, TEXTS("a", "b", "c", "d"));
    assert_int_equal(print(&t, "A\n", false), 0);
    fay_mode_input_ended(t.mode);
    t.well = true;
    assert_int_equal(print(&t, "B\nC", true), FAY_MODE_BREACH);
    assert_said(&t, "RESULTS 0+1: A\n"); /* what is held is nobody's answer */
    assert_string_equal(fay_mode_error(t.mode), "answered 3 of 4 lines and ended well");
    end(&t);
}

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
        {"hello\n", "printed a line that is no JSON object: \"hello\""},
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
        cmocka_unit_test(lines_are_matched_by_count),
        cmocka_unit_test(lines_too_many_are_garbage),
        cmocka_unit_test(a_last_line_counts_without_its_end),
        cmocka_unit_test(lines_with_a_newline_inside_are_refused),
        cmocka_unit_test(a_line_over_max_item_is_the_items_fault),
        cmocka_unit_test(lines_inherit_attributes_and_are_routed),
        cmocka_unit_test(lines_not_written_are_given_back),
        cmocka_unit_test(lines_behind_the_end_count_only_if_all_are_there),
        cmocka_unit_test(who_ends_well_with_fewer_lines_breaks_the_contract),
        cmocka_unit_test(json_requests_say_all),
        cmocka_unit_test(json_answers_come_in_any_order),
        cmocka_unit_test(json_garbage_is_quoted),
        cmocka_unit_test(json_does_not_run_ahead_of_its_worker),
        cmocka_unit_test(exec_fills_in_the_command),
        cmocka_unit_test(exec_exits_are_verdicts),
        cmocka_unit_test(exec_items_that_are_no_arguments_are_refused),
        cmocka_unit_test(large_output_travels_in_parts),
        cmocka_unit_test(a_batch_is_answered_whole),
        cmocka_unit_test(a_failed_batch_of_several_has_no_culprit),
        cmocka_unit_test(frames_are_passed_on_when_they_are_right),
        cmocka_unit_test(parts_without_end_are_garbage),
    };
    return cmocka_run_group_tests_name("mode", tests, NULL, NULL);
}
