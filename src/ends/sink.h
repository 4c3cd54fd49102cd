/* SPDX-License-Identifier: MIT */
/*
 * Where a run's output goes. What is to be written is a queue of jobs, carried out in order as far
 * as the sink takes them; what waits here is bounded by the flow, which counts what is not WRITTEN.
 *
 *     write --> [ bytes ][ bytes ][ spool ][ mark ][ bytes ] --> stdout, file, command, reader
 *                  |         '- up to 256 KiB of Items, joined in the sink's format
 *                  '- taken: `written` says how many Items
 *
 *     mark    everything before it is written: `marked` says up to which offset
 *     spool   Items from an unlinked file, joined piece by piece when it is their turn
 *
 * Only a regular file has an offset and can be cut back to it on resume; stdout that leads to a
 * regular file is one. `sync: batch` and `sync: item` report nothing as written before it is
 * synced.
 */
#ifndef FAY_SINK_H
#define FAY_SINK_H

#include <uv.h>

#include "base/base.h"
#include "ends/spools.h"
#include "loop/process.h"
#include "pipeline/pipeline.h"
#include "wire/batch.h"

typedef struct fay_sink fay_sink;

typedef struct fay_sink_events {
    void (*written)(void *context, uint64_t items, uint64_t bytes);
    void (*marked)(void *context);
    /* This Item cannot be said in the sink's format. It counts as written. */
    void (*refused)(void *context, const fay_batch *batch, size_t index);
    /* Nothing can be written any more. `closed`: the reader of stdout has gone, as it may. */
    void (*failed)(void *context, bool closed, const fay_error *err);
    /* After fay_sink_finish(): all is done, or err says what went wrong. */
    void (*finished)(void *context, const fay_error *err);
} fay_sink_events;

/* Which file an offset is of; device and inode are 0 when it is none. */
typedef struct fay_sink_place {
    uint64_t offset, device, inode;
} fay_sink_place;

typedef struct fay_sink_config {
    uv_loop_t *loop;
    fay_processes *processes;
    fay_spools *spools;
    const fay_sink_def *def;
    const fay_sink_place *past; /* a resumed run: cut the file to this; NULL = begin anew */
    const fay_sink_events *events;
    void *context;
} fay_sink_config;

/* FAY_E_STALE: the file is not, or no longer, what `past` says; nothing has been touched then.
 * FAY_E_IO, FAY_E_INVAL. All with err set. */
int fay_sink_open(const fay_sink_config *config, fay_sink **ret, fay_error *err);
void fay_sink_free(fay_sink *sink);

/* Weight is what the flow counts: payload and attributes. The batch is copied. */
void fay_sink_write(fay_sink *sink, const fay_batch *batch, size_t at, size_t count);
/* The Items of the spool that are for the sink. Takes a user of its own. */
void fay_sink_write_spool(fay_sink *sink, uint32_t spool, uint64_t items);
void fay_sink_mark(fay_sink *sink);
/* Writes as far as the sink takes it. Once after all that came in a step. */
void fay_sink_flush(fay_sink *sink);
/* No more will come. What is not written yet is written first, unless `drop`. */
void fay_sink_finish(fay_sink *sink, bool drop);

/* The end of what is written; .inode 0 if the sink is no file. */
fay_sink_place fay_sink_where(const fay_sink *sink);
/* The descriptor of a sink that is a file, -1 otherwise. To sync it. */
int fay_sink_fd(const fay_sink *sink);
/* A flush stopped before its end so that the loop may turn: flush again soon. */
bool fay_sink_has_more(const fay_sink *sink);

#endif /* FAY_SINK_H */
