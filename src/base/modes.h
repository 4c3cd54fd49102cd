/* SPDX-License-Identifier: MIT */
/*
 * Words about a stage that more than one room knows. A pipeline file, the SETUP message and the
 * worker modes share some: one list each for the enum, the number on the wire (they count up from
 * 0) and the name in the file. What becomes of failures is shared by the pipeline and the flow.
 */
#ifndef FAY_MODES_H
#define FAY_MODES_H

#define FAY_MODES(X)                                                                               \
    X(FAY_MODE_EXEC, 0, "exec")                                                                    \
    X(FAY_MODE_LINES, 1, "lines")                                                                  \
    X(FAY_MODE_BATCH, 2, "batch")                                                                  \
    X(FAY_MODE_JSON, 3, "json")                                                                    \
    X(FAY_MODE_FRAMES, 4, "frames")

#define FAY_EMITS(X)                                                                               \
    X(FAY_EMIT_LINES, 0, "lines")                                                                  \
    X(FAY_EMIT_WHOLE, 1, "whole")

#define FAY_BUFFERINGS(X)                                                                          \
    X(FAY_BUFFERING_LINE, 0, "line")                                                               \
    X(FAY_BUFFERING_PTY, 1, "pty")                                                                 \
    X(FAY_BUFFERING_NONE, 2, "none")

/* How Items lie in a stream (item/format.h). */
#define FAY_FORMATS(X)                                                                             \
    X(FAY_FORMAT_LINES, 0, "lines")                                                                \
    X(FAY_FORMAT_JSONL, 1, "jsonl")                                                                \
    X(FAY_FORMAT_NUL, 2, "nul")                                                                    \
    X(FAY_FORMAT_NETSTRING, 3, "netstring")                                                        \
    X(FAY_FORMAT_U32BE, 4, "u32be")                                                                \
    X(FAY_FORMAT_MSGPACK, 5, "msgpack")

#define X(name, number, text) name = (number),
typedef enum fay_mode_kind {
    FAY_MODES(X)
} fay_mode_kind;
typedef enum fay_emit_kind {
    FAY_EMITS(X)
} fay_emit_kind;
typedef enum fay_buffering {
    FAY_BUFFERINGS(X)
} fay_buffering;
typedef enum fay_format {
    FAY_FORMATS(X)
} fay_format;
#undef X

/* What becomes of an Item that has failed for good, */
typedef enum fay_on_error {
    FAY_ON_ERROR_DEAD,
    FAY_ON_ERROR_DROP,
    FAY_ON_ERROR_STOP
} fay_on_error;
/* and which failures are worth another try. */
enum {
    FAY_RETRY_ON_EXIT = 1u,
    FAY_RETRY_ON_SIGNAL = 2u,
    FAY_RETRY_ON_TIMEOUT = 4u
};

#endif /* FAY_MODES_H */
