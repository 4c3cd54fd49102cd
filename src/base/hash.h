/* SPDX-License-Identifier: MIT */
/*
 * XXH64: the checksum of what we write, and the hash of uthash's tables (its own falls through
 * switch cases, which clang does not let pass). Tables iterate in the order of insertion, so runs
 * stay the same for the same seed. Not for keys that a stranger may choose. Inlined, since for a
 * key of fixed size that leaves a few instructions.
 */
#ifndef FAY_HASH_H
#define FAY_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t fay_hash64(const void *bytes, size_t size, uint64_t seed)
{
    return XXH64(bytes, size, seed);
}

#define HASH_FUNCTION(key, length, hash) ((hash) = (unsigned)fay_hash64((key), (length), 0))
#include <uthash.h>

#endif /* FAY_HASH_H */
