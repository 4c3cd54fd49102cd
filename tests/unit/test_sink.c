/* SPDX-License-Identifier: MIT */
/* Sinks: what is written, what is told about it, and what a resumed run finds. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "ends/sink.h"
#include "support/scratch.h"
#include "wire/block.h"

typedef struct fixture {
    uv_loop_t loop;
    fay_processes *processes;
    fay_spools *spools;
    fay_sink_def def;
    fay_sink *sink;
    scratch directory;
    uint64_t written, marks, refused;
    bool failed, closed, finished;
    fay_error err;
} fixture;

static void on_written(void *context, uint64_t items, uint64_t bytes)
{
    (void)bytes;
    ((fixture *)context)->written += items;
}

static void on_marked(void *context)
{
    ((fixture *)context)->marks++;
}

static void on_refused(void *context, const fay_batch *batch, size_t index)
{
    (void)batch;
    (void)index;
    ((fixture *)context)->refused++;
}

static void on_failed(void *context, bool closed, const fay_error *err)
{
    fixture *f = context;
    f->failed = true;
    f->closed = closed;
    f->err = *err;
}

static void on_finished(void *context, const fay_error *err)
{
    fixture *f = context;
    f->finished = true;
    f->err = err != NULL ? *err : (fay_error){0};
}

static const fay_sink_events events = {.written = on_written,
                                       .marked = on_marked,
                                       .refused = on_refused,
                                       .failed = on_failed,
                                       .finished = on_finished};
static char out[] = "out";

static int set_up(void **state)
{
    fixture *f = fay_alloc(sizeof *f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->processes = fay_processes_new(&f->loop);
    f->spools = fay_spools_new();
    scratch_enter(&f->directory);
    f->def.kind = FAY_SINK_FILE;
    f->def.file = out;
    *state = f;
    return 0;
}

static void close_sink(fixture *f)
{
    fay_sink_free(f->sink);
    f->sink = NULL;
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
}

static int tear_down(void **state)
{
    fixture *f = *state;
    close_sink(f);
    fay_spools_free(f->spools);
    fay_processes_free(f->processes);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    scratch_leave(&f->directory);
    free(f);
    return 0;
}

static int open_sink(fixture *f, const fay_sink_place *past)
{
    const fay_sink_config config = {.loop = &f->loop,
                                    .processes = f->processes,
                                    .spools = f->spools,
                                    .def = &f->def,
                                    .past = past,
                                    .events = &events,
                                    .context = f};
    return fay_sink_open(&config, &f->sink, &f->err);
}

/* Items as lines (gap 1) or as pieces of their own (gap 0), separated by '|'. */
static fay_batch *items(uint8_t gap, const char *text)
{
    fay_batch *batch = fay_batch_new();
    batch->gap = gap;
    while (*text != '\0') {
        size_t size = strcspn(text, "|");
        (void)fay_batch_append(batch, text, size);
        text += size + (text[size] == '|');
    }
    return batch;
}

static void put(fixture *f, uint8_t gap, const char *text)
{
    fay_batch *batch = items(gap, text);
    fay_sink_write(f->sink, batch, 0, batch->count);
    fay_batch_unref(batch);
}

static void finish(fixture *f)
{
    fay_sink_finish(f->sink, false);
    while (!f->finished && !f->failed) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
}

static void check_file(const char *path, const char *expected)
{
    char text[256] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_string_equal(text, expected);
}

static void writes_a_file_and_tells_how_far(void **state)
{
    fixture *f = *state;
    assert_int_equal(open_sink(f, NULL), 0);
    put(f, 1, "a|bb");
    fay_sink_mark(f->sink);
    assert_int_equal(f->written, 0);
    fay_sink_flush(f->sink);
    assert_int_equal(f->written, 2);
    assert_int_equal(f->marks, 1);
    assert_int_equal(fay_sink_where(f->sink).offset, 5);
    put(f, 0, "c|d");
    finish(f);
    assert_int_equal(f->written, 4);
    assert_int_equal(f->err.status, 0);
    check_file("out", "a\nbb\nc\nd\n");
}

static void says_other_formats(void **state)
{
    fixture *f = *state;
    f->def.format = FAY_FORMAT_NETSTRING;
    assert_int_equal(open_sink(f, NULL), 0);
    put(f, 1, "a|bb");
    finish(f);
    check_file("out", "1:a,2:bb,");
}

static void refuses_what_the_format_cannot_say(void **state)
{
    fixture *f = *state;
    assert_int_equal(open_sink(f, NULL), 0);
    put(f, 0, "a\nb|c");
    finish(f);
    assert_int_equal(f->refused, 1);
    assert_int_equal(f->written, 2); /* it counts: the flow waits for it */
    check_file("out", "c\n");
}

