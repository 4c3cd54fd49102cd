/* SPDX-License-Identifier: MIT */
/*
 * Two tables that differ:
 *
 *     A: DIGEST, the hashes of its buckets -->
 *                                          <-- B: VERSIONS, what it has in those that differ
 *     A: BUNDLES of what B lacks or has outdated; WANT, ids of what A lacks -->
 *                                          <-- B: BUNDLES of these
 *
 * Versions are hearsay: what they say changes nothing but who is told of what.
 *
 * A member that we believe alive may be gone for others: the Grid was in two parts, or somebody was
 * alone for a while. It alone can say that it lives, with another inc, so it is told: on our link
 * to it, or it is dialled; a few a second, since there may be many, and not all need be true.
 */
#include "grid/internal.h"

static const fay_ns doubt_gap = 200 * FAY_MS;

void fay_grid_sync_begin(fay_grid *grid, const fay_grid_link *link)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    for (size_t i = 0; i < FAY_MEMBERS_BUCKETS; i++) {
        fay_write64(&payload, grid->members.buckets[i]);
    }
    fay_grid_send(grid, link, FAY_GRID_DIGEST, &payload);
}

static bool has_bit(const uint8_t *bits, const fay_node_id *id)
{
    size_t bucket = fay_members_bucket(id);
    return (bits[bucket / 8] >> bucket % 8 & 1) != 0;
}

int fay_grid_sync_digest(fay_grid *grid, fay_ns now, const fay_grid_link *link, fay_reader *reader)
{
    uint8_t bits[FAY_BUCKET_BITS] = {0};
    for (size_t i = 0; i < FAY_MEMBERS_BUCKETS; i++) {
        if (fay_read64(reader) != grid->members.buckets[i])
            bits[i / 8] |= (uint8_t)(1u << i % 8);
    }
    if (fay_reader_done(reader) != 0)
        return FAY_E_PEER;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_buffer_append(&payload, bits, sizeof bits);
    FAY_EACH_MEMBER(member, &grid->members)
    {
        if (has_bit(bits, &member->id) && fay_members_tells(&grid->members, now, member))
            fay_member_version_write(member, member->gone, &payload);
    }
    fay_grid_send(grid, link, FAY_GRID_VERSIONS, &payload);
    return 0;
}

void fay_grid_sync_gone(fay_grid *grid, const fay_grid_link *link, const fay_grid_member *member)
{
    static const uint8_t no_buckets[FAY_BUCKET_BITS];
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_buffer_append(&payload, no_buckets, sizeof no_buckets);
    fay_member_version_write(member, true, &payload);
    fay_grid_send(grid, link, FAY_GRID_VERSIONS, &payload);
}

/* ---- doubts ---------------------------------------------------------------------------------- */

void fay_grid_doubt(fay_grid *grid, fay_ns now, fay_grid_member *member)
{
    if (member->gone || member == grid->self)
        return;
    member->doubted = true;
    if (grid->doubt_due == FAY_NEVER)
        grid->doubt_due = now;
}

void fay_grid_sync_doubt(fay_grid *grid, const fay_grid_link *link, fay_grid_member *member)
{
    member->doubted = false;
    fay_grid_sync_gone(grid, link, member);
}

static fay_grid_member *draw_doubted(fay_grid *grid)
{
    fay_grid_member *drawn = NULL;
    uint64_t seen = 0;
    FAY_EACH_MEMBER(member, &grid->members)
    {
        if (member->doubted && !member->gone && fay_prng_below(&grid->prng, ++seen) == 0)
            drawn = member;
    }
    return drawn;
}

