/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "grid/internal.h"

enum {
    PAGES_AT_ONCE = 8 /* of a table that is told whole; then others have their turn */
};

static uint64_t bit_of(const fay_grid *grid, const fay_grid_link *link)
{
    return (uint64_t)1 << (link - grid->links);
}

/* ---- out ------------------------------------------------------------------------------------- */

void fay_grid_tell_one(fay_grid *grid, fay_grid_member *member, fay_grid_link *link)
{
    uint64_t bit = bit_of(grid, link);
    if ((member->unsent & bit) != 0)
        return;
    member->unsent |= bit;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
    FAY_RESERVE(link->unsent, link->unsent_capacity, link->unsent_count + 1);
    link->unsent[link->unsent_count++] = member;
}

void fay_grid_tell(fay_grid *grid, fay_grid_member *member, const fay_grid_link *but)
{
    FAY_EACH_LINK(link, grid)
    {
        if (link != but)
            fay_grid_tell_one(grid, member, link);
    }
}

void fay_grid_tell_all(fay_grid *grid, fay_ns now, fay_grid_link *link)
{
    FAY_EACH_MEMBER(member, &grid->members)
    {
        if (fay_members_tells(&grid->members, now, member))
            fay_grid_tell_one(grid, member, link);
    }
}

void fay_grid_untell(fay_grid *grid, fay_grid_link *link)
{
    for (size_t i = 0; i < link->unsent_count; i++) {
        link->unsent[i]->unsent &= ~bit_of(grid, link);
    }
    free(link->unsent);
    link->unsent = NULL;
    link->unsent_count = 0;
    link->unsent_capacity = 0;
}

/* One message with as many of them as a page holds; returns how many that were. */
static size_t send_page(fay_grid *grid, fay_ns now, fay_grid_link *link, size_t from)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer page = {0};
    size_t at = from;
    for (; at < link->unsent_count && fay_buffer_size(&page) < FAY_GRID_PAGE_MAX; at++) {
        fay_grid_member *member = link->unsent[at];
        member->unsent &= ~bit_of(grid, link);
        if (member->record != NULL)
            fay_bundle_write(member, now, &page);
    }
    if (fay_buffer_size(&page) > 0)
        fay_grid_send(grid, link, FAY_GRID_BUNDLES, &page);
    return at - from;
}

fay_ns fay_grid_flush_due(const fay_grid *grid, const fay_grid_link *link)
{
    return link->unsent_count > 0 ? link->told_at + grid->params.batch : FAY_NEVER;
}

void fay_grid_flush(fay_grid *grid, fay_ns now, fay_grid_link *link)
{
    size_t sent = 0;
    for (int pages = 0; pages < PAGES_AT_ONCE && sent < link->unsent_count; pages++) {
        sent += send_page(grid, now, link, sent);
    }
    link->unsent_count -= sent;
    size_t left = link->unsent_count * sizeof(void *);
    memmove(link->unsent, link->unsent + sent, left);
    link->told_at = now;
}

/* ---- in -------------------------------------------------------------------------------------- */

void fay_grid_changed(fay_grid *grid, const fay_grid_member *member, fay_member_state was,
                      bool is_new)
{
    fay_member_state is = fay_member_state_of(member);
    if (is == was && !is_new)
        return;
    fay_grid_action *action = fay_grid_act(grid, FAY_GRID_CHANGED);
    action->id = (const fay_node_id *)fay_grid_lend(grid, &member->id, sizeof member->id).bytes;
    action->state = is;
}

static bool is_own(const fay_grid *grid, const fay_node_id *id)
{
    return fay_node_id_same(&grid->own.id, id);
}

/* Whether a record is later than what the table has of that member. */
static bool is_later(const fay_grid_record *record, const fay_grid_member *member)
{
    if (member == NULL)
        return true;
    if (member->record != NULL)
        return fay_record_compare(record, member->record) > 0;
    return record->boot > member->boot ||
           (record->boot == member->boot && record->inc > member->inc);
}

static bool is_same_life(const fay_grid_record *record, const fay_grid_member *member)
{
    return member != NULL && member->record != NULL && member->boot == record->boot &&
           member->inc == record->inc;
}

/* Which of a bundle's statements are news: bit 0 the record, bit n + 1 accusation n. */
static uint32_t news_of(const fay_bundle *bundle, const fay_grid_member *member)
{
    const fay_grid_record *record = &bundle->record;
    bool same = is_same_life(record, member);
    uint32_t news = is_later(record, member) ? 1 : 0;
    for (size_t i = 0; i < bundle->count && (news != 0 || same); i++) {
        const fay_grid_accusation *said = &bundle->accusations[i];
        const fay_charge *charge = same ? fay_member_charge_by(member, &said->observer) : NULL;
        bool present = said->boot == record->boot && said->inc == record->inc;
        if (present && (charge == NULL || said->observer_boot > charge->said.observer_boot))
            news |= (uint32_t)2 << i;
    }
    return news;
}

