/* SPDX-License-Identifier: MIT */
/*
 * `when` tests: which Items a stage takes.
 *
 *     test   := or
 *     or     := and  ( "||" and  | "or" and )*
 *     and    := not  ( "&&" not  | "and" not )*
 *     not    := "!" not | "not" not | "(" or ")" | term ( op term )?
 *     op     := == != < <= > >= ~ (glob match) in (list: [a, b])
 *     term   := name | name.member | "text" | 'text' | number | true | false | null | data
 *
 * A bare name is true when the attribute is there and neither nil nor false. Values of different
 * types are never equal and never ordered (ints and floats compare as numbers). `data` is the
 * payload as a string. Immutable and pure; evaluation allocates nothing that outlives the call.
 */
#ifndef FAY_WHEN_H
#define FAY_WHEN_H

#include "base/base.h"
#include "item/attrs.h"

typedef struct fay_when fay_when;

/* NULL on a syntax error, with err->message and err->column (1-based, within the text). */
fay_when *fay_when_parse(const char *text, fay_error *err);
void fay_when_free(fay_when *when);

/* `attrs` is an encoded attribute map (attrs.h), empty if size is 0. */
bool fay_when_test(const fay_when *when, const uint8_t *attrs, size_t attrs_size,
                   const uint8_t *data, size_t data_size);

#endif /* FAY_WHEN_H */