static void is_cut_to_where_the_record_was_made(void **state)
{
    fixture *f = *state;
    assert_int_equal(open_sink(f, NULL), 0);
    put(f, 1, "a|b|c");
    fay_sink_flush(f->sink);
    fay_sink_place past = fay_sink_where(f->sink);
    close_sink(f);
    past.offset = 4;
    assert_int_equal(open_sink(f, &past), 0);
    put(f, 1, "d");
    finish(f);
    check_file("out", "a\nb\nd\n");
    close_sink(f);

    past.offset = 100; /* shorter than recorded: nothing is touched */
    assert_int_equal(open_sink(f, &past), FAY_E_STALE);
    check_file("out", "a\nb\nd\n");
    past.offset = 2;
    past.inode++; /* another file */
    assert_int_equal(open_sink(f, &past), FAY_E_STALE);
    check_file("out", "a\nb\nd\n");
    assert_int_equal(unlink("out"), 0);
    assert_int_equal(open_sink(f, &past), FAY_E_IO);
    assert_int_equal(access("out", F_OK), -1);
}

static void appends_if_asked(void **state)
{
    fixture *f = *state;
    f->def.append = true;
    for (int i = 0; i < 2; i++) {
        f->finished = false;
        assert_int_equal(open_sink(f, NULL), 0);
        put(f, 1, "x");
        finish(f);
        close_sink(f);
    }
    check_file("out", "x\nx\n");
}

static void rotates_between_jobs(void **state)
{
    fixture *f = *state;
    f->def.rotate_bytes = 3;
    assert_int_equal(open_sink(f, NULL), 0);
    put(f, 1, "aaaa");
    fay_sink_flush(f->sink);
    put(f, 1, "b");
    finish(f);
    check_file("out.1", "aaaa\n");
    check_file("out", "b\n");
}

static void syncs_each_before_it_is_told(void **state)
{
    fixture *f = *state;
    f->def.sync = FAY_SYNC_ITEM;
    assert_int_equal(open_sink(f, NULL), 0);
    put(f, 1, "a|b|c");
    fay_sink_flush(f->sink);
    assert_int_equal(f->written, 0);
    finish(f);
    assert_int_equal(f->written, 3);
    check_file("out", "a\nb\nc\n");
}

static void tells_a_full_disk(void **state)
{
    fixture *f = *state;
    static char full[] = "/dev/full";
    f->def.file = full;
    assert_int_equal(open_sink(f, NULL), 0);
    put(f, 1, "a");
    fay_sink_flush(f->sink);
    assert_true(f->failed);
    assert_false(f->closed);
    assert_non_null(strstr(f->err.message, "No space left"));
    put(f, 1, "b"); /* ignored from now on */
    fay_sink_flush(f->sink);
    assert_int_equal(f->written, 0);
}

static void feeds_a_command_and_waits_for_it(void **state)
{
    fixture *f = *state;
    static char sh[] = "sh", c[] = "-c", text[] = "cat > out; exit 3";
    char *argv[] = {sh, c, text, NULL};
    f->def.kind = FAY_SINK_EXEC;
    f->def.argv = argv;
    assert_int_equal(open_sink(f, NULL), 0);
    put(f, 1, "a");
    finish(f);
    check_file("out", "a\n");
    assert_non_null(strstr(f->err.message, "exit code 3"));
}

static void a_reader_that_is_away_is_waited_for(void **state)
{
    fixture *f = *state;
    static char address[] = "unix:s";
    f->def.kind = FAY_SINK_LISTEN;
    f->def.address = address;
    assert_int_equal(open_sink(f, NULL), 0);
    put(f, 1, "a|b");
    fay_sink_flush(f->sink);
    assert_int_equal(f->written, 0);
    struct sockaddr_un where = {.sun_family = AF_UNIX, .sun_path = "s"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof where), 0);
    while (f->written == 0) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    char got[16] = "";
    assert_int_equal(read(fd, got, sizeof got), 4);
    assert_string_equal(got, "a\nb\n");
    assert_int_equal(close(fd), 0);
}

static void writes_a_spool_in_its_place(void **state)
{
    fixture *f = *state;
    assert_int_equal(open_sink(f, NULL), 0);
    fay_batch *batch = items(0, "s1|elsewhere|s2");
    uint64_t targets[] = {FAY_TARGET_SINK, 1, FAY_TARGET_SINK | 1};
    const fay_spooled spooled = {.batch = batch, .count = 3, .targets = targets};
    assert_int_equal(fay_spools_append(f->spools, 7, &spooled, &f->err), 0);
    fay_batch_unref(batch);
    put(f, 1, "a");
    fay_sink_write_spool(f->sink, 7, 2);
    fay_spools_unref(f->spools, 7); /* the flow needs it no longer */
    put(f, 1, "b");
    finish(f);
    assert_int_equal(f->written, 4);
    check_file("out", "a\ns1\ns2\nb\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(writes_a_file_and_tells_how_far),
        TEST(says_other_formats),
        TEST(refuses_what_the_format_cannot_say),
        TEST(is_cut_to_where_the_record_was_made),
        TEST(appends_if_asked),
        TEST(rotates_between_jobs),
        TEST(syncs_each_before_it_is_told),
        TEST(tells_a_full_disk),
        TEST(feeds_a_command_and_waits_for_it),
        TEST(a_reader_that_is_away_is_waited_for),
        TEST(writes_a_spool_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
