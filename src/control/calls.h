/* SPDX-License-Identifier: MIT */
/*
 * Calls: the server's half of the control interface. All calls of one caller, over whatever brings
 * frames: a unix socket (control/server.h), or a TLS connection (net/peer.h).
 *
 *     CALL --verb, role, arguments--> begin() --> under way --more--> ANSWER 0, and goes on
 *               |                                   |-- done -------> ANSWER 1
 *               '-- wrong: ANSWER 2                 |-- fail -------> ANSWER 2
 *                                                   '-- CANCEL, or the caller is gone: on_end
 *
 * A verb begins when its CALL comes, and answers then or at any later time. A call ends once, in
 * one of the three ways on the right, and is no more after that.
 *
 * Ownership: the calls belong to fay_calls, and what on_end is given to whoever has set it.
 */
#ifndef FAY_CALLS_H
#define FAY_CALLS_H

#include <jansson.h>

#include "base/base.h"
#include "wire/frame.h"

typedef struct fay_calls fay_calls;
typedef struct fay_call fay_call;

/* A table of them ends with {0}. */
typedef struct fay_verb {
    const char *name;
    unsigned roles; /* who may: one of these is enough (pki/role.h) */
    /* `args` is an object, borrowed for this call. */
    void (*begin)(void *context, fay_call *call, const json_t *args);
} fay_verb;

typedef struct fay_calls_config {
    const fay_verb *verbs;
    void *verbs_context; /* of `begin` */
    /* An ANSWER. Must not free the calls; who finds then that the caller is gone says so later. */
    void (*send)(void *context, fay_message type, const void *payload, size_t size);
    void *send_context;
    unsigned roles;     /* that the caller has */
    const char *caller; /* who it is, for messages and logs: "uid 1000, pid 4711"; copied */
    void *proof;        /* what has proven that, for verbs that want to know; borrowed */
} fay_calls_config;

fay_calls *fay_calls_new(const fay_calls_config *config);
/* The caller is gone: ends what is under way. NULL is fine. */
void fay_calls_free(fay_calls *calls);

/* A CALL, a CANCEL, or the PING of who waits long. FAY_E_PEER: it is none of these, or breaks the
 * protocol: the connection shall end. What is wrong with what is called (verb, role, arguments, too
 * many at once) is answered. */
int fay_calls_frame(fay_calls *calls, const fay_frame *frame);

const char *fay_call_caller(const fay_call *call);
void *fay_call_proof(const fay_call *call);    /* NULL = none */
unsigned fay_call_roles(const fay_call *call); /* of its caller */

/* Each takes the value; NULL is {}. A part that is too large is not sent (FAY_E_NORES), and the
 * call goes on; a result that is too large fails it. */
int fay_call_more(fay_call *call, json_t *part);
void fay_call_done(fay_call *call, json_t *result);
/* `exit`: what the command that has called exits with. */
void fay_call_fail(fay_call *call, const fay_error *err, int exit);

/* What is called, once, when the call ends in any other way than by done or fail: nothing may be
 * answered any more. Set anew, it replaces what was set. */
void fay_call_on_end(fay_call *call, void (*ended)(void *context), void *context);

#endif /* FAY_CALLS_H */
