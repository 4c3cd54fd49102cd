/* SPDX-License-Identifier: MIT */
/*
 * A talk with one Node's Grid: what happens to it, and what it does, as text. It is Node 1, boot 7;
 * all its links are to Nodes that the test plays. What it asks to be signed is signed, what it asks
 * to be verified is good unless the test says otherwise.
 */
#ifndef GRID_TALK_H
#define GRID_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "grid/grid.h"
#include "grid/message.h"
#include "grid/rumors.h"
#include "grid_make.h"

enum {
    SELF = 1,
    BOOT = 7
};

typedef struct talk {
    fay_grid *grid;
    fay_ns now;
    fay_buffer said;
    bool forged;              /* no signature is good */
    uint64_t dial, seed_dial; /* the last ones */
} talk;

/* ---- what it does, as text ------------------------------------------------------------------- */

static inline unsigned node_of(const fay_node_id *id)
{
    return (unsigned)fay_load64(id->bytes + 8);
}

static inline void say_bundles(talk *t, fay_reader *r)
{
    fay_bundle bundle;
    while (fay_reader_more(r)) {
        assert_int_equal(fay_bundle_read(r, &bundle), 0);
        fay_buffer_printf(&t->said, " %u:%u.%u%s", node_of(&bundle.record.id),
                          (unsigned)bundle.record.boot, bundle.record.inc,
                          bundle.record.bye ? " bye" : "");
        if (bundle.gone)
            fay_buffer_append_text(&t->said, " gone");
        for (size_t i = 0; i < bundle.count; i++) {
            fay_buffer_printf(&t->said, " accused by %u", node_of(&bundle.accusations[i].observer));
        }
    }
}

static inline void say_message(talk *t, const fay_grid_action *action)
{
    fay_reader r = fay_reader_of(action->bytes.bytes, action->bytes.size);
    unsigned kind = fay_read8(&r);
    fay_heartbeat beat;
    fay_buffer_printf(&t->said, "%u< %s", (unsigned)action->link, fay_grid_message_name(kind));
    if (kind == FAY_GRID_BUNDLES)
        say_bundles(t, &r);
    if (kind == FAY_GRID_HEARTBEAT && fay_heartbeat_read(&r, &beat) == 0 && beat.wished)
        fay_buffer_append_text(&t->said, " wished");
    fay_buffer_append_text(&t->said, "\n");
}

static inline void say(talk *t, const fay_grid_action *action)
{
    switch (action->kind) {
    case FAY_GRID_DIAL:
        *(action->id != NULL ? &t->dial : &t->seed_dial) = action->dial;
        fay_buffer_printf(&t->said, "dial %.*s\n", (int)action->address.size,
                          (const char *)action->address.bytes);
        break;
    case FAY_GRID_SEND: say_message(t, action); break;
    case FAY_GRID_CLOSE: fay_buffer_printf(&t->said, "close %u\n", (unsigned)action->link); break;
    case FAY_GRID_CHANGED:
        fay_buffer_printf(&t->said, "%u is %s\n", node_of(action->id),
                          fay_member_state_name(action->state));
        break;
    case FAY_GRID_DELIVER:
        fay_buffer_printf(&t->said, "hears %u: %.*s\n", node_of(action->id),
                          (int)FAY_MIN(action->bytes.size, 10), (const char *)action->bytes.bytes);
        break;
    case FAY_GRID_REPLACED:
        fay_buffer_printf(&t->said, "replaced by boot %u\n", (unsigned)action->boot);
        break;
    case FAY_GRID_REBOOT: fay_buffer_printf(&t->said, "reboot %u\n", (unsigned)action->boot); break;
    case FAY_GRID_BEHIND:
        fay_buffer_printf(&t->said, "behind %u: CRL %u\n", (unsigned)action->link,
                          (unsigned)action->number);
        break;
    case FAY_GRID_LEFT: fay_buffer_append_text(&t->said, "left\n"); break;
    case FAY_GRID_SIGN:
    case FAY_GRID_VERIFY: break;
    }
}

