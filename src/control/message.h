/* SPDX-License-Identifier: MIT */
/*
 * What callers and Nodes say to each other: the payloads of CALL, ANSWER and CANCEL.
 *
 *     CALL    u32 number | text verb | bytes arguments         a JSON object
 *     ANSWER  u32 number | u8 kind | bytes                     JSON
 *     CANCEL  u32 number
 *
 * What is parsed points into the payload. The JSON in it is for the reader to parse.
 */
#ifndef FAY_CONTROL_MESSAGE_H
#define FAY_CONTROL_MESSAGE_H

#include "base/base.h"
#include "base/buffer.h"

/* What a command exits with whose call has failed: for what it was called with; for all that is
 * wrong with Grid, TLS and who may. */
enum {
    FAY_CONTROL_EXIT_USAGE = 2,
    FAY_CONTROL_EXIT = 4
};

typedef enum fay_answer_kind {
    FAY_ANSWER_MORE = 0,   /* a part; more follows */
    FAY_ANSWER_DONE = 1,   /* the result */
    FAY_ANSWER_FAILED = 2, /* {"status":"denied","exit":4,"message":"..","hint":".."} */
} fay_answer_kind;

typedef struct fay_control_call {
    uint32_t number;
    const char *verb; /* not NUL-terminated, as `json` is not */
    size_t verb_size;
    const char *json;
    size_t json_size;
} fay_control_call;

typedef struct fay_control_answer {
    uint32_t number;
    fay_answer_kind kind;
    const char *json;
    size_t json_size;
} fay_control_answer;

/* Each appends a payload; sizes must be within limits.h. */
void fay_control_call_write(const fay_control_call *call, fay_buffer *payload);
void fay_control_answer_write(const fay_control_answer *answer, fay_buffer *payload);
void fay_control_cancel_write(uint32_t number, fay_buffer *payload);

/* 0, or FAY_E_PEER with *ret untouched. */
int fay_control_call_parse(const uint8_t *payload, size_t size, fay_control_call *ret);
int fay_control_answer_parse(const uint8_t *payload, size_t size, fay_control_answer *ret);
int fay_control_cancel_parse(const uint8_t *payload, size_t size, uint32_t *ret_number);

/* "denied" of FAY_E_DENIED, for JSON; and back: FAY_E_PEER if no status has this name. */
const char *fay_status_name(fay_status status);
fay_status fay_status_find(const char *name);

#endif /* FAY_CONTROL_MESSAGE_H */
