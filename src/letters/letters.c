/* SPDX-License-Identifier: MIT */
#include "letters/letters.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/file.h"
#include "loop/sync.h"

struct fay_letters {
    char *path;
    int fd;
    uint64_t offset;
    bool failed; /* one could not be written, and perhaps a part of it is there */
};

char *fay_letters_path(const char *text, const char *name, const char *run)
{
    fay_buffer out = {0};
    while (*text != '\0') {
        if (strncmp(text, "{name}", 6) == 0) {
            fay_buffer_append_text(&out, name);
            text += 6;
        } else if (strncmp(text, "{run}", 5) == 0) {
            fay_buffer_append_text(&out, run);
            text += 5;
        } else {
            fay_buffer_append(&out, text++, 1);
        }
    }
    (void)fay_buffer_text(&out);
    size_t size;
    return fay_buffer_take(&out, &size);
}

fay_letters *fay_letters_new(const char *path)
{
    fay_letters *letters = fay_alloc(sizeof *letters);
    struct stat now;
    letters->fd = -1;
    if (path != NULL) {
        letters->path = fay_strdup(path);
        letters->offset = stat(path, &now) == 0 ? (uint64_t)now.st_size : 0;
    }
    return letters;
}

void fay_letters_free(fay_letters *letters)
{
    if (letters == NULL)
        return;
    if (letters->fd >= 0)
        (void)close(letters->fd);
    free(letters->path);
    free(letters);
}

int fay_letters_check(const fay_letters *letters, uint64_t offset, fay_error *err)
{
    if (letters->path == NULL || letters->offset >= offset)
        return 0;
    int r = fay_fail_with(err, FAY_E_STALE, "%s has %llu bytes, but %llu were written and recorded",
                          letters->path, (unsigned long long)letters->offset,
                          (unsigned long long)offset);
    fay_hint(err, "nothing was touched; put the file back, or remove the state to start over");
    return r;
}

int fay_letters_cut(fay_letters *letters, uint64_t offset, fay_error *err)
{
    if (letters->path == NULL || letters->offset == offset)
        return 0;
    /* A file that was not there before the run is not left behind empty. */
    int r = offset == 0 ? unlink(letters->path) : truncate(letters->path, (off_t)offset);
    if (r != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot cut %s", letters->path);
    letters->offset = offset;
    return 0;
}

/* Where an earlier run was cut off within a letter (a full disk), ours begins a new line: else the
 * first would be lost with that one. */
static int end_torn_line(fay_letters *letters)
{
    struct stat now;
    char last = '\n';
    int fd = open(letters->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) /* it may be written and not read */
        return 0;
    bool some = fstat(fd, &now) == 0 && S_ISREG(now.st_mode) && now.st_size > 0;
    ssize_t n = some ? pread(fd, &last, 1, now.st_size - 1) : 0;
    (void)close(fd);
    if (n < 1 || last == '\n')
        return 0;
    letters->offset++;
    return fay_file_write(letters->fd, "\n", 1) == 0 ? 0 : errno;
}

/* When it is new its name is made to last before anything is said to be in it. */
static int open_file(fay_letters *letters, fay_error *err)
{
    bool fresh = access(letters->path, F_OK) != 0;
    letters->fd = open(letters->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (letters->fd < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot write %s", letters->path);
    int fault = fresh ? fay_sync_directory_of(letters->path) : 0;
    if (fault != 0) {
        return fay_fail_errno(err, FAY_E_IO, fault, "cannot sync the directory of %s",
                              letters->path);
    }
    fault = fresh ? 0 : end_torn_line(letters);
    if (fault != 0)
        return fay_fail_errno(err, FAY_E_IO, fault, "cannot write %s", letters->path);
    return 0;
}

/* `faymora dead` puts a new file in the place of ours: what is written goes there from now on. */
static void follow(fay_letters *letters)
{
    struct stat ours, now;
    if (letters->fd < 0 || fstat(letters->fd, &ours) != 0 || ours.st_nlink > 0)
        return;
    (void)close(letters->fd);
    letters->fd = -1;
    letters->offset = stat(letters->path, &now) == 0 ? (uint64_t)now.st_size : 0;
}

static int append(fay_letters *letters, const fay_letter *letter, fay_error *err)
{
    follow(letters);
    int r = letters->fd < 0 ? open_file(letters, err) : 0;
    if (r != 0)
        return r;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer line = {0};
    fay_letter_write(letter, &line);
    if (fay_file_write(letters->fd, fay_buffer_data(&line), fay_buffer_size(&line)) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot write %s", letters->path);
    letters->offset += fay_buffer_size(&line);
    return 0;
}

int fay_letters_write(fay_letters *letters, const fay_letter *letter, fay_error *err)
{
    if (letters->path == NULL)
        return 0;
    if (letters->failed)
        return fay_fail_with(err, FAY_E_IO, "cannot write %s any more", letters->path);
    int r = append(letters, letter, err);
    letters->failed = r != 0;
    if (r != 0)
        fay_hint(err, "Item %s of stage '%s' is dead and not in it", letter->id, letter->stage);
    return r;
}

bool fay_letters_failed(const fay_letters *letters)
{
    return letters->failed;
}

uint64_t fay_letters_offset(const fay_letters *letters)
{
    return letters->offset;
}

int fay_letters_fd(const fay_letters *letters)
{
    return letters->fd;
}
