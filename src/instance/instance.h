/* SPDX-License-Identifier: MIT */
/*
 * An Instance: the process of one stage on one machine. It spawns and feeds the stage's workers and
 * speaks with its owner over one link. It owns no Item: what it has is leased, and it may die at
 * any time.
 *
 *      owner ==link== [ Instance: mode, limits, held output ] --stdin, fd 3--> worker
 *                                                             <--stdout, stderr-- worker
 *
 * What passes over the link, in order:
 *
 *      I>O  HELLO             at once
 *      O>I  HELLO, SETUP      FAILED (start) comes back when the command is none; nothing else then
 *      O>I  SPAWN n           I>O  UP n, or DOWN n (start-failed)
 *      O>I  LEASE n           I>O  RESULTS, PART.. RESULTS, VERDICT or GIVEN_BACK for each tag
 *      O>I  RECALL n          I>O  GIVEN_BACK for what has not begun; the rest is answered as usual
 *      O>I  RETIRE n          I>O  GIVEN_BACK, answers, DOWN n (retired)
 *      O>I  KILL n            I>O  DOWN n (as it ended); a try that ends so does not count
 *      O>I  STOP              as RETIRE for all; then the link is closed
 *
 * - Workers are numbered from 0 by the owner; their slot ({%}, $FAYMORA_SLOT, stderr tag) is one
 *   more.
 * - DOWN ends all leases of its worker, after all answers it still gave. A PART whose RESULTS does
 *   not come before DOWN or a VERDICT of its tag is void. After DOWN the number is free for SPAWN;
 *   what the owner sent for the old worker meanwhile is ignored.
 * - DOWN (recycled) comes without being asked for. Items leased meanwhile are given back.
 * - exec and batch: a worker is a slot; UP comes at once, and a process that fails costs a VERDICT,
 *   not the slot. But when a process with several Items (batch) fails, its Items have no culprit:
 *   leases behind it are GIVEN_BACK, then DOWN with the cause; SPAWN brings the slot back. A LEASE
 *   is one batch; its timeout is that of an Item times its Items.
 * - lines: a RETIRE closes the worker's stdin once it owes no answer or is idle, so that what a
 *   program holds back in a buffer comes out: the owner may retire one that has Items in hand. It
 *   is left to itself while it works: one that leaves by itself must not be taken for a filter.
 * - After FAILED (stop) exec and batch workers begin nothing more; what they have in hand stays
 *   leased, and is given back when they are retired or all are told to STOP.
 *
 * When the link closes or is silent the Instance kills all workers and what they have started, and
 * exits. It expects to be started with SIGCONT as its death signal, so that it does so even when it
 * was stopped.
 */
#ifndef FAY_INSTANCE_H
#define FAY_INSTANCE_H

#include "base/base.h"

/* Serves the link to its end; `fd` is the socket. Returns the process's exit code. */
int fay_instance_main(int fd);

#endif /* FAY_INSTANCE_H */
