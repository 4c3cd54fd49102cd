/* SPDX-License-Identifier: MIT */
/*
 * A directory: each file in it is an Item, its path the payload. First those that are there, in
 * order of their names, then by inotify each one that is written, moved or symlinked in. It never
 * ends. A symlink to a file stands for it; what else is there (directories, FIFOs, sockets,
 * symlinks to such or to nothing) is passed over, so there is nowhere to get lost in.
 *
 * A file is told by its name, size and mtime, never by a number: the checksum of the three is its
 * key. A record's notes hold the keys of all that are done (16 hex digits each), so that a resumed
 * run passes them over. What is to be deleted or moved is when it is on record, not before.
 */
#include <bsd/sys/queue.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "ends/source_kind.h"
#include "host/file.h"
#include "loop/await.h"

enum {
    KEY_DIGITS = 16
};

/* A file that was seen. It stays known, so that another event does not give it again. */
struct seen {
    uint64_t key;
    uint64_t root;
    bool done;              /* its root is in a record */
    char *name;             /* NULL once it is acked */
    TAILQ_ENTRY(seen) link; /* in `open` while it is not acked */
    UT_hash_handle hh;
};

struct directory {
    fay_source source;
    char **names; /* found, sorted, not given yet */
    size_t count, capacity, next;
    struct seen *seen;
    TAILQ_HEAD(seen_list, seen) open; /* roots rise */
    uint64_t root;
    int inotify;
    fay_await *watch;
    bool scanned;
};

/* NOLINTBEGIN(readability-function-size,clang-analyzer-*): uthash is macros */
static struct seen *find(const struct directory *d, uint64_t key)
{
    struct seen *seen = NULL;
    HASH_FIND(hh, d->seen, &key, sizeof key, seen);
    return seen;
}

static void add(struct directory *d, struct seen *seen)
{
    HASH_ADD(hh, d->seen, key, sizeof seen->key, seen);
}

static void forget(struct directory *d, struct seen *seen)
{
    HASH_DEL(d->seen, seen);
    if (seen->name != NULL)
        TAILQ_REMOVE(&d->open, seen, link);
    free(seen->name);
    free(seen);
}
/* NOLINTEND(readability-function-size,clang-analyzer-*) */

static void free_directory(fay_source *source)
{
    struct directory *d = (struct directory *)source;
    struct seen *next = d->seen;
    HASH_CLEAR(hh, d->seen); /* the table: the entries are still chained */
    while (next != NULL) {
        struct seen *seen = next;
        next = seen->hh.next;
        free(seen->name);
        free(seen);
    }
    for (size_t i = d->next; i < d->count; i++) {
        free(d->names[i]);
    }
    free(d->names);
    fay_await_free(d->watch);
    if (d->inotify >= 0)
        (void)close(d->inotify);
    free(d);
}

static bool matches(const struct directory *d, const char *name)
{
    return name[0] != '\0' && fnmatch(d->source.def->glob, name, FNM_PERIOD) == 0;
}

