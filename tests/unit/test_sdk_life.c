/* SPDX-License-Identifier: MIT */
/* The worker SDK: how a worker starts, waits, is recalled and ends. */
#include "unit/test_sdk.h"

static void deferred_items_end_from_a_thread(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease_one(&w, "later");
    expect(&w, FAY_MESSAGE_HEARTBEAT);
    assert_int_equal(fay_load64(w.frame.payload), 0);
    assert_string_equal(results(&w, 1), "0: early late");
    lease_one(&w, "at once");
    expect_verdict(&w, 1, FAY_VERDICT_POISON, "the worker refused the Item");
    assert_int_equal(end(&w), 0);
}

static void idle_ends_what_is_held(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease(&w, 2, (const char *const[]){"hold", "hold"});
    assert_string_equal(results(&w, 1), "1:");
    assert_string_equal(results(&w, 1), "0:");
    assert_int_equal(end(&w), 0);
}

static void recall_gives_back_what_is_not_begun(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease(&w, 3, (const char *const[]){"wait", "x", "y"});
    lease(&w, 1, (const char *const[]){"z"});
    expect(&w, FAY_MESSAGE_HEARTBEAT); /* it has begun the first */
    send_frame(&w, FAY_MESSAGE_RECALL, NULL);
    lease_one(&w, "after");
    expect_given_back(&w, 1, 2);
    expect_given_back(&w, 3, 1);
    send_frame(&w, FAY_MESSAGE_RETIRE, NULL);
    expect_given_back(&w, 4, 1);
    assert_string_equal(results(&w, 1), "0: stopped");
    assert_false(next(&w));
    assert_int_equal(end(&w), 0);
}

static void retire_waits_for_what_is_in_hand(void **state)
{
    (void)state;
    struct worker w;
    begin(&w);
    lease_one(&w, "later");
    expect(&w, FAY_MESSAGE_HEARTBEAT);
    send_frame(&w, FAY_MESSAGE_RETIRE, NULL);
    lease_one(&w, "x"); /* crosses the RETIRE */
    expect_given_back(&w, 1, 1);
    assert_string_equal(results(&w, 1), "0: early late");
    assert_false(next(&w));
    assert_int_equal(end(&w), 0);
}

static void expect_failed(struct worker *w, const char *message, const char *hint)
{
    fay_failed failed;
    expect(w, FAY_MESSAGE_FAILED);
    assert_int_equal(fay_failed_parse(w->frame.payload, w->frame.size, &failed), 0);
    assert_int_equal(failed.kind, FAY_FAILED_START);
    assert_non_null(memmem(failed.message.bytes, failed.message.size, message, strlen(message)));
    assert_int_equal(failed.hint.size, strlen(hint));
    assert_memory_equal(failed.hint.bytes, hint, failed.hint.size);
}

static void a_worker_that_cannot_start_says_so(void **state)
{
    (void)state;
    struct worker w;
    start(&w, &cls);
    expect(&w, FAY_MESSAGE_HELLO);
    send_setup(&w, "{\"a\":1}");
    expect_failed(&w, "test could not start: no such option: {\"a\":1}", "leave it out");
    assert_int_equal(end(&w), 3);

    fay_worker_class newer = cls;
    newer.abi = FAY_ABI + 1;
    start(&w, &newer);
    expect(&w, FAY_MESSAGE_HELLO);
    expect_failed(&w, "binary interface 2",
                  "build it against the headers of Faymora " FAY_VERSION_STRING
                  ", or update Faymora");
    assert_int_equal(end(&w), 3);

    fay_worker_class older = cls; /* knew nothing behind process() */
    older.size = offsetof(fay_worker_class, idle);
    start(&w, &older);
    expect(&w, FAY_MESSAGE_HELLO);
    send_setup(&w, "");
    expect(&w, FAY_MESSAGE_UP);
    lease_one(&w, "x");
    assert_string_equal(results(&w, 1), "0: x");
    assert_int_equal(end(&w), 0);
}

static void bad_frames_end_it(void **state)
{
    (void)state;
    static const uint8_t bad[][16] = {
        {0, 0, 0, 0, 99},                /* no such message */
        {0, 0, 0, 0, FAY_MESSAGE_SPAWN}, /* not for workers */
        {4, 0, 0, 0, FAY_MESSAGE_LEASE, 0, 0, 0, 1, 2, 3, 4},
        {0, 0, 0, 0, FAY_MESSAGE_SETUP}, /* empty, and the second one */
        {1, 0, 0, 0, FAY_MESSAGE_STATUS, 0, 0, 0, 9},
        {0xff, 0xff, 0xff, 0xff, FAY_MESSAGE_LEASE},
    };
    for (size_t i = 0; i < FAY_COUNT(bad); i++) {
        struct worker w;
        begin(&w);
        send_bytes(&w, bad[i], 16);
        assert_int_equal(end(&w), 1);
    }
    struct worker w;
    start(&w, &cls);
    lease_one(&w, "x"); /* before the SETUP */
    assert_int_equal(end(&w), 1);
}

static void the_end_of_the_socket_ends_it(void **state)
{
    (void)state;
    struct worker w;
    start(&w, &cls);
    assert_int_equal(end(&w), 0);
    begin(&w);
    assert_int_equal(end(&w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deferred_items_end_from_a_thread),
        cmocka_unit_test(idle_ends_what_is_held),
        cmocka_unit_test(recall_gives_back_what_is_not_begun),
        cmocka_unit_test(retire_waits_for_what_is_in_hand),
        cmocka_unit_test(a_worker_that_cannot_start_says_so),
        cmocka_unit_test(bad_frames_end_it),
        cmocka_unit_test(the_end_of_the_socket_ends_it),
    };
    (void)alarm(50);
    return cmocka_run_group_tests_name("sdk_life", tests, NULL, NULL);
}