/* Steps until nothing more is to be signed or verified. */
static inline void step(talk *t)
{
    static const uint8_t signature[FAY_SIGNATURE_SIZE] = {SELF};
    fay_grid_actions actions;
    fay_grid_event answers[64];
    size_t count;
    do {
        fay_grid_step(t->grid, t->now, &actions);
        count = 0;
        for (size_t i = 0; i < actions.count; i++) {
            const fay_grid_action *action = &actions.items[i];
            say(t, action);
            fay_grid_event answer = {.token = action->token,
                                     .bytes = signature,
                                     .size = sizeof signature,
                                     .ok = !t->forged};
            bool sign = action->kind == FAY_GRID_SIGN;
            answer.kind = sign ? FAY_GRID_SIGNED : FAY_GRID_VERIFIED;
            if (sign || action->kind == FAY_GRID_VERIFY)
                answers[count++] = answer;
        }
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(fay_grid_feed(t->grid, t->now, &answers[i]), 0);
        }
    } while (count > 0);
    fay_grid_check(t->grid, t->now);
}

/* What it has said since the last time. */
static inline void expect_text(talk *t, const char *text)
{
    step(t);
    assert_string_equal(fay_buffer_text(&t->said), text);
    fay_buffer_clear(&t->said);
}

static inline void ignore(talk *t)
{
    step(t);
    fay_buffer_clear(&t->said);
}

/* Lets time pass, waking up when it is due. */
static inline void pass(talk *t, fay_ns time)
{
    fay_ns until = t->now + time;
    for (fay_ns due; (due = fay_grid_deadline(t->grid)) <= until;) {
        t->now = FAY_MAX(due, t->now);
        step(t);
    }
    t->now = until;
}

/* ---- what happens to it ---------------------------------------------------------------------- */

static inline int feed(talk *t, fay_grid_event event)
{
    return fay_grid_feed(t->grid, t->now, &event);
}

static inline void up(talk *t, uint64_t link, unsigned node, uint64_t boot, uint64_t dial)
{
    fay_node_id id = id_of(node);
    (void)feed(t, (fay_grid_event){
                      .kind = FAY_GRID_UP, .link = link, .dial = dial, .id = &id, .boot = boot});
}

/* A handshake with this very id, in that boot, with another certification than ours. */
static inline void meet_twin(talk *t, uint64_t link, uint64_t boot, uint64_t dial, uint8_t key)
{
    fay_node_id id = id_of(SELF);
    uint8_t certification[FAY_KEY_HASH_SIZE] = {key};
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_UP,
                                   .link = link,
                                   .dial = dial,
                                   .id = &id,
                                   .boot = boot,
                                   .bytes = certification,
                                   .size = sizeof certification});
}

static inline void rebooted(talk *t, uint64_t boot)
{
    static const uint8_t certification[FAY_KEY_HASH_SIZE] = {9};
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_REBOOTED,
                                   .boot = boot,
                                   .bytes = certification,
                                   .size = sizeof certification});
}

static inline void down(talk *t, uint64_t link)
{
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_DOWN, .link = link});
}

static inline void fail_one(talk *t, uint64_t dial, fay_evidence evidence)
{
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_FAILED, .dial = dial, .evidence = evidence});
}

static inline void fail_dial(talk *t, fay_evidence evidence)
{
    fail_one(t, t->dial, evidence);
}

static inline int hear(talk *t, uint64_t link, uint8_t kind, const fay_buffer *payload)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    fay_write8(&bytes, kind);
    if (payload != NULL && fay_buffer_size(payload) > 0)
        fay_buffer_append(&bytes, fay_buffer_data(payload), fay_buffer_size(payload));
    return feed(t, (fay_grid_event){.kind = FAY_GRID_MESSAGE,
                                    .link = link,
                                    .bytes = fay_buffer_data(&bytes),
                                    .size = fay_buffer_size(&bytes)});
}

