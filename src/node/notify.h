/* SPDX-License-Identifier: MIT */
/*
 * Tells the service manager how we are: one datagram to $NOTIFY_SOCKET, as sd_notify(3) does.
 * Without that variable nothing is told, and nothing is wrong.
 */
#ifndef FAY_NODE_NOTIFY_H
#define FAY_NODE_NOTIFY_H

#include "base/base.h"

/* "READY=1", "STATUS=..", several lines. */
void fay_notify(const char *format, ...) FAY_PRINTF(1, 2);

/* How often it wants to hear WATCHDOG=1: half of what it waits; 0 = not at all. */
fay_ns fay_notify_watchdog(void);

#endif /* FAY_NODE_NOTIFY_H */
