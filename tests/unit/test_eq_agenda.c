/* SPDX-License-Identifier: MIT */
/* The benchmark's agenda of events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "sim/eq_agenda.h"

static void events_come_by_time_then_as_they_were_added(void **state)
{
    (void)state;
    fay_eq_agenda agenda = {0};
    fay_prng prng;
    fay_prng_init(&prng, 5);
    for (uint32_t i = 0; i < 1000; i++) {
        double time = (double)fay_prng_below(&prng, 100) / 8;
        fay_eq_agenda_add(&agenda, (fay_eq_event){.time = time, .serial = i});
    }
    fay_eq_event event, last = {.time = -1};
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(fay_eq_agenda_take(&agenda, &event));
        assert_true(event.time > last.time ||
                    (event.time >= last.time && event.serial > last.serial));
        last = event;
    }
    assert_false(fay_eq_agenda_take(&agenda, &event));
    fay_eq_agenda_deinit(&agenda);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_by_time_then_as_they_were_added),
    };
    return cmocka_run_group_tests_name("eq_agenda", tests, NULL, NULL);
}
