/* SPDX-License-Identifier: MIT */
/*
 * Attributes from outside. The oracle: what the check lets pass, libmsgpack unpacks to its end, and
 * from then on attrs -> JSON -> attrs -> JSON changes nothing any more.
 */
#include <assert.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "item/attrs.h"
#include "wire/msgpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_with_libmsgpack(const uint8_t *data, size_t size)
{
    msgpack_unpacked unpacked;
    size_t at = 0;
    msgpack_unpacked_init(&unpacked);
    assert(msgpack_unpack_next(&unpacked, (const char *)data, size, &at) == MSGPACK_UNPACK_SUCCESS);
    assert(at == size && unpacked.data.type == MSGPACK_OBJECT_MAP);
    msgpack_unpacked_destroy(&unpacked);
}

static void round_trip(const uint8_t *data, size_t size)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer json = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer attrs = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer again = {0};
    fay_attrs_to_json(data, size, &json);
    const char *text = fay_buffer_text(&json);
    fay_error err = {0};
    if (fay_attrs_from_json(text, fay_buffer_size(&json), &attrs, NULL, NULL, &err) != 0) {
        assert(err.message[0] != '\0'); /* bytes as JSON nest one deeper, so limits may strike */
        return;
    }
    size_t attrs_size = fay_buffer_size(&attrs);
    assert(fay_attrs_check(attrs.bytes, attrs_size) == 0);
    fay_buffer_clear(&json);
    fay_attrs_to_json(attrs.bytes, attrs_size, &json);

    FAY_CLEANUP(fay_buffer_deinit) fay_buffer second = {0};
    assert(fay_attrs_from_json(fay_buffer_text(&json), fay_buffer_size(&json), &second, NULL, NULL,
                               NULL) == 0);
    fay_attrs_to_json(second.bytes, fay_buffer_size(&second), &again);
    assert(strcmp(fay_buffer_text(&again), fay_buffer_text(&json)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    bool has_data;
    bool good = size > 0 && fay_attrs_check(data, size) == 0;
    if (good) {
        check_with_libmsgpack(data, size);
        round_trip(data, size);
    }
    /* Neither may any of these fall over bytes that nobody has checked. */
    fay_attrs_to_json(data, size, &out);
    (void)fay_attrs_text(data, size, "a", &out);
    fay_buffer_clear(&out);
    if (size > 0 && fay_attrs_from_msgpack(data, size, &out, NULL) == 0 &&
        fay_buffer_size(&out) > 0)
        assert(fay_attrs_check(out.bytes, fay_buffer_size(&out)) == 0);
    fay_buffer_clear(&out);
    if (fay_attrs_from_json((const char *)data, size, &out, &payload, &has_data, NULL) == 0 &&
        fay_buffer_size(&out) > 0)
        assert(fay_attrs_check(out.bytes, fay_buffer_size(&out)) == 0);
    (void)fay_json_member_text(data, size, "a.0", &payload);
    return 0;
}