/* What is good of a bundle is merged; `good` has the bits of news_of(). */
static void take(fay_grid *grid, fay_ns now, fay_grid_link *from, const fay_bundle *bundle,
                 uint32_t good)
{
    fay_grid_member *member = fay_members_find(&grid->members, &bundle->record.id);
    fay_member_state was = member != NULL ? fay_member_state_of(member) : FAY_ALIVE;
    bool known = member != NULL, changed = false;
    if ((good & 1) != 0) {
        if (known)
            fay_grid_refuted(grid, now, member, &bundle->record);
        int merged = fay_members_merge_record(&grid->members, now, &bundle->record, &member);
        if (merged == FAY_MERGE_NO_ROOM)
            return;
        changed = merged == FAY_MERGE_NEW;
    }
    for (size_t i = 0; i < bundle->count; i++) {
        const fay_grid_accusation *said = &bundle->accusations[i];
        if ((good & ((uint32_t)2 << i)) != 0 &&
            fay_members_merge_accusation(&grid->members, now, said,
                                         fay_grid_entitled(grid, now, said)) == FAY_MERGE_NEW)
            changed = changed || !fay_grid_is_muted(grid, now, said);
    }
    if (member == NULL)
        return;
    bool believed = known && !fay_member_gone(was) && member->boot == bundle->record.boot;
    if (bundle->gone)
        fay_grid_bury(grid, now, member, bundle, believed);
    fay_grid_changed(grid, member, was, !known);
    fay_grid_suspect(grid, member);
    if (changed)
        fay_grid_tell(grid, member, from);
}

/* By somebody who is not muted. */
static bool is_accused(const fay_grid *grid, fay_ns now, const fay_bundle *bundle, uint32_t good)
{
    for (size_t i = 0; i < bundle->count; i++) {
        if ((good & ((uint32_t)2 << i)) != 0 &&
            !fay_grid_is_muted(grid, now, &bundle->accusations[i]))
            return true;
    }
    return false;
}

/* This Node's own: whoever else says something of it is answered, not believed. */
static void take_own(fay_grid *grid, fay_ns now, fay_grid_link *from, const fay_bundle *bundle,
                     uint32_t good)
{
    if ((good & 1) != 0) {
        fay_grid_twin_told(grid, now, &bundle->record);
        return;
    }
    bool present = bundle->record.boot == grid->own.boot && bundle->record.inc == grid->own.inc;
    if (present && (bundle->gone || bundle->count > 0))
        fay_grid_own_refute(grid, is_accused(grid, now, bundle, good));
    if (good != 0)
        take(grid, now, from, bundle, good);
}

static void finish(fay_grid *grid, fay_ns now, fay_grid_link *from, const fay_bundle *bundle,
                   uint32_t asked, uint32_t good)
{
    if ((asked & 1) != 0 && (good & 1) == 0)
        return; /* a record that nobody wrote; what is said of it is void */
    if (is_own(grid, &bundle->record.id)) {
        take_own(grid, now, from, bundle, good);
    } else {
        take(grid, now, from, bundle, good);
    }
}

/* What says whose the record key of that boot is; NULL: we do not know. */
static const uint8_t *certification_of(const fay_grid *grid, const fay_node_id *id, uint64_t boot)
{
    const fay_grid_member *member = fay_members_find(&grid->members, id);
    bool known = member != NULL && member->record != NULL && member->record->boot == boot;
    return known ? member->record->certification : NULL;
}

void fay_grid_ask_verdict(fay_grid *grid, uint64_t token, const fay_grid_signed_text *said)
{
    const uint8_t *certification = said->certification != NULL
                                       ? said->certification
                                       : certification_of(grid, said->id, said->boot);
    fay_grid_action *action = fay_grid_act(grid, FAY_GRID_VERIFY);
    action->token = token;
    action->link = said->link;
    action->boot = said->boot;
    action->bytes = fay_grid_lend(grid, fay_buffer_data(said->text), fay_buffer_size(said->text));
    action->id = (const fay_node_id *)fay_grid_lend(grid, said->id, sizeof *said->id).bytes;
    action->signature = fay_grid_lend(grid, said->signature, FAY_SIGNATURE_SIZE).bytes;
    if (certification != NULL)
        action->certification = fay_grid_lend(grid, certification, FAY_KEY_HASH_SIZE).bytes;
}

static void ask_all(fay_grid *grid, const fay_pending *pending)
{
    const fay_bundle *bundle = &pending->bundle;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    if ((pending->asked & 1) != 0) {
        fay_record_signed(&bundle->record, &text);
        fay_grid_signed_text said = {.text = &text,
                                     .id = &bundle->record.id,
                                     .boot = bundle->record.boot,
                                     .link = pending->link,
                                     .signature = bundle->record.signature,
                                     .certification = bundle->record.certification};
        fay_grid_ask_verdict(grid, pending->token, &said);
    }
    for (size_t i = 0; i < bundle->count; i++) {
        const fay_grid_accusation *said = &bundle->accusations[i];
        if ((pending->asked & ((uint32_t)2 << i)) == 0)
            continue;
        fay_buffer_clear(&text);
        fay_accusation_signed(said, &text);
        fay_grid_signed_text signed_text = {.text = &text,
                                            .id = &said->observer,
                                            .boot = said->observer_boot,
                                            .link = pending->link,
                                            .signature = said->signature};
        fay_grid_ask_verdict(grid, pending->token + 1 + i, &signed_text);
    }
}

