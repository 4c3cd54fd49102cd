/* SPDX-License-Identifier: MIT */
/* The public Item. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "item/attrs.h"
#include "item/item.h"

static void attributes_are_typed(void **state)
{
    (void)state;
    size_t size;
    fay_item *item = fay_item_new("pay\0load", 8);
    assert_memory_equal(fay_item_data(item, &size), "pay\0load", 8);
    assert_int_equal(size, 8);
    assert_int_equal(fay_item_set_string(item, "s", "text"), FAY_OK);
    assert_int_equal(fay_item_set_int(item, "i", -5), FAY_OK);
    assert_int_equal(fay_item_set_float(item, "f", 0.5), FAY_OK);
    assert_int_equal(fay_item_set_bool(item, "b", true), FAY_OK);
    assert_int_equal(fay_item_set_bytes(item, "raw", "\0\1", 2), FAY_OK);
    assert_int_equal(fay_item_set_json(item, "l", "[1, {\"x\": null}]"), FAY_OK);
    const char *old = fay_item_string(item, "s", NULL);
    assert_int_equal(fay_item_set_string(item, "s", "other"), FAY_OK);
    assert_string_equal(old, "text"); /* what was lent stays */
    assert_string_equal(fay_item_string(item, "s", NULL), "other");
    assert_int_equal(fay_item_int(item, "i", 0), -5);
    assert_true(fay_item_float(item, "f", 0) == 0.5);
    assert_true(fay_item_float(item, "i", 0) == -5.0);
    assert_true(fay_item_bool(item, "b", false));
    assert_memory_equal(fay_item_bytes(item, "raw", &size), "\0\1", 2);
    assert_int_equal(fay_item_type(item, "l"), FAY_LIST);
    assert_int_equal(fay_item_type(item, "data"), FAY_BYTES);
    assert_int_equal(fay_item_type(item, "nothing"), FAY_NIL);
    assert_string_equal(fay_item_string(item, "i", "fallback"), "fallback");
    assert_int_equal(fay_item_int(item, "s", 9), 9);
    assert_null(fay_item_bytes(item, "i", NULL));
    char *json = fay_item_get_json(item, "l");
    assert_string_equal(json, "[1,{\"x\":null}]");
    free(json);
    assert_null(fay_item_get_json(item, "nothing"));

    assert_int_equal(fay_item_set_int(item, "fay.attempt", 3), FAY_E_DENIED);
    assert_int_equal(fay_item_set_int(item, "data", 3), FAY_E_INVAL);
    assert_int_equal(fay_item_set_int(item, "", 3), FAY_E_INVAL);
    assert_int_equal(fay_item_set_json(item, "l", "[1"), FAY_E_INVAL);
    assert_int_equal(fay_item_remove(item, "i"), FAY_OK);
    assert_int_equal(fay_item_remove(item, "i"), FAY_E_NOTFOUND);
    assert_string_equal(fay_item_id(item), "");
    fay_item_unref(item);
}

static bool count(const char *name, fay_type type, void *ud)
{
    (void)name;
    (void)type;
    ++*(int *)ud;
    return true;
}

static void json_and_copies(void **state)
{
    (void)state;
    static const char text[] = "{\"data\":\"hi\",\"k\":\"v\",\"n\":[1,2]}";
    fay_item *item = fay_item_from_json(text, sizeof text - 1, NULL);
    fay_item *copy = fay_item_copy(item);
    fay_item_unref(item);
    char *json;
    size_t size;
    int names = 0;
    fay_item_each(copy, count, &names);
    assert_int_equal(names, 3);
    assert_int_equal(fay_item_to_json(copy, &json, &size), FAY_OK);
    assert_string_equal(json, text);
    assert_int_equal(size, strlen(text));
    free(json);
    assert_int_equal(fay_item_set_json(copy, "data", "{\"a\": 1}"), FAY_OK);
    assert_int_equal(fay_item_remove(copy, "n"), FAY_OK);
    assert_int_equal(fay_item_remove(copy, "k"), FAY_OK);
    assert_int_equal(fay_item_to_json(copy, &json, NULL), FAY_OK);
    assert_string_equal(json, "{\"data\":\"{\\\"a\\\":1}\"}");
    free(json);
    fay_item_unref(copy);
    fay_error err = {0};
    assert_null(fay_item_from_json("[]", 2, &err));
    assert_int_equal(err.status, FAY_E_INVAL);
    fay_item_unref(NULL);
}

/* A view on a store, as the SDK makes it. */
static void a_view_shows_status(void **state)
{
    (void)state;
    fay_buffer attrs = {0};
    assert_int_equal(fay_attrs_from_json("{\"k\":\"v\"}", 9, &attrs, NULL, NULL, NULL), 0);
    fay_store *store = fay_store_new(64);
    memcpy(store->bytes, "data", 4);
    memcpy(store->bytes + 4, attrs.bytes, fay_buffer_size(&attrs));
    fay_item_status *status = fay_item_status_new("stage", "node");
    atomic_store(&status->pressure, 1);
    fay_item *item = fay_item_view_new();
    item->data = store->bytes;
    item->size = 4;
    item->attrs = store->bytes + 4;
    item->attrs_size = fay_buffer_size(&attrs);
    item->store = store;
    item->status = status;
    item->root = 7;
    item->attempt = 2;
    item->enqueued_ms = 1500;
    assert_int_equal(fay_path_append(&item->path, 2), 0);
    assert_int_equal(fay_path_append(&item->path, 1), 0);

    assert_string_equal(fay_item_id(item), "7.2.1");
    assert_string_equal(fay_item_string(item, "fay.parent", ""), "7.2");
    assert_string_equal(fay_item_string(item, "fay.id", ""), "7.2.1");
    assert_string_equal(fay_item_string(item, "fay.stage", ""), "stage");
    assert_string_equal(fay_item_string(item, "fay.node", ""), "node");
    assert_int_equal(fay_item_int(item, "fay.attempt", 0), 2);
    assert_int_equal(fay_item_int(item, "fay.pressure", 0), 1);
    assert_int_equal(fay_item_type(item, "fay.workers"), FAY_INT);
    assert_int_equal(fay_item_type(item, "fay.other"), FAY_NIL);
    assert_int_equal(fay_item_int(item, "fay.enqueued", 0), 1500);
    assert_string_equal(fay_item_string(item, "k", ""), "v");
    assert_string_equal(fay_item_string(item, "data", ""), "data");
    assert_int_equal(fay_item_set_int(item, "k", 1), FAY_E_DENIED);

    fay_item *kept = fay_item_ref(item);
    assert_false(fay_item_unshared(item));
    fay_item_unref(item); /* the receiver lets go of all it has */
    fay_store_unref(store);
    fay_item_status_unref(status);
    assert_memory_equal(fay_item_data(kept, NULL), "data", 4);
    assert_string_equal(fay_item_string(kept, "k", ""), "v");
    assert_string_equal(fay_item_string(kept, "fay.stage", ""), "stage");
    fay_item *copy = fay_item_copy(kept);
    assert_int_equal(fay_item_type(copy, "fay.id"), FAY_NIL);
    assert_string_equal(fay_item_string(copy, "k", ""), "v");
    fay_item_unref(copy);
    fay_item_unref(kept);
    fay_buffer_deinit(&attrs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_typed),
        cmocka_unit_test(json_and_copies),
        cmocka_unit_test(a_view_shows_status),
    };
    return cmocka_run_group_tests_name("item", tests, NULL, NULL);
}
