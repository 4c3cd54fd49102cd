/* SPDX-License-Identifier: MIT */
/* Reports: numbers in, and the very text that people read out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"

static const fay_report_stage stages[] = {
    {"jq",
     {.in = 61000,
      .out = 61000,
      .workers = 1,
      .target = 1,
      .workers_peak = 1,
      .pressure = 0,
      .held_by = FAY_HELD_NONE,
      .out_rate = 812}},
    {"score.py",
     {.in = 61000,
      .out = 60997,
      .retried = 6,
      .dead = 3,
      .workers = 2,
      .target = 5,
      .workers_peak = 5,
      .pressure = 1,
      .held_by = FAY_HELD_AT_MAX,
      .out_rate = 320}},
};

static fay_report example(void)
{
    return (fay_report){.run = "7f3a",
                        .pipeline = "jq",
                        .stages = stages,
                        .stages_count = 2,
                        .totals = {.read = 10000, .acked = 6214},
                        .in = 10000,
                        .out = 6211,
                        .dead = 3,
                        .expected = 12428,
                        .dead_letter = "jq-7f3a.dead.jsonl",
                        .elapsed = 70 * FAY_SECOND};
}

static void assert_bar(const fay_report *report, unsigned flags, size_t columns, const char *text)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_report_bar(report, flags, columns, &out);
    assert_string_equal(fay_buffer_text(&out), text);
}

static void the_bar_shows_stages_and_totals(void **state)
{
    (void)state;
    fay_report report = example();
    assert_bar(
        &report, 0, 0,
        " jq 1w EVEN 812/s │ score.py 2→5w HIGH AT_MAX 160/s·w │ 6,214 done 3 dead  ETA 1:10");
}

/* Also where that is no reason for pressure; BLOCKED has said it. */
static void what_holds_a_stage_stands_beside_its_pressure(void **state)
{
    (void)state;
    static const struct {
        fay_pressure pressure;
        fay_held held_by;
        const char *text;
    } cases[] = {{FAY_HIGH, FAY_HELD_PINNED, " jq 1w HIGH PINNED 812/s │ 6,214 done"},
                 {FAY_EVEN, FAY_HELD_SOURCE_DRY, " jq 1w EVEN SOURCE_DRY 812/s │ 6,214 done"},
                 {FAY_BLOCKED, FAY_HELD_BLOCKED, " jq 1w BLOCKED 812/s │ 6,214 done"},
                 {FAY_HIGH, FAY_HELD_NONE, " jq 1w HIGH 812/s │ 6,214 done"}};
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        fay_report report = example();
        fay_report_stage stage = stages[0];
        stage.stats.pressure = cases[i].pressure;
        stage.stats.held_by = cases[i].held_by;
        report.stages = &stage;
        report.stages_count = 1;
        report.dead = 0;
        report.expected = 0;
        assert_bar(&report, 0, 0, cases[i].text);
    }
}

static void without_an_expected_number_there_is_no_eta(void **state)
{
    (void)state;
    fay_report report = example();
    report.expected = 0;
    report.stages_count = 1;
    report.dead = 0;
    assert_bar(&report, 0, 0, " jq 1w EVEN 812/s │ 6,214 done");
    report.totals.source_ended = true; /* now all are counted */
    assert_bar(&report, 0, 0, " jq 1w EVEN 812/s │ 6,214 done  ETA 0:43");
    report.totals.draining = true;
    assert_bar(&report, 0, 0, " jq 1w EVEN 812/s │ 6,214 done  draining");
}

static void a_resumed_run_counts_what_was_done_before(void **state)
{
    (void)state;
    fay_report report = example();
    report.stages_count = 1;
    report.done_before = 6214; /* as many again were done in this life, in its 70 s */
    report.expected = 18642;
    assert_bar(&report, 0, 0, " jq 1w EVEN 812/s │ 12,428 done 3 dead  ETA 1:10");
    report.expected = 100; /* an estimate, and wrong */
    assert_bar(&report, 0, 0, " jq 1w EVEN 812/s │ 12,428 done 3 dead");
}

/* Items of which many came count once. */
static void what_the_sink_has_lost_is_not_done(void **state)
{
    (void)state;
    const uint64_t unwritten[] = {0, 1, 1000};
    const char *const left[] = {" · 4 not done · ", " · 5 not done · ", " · 10 not done · "};
    const char *const done[] = {"\"done\":6,", "\"done\":5,", "\"done\":0,"};
    fay_report report = example();
    report.totals = (fay_flow_totals){.read = 10, .acked = 6};
    for (size_t i = 0; i < FAY_COUNT(unwritten); i++) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer summary = {0};
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer json = {0};
        report.unwritten = unwritten[i];
        fay_report_summary(&report, 0, &summary);
        fay_report_json(&report, &json);
        assert_non_null(strstr(fay_buffer_text(&summary), left[i]));
        assert_non_null(strstr(fay_buffer_text(&json), done[i]));
    }
}

