/* SPDX-License-Identifier: MIT */
/* Held output: all of it comes back, or it is said that it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "instance/output.h"

static void print(fay_held_output *output, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(i % 251);
        fay_buffer_append(&output->memory, &byte, 1);
    }
}

static void drop(fay_held_output *output)
{
    fay_held_output_clear(output);
    fay_buffer_deinit(&output->memory);
}

/* What stands in for a full disk. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void all_of_it_comes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, FAY_OUTPUT_MEMORY - 1, FAY_OUTPUT_MEMORY,
                                   FAY_OUTPUT_MEMORY + 300001};
    for (size_t i = 0; i < FAY_COUNT(sizes); i++) {
        fay_held_output output;
        fay_held_output_init(&output);
        size_t first = FAY_MIN(sizes[i], FAY_OUTPUT_MEMORY);
        print(&output, first);
        assert_int_equal(fay_held_output_added(&output), 0);
        print(&output, sizes[i] - first);
        assert_int_equal(fay_held_output_size(&output), sizes[i]);
        size_t got = 0;
        for (bool final = false; !final;) {
            assert_int_equal(fay_held_output_load(&output, &final), 0);
            const uint8_t *bytes = fay_buffer_data(&output.memory);
            for (size_t k = 0; k < fay_buffer_size(&output.memory); k++, got++) {
                assert_int_equal(bytes[k], (got < first ? got : got - first) % 251);
            }
            fay_buffer_clear(&output.memory);
        }
        assert_int_equal(got, sizes[i]);
        drop(&output);
    }
}

static void a_full_disk_is_told_when_it_is_met(void **state)
{
    (void)state;
    fay_held_output output;
    bool final;
    fay_held_output_init(&output);
    limit_files(FAY_OUTPUT_MEMORY + 1000);
    print(&output, FAY_OUTPUT_MEMORY);
    assert_int_equal(fay_held_output_added(&output), 0);
    print(&output, 5000); /* the first 1000 of them still have room: a short write */
    assert_int_equal(fay_held_output_load(&output, &final), FAY_E_IO);
    assert_int_equal(errno, EFBIG);
    fay_held_output_clear(&output);
    assert_int_equal(fay_held_output_size(&output), 0);

    print(&output, FAY_OUTPUT_MEMORY + 5000);
    assert_int_equal(fay_held_output_added(&output), FAY_E_IO);
    assert_int_equal(errno, EFBIG);
    limit_files(RLIM_INFINITY);
    drop(&output);
}

static void a_file_that_has_lost_bytes_is_told(void **state)
{
    (void)state;
    fay_held_output output;
    bool final;
    fay_held_output_init(&output);
    print(&output, FAY_OUTPUT_MEMORY);
    assert_int_equal(fay_held_output_added(&output), 0);
    assert_int_equal(ftruncate(output.fd, 1000), 0);
    errno = 0;
    assert_int_equal(fay_held_output_load(&output, &final), FAY_E_IO);
    assert_int_equal(errno, EIO);
    drop(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_comes_back),
        cmocka_unit_test(a_full_disk_is_told_when_it_is_met),
        cmocka_unit_test(a_file_that_has_lost_bytes_is_told),
    };
    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
