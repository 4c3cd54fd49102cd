/* SPDX-License-Identifier: MIT */
#include "grid/members.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "wire/codec.h"

/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc): of uthash */
fay_grid_member *fay_members_find(const fay_members *members, const fay_node_id *id)
{
    fay_grid_member *member;
    HASH_FIND(hh, members->table, id, sizeof *id, member);
    return member;
}

static void insert_member(fay_members *members, fay_grid_member *member)
{
    HASH_ADD(hh, members->table, id, sizeof member->id, member);
}

static void remove_member(fay_members *members, fay_grid_member *member)
{
    HASH_DEL(members->table, member);
    fay_member_free(member);
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */

void fay_members_init(fay_members *members, const fay_grid_params *params)
{
    *members = (fay_members){.params = params, .due = FAY_NEVER};
}

void fay_members_deinit(fay_members *members)
{
    while (members->table != NULL) {
        remove_member(members, members->table);
    }
}

size_t fay_members_alive(const fay_members *members)
{
    return members->states[FAY_ALIVE] + members->states[FAY_SUSPECT];
}

uint64_t fay_members_hash(const fay_members *members)
{
    return members->hash;
}

/* ---- what follows from a change -------------------------------------------------------------- */

bool fay_members_tells(const fay_members *members, fay_ns now, const fay_grid_member *member)
{
    return member->record != NULL && (!fay_member_gone(fay_member_state_of(member)) ||
                                      now < member->gone_at + members->params->gone_told);
}

static uint64_t hash_of(const fay_members *members, fay_ns now, const fay_grid_member *member)
{
    if (!fay_members_tells(members, now, member))
        return 0;
    uint8_t bytes[FAY_NODE_ID_SIZE + 8 + 4 + 4 + 1];
    memcpy(bytes, member->id.bytes, FAY_NODE_ID_SIZE);
    fay_store64(bytes + 16, member->boot);
    fay_store32(bytes + 24, member->inc);
    fay_store32(bytes + 28, member->record->seq);
    bytes[32] = fay_member_gone(fay_member_state_of(member));
    return fay_hash64(bytes, sizeof bytes, 0);
}

/* When it grows older next. */
static fay_ns due_of(const fay_members *members, fay_ns now, const fay_grid_member *member)
{
    const fay_grid_params *p = members->params;
    if (!fay_member_gone(fay_member_state_of(member)))
        return FAY_NEVER;
    if (member->record == NULL)
        return member->gone_at + p->stub;
    bool told = now < member->gone_at + p->gone_told;
    return member->gone_at + (told ? p->gone_told : p->gone_kept);
}

/* What was counted of a member before something happens to it. */
typedef struct before {
    fay_member_state state;
    bool stub;
} before;

static before look(const fay_grid_member *member)
{
    return (before){.state = fay_member_state_of(member), .stub = member->record == NULL};
}

/* Counts, generation, hash and due time follow what has happened. */
static void follow(fay_members *members, fay_ns now, fay_grid_member *member, const before *was)
{
    before is = look(member);
    if (was != NULL) {
        members->states[was->state]--;
        members->stubs -= was->stub;
    }
    members->states[is.state]++;
    members->stubs += is.stub;
    bool gone = fay_member_gone(is.state);
    member->gone = gone;
    if (was == NULL ? !gone : gone != fay_member_gone(was->state))
        members->generation++;
    uint64_t hashed = hash_of(members, now, member);
    members->buckets[fay_members_bucket(&member->id)] ^= member->hashed ^ hashed;
    members->hash ^= member->hashed ^ hashed;
    member->hashed = hashed;
    members->due = FAY_MIN(members->due, due_of(members, now, member));
}

static void remove_stub(fay_members *members, fay_grid_member *stub)
{
    assert(stub->record == NULL && stub->hashed == 0);
    members->states[fay_member_state_of(stub)]--;
    members->stubs--;
    remove_member(members, stub);
}

/* ---- statements ------------------------------------------------------------------------------ */

/* Where the table is full, the stub that is the oldest goes. False: there is none. */
static bool make_room(fay_members *members)
{
    if (HASH_COUNT(members->table) < FAY_GRID_MEMBERS_MAX)
        return true;
    fay_grid_member *oldest = NULL;
    FAY_EACH_MEMBER(member, members)
    {
        bool free = member->record == NULL && member->unsent == 0;
        if (free && (oldest == NULL || member->gone_at < oldest->gone_at))
            oldest = member;
    }
    if (oldest != NULL)
        remove_stub(members, oldest);
    return oldest != NULL;
}

static int add(fay_members *members, fay_ns now, const fay_grid_record *record,
               fay_grid_member **ret_member)
{
    if (!make_room(members))
        return FAY_MERGE_NO_ROOM;
    fay_grid_member *member = fay_member_new(&record->id);
    bool merged = fay_member_merge_record(member, now, record);
    assert(merged);
    insert_member(members, member);
    follow(members, now, member, NULL);
    if (ret_member != NULL)
        *ret_member = member;
    return FAY_MERGE_NEW;
}

int fay_members_merge_record(fay_members *members, fay_ns now, const fay_grid_record *record,
                             fay_grid_member **ret_member)
{
    fay_grid_member *member = fay_members_find(members, &record->id);
    if (member == NULL)
        return add(members, now, record, ret_member);
    if (ret_member != NULL)
        *ret_member = member;
    before was = look(member);
    if (fay_member_merge_record(member, now, record)) {
        follow(members, now, member, &was);
        return FAY_MERGE_NEW;
    }
    bool same = member->record != NULL && fay_record_compare(record, member->record) == 0;
    return same && !fay_member_gone(was.state) ? FAY_MERGE_KNOWN : FAY_MERGE_STALE;
}

int fay_members_merge_accusation(fay_members *members, fay_ns now,
                                 const fay_grid_accusation *accusation, bool counts)
{
    fay_grid_member *member = fay_members_find(members, &accusation->target);
    if (member == NULL)
        return FAY_MERGE_AHEAD;
    before was = look(member);
    if (fay_member_merge_accusation(member, now, accusation, counts)) {
        follow(members, now, member, &was);
        return FAY_MERGE_NEW;
    }
    bool about_boot = accusation->boot == member->boot;
    if (accusation->boot > member->boot || (about_boot && accusation->inc > member->inc))
        return FAY_MERGE_AHEAD;
    return about_boot && accusation->inc == member->inc ? FAY_MERGE_KNOWN : FAY_MERGE_STALE;
}

void fay_members_count(fay_members *members, fay_ns now, fay_grid_member *member,
                       fay_charge *charge)
{
    before was = look(member);
    charge->counts = true;
    follow(members, now, member, &was);
}

void fay_members_sentence(fay_members *members, fay_ns now, fay_grid_member *member)
{
    before was = look(member);
    fay_member_sentence(member, now);
    follow(members, now, member, &was);
}

void fay_members_expel(fay_members *members, fay_ns now, fay_grid_member *member)
{
    before was = look(member);
    fay_member_expel(member, now);
    follow(members, now, member, &was);
}

void fay_members_backdate(fay_members *members, fay_ns now, fay_grid_member *member, fay_ns since)
{
    before was = look(member);
    assert(fay_member_gone(was.state));
    member->gone_at = FAY_MIN(member->gone_at, since);
    follow(members, now, member, &was);
}

/* ---- age ------------------------------------------------------------------------------------- */

void fay_members_age(fay_members *members, fay_ns now)
{
    if (now < members->due)
        return;
    members->due = FAY_NEVER;
    for (fay_grid_member *member = members->table, *next; member != NULL; member = next) {
        next = member->hh.next;
        before was = look(member);
        if (!fay_member_gone(was.state))
            continue;
        if (!was.stub && now >= member->gone_at + members->params->gone_kept)
            fay_member_reduce(member);
        if (was.stub && member->unsent == 0 && now >= member->gone_at + members->params->stub) {
            remove_stub(members, member);
        } else {
            follow(members, now, member, &was);
        }
    }
}

fay_ns fay_members_due(const fay_members *members)
{
    return members->due;
}

void fay_members_check(const fay_members *members, fay_ns now)
{
    size_t states[FAY_MEMBER_STATES] = {0}, stubs = 0;
    uint64_t buckets[FAY_MEMBERS_BUCKETS] = {0}, hash = 0;
    FAY_EACH_MEMBER(member, members)
    {
        fay_member_state state = fay_member_state_of(member);
        states[state]++;
        stubs += member->record == NULL;
        buckets[fay_members_bucket(&member->id)] ^= member->hashed;
        hash ^= member->hashed;
        assert(member->gone == fay_member_gone(state));
        assert(member->record != NULL || member->gone);
        assert(member->record == NULL ||
               (member->boot == member->record->boot && member->inc == member->record->inc));
        assert(due_of(members, now, member) >= members->due || now >= members->due);
        assert(now >= members->due || member->hashed == hash_of(members, now, member));
    }
    assert(memcmp(states, members->states, sizeof states) == 0);
    assert(memcmp(buckets, members->buckets, sizeof buckets) == 0);
    assert(stubs == members->stubs && hash == members->hash);
}
