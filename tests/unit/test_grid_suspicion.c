/* SPDX-License-Identifier: MIT */
/* How long a suspect has to answer, and how many must agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grid/suspicion.h"
#include "grid_make.h"

static const fay_ns now = 10 * FAY_SECOND;
static fay_grid_params params;

/* Ten members alive, of which 1 is to be accused. */
static int set_up(void **state)
{
    static fay_members members;
    fay_grid_params_lan(&params);
    fay_members_init(&members, &params);
    for (unsigned n = 1; n <= 10; n++) {
        (void)merge(&members, now, n, 1, 0, 0);
    }
    *state = &members;
    return 0;
}

static int tear_down(void **state)
{
    fay_members_deinit(*state);
    return 0;
}

static void accuse_for(fay_members *m, fay_ns at, unsigned observer, fay_evidence evidence)
{
    fay_grid_accusation said = accusation_of(1, 1, 0, observer, 1);
    said.evidence = evidence;
    (void)fay_members_merge_accusation(m, at, &said, true);
}

static fay_suspicion suspicion(const fay_members *m, size_t observers)
{
    return fay_suspicion_of(m, member_of(m, 1), observers, 1);
}

static void nobody_accuses(void **state)
{
    fay_suspicion s = suspicion(*state, 6);
    assert_int_equal(s.accusers, 0);
    assert_true(s.due == FAY_NEVER);
    assert_false(s.enough);
}

static void the_wait_falls_as_more_agree(void **state)
{
    fay_members *m = *state;
    fay_ns last = FAY_NEVER;
    for (unsigned observer = 2; observer <= 5; observer++) {
        accuse_for(m, now + observer, observer, FAY_EVIDENCE_SILENT);
        fay_suspicion s = suspicion(m, 6);
        assert_int_equal(s.accusers, observer - 1);
        assert_true(s.since == now + 2);
        assert_true(s.due < last);
        assert_int_equal(s.enough, observer > 2);
        last = s.due;
    }
    assert_true(last == now + 2 + params.suspicion_min);
    accuse_for(m, now + 6, 6, FAY_EVIDENCE_SILENT); /* more than are asked for */
    assert_true(suspicion(m, 6).due == last);
}

static void with_one_accuser_it_is_long_unless_there_is_but_one_observer(void **state)
{
    fay_members *m = *state;
    accuse_for(m, now, 2, FAY_EVIDENCE_SILENT);
    assert_true(suspicion(m, 6).due == now + params.suspicion_max);
    assert_true(suspicion(m, 1).due == now + params.suspicion_min);
    assert_true(suspicion(m, 0).due == now + params.suspicion_min);
    assert_true(fay_suspicion_of(m, member_of(m, 1), 6, 3).due == now + 3 * params.suspicion_max);
}

static void a_closed_port_is_found_dead_soon(void **state)
{
    fay_members *m = *state;
    accuse_for(m, now, 2, FAY_EVIDENCE_REFUSED);
    accuse_for(m, now, 3, FAY_EVIDENCE_REFUSED);
    accuse_for(m, now, 4, FAY_EVIDENCE_SILENT);
    assert_false(suspicion(m, 6).refused);
    assert_true(suspicion(m, 2).refused); /* there are no more who could say it */
    accuse_for(m, now, 5, FAY_EVIDENCE_REFUSED);
    assert_true(suspicion(m, 6).refused);
    assert_true(suspicion(m, 6).due == now + params.suspicion_refused);
}

static void among_three_one_accuser_is_enough(void **state)
{
    fay_members *m = *state;
    accuse_for(m, now, 2, FAY_EVIDENCE_SILENT);
    for (unsigned n = 4; n <= 10; n++) {
        assert_false(suspicion(m, 6).enough);
        (void)merge_bye(m, now, n, 1, 0, 1);
    }
    assert_true(suspicion(m, 2).enough);
}

/* Node n with the TLS key of another one. */
static void rekey(fay_members *m, unsigned n, unsigned key)
{
    FAY_CLEANUP(fay_freep) fay_grid_record *record = new_record(n, 2, 0, 0, false);
    memset(record->tls_key, 0, sizeof record->tls_key);
    memcpy(record->tls_key, &key, sizeof key);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    fay_record_write(record, &bytes);
    fay_grid_record read;
    assert_int_equal(fay_record_parse(fay_buffer_data(&bytes), fay_buffer_size(&bytes), &read), 0);
    (void)fay_members_merge_record(m, now, &read, NULL);
}

static void accusers_with_one_key_are_one(void **state)
{
    fay_members *m = *state;
    rekey(m, 3, 2);
    accuse_for(m, now, 2, FAY_EVIDENCE_REFUSED);
    accuse_for(m, now, 3, FAY_EVIDENCE_REFUSED);
    assert_int_equal(suspicion(m, 6).accusers, 1);
    assert_false(suspicion(m, 6).enough);
    accuse_for(m, now, 4, FAY_EVIDENCE_REFUSED);
    assert_int_equal(suspicion(m, 6).accusers, 2);
    assert_false(suspicion(m, 6).refused);
}

static void unless_the_accused_has_it_too(void **state)
{
    fay_members *m = *state;
    rekey(m, 2, 1);
    rekey(m, 3, 1);
    accuse_for(m, now, 2, FAY_EVIDENCE_REFUSED);
    accuse_for(m, now, 3, FAY_EVIDENCE_REFUSED);
    assert_int_equal(suspicion(m, 6).accusers, 2);
}

static void who_does_not_count_is_not_counted(void **state)
{
    fay_members *m = *state;
    fay_grid_accusation said = accusation_of(1, 1, 0, 2, 1);
    (void)fay_members_merge_accusation(m, now, &said, false);
    assert_int_equal(suspicion(m, 6).accusers, 0);
    assert_true(suspicion(m, 6).due == FAY_NEVER);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nobody_accuses),
        TEST(the_wait_falls_as_more_agree),
        TEST(with_one_accuser_it_is_long_unless_there_is_but_one_observer),
        TEST(a_closed_port_is_found_dead_soon),
        TEST(among_three_one_accuser_is_enough),
        TEST(accusers_with_one_key_are_one),
        TEST(unless_the_accused_has_it_too),
        TEST(who_does_not_count_is_not_counted),
    };
    return cmocka_run_group_tests_name("grid_suspicion", tests, NULL, NULL);
}
