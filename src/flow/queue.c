/* SPDX-License-Identifier: MIT */
#include "flow/queue.h"

#include <assert.h>
#include <stdlib.h>

void fay_queue_init(fay_queue *queue)
{
    *queue = (fay_queue){0};
    TAILQ_INIT(&queue->segments);
}

void fay_queue_deinit(fay_queue *queue)
{
    fay_segment *segment;
    while ((segment = TAILQ_FIRST(&queue->segments)) != NULL) {
        fay_queue_remove(queue, segment);
    }
}

static fay_segment *segment_new(fay_queue *queue, fay_ns now, fay_batch *batch, size_t at,
                                size_t count)
{
    fay_segment *segment = fay_alloc(sizeof *segment);
    segment->batch = batch != NULL ? fay_batch_ref(batch) : NULL;
    segment->at = at;
    segment->count = count;
    segment->since = now;
    queue->items += count;
    queue->bytes += batch != NULL ? fay_batch_weight(batch, at, count) : 0;
    queue->pushes++;
    return segment;
}

void fay_queue_push(fay_queue *queue, fay_ns now, fay_batch *batch, size_t at, size_t count)
{
    assert(count > 0);
    fay_segment *last = TAILQ_LAST(&queue->segments, fay_segments);
    if (last != NULL && last->batch == batch && !last->suspect && last->at + last->count == at) {
        last->count += count;
        queue->items += count;
        queue->bytes += fay_batch_weight(batch, at, count);
        queue->pushes++;
        return;
    }
    fay_segment *segment = segment_new(queue, now, batch, at, count);
    TAILQ_INSERT_TAIL(&queue->segments, segment, link);
}

void fay_queue_push_head(fay_queue *queue, fay_ns now, fay_batch *batch, size_t at, size_t count,
                         bool suspect)
{
    assert(count > 0);
    fay_segment *segment = segment_new(queue, now, batch, at, count);
    segment->suspect = suspect;
    TAILQ_INSERT_HEAD(&queue->segments, segment, link);
}

fay_segment *fay_queue_push_spool(fay_queue *queue, fay_ns now, fay_spool *spool, size_t count)
{
    fay_segment *segment = segment_new(queue, now, NULL, 0, count);
    segment->spool = spool;
    TAILQ_INSERT_TAIL(&queue->segments, segment, link);
    return segment;
}

void fay_queue_load(fay_queue *queue, fay_ns now, fay_segment *spool, fay_batch *batch)
{
    assert(spool->spool != NULL && spool->count >= batch->count);
    spool->count -= batch->count;
    queue->items -= batch->count;
    if (batch->count > 0) {
        fay_segment *segment = segment_new(queue, now, batch, 0, batch->count);
        TAILQ_INSERT_BEFORE(spool, segment, link);
    }
}

void fay_queue_remove(fay_queue *queue, fay_segment *segment)
{
    queue->items -= segment->count;
    if (segment->batch != NULL)
        queue->bytes -= fay_batch_weight(segment->batch, segment->at, segment->count);
    TAILQ_REMOVE(&queue->segments, segment, link);
    assert(TAILQ_FIRST(&queue->segments) != segment);
    fay_batch_unref(segment->batch);
    free(segment);
}

size_t fay_queue_take(fay_queue *queue, fay_segment *segment, size_t items, size_t bytes,
                      fay_batch **ret_batch, size_t *ret_at)
{
    assert(segment->batch != NULL && segment->count > 0 && items > 0);
    const fay_entry *entry = &segment->batch->entries[segment->at];
    size_t most = FAY_MIN(items, segment->count);
    size_t weight = (size_t)entry[0].size + entry[0].attrs_size;
    size_t count = 1;
    while (count < most) {
        size_t more = (size_t)entry[count].size + entry[count].attrs_size;
        if (weight + more > bytes)
            break;
        weight += more;
        count++;
    }
    *ret_batch = fay_batch_ref(segment->batch);
    *ret_at = segment->at;
    segment->at += count;
    segment->count -= count;
    queue->items -= count;
    queue->bytes -= weight;
    if (segment->count == 0)
        fay_queue_remove(queue, segment);
    return count;
}

void fay_queue_take_one(fay_queue *queue, fay_segment *segment, size_t index, fay_batch **ret_batch)
{
    assert(index >= segment->at && index < segment->at + segment->count);
    *ret_batch = fay_batch_ref(segment->batch);
    size_t behind = segment->at + segment->count - index - 1;
    if (behind > 0) {
        fay_segment *tail = segment_new(queue, segment->since, segment->batch, index + 1, behind);
        tail->suspect = segment->suspect;
        TAILQ_INSERT_AFTER(&queue->segments, segment, tail, link);
    }
    size_t cut = behind + 1;
    queue->items -= cut;
    queue->bytes -= fay_batch_weight(segment->batch, index, cut);
    segment->count -= cut;
    if (segment->count == 0)
        fay_queue_remove(queue, segment);
}
