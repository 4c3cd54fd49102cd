/* SPDX-License-Identifier: MIT */
/* Parameters of the Grid: both profiles hold, and what does not says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grid/params.h"

static void both_profiles_are_sound(void **state)
{
    (void)state;
    fay_grid_params lan, wan;
    fay_error err = {0};
    fay_grid_params_lan(&lan);
    fay_grid_params_wan(&wan);
    assert_int_equal(fay_grid_params_check(&lan, &err), 0);
    assert_int_equal(fay_grid_params_check(&wan, &err), 0);
    assert_string_equal(err.message, "");
    assert_true(lan.silent == 3200 * FAY_MS);
    assert_true(wan.silent == 3 * lan.silent); /* what waits for others waits longer */
    assert_true(wan.stub == lan.stub);         /* what is kept is not */
    assert_int_equal(wan.mesh_max, lan.mesh_max);
}

static void what_is_out_of_bounds_is_named(void **state)
{
    (void)state;
    fay_grid_params params;
    fay_error err = {0};
    fay_grid_params_lan(&params);
    params.rings = 1;
    assert_int_equal(fay_grid_params_check(&params, &err), FAY_E_CONFIG);
    assert_string_equal(err.message, "grid parameter rings is 1");
    assert_string_equal(err.hint, "from 2 to 4");
    fay_grid_params_lan(&params);
    params.heartbeat = 1 * FAY_MS;
    assert_int_equal(fay_grid_params_check(&params, &err), FAY_E_CONFIG);
    assert_string_equal(err.message, "grid parameter heartbeat is 1ms");
    assert_string_equal(err.hint, "from 10ms to 1m00s");
    assert_int_equal(fay_grid_params_check(&params, NULL), FAY_E_CONFIG);
}

static void what_does_not_fit_together_is_named(void **state)
{
    (void)state;
    fay_grid_params params;
    fay_error err = {0};
    fay_grid_params_lan(&params);
    params.silent = 2 * FAY_SECOND;
    assert_int_equal(fay_grid_params_check(&params, &err), FAY_E_CONFIG);
    assert_string_equal(err.message, "grid parameter silent is less than 3 x heartbeat");
    assert_string_equal(err.hint, "one heartbeat that is late would end a link");
    fay_grid_params_lan(&params);
    params.mesh_again = params.mesh_max + 1;
    assert_int_equal(fay_grid_params_check(&params, &err), FAY_E_CONFIG);
    assert_string_equal(err.message, "grid parameter mesh_again is greater than mesh_max");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_profiles_are_sound),
        cmocka_unit_test(what_is_out_of_bounds_is_named),
        cmocka_unit_test(what_does_not_fit_together_is_named),
    };
    return cmocka_run_group_tests_name("grid_params", tests, NULL, NULL);
}
