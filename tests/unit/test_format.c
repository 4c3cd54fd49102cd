/* SPDX-License-Identifier: MIT */
/* Item formats: every split of the bytes into reads gives the same Items. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "item/format.h"

/* Splits `bytes`, given in reads of `step`, and writes "item|item|" and how it ended. */
static const char *split(fay_format format, const char *bytes, size_t size, size_t step,
                         uint64_t item_max)
{
    static char trace[512];
    size_t used = 0, at = 0, seen = 0, scanned = 0;
    trace[0] = '\0';
    for (;;) {
        fay_slice slice;
        bool final = seen == size;
        /* A copy of the very size: what is read behind it is an error that ASan sees. */
        uint8_t *part = malloc(seen - at + 1);
        assert_non_null(part);
        memcpy(part, bytes + at, seen - at);
        int rc = fay_split(format, part, seen - at, final, true, item_max, &scanned, &slice);
        if (rc == FAY_SPLIT_ITEM) {
            assert_true(slice.at + slice.length <= slice.next && slice.next <= seen - at);
            memcpy(trace + used, part + slice.at, slice.length);
            used += slice.length;
            trace[used++] = '|';
            trace[used] = '\0';
            at += slice.next;
        }
        free(part);
        if (rc < 0)
            return strcat(trace, rc == FAY_E_NORES ? "large" : "bad");
        if (rc == FAY_SPLIT_MORE && final)
            return trace;
        if (rc == FAY_SPLIT_MORE)
            seen = seen + step < size ? seen + step : size;
    }
}

static void every_read_size_gives_the_same(void **state)
{
    (void)state;
    static const struct {
        fay_format format;
        const char *bytes;
        size_t size;
        uint64_t max;
        const char *wanted;
    } cases[] = {
        {FAY_FORMAT_LINES, "ab\n\nc\r\nd", 8, 5, "ab||c|d|"},
        {FAY_FORMAT_LINES, "ab\nabcdef\n", 10, 5, "ab|large"},
        {FAY_FORMAT_LINES, "abcde\r\nx", 8, 5, "abcde|x|"},
        {FAY_FORMAT_JSONL, "{}\n1", 4, 5, "{}|1|"},
        {FAY_FORMAT_NUL, "a\nb\0c", 5, 5, "a\nb|c|"},
        {FAY_FORMAT_NETSTRING, "3:abc,0:,2:d,,", 14, 5, "abc||d,|"},
        {FAY_FORMAT_NETSTRING, "3:abc,3:ab", 10, 5, "abc|bad"},
        {FAY_FORMAT_NETSTRING, "3:abcd", 6, 5, "bad"},
        {FAY_FORMAT_NETSTRING, "03:abc,", 7, 5, "bad"},
        {FAY_FORMAT_NETSTRING, "x", 1, 5, "bad"},
        {FAY_FORMAT_NETSTRING, "99999999999:", 12, 5, "large"},
        {FAY_FORMAT_U32BE, "\0\0\0\3abc\0\0\0\0", 11, 5, "abc||"},
        {FAY_FORMAT_U32BE, "\0\0\0\3ab", 6, 5, "bad"},
        {FAY_FORMAT_U32BE, "\xff\0\0\3ab", 6, 5, "large"},
        {FAY_FORMAT_MSGPACK, "\x93\x01\x91\x02\xa1x\xa2yz", 9, 9, "\x93\x01\x91\x02\xa1x|\xa2yz|"},
        {FAY_FORMAT_MSGPACK, "\xdd\xff\xff\xff\xff\x01", 6, 9, "large"},
        {FAY_FORMAT_MSGPACK, "\x93\x01", 2, 9, "bad"},
        {FAY_FORMAT_MSGPACK, "\xc1", 1, 9, "bad"},
    };
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        for (size_t step = 1; step <= cases[i].size; step++)
            assert_string_equal(
                split(cases[i].format, cases[i].bytes, cases[i].size, step, cases[i].max),
                cases[i].wanted);
    }
}

static void joined_is_split_again(void **state)
{
    (void)state;
    for (int format = FAY_FORMAT_LINES; format <= FAY_FORMAT_MSGPACK; format++) {
        fay_buffer out = {0};
        fay_slice slice;
        assert_int_equal(fay_join((fay_format)format, "\xa5hello", 6, &out), 0);
        assert_int_equal(fay_split((fay_format)format, out.bytes, fay_buffer_size(&out), false,
                                   false, 10, NULL, &slice),
                         FAY_SPLIT_ITEM);
        assert_int_equal(slice.length, 6);
        assert_int_equal(slice.next, fay_buffer_size(&out));
        assert_memory_equal(out.bytes + slice.at, "\xa5hello", 6);
        fay_format same;
        assert_int_equal(fay_format_parse(fay_format_name((fay_format)format), &same), 0);
        assert_int_equal(same, format);
        fay_buffer_deinit(&out);
    }
    fay_buffer out = {0};
    assert_int_equal(fay_join(FAY_FORMAT_LINES, "a\nb", 3, &out), FAY_E_INVAL);
    assert_int_equal(fay_join(FAY_FORMAT_NUL, "a\0b", 3, &out), FAY_E_INVAL);
    assert_int_equal(fay_join(FAY_FORMAT_MSGPACK, "\x92\x01", 2, &out), FAY_E_INVAL);
    assert_int_equal(fay_join(FAY_FORMAT_MSGPACK, "\x01\x01", 2, &out), FAY_E_INVAL);
    assert_int_equal(fay_buffer_size(&out), 0);
    fay_format format;
    assert_int_equal(fay_format_parse("line", &format), FAY_E_NOTFOUND);
}

static void a_long_item_costs_linear_time(void **state)
{
    (void)state;
    enum {
        SIZE = 1 << 22
    };
    uint8_t *bytes = malloc(SIZE);
    assert_non_null(bytes);
    static const fay_format formats[] = {FAY_FORMAT_LINES, FAY_FORMAT_MSGPACK};
    for (size_t f = 0; f < FAY_COUNT(formats); f++) {
        memset(bytes, 1, SIZE);
        memcpy(bytes, "\xdd\x00\x40\x00\x00", 5); /* a list of 2^22, of small numbers */
        size_t scanned = 0;
        fay_slice slice;
        for (size_t size = 64; size <= SIZE; size += 64) /* quadratic: minutes */
            assert_int_equal(
                fay_split(formats[f], bytes, size, false, false, UINT64_MAX, &scanned, &slice),
                FAY_SPLIT_MORE);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_read_size_gives_the_same),
        cmocka_unit_test(joined_is_split_again),
        cmocka_unit_test(a_long_item_costs_linear_time),
    };
    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
