/* SPDX-License-Identifier: MIT */
#include "grid/rumors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* ---- statements ------------------------------------------------------------------------------ */

void fay_rumor_id_write(const fay_rumor_id *id, fay_buffer *out)
{
    fay_buffer_append(out, id->origin.bytes, sizeof id->origin.bytes);
    fay_write64(out, id->boot);
    fay_write64(out, id->n);
}

int fay_rumor_id_read(fay_reader *reader, fay_rumor_id *ret)
{
    const uint8_t *origin = fay_read_raw(reader, FAY_NODE_ID_SIZE);
    uint64_t boot = fay_read64(reader), n = fay_read64(reader);
    if (reader->bad || boot == 0 || boot > FAY_GRID_BOOT_MAX)
        return FAY_E_PEER;
    memcpy(ret->origin.bytes, origin, FAY_NODE_ID_SIZE);
    ret->boot = boot;
    ret->n = n;
    return 0;
}

static void write(const fay_rumor_said *said, fay_buffer *out)
{
    fay_write8(out, FAY_STATEMENT_RUMOR);
    fay_rumor_id_write(&said->id, out);
    fay_write_bytes(out, said->payload.bytes, said->payload.size);
}

void fay_rumor_write(const fay_rumor_said *said, fay_buffer *out)
{
    write(said, out);
    fay_buffer_append(out, said->signature, sizeof said->signature);
}

void fay_rumor_signed(const fay_rumor_said *said, fay_buffer *out)
{
    fay_buffer_append_text(out, FAY_SIGNED_PREFIX);
    write(said, out);
}

int fay_rumor_parse(const uint8_t *bytes, size_t size, fay_rumor_said *ret)
{
    fay_reader r = fay_reader_of(bytes, size);
    fay_rumor_said said = {.statement = {bytes, size}};
    if (fay_read8(&r) != FAY_STATEMENT_RUMOR || fay_rumor_id_read(&r, &said.id) != 0)
        return FAY_E_PEER;
    said.payload.bytes = fay_read_bytes(&r, FAY_GRID_RUMOR_MAX, &said.payload.size);
    const uint8_t *signature = fay_read_raw(&r, FAY_SIGNATURE_SIZE);
    if (fay_reader_done(&r) != 0)
        return FAY_E_PEER;
    memcpy(said.signature, signature, sizeof said.signature);
    *ret = said;
    return 0;
}

/* ---- what is known --------------------------------------------------------------------------- */

/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc): of uthash */
static fay_rumor *find(const fay_rumors *rumors, const fay_rumor_id *id)
{
    fay_rumor *rumor;
    assert(id != NULL);
    HASH_FIND(hh, rumors->table, id, sizeof *id, rumor);
    return rumor;
}

static fay_rumor *add(fay_rumors *rumors, fay_ns now, const fay_rumor_id *id)
{
    fay_rumor *rumor = fay_alloc(sizeof *rumor);
    rumor->id = *id;
    rumor->at = now;
    rumor->graft_due = FAY_NEVER;
    rumors->offered++;
    HASH_ADD(hh, rumors->table, id, sizeof rumor->id, rumor);
    return rumor;
}

static void forget(fay_rumors *rumors, fay_rumor *rumor)
{
    HASH_DEL(rumors->table, rumor);
    rumors->bytes -= rumor->size;
    rumors->offered -= !rumor->heard;
    free(rumor->statement);
    free(rumor);
}

