/* SPDX-License-Identifier: MIT */
/*
 * Worker modes: how one worker is given Items, and what its answers mean. Sans-IO: an Instance
 * spawns, reads and writes; a mode says what to write, and makes of what was read the messages for
 * the owner.
 *
 *     LEASE ---> fay_mode_lease ---> held ---> fay_mode_input ---> the worker's stdin
 *     owner <--- replies <---------- held <--- fay_mode_output <-- its stdout
 *
 *     lines, json   one process, fed and read for as long as it lives
 *     frames        one process of ours, over a socketpair; messages are checked and passed on
 *     exec, batch   one process per Item or per lease: begin, (run), ended, output
 *
 * Replies are carried out in order, then cleared. Their data is borrowed from what was handed in,
 * and valid until the next call on the same mode.
 *
 * One type for all five, because an Instance treats them alike but for the calls above; each has a
 * file of its own behind the table `fay_mode_class`.
 */
#ifndef FAY_MODE_H
#define FAY_MODE_H

#include "base/base.h"
#include "base/buffer.h"
#include "base/modes.h"
#include "item/route.h"
#include "wire/block.h"
#include "wire/frame.h"
#include "wire/setup.h"

typedef struct fay_reply {
    fay_message type;
    size_t head_at, head_size; /* within replies.heads */
    const uint8_t *data;       /* behind the head */
    size_t data_size;
} fay_reply;

typedef struct fay_replies {
    fay_buffer heads;
    fay_reply *list;
    size_t count, capacity;
} fay_replies;

static inline const uint8_t *fay_reply_head(const fay_replies *replies, const fay_reply *reply)
{
    const fay_buffer *heads = &replies->heads;
    return heads->bytes != NULL ? heads->bytes + heads->start + reply->head_at : NULL;
}
void fay_replies_clear(fay_replies *replies);
void fay_replies_deinit(fay_replies *replies);

typedef struct fay_mode_config {
    const fay_setup *setup;   /* borrowed for the mode's life */
    const fay_router *router; /* the same; NULL = routes are not wanted */
    unsigned number;          /* of the worker, from 0 */
} fay_mode_config;

typedef struct fay_mode fay_mode;

/* NULL with err set (FAY_E_CONFIG): a placeholder that is none. */
fay_mode *fay_mode_new(const fay_mode_config *config, fay_error *err);
void fay_mode_free(fay_mode *mode);
void fay_mode_freep(fay_mode **mode); /* for FAY_CLEANUP */

/* ---- Items in ------------------------------------------------------------------------------- */

/*
 * Items for the worker. The frame is borrowed until fay_mode_settle(), before which the caller
 * writes what fay_mode_input() gives, so that most Items are never copied. FAY_E_PEER: the owner
 * broke the protocol. Items that no worker of the mode can be given have their verdict in `out`.
 */
int fay_mode_lease(fay_mode *mode, const fay_lease_frame *lease, fay_ns now, fay_replies *out);
void fay_mode_settle(fay_mode *mode);

/* Gives back what has not begun. */
void fay_mode_recall(fay_mode *mode, fay_replies *out);

/* What the stage looks like, for fay.pressure and fay.workers. */
void fay_mode_status(fay_mode *mode, int pressure, unsigned workers);

/* Bytes for the worker's standard input, valid until the next call; *ret_size = 0: none now. */
const uint8_t *fay_mode_input(fay_mode *mode, size_t *ret_size);
void fay_mode_wrote(fay_mode *mode, size_t size, fay_ns now);

/* lines: we have closed the worker's stdin. What it prints from now on are results only if it is
 * one line for each Item in hand when it has ended: an answer that never came shows then, and those
 * behind it would be matched to the wrong Items. */
void fay_mode_input_ended(fay_mode *mode);
bool fay_mode_holds_back(const fay_mode *mode);