static void found(struct directory *d, const char *name)
{
    if (!matches(d, name))
        return;
    if (d->next == d->count)
        d->next = d->count = 0;
    FAY_RESERVE(d->names, d->capacity, d->count + 1);
    d->names[d->count++] = fay_strdup(name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int scan(struct directory *d, fay_error *err)
{
    DIR *dir = opendir(d->source.def->dir);
    if (dir == NULL)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot read %s", d->source.def->dir);
    const struct dirent *entry;
    /* One stream, one thread: readdir is safe here. */
    while ((entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        found(d, entry->d_name);
    }
    (void)closedir(dir);
    if (d->count > d->next)
        qsort(d->names + d->next, d->count - d->next, sizeof *d->names, by_name);
    return 0;
}

/* It is whole when it is made; a file is when it is closed. */
static bool is_symlink(const struct directory *d, const char *name)
{
    FAY_CLEANUP(fay_freep) char *path = fay_file_path(d->source.def->dir, name);
    struct stat link;
    return lstat(path, &link) == 0 && S_ISLNK(link.st_mode);
}

static void on_inotify(void *context, unsigned events)
{
    (void)events;
    struct directory *d = context;
    _Alignas(struct inotify_event) char room[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    ssize_t n;
    while ((n = read(d->inotify, room, sizeof room)) > 0) {
        for (size_t at = 0; at < (size_t)n;) {
            struct inotify_event event;
            memcpy(&event, room + at, sizeof event);
            const char *name = room + at + sizeof event;
            if ((event.mask & IN_Q_OVERFLOW) != 0) {
                d->scanned = false; /* too many to tell: look for oneself */
            } else if (event.len > 0 && ((event.mask & IN_CREATE) == 0 || is_symlink(d, name))) {
                found(d, name);
            }
            at += sizeof event + event.len;
        }
    }
    d->source.config.ready(d->source.config.context);
}

/* What is to be done with a file whose Item is done. */
static void settle(const struct directory *d, const char *name)
{
    const fay_source_def *def = d->source.def;
    FAY_CLEANUP(fay_freep) char *path = fay_file_path(def->dir, name);
    int r = 0;
    if (def->after == FAY_AFTER_DELETE) {
        r = unlink(path);
    } else if (def->after == FAY_AFTER_MOVE) {
        FAY_CLEANUP(fay_freep) char *target = fay_file_path(def->move_to, name);
        (void)mkdir(def->move_to, 0777);
        r = rename(path, target);
    }
    if (r != 0 && errno != ENOENT)
        fay_log(FAY_WARN, "source.after", "path=\"%s\" errno=%d", path, errno);
}

/* Gives the file unless it is gone, no file, or known already. */
static void give(struct directory *d, const char *name, fay_batch *batch)
{
    FAY_CLEANUP(fay_freep) char *path = fay_file_path(d->source.def->dir, name);
    struct stat file;
    if (stat(path, &file) != 0)
        return;
    if (!S_ISREG(file.st_mode)) {
        fay_log(FAY_DEBUG, "source.skipped", "path=\"%s\" why=\"no regular file\"", path);
        return;
    }
    uint64_t parts[3] = {(uint64_t)file.st_size, (uint64_t)file.st_mtim.tv_sec,
                         (uint64_t)file.st_mtim.tv_nsec};
    uint64_t key = fay_hash64(name, strlen(name), fay_hash64(parts, sizeof parts, 0));
    struct seen *seen = find(d, key);
    if (seen != NULL) {
        if (seen->name == NULL) /* done in an earlier life, which ended before it was removed */
            settle(d, name);
        return;
    }
    seen = fay_alloc(sizeof *seen);
    *seen = (struct seen){.key = key, .root = d->root++, .name = fay_strdup(name)};
    add(d, seen);
    TAILQ_INSERT_TAIL(&d->open, seen, link);
    (void)fay_batch_append(batch, path, strlen(path));
}

static int pull_directory(fay_source *source, uint64_t items, uint64_t bytes, fay_chunk *ret,
                          fay_error *err)
{
    struct directory *d = (struct directory *)source;
    if (!d->scanned) {
        int r = scan(d, err);
        if (r != 0)
            return r;
        d->scanned = true;
    }
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    while (d->next < d->count && batch->count < items && batch->size < bytes) {
        char *name = d->names[d->next++];
        give(d, name, batch);
        free(name);
    }
    if (batch->count == 0)
        return FAY_PULL_WAIT;
    *ret = (fay_chunk){.batch = FAY_STEAL(batch), .stage = -1};
    return FAY_PULL_ITEMS;
}

static char *identity_directory(fay_source *source)
{
    (void)source; /* its path is in the pipeline's fingerprint */
    return fay_strdup("directory\n");
}

static bool holds(const fay_range *ranges, size_t count, uint64_t root)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (root < ranges[middle].from) {
            count = middle;
        } else if (root >= ranges[middle].to) {
            low = middle + 1;
        } else {
            return true;
        }
    }
    return false;
}

static char *notes_directory(fay_source *source, const fay_range *ranges, size_t count,
                             uint64_t position)
{
    (void)position;
    struct directory *d = (struct directory *)source;
    fay_buffer text = {0};
    for (struct seen *seen = d->seen; seen != NULL; seen = seen->hh.next) {
        seen->done = seen->done || holds(ranges, count, seen->root);
        if (seen->done)
            fay_buffer_printf(&text, "%016llx", (unsigned long long)seen->key);
    }
    (void)fay_buffer_text(&text);
    size_t size;
    return fay_buffer_take(&text, &size);
}

static int resume_directory(fay_source *source, const fay_source_past *past, fay_error *err)
{
    (void)err;
    struct directory *d = (struct directory *)source;
    d->root = past->root;
    size_t size = strlen(past->notes);
    for (size_t at = 0; at + KEY_DIGITS <= size; at += KEY_DIGITS) {
        char digits[KEY_DIGITS + 1] = "";
        memcpy(digits, past->notes + at, KEY_DIGITS);
        struct seen *seen = fay_alloc(sizeof *seen);
        *seen = (struct seen){.key = strtoull(digits, NULL, KEY_DIGITS), .done = true};
        add(d, seen);
    }
    return 0;
}

static void finish(struct directory *d, struct seen *seen)
{
    settle(d, seen->name);
    if (d->source.def->after != FAY_AFTER_KEEP) {
        forget(d, seen);
        return;
    }
    TAILQ_REMOVE(&d->open, seen, link);
    free(FAY_STEAL(seen->name));
    seen->done = true;
}

static void acked_directory(fay_source *source, uint64_t root, uint64_t count)
{
    struct directory *d = (struct directory *)source;
    struct seen *seen = TAILQ_FIRST(&d->open);
    while (seen != NULL && seen->root < root + count) {
        struct seen *next = TAILQ_NEXT(seen, link);
        if (seen->root >= root)
            finish(d, seen);
        seen = next;
    }
}

int fay_source_open_dir(const fay_source_config *config, fay_source **ret, fay_error *err)
{
    static const fay_source_kind_ops ops = {.unnumbered = true,
                                            .pull = pull_directory,
                                            .identity = identity_directory,
                                            .notes = notes_directory,
                                            .resume = resume_directory,
                                            .acked = acked_directory,
                                            .free = free_directory};
    struct directory *d = fay_alloc(sizeof *d);
    fay_source_init(&d->source, &ops, config);
    TAILQ_INIT(&d->open);
    /* The watch stands before the scan: what comes in between is seen twice, and known by its key.
     * */
    d->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (d->inotify < 0 ||
        inotify_add_watch(d->inotify, d->source.def->dir,
                          IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR) < 0) {
        int r = fay_fail_errno(err, FAY_E_IO, errno, "cannot read %s", d->source.def->dir);
        free_directory(&d->source);
        return r;
    }
    d->watch = fay_await_new(config->loop, d->inotify, on_inotify, d);
    fay_await_want(d->watch, FAY_AWAIT_READ);
    *ret = &d->source;
    return 0;
}
