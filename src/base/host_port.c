/* SPDX-License-Identifier: MIT */
#include "base/host_port.h"

#include <stdlib.h>
#include <string.h>

char *fay_host_port_split(const char *address, const char **ret_port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon[1] == '\0')
        return NULL;
    size_t length = (size_t)(colon - address);
    bool brackets = length > 2 && address[0] == '[' && colon[-1] == ']';
    *ret_port = colon + 1;
    return brackets ? fay_strndup(address + 1, length - 2) : fay_strndup(address, length);
}

bool fay_host_port_valid(const char *address)
{
    const char *port;
    FAY_CLEANUP(fay_freep) char *host = fay_host_port_split(address, &port);
    return host != NULL && host[0] != '\0';
}
