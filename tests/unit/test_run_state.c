/* SPDX-License-Identifier: MIT */
/* What a run keeps on disk: the state directory, dead letters, spools. */
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

#include "base/limits.h"
#include "ends/spools.h"
#include "letters/letters.h"
#include "run/state.h"
#include "support/scratch.h"

typedef struct fixture {
    uv_loop_t loop;
    scratch directory;
    fay_state *state;
    bool recorded;
    fay_error err;
} fixture;

static char run[] = "7f3a", text[] = "x\n";

static int set_up(void **state)
{
    fixture *f = fay_alloc(sizeof *f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    scratch_enter(&f->directory);
    *state = f;
    return 0;
}

static void close_state(fixture *f)
{
    fay_state_free(f->state);
    f->state = NULL;
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
}

static int tear_down(void **state)
{
    fixture *f = *state;
    close_state(f);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    scratch_leave(&f->directory);
    free(f);
    return 0;
}

static void must_open(fixture *f)
{
    assert_int_equal(fay_state_open(&f->loop, "st", 0, &f->state, &f->err), 0);
}

static void begin(fixture *f)
{
    const fay_journal_header header = {.run = run, .pipeline = text, .source = text};
    const fay_journal_commit first = {.sink_offset = 1};
    assert_int_equal(fay_state_begin(f->state, &header, &first, &f->err), 0);
}

static void on_recorded(void *context, const fay_error *err)
{
    fixture *f = context;
    f->recorded = true;
    assert_null(err);
}

static void record(fixture *f, uint64_t offset, char *notes)
{
    const fay_journal_commit commit = {.sink_offset = offset, .extra = notes};
    f->recorded = false;
    fay_state_record(f->state, &commit, on_recorded, f);
    while (!f->recorded) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
}

static void check_offset(fixture *f, uint64_t offset)
{
    fay_journal journal;
    assert_int_equal(fay_state_read(f->state, &journal, &f->err), 0);
    assert_string_equal(journal.header.run, run);
    assert_int_equal(journal.commit.sink_offset, offset);
    fay_journal_deinit(&journal);
}

static void keeps_the_last_record(void **state)
{
    fixture *f = *state;
    fay_journal journal;
    must_open(f);
    assert_int_equal(fay_state_read(f->state, &journal, &f->err), FAY_E_NOTFOUND);
    begin(f);
    check_offset(f, 1);
    record(f, 2, NULL);
    record(f, 3, NULL);
    check_offset(f, 3);
    close_state(f);

    must_open(f);
    assert_int_equal(fay_state_read(f->state, &journal, &f->err), 0);
    assert_int_equal(fay_state_go_on(f->state, &journal, &f->err), 0);
    fay_journal_deinit(&journal);
    record(f, 4, NULL);
    check_offset(f, 4);
}

static void cuts_a_torn_end_before_it_goes_on(void **state)
{
    fixture *f = *state;
    fay_journal journal;
    must_open(f);
    begin(f);
    record(f, 2, NULL);
    close_state(f);
    struct stat before, after;
    assert_int_equal(stat("st/journal", &before), 0);
    FILE *file = fopen("st/journal", "a");
    assert_non_null(file);
    assert_true(fputs("torn", file) >= 0);
    assert_int_equal(fclose(file), 0);
    must_open(f);
    assert_int_equal(fay_state_read(f->state, &journal, &f->err), 0);
    assert_int_equal(fay_state_go_on(f->state, &journal, &f->err), 0);
    fay_journal_deinit(&journal);
    assert_int_equal(stat("st/journal", &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    check_offset(f, 2);
}

static void is_written_anew_when_long(void **state)
{
    fixture *f = *state;
    char *notes = fay_alloc(FAY_MIB + 1);
    memset(notes, 'n', FAY_MIB);
    must_open(f);
    begin(f);
    struct stat now;
    for (uint64_t i = 0; i < 20; i++) {
        record(f, 10 + i, notes);
        check_offset(f, 10 + i);
        assert_int_equal(stat("st/journal", &now), 0);
        assert_true((uint64_t)now.st_size < 7 * FAY_MIB);
    }
    assert_int_equal(access("st/journal.new", F_OK), -1);
    free(notes);
}

static void is_one_runs_at_a_time(void **state)
{
    fixture *f = *state;
    fay_state *other = NULL;
    must_open(f);
    assert_int_equal(fay_state_open(&f->loop, "st", 50, &other, &f->err), FAY_E_TIMEOUT);
    char pid[32];
    (void)snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(f->err.message, pid));
    close_state(f);
    must_open(f);
}

static void dead_letters_are_cut_to_what_is_recorded(void **state)
{
    fixture *f = *state;
    static char empty[] = "";
    const fay_letter letter = {.id = run,
                               .stage = run,
                               .node = run,
                               .error = empty,
                               .stderr_tail = empty,
                               .hash = run,
                               .exit = -1};
    fay_letters *letters = fay_letters_new("dead");
    assert_int_equal(access("dead", F_OK), -1); /* not before the first one */
    assert_int_equal(fay_letters_write(letters, &letter, &f->err), 0);
    uint64_t one = fay_letters_offset(letters);
    assert_int_equal(fay_letters_write(letters, &letter, &f->err), 0);
    fay_letters_free(letters);

    letters = fay_letters_new("dead");
    assert_int_equal(fay_letters_check(letters, 3 * one, &f->err), FAY_E_STALE);
    assert_int_equal(fay_letters_check(letters, one, &f->err), 0);
    assert_int_equal(fay_letters_cut(letters, one, &f->err), 0);
    struct stat now;
    assert_int_equal(stat("dead", &now), 0);
    assert_int_equal(now.st_size, one);
    assert_int_equal(fay_letters_cut(letters, 0, &f->err), 0);
    assert_int_equal(access("dead", F_OK), -1);
    fay_letters_free(letters);
}

static void spools_give_back_what_they_got(void **state)
{
    fixture *f = *state;
    enum {
        ITEMS = 3000
    };
    fay_spools *spools = fay_spools_new();
    fay_batch *batch = fay_batch_new();
    uint64_t *targets = fay_alloc(ITEMS * sizeof *targets);
    for (size_t i = 0; i < ITEMS; i++) {
        char item[32];
        int size = snprintf(item, sizeof item, "item %zu", i);
        fay_entry *entry = fay_batch_append(batch, item, (size_t)size);
        entry->root = i / 2;
        entry->attempt = (uint16_t)(i % 3);
        targets[i] = i;
        assert_int_equal(fay_path_append(&entry->path, i), 0);
        if (i % 5 == 0)
            fay_batch_append_attrs(batch, "\x80", 1); /* an empty map */
    }
    const fay_spooled head = {.batch = batch, .count = 10, .targets = targets};
    const fay_spooled rest = {
        .batch = batch, .at = 10, .count = ITEMS - 10, .targets = targets + 10};
    assert_int_equal(fay_spools_append(spools, 1, &head, &f->err), 0);
    assert_int_equal(fay_spools_append(spools, 1, &rest, &f->err), 0);

    uint64_t cursor = 0;
    for (size_t i = 0;;) {
        fay_spooled items;
        assert_int_equal(fay_spools_load(spools, 1, cursor, &items, &f->err), 0);
        const fay_batch *got = items.batch;
        cursor = items.next;
        for (size_t k = 0; k < got->count; k++, i++) {
            const fay_entry *a = &batch->entries[i], *b = &got->entries[k];
            assert_int_equal(a->size, b->size);
            assert_memory_equal(batch->bytes + a->at, got->bytes + b->at, a->size);
            assert_int_equal(a->root, b->root);
            assert_int_equal(a->attempt, b->attempt);
            assert_int_equal(fay_path_compare(&a->path, &b->path), 0);
            assert_int_equal(a->attrs_size, b->attrs_size);
            assert_int_equal(items.targets[k], i);
        }
        bool end = got->count == 0;
        fay_spooled_deinit(&items);
        if (end) {
            assert_int_equal(i, ITEMS);
            break;
        }
    }
    fay_spools_ref(spools, 1);
    fay_spools_unref(spools, 1);
    fay_spools_unref(spools, 1);
    fay_spooled gone;
    assert_int_equal(fay_spools_load(spools, 1, 0, &gone, &f->err), FAY_E_NOTFOUND);
    fay_batch_unref(batch);
    free(targets);
    fay_spools_free(spools);
}

/* It is refused by its size, before its bytes are asked for. */
static void a_journal_that_is_too_long_is_none(void **state)
{
    fixture *f = *state;
    fay_journal journal = {0};
    must_open(f);
    begin(f);
    assert_int_equal(truncate("st/journal", (off_t)FAY_JOURNAL_MAX + 1), 0);
    assert_int_equal(fay_state_read(f->state, &journal, &f->err), FAY_E_IO);
    assert_string_equal(f->err.message, "the journal in st has more than 256MiB: it is none");
    fay_journal_deinit(&journal);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_the_last_record),
        TEST(cuts_a_torn_end_before_it_goes_on),
        TEST(is_written_anew_when_long),
        TEST(is_one_runs_at_a_time),
        TEST(a_journal_that_is_too_long_is_none),
        TEST(dead_letters_are_cut_to_what_is_recorded),
        TEST(spools_give_back_what_they_got),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
