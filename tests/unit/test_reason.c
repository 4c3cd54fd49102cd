/* SPDX-License-Identifier: MIT */
/* Decisions about workers: numbers in, and what programs and people are told of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "report/history.h"
#include "report/reason.h"

/* 812/s of 6.2 ms: 5.03 are at work, 2.69 to spare, 1.2 for what waits. */
static fay_equalizer_view example(void)
{
    return (fay_equalizer_view){.pressure = FAY_HIGH,
                                .held_by = FAY_HELD_NONE,
                                .rule = FAY_RULE_BACKLOG,
                                .spawn = 7,
                                .serving = 2,
                                .wanted = 9,
                                .max = 16,
                                .queued = 52,
                                .rate = 812,
                                .item_s = 0.0062,
                                .spawn_s = 0.02,
                                .load = 5.0344,
                                .spare = 2.6925,
                                .backlog = 48,
                                .drain = 1.2,
                                .drain_s = 0.25,
                                .trigger = 6.1,
                                .ceiling = (double)INFINITY,
                                .cap = (double)INFINITY,
                                .cores = (double)INFINITY,
                                .bytes = (double)INFINITY};
}

static void assert_told(const fay_equalizer_view *view, const char *text)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_reason_tell(view, "score", 12345 * FAY_MS, &out);
    assert_string_equal(fay_buffer_text(&out), text);
}

static void a_growth_is_a_sum_that_adds_up(void **state)
{
    (void)state;
    fay_equalizer_view view = example();
    assert_told(&view, "score  12.3 s  2→9 workers: 812/s arrive, an Item takes 6.2 ms: load 5.0 + "
                       "2.7 to spare + 1.2 for the backlog = 9; 52 wait\n");
    view.stuck = 1;
    view.drain = 0;
    view.wanted = 9;
    assert_told(&view, "score  12.3 s  3→10 workers: 812/s arrive, an Item takes 6.2 ms: load 5.0 "
                       "+ 2.7 to spare + 1 stuck = 9; 52 wait\n");
}

static void a_refusal_says_what_holds_it(void **state)
{
    (void)state;
    static const struct {
        fay_held held;
        const char *word, *meaning;
    } cases[] = {
        {FAY_HELD_AT_MAX, "AT_MAX", "16 is its maximum"},
        {FAY_HELD_NO_CPU, "NO_CPU", "the cores are in use"},
        {FAY_HELD_NO_MEM, "NO_MEM", "the memory is in use"},
        {FAY_HELD_GAIN, "GAIN", "more workers have done no more here"},
        {FAY_HELD_LEARNING, "LEARNING", "whether the last ones help is not known yet"},
        {FAY_HELD_BLOCKED, "BLOCKED", "other stages do not keep up"},
        {FAY_HELD_SOURCE_DRY, "SOURCE_DRY", "the rest is done before another one has started"},
        {FAY_HELD_CRASHLOOP, "CRASHLOOP",
         "its workers die, the next one is started a little later"},
        {FAY_HELD_DRAINING, "DRAINING",
         "the run drains, and the rest is done before another one has started"},
        {FAY_HELD_PINNED, "PINNED", "its number is fixed"},
    };
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        fay_equalizer_view view = example();
        char text[512];
        view.spawn = 0;
        view.held_by = cases[i].held;
        (void)snprintf(text, sizeof text,
                       "score  12.3 s  stays at 2 workers, wants 9, HELD by %s: %s: 812/s arrive, "
                       "an Item takes 6.2 ms: load 5.0 + 2.7 to spare + 1.2 for the backlog = 9; "
                       "52 wait\n",
                       cases[i].word, cases[i].meaning);
        assert_told(&view, text);
    }
}

static void what_is_scarce_is_told_with_what_one_needs(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer cpu = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer memory = {0};
    fay_equalizer_view view = example();
    view.cores = 8;
    view.each_cores = 0.97;
    view.bytes = 3e9;
    view.each_bytes = 2147483648;
    view.held_by = FAY_HELD_NO_CPU;
    fay_reason_tell(&view, "score", 0, &cpu);
    assert_non_null(strstr(fay_buffer_text(&cpu), "HELD by NO_CPU: the cores are in use (8 for "
                                                  "all, a worker needs 0.97): 812/s"));
    view.held_by = FAY_HELD_NO_MEM;
    fay_reason_tell(&view, "score", 0, &memory);
    assert_non_null(strstr(fay_buffer_text(&memory), "HELD by NO_MEM: the memory is in use (2.8GiB "
                                                     "for all, a worker needs 2GiB): 812/s"));
}

static void part_of_what_is_wanted_says_both(void **state)
{
    (void)state;
    fay_equalizer_view view = example();
    view.spawn = 3;
    view.held_by = FAY_HELD_AT_MAX;
    view.max = 5;
    view.rule = FAY_RULE_SHARE;
    view.ceiling = 655;
    assert_told(&view, "score  12.3 s  2→5 workers, wants 9, HELD by AT_MAX: 5 is its maximum: "
                       "812/s arrive, an Item takes 6.2 ms: load 5.0 + 2.7 to spare + 1.2 for the "
                       "backlog = 9; all stages together allow it 655/s; 52 wait\n");
}

