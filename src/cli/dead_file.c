/* SPDX-License-Identifier: MIT */
#include "cli/dead_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOCK_PATIENCE_MS = 5000,
    LOCK_RETRY_MS = 20
};

static int fail(const fay_dead_file *letters, const char *what, fay_error *err)
{
    return fay_fail_errno(err, FAY_E_IO, errno, "%s: %s", letters->path, what);
}

int fay_dead_file_open(fay_dead_file *letters, const char *path, fay_error *err)
{
    *letters = (fay_dead_file){.path = path};
    struct stat info;
    FILE *file = fopen(path, "re");
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        int r = fail(letters, "cannot be read", err);
        if (file != NULL)
            (void)fclose(file);
        return r;
    }
    if (!S_ISREG(info.st_mode)) {
        (void)fclose(file);
        return fay_fail_with(err, FAY_E_IO, "%s: not a regular file", path);
    }
    letters->file = file;
    letters->size = (uint64_t)info.st_size;
    return 0;
}

void fay_dead_file_close(fay_dead_file *letters)
{
    if (letters->file != NULL)
        (void)fclose(letters->file);
    free(letters->line);
    *letters = (fay_dead_file){0};
}

/* ---- the lock -------------------------------------------------------------------------------- */

/* The process of a lock on that inode, in a line of the kernel's: 0 = it is not of one.
 * "1: FLOCK  ADVISORY  WRITE 4711 08:01:131 0 EOF" */
static long locker_in(char *line, unsigned long long inode)
{
    enum {
        KIND = 1,
        PID = 4,
        FILE_ID = 5,
        WORDS
    };
    char *words[WORDS] = {NULL}, *rest = line;
    for (size_t i = 0; i < WORDS; i++) {
        words[i] = strtok_r(rest, " \n", &rest);
        if (words[i] == NULL)
            return 0;
    }
    const char *colon = strrchr(words[FILE_ID], ':');
    if (strcmp(words[KIND], "FLOCK") != 0 || colon == NULL)
        return 0;
    return strtoull(colon + 1, NULL, 10) == inode ? strtol(words[PID], NULL, 10) : 0;
}

/* The process that has locked the file; 0 = the kernel does not tell. */
static long holder_of(const fay_dead_file *letters)
{
    struct stat info;
    if (fstat(fileno(letters->file), &info) != 0)
        return 0;
    FILE *locks = fopen("/proc/locks", "re");
    if (locks == NULL)
        return 0;
    long found = 0;
    char line[256];
    while (found == 0 && fgets(line, sizeof line, locks) != NULL) {
        found = locker_in(line, info.st_ino);
    }
    (void)fclose(locks);
    return found;
}

static int tell_held(const fay_dead_file *letters, fay_error *err)
{
    static const char what[] = "is retrying or purging its letters";
    long pid = holder_of(letters);
    if (pid <= 0) {
        int r = fay_fail_with(err, FAY_E_TIMEOUT, "%s: another process %s", letters->path, what);
        fay_hint(err, "wait for it, or stop it");
        return r;
    }
    int r =
        fay_fail_with(err, FAY_E_TIMEOUT, "%s: another process (%ld) %s", letters->path, pid, what);
    fay_hint(err, "wait for it, or stop it (kill %ld)", pid);
    return r;
}

static int lock(const fay_dead_file *letters, unsigned *waited_ms, fay_error *err)
{
    while (flock(fileno(letters->file), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fail(letters, "cannot be locked", err);
        if (*waited_ms >= LOCK_PATIENCE_MS)
            return tell_held(letters, err);
        (void)usleep(LOCK_RETRY_MS * 1000);
        *waited_ms += LOCK_RETRY_MS;
    }
    return 0;
}

/* Whether the file that is open has the name still: who had the lock before has replaced it. */
static bool is_current(const fay_dead_file *letters)
{
    struct stat ours, named;
    return fstat(fileno(letters->file), &ours) == 0 && stat(letters->path, &named) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

int fay_dead_file_take(fay_dead_file *letters, const char *path, fay_error *err)
{
    unsigned waited_ms = 0;
    for (;;) {
        fay_dead_file now = {0};
        int r = fay_dead_file_open(&now, path, err);
        if (r == 0)
            r = lock(&now, &waited_ms, err);
        if (r == 0 && is_current(&now)) {
            *letters = now;
            return 0;
        }
        fay_dead_file_close(&now);
        if (r != 0)
            return r;
    }
}

/* ---- reading and rewriting ------------------------------------------------------------------- */

int fay_dead_file_next(fay_dead_file *letters, fay_letter *ret, fay_error *err)
{
    off_t at = ftello(letters->file);
    if (at < 0 || (uint64_t)at >= letters->size) /* what came later is of the next reading */
        return FAY_DEAD_FILE_END;
    errno = 0;
    ssize_t n = getline(&letters->line, &letters->capacity, letters->file);
    if (n < 0)
        return errno != 0 ? fail(letters, "cannot be read", err) : FAY_DEAD_FILE_END;
    letters->number++;
    letters->length = (size_t)n;
    if (n > 0 && letters->line[n - 1] == '\n')
        letters->line[--letters->length] = '\0';

    fay_error why = {0};
    int r = fay_letter_parse(letters->line, letters->length, ret, &why);
    if (r < 0) {
        return fay_fail_with(err, r, "%s:%llu: not a dead letter: %s", letters->path,
                             (unsigned long long)letters->number, why.message);
    }
    return 0;
}

static int copy(FILE *from, FILE *to)
{
    char bytes[65536];
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, from)) > 0) {
        if (fwrite(bytes, 1, n, to) != n)
            return -1;
    }
    return ferror(from) ? -1 : 0;
}

/* All that the new file holds, on disk. */
static int fill(const fay_dead_file *letters, FILE *kept, FILE *to)
{
    struct stat info;
    if (fstat(fileno(letters->file), &info) != 0 || fchmod(fileno(to), info.st_mode & 07777) != 0)
        return -1;
    if (fseeko(kept, 0, SEEK_SET) != 0 || copy(kept, to) != 0)
        return -1;
    if (fseeko(letters->file, (off_t)letters->size, SEEK_SET) != 0)
        return -1;
    if (copy(letters->file, to) != 0 || fflush(to) != 0)
        return -1;
    return fsync(fileno(to));
}

int fay_dead_file_rewrite(fay_dead_file *letters, FILE *kept, fay_error *err)
{
    /* Beside the file itself: a symbolic link to it stays what it is. */
    FAY_CLEANUP(fay_freep) char *real = realpath(letters->path, NULL);
    if (real == NULL)
        return fail(letters, "cannot be rewritten", err);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer path = {0};
    fay_buffer_printf(&path, "%s.XXXXXX", real);
    (void)fay_buffer_text(&path);
    char *name = (char *)path.bytes + path.start;
    int fd = mkostemp(name, O_CLOEXEC);
    FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (to == NULL)
        return fail(letters, "cannot be rewritten", err);

    bool ok = fill(letters, kept, to) == 0;
    int saved = errno;
    if (fclose(to) != 0 && ok) {
        ok = false;
        saved = errno;
    }
    if (ok && rename(name, real) == 0)
        return 0;
    errno = ok ? errno : saved;
    int r = fail(letters, "cannot be rewritten", err);
    (void)unlink(name);
    return r;
}
