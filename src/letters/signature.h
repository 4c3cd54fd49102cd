/* SPDX-License-Identifier: MIT */
/*
 * The signature of a failure: one number, equal for failures that are alike. The circuit breaker
 * (flow/failure.c) compares those of the first Items of a stage. It is made of
 *
 *     kind      exit, signal, timeout, wants another try, never again, broken protocol
 *     status    exit code and signal; not where we end the worker ourselves (timeout, broken
 *               protocol), as it may have gone by itself a moment before
 *     texts     the last line of the error; behind it, if a program has ended, the last line of its
 *               stderr, which says why. Of each the first 200 bytes, with a mark in place of what
 *               is of one Item alone:
 *
 *         the Item    all of it as a word of the text, or any 16 bytes of it and more
 *         quoted      "7", 'a\'b', b'7', `7`, `7', and the typographic ones
 *         a path      /tmp/x, ./x, ../x, ~/x, //host/x
 *         a number    7, 1.5, 12:30:01, 0x7f3a; 8 hex digits or more, with dashes (3fa85f64-57..)
 *
 * All the rest is taken byte by byte: failures whose kind, status or any word that is none of these
 * differs are never alike. What differs in marked places only is alike, "HTTP 404" and "HTTP 500"
 * too.
 */
#ifndef FAY_SIGNATURE_H
#define FAY_SIGNATURE_H

#include "letters/news.h"

/* Of a failure of that Item. */
uint64_t fay_signature(const fay_news *news, const uint8_t *item, size_t size);

#endif /* FAY_SIGNATURE_H */
