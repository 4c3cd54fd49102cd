/* SPDX-License-Identifier: MIT */
/* Sources: what they give, and what they give again when a run is resumed. */
#include <fcntl.h>
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

#include "ends/source.h"
#include "support/scratch.h"

/* A source on a loop of its own, in a directory of its own. */
typedef struct fixture {
    uv_loop_t loop;
    fay_processes *processes;
    fay_pipeline pipeline;
    fay_source *source;
    scratch directory;
    char *files[4];
    const char *state;
    bool ready;
} fixture;

static void on_ready(void *context)
{
    fixture *f = context;
    f->ready = true;
}

static int set_up(void **state)
{
    fixture *f = fay_alloc(sizeof *f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->processes = fay_processes_new(&f->loop);
    scratch_enter(&f->directory);
    f->pipeline.source.files = f->files;
    *state = f;
    return 0;
}

static void close_source(fixture *f)
{
    fay_source_free(f->source);
    f->source = NULL;
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
}

static int tear_down(void **state)
{
    fixture *f = *state;
    close_source(f);
    fay_processes_free(f->processes);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    scratch_leave(&f->directory);
    free(f);
    return 0;
}

static void write_file(const char *path, const char *mode, const char *text)
{
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static int open_source(fixture *f, fay_error *err)
{
    const fay_source_config config = {.loop = &f->loop,
                                      .processes = f->processes,
                                      .pipeline = &f->pipeline,
                                      .item_max = 1000,
                                      .state = f->state,
                                      .ready = on_ready,
                                      .context = f};
    return fay_source_open(&config, &f->source, err);
}

static void must_open(fixture *f)
{
    fay_error err;
    assert_int_equal(open_source(f, &err), 0);
}

/* Pulls up to `most` Items, waiting where the source does; "a|b|", with "!" for an error. */
static char *pull(fixture *f, size_t most, uint64_t *ret_position)
{
    fay_buffer out = {0};
    for (size_t count = 0; count < most;) {
        fay_chunk chunk;
        fay_error err;
        int r = fay_source_pull(f->source, most - count, FAY_MIB, &chunk, &err);
        if (r == FAY_PULL_WAIT) {
            for (f->ready = false; !f->ready;) {
                (void)uv_run(&f->loop, UV_RUN_ONCE);
            }
            continue;
        }
        if (r != FAY_PULL_ITEMS) {
            fay_buffer_append_text(&out, r == FAY_PULL_END ? "" : "!");
            break;
        }
        for (size_t i = 0; i < chunk.batch->count; i++) {
            const fay_entry *entry = &chunk.batch->entries[i];
            fay_buffer_append(&out, chunk.batch->bytes + entry->at, entry->size);
            fay_buffer_append_text(&out, "|");
            if (ret_position != NULL && chunk.ends != NULL)
                *ret_position = chunk.ends[i];
        }
        count += chunk.batch->count;
        fay_batch_unref(chunk.batch);
    }
    (void)fay_buffer_text(&out);
    size_t size;
    return fay_buffer_take(&out, &size);
}

static void check_pull(fixture *f, size_t most, uint64_t *ret_position, const char *expected)
{
    char *got = pull(f, most, ret_position);
    assert_string_equal(got, expected);
    free(got);
}

static int resume(fixture *f, const char *identity, const char *notes, uint64_t position)
{
    const fay_source_past past = {.identity = identity, .notes = notes, .position = position};
    fay_error err;
    return fay_source_resume(f->source, &past, &err);
}

static void generates_a_function_of_the_number(void **state)
{
    fixture *f = *state;
    uint64_t position = 0;
    f->pipeline.source.kind = FAY_SOURCE_GENERATE;
    f->pipeline.source.generate_count = 12;
    f->pipeline.source.generate_size = 4;
    must_open(f);
    check_pull(f, 9, &position, "0 ..|1 ..|2 ..|3 ..|4 ..|5 ..|6 ..|7 ..|8 ..|");
    assert_int_equal(position, 9);
    check_pull(f, 99, NULL, "9 ..|10 .|11 .|");
    const char *why;
    char *identity = fay_source_identity(f->source, &why);
    close_source(f);
    must_open(f);
    assert_int_equal(resume(f, identity, "", 10), 0);
    check_pull(f, 99, NULL, "10 .|11 .|");
    free(identity);
}

/* In the second half, which a resumed run begins with, Items come a thousand times as fast. */
static void generates_at_a_pace_and_goes_on_in_it(void **state)
{
    fixture *f = *state;
    fay_pace_piece pieces[] = {{.lasts = 10 * FAY_SECOND, .from = 1, .to = 1},
                               {.lasts = 10 * FAY_MS, .from = 1000, .to = 1000}};
    f->pipeline.source.kind = FAY_SOURCE_GENERATE;
    f->pipeline.source.generate_pace = (fay_pace){.pieces = pieces, .count = 2};
    must_open(f);
    assert_int_equal(fay_source_expected(f->source), 20);
    uint64_t position = 0;
    check_pull(f, 1, &position, "0|");
    fay_chunk chunk;
    fay_error err;
    assert_int_equal(fay_source_pull(f->source, 99, FAY_MIB, &chunk, &err), FAY_PULL_WAIT);
    close_source(f);
    must_open(f);
    assert_int_equal(resume(f, "generate size=0\n", "", 10), 0);
    check_pull(f, 99, &position, "10|11|12|13|14|15|16|17|18|19|");
    assert_int_equal(position, 20);
}

/* The pause at the begin has not been when the first pull comes; of one at the end, the source
 * waits for the end; and a profile without an Item is no source without end. */
static void pauses_before_the_first_and_behind_the_last(void **state)
{
    fixture *f = *state;
    fay_pace_piece pieces[] = {{.lasts = 20 * FAY_MS},
                               {.lasts = 2 * FAY_MS, .from = 1000, .to = 1000},
                               {.lasts = 20 * FAY_MS}};
    f->pipeline.source.kind = FAY_SOURCE_GENERATE;
    f->pipeline.source.generate_pace = (fay_pace){.pieces = pieces, .count = 3};
    must_open(f);
    fay_ns begun = uv_hrtime();
    fay_chunk chunk;
    fay_error err;
    assert_int_equal(fay_source_pull(f->source, 99, FAY_MIB, &chunk, &err), FAY_PULL_WAIT);
    check_pull(f, 99, NULL, "0|1|");
    assert_true(uv_hrtime() - begun >= 42 * FAY_MS);
    close_source(f);

    f->pipeline.source.generate_pace.count = 1;
    must_open(f);
    assert_int_equal(fay_source_pull(f->source, 99, FAY_MIB, &chunk, &err), FAY_PULL_WAIT);
    check_pull(f, 99, NULL, "");
    close_source(f);

    f->pipeline.source.generate_pace.count = 3;
    must_open(f);
    assert_int_equal(resume(f, "generate size=0\n", "", 2), 0);
    assert_int_equal(fay_source_pull(f->source, 99, FAY_MIB, &chunk, &err), FAY_PULL_END);
}

static void gives_the_words(void **state)
{
    fixture *f = *state;
    static char a[] = "a", b[] = "b c";
    f->pipeline.source.kind = FAY_SOURCE_ITEMS;
    f->files[0] = a;
    f->files[1] = b;
    must_open(f);
    assert_int_equal(fay_source_expected(f->source), 2);
    check_pull(f, 99, NULL, "a|b c|");
}

static void reads_files_in_order_and_goes_on_where_it_was(void **state)
{
    fixture *f = *state;
    static char pattern[] = "*.in";
    write_file("b.in", "w", "3\n4\n");
    write_file("a.in", "w", "1\n2"); /* a line ends with its file */
    f->pipeline.source.kind = FAY_SOURCE_FILE;
    f->files[0] = pattern;
    must_open(f);
    uint64_t position = 0;
    const char *why;
    char *identity = fay_source_identity(f->source, &why);
    assert_non_null(identity);
    check_pull(f, 3, &position, "1|2|3|");
    char *notes = fay_source_notes(f->source, NULL, 0, position);
    close_source(f);

    must_open(f);
    assert_int_equal(resume(f, identity, notes, position), 0);
    check_pull(f, 99, NULL, "4|");
    close_source(f);

    write_file("b.in", "r+", "9"); /* changed where it was read */
    must_open(f);
    assert_int_equal(resume(f, identity, notes, position), FAY_E_STALE);
    close_source(f);

    assert_int_equal(truncate("b.in", 1), 0);
    must_open(f);
    assert_int_equal(resume(f, identity, "", position), FAY_E_STALE);
    close_source(f);

    write_file("c.in", "w", "5\n"); /* one more than there were */
    must_open(f);
    assert_int_equal(resume(f, identity, notes, position), FAY_E_STALE);
    free(identity);
    free(notes);
}

static void what_cannot_be_read_is_told(void **state)
{
    fixture *f = *state;
    static char nothing[] = "nothing", glob[] = "no*.x", directory[] = "/tmp";
    char *names[] = {nothing, glob, directory};
    f->pipeline.source.kind = FAY_SOURCE_FILE;
    for (size_t i = 0; i < FAY_COUNT(names); i++) {
        fay_error err;
        f->files[0] = names[i];
        assert_int_equal(open_source(f, &err), FAY_E_IO);
        assert_non_null(strstr(err.message, names[i]));
    }
}

static void follows_a_file_that_grows_and_is_replaced(void **state)
{
    fixture *f = *state;
    static char name[] = "log";
    write_file("log", "w", "1\n2");
    f->pipeline.source.kind = FAY_SOURCE_FILE;
    f->pipeline.source.follow = true;
    f->files[0] = name;
    must_open(f);
    check_pull(f, 1, NULL, "1|");
    write_file("log", "a", "2\n3\n");
    check_pull(f, 2, NULL, "22|3|");
    assert_int_equal(rename("log", "log.1"), 0);
    write_file("log", "w", "4\n");
    check_pull(f, 1, NULL, "4|");
}

static void reads_a_command_and_tells_how_it_ended(void **state)
{
    fixture *f = *state;
    static char sh[] = "sh", c[] = "-c", text[] = "echo a; echo b; exit 3";
    char *argv[] = {sh, c, text, NULL};
    f->pipeline.source.kind = FAY_SOURCE_EXEC;
    f->pipeline.source.argv = argv;
    must_open(f);
    const char *why = "";
    assert_null(fay_source_identity(f->source, &why));
    assert_true(why[0] != '\0');
    check_pull(f, 99, NULL, "a|b|!");
}

static void waits_for_the_first_writer_of_a_fifo(void **state)
{
    fixture *f = *state;
    static char name[] = "fifo";
    assert_int_equal(mkfifo(name, 0600), 0);
    f->pipeline.source.kind = FAY_SOURCE_FILE;
    f->files[0] = name;
    must_open(f);
    fay_chunk chunk;
    fay_error err;
    assert_int_equal(fay_source_pull(f->source, 1, 1, &chunk, &err), FAY_PULL_WAIT);
    int fd = open(name, O_WRONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x\ny", 3), 3);
    assert_int_equal(close(fd), 0);
    check_pull(f, 99, NULL, "x|y|");
}

static void gives_the_files_of_a_directory_once(void **state)
{
    fixture *f = *state;
    static char directory[] = "d", glob[] = "*.t";
    assert_int_equal(mkdir(directory, 0700), 0);
    write_file("d/b.t", "w", "");
    write_file("d/a.t", "w", "");
    write_file("d/c.no", "w", "");
    f->pipeline.source.kind = FAY_SOURCE_DIR;
    f->pipeline.source.dir = directory;
    f->pipeline.source.glob = glob;
    must_open(f);
    check_pull(f, 2, NULL, "d/a.t|d/b.t|");
    write_file("d/new.t", "w", "x");
    check_pull(f, 1, NULL, "d/new.t|");

    const fay_range done = {.from = 0, .to = 2}; /* a and b are on record, new is not */
    char *notes = fay_source_notes(f->source, &done, 1, 0);
    close_source(f);
    must_open(f);
    assert_false(fay_source_is_numbered(f->source));
    assert_int_equal(resume(f, "directory\n", notes, 0), 0);
    check_pull(f, 1, NULL, "d/new.t|");
    free(notes);
}

static void deletes_what_is_done(void **state)
{
    fixture *f = *state;
    static char directory[] = "d", glob[] = "*";
    assert_int_equal(mkdir(directory, 0700), 0);
    write_file("d/a", "w", "");
    write_file("d/b", "w", "");
    f->pipeline.source.kind = FAY_SOURCE_DIR;
    f->pipeline.source.dir = directory;
    f->pipeline.source.glob = glob;
    f->pipeline.source.after = FAY_AFTER_DELETE;
    must_open(f);
    check_pull(f, 2, NULL, "d/a|d/b|");
    fay_source_acked(f->source, 1, 1);
    assert_int_equal(access("d/a", F_OK), 0);
    assert_int_equal(access("d/b", F_OK), -1);
}

static void spools_what_cannot_be_read_again(void **state)
{
    fixture *f = *state;
    static char sh[] = "sh", c[] = "-c", text[] = "printf 'a\\nb\\nc\\n'", none[] = "true";
    char *argv[] = {sh, c, text, NULL};
    f->state = ".";
    f->pipeline.spool = true;
    f->pipeline.source.kind = FAY_SOURCE_EXEC;
    f->pipeline.source.argv = argv;
    must_open(f);
    uint64_t position = 0;
    const char *why;
    char *identity = fay_source_identity(f->source, &why);
    check_pull(f, 1, &position, "a|");
    close_source(f); /* dies here: b and c were stored, and are not given by anyone else */

    argv[2] = none;
    write_file("spool", "a", "\x7f"); /* and a torn Item, which did not count as read */
    must_open(f);
    assert_int_equal(resume(f, identity, "", position), 0);
    check_pull(f, 99, NULL, "b|c|");
    free(identity);
}

static uint64_t room_of(const char *path)
{
    struct stat is;
    assert_int_equal(stat(path, &is), 0);
    return (uint64_t)is.st_blocks * 512;
}

/* Asking for notes changes nothing: the record that they are for may never come to the disk. */
static void spools_are_emptied_by_what_is_recorded(void **state)
{
    fixture *f = *state;
    static char sh[] = "sh", c[] = "-c", text[] = "yes | head -c 12000000";
    char *argv[] = {sh, c, text, NULL};
    f->state = ".";
    f->pipeline.spool = true;
    f->pipeline.source.kind = FAY_SOURCE_EXEC;
    f->pipeline.source.argv = argv;
    must_open(f);
    uint64_t position = 0;
    free(pull(f, 6000000, &position));
    assert_int_equal(position, 30000000);
    uint64_t full = room_of("spool");
    for (int i = 0; i < 3; i++) {
        free(fay_source_notes(f->source, NULL, 0, position));
    }
    assert_int_equal(room_of("spool"), full);
    fay_source_recorded(f->source, position);
    assert_true(room_of("spool") < full / 2);
    check_pull(f, 9, NULL, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(generates_a_function_of_the_number),
        TEST(generates_at_a_pace_and_goes_on_in_it),
        TEST(pauses_before_the_first_and_behind_the_last),
        TEST(gives_the_words),
        TEST(reads_files_in_order_and_goes_on_where_it_was),
        TEST(what_cannot_be_read_is_told),
        TEST(follows_a_file_that_grows_and_is_replaced),
        TEST(reads_a_command_and_tells_how_it_ended),
        TEST(waits_for_the_first_writer_of_a_fifo),
        TEST(gives_the_files_of_a_directory_once),
        TEST(deletes_what_is_done),
        TEST(spools_what_cannot_be_read_again),
        TEST(spools_are_emptied_by_what_is_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
