/* SPDX-License-Identifier: MIT */
/* What workers use of the machine, as a real Instance tells it of real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/owner.h"
#include "support/say.h"

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define BURN       "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; "

static void begin(owner *o, fay_mode_kind mode, const char *command)
{
    fay_setup setup = say_setup(mode, TEXTS("sh", "-c", command));
    owner_start(o, &setup);
    fay_setup_deinit(&setup);
    owner_send(o, FAY_MESSAGE_SPAWN, 0);
    assert_string_equal(owner_next(o), "0 UP");
}

static void work(owner *o, unsigned items)
{
    for (unsigned i = 0; i < items; i++) {
        owner_lease(o, 0, i, TEXTS("x"));
        assert_non_null(strstr(owner_next(o), "RESULTS"));
    }
}

static void end(owner *o)
{
    owner_send(o, FAY_MESSAGE_STOP, 0);
    assert_string_equal(owner_next(o), "0 DOWN retired");
    assert_string_equal(owner_next(o), "closed");
    assert_int_equal(owner_end(o), 0);
}

/* On a machine that is full it has waited as long as it has not run. */
static void assert_burns(const owner *o)
{
    assert_true(o->used_count > 0 && o->used.busy > 0);
    if (2 * (o->used.cpu + o->used.waited) < o->used.busy) {
        fail_msg("busy %llu, on a core %llu, waited %llu", (unsigned long long)o->used.busy,
                 (unsigned long long)o->used.cpu, (unsigned long long)o->used.waited);
    }
    assert_true(o->used.bytes > 100 * FAY_KIB);
}

static void assert_sleeps(const owner *o)
{
    assert_true(o->used_count > 0 && o->used.busy > 0);
    if (3 * o->used.cpu > o->used.busy) {
        fail_msg("busy %llu, on a core %llu", (unsigned long long)o->used.busy,
                 (unsigned long long)o->used.cpu);
    }
}

static void processes_of_exec_are_measured(void **state)
{
    (void)state;
    owner o = {0};
    begin(&o, FAY_MODE_EXEC, BURN);
    work(&o, 2);
    end(&o);
    assert_burns(&o);
    o = (owner){0};
    begin(&o, FAY_MODE_EXEC, "sleep 0.3");
    work(&o, 2);
    end(&o);
    assert_sleeps(&o);
}

static void workers_that_stay_are_measured(void **state)
{
    (void)state;
    owner o = {0};
    begin(&o, FAY_MODE_LINES, "while read a; do " BURN "echo; done");
    work(&o, 4);
    end(&o);
    assert_burns(&o);
    o = (owner){0};
    begin(&o, FAY_MODE_LINES, "while read a; do sleep 0.2; echo; done");
    work(&o, 4);
    end(&o);
    assert_sleeps(&o);
}

/* Nobody waits for the end of a long Item to know how many workers fit. */
static void a_long_item_is_measured_while_it_lasts(void **state)
{
    (void)state;
    owner o = {0};
    begin(&o, FAY_MODE_EXEC, "exec sleep 1");
    work(&o, 1);
    end(&o);
    assert_true(o.used_count >= 2 && o.used_count <= 6); /* more and more rarely, and at its end */
    assert_sleeps(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_of_exec_are_measured),
        cmocka_unit_test(workers_that_stay_are_measured),
        cmocka_unit_test(a_long_item_is_measured_while_it_lasts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
