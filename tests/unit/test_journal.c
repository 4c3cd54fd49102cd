/* SPDX-License-Identifier: MIT */
/* The resume journal: round trips, and what is left of it when bytes are missing or wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/journal.h"

enum {
    COMMITS = 3
};

static char run[] = "7f3a", pipeline[] = "name=x\nstages.a.run=3:cat\n", source[] = "file in 1 2\n";
static char notes[] = "00112233";
static fay_journal_range ranges[] = {{0, 10}, {12, 13}, {20, 400}};

static fay_journal_commit commit_number(uint64_t n)
{
    return (fay_journal_commit){.ranges = ranges,
                                .ranges_count = n,
                                .sink_offset = 1000 + n,
                                .dead_offset = 2000 + n,
                                .out = 5000 + n,
                                .dead = 6000 + n,
                                .position = 3000 + n,
                                .sink_device = 4,
                                .sink_inode = 5,
                                .extra = notes};
}

/* A header and COMMITS commits; ends[i] is where record i ends. */
static void write_journal(fay_buffer *out, size_t ends[COMMITS + 1])
{
    const fay_journal_header header = {.run = run, .pipeline = pipeline, .source = source};
    fay_journal_write_header(&header, out);
    ends[0] = fay_buffer_size(out);
    for (uint64_t n = 1; n <= COMMITS; n++) {
        fay_journal_commit commit = commit_number(n);
        fay_journal_write_commit(&commit, fay_buffer_size(out), out);
        ends[n] = fay_buffer_size(out);
    }
}

/* The journal says commit number n, whole and right; n = 0: none. */
static void check_commit(const fay_journal *journal, uint64_t n)
{
    assert_string_equal(journal->header.run, run);
    assert_string_equal(journal->header.pipeline, pipeline);
    assert_string_equal(journal->header.source, source);
    const fay_journal_commit *commit = &journal->commit;
    assert_int_equal(commit->ranges_count, n);
    assert_int_equal(commit->sink_offset, n > 0 ? 1000 + n : 0);
    assert_int_equal(commit->dead_offset, n > 0 ? 2000 + n : 0);
    assert_int_equal(commit->out, n > 0 ? 5000 + n : 0);
    assert_int_equal(commit->dead, n > 0 ? 6000 + n : 0);
    assert_int_equal(commit->position, n > 0 ? 3000 + n : 0);
    assert_int_equal(commit->sink_device, n > 0 ? 4 : 0);
    assert_int_equal(commit->sink_inode, n > 0 ? 5 : 0);
    if (n == 0)
        return;
    assert_string_equal(commit->extra, notes);
    assert_memory_equal(commit->ranges, ranges, n * sizeof *ranges);
}

static void reads_what_was_written(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    size_t ends[COMMITS + 1];
    write_journal(&bytes, ends);
    fay_journal journal;
    fay_error err;
    assert_int_equal(fay_journal_read(bytes.bytes, ends[COMMITS], &journal, &err), 0);
    check_commit(&journal, COMMITS);
    assert_int_equal(journal.good, ends[COMMITS]);
    fay_journal_deinit(&journal);
}

static void an_empty_file_is_no_state(void **state)
{
    (void)state;
    fay_journal journal;
    fay_error err;
    assert_int_equal(fay_journal_read((const uint8_t *)"", 0, &journal, &err), FAY_E_NOTFOUND);
}

static void cut_at_any_byte_it_says_the_last_whole_record(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    size_t ends[COMMITS + 1];
    write_journal(&bytes, ends);
    for (size_t size = 1; size < ends[COMMITS]; size++) {
        uint8_t *copy = malloc(size); /* of the very size: ASan sees a read past its end */
        memcpy(copy, bytes.bytes, size);
        fay_journal journal;
        fay_error err;
        int r = fay_journal_read(copy, size, &journal, &err);
        free(copy);
        if (size < ends[0]) {
            assert_int_equal(r, FAY_E_PEER);
            assert_true(err.message[0] != '\0');
            continue;
        }
        assert_int_equal(r, 0);
        uint64_t n = 0;
        while (n < COMMITS && ends[n + 1] <= size) {
            n++;
        }
        check_commit(&journal, n);
        assert_int_equal(journal.good, ends[n]);
        fay_journal_deinit(&journal);
    }
}

static void with_any_byte_wrong_it_says_a_whole_record_or_nothing(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    size_t ends[COMMITS + 1];
    write_journal(&bytes, ends);
    for (size_t at = 0; at < ends[COMMITS] * 8; at++) {
        bytes.bytes[at / 8] ^= (uint8_t)(1u << at % 8);
        fay_journal journal;
        fay_error err;
        int r = fay_journal_read(bytes.bytes, ends[COMMITS], &journal, &err);
        bytes.bytes[at / 8] ^= (uint8_t)(1u << at % 8);
        if (at / 8 < ends[0]) {
            assert_int_equal(r, FAY_E_PEER);
            continue;
        }
        assert_int_equal(r, 0);
        /* The damaged record is passed over; the last one that is whole counts. */
        bool last = at / 8 >= ends[COMMITS - 1];
        check_commit(&journal, last ? COMMITS - 1 : COMMITS);
        assert_int_equal(journal.good, last ? ends[COMMITS - 1] : ends[COMMITS]);
        fay_journal_deinit(&journal);
    }
}

static void a_record_that_was_moved_is_none(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    size_t ends[COMMITS + 1];
    write_journal(&bytes, ends);
    /* The first commit again, behind the last: whole, but from elsewhere. */
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer first = {0};
    fay_buffer_append(&first, bytes.bytes + ends[0], ends[1] - ends[0]);
    fay_buffer_append(&bytes, fay_buffer_data(&first), fay_buffer_size(&first));
    fay_journal journal;
    fay_error err;
    assert_int_equal(fay_journal_read(bytes.bytes, fay_buffer_size(&bytes), &journal, &err), 0);
    check_commit(&journal, COMMITS);
    assert_int_equal(journal.good, ends[COMMITS]);
    fay_journal_deinit(&journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(an_empty_file_is_no_state),
        cmocka_unit_test(cut_at_any_byte_it_says_the_last_whole_record),
        cmocka_unit_test(with_any_byte_wrong_it_says_a_whole_record_or_nothing),
        cmocka_unit_test(a_record_that_was_moved_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
