/* SPDX-License-Identifier: MIT */
#include "report/progress.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const fay_ns bar_period = 200 * FAY_MS;
static const fay_ns plain_period = 10 * FAY_SECOND;

enum {
    COLUMNS_DEFAULT = 80,
    COLUMNS_LEAST = 8
};

struct fay_progress {
    fay_progress_kind kind; /* never AUTO */
    unsigned flags;         /* FAY_REPORT_* */
    int fd;
    bool drawn; /* a bar stands on the cursor's line */
    fay_ns due;
    fay_buffer text;
};

static fay_ns monotonic(void)
{
    struct timespec now;
    int r = clock_gettime(CLOCK_MONOTONIC, &now);
    assert(r == 0);
    return (fay_ns)now.tv_sec * FAY_SECOND + (fay_ns)now.tv_nsec;
}

static bool terminal_can_erase(int fd)
{
    const char *term = getenv("TERM"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    return isatty(fd) && term != NULL && strcmp(term, "dumb") != 0;
}

fay_progress *fay_progress_new(fay_progress_kind kind, bool colour, int fd)
{
    fay_progress *progress = fay_alloc(sizeof *progress);
    progress->kind = kind;
    if (kind == FAY_PROGRESS_AUTO)
        progress->kind = terminal_can_erase(fd) ? FAY_PROGRESS_BAR : FAY_PROGRESS_PLAIN;
    progress->flags = colour ? FAY_REPORT_COLOUR : 0;
    progress->fd = fd;
    /* A short run says nothing but its summary. */
    progress->due = monotonic() + (progress->kind == FAY_PROGRESS_BAR ? bar_period : plain_period);
    return progress;
}

void fay_progress_free(fay_progress *progress)
{
    if (progress == NULL)
        return;
    fay_progress_clear(progress);
    fay_buffer_deinit(&progress->text);
    free(progress);
}

/* Progress is not worth an error: what does not fit into a full pipe is dropped. */
static void write_out(fay_progress *progress)
{
    while (fay_buffer_size(&progress->text) > 0) {
        ssize_t n =
            write(progress->fd, fay_buffer_data(&progress->text), fay_buffer_size(&progress->text));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        fay_buffer_consume(&progress->text, (size_t)n);
    }
    fay_buffer_clear(&progress->text);
}

static size_t columns(int fd)
{
    struct winsize size = {0};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return COLUMNS_DEFAULT - 1;
    return FAY_MAX((size_t)size.ws_col, (size_t)COLUMNS_LEAST) - 1; /* the last one may wrap */
}

void fay_progress_show(fay_progress *progress, const fay_report *report, fay_ns now)
{
    if (progress == NULL || now < fay_progress_due(progress, now))
        return;
    if (progress->kind == FAY_PROGRESS_BAR) {
        fay_buffer_append_text(&progress->text, "\r");
        fay_report_bar(report, progress->flags, columns(progress->fd), &progress->text);
        fay_buffer_append_text(&progress->text, "\x1b[K");
        progress->drawn = true;
        progress->due = now + bar_period;
    } else {
        fay_report_plain(report, &progress->text);
        progress->due = now + plain_period;
    }
    write_out(progress);
}

fay_ns fay_progress_due(const fay_progress *progress, fay_ns now)
{
    if (progress == NULL || progress->kind == FAY_PROGRESS_NONE)
        return FAY_NEVER;
    return FAY_MAX(progress->due, now);
}

void fay_progress_clear(fay_progress *progress)
{
    if (progress == NULL || !progress->drawn)
        return;
    fay_buffer_append_text(&progress->text, "\r\x1b[K");
    write_out(progress);
    progress->drawn = false;
}

bool fay_progress_is_bar(const fay_progress *progress)
{
    return progress != NULL && progress->kind == FAY_PROGRESS_BAR;
}
