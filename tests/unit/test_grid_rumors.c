/* SPDX-License-Identifier: MIT */
/* Rumors: known again, asked for, forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "grid/rumors.h"
#include "grid_make.h"

static const fay_ns now = 100 * FAY_SECOND;
static fay_grid_params params;

static int set_up(void **state)
{
    static fay_rumors rumors;
    fay_grid_params_lan(&params);
    fay_rumors_init(&rumors, &params);
    *state = &rumors;
    return 0;
}

static int tear_down(void **state)
{
    fay_rumors_deinit(*state);
    return 0;
}

static fay_rumor_id rumor_id(uint64_t n)
{
    return (fay_rumor_id){.origin = id_of(1), .boot = 7, .n = n};
}

static bool hear(fay_rumors *rumors, fay_ns at, uint64_t n, size_t size)
{
    FAY_CLEANUP(fay_freep) uint8_t *payload = fay_alloc(size);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    fay_rumor_said said = {.id = rumor_id(n), .payload = {payload, size}}, read;
    fay_rumor_write(&said, &bytes);
    assert_int_equal(fay_rumor_parse(fay_buffer_data(&bytes), fay_buffer_size(&bytes), &read), 0);
    assert_int_equal(read.payload.size, size);
    return fay_rumors_hear(rumors, at, &read);
}

static void a_rumor_is_heard_once(void **state)
{
    fay_rumors *r = *state;
    fay_rumor_id id = rumor_id(1);
    assert_false(fay_rumors_heard(r, &id));
    assert_true(hear(r, now, 1, 10));
    assert_false(hear(r, now, 1, 10));
    assert_true(fay_rumors_heard(r, &id));
    assert_true(hear(r, now, 2, 10));
    assert_non_null(fay_rumors_get(r, &id)->statement);
}

static void what_is_cut_is_refused(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    fay_rumor_said said = {.id = rumor_id(1), .payload = {(const uint8_t *)"hello", 5}};
    fay_rumor_write(&said, &bytes);
    size_t size = fay_buffer_size(&bytes);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(fay_rumor_parse(fay_buffer_data(&bytes), cut, &said), FAY_E_PEER);
    }
    fay_write8(&bytes, 0);
    assert_int_equal(fay_rumor_parse(fay_buffer_data(&bytes), size + 1, &said), FAY_E_PEER);
}

static void it_is_forgotten_by_age_and_by_number(void **state)
{
    fay_rumors *r = *state;
    params.seen_max = 100;
    for (uint64_t n = 1; n <= 150; n++) {
        (void)hear(r, now, n, 1);
    }
    fay_rumor_id first = rumor_id(1), kept = rumor_id(51);
    assert_false(fay_rumors_heard(r, &first));
    assert_true(fay_rumors_heard(r, &kept));
    assert_true(fay_rumors_due(r) == now + params.seen);
    fay_rumors_age(r, now + params.seen - 1);
    assert_true(fay_rumors_heard(r, &kept));
    fay_rumors_age(r, now + params.seen);
    assert_false(fay_rumors_heard(r, &kept));
    assert_true(fay_rumors_due(r) == FAY_NEVER);
    assert_int_equal(r->bytes, 0);
}

/* Too many bytes: what the oldest ones said is dropped; that they were heard is not. */
static void statements_are_bounded(void **state)
{
    fay_rumors *r = *state;
    uint64_t count = FAY_GRID_RUMORS_BYTES / FAY_GRID_RUMOR_MAX + 3;
    for (uint64_t n = 1; n <= count; n++) {
        (void)hear(r, now, n, FAY_GRID_RUMOR_MAX);
    }
    fay_rumor_id first = rumor_id(1), last = rumor_id(count);
    assert_true(r->bytes <= FAY_GRID_RUMORS_BYTES);
    assert_null(fay_rumors_get(r, &first));
    assert_true(fay_rumors_heard(r, &first));
    assert_non_null(fay_rumors_get(r, &last));
}

static void one_source_is_asked_then_the_next(void **state)
{
    fay_rumors *r = *state;
    fay_rumor_id id = rumor_id(1), asked;
    uint64_t link = 0;
    fay_rumors_offer(r, now, &id, 11);
    fay_rumors_offer(r, now, &id, 12);
    assert_true(fay_rumors_graft(r, now, &asked, &link));
    assert_int_equal(link, 11);
    assert_int_equal(asked.n, 1);
    assert_false(fay_rumors_graft(r, now, &asked, &link));
    assert_true(fay_rumors_due(r) == now + params.graft);
    assert_true(fay_rumors_graft(r, now + params.graft, &asked, &link));
    assert_int_equal(link, 12);
    fay_ns later = now + 2 * params.graft;
    assert_false(fay_rumors_graft(r, later, &asked, &link)); /* nobody is left */
    fay_rumors_offer(r, later, &id, 13);
    assert_true(fay_rumors_graft(r, later, &asked, &link));
    assert_int_equal(link, 13);
    assert_true(hear(r, later, 1, 10));
    fay_rumors_offer(r, later, &id, 14); /* heard: nobody needs to be asked */
    assert_false(fay_rumors_graft(r, later + params.graft, &asked, &link));
    assert_true(fay_rumors_due(r) == later + params.seen);
}

static void sources_are_bounded(void **state)
{
    fay_rumors *r = *state;
    fay_rumor_id id = rumor_id(1), asked;
    uint64_t link, count = 0;
    for (uint64_t offer = 1; offer <= 50; offer++) {
        fay_rumors_offer(r, now, &id, offer);
    }
    for (fay_ns at = now; fay_rumors_graft(r, at, &asked, &link); at += params.graft) {
        count++;
    }
    assert_int_equal(count, FAY_RUMOR_SOURCES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_rumor_is_heard_once),
        TEST(what_is_cut_is_refused),
        TEST(it_is_forgotten_by_age_and_by_number),
        TEST(statements_are_bounded),
        TEST(one_source_is_asked_then_the_next),
        TEST(sources_are_bounded),
    };
    return cmocka_run_group_tests_name("grid_rumors", tests, NULL, NULL);
}
