/* SPDX-License-Identifier: MIT */
#include "node/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *variable(const char *name)
{
    return getenv(name); // NOLINT(concurrency-mt-unsafe): nobody here changes the environment
}

static void send_to(const char *path, const char *text)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(to.sun_path, path, length);
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* in the abstract namespace */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to, size);
    (void)close(fd);
}

void fay_notify(const char *format, ...)
{
    char text[512];
    const char *path = variable("NOTIFY_SOCKET");
    if (path == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    send_to(path, text);
}

fay_ns fay_notify_watchdog(void)
{
    const char *text = variable("WATCHDOG_USEC"), *pid = variable("WATCHDOG_PID");
    if (text == NULL || (pid != NULL && strtoll(pid, NULL, 10) != (long long)getpid()))
        return 0;
    unsigned long long every_us = strtoull(text, NULL, 10);
    return (fay_ns)every_us * 1000 / 2;
}
