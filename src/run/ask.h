/* SPDX-License-Identifier: MIT */
/*
 * A question to the user at the terminal that the run was started from, answered yes or no:
 *
 *     "Go on? [y/N] " --> YES | NO (also an empty line) | GONE (end of file, a terminal hung up,
 *                                                         the run put into the background)
 *
 * The question goes to stderr, the answer is read from /dev/tty by a descriptor of our own: stdin
 * may be the source. Who is in the background is not the one that the user types to, and reading
 * would stop it (SIGTTIN): it is neither asked nor does it read. Ctrl-C is a signal, not an answer.
 *
 * SIGHUP is caught from the question until fay_ask_free(), so that a run whose terminal goes ends
 * in good order.
 */
#ifndef FAY_ASK_H
#define FAY_ASK_H

#include <uv.h>

#include "base/base.h"

typedef enum fay_answer {
    FAY_ANSWER_YES,
    FAY_ANSWER_NO,
    FAY_ANSWER_GONE
} fay_answer;

typedef struct fay_ask fay_ask;

/* Waits for an answer to the question (borrowed), which fay_ask_show() shows. NULL: there is nobody
 * to be asked. */
fay_ask *fay_ask_new(uv_loop_t *loop, const char *question,
                     void (*answered)(void *context, fay_answer answer), void *context);
/* No answer is waited for any more, as after one. All from here on take NULL. */
void fay_ask_close(fay_ask *ask);
void fay_ask_free(fay_ask *ask);
bool fay_ask_is_open(const fay_ask *ask);

/* Around anything else that is written to the terminal: it gets a line of its own, and the question
 * stands behind it again. */
void fay_ask_hide(fay_ask *ask);
void fay_ask_show(fay_ask *ask);

#endif /* FAY_ASK_H */
