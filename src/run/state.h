/* SPDX-License-Identifier: MIT */
/*
 * The state directory of a run that can be resumed: a lock, the journal, and the spool of a source
 * that needs one. There is never anything else in it, whatever ends us.
 *
 *     open (lock) --> read --+--> begin      a fresh journal, by rename
 *                            '--> go_on      the old one, cut behind its last whole record
 *                                  then record, one after the other
 *
 * A record is written and synced on libuv's pool. A journal that has become long is written anew
 * with its last record alone, and takes the old one's place by rename.
 */
#ifndef FAY_STATE_H
#define FAY_STATE_H

#include <uv.h>

#include "base/base.h"
#include "journal/journal.h"

typedef struct fay_state fay_state;

/* Makes the directory if need be, and takes its lock, for which it waits up to `patience_ms`:
 * FAY_E_TIMEOUT, with err naming who has it. FAY_E_IO. */
int fay_state_open(uv_loop_t *loop, const char *directory, unsigned patience_ms, fay_state **ret,
                   fay_error *err);
void fay_state_free(fay_state *state);

/* What an earlier run has left: 0, FAY_E_NOTFOUND (nothing), FAY_E_PEER (damaged), FAY_E_IO
 * (also: more than FAY_JOURNAL_MAX). */
int fay_state_read(const fay_state *state, fay_journal *ret, fay_error *err);

/* Both are done when they return. FAY_E_IO with err set. */
int fay_state_begin(fay_state *state, const fay_journal_header *header,
                    const fay_journal_commit *first, fay_error *err);
int fay_state_go_on(fay_state *state, const fay_journal *journal, fay_error *err);

/* Appends and syncs; `done` is called in the loop, with err NULL if it is on disk. One at a time;
 * after a failure never again. */
void fay_state_record(fay_state *state, const fay_journal_commit *commit,
                      void (*done)(void *context, const fay_error *err), void *context);

#endif /* FAY_STATE_H */
