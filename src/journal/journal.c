/* SPDX-License-Identifier: MIT */
#include "journal/journal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "wire/codec.h"

enum {
    HEAD_SIZE = 8, /* size and checksum; `size` counts kind and payload */
    VERSION = 2,
    KIND_HEADER = 1,
    KIND_COMMIT = 2,
};
static const char magic[4] = {'F', 'A', 'Y', 'J'};

static uint32_t checksum(const uint8_t *bytes, size_t size, uint64_t offset)
{
    return (uint32_t)fay_hash64(bytes, size, offset);
}

static size_t begin(fay_buffer *out, uint8_t kind)
{
    size_t begun = fay_buffer_size(out);
    uint8_t head[HEAD_SIZE + 1] = {0};
    head[HEAD_SIZE] = kind;
    fay_buffer_append(out, head, sizeof head);
    return begun;
}

static void end(fay_buffer *out, size_t begun, uint64_t offset)
{
    uint8_t *record = out->bytes + out->start + begun;
    size_t size = fay_buffer_size(out) - begun - HEAD_SIZE;
    assert(size <= FAY_JOURNAL_RECORD_MAX);
    fay_store32(record, (uint32_t)size);
    fay_store32(record + 4, checksum(record + HEAD_SIZE, size, offset));
}

void fay_journal_write_header(const fay_journal_header *header, fay_buffer *out)
{
    size_t begun = begin(out, KIND_HEADER);
    fay_buffer_append(out, magic, sizeof magic);
    fay_write32(out, VERSION);
    fay_write_text(out, header->run);
    fay_write_text(out, header->pipeline);
    fay_write_text(out, header->source);
    end(out, begun, 0);
}

void fay_journal_write_commit(const fay_journal_commit *commit, uint64_t offset, fay_buffer *out)
{
    size_t begun = begin(out, KIND_COMMIT);
    fay_write64(out, commit->sink_offset);
    fay_write64(out, commit->dead_offset);
    fay_write64(out, commit->out);
    fay_write64(out, commit->dead);
    fay_write64(out, commit->position);
    fay_write64(out, commit->sink_device);
    fay_write64(out, commit->sink_inode);
    fay_write_text(out, commit->extra);
    fay_write64(out, commit->ranges_count);
    for (size_t i = 0; i < commit->ranges_count; i++) {
        assert(commit->ranges[i].from < commit->ranges[i].to);
        assert(i == 0 || commit->ranges[i - 1].to < commit->ranges[i].from);
        fay_write64(out, commit->ranges[i].from);
        fay_write64(out, commit->ranges[i].to);
    }
    end(out, begun, offset);
}

static void header_deinit(fay_journal_header *header)
{
    free(header->run);
    free(header->pipeline);
    free(header->source);
    *header = (fay_journal_header){0};
}

static void commit_deinit(fay_journal_commit *commit)
{
    free(commit->ranges);
    free(commit->extra);
    *commit = (fay_journal_commit){0};
}

void fay_journal_deinit(fay_journal *journal)
{
    header_deinit(&journal->header);
    commit_deinit(&journal->commit);
    journal->good = 0;
}

/* The record at `at`: its body (kind and payload) if it is whole and right, else NULL. */
static const uint8_t *body_at(const uint8_t *bytes, size_t size, size_t at, size_t *ret_size)
{
    if (size - at < HEAD_SIZE + 1)
        return NULL;
    size_t length = fay_load32(bytes + at);
    if (length == 0 || length > FAY_JOURNAL_RECORD_MAX || length > size - at - HEAD_SIZE)
        return NULL;
    const uint8_t *body = bytes + at + HEAD_SIZE;
    uint8_t kind = at == 0 ? KIND_HEADER : KIND_COMMIT;
    if (body[0] != kind || checksum(body, length, at) != fay_load32(bytes + at + 4))
        return NULL;
    *ret_size = length;
    return body;
}

