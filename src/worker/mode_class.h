/* SPDX-License-Identifier: MIT */
/*
 * What the five modes share behind mode.h, and what each brings. Private to this room.
 *
 *     fay_mode  = held Items + clocks + config + a class + (the class's own struct around it)
 */
#ifndef FAY_MODE_CLASS_H
#define FAY_MODE_CLASS_H

#include "worker/held.h"
#include "worker/mode.h"

typedef struct fay_mode_class {
    size_t size; /* of the struct that begins with a fay_mode */
    int (*init)(fay_mode *mode, fay_error *err);
    void (*deinit)(fay_mode *mode);
    int (*lease)(fay_mode *mode, const fay_lease_frame *lease, fay_replies *out);
    void (*settle)(fay_mode *mode);
    void (*recall)(fay_mode *mode, fay_replies *out);
    const uint8_t *(*input)(fay_mode *mode, size_t *ret_size);
    void (*wrote)(fay_mode *mode, size_t size);
    int (*output)(fay_mode *mode, fay_output *output, fay_replies *out);
    int (*frame)(fay_mode *mode, const fay_frame *frame, fay_replies *out);
    int (*begin)(fay_mode *mode, fay_command *ret, fay_replies *out);
    int (*ended)(fay_mode *mode, const fay_ending *ending, fay_replies *out);
} fay_mode_class;

struct fay_mode {
    const fay_mode_class *class;
    fay_mode_config config;
    bool tests; /* children of this stage are routed one by one */
    fay_held held;
    fay_ns now;   /* of the call that is being served */
    fay_ns mark;  /* useful time is accounted up to here */
    fay_ns since; /* work on the oldest Item began, or it gave a sign of life */
    uint64_t answered;
    bool input_ended; /* lines: answers are held back until all are there */
    size_t behind;    /* lines printed since then */
    int pressure;
    unsigned workers;
    char error[FAY_ERROR_TEXT_MAX];
};

extern const fay_mode_class fay_mode_exec_class, fay_mode_lines_class, fay_mode_batch_class,
    fay_mode_json_class, fay_mode_frames_class;

/* Sets the text of fay_mode_error() and returns FAY_E_PEER. */
int fay_mode_garbage(fay_mode *mode, const char *format, ...) FAY_PRINTF(2, 3);

/* Useful time since the last account of it. */
fay_ns fay_mode_useful(fay_mode *mode);
/* Counts answered Items and restarts the clock of the oldest one. */
void fay_mode_count(fay_mode *mode, uint64_t items);

/* A message without data behind it: begin, write into replies->heads, end. */
void fay_reply_begin(fay_replies *out, fay_message type);
void fay_reply_end(fay_replies *out, const uint8_t *data, size_t size);

/* Takes back all replies but the first `count`. */
void fay_replies_cut(fay_replies *replies, size_t count);

/* RESULTS up to its block: `children` NULL = one each. */
void fay_reply_results(fay_replies *out, uint64_t first, uint32_t count, fay_ns useful,
                       const uint32_t *children);

/* Whole result sets of consecutive tags. */
typedef struct fay_set {
    uint64_t first;
    uint32_t count;
    uint32_t *counts; /* children of each tag; NULL = one each */
    const fay_batch *children;
} fay_set;
/* RESULTS; of one tag with much output, PARTs before it. All is copied. */
void fay_reply_set(fay_replies *out, fay_mode *mode, const fay_set *set);
/* PARTs of one tag alone. */
void fay_reply_parts(fay_replies *out, const fay_mode *mode, uint64_t tag,
                     const fay_batch *children);
/* Ends a reply that has all but its block: the block of these children, with routes if the stage's
 * children are tested. */
void fay_reply_routed(fay_replies *out, const fay_mode *mode, const fay_batch *children);

void fay_reply_given_back(fay_replies *out, uint64_t first, uint32_t count);

/* A verdict of ours about an Item that no process has seen. */
void fay_reply_refusal(fay_replies *out, uint64_t tag, int kind, const char *error);

/* Gives back up to `items` of the youngest ones. */
void fay_mode_give_back(fay_mode *mode, size_t items, fay_replies *out);

/* 0, or garbage when an Item of the worker is larger than max_item. */
int fay_mode_check_item(fay_mode *mode, uint64_t size);

#endif /* FAY_MODE_CLASS_H */
