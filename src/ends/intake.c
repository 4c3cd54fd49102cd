/* SPDX-License-Identifier: MIT */
#include "ends/intake.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "item/attrs.h"

#define CHUNK_MAX       (1 * FAY_MIB)
#define CHUNK_ITEMS_MAX ((size_t)65536)

void fay_intake_init(fay_intake *intake, fay_format format, bool strip, uint64_t item_max)
{
    *intake =
        (fay_intake){.framing = format, .format = format, .strip = strip, .item_max = item_max};
}

void fay_intake_deinit(fay_intake *intake)
{
    fay_buffer_deinit(&intake->buffer);
    free(intake->ends);
    *intake = (fay_intake){0};
}

uint8_t *fay_intake_room(fay_intake *intake, size_t *ret_size)
{
    size_t used = fay_buffer_size(&intake->buffer);
    *ret_size = FAY_INTAKE_READ;
    /* Grows with a long Item by doubling, so that moving what is there stays linear. */
    if (used > FAY_INTAKE_READ)
        *ret_size = used;
    return fay_buffer_reserve(&intake->buffer, *ret_size);
}

static void note_end(fay_intake *intake, size_t index, uint64_t end)
{
    FAY_RESERVE(intake->ends, intake->ends_capacity, index + 1);
    intake->ends[index] = end;
}

/* The hot way: as many lines as are wanted, found by their newlines and copied in one piece. */
static fay_batch *cut_lines(fay_intake *intake, size_t items, size_t bytes)
{
    const uint8_t *data = fay_buffer_data(&intake->buffer);
    size_t size = fay_buffer_size(&intake->buffer);
    fay_batch *batch = NULL;
    size_t at = 0;
    size_t search = intake->scanned;
    while (at < size && at < bytes) {
        const uint8_t *found = memchr(data + search, '\n', size - search);
        if (found == NULL) {
            search = size;
            break;
        }
        size_t next = (size_t)(found - data) + 1;
        if (next - 1 - at > intake->item_max)
            break; /* the general way tells about it */
        if (batch == NULL) {
            batch = fay_batch_new();
            batch->gap = 1;
            fay_batch_reserve(batch, FAY_MIN(items, FAY_MIN(bytes, size) / next + 1), 0);
        }
        FAY_RESERVE(batch->entries, batch->capacity, batch->count + 1);
        batch->entries[batch->count] =
            (fay_entry){.at = (uint32_t)at, .size = (uint32_t)(next - 1 - at)};
        note_end(intake, batch->count++, intake->position + next);
        at = search = next;
        if (batch->count == items)
            break;
    }
    intake->scanned = search - at;
    if (batch == NULL)
        return NULL;
    batch->bytes = fay_realloc(batch->bytes, at);
    memcpy(batch->bytes, data, at);
    batch->size = batch->room = at;
    fay_buffer_consume(&intake->buffer, at);
    intake->position += at;
    return batch;
}

static bool looks_like_object(const uint8_t *payload, size_t size)
{
    size_t at = 0;
    while (at < size && isspace(payload[at]) != 0) {
        at++;
    }
    return at < size && payload[at] == '{';
}

int fay_intake_attrs(fay_format format, fay_batch *batch, const uint8_t *payload, size_t size,
                     fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer attrs = {0};
    int r = 0;
    if (format == FAY_FORMAT_MSGPACK) { /* what is no map has none */
        if (fay_attrs_from_msgpack(payload, size, &attrs, NULL) != 0)
            return 0;
    } else if (format == FAY_FORMAT_JSONL && looks_like_object(payload, size)) {
        r = fay_attrs_from_json((const char *)payload, size, &attrs, NULL, NULL, err);
    }
    if (r == 0 && fay_buffer_size(&attrs) > 0)
        fay_batch_append_attrs(batch, fay_buffer_data(&attrs), fay_buffer_size(&attrs));
    return r;
}

/* It is an Item all the same; but a `when` will not see what it says. */
static void tell_no_attributes(fay_intake *intake, const fay_error *err)
{
    if (!intake->told) {
        fay_log(FAY_WARN, "source.attributes",
                "byte=%llu why=\"%s\" note=\"passed on without attributes; told once\"",
                (unsigned long long)(intake->position & FAY_INTAKE_OFFSET_MASK), err->message);
    }
    intake->told = true;
}

static int tell(const fay_intake *intake, int status, fay_error *err)
{
    char most[FAY_UNITS_TEXT_MAX];
    if (status == FAY_E_NORES) {
        int r =
            fay_fail_with(err, FAY_E_INVAL, "the Item at byte %llu is larger than %s (max_item)",
                          (unsigned long long)(intake->position & FAY_INTAKE_OFFSET_MASK),
                          fay_size_text(intake->item_max, most));
        fay_hint(err, "raise it: max_item of a stage, or --set STAGE.max_item=64MiB");
        return r;
    }
    return fay_fail_with(err, FAY_E_INVAL, "what stands at byte %llu is not of the format '%s'",
                         (unsigned long long)(intake->position & FAY_INTAKE_OFFSET_MASK),
                         fay_format_name(intake->framing));
}

/* Any format, Item by Item. */
static int cut_any(fay_intake *intake, bool final, fay_chunk *ret, size_t items, size_t bytes)
{
    fay_batch *batch = fay_batch_new();
    batch->gap = intake->framing == FAY_FORMAT_LINES ? 1 : 0;
    int r = FAY_SPLIT_MORE;
    while (batch->count < items && batch->size < bytes && fay_buffer_size(&intake->buffer) > 0) {
        fay_slice slice;
        const uint8_t *data = fay_buffer_data(&intake->buffer);
        r = fay_split(intake->framing, data, fay_buffer_size(&intake->buffer), final, intake->strip,
                      intake->item_max, &intake->scanned, &slice);
        if (r != FAY_SPLIT_ITEM)
            break;
        (void)fay_batch_append(batch, data + slice.at, slice.length);
        fay_error err = {0};
        if (fay_intake_attrs(intake->format, batch, data + slice.at, slice.length, &err) != 0)
            tell_no_attributes(intake, &err);
        fay_buffer_consume(&intake->buffer, slice.next);
        intake->position += slice.next;
        intake->scanned = 0;
        note_end(intake, batch->count - 1, intake->position);
    }
    if (batch->count == 0) {
        fay_batch_unref(batch);
        return r < 0 ? r : FAY_INTAKE_EMPTY;
    }
    ret->batch = batch;
    return 0;
}

int fay_intake_cut(fay_intake *intake, bool final, uint64_t items, uint64_t bytes, fay_chunk *ret,
                   fay_error *err)
{
    size_t items_max = (size_t)FAY_MIN(items, (uint64_t)CHUNK_ITEMS_MAX);
    size_t bytes_max = (size_t)FAY_MIN(bytes, (uint64_t)CHUNK_MAX);
    assert(items_max > 0 && bytes_max > 0);
    fay_chunk chunk = {.stage = -1};
    int r = 0;
    if (intake->framing == FAY_FORMAT_LINES && !intake->strip)
        chunk.batch = cut_lines(intake, items_max, bytes_max);
    if (chunk.batch == NULL)
        r = cut_any(intake, final, &chunk, items_max, bytes_max);
    if (r < 0)
        return tell(intake, r, err);
    if (r == 0) {
        chunk.ends = intake->ends;
        *ret = chunk;
    }
    return r;
}
