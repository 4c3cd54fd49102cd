/* SPDX-License-Identifier: MIT */
/* Owner records and accusations: as they lie on the wire, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "grid_make.h"

static fay_grid_bytes text(const char *of)
{
    return (fay_grid_bytes){(const uint8_t *)of, strlen(of)};
}

static fay_grid_record some_record(void)
{
    return (fay_grid_record){.id = id_of(7),
                             .boot = 1700000000,
                             .inc = 3,
                             .seq = 9,
                             .tls_key = {1},
                             .certification = {2},
                             .name = text("a"),
                             .address = text("a.example:4000"),
                             .meta = text("cores=8"),
                             .signature = {3}};
}

static int reparse(const fay_grid_record *record, fay_grid_record *ret)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    fay_record_write(record, &bytes);
    return fay_record_parse(fay_buffer_data(&bytes), fay_buffer_size(&bytes), ret);
}

static void a_record_comes_back(void **state)
{
    (void)state;
    fay_grid_record record = some_record(), read;
    fay_buffer bytes = {0};
    fay_record_write(&record, &bytes);
    size_t size = fay_buffer_size(&bytes);
    assert_int_equal(fay_record_parse(fay_buffer_data(&bytes), size, &read), 0);
    fay_grid_record *copy = fay_record_copy(&read);
    assert_memory_equal(copy->statement.bytes, fay_buffer_data(&bytes), size);
    memset(bytes.bytes, 0, size); /* the copy has bytes of its own */
    assert_memory_equal(&copy->id, &record.id, sizeof record.id);
    assert_int_equal(copy->boot, 1700000000);
    assert_int_equal(copy->inc, 3);
    assert_int_equal(copy->seq, 9);
    assert_false(copy->bye);
    assert_memory_equal(copy->name.bytes, "a", copy->name.size);
    assert_memory_equal(copy->address.bytes, "a.example:4000", copy->address.size);
    assert_memory_equal(copy->meta.bytes, "cores=8", copy->meta.size);
    assert_memory_equal(copy->tls_key, record.tls_key, sizeof record.tls_key);
    assert_memory_equal(copy->certification, record.certification, sizeof record.certification);
    assert_memory_equal(copy->signature, record.signature, sizeof record.signature);
    free(copy);
    fay_buffer_deinit(&bytes);
}

static void an_accusation_comes_back(void **state)
{
    (void)state;
    fay_grid_accusation accusation = accusation_of(1, 5, 6, 2, 7), read;
    fay_buffer bytes = {0};
    fay_accusation_write(&accusation, &bytes);
    assert_int_equal(fay_buffer_size(&bytes), FAY_ACCUSATION_SIZE);
    assert_int_equal(fay_accusation_parse(fay_buffer_data(&bytes), FAY_ACCUSATION_SIZE, &read), 0);
    assert_memory_equal(&read.target, &accusation.target, sizeof read.target);
    assert_memory_equal(&read.observer, &accusation.observer, sizeof read.observer);
    assert_int_equal(read.boot, 5);
    assert_int_equal(read.inc, 6);
    assert_int_equal(read.observer_boot, 1);
    assert_int_equal(read.n, 7);
    assert_int_equal(read.evidence, FAY_EVIDENCE_SILENT);
    assert_int_equal(fay_accusation_compare(&read, &accusation), 0);
    fay_buffer_deinit(&bytes);
}

static void what_is_cut_or_too_long_is_refused(void **state)
{
    (void)state;
    fay_grid_record record = some_record(), read;
    fay_grid_accusation accusation = accusation_of(1, 5, 6, 2, 7), read_too;
    fay_buffer bytes = {0};
    fay_record_write(&record, &bytes);
    size_t size = fay_buffer_size(&bytes);
    fay_accusation_write(&accusation, &bytes);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(fay_record_parse(fay_buffer_data(&bytes), cut, &read), FAY_E_PEER);
    }
    assert_int_equal(fay_record_parse(fay_buffer_data(&bytes), size + 1, &read), FAY_E_PEER);
    const uint8_t *second = fay_buffer_data(&bytes) + size;
    for (size_t cut = 0; cut < FAY_ACCUSATION_SIZE; cut++) {
        assert_int_equal(fay_accusation_parse(second, cut, &read_too), FAY_E_PEER);
    }
    assert_int_equal(fay_record_parse(second, FAY_ACCUSATION_SIZE, &read), FAY_E_PEER);
    assert_int_equal(fay_accusation_parse(fay_buffer_data(&bytes), size, &read_too), FAY_E_PEER);
    fay_buffer_deinit(&bytes);
}

