/* SPDX-License-Identifier: MIT */
/*
 * The trail of a run: a joblog line for every try that counted, with what came of it, and no line
 * for what went back uncounted; results with the id of the Item they came from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "report/trail.h"
#include "support/pipelines.h"
#include "support/scratch.h"

#define HEAD                                                                                       \
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\tStage\tAttempt\t"  \
    "Worker\tItemId\tOutcome\n"

typedef struct fixture {
    fay_pipeline *pipeline;
    fay_trail *trail;
    fay_batch *batch; /* roots 0.. with payloads "aa", "b", "" */
    scratch scratch;
    char text[8192];
} fixture;

static int set_up(void **state)
{
    fixture *f = fay_alloc(sizeof *f);
    static const char yaml[] =
        "faymora: 1\n"
        "stages:\n"
        "  - {name: first, run: [./x, \"{}\"], retries: 1, retry_on: [exit]}\n"
        "  - {name: second, sh: \"sort | uniq\", mode: batch, retries: 0, on_error: drop}\n";
    f->pipeline = pipeline_of(yaml);
    scratch_enter(&f->scratch);
    f->batch = fay_batch_new();
    static const char *const texts[] = {"aa", "b", ""};
    for (size_t i = 0; i < FAY_COUNT(texts); i++) {
        fay_batch_append(f->batch, texts[i], strlen(texts[i]))->root = i;
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fay_trail_free(f->trail);
    fay_batch_unref(f->batch);
    fay_pipeline_free(f->pipeline);
    scratch_leave(&f->scratch);
    free(f);
    return 0;
}

/* No write fails here: it would be told. */
static void on_lost(void *context, const fay_error *err)
{
    (void)context;
    fail_msg("%s", err->message);
}

static const fay_logfile_watch watch = {.lost = on_lost};

static void open_trail(fixture *f)
{
    assert_int_equal(fay_trail_open(f->pipeline, "log", "results", &watch, &f->trail, NULL), 0);
    assert_non_null(f->trail);
}

/* Items [at, at + count) under the tags from 100 + at on, to worker 4 of link 1. */
static void lease(fixture *f, size_t at, size_t count)
{
    const fay_flow_action action = {.kind = FAY_FLOW_LEASE,
                                    .link = 1,
                                    .worker = 4,
                                    .tag = 100 + at,
                                    .batch = f->batch,
                                    .at = at,
                                    .count = count};
    fay_trail_leased(f->trail, &action);
}

static void fail_try(fixture *f, size_t stage, uint64_t tag, fay_news_kind kind, int exit)
{
    const fay_flow_event event = {.kind = FAY_FLOW_VERDICT, .link = 1, .worker = 4, .tag = tag};
    const fay_news news = {.kind = kind, .tag = tag, .exit = exit, .error = "", .tail = ""};
    fay_trail_verdict(f->trail, stage, &event, &news);
}

/* The worker is gone; Items from tag `seen` on had not reached it. */
static void worker_goes(fixture *f, fay_news_kind kind, int signal, uint64_t seen)
{
    const fay_news news = {
        .kind = kind, .signal = signal, .seen = seen, .error = "why", .error_size = 3, .tail = ""};
    fay_trail_gone(f->trail, 0, 1, 4, &news);
}

static char *contents(fixture *f, const char *path)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    f->text[fread(f->text, 1, sizeof f->text - 1, file)] = '\0';
    (void)fclose(file);
    return f->text;
}

/* Closes the trail and tells its joblog without times: "Seq Send Receive Exitval Signal Stage
 * Attempt Worker ItemId Outcome" of each line, separated by ';'. */
static const char *jobs(fixture *f)
{
    static char told[2048];
    fay_trail_finish(f->trail, 0);
    fay_trail_free(FAY_STEAL(f->trail));
    char *rest = contents(f, "log");
    assert_memory_equal(rest, HEAD, sizeof HEAD - 1);
    rest += sizeof HEAD - 1;
    int used = 0;
    told[0] = '\0';
    for (char *line = strsep(&rest, "\n"); rest != NULL; line = strsep(&rest, "\n")) {
        for (int column = 1; column <= 14; column++) {
            const char *word = strsep(&line, "\t");
            assert_non_null(word);
            if (column == 1 || (column >= 5 && column != 9)) {
                used += snprintf(told + used, sizeof told - (size_t)used, "%s%s", word,
                                 column < 14 ? " " : ";");
            }
        }
        assert_null(line);
    }
    return told;
}

