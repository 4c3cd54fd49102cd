/* SPDX-License-Identifier: MIT */
/*
 * The READY Items of one stage, as segments: runs of consecutive entries of a batch. New ones join
 * at the tail; those that come back (rule: at the head, uncounted) at the head.
 *
 *     head                                                     tail
 *     [ batch a: 17..31 ] [ suspects 4..7 ] [ spool 3: 9,120 left ] [ batch b: 0..255 ]
 *
 * A suspect segment was in the hands of a worker that died: it is leased whole, to a worker that
 * holds nothing else, so that halving it leads to the culprit. A spool segment is a result set too
 * large for memory; its Items are loaded when it comes to the head.
 *
 * `reserved` are places promised to the children of Items that are leased upstream (rule 4).
 */
#ifndef FAY_QUEUE_H
#define FAY_QUEUE_H

#include <bsd/sys/queue.h>

#include "base/base.h"
#include "flow/spool.h"
#include "wire/batch.h"

typedef struct fay_segment {
    TAILQ_ENTRY(fay_segment) link;
    fay_batch *batch; /* NULL for a spool */
    size_t at, count; /* spool: Items left in it for this stage */
    bool suspect;
    fay_ns since;
    /* spool only */
    fay_spool *spool;
    uint64_t cursor, index; /* where to load next; number of that child within its parent */
    bool loading;
    uint64_t root;
    fay_path parent;
} fay_segment;

typedef struct fay_queue {
    TAILQ_HEAD(fay_segments, fay_segment) segments;
    uint64_t items, bytes, reserved;
    uint64_t pushes; /* ever: tells whether something came since */
} fay_queue;

void fay_queue_init(fay_queue *queue);
/* Drops all segments. Spools are not released: whoever counts their users does. */
void fay_queue_deinit(fay_queue *queue);

/* Items [at, at + count) of a batch, at least one; a reference is taken. Joins the last segment
 * where it goes on, which keeps its `since`. */
void fay_queue_push(fay_queue *queue, fay_ns now, fay_batch *batch, size_t at, size_t count);
/* Before all others, as a segment of its own. Who brings several back begins with the last. */
void fay_queue_push_head(fay_queue *queue, fay_ns now, fay_batch *batch, size_t at, size_t count,
                         bool suspect);
/* A spool of `count` Items for this stage. The caller sets whose children they are (root, parent,
 * index) and has counted the queue as one of the spool's users. */
fay_segment *fay_queue_push_spool(fay_queue *queue, fay_ns now, fay_spool *spool, size_t count);
/* Items that were loaded, not more than the spool has left, go before it; it has so many fewer. A
 * reference is taken. A spool with none left stays until it is removed. */
void fay_queue_load(fay_queue *queue, fay_ns now, fay_segment *spool, fay_batch *batch);

/*
 * Takes up to `items` Items of up to `bytes` bytes (at least one Item) from the given segment (the
 * first one, but for the least path). How many, as [*ret_at, ..) of *ret_batch; the reference moves
 * to the caller. `segment` is void if nothing is left in it. Not for spools.
 */
size_t fay_queue_take(fay_queue *queue, fay_segment *segment, size_t items, size_t bytes,
                      fay_batch **ret_batch, size_t *ret_at);
/* Takes the one Item at `index` (in its batch) out of a segment, which stays as two around it. The
 * reference moves to the caller; `segment` is void if it was the last Item of it. */
void fay_queue_take_one(fay_queue *queue, fay_segment *segment, size_t index,
                        fay_batch **ret_batch);
/* Drops a segment with its Items; a spool must have been released. */
void fay_queue_remove(fay_queue *queue, fay_segment *segment);

#endif /* FAY_QUEUE_H */
