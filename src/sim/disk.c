/* SPDX-License-Identifier: MIT */
#include "sim/disk.h"

#include <assert.h>

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
    size_t kept = fay_sim_between(world, file->synced, fay_sim_file_size(file));
    file->bytes.end = file->bytes.start + kept;
    if (kept > file->synced && fay_sim_chance(world, 0.3)) {
        size_t at = fay_sim_between(world, file->synced, kept - 1);
        file->bytes.bytes[file->bytes.start + at] ^= (uint8_t)fay_sim_between(world, 1, 255);
    }
    file->synced = file->last = kept;
}
