/* SPDX-License-Identifier: MIT */
/* What a Node keeps: its boots only rise, its peers come back, and of two one gets the lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/texts.h"
#include "node/state.h"
#include "support/scratch.h"

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void boots_only_rise(void **state)
{
    (void)state;
    uint64_t boot = 0;
    fay_node_state s = {.lock = -1};
    assert_int_equal(fay_node_state_open("st", "a", &s, NULL), 0);
    assert_int_equal(fay_node_state_boot(&s, 1000, &boot, NULL), 0);
    assert_int_equal(boot, 1000);
    assert_int_equal(fay_node_state_boot(&s, 10, &boot, NULL), 0); /* the clock has jumped back */
    assert_int_equal(boot, 1001);
    assert_int_equal(fay_node_state_reboot(&s, 5000, NULL), 0);
    assert_int_equal(fay_node_state_boot(&s, 2000, &boot, NULL), 0);
    assert_int_equal(boot, 5001);
    put("st/a/boot", "nonsense\n"); /* as if there was none */
    assert_int_equal(fay_node_state_boot(&s, 7, &boot, NULL), 0);
    assert_int_equal(boot, 7);
    put("st/a/boot", "18446744073709551615\n"); /* no boot: above the limit */
    assert_int_equal(fay_node_state_boot(&s, 8, &boot, NULL), 0);
    assert_int_equal(boot, 8);
    fay_node_state_close(&s);
}

static void of_two_one_gets_it(void **state)
{
    (void)state;
    fay_error err = {0};
    fay_node_state one = {.lock = -1}, two = {.lock = -1};
    assert_int_equal(fay_node_state_open("st", "a", &one, NULL), 0);
    assert_int_equal(fay_node_state_open("st", "a", &two, &err), FAY_E_EXISTS);
    assert_non_null(strstr(err.message, "'a' runs here already"));
    assert_int_equal(fay_node_state_open("st", "b", &two, &err), 0); /* one for each name */
    fay_node_state_close(&one);
    assert_int_equal(fay_node_state_open("st", "a", &one, NULL), 0);
    fay_node_state_close(&one);
    fay_node_state_close(&two);
}

static void peers_come_back(void **state)
{
    (void)state;
    char one[] = "10.0.0.1:7331", two[] = "[fd00::1]:7331";
    char *peers[] = {one, two, NULL};
    fay_node_state s = {.lock = -1};
    assert_int_equal(fay_node_state_open("st", "a", &s, NULL), 0);
    assert_null(fay_node_state_peers(&s));
    assert_int_equal(fay_node_state_keep_peers(&s, peers, NULL), 0);
    char **back = fay_node_state_peers(&s);
    assert_int_equal(fay_texts_count(back), 2);
    assert_string_equal(back[1], "[fd00::1]:7331");
    fay_texts_free(back);
    put("st/a/peers", "10.0.0.1:7331\n\nno address\n:7331\nx:\n\x01:1\nb:2\n");
    back = fay_node_state_peers(&s);
    assert_int_equal(fay_texts_count(back), 2); /* the first and the last */
    assert_string_equal(back[1], "b:2");
    fay_texts_free(back);
    fay_node_state_close(&s);
}

static void what_cannot_be_kept_is_said_once(void **state)
{
    (void)state;
    char one[] = "10.0.0.1:7331";
    char *peers[] = {one, NULL};
    fay_error err = {0};
    uint64_t boot = 0;
    fay_node_state s = {.lock = -1};
    assert_int_equal(fay_node_state_open("st", "a", &s, NULL), 0);
    free(s.directory);
    s.directory = fay_strdup("st/not-there");
    assert_int_equal(fay_node_state_boot(&s, 9, &boot, &err), FAY_E_IO);
    assert_int_equal(boot, 9); /* it goes on all the same */
    assert_int_equal(fay_node_state_keep_peers(&s, peers, &err), FAY_E_IO);
    assert_int_equal(fay_node_state_keep_peers(&s, peers, &err), 0);
    assert_true(s.failed);
    fay_node_state_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(boots_only_rise),
        IN_SCRATCH(of_two_one_gets_it),
        IN_SCRATCH(peers_come_back),
        IN_SCRATCH(what_cannot_be_kept_is_said_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
