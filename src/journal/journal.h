/* SPDX-License-Identifier: MIT */
/*
 * The resume journal: what a run has done, as records that are only ever appended. Sans-IO: bytes
 * in and out; the owner writes and syncs them.
 *
 *     file    = header record*
 *     record  = u32 size | u32 checksum | u8 kind | payload          little endian
 *     checksum: the low half of XXH64 over kind and payload, seeded with the record's offset, so
 *     that a record that was moved or repeated is as wrong as one with a flipped bit
 *
 *     HEADER  magic "FAYJ", version, run id, pipeline fingerprint text, source fingerprint
 *     COMMIT  acked ranges, sink offset, dead-letter offset, source position of the acked prefix,
 *             Items in the sink and dead letters since the run began
 *
 * Reading takes the last whole COMMIT and says how many bytes were good: the rest is cut off before
 * anything is appended. A file whose header is not whole and right is refused, never guessed at.
 */
#ifndef FAY_JOURNAL_H
#define FAY_JOURNAL_H

#include "base/base.h"
#include "base/buffer.h"

typedef struct fay_journal_range {
    uint64_t from, to;
} fay_journal_range;

typedef struct fay_journal_header {
    char *run;      /* id of the run, kept over resumes */
    char *pipeline; /* fay_pipeline_fingerprint() */
    char *source;   /* what tells whether a source is the same: for files device, inode, .. */
} fay_journal_header;

typedef struct fay_journal_commit {
    fay_journal_range *ranges; /* rising, apart */
    size_t ranges_count;
    uint64_t sink_offset, dead_offset;
    uint64_t out, dead; /* Items in the sink and dead ones, of all lives of the run */
    uint64_t position;  /* of the source, behind the roots [0, ranges[0].to) if that begins at 0 */
    uint64_t sink_device, sink_inode; /* which file the offset is of; 0 = not a file */
    char *extra; /* source's own notes, such as the files a directory has given; "" */
} fay_journal_commit;

typedef struct fay_journal {
    fay_journal_header header;
    fay_journal_commit commit; /* the last whole one; all zero if there is none */
    size_t good;               /* bytes of the file that are whole records */
} fay_journal;

void fay_journal_write_header(const fay_journal_header *header, fay_buffer *out);
/* `offset`: where in the file the record will stand. */
void fay_journal_write_commit(const fay_journal_commit *commit, uint64_t offset, fay_buffer *out);

/* 0, FAY_E_PEER (err says at which byte and what to do) or FAY_E_NOTFOUND (empty: no state yet). */
int fay_journal_read(const uint8_t *bytes, size_t size, fay_journal *ret, fay_error *err);
void fay_journal_deinit(fay_journal *journal);

#endif /* FAY_JOURNAL_H */
