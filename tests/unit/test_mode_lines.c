/* SPDX-License-Identifier: MIT */
/* Mode lines: answers are matched by count. */
#include "mode_talk.h"

static void lines_are_matched_by_count(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    lease(&t, 10, 1, NULL, TEXTS("a", "b", "c"));
    lease(&t, 20, 1, NULL, TEXTS("d"));
    assert_string_equal(given(&t), "a\nb\nc\nd\n");
    assert_int_equal(print(&t, "A\nB", false), 0);
    assert_said(&t, "RESULTS 10+1: A\n");
    assert_int_equal(print(&t, "B\nC\nD\n", false), 0);
    assert_said(&t, "RESULTS 11+2: BB|C\nRESULTS 20+1: D\n");
    assert_int_equal(fay_mode_held(t.mode), 0);
    assert_int_equal(fay_mode_answered(t.mode), 4);
    end(&t);
}

static void lines_too_many_break_the_contract(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    lease(&t, 0, 1, NULL, TEXTS("a", "b"));
    assert_int_equal(print(&t, "A\n", false), 0);
    assert_int_equal(print(&t, "B\nC\n", false), FAY_MODE_BREACH);
    assert_said(&t, "RESULTS 0+1: A\n"); /* B may be no answer either */
    assert_string_equal(fay_mode_error(t.mode), "printed more lines than it was given Items");
    end(&t);
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    t.setup.item_max = 4;
    assert_int_equal(print(&t, "1234", false), 0); /* not a line yet */
    assert_int_equal(print(&t, "5", false), FAY_E_PEER);
    assert_string_equal(fay_mode_error(t.mode), "printed an Item of more than max_item (4B)");
    end(&t);
}

static void lines_too_many_behind_the_end_break_the_contract(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    lease(&t, 0, 1, NULL, TEXTS("a"));
    fay_mode_input_ended(t.mode);
    assert_int_equal(print(&t, "A\nB", false), 0); /* not a line yet */
    assert_int_equal(print(&t, "\n", false), FAY_MODE_BREACH);
    assert_said(&t, "");
    end(&t);
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    lease(&t, 0, 1, NULL, TEXTS("a"));
    fay_mode_input_ended(t.mode);
    t.well = true;
    assert_int_equal(print(&t, "A\n> ", true), 0);
    assert_said(&t, "RESULTS 0+1: A\n");
    end(&t);
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    t.setup.item_max = 4;
    lease(&t, 0, 1, NULL, TEXTS("a"));
    fay_mode_input_ended(t.mode);
    assert_int_equal(print(&t, "A\n12345", false), FAY_E_PEER); /* too long, not too many */
    assert_string_equal(fay_mode_error(t.mode), "printed an Item of more than max_item (4B)");
    end(&t);
}

static void a_last_line_counts_without_its_end(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    lease(&t, 0, 1, NULL, TEXTS("a", "b"));
    assert_int_equal(print(&t, "A\nB", true), 0);
    assert_said(&t, "RESULTS 0+1: A\nRESULTS 1+1: B\n");
    end(&t);
}

static void lines_with_a_newline_inside_are_refused(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    lease(&t, 0, 0, NULL, TEXTS("a", "b\nc", "d"));
    assert_said(&t, "VERDICT 1 poison: the Item has a newline inside and cannot go to a worker in "
                    "mode lines; use mode json or exec\n");
    assert_string_equal(given(&t), "a\nd\n");
    assert_int_equal(print(&t, "A\nD\n", false), 0);
    assert_said(&t, "RESULTS 0+1: A\nRESULTS 2+1: D\n");
    end(&t);
}

static void a_line_over_max_item_is_the_items_fault(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    t.setup.item_max = 4;
    lease(&t, 0, 1, NULL, TEXTS("a", "b"));
    assert_int_equal(print(&t, "1234\n12345", false), FAY_MODE_REFUSED);
    assert_said(&t, "RESULTS 0+1: 1234\n"
                    "VERDICT 1 too-large: printed an Item of more than max_item (4B)\n");
    end(&t);
}

