/* SPDX-License-Identifier: MIT */
/* A stage's READY Items: their order, what is taken at once, and that the counts stay true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "flow/queue.h"

/* Item i is of root `first` + i and has i % 7 bytes. */
static fay_batch *items(uint64_t first, size_t count)
{
    fay_batch *batch = fay_batch_new();
    for (size_t i = 0; i < count; i++) {
        fay_batch_append(batch, "xxxxxx", i % 7)->root = first + i;
    }
    return batch;
}

/* Roots as "0 1 2 | 7", a bar between segments, "!" before a suspect one, "S5" for a spool; asserts
 * that the counts of the queue are what lies in it. */
static const char *shown(const fay_queue *queue)
{
    static char text[4096];
    int used = 0;
    uint64_t count = 0, bytes = 0;
    text[0] = '\0';
    const fay_segment *segment = NULL;
    TAILQ_FOREACH (segment, &queue->segments, link) {
        const char *bar = used > 0 ? " | " : "";
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s", bar,
                         segment->suspect ? "!" : "");
        count += segment->count;
        if (segment->spool != NULL)
            used += snprintf(text + used, sizeof text - (size_t)used, "S%zu", segment->count);
        for (size_t i = 0; segment->batch != NULL && i < segment->count; i++) {
            used += snprintf(text + used, sizeof text - (size_t)used, "%s%llu", i > 0 ? " " : "",
                             (unsigned long long)segment->batch->entries[segment->at + i].root);
        }
        if (segment->batch != NULL)
            bytes += fay_batch_weight(segment->batch, segment->at, segment->count);
    }
    assert_int_equal(queue->items, count);
    assert_int_equal(queue->bytes, bytes);
    return text;
}

static void new_ones_join_at_the_tail_and_others_come_back_to_the_head(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *a = items(0, 10);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *b = items(20, 3);
    fay_queue queue;
    fay_queue_init(&queue);
    assert_string_equal(shown(&queue), "");
    fay_queue_push(&queue, 1, a, 0, 2);
    fay_queue_push(&queue, 2, a, 2, 2); /* goes on where the last one ends: one segment */
    assert_string_equal(shown(&queue), "0 1 2 3");
    assert_int_equal(TAILQ_FIRST(&queue.segments)->since, 1);
    fay_queue_push(&queue, 3, a, 6, 1);
    fay_queue_push(&queue, 4, b, 0, 3);
    fay_queue_push(&queue, 5, a, 7, 1);
    assert_string_equal(shown(&queue), "0 1 2 3 | 6 | 20 21 22 | 7");
    uint64_t pushes = queue.pushes;
    fay_queue_push_head(&queue, 6, a, 9, 1, true);
    fay_queue_push_head(&queue, 7, a, 8, 1, false);
    assert_string_equal(shown(&queue), "8 | !9 | 0 1 2 3 | 6 | 20 21 22 | 7");
    assert_int_equal(queue.pushes, pushes + 2);
    fay_queue_deinit(&queue);
    assert_int_equal(a->refs, 1);
    assert_int_equal(b->refs, 1);
}

/* Suspects are leased whole and alone: nothing may join them. */
static void nothing_joins_suspects(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *a = items(0, 4);
    fay_queue queue;
    fay_queue_init(&queue);
    fay_queue_push_head(&queue, 1, a, 0, 2, true);
    fay_queue_push(&queue, 1, a, 2, 2);
    assert_string_equal(shown(&queue), "!0 1 | 2 3");
    fay_queue_deinit(&queue);
    assert_int_equal(a->refs, 1);
}

static size_t take(fay_queue *queue, size_t count, size_t bytes, uint64_t *ret_first)
{
    fay_batch *batch = NULL;
    size_t at = 0;
    size_t got = fay_queue_take(queue, TAILQ_FIRST(&queue->segments), count, bytes, &batch, &at);
    *ret_first = batch->entries[at].root;
    fay_batch_unref(batch);
    return got;
}

