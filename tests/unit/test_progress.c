/* SPDX-License-Identifier: MIT */
/* Progress into a pipe: when something is written, and what is left on the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "report/progress.h"

static const fay_report report = {.run = "7f3a", .totals = {.acked = 5}};

struct screen {
    int fds[2];
    char text[1024];
};

static int set_up(void **state)
{
    struct screen *s = fay_alloc(sizeof *s);
    assert_int_equal(pipe(s->fds), 0);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct screen *s = *state;
    (void)close(s->fds[0]);
    (void)close(s->fds[1]);
    free(s);
    return 0;
}

/* What was written since the last time; a mark keeps the read from blocking. */
static const char *seen(struct screen *s)
{
    assert_int_equal(write(s->fds[1], "#", 1), 1);
    ssize_t n = read(s->fds[0], s->text, sizeof s->text - 1);
    assert_true(n > 0);
    s->text[n - 1] = '\0';
    return s->text;
}

static void the_bar_is_drawn_five_times_a_second(void **state)
{
    struct screen *s = *state;
    fay_progress *progress = fay_progress_new(FAY_PROGRESS_BAR, false, s->fds[1]);
    fay_ns at = fay_progress_due(progress, 0);
    fay_progress_show(progress, &report, at - 1);
    assert_string_equal(seen(s), "");
    fay_progress_show(progress, &report, at);
    assert_string_equal(seen(s), "\r 5 done\x1b[K");
    fay_progress_show(progress, &report, at + 199 * FAY_MS);
    assert_string_equal(seen(s), "");
    assert_true(fay_progress_due(progress, at) == at + 200 * FAY_MS);

    fay_progress_clear(progress);
    assert_string_equal(seen(s), "\r\x1b[K");
    fay_progress_clear(progress); /* nothing stands there any more */
    assert_string_equal(seen(s), "");
    fay_progress_show(progress, &report, at + 200 * FAY_MS);
    assert_string_equal(seen(s), "\r 5 done\x1b[K");
    fay_progress_free(progress);
    assert_string_equal(seen(s), "\r\x1b[K");
}

static void off_a_terminal_there_is_a_line_every_ten_seconds(void **state)
{
    struct screen *s = *state;
    fay_progress *progress = fay_progress_new(FAY_PROGRESS_AUTO, false, s->fds[1]);
    fay_ns at = fay_progress_due(progress, 0);
    fay_progress_show(progress, &report, at);
    assert_string_equal(seen(s), "faymora: 0us · 5 done · 0 dead\n");
    assert_true(fay_progress_due(progress, at) == at + 10 * FAY_SECOND);
    assert_true(fay_progress_due(progress, at + 99 * FAY_SECOND) == at + 99 * FAY_SECOND);
    fay_progress_free(progress);
    assert_string_equal(seen(s), "");
}

static void none_is_none(void **state)
{
    struct screen *s = *state;
    fay_progress *progress = fay_progress_new(FAY_PROGRESS_NONE, true, s->fds[1]);
    assert_true(fay_progress_due(progress, 1) == FAY_NEVER);
    fay_progress_show(progress, &report, 100 * FAY_SECOND);
    fay_progress_free(progress);
    assert_string_equal(seen(s), "");

    fay_progress_show(NULL, &report, 1);
    fay_progress_clear(NULL);
    fay_progress_free(NULL);
    assert_true(fay_progress_due(NULL, 1) == FAY_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_bar_is_drawn_five_times_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(off_a_terminal_there_is_a_line_every_ten_seconds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(none_is_none, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