void fay_grid_sync_step(fay_grid *grid, fay_ns now)
{
    if (now < grid->doubt_due)
        return;
    fay_grid_member *member = draw_doubted(grid);
    grid->doubt_due = member != NULL ? now + doubt_gap : FAY_NEVER;
    if (member == NULL)
        return;
    const fay_grid_link *link = fay_grid_link_to(grid, &member->id);
    if (link != NULL) {
        fay_grid_sync_doubt(grid, link, member);
    } else {
        (void)fay_grid_contact(grid, &member->id, FAY_CONTACT_GONE, now);
    }
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* < 0: theirs is later; > 0: ours is. */
static int compare(const fay_grid_member *ours, const fay_member_version *theirs)
{
    if (ours->boot != theirs->boot)
        return ours->boot < theirs->boot ? -1 : 1;
    if (ours->inc != theirs->inc)
        return ours->inc < theirs->inc ? -1 : 1;
    if (ours->gone != theirs->gone) /* before seq, which a stub has not */
        return ours->gone ? 1 : -1;
    if (ours->record != NULL && ours->record->seq != theirs->seq)
        return ours->record->seq < theirs->seq ? -1 : 1;
    return 0;
}

/* They are told of what they lack, and asked for what we lack. */
static void compare_one(fay_grid *grid, fay_ns now, fay_grid_link *link,
                        const fay_member_version *theirs, fay_buffer *want)
{
    fay_grid_member *ours = fay_members_find(&grid->members, &theirs->id);
    int order = ours != NULL ? compare(ours, theirs) : -1;
    if (ours == grid->self && ours != NULL)
        fay_grid_twin_hearsay(grid, now, theirs);
    if (ours == grid->self && ours != NULL && theirs->gone && theirs->boot == ours->boot &&
        theirs->inc >= ours->inc) { /* whatever seq: a stub has none */
        fay_grid_own_refute(grid, false);
    } else if (order < 0) {
        if (ours != NULL && theirs->gone && theirs->boot == ours->boot && theirs->inc == ours->inc)
            fay_grid_doubt(grid, now, ours);
        fay_buffer_append(want, theirs->id.bytes, sizeof theirs->id.bytes);
    } else if (order > 0 && fay_members_tells(&grid->members, now, ours)) {
        fay_grid_tell_one(grid, ours, link);
    } else if (order > 0 && !theirs->gone) {
        fay_grid_sync_gone(grid, link, ours);
    }
}

static int read_versions(fay_reader reader, fay_grid *grid, fay_ns now, fay_grid_link *link,
                         fay_buffer *want)
{
    fay_member_version theirs;
    while (fay_reader_more(&reader)) {
        if (fay_member_version_read(&reader, &theirs) != 0)
            return FAY_E_PEER;
        if (grid != NULL)
            compare_one(grid, now, link, &theirs, want);
    }
    return fay_reader_done(&reader);
}

/* What they have not listed they do not know. */
static void tell_unlisted(fay_grid *grid, fay_ns now, fay_grid_link *link, const uint8_t *bits,
                          fay_reader listed)
{
    fay_member_version theirs;
    uint64_t bit = (uint64_t)1 << (link - grid->links);
    FAY_EACH_MEMBER(member, &grid->members)
    {
        member->listed = false;
    }
    while (fay_reader_more(&listed) && fay_member_version_read(&listed, &theirs) == 0) {
        fay_grid_member *member = fay_members_find(&grid->members, &theirs.id);
        if (member != NULL)
            member->listed = true;
    }
    FAY_EACH_MEMBER(member, &grid->members)
    {
        if (!member->listed && (member->unsent & bit) == 0 && has_bit(bits, &member->id) &&
            fay_members_tells(&grid->members, now, member))
            fay_grid_tell_one(grid, member, link);
    }
}

int fay_grid_sync_versions(fay_grid *grid, fay_ns now, fay_grid_link *link, fay_reader *reader)
{
    const uint8_t *bits = fay_read_raw(reader, FAY_BUCKET_BITS);
    if (bits == NULL || read_versions(*reader, NULL, now, link, NULL) != 0)
        return FAY_E_PEER;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer want = {0};
    (void)read_versions(*reader, grid, now, link, &want);
    tell_unlisted(grid, now, link, bits, *reader);
    if (fay_buffer_size(&want) > 0)
        fay_grid_send(grid, link, FAY_GRID_WANT, &want);
    return 0;
}

int fay_grid_sync_want(fay_grid *grid, fay_ns now, fay_grid_link *link, fay_reader *reader)
{
    fay_node_id id;
    for (fay_reader all = *reader; fay_reader_more(&all);) {
        if (fay_id_read(&all, &id) != 0)
            return FAY_E_PEER;
    }
    while (fay_reader_more(reader) && fay_id_read(reader, &id) == 0) {
        fay_grid_member *member = fay_members_find(&grid->members, &id);
        if (member != NULL && fay_members_tells(&grid->members, now, member))
            fay_grid_tell_one(grid, member, link);
    }
    return 0;
}
