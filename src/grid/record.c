/* SPDX-License-Identifier: MIT */
#include "grid/record.h"

#include <assert.h>

#include "base/limits.h"
#include "wire/codec.h"

/* ---- writing --------------------------------------------------------------------------------- */

static void write_id(fay_buffer *out, const fay_node_id *id)
{
    fay_buffer_append(out, id->bytes, sizeof id->bytes);
}

static void write_record(const fay_grid_record *record, fay_buffer *out)
{
    fay_write8(out, record->bye ? FAY_STATEMENT_BYE : FAY_STATEMENT_RECORD);
    write_id(out, &record->id);
    fay_write64(out, record->boot);
    fay_write32(out, record->inc);
    fay_write32(out, record->seq);
    fay_buffer_append(out, record->tls_key, sizeof record->tls_key);
    fay_buffer_append(out, record->certification, sizeof record->certification);
    fay_write_bytes(out, record->name.bytes, record->name.size);
    fay_write_bytes(out, record->address.bytes, record->address.size);
    fay_write_bytes(out, record->meta.bytes, record->meta.size);
}

void fay_record_write(const fay_grid_record *record, fay_buffer *out)
{
    write_record(record, out);
    fay_buffer_append(out, record->signature, sizeof record->signature);
}

void fay_record_signed(const fay_grid_record *record, fay_buffer *out)
{
    fay_buffer_append_text(out, FAY_SIGNED_PREFIX);
    write_record(record, out);
}

static void write_accusation(const fay_grid_accusation *accusation, fay_buffer *out)
{
    fay_write8(out, FAY_STATEMENT_ACCUSATION);
    write_id(out, &accusation->target);
    fay_write64(out, accusation->boot);
    fay_write32(out, accusation->inc);
    write_id(out, &accusation->observer);
    fay_write64(out, accusation->observer_boot);
    fay_write32(out, accusation->n);
    fay_write8(out, (uint8_t)accusation->evidence);
    fay_write8(out, (uint8_t)accusation->role);
}

void fay_accusation_write(const fay_grid_accusation *accusation, fay_buffer *out)
{
    write_accusation(accusation, out);
    fay_buffer_append(out, accusation->signature, sizeof accusation->signature);
}

