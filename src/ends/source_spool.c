/* SPDX-License-Identifier: MIT */
/*
 * The spool in front of a source that cannot be read again (`spool: true`): its Items are stored in
 * the state directory and synced before they count as read. From there on they are a file's.
 *
 *     stdin, exec, listen --> [ written | synced ] --> Items
 *                                       DIR/spool, u32be
 *
 * What was written and not synced when the owner died is cut off on resume: a torn Item at the end.
 * The part that is done is given back to the file system by punching a hole, so that the file takes
 * the room of what is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ends/source_kind.h"
#include "host/file.h"
#include "loop/sync.h"

#define BURST_BYTES (1 * FAY_MIB)
#define HOLE_LEAST  (4 * FAY_MIB)

struct spool {
    fay_source source;
    fay_source *inner;
    bool inner_ended, begun;
    int fd;
    uint64_t written, synced, read;
    uint64_t hole;       /* freed up to here */
    fay_sync_work *sync; /* running */
    fay_intake intake;
    fay_error failed; /* the sync did */
};

static void free_spool(fay_source *source)
{
    struct spool *s = (struct spool *)source;
    fay_source_free(s->inner);
    fay_sync_forget(s->sync);
    if (s->fd >= 0)
        (void)close(s->fd);
    fay_intake_deinit(&s->intake);
    free(s);
}

static void synced(void *context, int fault)
{
    struct spool *s = context;
    s->sync = NULL;
    if (fault != 0) {
        (void)fay_fail_errno(&s->failed, FAY_E_IO, fault, "cannot sync the spool");
    } else {
        s->synced = s->written;
    }
    s->source.config.ready(s->source.config.context);
}

static int store(struct spool *s, const fay_batch *batch, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    for (size_t i = 0; i < batch->count; i++) {
        const fay_entry *entry = &batch->entries[i];
        (void)fay_join(FAY_FORMAT_U32BE, batch->bytes + entry->at, entry->size, &out);
    }
    if (fay_file_write(s->fd, fay_buffer_data(&out), fay_buffer_size(&out)) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot write the spool");
    s->written += fay_buffer_size(&out);
    return 0;
}

/* Stores what the inner source has, then syncs; nothing is stored while a sync runs. */
static int fill(struct spool *s, fay_error *err)
{
    uint64_t begun = s->written;
    while (!s->inner_ended && s->sync == NULL && s->written - begun < BURST_BYTES) {
        fay_chunk chunk;
        int r = fay_source_pull(s->inner, 65536, BURST_BYTES, &chunk, err);
        if (r < 0)
            return r;
        s->inner_ended = r == FAY_PULL_END;
        if (r != FAY_PULL_ITEMS)
            break;
        r = store(s, chunk.batch, err);
        fay_batch_unref(chunk.batch);
        if (r != 0)
            return r;
    }
    if (s->sync == NULL && s->written > s->synced)
        s->sync = fay_sync_start(s->source.config.loop, &s->fd, 1, synced, s);
    return 0;
}

static int read_some(struct spool *s, fay_error *err)
{
    size_t room;
    uint8_t *to = fay_intake_room(&s->intake, &room);
    room = (size_t)FAY_MIN((uint64_t)room, s->synced - s->read);
    ssize_t n = pread(s->fd, to, room, (off_t)s->read);
    if (n <= 0)
        return fay_fail_errno(err, FAY_E_IO, n < 0 ? errno : EIO, "cannot read the spool");
    fay_buffer_commit(&s->intake.buffer, (size_t)n);
    s->read += (uint64_t)n;
    return 0;
}

static int pull_spool(fay_source *source, uint64_t items, uint64_t bytes, fay_chunk *ret,
                      fay_error *err)
{
    struct spool *s = (struct spool *)source;
    if (s->failed.status != 0) {
        *err = s->failed;
        return err->status;
    }
    if (!s->begun && ftruncate(s->fd, 0) != 0) /* of a run that came to no record */
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot cut the spool");
    s->begun = true;
    int r = fill(s, err);
    while (r == 0) {
        r = fay_intake_cut(&s->intake, false, items, bytes, ret, err);
        if (r <= 0)
            return r;
        if (s->read == s->synced)
            return s->inner_ended && s->synced == s->written ? FAY_PULL_END : FAY_PULL_WAIT;
        r = read_some(s, err);
    }
    return r;
}

static char *identity_spool(fay_source *source)
{
    (void)source;
    return fay_strdup("spool\n");
}

/* What lies before the position of a record that is on disk is never read again. */
static void recorded_spool(fay_source *source, uint64_t position)
{
    struct spool *s = (struct spool *)source;
    if (position < s->hole + HOLE_LEAST)
        return;
    /* Best effort: a file system that cannot keeps the bytes. */
    (void)fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)s->hole,
                    (off_t)(position - s->hole));
    s->hole = position;
}

/* Cuts off a torn Item at the end of the file: walks over the heads. */
static int recover(struct spool *s, uint64_t from, fay_error *err)
{
    struct stat stat;
    if (fstat(s->fd, &stat) != 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot read the spool");
    uint64_t size = (uint64_t)stat.st_size, at = from;
    if (size < from)
        return fay_fail_with(err, FAY_E_STALE, "the spool is shorter than what was read of it");
    while (size - at >= 4) {
        uint8_t head[4];
        if (pread(s->fd, head, sizeof head, (off_t)at) != (ssize_t)sizeof head)
            return fay_fail_errno(err, FAY_E_IO, errno, "cannot read the spool");
        uint64_t length = (uint64_t)head[0] << 24 | (uint64_t)head[1] << 16 |
                          (uint64_t)head[2] << 8 | (uint64_t)head[3];
        if (length > size - at - 4)
            break;
        at += 4 + length;
    }
    if (ftruncate(s->fd, (off_t)at) != 0 || lseek(s->fd, (off_t)at, SEEK_SET) < 0)
        return fay_fail_errno(err, FAY_E_IO, errno, "cannot cut the spool");
    s->written = s->synced = at;
    s->read = s->intake.position = from;
    s->begun = true;
    return 0;
}

static int resume_spool(fay_source *source, const fay_source_past *past, fay_error *err)
{
    return recover((struct spool *)source, past->position, err);
}

int fay_source_open_spool(const fay_source_config *config, fay_source *inner, fay_source **ret,
                          fay_error *err)
{
    static const fay_source_kind_ops ops = {.pull = pull_spool,
                                            .identity = identity_spool,
                                            .recorded = recorded_spool,
                                            .resume = resume_spool,
                                            .free = free_spool};
    struct spool *s = fay_alloc(sizeof *s);
    fay_source_init(&s->source, &ops, config);
    s->inner = inner;
    FAY_CLEANUP(fay_freep) char *path = fay_file_path(config->state, "spool");
    s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (s->fd < 0) {
        int r = fay_fail_errno(err, FAY_E_IO, errno, "cannot open %s", path);
        free_spool(&s->source);
        return r;
    }
    fay_intake_init(&s->intake, FAY_FORMAT_U32BE, false, config->item_max);
    s->intake.format = s->source.def->format;
    *ret = &s->source;
    return 0;
}