static void one_takes_by_number_and_by_weight(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *a = items(0, 7); /* 0 to 6 bytes */
    fay_queue queue;
    fay_queue_init(&queue);
    fay_queue_push(&queue, 1, a, 0, 7);
    uint64_t first;
    assert_int_equal(take(&queue, 2, SIZE_MAX, &first), 2);
    assert_int_equal(first, 0);
    assert_int_equal(take(&queue, 100, 5, &first), 2); /* 2 + 3 bytes; 4 more are too many */
    assert_int_equal(first, 2);
    assert_string_equal(shown(&queue), "4 5 6");
    assert_int_equal(take(&queue, 100, 1, &first), 1); /* one in any case */
    assert_int_equal(first, 4);
    assert_int_equal(take(&queue, 100, 100, &first), 2);
    assert_true(TAILQ_EMPTY(&queue.segments));
    assert_string_equal(shown(&queue), "");
    assert_int_equal(a->refs, 1);
    fay_queue_deinit(&queue);
}

static void a_take_stays_within_its_segment(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *a = items(0, 4);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *b = items(10, 4);
    fay_queue queue;
    fay_queue_init(&queue);
    fay_queue_push(&queue, 1, a, 0, 4);
    fay_queue_push(&queue, 1, b, 0, 4);
    fay_batch *batch = NULL;
    size_t at = 9;
    size_t got = fay_queue_take(&queue, TAILQ_LAST(&queue.segments, fay_segments), 3, SIZE_MAX,
                                &batch, &at); /* not the first one: the least path */
    assert_int_equal(got, 3);
    assert_ptr_equal(batch, b);
    assert_int_equal(at, 0);
    fay_batch_unref(batch);
    assert_string_equal(shown(&queue), "0 1 2 3 | 13");
    uint64_t first;
    assert_int_equal(take(&queue, 100, SIZE_MAX, &first), 4);
    assert_string_equal(shown(&queue), "13");
    fay_queue_deinit(&queue);
}

static void one_is_taken_out_of_the_middle(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *a = items(0, 6);
    fay_queue queue;
    fay_queue_init(&queue);
    fay_queue_push_head(&queue, 8, a, 0, 6, true);
    static const struct {
        size_t index;
        const char *left;
    } steps[] = {
        {2, "!0 1 | !3 4 5"}, {0, "!1 | !3 4 5"}, {1, "!3 4 5"}, {5, "!3 4"}, {4, "!3"}, {3, ""},
    };
    for (size_t i = 0; i < FAY_COUNT(steps); i++) {
        fay_segment *segment = TAILQ_FIRST(&queue.segments);
        fay_batch *batch = NULL;
        fay_queue_take_one(&queue, segment, steps[i].index, &batch);
        assert_ptr_equal(batch, a);
        fay_batch_unref(batch);
        assert_string_equal(shown(&queue), steps[i].left);
        const fay_segment *last = TAILQ_LAST(&queue.segments, fay_segments);
        assert_true(last == NULL || last->since == 8); /* they wait as long as before */
    }
    assert_int_equal(a->refs, 1);
    fay_queue_deinit(&queue);
}

static void a_spool_is_loaded_in_front_of_itself(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *a = items(0, 2);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *loaded = items(10, 2);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *more = items(12, 3);
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *nothing = fay_batch_new();
    fay_spool name = {.id = 3, .refs = 1};
    fay_queue queue;
    fay_queue_init(&queue);
    fay_queue_push(&queue, 1, a, 0, 1);
    fay_segment *spool = fay_queue_push_spool(&queue, 2, &name, 5);
    fay_queue_push(&queue, 3, a, 1, 1); /* does not join across the spool */
    assert_string_equal(shown(&queue), "0 | S5 | 1");
    fay_queue_load(&queue, 4, spool, loaded);
    assert_string_equal(shown(&queue), "0 | 10 11 | S3 | 1");
    fay_queue_load(&queue, 5, spool, nothing);
    assert_string_equal(shown(&queue), "0 | 10 11 | S3 | 1");
    fay_queue_load(&queue, 6, spool, more);
    assert_string_equal(shown(&queue), "0 | 10 11 | 12 13 14 | S0 | 1");
    fay_queue_remove(&queue, spool);
    assert_string_equal(shown(&queue), "0 | 10 11 | 12 13 14 | 1");
    assert_int_equal(name.refs, 1); /* whoever releases it counts */
    fay_queue_deinit(&queue);
    assert_int_equal(loaded->refs, 1);
    assert_int_equal(more->refs, 1);
}

