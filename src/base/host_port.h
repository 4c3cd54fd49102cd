/* SPDX-License-Identifier: MIT */
/* Addresses as people write them: HOST:PORT, and [fd00::7]:PORT, since IPv6 has colons itself. */
#ifndef FAY_HOST_PORT_H
#define FAY_HOST_PORT_H

#include "base/base.h"

/* The host, without brackets, as a new text; *ret_port is what stands behind the last colon. NULL:
 * there is no colon, or nothing behind it. Whether a host without a letter is anybody is for the
 * caller to say, and so is what a port is. */
char *fay_host_port_split(const char *address, const char **ret_port);

/* Whether both are there. */
bool fay_host_port_valid(const char *address);

#endif /* FAY_HOST_PORT_H */
