/* SPDX-License-Identifier: MIT */
/*
 * The names and addresses of this host, for its certificate: its host name, long and short, what
 * /etc/hosts says besides of it, localhost, and the addresses of all interfaces. Nobody is asked
 * over the network. Addresses of a single link (fe80::) are left out: without the link they name
 * nobody.
 */
#ifndef FAY_HOST_NAMES_H
#define FAY_HOST_NAMES_H

#include "base/base.h"

/* What may be a Node's name and SAN, without doubles, at most `most`; fay_texts_free(). */
char **fay_host_names(const char *hostname, const char *hosts_file, size_t most);

#endif /* FAY_HOST_NAMES_H */
