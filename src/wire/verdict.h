/* SPDX-License-Identifier: MIT */
/*
 * Bad news: the messages that say why an Item, a worker or a stage failed.
 *
 *     VERDICT  u64 tag | u8 kind | i32 exit | i32 signal | bytes error | bytes stderr tail
 *     DOWN     u8 cause | i32 exit | i32 signal | u64 ns | u64 seen | bytes error | bytes tail
 *     FAILED   u8 kind | i32 exit | bytes message | bytes hint
 *
 * Texts are cut to limits.h when written and refused above it when read. What is parsed points into
 * the payload and is not NUL-terminated; a text of size 0 means there is none.
 */
#ifndef FAY_VERDICT_H
#define FAY_VERDICT_H

#include "base/base.h"
#include "base/buffer.h"

/* Why an Item has no results. The number is the one on the wire. */
#define FAY_VERDICTS(X)                                                                            \
    X(FAY_VERDICT_RETRY, 1, "failed, may be tried again")                                          \
    X(FAY_VERDICT_POISON, 2, "the worker refused it for good")                                     \
    X(FAY_VERDICT_TIMEOUT, 3, "took longer than `timeout`")                                        \
    X(FAY_VERDICT_TOO_LARGE, 4, "a result is larger than `max_item`")                              \
    X(FAY_VERDICT_NO_ARGUMENT, 5, "cannot be an argument of a command")                            \
    X(FAY_VERDICT_BACK, 6, "given back, although nobody asked for it")

typedef enum fay_verdict_kind {
#define X(name, number, text) name = (number),
    FAY_VERDICTS(X)
#undef X
} fay_verdict_kind;

/* Why a worker is gone. */
#define FAY_DOWNS(X)                                                                               \
    X(FAY_DOWN_RETIRED, 0, "retired")                                                              \
    X(FAY_DOWN_EXIT, 1, "exited")                                                                  \
    X(FAY_DOWN_SIGNAL, 2, "killed by a signal")                                                    \
    X(FAY_DOWN_TIMEOUT, 3, "killed, an Item took longer than `timeout`")                           \
    X(FAY_DOWN_OOM, 4, "killed, out of memory")                                                    \
    X(FAY_DOWN_START_FAILED, 5, "could not be started")                                            \
    X(FAY_DOWN_GARBAGE, 6, "broke the protocol")                                                   \
    X(FAY_DOWN_RECYCLED, 7, "recycled")

typedef enum fay_down_cause {
#define X(name, number, text) name = (number),
    FAY_DOWNS(X)
#undef X
} fay_down_cause;

/* Why a stage cannot run. */
typedef enum fay_failed_kind {
    FAY_FAILED_START = 1,  /* its workers cannot be started */
    FAY_FAILED_STOP = 2,   /* a worker asked to stop the run: exit 126 or 127 */
    FAY_FAILED_BREACH = 3, /* a worker broke its mode's contract: its results cannot be trusted */
} fay_failed_kind;

typedef struct fay_text { /* borrowed */
    const char *bytes;
    size_t size;
} fay_text;

typedef struct fay_verdict {
    uint64_t tag;
    fay_verdict_kind kind;
    int32_t exit, signal; /* 0 = does not apply */
    fay_text error, tail; /* tail: the end of the worker's stderr */
} fay_verdict;

typedef struct fay_down {
    fay_down_cause cause;
    int32_t exit, signal;
    fay_ns ns;     /* time that its start took and nobody had use of */
    uint64_t seen; /* the first tag that had not reached it: those from here on are not its fault */
    fay_text error, tail;
} fay_down;

typedef struct fay_failed {
    fay_failed_kind kind;
    int32_t exit;
    fay_text message, hint;
} fay_failed;

/* Borrows a C string; NULL gives the empty text. */
fay_text fay_text_from(const char *text);

/* Each appends a payload (no frame header). */
void fay_verdict_write(const fay_verdict *verdict, fay_buffer *payload);
void fay_down_write(const fay_down *down, fay_buffer *payload);
void fay_failed_write(const fay_failed *failed, fay_buffer *payload);

/* 0, or FAY_E_PEER with *ret untouched. */
int fay_verdict_parse(const uint8_t *payload, size_t size, fay_verdict *ret);
int fay_down_parse(const uint8_t *payload, size_t size, fay_down *ret);
int fay_failed_parse(const uint8_t *payload, size_t size, fay_failed *ret);

/* A few words for people; NULL for a number that is none of the enum. */
const char *fay_verdict_text(fay_verdict_kind kind);
const char *fay_down_text(fay_down_cause cause);

#endif /* FAY_VERDICT_H */
