/* SPDX-License-Identifier: MIT */
/*
 * uthash with a hash function of our own choice: XXH64 (its own falls through switch cases, which
 * clang does not let pass). Tables iterate in the order of insertion, so runs stay the same for
 * the same seed. Not for keys that a stranger may choose.
 */
#ifndef FAY_HASH_H
#define FAY_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#define HASH_FUNCTION(key, length, hash) ((hash) = (unsigned)XXH64((key), (length), 0))
#include <uthash.h>

#endif /* FAY_HASH_H */
