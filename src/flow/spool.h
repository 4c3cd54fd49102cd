/* SPDX-License-Identifier: MIT */
/*
 * A name for Items that were moved out of memory: the driver keeps them in an unlinked file, the
 * flow only counts who still needs them. When the last one lets go, the name is dropped.
 */
#ifndef FAY_FLOW_SPOOL_H
#define FAY_FLOW_SPOOL_H

#include "base/base.h"

typedef struct fay_spool {
    uint32_t id, refs;
} fay_spool;

#endif /* FAY_FLOW_SPOOL_H */
