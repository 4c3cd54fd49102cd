/* SPDX-License-Identifier: MIT */
/*
 * A file on a disk that may lose what was not synced.
 *
 *     bytes:  | synced: safe ........ | written: may be lost from the end, or come out wrong |
 *
 * A crash keeps the synced bytes and any number of those behind them, and what it keeps of those
 * may be garbage. A sync that lies moves `synced` only as far as the bytes before the last append:
 * that is what a disk does that holds its last sector in a cache it does not own up to.
 */
#ifndef FAY_SIM_DISK_H
#define FAY_SIM_DISK_H

#include "base/buffer.h"
#include "sim/world.h"

typedef struct fay_sim_file {
    fay_buffer bytes;
    size_t synced;
    size_t last; /* where the last append began */
} fay_sim_file;

void fay_sim_file_deinit(fay_sim_file *file);
size_t fay_sim_file_size(const fay_sim_file *file);
const uint8_t *fay_sim_file_bytes(const fay_sim_file *file);

void fay_sim_file_append(fay_sim_file *file, const void *bytes, size_t size);
void fay_sim_file_sync(fay_sim_file *file, bool lies);
void fay_sim_file_cut(fay_sim_file *file, size_t size); /* size <= its size; safe at once */
void fay_sim_file_crash(fay_sim_file *file, fay_sim_world *world);

#endif /* FAY_SIM_DISK_H */
