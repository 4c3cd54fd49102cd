/* SPDX-License-Identifier: MIT */
/*
 * Where a source or sink listens: unix:PATH or tcp:HOST:PORT. What is said there is clear text and
 * nobody proves who they are, so of TCP only loopback addresses are taken.
 */
#ifndef FAY_ADDRESS_H
#define FAY_ADDRESS_H

#include "base/base.h"

/* A listening, non-blocking socket. *ret_path is the path to unlink in the end, or NULL (free()
 * it). A unix socket that nobody listens on any more is replaced; any other file is left as it is.
 * FAY_E_IO or FAY_E_INVAL with err. */
int fay_address_listen(const char *address, int *ret_fd, char **ret_path, fay_error *err);

/* The next connection, non-blocking; -1 if there is none now. */
int fay_address_accept(int fd);

#endif /* FAY_ADDRESS_H */
