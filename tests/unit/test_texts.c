/* SPDX-License-Identifier: MIT */
/* Lists of texts, owned and freed together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/texts.h"

static void a_copy_has_texts_of_its_own(void **state)
{
    (void)state;
    char first[] = "a", second[] = "b", third[] = "c";
    char *const words[] = {first, second, third, NULL};
    char **copy = fay_texts_copy(words, 2);
    first[0] = 'x';
    assert_int_equal(fay_texts_count(copy), 2);
    assert_string_equal(copy[0], "a");
    assert_string_equal(copy[1], "b");
    assert_null(copy[2]);
    fay_texts_free(copy);
}

static void no_list_has_no_texts(void **state)
{
    (void)state;
    char **empty = fay_texts_new();
    assert_null(empty[0]);
    assert_int_equal(fay_texts_count(empty), 0);
    assert_int_equal(fay_texts_count(NULL), 0);
    fay_texts_free(empty);
    fay_texts_free(NULL);
}

static void a_list_grows(void **state)
{
    (void)state;
    char **list = NULL;
    fay_texts_push(&list, fay_strdup("a"));
    fay_texts_push(&list, fay_strdup("b"));
    assert_int_equal(fay_texts_count(list), 2);
    assert_string_equal(list[1], "b");
    fay_texts_free(list);
}

static void what_is_replaced_is_freed(void **state)
{
    (void)state;
    char word[] = "new";
    char *const words[] = {word};
    char **list = fay_texts_new();
    fay_texts_replace(&list, fay_texts_copy(words, 1));
    assert_string_equal(list[0], "new");
    fay_texts_replace(&list, NULL);
    assert_null(list);

    char *text = fay_strdup("old");
    fay_text_replace(&text, fay_strdup("new"));
    assert_string_equal(text, "new");
    fay_text_replace(&text, NULL);
    assert_null(text);
}

static void what_terminals_act_on_becomes_blanks(void **state)
{
    (void)state;
    char text[] = "\x1b[31mred\n\x7f\xc2\x9b"
                  "2J \xc3\xa9 \xc2\xa0 \xc2";
    fay_text_tame(text);
    assert_string_equal(text, " [31mred    2J \xc3\xa9 \xc2\xa0 \xc2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_has_texts_of_its_own),
        cmocka_unit_test(a_list_grows),
        cmocka_unit_test(no_list_has_no_texts),
        cmocka_unit_test(what_is_replaced_is_freed),
        cmocka_unit_test(what_terminals_act_on_becomes_blanks),
    };
    return cmocka_run_group_tests_name("texts", tests, NULL, NULL);
}
