/* SPDX-License-Identifier: MIT */
#include "support/owner.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "instance/instance.h"
#include "support/say.h"
#include "wire/codec.h"

enum {
    QUIET_MS = 500,
    PATIENCE_MS = 10000
};
static pid_t last_pid;

static void send_bytes(owner *o, fay_message type, uint16_t worker, const fay_buffer *payload)
{
    uint8_t header[FAY_FRAME_HEADER];
    size_t size = payload != NULL ? fay_buffer_size(payload) : 0;
    fay_frame_header(header, type, 0, worker, size);
    fay_buffer_clear(&o->out);
    fay_buffer_append(&o->out, header, sizeof header);
    if (size > 0)
        fay_buffer_append(&o->out, fay_buffer_data(payload), size);
    const uint8_t *bytes = fay_buffer_data(&o->out);
    for (size_t left = fay_buffer_size(&o->out); left > 0;) {
        ssize_t n = send(o->fd, bytes, left, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* it has ended: the next message says so */
        bytes += n;
        left -= (size_t)n;
    }
}

void owner_start(owner *o, const fay_setup *setup)
{
    *o = (owner){.fd = -1};
    int fds[2];
    int rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
    assert(rc == 0);
    o->pid = fork();
    assert(o->pid >= 0);
    if (o->pid == 0) {
        (void)close(fds[0]);
        (void)prctl(PR_SET_PDEATHSIG, SIGCONT, 0, 0, 0);
        (void)setpgid(0, 0);
        _exit(fay_instance_main(fds[1]));
    }
    (void)close(fds[1]);
    o->fd = fds[0];
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_write32(&payload, FAY_PROTOCOL_VERSION);
    fay_write32(&payload, (uint32_t)getpid());
    send_bytes(o, FAY_MESSAGE_HELLO, 0, &payload);
    fay_buffer_clear(&payload);
    fay_setup_write(setup, &payload);
    send_bytes(o, FAY_MESSAGE_SETUP, 0, &payload);
}

int owner_end(owner *o)
{
    int status = -1;
    if (o->fd >= 0)
        (void)close(o->fd);
    (void)waitpid(o->pid, &status, 0);
    fay_buffer_deinit(&o->in);
    fay_buffer_deinit(&o->out);
    fay_buffer_deinit(&o->text);
    return status;
}

void owner_send(owner *o, fay_message type, uint16_t worker)
{
    send_bytes(o, type, worker, NULL);
}

void owner_kill(owner *o, uint16_t worker, int signal)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_write32(&payload, (uint32_t)signal);
    send_bytes(o, FAY_MESSAGE_KILL, worker, &payload);
}

void owner_lease(owner *o, uint16_t worker, uint64_t first, const char *const *texts)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    say_lease(first, 1, NULL, texts, &payload);
    send_bytes(o, FAY_MESSAGE_LEASE, worker, &payload);
}

/* false: what there was is said in o->text. */
static bool more(owner *o, int *waited)
{
    struct pollfd fd = {.fd = o->fd, .events = POLLIN};
    if (poll(&fd, 1, QUIET_MS) == 0) {
        owner_send(o, FAY_MESSAGE_PING, 0);
        *waited += QUIET_MS;
        if (*waited < PATIENCE_MS)
            return true;
        fay_buffer_append_text(&o->text, "silence");
        return false;
    }
    ssize_t n = recv(o->fd, fay_buffer_reserve(&o->in, 65536), 65536, 0);
    if (n <= 0) {
        fay_buffer_append_text(&o->text, "closed");
        return false;
    }
    fay_buffer_commit(&o->in, (size_t)n);
    return true;
}

static void add_used(owner *o, const fay_frame *frame)
{
    fay_used used;
    int rc = fay_used_parse(frame->payload, frame->size, &used);
    assert(rc == 0);
    o->used.busy += used.busy;
    o->used.cpu += used.cpu;
    o->used.waited += used.waited;
    o->used.bytes = FAY_MAX(o->used.bytes, used.bytes);
    o->used_count++;
}

const char *owner_next(owner *o)
{
    int waited = 0;
    fay_buffer_clear(&o->text);
    while (fay_buffer_size(&o->text) == 0) {
        fay_frame frame;
        size_t needed;
        int rc = fay_frame_parse(fay_buffer_data(&o->in), fay_buffer_size(&o->in), &frame, &needed);
        assert(rc >= 0);
        if (rc == FAY_FRAME_MORE) {
            if (!more(o, &waited))
                break;
            continue;
        }
        if (frame.type == FAY_MESSAGE_UP)
            last_pid = (pid_t)fay_load32(frame.payload);
        if (frame.type == FAY_MESSAGE_USED) {
            add_used(o, &frame);
        } else if (frame.type != FAY_MESSAGE_PING && frame.type != FAY_MESSAGE_HELLO) {
            fay_buffer_printf(&o->text, "%u ", frame.worker);
            say_frame(frame.type, frame.payload, frame.size, &o->text);
            o->text.end--;
        }
        fay_buffer_consume(&o->in, FAY_FRAME_HEADER + frame.size);
    }
    return fay_buffer_text(&o->text);
}

pid_t owner_worker_pid(const owner *o)
{
    (void)o;
    return last_pid;
}