static void what_is_not_known_is_not_told(void **state)
{
    (void)state;
    fay_equalizer_view view = {.pressure = FAY_HIGH,
                               .held_by = FAY_HELD_NONE,
                               .rule = FAY_RULE_LEARNING,
                               .spawn = 9,
                               .serving = 1,
                               .wanted = 10,
                               .queued = 100};
    assert_told(&view, "score  12.3 s  1→10 workers; nothing is done yet: the root of those that "
                       "wait, as a guess; 100 wait\n");
    view.spawn = 0;
    view.held_by = FAY_HELD_LEARNING;
    assert_told(&view, "score  12.3 s  stays at 1 workers, wants 10, HELD by LEARNING: it is not "
                       "known yet how long an Item takes; nothing is done yet: the root of those "
                       "that wait, as a guess; 100 wait\n");
}

static void who_goes_was_idle(void **state)
{
    (void)state;
    fay_equalizer_view view = example();
    view.rule = FAY_RULE_IDLE;
    view.serving = 12;
    view.spawn = 0;
    view.retire = true;
    view.drain = 0;
    view.queued = 0;
    view.idle_s = 0.31;
    assert_told(&view, "score  12.3 s  12→11 workers: 812/s arrive, an Item takes 6.2 ms: load 5.0 "
                       "+ 2.7 to spare = 8; one has been idle for 310 ms; 0 wait\n");
}

static void every_rule_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (int rule = FAY_RULE_NONE; rule <= FAY_RULE_OVER_CAP; rule++) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
        fay_equalizer_view view = example();
        view.rule = (fay_rule)rule;
        fay_reason_tell(&view, "score", 0, &out);
        assert_non_null(strstr(fay_buffer_text(&out), "2→9 workers"));
        assert_int_equal(fay_rule_name(view.rule)[0] != '\0', rule != FAY_RULE_NONE);
    }
}

static void programs_are_told_all_numbers(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_equalizer_view view = example();
    fay_reason_members(&view, &out);
    assert_string_equal(fay_reason_event(&view), "stage.spawn");
    assert_string_equal(
        fay_buffer_text(&out),
        ",\"rule\":\"backlog\",\"pressure\":\"HIGH\",\"held\":null,\"workers\":2,\"starting\":0,"
        "\"stuck\":0,\"target\":9,\"wanted\":9,\"max\":16,\"arrivals_per_second\":812,"
        "\"item_seconds\":0.0062,\"load\":5.0344,\"spare\":2.6925,\"drain\":1.2,\"queued\":52,"
        "\"backlog\":48,\"drain_seconds\":0.25,\"start_seconds\":0.02,\"trigger\":6.1,"
        "\"ceiling_per_second\":null,\"cap\":null,\"idle_seconds\":0,\"cores\":null,"
        "\"bytes\":null,\"worker_cores\":0,\"worker_bytes\":0");
    view.spawn = 0;
    view.held_by = FAY_HELD_NO_CPU;
    assert_string_equal(fay_reason_event(&view), "stage.held");
    fay_buffer_clear(&out);
    fay_reason_members(&view, &out);
    assert_non_null(strstr(fay_buffer_text(&out), ",\"held\":\"NO_CPU\","));
    view.retire = true;
    assert_string_equal(fay_reason_event(&view), "stage.retire");
}

/* More than arrive: the queue is full, and the source has them. */
static void what_the_source_has_does_not_arrive(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_equalizer_view view = example();
    view.from_source = true;
    fay_reason_tell(&view, "score", 0, &out);
    assert_non_null(strstr(fay_buffer_text(&out), ": 812/s are to be had, an Item takes 6.2 ms: "));
}

/* ---- many of them ---------------------------------------------------------------------------- */

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++) {
        n++;
    }
    return n;
}

static void assert_history(size_t decisions, size_t told, const char *left_out)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_history *history = fay_history_new();
    fay_equalizer_view view = example();
    for (size_t i = 0; i < decisions; i++) {
        fay_history_add(history, i * FAY_SECOND, &view);
    }
    fay_history_tell(history, "score", &out);
    const char *text = fay_buffer_text(&out), *before = text;
    assert_int_equal(count(text, " workers: "), told);
    assert_int_equal(count(text, "\n"), told + (left_out != NULL));
    assert_true(left_out == NULL || strstr(text, left_out) != NULL);
    for (size_t i = 0; i < decisions; i++) { /* in the order of time */
        char at[64];
        bool kept = i < FAY_DECISIONS_KEPT_MAX || i + FAY_DECISIONS_KEPT_MAX >= decisions;
        (void)snprintf(at, sizeof at, "score  %zu.0 s  ", i);
        const char *found = strstr(before, at);
        assert_int_equal(found != NULL, kept);
        before = found != NULL ? found : before;
    }
    fay_history_free(history);
}

static void the_first_and_the_last_are_kept(void **state)
{
    (void)state;
    assert_history(0, 0, NULL);
    assert_history(3, 3, NULL);
    assert_history(10, 10, NULL);
    assert_history(20, 20, NULL);
    assert_history(21, 20, "score  (1 more decisions)\n");
    assert_history(1237, 20, "score  (1,217 more decisions)\n");
    fay_history_add(NULL, 0, NULL); /* nobody asks for it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_growth_is_a_sum_that_adds_up),
        cmocka_unit_test(a_refusal_says_what_holds_it),
        cmocka_unit_test(what_is_scarce_is_told_with_what_one_needs),
        cmocka_unit_test(part_of_what_is_wanted_says_both),
        cmocka_unit_test(what_is_not_known_is_not_told),
        cmocka_unit_test(who_goes_was_idle),
        cmocka_unit_test(every_rule_has_a_name_and_a_sentence),
        cmocka_unit_test(programs_are_told_all_numbers),
        cmocka_unit_test(what_the_source_has_does_not_arrive),
        cmocka_unit_test(the_first_and_the_last_are_kept),
    };
    return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