static inline void hear_beat(talk *t, uint64_t link)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_heartbeat beat = {.wished = true, .hash = fay_members_hash(fay_grid_members(t->grid))};
    fay_heartbeat_write(&beat, &payload);
    assert_int_equal(hear(t, link, FAY_GRID_HEARTBEAT, &payload), 0);
}

/* A bundle about a member at boot 1, accused by `accusers` (0-terminated). */
static inline void hear_of(talk *t, uint64_t link, unsigned node, uint64_t boot, uint32_t inc,
                           const unsigned *accusers)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    FAY_CLEANUP(fay_freep) fay_grid_record *record = new_record(node, boot, inc, 0, false);
    fay_grid_member *member = fay_member_new(&record->id);
    (void)fay_member_merge_record(member, t->now, record);
    for (; accusers != NULL && *accusers != 0; accusers++) {
        fay_grid_accusation said = accusation_of(node, boot, inc, *accusers, 1);
        (void)fay_member_merge_accusation(member, t->now, &said, false);
    }
    fay_bundle_write(member, t->now, &payload);
    fay_member_free(member);
    assert_int_equal(hear(t, link, FAY_GRID_BUNDLES, &payload), 0);
}

static inline void hear_bye(talk *t, uint64_t link, unsigned node, uint64_t boot, uint32_t inc)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    FAY_CLEANUP(fay_freep) fay_grid_record *record = new_record(node, boot, inc, 1, true);
    fay_grid_member *member = fay_member_new(&record->id);
    (void)fay_member_merge_record(member, t->now, record);
    fay_bundle_write(member, t->now, &payload);
    fay_member_free(member);
    assert_int_equal(hear(t, link, FAY_GRID_BUNDLES, &payload), 0);
}

static inline int set_up(void **state)
{
    static const uint8_t digest[FAY_KEY_HASH_SIZE];
    static const char *const seeds[] = {"seed:1"};
    static talk t;
    fay_grid_config config = {.id = id_of(SELF),
                              .boot = BOOT,
                              .tls_key = digest,
                              .certification = digest,
                              .name = "me",
                              .address = "me:1",
                              .seeds = seeds,
                              .seeds_count = 1,
                              .seed = 5};
    fay_grid_params_lan(&config.params);
    t = (talk){.now = 10 * FAY_SECOND};
    t.grid = fay_grid_new(&config, t.now);
    *state = &t;
    return 0;
}

static inline int tear_down(void **state)
{
    talk *t = *state;
    fay_grid_free(t->grid);
    fay_buffer_deinit(&t->said);
    return 0;
}

static inline fay_member_state state_at(const talk *t, unsigned node)
{
    return state_of(fay_grid_members(t->grid), node);
}

/* Linked to 2, which is known, wished and alive; also to 3 and 4 if there are to be more. */
static inline void link_to(talk *t, unsigned last)
{
    step(t);
    for (unsigned node = 2; node <= last; node++) {
        up(t, node, node, 1, node == 2 ? t->seed_dial : 0);
        hear_of(t, node, node, 1, 0, NULL);
        hear_beat(t, node);
        step(t);
    }
    for (int beats = 0; beats < 20; beats++) { /* until the overlay is what it shall be */
        pass(t, 100 * FAY_MS);
        for (unsigned node = 2; node <= last; node++) {
            hear_beat(t, node);
        }
    }
    ignore(t);
}

/* That link has so much of a member, by its version. */
static inline void hear_version(talk *t, uint64_t link, unsigned node, uint64_t boot, uint32_t inc,
                                bool gone)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    static const uint8_t no_buckets[FAY_BUCKET_BITS];
    fay_node_id id = id_of(node);
    fay_buffer_append(&payload, no_buckets, sizeof no_buckets);
    fay_buffer_append(&payload, id.bytes, sizeof id.bytes);
    fay_write64(&payload, boot);
    fay_write32(&payload, inc);
    fay_write32(&payload, 0);
    fay_write8(&payload, gone);
    assert_int_equal(hear(t, link, FAY_GRID_VERSIONS, &payload), 0);
}

#endif /* GRID_TALK_H */