static void lines_inherit_attributes_and_are_routed(void **state)
{
    (void)state;
    talk t;
    const char *whens[] = {"", "data == \"A\"", "else"};
    const uint64_t feeds[] = {6, FAY_TARGET_SINK, FAY_TARGET_SINK, 1};
    fay_router *router = fay_router_new(whens, feeds, 3, NULL);
    assert_non_null(router);
    begin_as(&t, say_setup(FAY_MODE_LINES, TEXTS("cat")), router);
    lease(&t, 0, 0, "{\"k\":1}", TEXTS("a", "b"));
    assert_int_equal(print(&t, "A\nB\n", false), 0);
    assert_said(&t, "RESULTS 0+2: A{\"k\":1}@2|B{\"k\":1}@4\n");
    end(&t);
}

static void lines_not_written_are_given_back(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("cat"));
    lease(&t, 5, 1, NULL, TEXTS("aa", "bb", "cc", "dd"));
    write_input(&t, 4); /* into the second */
    fay_mode_recall(t.mode, &t.replies);
    assert_said(&t, "BACK 7+2\n");
    assert_string_equal(given(&t), "aa\nbb\n");
    assert_int_equal(print(&t, "A\nB\n", false), 0);
    assert_said(&t, "RESULTS 5+2: A|B\n");
    end(&t);
}

static void lines_behind_the_end_count_only_if_all_are_there(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("grep"));
    lease(&t, 0, 1, NULL, TEXTS("a", "b", "c"));
    assert_int_equal(print(&t, "A\nB", false), 0);
    assert_said(&t, "RESULTS 0+1: A\n"); /* before the end: at once */
    fay_mode_input_ended(t.mode);
    assert_int_equal(print(&t, "B\n", false), 0);
    assert_said(&t, "");
    assert_int_equal(fay_mode_owed(t.mode), 1);
    assert_int_equal(print(&t, "C", true), 0);
    assert_said(&t, "RESULTS 1+1: BB\nRESULTS 2+1: C\n");
    end(&t);
    begin(&t, FAY_MODE_LINES, TEXTS("grep"));
    lease(&t, 0, 1, NULL, TEXTS("a", "b"));
    fay_mode_input_ended(t.mode);
    assert_int_equal(print(&t, "B\n", false), 0);
    assert_int_equal(print(&t, "", true), FAY_E_PEER);
    assert_said(&t, "");
    assert_string_equal(fay_mode_error(t.mode),
                        "it answered 1 of 2 lines behind the end of its input");
    assert_int_equal(fay_mode_held(t.mode), 2);
    end(&t);
}

static void who_ends_well_with_fewer_lines_breaks_the_contract(void **state)
{
    (void)state;
    talk t;
    begin(&t, FAY_MODE_LINES, TEXTS("grep"));
    lease(&t, 0, 1, NULL, TEXTS("a", "b", "c", "d"));
    assert_int_equal(print(&t, "A\n", false), 0);
    fay_mode_input_ended(t.mode);
    t.well = true;
    assert_int_equal(print(&t, "B\nC", true), FAY_MODE_BREACH);
    assert_said(&t, "RESULTS 0+1: A\n"); /* what is held is nobody's answer */
    assert_string_equal(fay_mode_error(t.mode), "answered 3 of 4 lines and ended well");
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_matched_by_count),
        cmocka_unit_test(lines_too_many_break_the_contract),
        cmocka_unit_test(lines_too_many_behind_the_end_break_the_contract),
        cmocka_unit_test(a_last_line_counts_without_its_end),
        cmocka_unit_test(lines_with_a_newline_inside_are_refused),
        cmocka_unit_test(a_line_over_max_item_is_the_items_fault),
        cmocka_unit_test(lines_inherit_attributes_and_are_routed),
        cmocka_unit_test(lines_not_written_are_given_back),
        cmocka_unit_test(lines_behind_the_end_count_only_if_all_are_there),
        cmocka_unit_test(who_ends_well_with_fewer_lines_breaks_the_contract),
    };
    return cmocka_run_group_tests_name("mode_lines", tests, NULL, NULL);
}
