/* SPDX-License-Identifier: MIT */
/* Events as lines of a file, and as commands that get them one after the other. */
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "report/events.h"
#include "support/scratch.h"

typedef struct fixture {
    uv_loop_t loop;
    fay_processes *processes;
    fay_events *events;
    fay_hooks hooks;
    scratch scratch;
    int idle, lost;
} fixture;

static void on_idle(void *context)
{
    ((fixture *)context)->idle++;
}

static void on_lost(void *context, const fay_error *err)
{
    assert_non_null(strstr(err->message, "/dev/full"));
    ((fixture *)context)->lost++;
}

static int set_up(void **state)
{
    fixture *f = fay_alloc(sizeof *f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->processes = fay_processes_new(&f->loop);
    scratch_enter(&f->scratch);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fay_events_free(f->events);
    fay_events_free(NULL);
    fay_processes_free(f->processes);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    scratch_leave(&f->scratch);
    free(f);
    return 0;
}

static int open_events(fixture *f, const char *path, fay_error *err)
{
    const fay_events_config config = {.loop = &f->loop,
                                      .processes = f->processes,
                                      .hooks = &f->hooks,
                                      .run = "7f3a",
                                      .path = path,
                                      .watch = {.lost = on_lost, .context = f},
                                      .idle = on_idle,
                                      .context = f};
    return fay_events_open(&config, &f->events, err);
}

static void run_until_idle(fixture *f)
{
    while (!fay_events_idle(f->events)) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
}

/* The lines of a file, which must be as many; free each. */
static void read_lines(const char *path, json_t **lines, size_t count)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (size_t i = 0; i < count; i++) {
        lines[i] = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
        assert_non_null(lines[i]);
        assert_int_equal(fgetc(file), '\n');
    }
    assert_int_equal(fgetc(file), EOF);
    (void)fclose(file);
}

static void assert_member(const json_t *object, const char *name, const char *text)
{
    const char *value = json_string_value(json_object_get(object, name));
    assert_non_null(value);
    assert_string_equal(value, text);
}

static void each_event_is_a_line(void **state)
{
    fixture *f = *state;
    assert_int_equal(open_events(f, "events", NULL), 0);
    assert_true(fay_events_wanted(f->events, FAY_HOOK_NONE));
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
    fay_events_member(&members, "text", "a \"b\"\n\xff", 7);
    fay_events_member(&members, "none", "", 0);
    fay_events_emit(f->events, "run.start", FAY_HOOK_NONE, "");
    fay_events_emit(f->events, "item.dead", FAY_HOOK_ITEM_DEAD, fay_buffer_text(&members));
    json_t *lines[2];
    read_lines("events", lines, 2); /* written at once */
    assert_member(lines[0], "event", "run.start");
    assert_member(lines[0], "run", "7f3a");
    assert_true(json_number_value(json_object_get(lines[0], "ts")) > 1.7e9);
    assert_member(lines[1], "event", "item.dead");
    assert_member(lines[1], "text", "a \"b\"\n\xef\xbf\xbd");
    assert_member(lines[1], "none", "");
    json_decref(lines[0]);
    json_decref(lines[1]);
    assert_true(fay_events_idle(f->events)); /* no command belongs to any of them */
    assert_int_equal(f->idle, 0);
}

static void a_stream_goes_on_where_another_run_ended(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(open_events(f, "events", NULL), 0);
        fay_events_emit(f->events, "run.start", FAY_HOOK_NONE, "");
        fay_events_free(FAY_STEAL(f->events));
    }
    json_t *lines[2];
    read_lines("events", lines, 2);
    json_decref(lines[0]);
    json_decref(lines[1]);
}

static void what_cannot_be_written_is_refused(void **state)
{
    fixture *f = *state;
    fay_error err = {0};
    assert_int_equal(open_events(f, "none/events", &err), FAY_E_IO);
    assert_string_equal(err.message,
                        "--events: cannot write none/events: No such file or directory");
    assert_null(f->events);
}

/* A full disk ends the stream, not the run; and its descriptor is not kept. */
static void a_stream_that_fails_is_given_up(void **state)
{
    fixture *f = *state;
    int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
    (void)close(before);
    assert_int_equal(open_events(f, "/dev/full", NULL), 0);
    fay_events_emit(f->events, "run.start", FAY_HOOK_NONE, "");
    assert_false(fay_events_wanted(f->events, FAY_HOOK_NONE));
    fay_events_emit(f->events, "run.end", FAY_HOOK_NONE, "");
    assert_int_equal(f->lost, 1);
    int behind = open("/dev/null", O_RDONLY | O_CLOEXEC);
    (void)close(behind);
    assert_int_equal(behind, before);
}

static void nobody_who_wants_it_is_nobody_told(void **state)
{
    fixture *f = *state;
    char *done[] = {(char[]){"true"}, NULL}, *empty[] = {NULL};
    f->hooks = (fay_hooks){.done = done, .pressure = empty};
    assert_int_equal(open_events(f, NULL, NULL), 0);
    assert_false(fay_events_wanted(f->events, FAY_HOOK_NONE));
    assert_false(fay_events_wanted(f->events, FAY_HOOK_ITEM_DEAD));
    assert_false(fay_events_wanted(f->events, FAY_HOOK_PRESSURE));
    assert_true(fay_events_wanted(f->events, FAY_HOOK_DONE));
    fay_events_emit(f->events, "item.dead", FAY_HOOK_ITEM_DEAD, "");
    assert_true(fay_events_idle(f->events));
}