static size_t count(const fay_rumors *rumors)
{
    return HASH_COUNT(rumors->table);
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */

void fay_rumors_init(fay_rumors *rumors, const fay_grid_params *params)
{
    *rumors = (fay_rumors){.params = params};
}

void fay_rumors_deinit(fay_rumors *rumors)
{
    while (rumors->table != NULL) {
        forget(rumors, rumors->table);
    }
}

bool fay_rumors_heard(const fay_rumors *rumors, const fay_rumor_id *id)
{
    const fay_rumor *rumor = find(rumors, id);
    return rumor != NULL && rumor->heard;
}

const fay_rumor *fay_rumors_get(const fay_rumors *rumors, const fay_rumor_id *id)
{
    const fay_rumor *rumor = find(rumors, id);
    return rumor != NULL && rumor->statement != NULL ? rumor : NULL;
}

/* The oldest statements go, but for the last one; that they were heard is remembered. */
static void bound_bytes(fay_rumors *rumors, const fay_rumor *last)
{
    for (fay_rumor *rumor = rumors->table; rumors->bytes > FAY_GRID_RUMORS_BYTES && rumor != NULL;
         rumor = rumor->hh.next) {
        if (rumor == last)
            continue;
        rumors->bytes -= rumor->size;
        rumor->size = 0;
        free(rumor->statement);
        rumor->statement = NULL;
    }
}

bool fay_rumors_hear(fay_rumors *rumors, fay_ns now, const fay_rumor_said *said)
{
    fay_rumor *rumor = find(rumors, &said->id);
    if (rumor != NULL && rumor->heard)
        return false;
    if (rumor != NULL)
        forget(rumors, rumor); /* it was offered; from now on its age counts */
    rumor = add(rumors, now, &said->id);
    rumor->heard = true;
    rumors->offered--;
    rumor->size = said->statement.size;
    rumor->statement = fay_alloc(rumor->size);
    memcpy(rumor->statement, said->statement.bytes, rumor->size);
    rumors->bytes += rumor->size;
    bound_bytes(rumors, rumor);
    fay_rumors_age(rumors, now);
    return true;
}

/* ---- large ones ------------------------------------------------------------------------------ */

void fay_rumors_offer(fay_rumors *rumors, fay_ns now, const fay_rumor_id *id, uint64_t link)
{
    fay_rumor *rumor = find(rumors, id);
    if (rumor == NULL) {
        rumor = add(rumors, now, id);
        rumor->graft_due = now;
    }
    if (rumor->heard || rumor->sources_count == FAY_RUMOR_SOURCES)
        return;
    rumor->sources[rumor->sources_count++] = link;
    if (rumor->graft_due == FAY_NEVER)
        rumor->graft_due = now; /* nobody was left to ask */
    fay_rumors_age(rumors, now);
}

bool fay_rumors_graft(fay_rumors *rumors, fay_ns now, fay_rumor_id *ret_id, uint64_t *ret_link)
{
    fay_rumor *first = rumors->offered > 0 ? rumors->table : NULL;
    for (fay_rumor *rumor = first; rumor != NULL; rumor = rumor->hh.next) {
        if (rumor->heard || now < rumor->graft_due)
            continue;
        if (rumor->sources_count == 0) {
            rumor->graft_due = FAY_NEVER;
            continue;
        }
        *ret_id = rumor->id;
        *ret_link = rumor->sources[0];
        rumor->sources_count--;
        memmove(rumor->sources, rumor->sources + 1,
                rumor->sources_count * sizeof rumor->sources[0]);
        rumor->graft_due = now + rumors->params->graft;
        return true;
    }
    return false;
}

/* ---- age ------------------------------------------------------------------------------------- */

void fay_rumors_age(fay_rumors *rumors, fay_ns now)
{
    while (rumors->table != NULL && (count(rumors) > rumors->params->seen_max ||
                                     now >= rumors->table->at + rumors->params->seen)) {
        forget(rumors, rumors->table);
    }
}

fay_ns fay_rumors_due(const fay_rumors *rumors)
{
    fay_ns due = rumors->table != NULL ? rumors->table->at + rumors->params->seen : FAY_NEVER;
    const fay_rumor *first = rumors->offered > 0 ? rumors->table : NULL;
    for (const fay_rumor *rumor = first; rumor != NULL; rumor = rumor->hh.next) {
        due = rumor->heard ? due : FAY_MIN(due, rumor->graft_due);
    }
    return due;
}
