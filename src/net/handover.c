/* SPDX-License-Identifier: MIT */
#include "net/handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    FDS_MAX = 8 /* room for more than there may be, so that all that come are closed */
};

typedef union rights {
    char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    struct cmsghdr aligned;
} rights;

int fay_handover_open(int ret_sockets[2], fay_error *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret_sockets) == 0)
        return 0;
    return fay_fail_errno(err, FAY_E_IO, errno, "cannot make a socket to hand connections over");
}

static int status_of(int number)
{
    switch (number) {
    case EAGAIN:
    case ENOBUFS:
    case ETOOMANYREFS: return FAY_HANDOVER_LATER; /* so many are on their way already */
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN: return FAY_E_CLOSED;
    default: return FAY_E_IO;
    }
}

int fay_handover_send(int socket, int fd, const fay_preamble *preamble)
{
    uint8_t bytes[FAY_PREAMBLE_SIZE];
    rights control = {{0}};
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE(sizeof fd)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    fay_preamble_write(preamble, bytes);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    for (;;) {
        if (sendmsg(socket, &message, MSG_NOSIGNAL) >= 0)
            return 0;
        if (errno != EINTR)
            return status_of(errno);
    }
}

/* How many descriptors have come with it. */
static size_t descriptors_of(struct msghdr *message, int fds[FDS_MAX])
{
    size_t count = 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL;
         head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(head), count * sizeof(int));
    }
    return count;
}

int fay_handover_receive(int socket, int *ret_fd, fay_preamble *ret_preamble)
{
    uint8_t bytes[FAY_PREAMBLE_SIZE];
    int fds[FDS_MAX];
    rights control = {{0}};
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n;
    do {
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return status_of(errno);
    size_t count = descriptors_of(&message, fds);
    if (n == 0 && count == 0)
        return FAY_E_CLOSED;
    bool whole = n == (ssize_t)sizeof bytes && count == 1 &&
                 (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    if (whole && fay_preamble_parse(bytes, ret_preamble) == 0) {
        *ret_fd = fds[0];
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        (void)close(fds[i]);
    return FAY_E_PEER;
}
