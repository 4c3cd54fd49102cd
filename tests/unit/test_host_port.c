/* SPDX-License-Identifier: MIT */
/* HOST:PORT in its two parts; and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/host_port.h"

static void expect(const char *address, const char *host, const char *port)
{
    const char *its_port = NULL;
    FAY_CLEANUP(fay_freep) char *its_host = fay_host_port_split(address, &its_port);
    assert_non_null(its_host);
    assert_string_equal(its_host, host);
    assert_string_equal(its_port, port);
    assert_int_equal(fay_host_port_valid(address), host[0] != '\0');
}

static void an_address_has_two_parts(void **state)
{
    (void)state;
    expect("a.example:7331", "a.example", "7331");
    expect("10.0.0.7:0", "10.0.0.7", "0");
    expect("[fd00::7]:7331", "fd00::7", "7331");
    expect("fd00::7", "fd00:", "7"); /* what is meant, nobody can say */
    expect(":7331", "", "7331");
    expect("[]:7331", "[]", "7331"); /* no host, and not none either */
    expect("]:1", "]", "1");
}

static void what_has_no_port_is_none(void **state)
{
    (void)state;
    const char *port = NULL;
    static const char *const none[] = {"", "a", "a:", ":", "[::1]:"};
    for (size_t i = 0; i < FAY_COUNT(none); i++) {
        assert_null(fay_host_port_split(none[i], &port));
        assert_false(fay_host_port_valid(none[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_two_parts),
        cmocka_unit_test(what_has_no_port_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
