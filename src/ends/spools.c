/* SPDX-License-Identifier: MIT */
#include "ends/spools.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "host/file.h"
#include "host/unlinked.h"
#include "wire/block.h"
#include "wire/codec.h"

enum {
    RECORD_ITEMS = 1024,
    SIZE_BYTES = 4
};
#define RECORD_BYTES (256 * FAY_KIB)

struct spool {
    uint32_t id, refs;
    int fd;
    uint64_t size;
    UT_hash_handle hh;
};

struct fay_spools {
    struct spool *all;
};

fay_spools *fay_spools_new(void)
{
    return fay_alloc(sizeof(fay_spools));
}

/* NOLINTBEGIN(readability-function-size,clang-analyzer-*): uthash is macros */
static struct spool *find(const fay_spools *spools, uint32_t id)
{
    struct spool *spool;
    HASH_FIND(hh, spools->all, &id, sizeof id, spool);
    return spool;
}

static void add(fay_spools *spools, struct spool *spool)
{
    HASH_ADD(hh, spools->all, id, sizeof spool->id, spool);
}

static void drop(fay_spools *spools, struct spool *spool)
{
    HASH_DEL(spools->all, spool);
    (void)close(spool->fd);
    free(spool);
}
/* NOLINTEND(readability-function-size,clang-analyzer-*) */

void fay_spools_free(fay_spools *spools)
{
    if (spools == NULL)
        return;
    struct spool *next = spools->all;
    HASH_CLEAR(hh, spools->all); /* the table: the entries are still chained */
    while (next != NULL) {
        struct spool *spool = next;
        next = spool->hh.next;
        (void)close(spool->fd);
        free(spool);
    }
    free(spools);
}

static int failed(const char *what, fay_error *err)
{
    return fay_fail_errno(err, FAY_E_IO, errno, "cannot %s a temporary file", what);
}

static int append_record(struct spool *spool, const fay_spooled *items, size_t at, size_t count,
                         fay_error *err)
{
    const uint64_t *targets = items->targets != NULL ? items->targets + (at - items->at) : NULL;
    fay_batch *batch = items->batch;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer out = {0};
    fay_write32(&out, 0);
    fay_write64(&out, 0); /* PART's tag */
    fay_block_head(batch, at, count, true, targets, &out);
    fay_block_data(batch, at, count, &out);
    size_t size = fay_buffer_size(&out);
    fay_store32(out.bytes + out.start, (uint32_t)(size - SIZE_BYTES));
    if (fay_file_write(spool->fd, fay_buffer_data(&out), size) != 0) {
        int r = failed("write", err);
        /* Nothing of it may be found by a later append. */
        (void)!ftruncate(spool->fd, (off_t)spool->size);
        (void)lseek(spool->fd, (off_t)spool->size, SEEK_SET);
        return r;
    }
    spool->size += size;
    return 0;
}

/* How many Items from `at` on make one record. */
static size_t portion(const fay_batch *batch, size_t at, size_t count)
{
    size_t bytes = 0, n = 0;
    while (n < count && n < RECORD_ITEMS && (n == 0 || bytes < RECORD_BYTES)) {
        bytes += batch->entries[at + n].size + batch->entries[at + n].attrs_size;
        n++;
    }
    return n;
}

int fay_spools_append(fay_spools *spools, uint32_t id, const fay_spooled *items, fay_error *err)
{
    struct spool *spool = find(spools, id);
    if (spool == NULL) {
        int fd = fay_host_unlinked(NULL);
        if (fd < 0)
            return failed("make", err);
        spool = fay_alloc(sizeof *spool);
        *spool = (struct spool){.id = id, .refs = 1, .fd = fd};
        add(spools, spool);
    }
    for (size_t done = 0; done < items->count;) {
        size_t n = portion(items->batch, items->at + done, items->count - done);
        int r = append_record(spool, items, items->at + done, n, err);
        if (r != 0)
            return r;
        done += n;
    }
    return 0;
}

static int read_at(const struct spool *spool, void *to, size_t size, uint64_t offset,
                   fay_error *err)
{
    uint8_t *at = to;
    while (size > 0) {
        ssize_t n = pread(spool->fd, at, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return failed("read", err);
        }
        at += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

void fay_spooled_deinit(fay_spooled *items)
{
    fay_batch_unref(items->batch);
    free(items->targets);
    *items = (fay_spooled){0};
}

int fay_spools_load(fay_spools *spools, uint32_t id, uint64_t cursor, fay_spooled *ret,
                    fay_error *err)
{
    const struct spool *spool = find(spools, id);
    if (spool == NULL)
        return fay_fail_with(err, FAY_E_NOTFOUND, "no spool %u", id);
    if (cursor >= spool->size) {
        *ret = (fay_spooled){.batch = fay_batch_new(), .next = cursor};
        return 0;
    }
    uint8_t head[SIZE_BYTES];
    int r = read_at(spool, head, sizeof head, cursor, err);
    if (r != 0)
        return r;
    size_t size = fay_load32(head);
    FAY_CLEANUP(fay_freep) uint8_t *record = NULL;
    fay_part_frame part;
    if (size > spool->size - cursor - SIZE_BYTES)
        return fay_fail_with(err, FAY_E_IO, "a temporary file has changed");
    record = fay_realloc(NULL, size);
    r = read_at(spool, record, size, cursor + SIZE_BYTES, err);
    if (r != 0)
        return r;
    if (fay_part_parse(record, size, &part) != 0)
        return fay_fail_with(err, FAY_E_IO, "a temporary file has changed");
    fay_batch *batch = fay_block_batch(&part.block);
    for (size_t i = 0; i < batch->count; i++) {
        batch->entries[i].attempt--; /* on the wire it is the next one's */
    }
    *ret = (fay_spooled){.batch = batch,
                         .count = batch->count,
                         .targets = fay_block_targets(&part.block),
                         .next = cursor + SIZE_BYTES + size};
    return 0;
}

void fay_spools_ref(fay_spools *spools, uint32_t id)
{
    struct spool *spool = find(spools, id);
    if (spool != NULL)
        spool->refs++;
}

void fay_spools_unref(fay_spools *spools, uint32_t id)
{
    struct spool *spool = find(spools, id);
    if (spool != NULL && --spool->refs == 0)
        drop(spools, spool);
}
