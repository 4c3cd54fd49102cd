/* SPDX-License-Identifier: MIT */
/* Streams of bytes cut into batches, however they arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ends/intake.h"
#include "item/attrs.h"

static void put(fay_intake *intake, const char *bytes, size_t size)
{
    size_t room;
    uint8_t *to = fay_intake_room(intake, &room);
    assert_true(room >= size);
    memcpy(to, bytes, size);
    fay_buffer_commit(&intake->buffer, size);
}

/* Appends each Item of what can be cut, in brackets. */
static int cut_all(fay_intake *intake, bool final, uint64_t items, fay_buffer *out)
{
    fay_chunk chunk;
    fay_error err;
    int r;
    while ((r = fay_intake_cut(intake, final, items, FAY_MIB, &chunk, &err)) == 0) {
        assert_true(chunk.batch->count <= items);
        for (size_t i = 0; i < chunk.batch->count; i++) {
            const fay_entry *entry = &chunk.batch->entries[i];
            fay_buffer_printf(out, "[%.*s@%llu]", (int)entry->size,
                              (const char *)chunk.batch->bytes + entry->at,
                              (unsigned long long)chunk.ends[i]);
        }
        fay_batch_unref(chunk.batch);
    }
    return r;
}

/* The same text in pieces of every size gives the same Items. */
static void check_split(fay_format format, bool strip, const char *text, size_t size,
                        const char *expected)
{
    for (size_t piece = 1; piece <= size; piece++) {
        for (uint64_t items = 1; items < 4; items++) {
            fay_intake intake;
            FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
            fay_intake_init(&intake, format, strip, 100);
            for (size_t at = 0; at < size; at += piece) {
                put(&intake, text + at, FAY_MIN(piece, size - at));
                assert_int_equal(cut_all(&intake, false, items, &out), FAY_INTAKE_EMPTY);
            }
            assert_int_equal(cut_all(&intake, true, items, &out), FAY_INTAKE_EMPTY);
            assert_string_equal(fay_buffer_text(&out), expected);
            fay_intake_deinit(&intake);
        }
    }
}

static void lines_in_any_pieces(void **state)
{
    (void)state;
    static const char text[] = "one\n\ntwo\r\nlast";
    check_split(FAY_FORMAT_LINES, false, text, sizeof text - 1, "[one@4][@5][two\r@10][last@14]");
    check_split(FAY_FORMAT_LINES, true, text, sizeof text - 1, "[one@4][@5][two@10][last@14]");
}

static void other_formats_in_any_pieces(void **state)
{
    (void)state;
    check_split(FAY_FORMAT_NUL, false, "a\0bc\0d", 6, "[a@2][bc@5][d@6]");
    check_split(FAY_FORMAT_NETSTRING, false, "1:a,2:b\n,", 9, "[a@4][b\n@9]");
    check_split(FAY_FORMAT_U32BE, false, "\0\0\0\1a\0\0\0\2bc", 11, "[a@5][bc@11]");
    check_split(FAY_FORMAT_JSONL, false, "{\"a\":1}\n7\n", 10, "[{\"a\":1}@8][7@10]");
}

static void lines_stay_one_piece_of_text(void **state)
{
    (void)state;
    fay_intake intake;
    fay_chunk chunk;
    fay_error err;
    size_t size;
    fay_intake_init(&intake, FAY_FORMAT_LINES, false, 100);
    put(&intake, "a\nbb\nccc", 8);
    assert_int_equal(fay_intake_cut(&intake, false, 9, 100, &chunk, &err), 0);
    assert_int_equal(chunk.batch->count, 2);
    assert_int_equal(chunk.batch->gap, 1);
    assert_true(fay_batch_contiguous(chunk.batch, 0, 2, &size));
    assert_int_equal(size, 5);
    fay_batch_unref(chunk.batch);
    /* A last line without a newline gets one. */
    assert_int_equal(fay_intake_cut(&intake, true, 9, 100, &chunk, &err), 0);
    assert_true(fay_batch_contiguous(chunk.batch, 0, 1, &size));
    assert_memory_equal(chunk.batch->bytes, "ccc\n", 4);
    fay_batch_unref(chunk.batch);
    fay_intake_deinit(&intake);
}

static void too_large_is_told_after_what_is_not(void **state)
{
    (void)state;
    fay_intake intake;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_intake_init(&intake, FAY_FORMAT_LINES, false, 4);
    put(&intake, "1234\n12345\nx\n", 13);
    assert_int_equal(cut_all(&intake, false, 100, &out), FAY_E_INVAL);
    assert_string_equal(fay_buffer_text(&out), "[1234@5]");
    fay_intake_deinit(&intake);
}

static void what_is_not_of_the_format_is_told(void **state)
{
    (void)state;
    fay_intake intake;
    fay_chunk chunk;
    fay_error err;
    fay_intake_init(&intake, FAY_FORMAT_NETSTRING, false, 100);
    put(&intake, "x", 1);
    assert_int_equal(fay_intake_cut(&intake, false, 1, 1, &chunk, &err), FAY_E_INVAL);
    assert_non_null(strstr(err.message, "byte 0"));
    assert_non_null(strstr(err.message, "netstring"));
    fay_intake_deinit(&intake);
}

static void members_of_an_object_are_attributes(void **state)
{
    (void)state;
    fay_intake intake;
    fay_chunk chunk;
    fay_error err;
    fay_intake_init(&intake, FAY_FORMAT_JSONL, false, 100);
    put(&intake, "{\"kind\":\"jpg\"}\nno json\n", 23);
    assert_int_equal(fay_intake_cut(&intake, false, 9, 100, &chunk, &err), 0);
    assert_int_equal(chunk.batch->count, 2);
    assert_true(chunk.batch->entries[0].attrs_size > 0);
    assert_int_equal(chunk.batch->entries[1].attrs_size, 0);
    fay_batch_unref(chunk.batch);
    fay_intake_deinit(&intake);
}

/* What cannot be an attribute is left out; the others are there. */
static void members_of_a_msgpack_map_are_attributes(void **state)
{
    (void)state;
    static const char item[] = "\x83\x02\x03\xa5"
                               "fay.x\x01\xa4"
                               "kind\xa3"
                               "jpg"; /* {2: 3, "fay.x": 1, "kind": "jpg"} */
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer json = {0};
    fay_intake intake;
    fay_chunk chunk;
    fay_error err;
    fay_intake_init(&intake, FAY_FORMAT_MSGPACK, false, 100);
    put(&intake, item, sizeof item - 1);
    assert_int_equal(fay_intake_cut(&intake, true, 9, 100, &chunk, &err), 0);
    assert_int_equal(chunk.batch->count, 1);
    const fay_entry *entry = &chunk.batch->entries[0];
    fay_attrs_to_json(chunk.batch->bytes + entry->attrs_at, entry->attrs_size, &json);
    assert_string_equal(fay_buffer_text(&json), "{\"kind\":\"jpg\"}");
    fay_batch_unref(chunk.batch);
    fay_intake_deinit(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_in_any_pieces),
        cmocka_unit_test(other_formats_in_any_pieces),
        cmocka_unit_test(lines_stay_one_piece_of_text),
        cmocka_unit_test(too_large_is_told_after_what_is_not),
        cmocka_unit_test(what_is_not_of_the_format_is_told),
        cmocka_unit_test(members_of_an_object_are_attributes),
        cmocka_unit_test(members_of_a_msgpack_map_are_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