/* While one runs the next ones wait, so that their lines are whole and in order. */
static void a_hook_gets_its_events_one_by_one(void **state)
{
    fixture *f = *state;
    char *dead[] = {(char[]){"sh"}, (char[]){"-c"},
                    (char[]){"mkdir lock || exit; cat >>got; rmdir lock"}, NULL};
    char *crash[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"cat >other"}, NULL};
    f->hooks = (fay_hooks){.item_dead = dead, .worker_crash = crash};
    assert_int_equal(open_events(f, "stream", NULL), 0);
    for (int i = 0; i < 5; i++) {
        FAY_CLEANUP(fay_freep) char *members = fay_printed(",\"n\":%d", i);
        fay_events_emit(f->events, "item.dead", FAY_HOOK_ITEM_DEAD, members);
    }
    fay_events_emit(f->events, "worker.down", FAY_HOOK_WORKER_CRASH, "");
    fay_events_emit(f->events, "run.end", FAY_HOOK_DONE, ""); /* nobody's */
    assert_false(fay_events_idle(f->events));
    run_until_idle(f);
    assert_int_equal(f->idle, 1); /* once, behind the last of both */

    json_t *lines[7], *got[5], *other[1];
    read_lines("stream", lines, 7);
    read_lines("got", got, 5);
    read_lines("other", other, 1);
    for (size_t i = 0; i < 5; i++) {
        assert_true(json_equal(got[i], lines[i])); /* the very line */
        assert_int_equal(json_integer_value(json_object_get(got[i], "n")), i);
        json_decref(got[i]);
    }
    assert_true(json_equal(other[0], lines[5]));
    json_decref(other[0]);
    for (size_t i = 0; i < 7; i++) {
        json_decref(lines[i]);
    }
}

/* Neither a command that is missing, nor one that fails or does not read, keeps others back. */
static void hooks_that_fail_harm_nobody(void **state)
{
    fixture *f = *state;
    char *none[] = {(char[]){"/nowhere/at/all"}, NULL};
    char *fails[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"echo x >>runs; exit 3"}, NULL};
    f->hooks = (fay_hooks){.item_dead = none, .pressure = fails};
    assert_int_equal(open_events(f, NULL, NULL), 0);
    for (int i = 0; i < 3; i++) {
        fay_events_emit(f->events, "item.dead", FAY_HOOK_ITEM_DEAD, "");
        fay_events_emit(f->events, "stage.pressure", FAY_HOOK_PRESSURE, "");
    }
    run_until_idle(f);
    struct stat info;
    assert_int_equal(stat("runs", &info), 0);
    assert_int_equal(info.st_size, 6);
}

/* -v: the same on stderr, as fields. */
static void what_is_told_is_logged(void **state)
{
    fixture *f = *state;
    int before = dup(STDERR_FILENO), log = open("log", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(open_events(f, NULL, NULL), 0);
    assert_false(fay_events_wanted(f->events, FAY_HOOK_NONE));
    fay_log_setup(FAY_INFO, false);
    assert_true(fay_events_wanted(f->events, FAY_HOOK_NONE));
    assert_false(fay_events_wanted(f->events, FAY_HOOK_PRESSURE));
    (void)dup2(log, STDERR_FILENO);
    fay_events_emit(f->events, "worker.down", FAY_HOOK_NONE,
                    ",\"stage\":\"a \\\"b\\\", c\",\"worker\":3,\"ok\":true");
    fay_events_emit(f->events, "start", FAY_HOOK_NONE, "");
    (void)dup2(before, STDERR_FILENO);
    fay_log_setup(FAY_WARN, false);
    char text[256] = {0};
    assert_true(pread(log, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text,
                        "faymora: info worker.down stage=\"a \\\"b\\\", c\" worker=3 ok=true\n"
                        "faymora: info start \n");
    (void)close(log);
    (void)close(before);
}

static void to_free_ends_hooks_that_run(void **state)
{
    fixture *f = *state;
    char *sleeps[] = {(char[]){"sleep"}, (char[]){"1000"}, NULL};
    f->hooks = (fay_hooks){.done = sleeps};
    assert_int_equal(open_events(f, NULL, NULL), 0);
    fay_events_emit(f->events, "run.end", FAY_HOOK_DONE, "");
    fay_events_emit(f->events, "run.end", FAY_HOOK_DONE, ""); /* waits */
    assert_false(fay_events_idle(f->events));
    fay_events_free(FAY_STEAL(f->events));
    assert_int_equal(f->idle, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_event_is_a_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_goes_on_where_another_run_ended, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_that_fails_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_who_wants_it_is_nobody_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hook_gets_its_events_one_by_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hooks_that_fail_harm_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_told_is_logged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(to_free_ends_hooks_that_run, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