static void results_are_logged_and_kept(void **state)
{
    fixture *f = *state;
    open_trail(f);
    lease(f, 0, 3);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *out = fay_batch_new();
    (void)fay_batch_append(out, "one", 3);
    (void)fay_batch_append(out, "\xff", 1);
    (void)fay_batch_append(out, "", 0);
    const uint32_t children[] = {2, 0, 1};
    const fay_flow_event event = {.kind = FAY_FLOW_RESULTS,
                                  .link = 1,
                                  .worker = 4,
                                  .tag = 100,
                                  .count = 3,
                                  .batch = out,
                                  .children = children};
    fay_trail_results(f->trail, 0, &event);
    fay_trail_results(f->trail, 0, &event); /* leases that are no more: nothing is logged */
    assert_string_equal(jobs(f), "1 2 4 0 0 first 1 5 0 ok;"
                                 "2 1 0 0 0 first 1 5 1 filtered;"
                                 "3 0 0 0 0 first 1 5 2 ok;");
    assert_string_equal(contents(f, "results/first.out"),
                        "{\"id\":\"0\",\"item\":\"one\"}\n"
                        "{\"id\":\"0\",\"item\":{\"$base64\":\"/w==\"}}\n"
                        "{\"id\":\"2\",\"item\":\"\"}\n");
    assert_string_equal(contents(f, "results/second.out"), "");
}

static void the_parts_of_a_set_are_kept_in_order(void **state)
{
    fixture *f = *state;
    open_trail(f);
    f->batch->entries[1].attempt = 2;
    assert_int_equal(fay_path_append(&f->batch->entries[1].path, 7), 0);
    lease(f, 1, 1);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *out = fay_batch_new();
    (void)fay_batch_append(out, "1", 1);
    fay_flow_event event = {.kind = FAY_FLOW_PART, .link = 1, .tag = 101, .batch = out};
    fay_trail_part(f->trail, 1, &event);
    event.link = 2; /* the same tag of another link */
    fay_trail_part(f->trail, 1, &event);
    event.link = 1;
    event.count = 1;
    fay_trail_results(f->trail, 1, &event); /* children NULL: one each */
    assert_string_equal(jobs(f), "2 1 1 0 0 second 3 5 1.7 ok;");
    assert_string_equal(contents(f, "results/second.out"), "{\"id\":\"1.7\",\"item\":\"1\"}\n"
                                                           "{\"id\":\"1.7\",\"item\":\"1\"}\n");
}

static void a_failed_try_says_what_comes_of_its_item(void **state)
{
    fixture *f = *state;
    open_trail(f);
    lease(f, 0, 3);
    fail_try(f, 0, 100, FAY_NEWS_EXIT, 3);
    fail_try(f, 0, 101, FAY_NEWS_NEVER, 0);
    fail_try(f, 0, 102, FAY_NEWS_AGAIN, 75);
    fail_try(f, 0, 102, FAY_NEWS_EXIT, 1); /* answered already */
    f->batch->entries[0].attempt = 1;      /* the last one: retries 1 */
    lease(f, 0, 1);
    fail_try(f, 0, 100, FAY_NEWS_EXIT, 3);
    lease(f, 1, 1);
    fail_try(f, 1, 101, FAY_NEWS_EXIT, 4);
    assert_string_equal(jobs(f), "1 2 0 3 0 first 1 5 0 retried;"
                                 "2 1 0 0 0 first 1 5 1 dead;"
                                 "3 0 0 75 0 first 1 5 2 retried;"
                                 "1 2 0 3 0 first 2 5 0 dead;"
                                 "2 1 0 4 0 second 1 5 1 dropped;");
}

/* retry_on: [exit] - another kind of failure is never retried; exit 75 and a protocol that was
 * broken always are. */
static void what_retry_on_leaves_out_is_dead_at_once(void **state)
{
    fixture *f = *state;
    open_trail(f);
    lease(f, 0, 2);
    fail_try(f, 0, 100, FAY_NEWS_TIMEOUT, 0);
    fail_try(f, 0, 101, FAY_NEWS_SIGNAL, 0);
    lease(f, 2, 1);
    worker_goes(f, FAY_NEWS_SIGNAL, 9, UINT64_MAX);
    lease(f, 2, 1);
    worker_goes(f, FAY_NEWS_GARBAGE, 9, UINT64_MAX);
    assert_string_equal(jobs(f), "1 2 0 0 0 first 1 5 0 dead;"
                                 "2 1 0 0 0 first 1 5 1 dead;"
                                 "3 0 0 0 9 first 1 5 2 dead;"
                                 "3 0 0 0 9 first 1 5 2 retried;");
}

