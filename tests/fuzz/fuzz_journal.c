/* SPDX-License-Identifier: MIT */
/*
 * Journals from anywhere. Byte 0 chooses: the rest is a journal as it stands; or it is what damages
 * a right one (pairs of offset and mask), which must then give one of its own commits or nothing.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "journal/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make(fay_buffer *out)
{
    static char text[] = "x=1\n";
    static fay_journal_range ranges[] = {{0, 1}, {2, 7}};
    const fay_journal_header header = {.run = text, .pipeline = text, .source = text};
    fay_journal_write_header(&header, out);
    for (uint64_t n = 1; n <= 3; n++) {
        const fay_journal_commit commit = {.ranges = ranges,
                                           .ranges_count = 2,
                                           .sink_offset = n,
                                           .dead_offset = n,
                                           .position = n,
                                           .extra = text};
        fay_journal_write_commit(&commit, fay_buffer_size(out), out);
    }
}

static void check(const uint8_t *bytes, size_t size, bool ours)
{
    fay_journal journal;
    fay_error err;
    if (fay_journal_read(bytes, size, &journal, &err) != 0)
        return;
    const fay_journal_commit *commit = &journal.commit;
    assert(journal.good <= size && journal.header.run != NULL);
    for (size_t i = 0; i < commit->ranges_count; i++) {
        assert(commit->ranges[i].from < commit->ranges[i].to);
        assert(i == 0 || commit->ranges[i - 1].to < commit->ranges[i].from);
    }
    if (ours) {
        assert(commit->sink_offset <= 3 && commit->position == commit->sink_offset);
        assert(commit->ranges_count == (commit->sink_offset > 0 ? 2 : 0));
    }
    fay_journal_deinit(&journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0) {
        check(data + 1, size - 1, false);
        return 0;
    }
    fay_buffer bytes = {0};
    make(&bytes);
    for (size_t i = 1; i + 1 < size && i < 16; i += 2) {
        bytes.bytes[data[i] % fay_buffer_size(&bytes)] ^= data[i + 1];
    }
    check(bytes.bytes, fay_buffer_size(&bytes) - data[0] / 2, true);
    fay_buffer_deinit(&bytes);
    return 0;
}