static int read_header(const uint8_t *body, size_t size, fay_journal_header *ret)
{
    fay_reader r = fay_reader_of(body + 1, size - 1);
    const uint8_t *mark = fay_read_raw(&r, sizeof magic);
    bool known = mark != NULL && memcmp(mark, magic, sizeof magic) == 0;
    known = fay_read32(&r) == VERSION && known;
    fay_journal_header header = {.run = fay_read_text(&r, FAY_JOURNAL_RUN_MAX)};
    header.pipeline = fay_read_text(&r, FAY_JOURNAL_TEXT_MAX);
    header.source = fay_read_text(&r, FAY_JOURNAL_TEXT_MAX);
    if (fay_reader_done(&r) != 0 || !known) {
        header_deinit(&header);
        return FAY_E_PEER;
    }
    *ret = header;
    return 0;
}

static bool ranges_rise(const fay_journal_commit *commit)
{
    for (size_t i = 0; i < commit->ranges_count; i++) {
        const fay_journal_range *range = &commit->ranges[i];
        if (range->from >= range->to || (i > 0 && range[-1].to >= range->from))
            return false;
    }
    return true;
}

static int read_commit(const uint8_t *body, size_t size, fay_journal_commit *ret)
{
    fay_reader r = fay_reader_of(body + 1, size - 1);
    fay_journal_commit commit = {.sink_offset = fay_read64(&r)};
    commit.dead_offset = fay_read64(&r);
    commit.out = fay_read64(&r);
    commit.dead = fay_read64(&r);
    commit.position = fay_read64(&r);
    commit.sink_device = fay_read64(&r);
    commit.sink_inode = fay_read64(&r);
    commit.extra = fay_read_text(&r, FAY_JOURNAL_RECORD_MAX);
    uint64_t count = fay_read64(&r);
    if (count > (uint64_t)(r.end - r.at) / 16)
        r.bad = true;
    if (!r.bad && count > 0) {
        commit.ranges_count = (size_t)count;
        commit.ranges = fay_alloc(commit.ranges_count * sizeof *commit.ranges);
    }
    for (size_t i = 0; i < commit.ranges_count; i++) {
        commit.ranges[i].from = fay_read64(&r);
        commit.ranges[i].to = fay_read64(&r);
    }
    if (fay_reader_done(&r) != 0 || !ranges_rise(&commit)) {
        commit_deinit(&commit);
        return FAY_E_PEER;
    }
    *ret = commit;
    return 0;
}

/* A commit says all there is to say, so a damaged one is passed over when a whole one follows. As
 * the damage may be in a size, every byte behind it may be where that one starts. */
static void read_commits(const uint8_t *bytes, size_t size, fay_journal *journal)
{
    size_t at = journal->good;
    while (at < size) {
        size_t length;
        const uint8_t *body = body_at(bytes, size, at, &length);
        fay_journal_commit commit;
        if (body == NULL || read_commit(body, length, &commit) != 0) {
            at++;
            continue;
        }
        commit_deinit(&journal->commit);
        journal->commit = commit;
        at += HEAD_SIZE + length;
        journal->good = at;
    }
}

int fay_journal_read(const uint8_t *bytes, size_t size, fay_journal *ret, fay_error *err)
{
    if (size == 0)
        return fay_fail_with(err, FAY_E_NOTFOUND, "the journal is empty");

    fay_journal journal = {0};
    size_t length;
    const uint8_t *body = body_at(bytes, size, 0, &length);
    if (body == NULL || read_header(body, length, &journal.header) != 0) {
        int r =
            fay_fail_with(err, FAY_E_PEER, "the journal's header is damaged or of another version");
        fay_hint(err, "what the run has done is lost; remove the state to start over");
        return r;
    }
    journal.good = HEAD_SIZE + length;
    read_commits(bytes, size, &journal);
    *ret = journal;
    return 0;
}
