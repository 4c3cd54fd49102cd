/* SPDX-License-Identifier: MIT */
#include "grid/message.h"

const char *fay_grid_message_name(unsigned kind)
{
    static const char *const names[] = {
#define X(name, number, payload_max, text) [number] = #name,
#include "grid/message.def"
#undef X
    };
    return kind < FAY_COUNT(names) ? names[kind] : NULL;
}

size_t fay_grid_message_max(unsigned kind)
{
    static const size_t most[] = {
#define X(name, number, payload_max, text) [number] = (payload_max),
#include "grid/message.def"
#undef X
    };
    return kind < FAY_COUNT(most) ? most[kind] : 0;
}

enum {
    WISHED = 1
};

void fay_heartbeat_write(const fay_heartbeat *heartbeat, fay_buffer *out)
{
    fay_write8(out, heartbeat->wished ? WISHED : 0);
    fay_write64(out, heartbeat->hash);
    fay_write64(out, heartbeat->crl);
    fay_write_bytes(out, heartbeat->status.bytes, heartbeat->status.size);
}

int fay_heartbeat_read(fay_reader *reader, fay_heartbeat *ret)
{
    uint8_t flags = fay_read8(reader);
    fay_heartbeat heartbeat = {.wished = flags == WISHED};
    heartbeat.hash = fay_read64(reader);
    heartbeat.crl = fay_read64(reader);
    heartbeat.status.bytes = fay_read_bytes(reader, FAY_GRID_STATUS_MAX, &heartbeat.status.size);
    if (reader->bad || flags > WISHED)
        return FAY_E_PEER;
    *ret = heartbeat;
    return 0;
}

void fay_bundle_write(const fay_grid_member *member, fay_ns now, fay_buffer *out)
{
    const fay_grid_bytes *statement = &member->record->statement;
    fay_write16(out, (uint16_t)statement->size);
    fay_buffer_append(out, statement->bytes, statement->size);
    bool gone = fay_member_gone(fay_member_state_of(member));
    fay_write32(out, gone ? (uint32_t)((now - member->gone_at) / FAY_SECOND) + 1 : 0);
    fay_write8(out, (uint8_t)member->charges_count);
    for (size_t i = 0; i < member->charges_count; i++) {
        fay_accusation_write(&member->charges[i].said, out);
    }
}

static int read_accusation(fay_reader *reader, const fay_node_id *target, fay_grid_accusation *ret)
{
    const uint8_t *bytes = fay_read_raw(reader, FAY_ACCUSATION_SIZE);
    if (bytes == NULL || fay_accusation_parse(bytes, FAY_ACCUSATION_SIZE, ret) != 0)
        return FAY_E_PEER;
    return fay_node_id_same(&ret->target, target) ? 0 : FAY_E_PEER;
}

int fay_bundle_read(fay_reader *reader, fay_bundle *ret)
{
    size_t size = fay_read16(reader);
    const uint8_t *bytes = fay_read_raw(reader, size);
    uint32_t gone = fay_read32(reader);
    size_t count = fay_read8(reader);
    if (reader->bad || count > FAY_GRID_ACCUSERS_MAX ||
        fay_record_parse(bytes, size, &ret->record) != 0)
        return FAY_E_PEER;
    ret->gone = gone > 0;
    ret->age = gone > 0 ? (fay_ns)(gone - 1) * FAY_SECOND : 0;
    ret->count = count;
    for (size_t i = 0; i < count; i++) {
        if (read_accusation(reader, &ret->record.id, &ret->accusations[i]) != 0)
            return FAY_E_PEER;
    }
    return 0;
}

void fay_member_version_write(const fay_grid_member *member, bool gone, fay_buffer *out)
{
    fay_buffer_append(out, member->id.bytes, sizeof member->id.bytes);
    fay_write64(out, member->boot);
    fay_write32(out, member->inc);
    fay_write32(out, member->record != NULL ? member->record->seq : 0);
    fay_write8(out, gone);
}

int fay_id_read(fay_reader *reader, fay_node_id *ret)
{
    const uint8_t *bytes = fay_read_raw(reader, FAY_NODE_ID_SIZE);
    if (bytes == NULL)
        return FAY_E_PEER;
    memcpy(ret->bytes, bytes, FAY_NODE_ID_SIZE);
    return 0;
}

int fay_member_version_read(fay_reader *reader, fay_member_version *ret)
{
    if (fay_id_read(reader, &ret->id) != 0)
        return FAY_E_PEER;
    ret->boot = fay_read64(reader);
    ret->inc = fay_read32(reader);
    ret->seq = fay_read32(reader);
    uint8_t gone = fay_read8(reader);
    ret->gone = gone == 1;
    return reader->bad || gone > 1 ? FAY_E_PEER : 0;
}