/* A plain list of roots beside the queue: after any pushes and takes they agree. */
typedef struct model {
    uint64_t roots[4096];
    size_t count;
} model;

static void model_insert(model *m, size_t at, uint64_t first, size_t count)
{
    memmove(&m->roots[at + count], &m->roots[at], (m->count - at) * sizeof *m->roots);
    for (size_t i = 0; i < count; i++) {
        m->roots[at + i] = first + i;
    }
    m->count += count;
}

static void model_remove(model *m, size_t at, size_t count)
{
    m->count -= count;
    memmove(&m->roots[at], &m->roots[at + count], (m->count - at) * sizeof *m->roots);
}

static void assert_agrees(const fay_queue *queue, const model *m)
{
    size_t seen = 0;
    const fay_segment *segment = NULL;
    TAILQ_FOREACH (segment, &queue->segments, link) {
        for (size_t i = 0; i < segment->count; i++, seen++) {
            assert_true(seen < m->count);
            assert_int_equal(segment->batch->entries[segment->at + i].root, m->roots[seen]);
        }
    }
    assert_int_equal(seen, m->count);
    assert_int_equal(queue->items, m->count);
}

static void random_take(fay_queue *queue, model *m, fay_prng *prng)
{
    fay_segment *segment = TAILQ_FIRST(&queue->segments);
    fay_batch *batch = NULL;
    if (fay_prng_below(prng, 2) == 0) {
        size_t at;
        size_t most = 1 + fay_prng_below(prng, 9);
        size_t got = fay_queue_take(queue, segment, most, fay_prng_below(prng, 20), &batch, &at);
        assert_true(got >= 1 && got <= most);
        for (size_t i = 0; i < got; i++) {
            assert_int_equal(batch->entries[at + i].root, m->roots[i]);
        }
        model_remove(m, 0, got);
    } else {
        size_t index = fay_prng_below(prng, segment->count);
        fay_queue_take_one(queue, segment, segment->at + index, &batch);
        model_remove(m, index, 1);
    }
    fay_batch_unref(batch);
}

static void it_is_a_list(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_freep) model *m = fay_alloc(sizeof *m);
    fay_queue queue;
    fay_queue_init(&queue);
    fay_prng prng;
    fay_prng_init(&prng, 11);
    uint64_t next = 0;
    for (int i = 0; i < 3000; i++) {
        if (m->count > 0 && (fay_prng_below(&prng, 3) > 0 || m->count > 3000)) {
            random_take(&queue, m, &prng);
        } else {
            size_t count = 1 + fay_prng_below(&prng, 12);
            FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = items(next, count);
            size_t half = 1 + fay_prng_below(&prng, count);
            fay_queue_push(&queue, 0, batch, 0, half);
            model_insert(m, m->count, next, half);
            if (half < count) {
                fay_queue_push_head(&queue, 0, batch, half, count - half, false);
                model_insert(m, 0, next + half, count - half);
            }
            next += count;
        }
        assert_agrees(&queue, m);
    }
    assert_true(next > 2000);
    fay_queue_deinit(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_ones_join_at_the_tail_and_others_come_back_to_the_head),
        cmocka_unit_test(nothing_joins_suspects),
        cmocka_unit_test(one_takes_by_number_and_by_weight),
        cmocka_unit_test(a_take_stays_within_its_segment),
        cmocka_unit_test(one_is_taken_out_of_the_middle),
        cmocka_unit_test(a_spool_is_loaded_in_front_of_itself),
        cmocka_unit_test(it_is_a_list),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
