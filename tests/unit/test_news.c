/* SPDX-License-Identifier: MIT */
/* News of failures: what each message means, that a note reads back, and what people are told. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "letters/news.h"
#include "wire/verdict.h"

static void assert_text(const char *bytes, size_t size, const char *expected)
{
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(bytes, expected, size);
}

static void verdicts_in_one_vocabulary(void **state)
{
    (void)state;
    static const struct {
        fay_verdict verdict;
        fay_news_kind kind;
        const char *error;
    } rows[] = {
        {{.kind = FAY_VERDICT_RETRY}, FAY_NEWS_AGAIN, "failed, may be tried again"},
        {{.kind = FAY_VERDICT_RETRY, .exit = 1}, FAY_NEWS_EXIT, ""},
        {{.kind = FAY_VERDICT_RETRY, .exit = 75}, FAY_NEWS_AGAIN, ""}, /* whatever retry_on says */
        {{.kind = FAY_VERDICT_RETRY, .signal = SIGSEGV}, FAY_NEWS_SIGNAL, ""},
        {{.kind = FAY_VERDICT_RETRY, .error = {"said", 4}}, FAY_NEWS_AGAIN, "said"},
        {{.kind = FAY_VERDICT_TIMEOUT}, FAY_NEWS_TIMEOUT, "took longer than `timeout`"},
        {{.kind = FAY_VERDICT_TIMEOUT, .signal = SIGKILL}, FAY_NEWS_TIMEOUT, ""},
        {{.kind = FAY_VERDICT_POISON}, FAY_NEWS_NEVER, "the worker refused it for good"},
        {{.kind = FAY_VERDICT_TOO_LARGE, .exit = 75}, FAY_NEWS_NEVER, ""},
        {{.kind = FAY_VERDICT_NO_ARGUMENT}, FAY_NEWS_NEVER, "cannot be an argument of a command"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
        fay_verdict verdict = rows[i].verdict;
        verdict.tag = UINT64_C(1) << 40 | i;
        verdict.tail = fay_text_from("tail");
        fay_verdict_write(&verdict, &payload);
        fay_news news;
        assert_int_equal(
            fay_news_of_verdict(fay_buffer_data(&payload), fay_buffer_size(&payload), &news), 0);
        assert_int_equal(news.kind, rows[i].kind);
        assert_true(news.tag == verdict.tag);
        assert_int_equal(news.exit, verdict.exit);
        assert_int_equal(news.signal, verdict.signal);
        assert_text(news.error, news.error_size, rows[i].error);
        assert_text(news.tail, news.tail_size, "tail");
    }
}

static void deaths_in_the_same_vocabulary(void **state)
{
    (void)state;
    static const struct {
        fay_down_cause cause;
        fay_news_kind kind;
        const char *error;
    } rows[] = {
        {FAY_DOWN_RETIRED, FAY_NEWS_RETIRED, "retired"},
        {FAY_DOWN_RECYCLED, FAY_NEWS_RETIRED, "recycled"},
        {FAY_DOWN_EXIT, FAY_NEWS_EXIT, "exited"},
        {FAY_DOWN_START_FAILED, FAY_NEWS_EXIT, "could not be started"},
        {FAY_DOWN_SIGNAL, FAY_NEWS_SIGNAL, ""}, /* the signal says it */
        {FAY_DOWN_OOM, FAY_NEWS_SIGNAL, "killed, out of memory"},
        {FAY_DOWN_TIMEOUT, FAY_NEWS_TIMEOUT, "killed, an Item took longer than `timeout`"},
        {FAY_DOWN_GARBAGE, FAY_NEWS_GARBAGE, "broke the protocol"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
        fay_down down = {.cause = rows[i].cause, .exit = 3, .signal = 9, .ns = 17, .seen = 42};
        fay_down_write(&down, &payload);
        fay_news news;
        assert_int_equal(
            fay_news_of_down(fay_buffer_data(&payload), fay_buffer_size(&payload), &news), 0);
        assert_int_equal(news.kind, rows[i].kind);
        assert_text(news.error, news.error_size, rows[i].error);
        assert_int_equal(news.ns, 17);
        assert_int_equal(news.seen, 42);
        assert_int_equal(news.exit, 3);
        assert_int_equal(news.signal, 9);
    }
}

static void a_stage_that_cannot_run_says_why(void **state)
{
    (void)state;
    static const struct {
        fay_failed_kind kind;
        bool breach;
    } cases[] = {{FAY_FAILED_START, false}, {FAY_FAILED_BREACH, true}};
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
        const fay_failed failed = {.kind = cases[i].kind,
                                   .message = fay_text_from("no such file: 100%"),
                                   .hint = fay_text_from("is it installed?")};
        fay_failed_write(&failed, &payload);
        fay_error err = {0};
        bool breach = !cases[i].breach;
        assert_int_equal(
            fay_news_of_failed(fay_buffer_data(&payload), fay_buffer_size(&payload), &breach, &err),
            0);
        assert_int_equal(breach, cases[i].breach);
        assert_string_equal(err.message, "no such file: 100%");
        assert_string_equal(err.hint, "is it installed?");
    }
}

