/* SPDX-License-Identifier: MIT */
/* Frames in a stream: whole, in pieces, wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/codec.h"
#include "wire/frame.h"

static void a_frame_is_found_when_it_is_whole(void **state)
{
    (void)state;
    fay_buffer out = {0};
    size_t begun = fay_frame_begin(&out, FAY_MESSAGE_NOTE, 0, 9);
    fay_buffer_append_text(&out, "hello");
    fay_frame_end(&out, begun);
    fay_frame frame;
    size_t needed;
    size_t size = fay_buffer_size(&out);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(fay_frame_parse(fay_buffer_data(&out), cut, &frame, &needed),
                         FAY_FRAME_MORE);
        assert_true(needed > cut);
    }
    assert_int_equal(fay_frame_parse(fay_buffer_data(&out), size, &frame, &needed),
                     FAY_FRAME_WHOLE);
    assert_int_equal(needed, size);
    assert_int_equal(frame.type, FAY_MESSAGE_NOTE);
    assert_int_equal(frame.worker, 9);
    assert_int_equal(frame.size, 5);
    assert_memory_equal(frame.payload, "hello", 5);
    fay_buffer_deinit(&out);
}

static void unknown_types_and_sizes_end_the_link(void **state)
{
    (void)state;
    uint8_t header[FAY_FRAME_HEADER] = {0};
    fay_frame frame;
    size_t needed;
    header[4] = 200;
    assert_int_equal(fay_frame_parse(header, sizeof header, &frame, &needed), FAY_E_PEER);
    header[4] = 0;
    assert_int_equal(fay_frame_parse(header, sizeof header, &frame, &needed), FAY_E_PEER);
    header[4] = FAY_MESSAGE_PING;
    header[5] = 1; /* no flag is defined */
    assert_int_equal(fay_frame_parse(header, sizeof header, &frame, &needed), FAY_E_PEER);
    header[5] = 0;
    fay_store32(header, 1); /* a PING has no payload */
    assert_int_equal(fay_frame_parse(header, sizeof header, &frame, &needed), FAY_E_PEER);
}

static void a_reader_that_failed_gives_nothing_more(void **state)
{
    (void)state;
    fay_reader r = fay_reader_of("\1\2\3", 3);
    assert_int_equal(fay_read16(&r), 0x0201);
    assert_int_equal(fay_read32(&r), 0);
    assert_int_equal(fay_read8(&r), 0);
    assert_int_equal(fay_reader_done(&r), FAY_E_PEER);
    r = fay_reader_of("\5\0\0\0ab", 6); /* a byte string that claims more than there is */
    size_t size;
    assert_non_null(fay_read_bytes(&r, 100, &size));
    assert_int_equal(size, 0);
    assert_int_equal(fay_reader_done(&r), FAY_E_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_found_when_it_is_whole),
        cmocka_unit_test(unknown_types_and_sizes_end_the_link),
        cmocka_unit_test(a_reader_that_failed_gives_nothing_more),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
