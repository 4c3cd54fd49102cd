/* SPDX-License-Identifier: MIT */
/*
 * Item formats: how Items lie in a stream of bytes. A splitter finds their borders, a joiner writes
 * them. Sans-IO: bytes in, slices out.
 *
 *     lines      bytes until \n; a last line without one counts     (crlf: strip drops the \r)
 *     jsonl      lines, each a JSON value; members of an object become attributes
 *     nul        bytes until \0
 *     netstring  "12:hello world!,"
 *     u32be      4 bytes of length, most significant first, then the bytes
 *     msgpack    one msgpack value each; members of a map become attributes
 */
#ifndef FAY_FORMAT_H
#define FAY_FORMAT_H

#include "base/base.h"
#include "base/buffer.h"
#include "base/modes.h"

const char *fay_format_name(fay_format format);
int fay_format_parse(const char *name, fay_format *ret_format); /* FAY_E_NOTFOUND */

/* One Item in the bytes given: its payload, and where the next one starts. */
typedef struct fay_slice {
    size_t at, length; /* the payload, without delimiter or header */
    size_t next;       /* offset of the byte after the whole Item */
} fay_slice;

enum {
    FAY_SPLIT_ITEM = 0, /* *ret is one Item */
    FAY_SPLIT_MORE = 1, /* the bytes end inside an Item (or are empty): give more */
};

/*
 * Finds the first Item in bytes[0..size). `final` says that no more will come: a rest that some
 * formats take as a last Item is taken then, else it is FAY_E_PEER. `item_max` bounds the payload:
 * FAY_E_NORES when it is passed (also while the Item is still incomplete). FAY_E_PEER: not of the
 * format. For msgpack the payload is the whole encoded value. `crlf_strip` only matters to lines
 * and jsonl.
 * Returns FAY_SPLIT_ITEM, FAY_SPLIT_MORE or an error; *scanned (in/out, may be NULL; 0 at the start
 * of each Item) remembers how far a search came, so that a long Item costs linear time.
 */
int fay_split(fay_format format, const uint8_t *bytes, size_t size, bool final, bool crlf_strip,
              uint64_t item_max, size_t *scanned, fay_slice *ret);

/* Appends one payload with its delimiter or header. Returns 0, or FAY_E_INVAL if the payload cannot
 * be said in the format (a newline in lines or jsonl, a NUL in nul): nothing is appended then. */
int fay_join(fay_format format, const void *payload, size_t length, fay_buffer *out);

#endif /* FAY_FORMAT_H */