size_t fay_mode_held(const fay_mode *mode);                    /* Items not answered */
bool fay_mode_oldest(const fay_mode *mode, uint64_t *ret_tag); /* of these; false = none */
size_t fay_mode_owed(const fay_mode *mode);       /* the same without those whose answer waits */
uint64_t fay_mode_answered(const fay_mode *mode); /* Items answered since it is */
/* When work on the oldest Item owed began or gave a sign of life; FAY_NEVER = none is owed. */
fay_ns fay_mode_since(const fay_mode *mode);

/* ---- answers out ---------------------------------------------------------------------------- */

/* What was read from the worker's standard output and not used before. */
typedef struct fay_output {
    const uint8_t *bytes;
    size_t size;
    bool final;  /* nothing will follow */
    bool well;   /* final: the worker has ended with exit 0 */
    size_t used; /* set by the mode: so much is done with; the rest is given again, with more */
} fay_output;

/*
 * Output of a worker. FAY_E_PEER: the worker broke its contract, fay_mode_error() says how; `out`
 * holds what was good before that and is to be carried out.
 * In exec and batch, output of a process that has succeeded: the try is over when `final` was given
 * and all is used, or with FAY_MODE_REFUSED: the output is none, and its verdict is in `out`.
 * In lines, FAY_MODE_REFUSED: a line was too long, the verdict of its Item is in `out`; the worker
 * has to go, and its other Items are not at fault. FAY_MODE_BREACH: it printed more lines than it
 * was given Items, or it was given the end of its input and has ended well with fewer: its answers,
 * also those passed on before, may be those of other Items, and `out` holds none of these lines.
 */
enum {
    FAY_MODE_REFUSED = 1,
    FAY_MODE_BREACH = 2,
};
int fay_mode_output(fay_mode *mode, fay_output *output, fay_ns now, fay_replies *out);
const char *fay_mode_error(const fay_mode *mode);

/* frames: a message from the worker. FAY_E_PEER as above. */
int fay_mode_frame(fay_mode *mode, const fay_frame *frame, fay_ns now, fay_replies *out);

/* ---- exec and batch: a process for each try ------------------------------------------------- */

typedef struct fay_command {
    const char *const *argv;
    const char *const *env; /* "K=V" on top of the stage's environment; NULL-terminated */
    bool input; /* fay_mode_input() until it is empty, then end of file; else /dev/null */
} fay_command;

enum {
    FAY_MODE_BEGIN = 0, /* *ret is the process to start */
    FAY_MODE_IDLE = 1,  /* nothing to start */
};
/* Begins the oldest lease's try. Items that cannot be arguments get their verdict on the way. */
int fay_mode_begin(fay_mode *mode, fay_ns now, fay_command *ret, fay_replies *out);

/* Items of the process that runs. */
size_t fay_mode_begun(const fay_mode *mode);

/* How a process, or its start, has ended. */
typedef struct fay_ending {
    int start_errno;     /* it could not be started: why; else 0 */
    int status;          /* as from waitpid */
    bool timed_out;      /* killed for `timeout` */
    bool too_large;      /* killed for max_output, or for an Item over max_item */
    const char *error;   /* killed or refused for another reason of ours, in words; else NULL */
    const uint8_t *tail; /* of its stderr */
    size_t tail_size;
} fay_ending;

enum {
    FAY_MODE_ANSWERED = 0, /* the try has failed, its verdict is in `out` */
    FAY_MODE_ACCEPTED = 1, /* it has succeeded: give its output to fay_mode_output() */
    FAY_MODE_STOP = 2,     /* it asked to stop the run: FAILED is in `out` */
    FAY_MODE_BROKEN = 3,   /* several Items were in it: the worker is to be reported as down */
};
int fay_mode_ended(fay_mode *mode, const fay_ending *ending, fay_ns now, fay_replies *out);

/* "exit 1", "killed by signal 11 (Segmentation fault)": for error texts. */
void fay_status_text(int status, char *text, size_t size);

#endif /* FAY_MODE_H */