void fay_accusation_signed(const fay_grid_accusation *accusation, fay_buffer *out)
{
    fay_buffer_append_text(out, FAY_SIGNED_PREFIX);
    write_accusation(accusation, out);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void read_into(fay_reader *r, void *ret, size_t size)
{
    const uint8_t *bytes = fay_read_raw(r, size);
    if (bytes != NULL)
        memcpy(ret, bytes, size);
}

static fay_grid_bytes read_bytes(fay_reader *r, size_t max)
{
    fay_grid_bytes read;
    read.bytes = fay_read_bytes(r, max, &read.size);
    return read;
}

/* Names and addresses end up in terminals and logs: printable ASCII without a space, or nothing. */
static fay_grid_bytes read_word(fay_reader *r, size_t max)
{
    fay_grid_bytes word = read_bytes(r, max);
    r->bad = r->bad || word.size == 0;
    for (size_t i = 0; i < word.size; i++) {
        r->bad = r->bad || word.bytes[i] <= ' ' || word.bytes[i] > '~';
    }
    return word;
}

static uint64_t read_boot(fay_reader *r)
{
    uint64_t boot = fay_read64(r);
    r->bad = r->bad || boot == 0 || boot > FAY_GRID_BOOT_MAX;
    return boot;
}

static uint32_t read_inc(fay_reader *r)
{
    uint32_t inc = fay_read32(r);
    r->bad = r->bad || inc > FAY_GRID_INC_MAX;
    return inc;
}

int fay_record_parse(const uint8_t *bytes, size_t size, fay_grid_record *ret)
{
    fay_reader r = fay_reader_of(bytes, size);
    fay_grid_record record = {.statement = {bytes, size}};
    uint8_t kind = fay_read8(&r);
    record.bye = kind == FAY_STATEMENT_BYE;
    read_into(&r, &record.id, sizeof record.id);
    record.boot = read_boot(&r);
    record.inc = read_inc(&r);
    record.seq = fay_read32(&r);
    read_into(&r, record.tls_key, sizeof record.tls_key);
    read_into(&r, record.certification, sizeof record.certification);
    record.name = read_word(&r, FAY_GRID_NAME_MAX);
    record.address = read_word(&r, FAY_GRID_ADDRESS_MAX);
    record.meta = read_bytes(&r, FAY_GRID_META_MAX);
    read_into(&r, record.signature, sizeof record.signature);
    if (fay_reader_done(&r) != 0 || size > FAY_GRID_SIGNED_MAX ||
        (kind != FAY_STATEMENT_RECORD && kind != FAY_STATEMENT_BYE))
        return FAY_E_PEER;
    *ret = record;
    return 0;
}

int fay_accusation_parse(const uint8_t *bytes, size_t size, fay_grid_accusation *ret)
{
    fay_reader r = fay_reader_of(bytes, size);
    fay_grid_accusation accusation = {0};
    uint8_t kind = fay_read8(&r);
    read_into(&r, &accusation.target, sizeof accusation.target);
    accusation.boot = read_boot(&r);
    accusation.inc = read_inc(&r);
    read_into(&r, &accusation.observer, sizeof accusation.observer);
    accusation.observer_boot = read_boot(&r);
    accusation.n = fay_read32(&r);
    accusation.evidence = (fay_evidence)fay_read8(&r);
    accusation.role = (fay_observer_role)fay_read8(&r);
    read_into(&r, accusation.signature, sizeof accusation.signature);
    if (fay_reader_done(&r) != 0 || kind != FAY_STATEMENT_ACCUSATION ||
        fay_evidence_text(accusation.evidence) == NULL ||
        (accusation.role != FAY_OBSERVER_NEIGHBOUR && accusation.role != FAY_OBSERVER_AUDITOR) ||
        fay_node_id_same(&accusation.target, &accusation.observer))
        return FAY_E_PEER;
    *ret = accusation;
    return 0;
}

fay_grid_record *fay_record_copy(const fay_grid_record *record)
{
    size_t size = record->statement.size;
    fay_grid_record *copy = fay_alloc(sizeof *copy + size);
    uint8_t *bytes = (uint8_t *)(copy + 1);
    memcpy(bytes, record->statement.bytes, size);
    int status = fay_record_parse(bytes, size, copy);
    assert(status == 0);
    return copy;
}

/* ---- which is later -------------------------------------------------------------------------- */

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_bytes(fay_grid_bytes a, fay_grid_bytes b)
{
    int order = memcmp(a.bytes, b.bytes, FAY_MIN(a.size, b.size));
    return order != 0 ? order : compare(a.size, b.size);
}

int fay_record_compare(const fay_grid_record *a, const fay_grid_record *b)
{
    int order = compare(a->boot, b->boot);
    order = order != 0 ? order : compare(a->inc, b->inc);
    order = order != 0 ? order : compare(a->bye, b->bye);
    order = order != 0 ? order : compare(a->seq, b->seq);
    return order != 0 ? order : compare_bytes(a->statement, b->statement);
}

int fay_accusation_compare(const fay_grid_accusation *a, const fay_grid_accusation *b)
{
    int order = compare(a->observer_boot, b->observer_boot);
    order = order != 0 ? order : compare(a->n, b->n);
    order = order != 0 ? order : compare(a->evidence, b->evidence);
    order = order != 0 ? order : compare(a->role, b->role);
    return order != 0 ? order : memcmp(a->signature, b->signature, sizeof a->signature);
}

const char *fay_evidence_text(fay_evidence evidence)
{
    switch (evidence) {
#define X(name, number, text)                                                                      \
    case name: return text;
        FAY_EVIDENCES(X)
#undef X
    }
    return NULL;
}

char *fay_grid_text(fay_grid_bytes text)
{
    return fay_strndup((const char *)text.bytes, text.size);
}
