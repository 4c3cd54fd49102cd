/* SPDX-License-Identifier: MIT */
/* Ids, records and accusations for tests of the Grid's tables: short to write, told by numbers. */
#ifndef GRID_MAKE_H
#define GRID_MAKE_H

#include <stdlib.h>

#include "base/hash.h"
#include "grid/members.h"
#include "wire/codec.h"

/* Node n; spread over all ids, as hashes are. */
static inline fay_node_id id_of(unsigned n)
{
    fay_node_id id;
    fay_store64(id.bytes, fay_hash64(&n, sizeof n, 1));
    fay_store64(id.bytes + 8, n);
    return id;
}

/* A record that has been through the wire; free() it. */
static inline fay_grid_record *new_record(unsigned n, uint64_t boot, uint32_t inc, uint32_t seq,
                                          bool bye)
{
    fay_grid_record record = {.id = id_of(n),
                              .boot = boot,
                              .inc = inc,
                              .seq = seq,
                              .bye = bye,
                              .name = {(const uint8_t *)"node", 4},
                              .address = {(const uint8_t *)"127.0.0.1:4000", 14}};
    memcpy(record.tls_key, &n, sizeof n);
    memset(record.signature, (int)n, sizeof record.signature);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    fay_record_write(&record, &bytes);
    fay_grid_record read;
    if (fay_record_parse(fay_buffer_data(&bytes), fay_buffer_size(&bytes), &read) != 0)
        abort();
    return fay_record_copy(&read);
}

static inline fay_grid_accusation accusation_of(unsigned target, uint64_t boot, uint32_t inc,
                                                unsigned observer, uint32_t n)
{
    fay_grid_accusation accusation = {.target = id_of(target),
                                      .boot = boot,
                                      .inc = inc,
                                      .observer = id_of(observer),
                                      .observer_boot = 1,
                                      .n = n,
                                      .evidence = FAY_EVIDENCE_SILENT,
                                      .role = FAY_OBSERVER_NEIGHBOUR};
    memset(accusation.signature, (int)observer, sizeof accusation.signature);
    return accusation;
}

static inline int merge(fay_members *members, fay_ns now, unsigned n, uint64_t boot, uint32_t inc,
                        uint32_t seq)
{
    FAY_CLEANUP(fay_freep) fay_grid_record *record = new_record(n, boot, inc, seq, false);
    return fay_members_merge_record(members, now, record, NULL);
}

static inline int merge_bye(fay_members *members, fay_ns now, unsigned n, uint64_t boot,
                            uint32_t inc, uint32_t seq)
{
    FAY_CLEANUP(fay_freep) fay_grid_record *record = new_record(n, boot, inc, seq, true);
    return fay_members_merge_record(members, now, record, NULL);
}

static inline int accuse(fay_members *members, fay_ns now, unsigned target, uint64_t boot,
                         uint32_t inc, unsigned observer)
{
    fay_grid_accusation accusation = accusation_of(target, boot, inc, observer, 1);
    return fay_members_merge_accusation(members, now, &accusation, true);
}

static inline fay_grid_member *member_of(const fay_members *members, unsigned n)
{
    fay_node_id id = id_of(n);
    return fay_members_find(members, &id);
}

static inline fay_member_state state_of(const fay_members *members, unsigned n)
{
    return fay_member_state_of(member_of(members, n));
}

#endif /* GRID_MAKE_H */