static void the_bar_is_cut_to_columns_not_bytes(void **state)
{
    (void)state;
    fay_report report = example();
    assert_bar(&report, 0, 20, " jq 1w EVEN 812/s │…");
    assert_bar(&report, 0, 34, " jq 1w EVEN 812/s │ score.py 2→5w…");
    fay_report_stage wide = {"画像処理", stages[0].stats};
    report.stages = &wide;
    report.stages_count = 1;
    assert_bar(&report, 0, 6, " 画像…");
    assert_bar(&report, 0, 7, " 画像…"); /* half of a character is none */
}

static void a_cut_leaves_no_colour_on(void **state)
{
    (void)state;
    fay_report report = example();
    report.stages_count = 1;
    report.dead = 0;
    report.expected = 0;
    assert_bar(&report, FAY_REPORT_COLOUR, 0, " jq 1w \x1b[32mEVEN\x1b[0m 812/s │ 6,214 done");
    assert_bar(&report, FAY_REPORT_COLOUR, 10, " jq 1w \x1b[32mEV…\x1b[0m");
}

static void a_name_cannot_move_the_cursor(void **state)
{
    (void)state;
    fay_report report = example();
    fay_report_stage evil = {"a\x1b[2J\xff", stages[0].stats};
    report.stages = &evil;
    report.stages_count = 1;
    report.dead = 0;
    report.expected = 0;
    assert_bar(&report, 0, 0, " a?[2J? 1w EVEN 812/s │ 6,214 done");
}

static void rates_have_the_digits_that_matter(void **state)
{
    (void)state;
    static const struct {
        double rate;
        const char *text;
    } cases[] = {{0, "0/s"},     {0.416, "0.42/s"},   {8.12, "8.1/s"},
                 {81.2, "81/s"}, {1204.4, "1,204/s"}, {-1, "0/s"}};
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        fay_report report = example();
        fay_report_stage stage = stages[0];
        stage.stats.out_rate = cases[i].rate;
        report.stages = &stage;
        report.stages_count = 1;
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
        fay_report_bar(&report, 0, 0, &out);
        assert_non_null(strstr(fay_buffer_text(&out), cases[i].text));
    }
}

static void the_plain_line_is_one_line(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_report report = example();
    fay_report_plain(&report, &out);
    assert_string_equal(fay_buffer_text(&out),
                        "faymora: 1m10s · 6,214 done · 3 dead · jq 1w EVEN 812/s · "
                        "score.py 2→5w HIGH AT_MAX 160/s·w · ETA 1:10\n");
}

static void the_summary_accounts_for_every_item(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_report report = example();
    report.in = report.totals.read = report.totals.acked = 61000;
    report.out = 60997;
    report.elapsed = 75 * FAY_SECOND;
    fay_report_summary(&report, 0, &out);
    assert_string_equal(fay_buffer_text(&out),
                        "run 7f3a: 61,000 in · 60,997 out · 3 dead → jq-7f3a.dead.jsonl · "
                        "6 retried · 1m15s · peak jq 1, score.py 5\n");
}

static void the_summary_says_why_it_ended_early(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_report report = {.run = "7f3a", .why = "the first 20 Items failed alike"};
    fay_report_summary(&report, 0, &out);
    assert_string_equal(fay_buffer_text(&out),
                        "run 7f3a: 0 in · 0 out · 0 dead · 0us\n"
                        "run 7f3a: ended early: the first 20 Items failed alike\n");
}

static void json_is_for_programs(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_report report = example();
    report.stages_count = 1;
    report.exit_code = 1;
    fay_report_json(&report, &out);
    assert_string_equal(
        fay_buffer_text(&out),
        "{\"schema\":1,\"run\":\"7f3a\",\"pipeline\":\"jq\",\"in\":10000,\"out\":6211,\"dead\":3,"
        "\"done\":6214,\"filtered\":0,\"dropped\":0,\"retried\":0,\"seconds\":70.000,\"exit\":1,"
        "\"dead_letter\":\"jq-7f3a.dead.jsonl\",\"state\":null,\"why\":null,\"stages\":["
        "{\"name\":\"jq\",\"in\":61000,\"out\":61000,\"filtered\":0,\"retried\":0,\"dead\":0,"
        "\"dropped\":0,\"workers_peak\":1,\"useful_seconds\":0.000000}]}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bar_shows_stages_and_totals),
        cmocka_unit_test(what_holds_a_stage_stands_beside_its_pressure),
        cmocka_unit_test(without_an_expected_number_there_is_no_eta),
        cmocka_unit_test(a_resumed_run_counts_what_was_done_before),
        cmocka_unit_test(what_the_sink_has_lost_is_not_done),
        cmocka_unit_test(the_bar_is_cut_to_columns_not_bytes),
        cmocka_unit_test(a_cut_leaves_no_colour_on),
        cmocka_unit_test(a_name_cannot_move_the_cursor),
        cmocka_unit_test(rates_have_the_digits_that_matter),
        cmocka_unit_test(the_plain_line_is_one_line),
        cmocka_unit_test(the_summary_accounts_for_every_item),
        cmocka_unit_test(the_summary_says_why_it_ended_early),
        cmocka_unit_test(json_is_for_programs),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
