/* SPDX-License-Identifier: MIT */
/*
 * What an Instance (and a worker in frames mode) is told before anything else: the SETUP message.
 * Every field is a plain value, so that the owner can be on another machine.
 */
#ifndef FAY_SETUP_H
#define FAY_SETUP_H

#include "base/base.h"
#include "base/buffer.h"

typedef struct fay_setup {
    char *run, *pipeline, *stage, *node; /* names: "7f3a", "thumbs", "resize", "localhost" */
    uint8_t mode, emit, buffering;       /* fay_mode_kind, .. (base/modes.h), checked when read */
    uint8_t format;                      /* fay_format, of batch and exec output */
    uint8_t tag;                         /* prefix workers' stderr lines with "stage/worker| " */
    char **argv;                         /* NULL-terminated; of a module: NULL */
    char *module, *options, *cwd;        /* "" = none */
    char **env;                          /* "K=V", NULL-terminated, on top of the inherited one */
    uint64_t item_max, output_max;       /* bytes */
    fay_ns timeout, stall;               /* 0 = none */
    int32_t stop_signal;
    fay_ns stop_grace;
    uint64_t recycle_items, recycle_rss; /* 0 = never */
    fay_ns recycle_age;
    uint64_t memory_max; /* bytes that a worker's processes may hold; 0 = any */
    /* The routes from this stage on: for each stage of the pipeline its `when` text ("" = none,
     * "else"), and whom it feeds (bit n = stage n, FAY_TARGET_SINK). Empty: routes are not wanted.
     */
    char **whens;    /* NULL-terminated, one per stage of the pipeline */
    uint64_t *feeds; /* as many */
    uint32_t stages; /* how many */
    uint32_t index;  /* of this stage */
} fay_setup;

void fay_setup_deinit(fay_setup *setup);
void fay_setup_write(const fay_setup *setup, fay_buffer *out);
/* 0, or FAY_E_PEER with *ret empty. */
int fay_setup_parse(const uint8_t *payload, size_t size, fay_setup *ret);

#endif /* FAY_SETUP_H */