/* The greatest record there may be is small enough to be flooded. */
static void limits_hold_to_the_byte(void **state)
{
    (void)state;
    char name[FAY_GRID_NAME_MAX + 2], address[FAY_GRID_ADDRESS_MAX + 2],
        meta[FAY_GRID_META_MAX + 2];
    fay_grid_record record = some_record(), read;
    memset(name, 'n', sizeof name);
    memset(address, 'a', sizeof address);
    memset(meta, 0, sizeof meta);
    record.name = (fay_grid_bytes){(uint8_t *)name, FAY_GRID_NAME_MAX};
    record.address = (fay_grid_bytes){(uint8_t *)address, FAY_GRID_ADDRESS_MAX};
    record.meta = (fay_grid_bytes){(uint8_t *)meta, FAY_GRID_META_MAX};
    record.boot = FAY_GRID_BOOT_MAX;
    record.inc = FAY_GRID_INC_MAX;
    assert_int_equal(reparse(&record, &read), 0);
    const fay_grid_record good = record;
    record.name.size++;
    assert_int_equal(reparse(&record, &read), FAY_E_PEER);
    record = good;
    record.address.size++;
    assert_int_equal(reparse(&record, &read), FAY_E_PEER);
    record = good;
    record.meta.size++;
    assert_int_equal(reparse(&record, &read), FAY_E_PEER);
    record = good;
    record.boot++;
    assert_int_equal(reparse(&record, &read), FAY_E_PEER);
    record = good;
    record.inc++;
    assert_int_equal(reparse(&record, &read), FAY_E_PEER);
}

static void names_cannot_carry_control_bytes(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "a b", "a\n", "\x1b[2J", "\x7f", "\xc3\xa4"};
    fay_grid_record record = some_record(), read;
    for (size_t i = 0; i < FAY_COUNT(bad); i++) {
        record.name = text(bad[i]);
        assert_int_equal(reparse(&record, &read), FAY_E_PEER);
        record.name = text("a");
        record.address = text(bad[i]);
        assert_int_equal(reparse(&record, &read), FAY_E_PEER);
        record.address = text("a:1");
    }
}

static void accusations_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    fay_grid_accusation good = accusation_of(1, 5, 6, 2, 7);
    fay_grid_accusation bad[5] = {good, good, good, good, good};
    bad[0].target = good.observer; /* of oneself */
    bad[1].evidence = (fay_evidence)9;
    bad[2].role = (fay_observer_role)0;
    bad[3].boot = 0;
    bad[4].observer_boot = FAY_GRID_BOOT_MAX + 1;
    for (size_t i = 0; i < FAY_COUNT(bad); i++) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
        fay_accusation_write(&bad[i], &bytes);
        assert_int_equal(
            fay_accusation_parse(fay_buffer_data(&bytes), fay_buffer_size(&bytes), &good),
            FAY_E_PEER);
    }
}

/* A record cannot be taken for an accusation or for anything else that the key signs. */
static void what_is_signed_names_its_kind(void **state)
{
    (void)state;
    fay_grid_record record = some_record();
    fay_grid_accusation accusation = accusation_of(1, 5, 6, 2, 7);
    fay_buffer bytes = {0}, whole = {0};
    size_t prefix = strlen(FAY_SIGNED_PREFIX);
    fay_record_signed(&record, &bytes);
    fay_record_write(&record, &whole);
    assert_int_equal(fay_buffer_size(&bytes),
                     prefix + fay_buffer_size(&whole) - FAY_SIGNATURE_SIZE);
    assert_memory_equal(fay_buffer_data(&bytes), FAY_SIGNED_PREFIX, prefix);
    assert_memory_equal(fay_buffer_data(&bytes) + prefix, fay_buffer_data(&whole),
                        fay_buffer_size(&bytes) - prefix);
    assert_int_equal(fay_buffer_data(&bytes)[prefix], FAY_STATEMENT_RECORD);
    fay_buffer_clear(&bytes);
    fay_accusation_signed(&accusation, &bytes);
    assert_int_equal(fay_buffer_data(&bytes)[prefix], FAY_STATEMENT_ACCUSATION);
    assert_int_equal(fay_buffer_size(&bytes), prefix + FAY_ACCUSATION_SIZE - FAY_SIGNATURE_SIZE);
    fay_buffer_deinit(&bytes);
    fay_buffer_deinit(&whole);
}

static void later_is_by_boot_inc_bye_and_seq(void **state)
{
    (void)state;
    fay_grid_record *rising[] = {new_record(1, 1, 0, 5, false), new_record(1, 1, 0, 6, false),
                                 new_record(1, 1, 0, 0, true),  new_record(1, 1, 1, 0, false),
                                 new_record(1, 2, 0, 0, false), new_record(1, 2, 0, 0, true)};
    for (size_t i = 0; i < FAY_COUNT(rising); i++) {
        for (size_t j = 0; j < FAY_COUNT(rising); j++) {
            int order = fay_record_compare(rising[i], rising[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
    for (size_t i = 0; i < FAY_COUNT(rising); i++) {
        free(rising[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back),
        cmocka_unit_test(an_accusation_comes_back),
        cmocka_unit_test(what_is_cut_or_too_long_is_refused),
        cmocka_unit_test(limits_hold_to_the_byte),
        cmocka_unit_test(names_cannot_carry_control_bytes),
        cmocka_unit_test(accusations_that_make_no_sense_are_refused),
        cmocka_unit_test(what_is_signed_names_its_kind),
        cmocka_unit_test(later_is_by_boot_inc_bye_and_seq),
    };
    return cmocka_run_group_tests_name("grid_record", tests, NULL, NULL);
}
