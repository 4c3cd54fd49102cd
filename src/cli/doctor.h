/* SPDX-License-Identifier: MIT */
/*
 * What `faymora doctor` finds. Each check is an object, here and in the output:
 *
 *     {"node":null,"name":"tls","ok":true,"message":"..","hint":".."}
 *
 * Not ok is what keeps a Node or a command from working; ok with a hint is worth knowing. `node`
 * is where it was found: null for this machine by this command, else who was called.
 */
#ifndef FAY_DOCTOR_H
#define FAY_DOCTOR_H

#include "cli/reach.h"

typedef struct fay_check_up {
    fay_reach reach;
    json_t *checks;
} fay_check_up;

/* `hint` may be NULL. */
void fay_doctor_add(fay_check_up *up, const char *name, bool ok, const char *message,
                    const char *hint);

/* doctor_local.c: what can be seen without a Node. */
void fay_doctor_look(fay_check_up *up);

#endif /* FAY_DOCTOR_H */
