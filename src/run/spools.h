/* SPDX-License-Identifier: MIT */
/*
 * Spools: Items that the flow has no room for in memory, in unlinked files by the flow's numbers. A
 * file is gone with its last user, or with us, whatever ends us.
 *
 *     file    = record*
 *     record  = u32 size | PART payload (wire/block.h): Items with ids, attributes and targets
 *     cursor  = offset of a record
 *
 * Plain reads and writes on the loop: they are small and go to the page cache.
 */
#ifndef FAY_SPOOLS_H
#define FAY_SPOOLS_H

#include "base/base.h"
#include "wire/batch.h"

typedef struct fay_spools fay_spools;

fay_spools *fay_spools_new(void);
void fay_spools_free(fay_spools *spools);

/* Appends Items; the first append makes the spool, with one user. FAY_E_IO with err set. */
int fay_spools_append(fay_spools *spools, uint32_t id, fay_batch *batch, size_t at, size_t count,
                      const uint64_t *targets, fay_error *err);
/*
 * The Items of the record at `cursor` (0 at first) and the next cursor. At the end the batch is
 * empty. *ret_targets (free() it) is NULL if the Items have none. FAY_E_IO or FAY_E_NOTFOUND.
 */
int fay_spools_load(fay_spools *spools, uint32_t id, uint64_t cursor, fay_batch **ret_batch,
                    uint64_t **ret_targets, uint64_t *ret_next, fay_error *err);

/* One more, and one less, who needs it. Unknown numbers are fine. */
void fay_spools_ref(fay_spools *spools, uint32_t id);
void fay_spools_unref(fay_spools *spools, uint32_t id);

#endif /* FAY_SPOOLS_H */