static void broken_messages_are_the_peers_fault(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_verdict_write(&(fay_verdict){.kind = FAY_VERDICT_RETRY}, &payload);
    fay_news news;
    fay_error err = {0};
    for (size_t size = 0; size < fay_buffer_size(&payload); size++) {
        assert_int_equal(fay_news_of_verdict(fay_buffer_data(&payload), size, &news), FAY_E_PEER);
    }
    const uint8_t byte = 0;
    assert_int_equal(fay_news_of_down(&byte, 1, &news), FAY_E_PEER);
    bool breach;
    assert_int_equal(fay_news_of_failed(&byte, 1, &breach, &err), FAY_E_PEER);
    assert_string_equal(err.message, "");
}

static void a_note_reads_back(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_freep) char *longest = fay_alloc(FAY_STDERR_TAIL_MAX + 1);
    memset(longest, 'x', FAY_STDERR_TAIL_MAX);
    const fay_news news = {.exit = -1,
                           .signal = 64,
                           .error = longest,
                           .error_size = FAY_ERROR_TEXT_MAX,
                           .tail = longest,
                           .tail_size = FAY_STDERR_TAIL_MAX};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer note = {0};
    fay_news_write(&news, &note);
    fay_news back = fay_news_read(fay_buffer_data(&note), fay_buffer_size(&note));
    assert_int_equal(back.exit, -1);
    assert_int_equal(back.signal, 64);
    assert_int_equal(back.error_size, FAY_ERROR_TEXT_MAX);
    assert_text(back.tail, back.tail_size, longest);

    for (size_t size = 0; size < fay_buffer_size(&note); size += 97) { /* no news is no crash */
        back = fay_news_read(size > 0 ? fay_buffer_data(&note) : NULL, size);
        assert_int_equal(back.exit, 0);
        assert_int_equal(back.signal, 0);
        assert_int_equal(back.error_size + back.tail_size, 0);
        assert_non_null(back.error);
    }
}

static fay_news news_of(int32_t exit, int32_t signal, const char *error, const char *tail)
{
    return (fay_news){.exit = exit,
                      .signal = signal,
                      .error = error,
                      .error_size = strlen(error),
                      .tail = tail,
                      .tail_size = strlen(tail)};
}

static void what_people_are_told(void **state)
{
    (void)state;
    static const struct {
        int32_t exit, signal;
        const char *error, *tail, *told;
    } rows[] = {
        {1, 0, "", "", "exit code 1"},
        {0, SIGKILL, "", "", "signal KILL"},
        {1, SIGSEGV, "", "", "signal SEGV"}, /* the signal is why */
        {1, 0, "", "Traceback\n  x\nKeyError: 'user'\n", "exit code 1: KeyError: 'user'"},
        {1, 0, "", "last\n \n\n", "exit code 1: last"},
        {1, 0, "", " \n", "exit code 1"},
        {0, 0, "first\nsecond\n", "", "second"},
        {3, 0, "refused", "why", "refused: why"},
        {0, 0, "", "alone", "alone"},
        {0, 0, "", "", ""},
        {0, 4711, "", "", "signal ?"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        fay_news news = news_of(rows[i].exit, rows[i].signal, rows[i].error, rows[i].tail);
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
        fay_news_tell(&news, &text);
        assert_string_equal(fay_buffer_text(&text), rows[i].told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_in_one_vocabulary),
        cmocka_unit_test(deaths_in_the_same_vocabulary),
        cmocka_unit_test(a_stage_that_cannot_run_says_why),
        cmocka_unit_test(broken_messages_are_the_peers_fault),
        cmocka_unit_test(a_note_reads_back),
        cmocka_unit_test(what_people_are_told),
    };
    return cmocka_run_group_tests_name("news", tests, NULL, NULL);
}
