/* SPDX-License-Identifier: MIT */
/*
 * Words that a pipeline file, the SETUP message and the worker modes share: one list each for the
 * enum, the number on the wire and the name in the file.
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
#undef X

#endif /* FAY_MODES_H */
