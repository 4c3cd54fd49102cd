/* SPDX-License-Identifier: MIT */
#include "run/ask.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/limits.h"
#include "host/file.h"
#include "loop/await.h"

struct fay_ask {
    void (*answered)(void *context, fay_answer answer);
    void *context;
    const char *question;
    int fd; /* of the terminal; -1: closed */
    fay_await *await;
    uv_signal_t hangup, resumed;
    int handles; /* that libuv has not let go of */
    bool shown;  /* the cursor stands behind the question */
    char line[FAY_ANSWER_MAX];
    size_t used; /* of it; more than fits is no answer */
};

/* ---- the terminal ---------------------------------------------------------------------------- */

static bool in_foreground(int fd)
{
    return tcgetpgrp(fd) == getpgrp();
}

static int open_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && in_foreground(fd) && isatty(STDERR_FILENO) == 1)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* With SIGTTIN blocked, who has just got into the background is told so (EIO) and not stopped. */
static ssize_t read_awake(int fd, char *bytes, size_t size)
{
    sigset_t stops;
    sigset_t before;
    (void)sigemptyset(&stops);
    (void)sigaddset(&stops, SIGTTIN);
    (void)pthread_sigmask(SIG_BLOCK, &stops, &before);
    ssize_t n = read(fd, bytes, size);
    int error = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return n;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void answer(fay_ask *ask, fay_answer answer)
{
    fay_ask_close(ask);
    ask->answered(ask->context, answer);
}

static bool is_line(const fay_ask *ask, const char *word)
{
    return ask->used == strlen(word) && strncasecmp(ask->line, word, ask->used) == 0;
}

/* The line is whole: an answer, or the question once more. */
static void judge(fay_ask *ask)
{
    ask->shown = false; /* the terminal has gone to the next line */
    if (is_line(ask, "y") || is_line(ask, "yes")) {
        answer(ask, FAY_ANSWER_YES);
    } else if (is_line(ask, "n") || is_line(ask, "no") || ask->used == 0) {
        answer(ask, FAY_ANSWER_NO);
    } else {
        ask->used = 0;
        fay_ask_show(ask);
    }
}

static void take(fay_ask *ask, char c)
{
    if (c == '\n' || c == '\r') {
        judge(ask);
    } else if (isblank((unsigned char)c) == 0 && ask->used < sizeof ask->line) {
        ask->line[ask->used++] = c;
    }
}

static void on_ready(void *context, unsigned events)
{
    (void)events;
    fay_ask *ask = context;
    char bytes[FAY_ANSWER_MAX];
    ssize_t n = in_foreground(ask->fd) ? read_awake(ask->fd, bytes, sizeof bytes) : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        answer(ask, FAY_ANSWER_GONE);
        return;
    }
    for (ssize_t i = 0; i < n && fay_ask_is_open(ask); i++) {
        take(ask, bytes[i]);
    }
}

static void on_hangup(uv_signal_t *handle, int number)
{
    (void)number;
    fay_ask *ask = handle->data;
    if (fay_ask_is_open(ask))
        answer(ask, FAY_ANSWER_GONE);
}

/* Stopped (Ctrl-Z) and continued, by `fg` or `bg`. */
static void on_resumed(uv_signal_t *handle, int number)
{
    (void)number;
    fay_ask *ask = handle->data;
    if (!fay_ask_is_open(ask))
        return;
    if (in_foreground(ask->fd)) {
        fay_ask_hide(ask);
        fay_ask_show(ask);
    } else {
        answer(ask, FAY_ANSWER_GONE);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

static void watch(fay_ask *ask, uv_signal_t *handle, uv_signal_cb seen, int number)
{
    struct sigaction now;
    handle->data = ask;
    ask->handles++;
    /* Who started us with it ignored (nohup) wants it ignored. */
    if (sigaction(number, NULL, &now) != 0 || now.sa_handler != SIG_IGN)
        (void)uv_signal_start(handle, seen, number);
}

fay_ask *fay_ask_new(uv_loop_t *loop, const char *question,
                     void (*answered)(void *context, fay_answer answer), void *context)
{
    int fd = open_terminal();
    if (fd < 0)
        return NULL;
    fay_ask *ask = fay_alloc(sizeof *ask);
    *ask = (fay_ask){.answered = answered, .context = context, .question = question, .fd = fd};
    ask->await = fay_await_new(loop, fd, on_ready, ask);
    if (ask->await == NULL) {
        (void)close(fd);
        free(ask);
        return NULL;
    }
    (void)tcflush(fd, TCIFLUSH); /* what was typed before answers nothing */
    fay_await_want(ask->await, FAY_AWAIT_READ);
    (void)uv_signal_init(loop, &ask->hangup);
    (void)uv_signal_init(loop, &ask->resumed);
    watch(ask, &ask->hangup, on_hangup, SIGHUP);
    watch(ask, &ask->resumed, on_resumed, SIGCONT);
    return ask;
}

bool fay_ask_is_open(const fay_ask *ask)
{
    return ask != NULL && ask->fd >= 0;
}

void fay_ask_close(fay_ask *ask)
{
    if (!fay_ask_is_open(ask))
        return;
    fay_ask_hide(ask);
    fay_await_free(FAY_STEAL(ask->await));
    (void)close(ask->fd);
    ask->fd = -1;
}

static void let_go(uv_handle_t *handle)
{
    fay_ask *ask = handle->data;
    if (--ask->handles == 0)
        free(ask);
}

void fay_ask_free(fay_ask *ask)
{
    if (ask == NULL)
        return;
    fay_ask_close(ask);
    uv_close((uv_handle_t *)&ask->hangup, let_go);
    uv_close((uv_handle_t *)&ask->resumed, let_go);
}

void fay_ask_hide(fay_ask *ask)
{
    if (!fay_ask_is_open(ask) || !ask->shown)
        return;
    ask->shown = false;
    (void)fay_file_write(STDERR_FILENO, "\n", 1);
}

void fay_ask_show(fay_ask *ask)
{
    if (!fay_ask_is_open(ask))
        return;
    ask->shown = true;
    (void)fay_file_write(STDERR_FILENO, ask->question, strlen(ask->question));
}