/* Rule 3: the death of a worker that held several is no try of any. */
static void a_death_is_a_try_of_the_only_item_that_was_there(void **state)
{
    fixture *f = *state;
    open_trail(f);
    lease(f, 0, 1);
    worker_goes(f, FAY_NEWS_EXIT, 0, 101);
    lease(f, 0, 2);
    worker_goes(f, FAY_NEWS_EXIT, 0, 102); /* both were: whose fault is not known */
    lease(f, 1, 2);
    worker_goes(f, FAY_NEWS_EXIT, 0, 102); /* Item 1 was, 2 had not reached it */
    lease(f, 2, 1);
    worker_goes(f, FAY_NEWS_EXIT, 0, 102); /* nor this time */
    lease(f, 2, 1);
    worker_goes(f, FAY_NEWS_RETIRED, 0, UINT64_MAX); /* it went as it should */
    worker_goes(f, FAY_NEWS_EXIT, 0, UINT64_MAX);    /* it holds nothing any more */
    assert_string_equal(jobs(f), "1 2 0 0 0 first 1 5 0 retried;"
                                 "2 1 0 0 0 first 1 5 1 retried;");
}

static void what_goes_back_is_no_try(void **state)
{
    fixture *f = *state;
    open_trail(f);
    lease(f, 0, 3);
    fay_trail_given_back(f->trail, &(fay_flow_event){.link = 1, .tag = 100, .count = 1});
    fay_trail_given_back(f->trail, &(fay_flow_event){.link = 2, .tag = 101, .count = 2});
    fail_try(f, 0, 100, FAY_NEWS_EXIT, 1);
    const fay_news news = {.error = "its Instance died", .error_size = 17, .tail = ""};
    fay_trail_gone(f->trail, 0, 2, -1, &news); /* another link */
    fail_try(f, 0, 101, FAY_NEWS_EXIT, 1);
    fay_trail_gone(f->trail, 0, 1, -1, &news);
    fail_try(f, 0, 102, FAY_NEWS_EXIT, 1);
    assert_string_equal(jobs(f), "2 1 0 1 0 first 1 5 1 retried;");
}

static void only_what_is_asked_for(void **state)
{
    fixture *f = *state;
    fay_error err = {0};
    assert_int_equal(fay_trail_open(f->pipeline, NULL, NULL, &watch, &f->trail, &err), 0);
    assert_null(f->trail);
    lease(f, 0, 1); /* all take NULL */
    fail_try(f, 0, 100, FAY_NEWS_EXIT, 1);
    worker_goes(f, FAY_NEWS_EXIT, 0, 0);
    fay_trail_given_back(f->trail, &(fay_flow_event){.link = 1, .tag = 100, .count = 1});

    assert_int_equal(fay_trail_open(f->pipeline, NULL, "results", &watch, &f->trail, &err), 0);
    lease(f, 0, 1);
    fail_try(f, 0, 100, FAY_NEWS_EXIT, 1);
    fay_trail_finish(f->trail, 0);
    fay_trail_free(FAY_STEAL(f->trail));
    assert_int_equal(access("log", F_OK), -1);
    assert_int_equal(fay_trail_open(f->pipeline, "log", NULL, &watch, &f->trail, &err), 0);
    lease(f, 0, 1); /* still out when the run ends */
    assert_string_equal(jobs(f), "");
}

static void a_joblog_goes_on_with_an_earlier_one(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        open_trail(f);
        lease(f, 0, 1);
        fail_try(f, 0, 100, FAY_NEWS_EXIT, i);
        fay_trail_finish(f->trail, 0);
        fay_trail_free(FAY_STEAL(f->trail));
    }
    assert_string_equal(jobs(f), "1 2 0 0 0 first 1 5 0 retried;1 2 0 1 0 first 1 5 0 retried;");
}

static void what_cannot_be_written_is_refused(void **state)
{
    fixture *f = *state;
    fay_error err = {0};
    assert_int_equal(fay_trail_open(f->pipeline, "none/log", NULL, &watch, &f->trail, &err),
                     FAY_E_IO);
    assert_string_equal(err.message, "--joblog: cannot write none/log: No such file or directory");
    assert_int_equal(fay_trail_open(f->pipeline, "log", "none/results", &watch, &f->trail, &err),
                     FAY_E_IO);
    assert_string_equal(err.message, "cannot make none/results: No such file or directory");
    assert_int_equal(fay_trail_open(f->pipeline, NULL, "log", &watch, &f->trail, &err), FAY_E_IO);
    assert_string_equal(err.message, "--results: cannot write log/first.out: Not a directory");
    assert_null(f->trail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(results_are_logged_and_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_parts_of_a_set_are_kept_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_try_says_what_comes_of_its_item, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_retry_on_leaves_out_is_dead_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_death_is_a_try_of_the_only_item_that_was_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_goes_back_is_no_try, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_is_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_joblog_goes_on_with_an_earlier_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("trail", tests, NULL, NULL);
}
