/* SPDX-License-Identifier: MIT */
/* What a machine can do without us: the peers that `faymora bench` measures beside a run. */
#ifndef FAY_BARE_H
#define FAY_BARE_H

#include "base/base.h"

enum {
    FAY_BARE_SLOTS_MAX = 64
};

fay_ns fay_bare_now(void);

/* Starts `count` times a program, `slots` at a time, each with its output on a pipe that is read to
 * its end, as any runner must. 0 with the time it took, or FAY_E_IO. */
int fay_bare_spawns(const char *const *argv, uint64_t count, size_t slots, fay_ns *ret_time,
                    fay_error *err);

/* Sends `bytes` through `slots` filters side by side and reads them back, in blocks of 25,600 bytes
 * (256 Items of 100), which is a star that does nothing. Likewise. */
int fay_bare_relay(const char *const *argv, uint64_t bytes, size_t slots, fay_ns *ret_time,
                   fay_error *err);

#endif /* FAY_BARE_H */
