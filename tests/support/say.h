/* SPDX-License-Identifier: MIT */
/*
 * Conversations with workers as text, so that a test reads like its transcript:
 *
 *     RESULTS 3+2: a|b        tags 3 and 4, one child each
 *     RESULTS 3+2 (2 0): a|b  both of tag 3
 *     PART 3: a|b             VERDICT 3 retry exit 1: text
 *     BACK 3+2                DOWN exit 3: text
 *
 * Behind a child: {"k":1} its attributes, @3 its targets.
 */
#ifndef FAY_TEST_SAY_H
#define FAY_TEST_SAY_H

#include "base/buffer.h"
#include "wire/block.h"
#include "wire/frame.h"
#include "wire/setup.h"
#include "worker/mode.h"

/* Appends one message and a newline; PING, HELLO and process ids are left out. */
void say_frame(fay_message type, const uint8_t *payload, size_t size, fay_buffer *text);

/* All replies, as a C string that is valid until the next call; clears them. */
const char *say_replies(fay_replies *replies);

/* A setup for tests: names, no limits in the way; argv is copied. Free with fay_setup_deinit(). */
fay_setup say_setup(fay_mode_kind mode, const char *const *argv);

/* The payload of a LEASE: texts as Items with roots from `first` on. gap 1 = they came as lines;
 * attrs (JSON) may be NULL. */
void say_lease(uint64_t first, int gap, const char *attrs, const char *const *texts,
               fay_buffer *payload);

#endif /* FAY_TEST_SAY_H */
