/* SPDX-License-Identifier: MIT */
/* A stand-in for a run's owner: starts an Instance in a process of its own, and talks to it. */
#ifndef FAY_TEST_OWNER_H
#define FAY_TEST_OWNER_H

#include <sys/types.h>

#include "base/buffer.h"
#include "wire/frame.h"
#include "wire/setup.h"
#include "wire/used.h"

typedef struct owner {
    pid_t pid;
    int fd;
    fay_buffer in, out, text;
    fay_used used; /* what USED has told, all in all, and how often */
    unsigned used_count;
} owner;

/* Forks; the child serves one end of a socket. Sends HELLO and the setup. */
void owner_start(owner *o, const fay_setup *setup);
/* Closes the link and waits: the exit status of the Instance. */
int owner_end(owner *o);

void owner_send(owner *o, fay_message type, uint16_t worker);
void owner_kill(owner *o, uint16_t worker, int signal);
/* Texts as lines, with tags and roots from `first` on. */
void owner_lease(owner *o, uint16_t worker, uint64_t first, const char *const *texts);

/* The next message as say.h tells it, without its newline, and the number of its worker in
 * front: "0 UP". "closed" at the end, "silence" when there is none for 10 s. PINGs are answered,
 * USED is counted. */
const char *owner_next(owner *o);
/* The process id in the last UP. */
pid_t owner_worker_pid(const owner *o);

#endif /* FAY_TEST_OWNER_H */
