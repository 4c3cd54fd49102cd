/* SPDX-License-Identifier: MIT */
/*
 * Dead letters that are tried again: each line's Item enters at the stage that it died in. Only
 * what the file held when it was opened is taken, so that letters which are written to the same
 * file meanwhile do not come round for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ends/source_kind.h"
#include "letters/letter.h"

enum {
    LETTERS_MAX = 256
};

struct dead {
    fay_source source;
    const char *path;
    int fd;
    uint64_t offset, size;
    fay_intake intake;
    fay_batch *lines; /* cut already */
    size_t next;      /* of them */
    uint64_t number;  /* of the line, for people */
};

static void free_dead(fay_source *source)
{
    struct dead *d = (struct dead *)source;
    if (d->fd >= 0)
        (void)close(d->fd);
    fay_batch_unref(d->lines);
    fay_intake_deinit(&d->intake);
    free(d);
}

static int read_some(struct dead *d, fay_error *err)
{
    size_t room;
    uint8_t *to = fay_intake_room(&d->intake, &room);
    room = (size_t)FAY_MIN((uint64_t)room, d->size - d->offset);
    ssize_t n;
    do {
        n = pread(d->fd, to, room, (off_t)d->offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot read %s", d->path);
    if (n == 0)
        d->size = d->offset; /* it was cut meanwhile */
    fay_buffer_commit(&d->intake.buffer, (size_t)n);
    d->offset += (uint64_t)n;
    return 0;
}

/* Sees to it that a line is there. */
static int want_line(struct dead *d, fay_error *err)
{
    while (d->lines == NULL || d->next == d->lines->count) {
        fay_batch_unref(FAY_STEAL(d->lines));
        d->next = 0;
        bool final = d->offset == d->size;
        fay_chunk chunk;
        int r = fay_intake_cut(&d->intake, final, LETTERS_MAX, FAY_MIB, &chunk, err);
        if (r < 0)
            return fay_source_blame(r, d->path, err);
        if (r == 0) {
            d->lines = chunk.batch;
            break;
        }
        if (final)
            return FAY_PULL_END;
        r = read_some(d, err);
        if (r != 0)
            return r;
    }
    return 0;
}

/* Adds the next letter's Item, unless it is of another stage than *stage (-1: not known yet). */
static int take(struct dead *d, fay_batch *batch, int *stage, fay_error *err)
{
    const fay_entry *line = &d->lines->entries[d->next];
    FAY_CLEANUP(fay_letter_deinit) fay_letter letter = {0};
    int r = fay_letter_parse((const char *)d->lines->bytes + line->at, line->size, &letter, err);
    if (r != 0) {
        (void)fay_source_blame(r, d->path, err);
        fay_hint(err, "it is line %llu", (unsigned long long)d->number + 1);
        return r;
    }
    int found = fay_pipeline_find(d->source.config.pipeline, letter.stage);
    if (found < 0) {
        return fay_fail_with(err, FAY_E_INVAL,
                             "%s: line %llu is of stage '%s', which this pipeline does not have",
                             d->path, (unsigned long long)d->number + 1, letter.stage);
    }
    if (*stage >= 0 && *stage != found)
        return 1;
    *stage = found;
    (void)fay_batch_append(batch, letter.item, letter.item_size);
    fay_batch_append_attrs(batch, letter.attrs, letter.attrs_size);
    d->next++;
    d->number++;
    return 0;
}

static int pull_dead(fay_source *source, uint64_t items, uint64_t bytes, fay_chunk *ret,
                     fay_error *err)
{
    struct dead *d = (struct dead *)source;
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    int stage = -1;
    int r = 0;
    while (r == 0 && batch->count < items && batch->count < LETTERS_MAX && batch->size < bytes) {
        r = want_line(d, err);
        if (r == 0)
            r = take(d, batch, &stage, err);
    }
    if (r < 0)
        return r;
    if (batch->count == 0)
        return FAY_PULL_END;
    *ret = (fay_chunk){.batch = FAY_STEAL(batch), .stage = stage};
    return FAY_PULL_ITEMS;
}

int fay_source_open_dead(const fay_source_config *config, fay_source **ret, fay_error *err)
{
    static const fay_source_kind_ops ops = {
        .why_not = "dead letters are fed again as a whole",
        .pull = pull_dead,
        .free = free_dead,
    };
    struct dead *d = fay_alloc(sizeof *d);
    fay_source_init(&d->source, &ops, config);
    d->path = config->retry_dead != NULL ? config->retry_dead : d->source.def->files[0];
    d->fd = open(d->path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (d->fd < 0 || fstat(d->fd, &stat) != 0) {
        int r = fay_fail_errno(err, FAY_E_IO, errno, "cannot read %s", d->path);
        free_dead(&d->source);
        return r;
    }
    d->size = (uint64_t)stat.st_size;
    fay_intake_init(&d->intake, FAY_FORMAT_LINES, false, FAY_DEAD_LINE_MAX);
    *ret = &d->source;
    return 0;
}
