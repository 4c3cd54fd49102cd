/* SPDX-License-Identifier: MIT */
/*
 * Files of a directory of keys and certificates.
 *
 *     write   NAME.new (0600 until it is whole) --fsync--> rename to NAME --> fsync the directory
 *
 * So a file is the old one or the new one, and a key is readable by nobody else at any moment,
 * whatever the umask. Whoever changes something holds the directory's lock, hence one name for new
 * files does: one that a dead process has left is written over.
 */
#ifndef FAY_STORE_H
#define FAY_STORE_H

#include <sys/types.h>

#include "base/base.h"
#include "base/buffer.h"

enum {
    FAY_STORE_PRIVATE = 0600,
    FAY_STORE_PUBLIC = 0644
};

/* Appends the whole file. FAY_E_NOTFOUND; FAY_E_IO; FAY_E_NORES: it is larger than `most`. */
int fay_store_read(const char *path, size_t most, fay_buffer *out, fay_error *err);
/* As above, for a secret: FAY_E_DENIED if others may read it or change it. */
int fay_store_read_secret(const char *path, size_t most, fay_buffer *out, fay_error *err);

/* Makes or replaces. FAY_E_IO: all is as it was, unless it is the directory's sync that failed. */
int fay_store_write(const char *path, const void *bytes, size_t size, mode_t mode, fay_error *err);

bool fay_store_has(const char *path);

/* FAY_E_IO: it is no directory; FAY_E_DENIED: others may write to it, and so could put their CA or
 * keys in. */
int fay_store_check(const char *directory, fay_error *err);
/* Makes a directory (0700) and those above it, whatever the umask; checks one that is there. */
int fay_store_make(const char *directory, fay_error *err);

/* Waits for the lock of a directory; closing the descriptor gives it up. */
int fay_store_lock(const char *directory, int *ret_fd, fay_error *err);

/* The names in a directory that end so, sorted; free them with fay_texts_free(). None if it is not
 * there. FAY_E_NORES: more than `most`. */
int fay_store_list(const char *directory, const char *suffix, size_t most, char ***ret,
                   fay_error *err);

#endif /* FAY_STORE_H */
