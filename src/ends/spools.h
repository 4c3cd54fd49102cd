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

/* Items of a batch; targets per Item, or NULL. */
typedef struct fay_spooled {
    fay_batch *batch;
    size_t at, count;
    uint64_t *targets;
    uint64_t next; /* what was loaded: the cursor behind it */
} fay_spooled;

/* Appends Items (borrowed); the first append makes the spool, with one user. FAY_E_IO with err. */
int fay_spools_append(fay_spools *spools, uint32_t id, const fay_spooled *items, fay_error *err);
/* The Items of the record at `cursor` (0 at first), the receiver's to release; at the end there are
 * none. FAY_E_IO or FAY_E_NOTFOUND. */
int fay_spools_load(fay_spools *spools, uint32_t id, uint64_t cursor, fay_spooled *ret,
                    fay_error *err);
void fay_spooled_deinit(fay_spooled *items); /* of what was loaded */

/* One more, and one less, who needs it. Unknown numbers are fine. */
void fay_spools_ref(fay_spools *spools, uint32_t id);
void fay_spools_unref(fay_spools *spools, uint32_t id);

#endif /* FAY_SPOOLS_H */
