/* SPDX-License-Identifier: MIT */
/* Names of Nodes, alternative names, roles, digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/texts.h"
#include "pki/digest.h"
#include "pki/host_names.h"
#include "pki/names.h"
#include "pki/role.h"
#include "support/scratch.h"

static bool is_node(const char *name)
{
    return fay_node_name_valid(name, strlen(name));
}

static void names_of_nodes(void **state)
{
    (void)state;
    char longest[FAY_NODE_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[FAY_NODE_NAME_MAX] = '\0';
    assert_true(is_node("a") && is_node("host-1.example.org") && is_node("9_x") &&
                is_node(longest));
    longest[FAY_NODE_NAME_MAX] = 'a';
    assert_false(fay_node_name_valid(longest, FAY_NODE_NAME_MAX + 1));
    /* A name becomes a path and a URI. */
    assert_false(is_node("") || is_node(".a") || is_node("..") || is_node("-a") || is_node("a/b"));
    assert_false(is_node("a b") || is_node("a%20") || is_node("\xc3\xa4") || is_node("a\n"));
    assert_false(fay_node_name_valid("a\0b", 3));
}

static void alternative_names(void **state)
{
    (void)state;
    static const char *const good[] = {"a",   "a.example.org", "*.example.org", "x_1", "10.0.0.7",
                                       "::1", "fd00::7",       "3com.example"};
    static const char *const bad[] = {"",    ".",        "a..b",     "-a",         "a-",
                                      "a.",  "*",        "a.*.b",    "10.0.0.300", "10.0",
                                      "a b", "http://a", "fd00:::7", "a/b",        "a,DNS:b"};
    for (size_t i = 0; i < FAY_COUNT(good); i++) {
        if (!fay_san_valid(good[i]))
            fail_msg("%s", good[i]);
    }
    for (size_t i = 0; i < FAY_COUNT(bad); i++) {
        if (fay_san_valid(bad[i]))
            fail_msg("%s", bad[i]);
    }
}

static void what_is_pushed_is_read(void **state)
{
    (void)state;
    static const char *const expected[] = {"DNS:a", "IP:10.0.0.7", "IP:fd00::7", "URI:faymora:ca"};
    FAY_CLEANUP(fay_names_freep) GENERAL_NAMES *names = GENERAL_NAMES_new();
    fay_san_push(names, "a");
    fay_san_push(names, "10.0.0.7");
    fay_san_push(names, "fd00::7");
    fay_san_push_uri(names, FAY_URI_CA);
    fay_san_push_uri(names, "a b"); /* and what no name has is not read */
    for (int i = 0; i < 5; i++) {
        FAY_CLEANUP(fay_freep) char *text = fay_san_text(sk_GENERAL_NAME_value(names, i));
        if (i < 4) {
            assert_string_equal(text, expected[i]);
        } else {
            assert_null(text);
        }
    }
}

static void roles_and_words(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_roles_append(FAY_ROLES_HOST, ", ", &text);
    assert_string_equal(fay_buffer_text(&text), "agent, node, client");
    assert_int_equal(fay_role_find("observer", 8), FAY_ROLE_OBSERVER);
    assert_int_equal(fay_role_find("agents", 6), 0);
    assert_int_equal(fay_role_find("agent", 4), 0);
    assert_string_equal(fay_role_word(FAY_ROLE_NODE), "node");
    assert_null(fay_role_word(3));
}

static void digests_are_hex(void **state)
{
    (void)state;
    char text[FAY_DIGEST_TEXT_MAX];
    fay_digest digest = fay_digest_of("abc", 3);
    fay_digest other;
    assert_string_equal(fay_digest_text(&digest, text),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(fay_hex_parse(text, other.bytes, sizeof other.bytes));
    assert_true(fay_digest_equal(&digest, &other));
    other.bytes[31] ^= 1;
    assert_false(fay_digest_equal(&digest, &other));
    assert_false(fay_hex_parse("0g", other.bytes, 1));
    assert_false(fay_hex_parse("0", other.bytes, 1));
}

static bool has(char *const *names, const char *name)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

static void a_host_has_all_its_names(void **state)
{
    (void)state;
    scratch s;
    scratch_enter(&s);
    FILE *hosts = fopen("hosts", "we");
    assert_non_null(hosts);
    (void)fputs("127.0.0.1 localhost # web\n127.0.1.1\tweb.example.org web  alias bad/name\r\n"
                "10.0.0.9 other\n",
                hosts);
    (void)fclose(hosts);
    char **names = fay_host_names("web", "hosts", 64);
    assert_string_equal(names[0], "web");
    assert_true(has(names, "web.example.org") && has(names, "alias") && has(names, "localhost") &&
                has(names, "127.0.0.1") && has(names, "::1"));
    assert_false(has(names, "other") || has(names, "bad/name"));
    fay_texts_free(names);

    names = fay_host_names("db.example.org", "nothing", 2);
    assert_int_equal(fay_texts_count(names), 2);
    assert_string_equal(names[1], "db");
    fay_texts_free(names);
    scratch_leave(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_nodes),         cmocka_unit_test(alternative_names),
        cmocka_unit_test(what_is_pushed_is_read), cmocka_unit_test(roles_and_words),
        cmocka_unit_test(digests_are_hex),        cmocka_unit_test(a_host_has_all_its_names),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
