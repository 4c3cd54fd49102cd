/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "report/joblog.h"

static const fay_job job = {.seq = 7,
                            .host = "a",
                            .start_s = 1700000000.25,
                            .runtime_s = 1.5,
                            .sent = 10,
                            .received = 20,
                            .exit = 1,
                            .signal = 0,
                            .command = "./slow\t7\n",
                            .stage = "slow",
                            .attempt = 2,
                            .worker = 3,
                            .item_id = "7.1",
                            .outcome = "retried"};

static void the_first_nine_columns_are_parallels(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_joblog_header(&out);
    fay_joblog_line(&job, &out);
    assert_string_equal(
        fay_buffer_text(&out),
        "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\t"
        "Stage\tAttempt\tWorker\tItemId\tOutcome\n"
        "7\ta\t1700000000.250\t     1.500\t10\t20\t1\t0\t./slow 7 \tslow\t2\t3\t7.1\tretried\n");
}

static void what_is_not_known_leaves_its_column_empty(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_job empty = {.exit = -1, .signal = 9, .outcome = "dead"};
    fay_joblog_line(&empty, &out);
    assert_string_equal(fay_buffer_text(&out),
                        "0\t\t0.000\t     0.000\t0\t0\t0\t9\t\t\t0\t0\t\tdead\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_nine_columns_are_parallels),
        cmocka_unit_test(what_is_not_known_leaves_its_column_empty),
    };
    return cmocka_run_group_tests_name("joblog", tests, NULL, NULL);
}
