/* SPDX-License-Identifier: MIT */
/*
 * Statements of members from anybody. The oracles: what parses is within the limits, and written
 * again gives the same bytes; a copy stands on its own.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "grid/record.h"
#include "grid/rumors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_bytes(const fay_buffer *written, const uint8_t *data, size_t size)
{
    assert(fay_buffer_size(written) == size);
    assert(memcmp(fay_buffer_data(written), data, size) == 0);
}

static void try_record(const uint8_t *data, size_t size)
{
    fay_grid_record record;
    if (fay_record_parse(data, size, &record) != 0)
        return;
    assert(size <= FAY_GRID_SIGNED_MAX && record.boot > 0 && record.boot <= FAY_GRID_BOOT_MAX);
    assert(record.name.size > 0 && record.name.size <= FAY_GRID_NAME_MAX);
    assert(record.address.size > 0 && record.address.size <= FAY_GRID_ADDRESS_MAX);
    assert(record.meta.size <= FAY_GRID_META_MAX);
    FAY_CLEANUP(fay_freep) fay_grid_record *copy = fay_record_copy(&record);
    assert(fay_record_compare(&record, copy) == 0);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer written = {0};
    fay_record_write(copy, &written);
    same_bytes(&written, data, size);
}

static void try_accusation(const uint8_t *data, size_t size)
{
    fay_grid_accusation accusation;
    if (fay_accusation_parse(data, size, &accusation) != 0)
        return;
    assert(fay_evidence_text(accusation.evidence) != NULL);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer written = {0};
    fay_accusation_write(&accusation, &written);
    same_bytes(&written, data, size);
}

static void try_rumor(const uint8_t *data, size_t size)
{
    fay_rumor_said said;
    if (fay_rumor_parse(data, size, &said) != 0)
        return;
    assert(said.payload.size <= FAY_GRID_RUMOR_MAX);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer written = {0};
    fay_rumor_write(&said, &written);
    same_bytes(&written, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_rumor(data, size);
    try_record(data, size);
    try_accusation(data, size);
    return 0;
}