/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc): of uthash */
static void add_pending(fay_grid *grid, fay_pending *pending)
{
    HASH_ADD(hh, grid->pending, token, sizeof pending->token, pending);
}

static void remove_pending(fay_grid *grid, fay_pending *pending)
{
    HASH_DEL(grid->pending, pending);
    free(pending->bytes);
    free(pending);
}

static fay_pending *find_pending(const fay_grid *grid, uint64_t token)
{
    fay_pending *pending;
    HASH_FIND(hh, grid->pending, &token, sizeof token, pending);
    return pending;
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */

void fay_grid_pending_free(fay_grid *grid)
{
    while (grid->pending != NULL) {
        remove_pending(grid, grid->pending);
    }
}

enum {
    TOKENS = 32 /* of a bundle: token / TOKENS is the same for all of it */
};

static void wait_for_verdicts(fay_grid *grid, const fay_grid_link *from, const fay_bundle *bundle,
                              uint32_t news)
{
    if (HASH_COUNT(grid->pending) >= FAY_GRID_PENDING_MAX)
        return; /* the hash will differ, and it comes again */
    fay_pending *pending = fay_alloc(sizeof *pending);
    grid->next_token = (grid->next_token + TOKENS - 1) / TOKENS * TOKENS;
    pending->token = grid->next_token;
    grid->next_token += TOKENS;
    pending->link = from->number;
    pending->asked = news;
    pending->undecided = news;
    pending->bundle = *bundle;
    size_t size = bundle->record.statement.size;
    pending->bytes = fay_alloc(size);
    memcpy(pending->bytes, bundle->record.statement.bytes, size);
    int status = fay_record_parse(pending->bytes, size, &pending->bundle.record);
    assert(status == 0);
    add_pending(grid, pending);
    ask_all(grid, pending);
}

void fay_grid_verified(fay_grid *grid, fay_ns now, uint64_t token, bool ok)
{
    fay_pending *pending = find_pending(grid, token / TOKENS * TOKENS);
    uint32_t bit = (uint32_t)1 << (token % TOKENS);
    if (pending == NULL || (pending->undecided & bit) == 0)
        return;
    pending->undecided &= ~bit;
    pending->good |= ok ? bit : 0;
    if (pending->undecided != 0)
        return;
    fay_grid_link *from = fay_grid_link_by_number(grid, pending->link);
    finish(grid, now, from, &pending->bundle, pending->asked, pending->good);
    remove_pending(grid, pending);
}

/* The sender knows less: a record that is outdated, or alive what is gone. */
static void answer(fay_grid *grid, fay_ns now, fay_grid_link *from, const fay_bundle *bundle,
                   fay_grid_member *member)
{
    bool same = member->record != NULL && fay_record_compare(&bundle->record, member->record) == 0;
    bool gone = fay_member_gone(fay_member_state_of(member));
    if (same && (bundle->gone || !gone))
        return;
    if (fay_members_tells(&grid->members, now, member)) {
        fay_grid_tell_one(grid, member, from);
    } else if (!bundle->gone) {
        fay_grid_sync_gone(grid, from, member);
    }
}

/* A record of this Node's own id that it has not made: another record key has. */
static bool is_foreign(const fay_grid *grid, const fay_grid_record *record)
{
    const fay_grid_record *own = &grid->own;
    return record->boot > own->boot ||
           (record->boot == own->boot &&
            memcmp(record->certification, own->certification, sizeof own->certification) != 0);
}

static void hear(fay_grid *grid, fay_ns now, fay_grid_link *from, const fay_bundle *bundle)
{
    fay_grid_member *member = fay_members_find(&grid->members, &bundle->record.id);
    uint32_t news = news_of(bundle, member);
    bool own = is_own(grid, &bundle->record.id), accused = own && bundle->count > 0;
    if (own)
        news = (news & ~(uint32_t)1) | is_foreign(grid, &bundle->record);
    if (news != 0) {
        wait_for_verdicts(grid, from, bundle, news);
    } else if (bundle->gone || accused) {
        finish(grid, now, from, bundle, 0, 0);
    }
    if (member != NULL && (news & 1) == 0)
        answer(grid, now, from, bundle, member);
}

int fay_grid_bundles(fay_grid *grid, fay_ns now, fay_grid_link *link, fay_reader *reader)
{
    fay_bundle bundle;
    for (fay_reader all = *reader; fay_reader_more(&all);) {
        if (fay_bundle_read(&all, &bundle) != 0)
            return FAY_E_PEER;
    }
    while (fay_reader_more(reader)) {
        (void)fay_bundle_read(reader, &bundle);
        hear(grid, now, link, &bundle);
    }
    return 0;
}
