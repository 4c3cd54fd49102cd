/* SPDX-License-Identifier: MIT */
#include "sim/disk.h"

#include <assert.h>
#include <string.h>

void fay_sim_file_deinit(fay_sim_file *file)
{
    fay_buffer_deinit(&file->bytes);
}

size_t fay_sim_file_size(const fay_sim_file *file)
{
    return fay_buffer_size(&file->bytes);
}

const uint8_t *fay_sim_file_bytes(const fay_sim_file *file)
{
    return fay_buffer_data(&file->bytes);
}

void fay_sim_file_append(fay_sim_file *file, const void *bytes, size_t size)
{
    file->last = fay_sim_file_size(file);
    fay_buffer_append(&file->bytes, bytes, size);
}

void fay_sim_file_sync(fay_sim_file *file, bool lies)
{
    /* A later lie does not undo what an earlier sync made safe. */
    size_t safe = lies ? file->last : fay_sim_file_size(file);
    file->synced = FAY_MAX(file->synced, safe);
}

void fay_sim_file_cut(fay_sim_file *file, size_t size)
{
    assert(size <= fay_sim_file_size(file));
    file->bytes.end = file->bytes.start + size;
    file->synced = file->last = size;
}

void fay_sim_file_crash(fay_sim_file *file, fay_sim_world *world)
{
    size_t size = fay_sim_file_size(file), kept = fay_sim_between(world, file->synced, size);
    if (fay_sim_chance(world, 0.5))
        kept = size; /* it was all on its way: only what it says may be wrong */
    uint8_t *bytes = file->bytes.bytes + file->bytes.start;
    if (kept > file->synced && fay_sim_chance(world, 0.5)) {
        size_t at = fay_sim_between(world, file->synced, kept - 1);
        if (fay_sim_chance(world, 0.5)) {
            memset(bytes + at, 0, kept - at); /* the length was written, the data was not */
        } else {
            bytes[at] ^= (uint8_t)fay_sim_between(world, 1, 255);
        }
    }
    file->bytes.end = file->bytes.start + kept;
    file->synced = file->last = kept;
}
