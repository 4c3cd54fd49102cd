/* SPDX-License-Identifier: MIT */
/*
 * One Node's Grid as a transcript: what happens to it, and what it does. It is Node 1, boot 7; all
 * its links are to Nodes that the test plays. What it asks to be signed is signed, what it asks to
 * be verified is good unless the test says otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "grid/grid.h"
#include "grid/message.h"
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

static unsigned node_of(const fay_node_id *id)
{
    return (unsigned)fay_load64(id->bytes + 8);
}

static void say_bundles(talk *t, fay_reader *r)
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

static void say_message(talk *t, const fay_grid_action *action)
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

static void say(talk *t, const fay_grid_action *action)
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
    case FAY_GRID_REPLACED:
        fay_buffer_printf(&t->said, "replaced by boot %u\n", (unsigned)action->boot);
        break;
    case FAY_GRID_LEFT: fay_buffer_append_text(&t->said, "left\n"); break;
    case FAY_GRID_SIGN:
    case FAY_GRID_VERIFY: break;
    }
}

/* Steps until nothing more is to be signed or verified. */
static void step(talk *t)
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
static void expect_text(talk *t, const char *text)
{
    step(t);
    assert_string_equal(fay_buffer_text(&t->said), text);
    fay_buffer_clear(&t->said);
}

static void ignore(talk *t)
{
    step(t);
    fay_buffer_clear(&t->said);
}

/* Lets time pass, waking up when it is due. */
static void pass(talk *t, fay_ns time)
{
    fay_ns until = t->now + time;
    for (fay_ns due; (due = fay_grid_deadline(t->grid)) <= until;) {
        t->now = FAY_MAX(due, t->now);
        step(t);
    }
    t->now = until;
}

/* ---- what happens to it ---------------------------------------------------------------------- */

static int feed(talk *t, fay_grid_event event)
{
    return fay_grid_feed(t->grid, t->now, &event);
}

static void up(talk *t, uint64_t link, unsigned node, uint64_t boot, uint64_t dial)
{
    fay_node_id id = id_of(node);
    (void)feed(t, (fay_grid_event){
                      .kind = FAY_GRID_UP, .link = link, .dial = dial, .id = &id, .boot = boot});
}

static void down(talk *t, uint64_t link)
{
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_DOWN, .link = link});
}

static void fail_one(talk *t, uint64_t dial, fay_evidence evidence)
{
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_FAILED, .dial = dial, .evidence = evidence});
}

static void fail_dial(talk *t, fay_evidence evidence)
{
    fail_one(t, t->dial, evidence);
}

static int hear(talk *t, uint64_t link, uint8_t kind, const fay_buffer *payload)
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

static void hear_beat(talk *t, uint64_t link)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_heartbeat beat = {.wished = true, .hash = fay_members_hash(fay_grid_members(t->grid))};
    fay_heartbeat_write(&beat, &payload);
    assert_int_equal(hear(t, link, FAY_GRID_HEARTBEAT, &payload), 0);
}

/* A bundle about a member at boot 1, accused by `accusers` (0-terminated). */
static void hear_of(talk *t, uint64_t link, unsigned node, uint64_t boot, uint32_t inc,
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

static int set_up(void **state)
{
    static const uint8_t digest[FAY_DIGEST_SIZE];
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

static int tear_down(void **state)
{
    talk *t = *state;
    fay_grid_free(t->grid);
    fay_buffer_deinit(&t->said);
    return 0;
}

static fay_member_state state_at(const talk *t, unsigned node)
{
    return state_of(fay_grid_members(t->grid), node);
}

/* Linked to 2, which is known, wished and alive; also to 3 and 4 if there are to be more. */
static void link_to(talk *t, unsigned last)
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

/* ---- links ----------------------------------------------------------------------------------- */

static void it_looks_for_the_grid(void **state)
{
    talk *t = *state;
    expect_text(t, "dial seed:1\n1 is alive\n");
    fail_one(t, t->seed_dial, FAY_EVIDENCE_REFUSED);
    expect_text(t, "");
    pass(t, 5 * FAY_SECOND);
    fail_one(t, t->seed_dial, FAY_EVIDENCE_REFUSED); /* and again, for ever */
    pass(t, 10 * FAY_SECOND);
    expect_text(t, "dial seed:1\ndial seed:1\n");
}

static void who_meets_tells_of_itself(void **state)
{
    talk *t = *state;
    ignore(t);
    up(t, 1, 2, 1, t->seed_dial);
    expect_text(t, "1< HEARTBEAT\n1< BUNDLES 1:7.0\n");
    hear_of(t, 1, 2, 1, 0, NULL);
    expect_text(t, "2 is alive\n");
    hear_of(t, 1, 2, 1, 0, NULL); /* known: not even verified */
    expect_text(t, "");
    pass(t, 300 * FAY_MS); /* the table is quiet */
    expect_text(t, "1< HEARTBEAT wished\n");
}

static void what_nobody_has_signed_is_void(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    t->forged = true;
    hear_of(t, 2, 3, 1, 0, (const unsigned[]){2, 0});
    hear_of(t, 2, 2, 1, 9, NULL);
    expect_text(t, "");
    assert_null(member_of(fay_grid_members(t->grid), 3));
    assert_int_equal(member_of(fay_grid_members(t->grid), 2)->inc, 0);
}

static void news_are_told_to_all_but_their_teller(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    hear_of(t, 2, 4, 1, 0, NULL);
    expect_text(t, "4 is alive\n3< BUNDLES 4:1.0\n");
}

static void of_two_links_to_one_node_one_stays(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    up(t, 22, 2, 1, 0);
    step(t);
    assert_int_equal(fay_grid_links(t->grid), 1);
    up(t, 23, 2, 8, 0); /* it has been started again: the old link is dead */
    step(t);
    assert_int_equal(fay_grid_links(t->grid), 1);
    fay_buffer_clear(&t->said);
    hear_beat(t, 23);
    expect_text(t, "");
}

static void an_address_of_ones_own_is_left(void **state)
{
    talk *t = *state;
    ignore(t);
    up(t, 1, SELF, BOOT, t->seed_dial);
    expect_text(t, "close 1\n");
}

static void garbage_is_refused(void **state)
{
    talk *t = *state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    link_to(t, 2);
    assert_int_equal(hear(t, 2, 0, NULL), FAY_E_PEER);
    assert_int_equal(hear(t, 2, 99, NULL), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_HEARTBEAT, NULL), FAY_E_PEER);
    fay_write64(&payload, 1);
    assert_int_equal(hear(t, 2, FAY_GRID_BUNDLES, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_DIGEST, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_VERSIONS, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_WANT, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_REDIRECT, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_RELAY, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 2, FAY_GRID_DONE, &payload), FAY_E_PEER);
    assert_int_equal(hear(t, 77, 99, NULL), 0); /* a link that is no more */
}

/* ---- death ----------------------------------------------------------------------------------- */

/* Of two Nodes one is enough to see that the other is dead. */
static void a_close_without_a_word_is_dialled_once_then_accused(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    down(t, 2);
    expect_text(t, "dial 127.0.0.1:4000\n");
    fail_dial(t, FAY_EVIDENCE_REFUSED);
    expect_text(t, "2 is suspect\n");
    pass(t, 200 * FAY_MS);
    step(t);
    assert_int_equal(state_at(t, 2), FAY_DEAD);
}

static void a_close_after_done_means_nothing(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    assert_int_equal(hear(t, 2, FAY_GRID_DONE, NULL), 0);
    down(t, 2);
    expect_text(t, "");
    assert_int_equal(state_at(t, 2), FAY_ALIVE);
}

static void silence_ends_a_link(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    pass(t, 3 * FAY_SECOND);
    assert_int_equal(fay_grid_links(t->grid), 1);
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_HEARD, .link = 2}); /* half a message */
    pass(t, 3 * FAY_SECOND);
    assert_int_equal(fay_grid_links(t->grid), 1);
    pass(t, 600 * FAY_MS);
    assert_int_equal(fay_grid_links(t->grid), 0);
    assert_int_equal(state_at(t, 2), FAY_ALIVE); /* until a dial has failed */
}

/* Among four, two must agree; nobody may accuse alone. */
static void one_accuser_is_not_enough_among_four(void **state)
{
    talk *t = *state;
    link_to(t, 4);
    hear_of(t, 2, 3, 1, 0, (const unsigned[]){2, 0});
    step(t);
    assert_int_equal(state_at(t, 3), FAY_SUSPECT);
    for (int i = 0; i < 20; i++) {
        pass(t, FAY_SECOND);
        for (unsigned link = 2; link <= 4; link++) {
            hear_beat(t, link);
        }
    }
    assert_int_equal(state_at(t, 3), FAY_SUSPECT);
    hear_of(t, 2, 3, 1, 0, (const unsigned[]){2, 4, 0});
    step(t);
    assert_int_equal(state_at(t, 3), FAY_DEAD);
}

static void who_accuses_alone_asks_others(void **state)
{
    talk *t = *state;
    link_to(t, 4);
    down(t, 4);
    step(t);
    fail_dial(t, FAY_EVIDENCE_SILENT);
    expect_text(t, "dial 127.0.0.1:4000\n4 is suspect\n"
                   "2< BUNDLES 4:1.0 accused by 1\n3< BUNDLES 4:1.0 accused by 1\n");
    pass(t, FAY_SECOND);
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), "< RELAY\n"));
}

static void who_is_asked_dials_and_accuses(void **state)
{
    talk *t = *state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    link_to(t, 3);
    hear_of(t, 2, 4, 1, 0, NULL);
    ignore(t);
    fay_node_id id = id_of(4);
    fay_buffer_append(&payload, id.bytes, sizeof id.bytes);
    assert_int_equal(hear(t, 2, FAY_GRID_RELAY, &payload), 0);
    expect_text(t, "dial 127.0.0.1:4000\n");
    fail_dial(t, FAY_EVIDENCE_SILENT);
    step(t);
    assert_int_equal(state_at(t, 4), FAY_SUSPECT);
}

/* Whoever was frozen, or cut off, has not heard that it is accused. */
static void who_is_accused_hears_of_it_when_it_links(void **state)
{
    talk *t = *state;
    link_to(t, 4);
    assert_int_equal(hear(t, 4, FAY_GRID_DONE, NULL), 0);
    down(t, 4);
    hear_of(t, 2, 4, 1, 0, (const unsigned[]){2, 0});
    ignore(t);
    up(t, 44, 4, 1, 0);
    step(t);
    assert_non_null(strstr(fay_buffer_text(&t->said), "44< BUNDLES 1:7.0 4:1.0 accused by 2\n"));
}

/* Nobody else accuses it, and it does not answer: it may not know. So we dial it ourselves. */
static void a_suspect_that_nothing_comes_of_is_asked(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    hear_of(t, 2, 4, 1, 0, (const unsigned[]){2, 0});
    ignore(t);
    assert_int_equal(state_at(t, 4), FAY_SUSPECT);
    up(t, 4, 4, 1, 0); /* so that the overlay has nothing to dial */
    hear_beat(t, 4);
    ignore(t);
    bool told_again = false;
    for (int i = 0; i < 20; i++) {
        pass(t, FAY_SECOND);
        for (unsigned link = 2; link <= 4; link++) {
            hear_beat(t, link);
        }
        step(t);
        told_again =
            told_again || strstr(fay_buffer_text(&t->said), "4< BUNDLES 4:1.0 acc") != NULL;
        fay_buffer_clear(&t->said);
    }
    assert_true(told_again);
}

/* The fault may be here: who hears nobody at all accuses nobody for a moment. */
static void who_was_late_accuses_nobody_for_a_second(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_LATE, .ns = 2 * FAY_SECOND});
    down(t, 2);
    step(t);
    fail_dial(t, FAY_EVIDENCE_REFUSED);
    step(t);
    assert_int_equal(state_at(t, 2), FAY_ALIVE);
    pass(t, FAY_SECOND);
    fail_dial(t, FAY_EVIDENCE_REFUSED);
    step(t);
    assert_int_equal(state_at(t, 2), FAY_SUSPECT);
}

/* ---- oneself --------------------------------------------------------------------------------- */

static void an_accusation_of_oneself_is_refuted(void **state)
{
    talk *t = *state;
    link_to(t, 3);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_grid_member *self = member_of(fay_grid_members(t->grid), SELF);
    fay_grid_member *theirs = fay_member_new(&self->id);
    fay_grid_accusation said = accusation_of(SELF, BOOT, 0, 2, 1);
    (void)fay_member_merge_record(theirs, t->now, self->record);
    (void)fay_member_merge_accusation(theirs, t->now, &said, true);
    fay_bundle_write(theirs, t->now, &payload);
    fay_member_free(theirs);
    assert_int_equal(hear(t, 2, FAY_GRID_BUNDLES, &payload), 0);
    step(t);
    pass(t, 60 * FAY_MS);
    assert_int_equal(self->inc, 1);
    assert_int_equal(state_at(t, SELF), FAY_ALIVE);
    assert_non_null(strstr(fay_buffer_text(&t->said), "2< BUNDLES 1:7.1\n"));
    assert_non_null(strstr(fay_buffer_text(&t->said), "3< BUNDLES 1:7.1\n"));
}

static void a_later_boot_of_oneself_is_reported_once(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_of(t, 2, SELF, BOOT + 1, 0, NULL);
    hear_of(t, 2, SELF, BOOT + 2, 0, NULL);
    expect_text(t, "replaced by boot 8\n");
}

static void an_earlier_boot_of_oneself_is_answered(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    hear_of(t, 2, SELF, BOOT - 1, 5, NULL);
    expect_text(t, "2< BUNDLES 1:7.0\n");
}

static void who_leaves_says_bye(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    (void)feed(t, (fay_grid_event){.kind = FAY_GRID_LEAVE});
    expect_text(t, "1 is left\n2< BUNDLES 1:7.0 bye gone\n2< DONE\nclose 2\nleft\n");
    assert_true(fay_grid_deadline(t->grid) == FAY_NEVER);
}

static void what_one_says_of_oneself_is_told_once_a_second(void **state)
{
    talk *t = *state;
    link_to(t, 2);
    for (uint8_t i = 0; i < 10; i++) {
        (void)feed(t, (fay_grid_event){.kind = FAY_GRID_META, .bytes = &i, .size = 1});
        pass(t, 50 * FAY_MS);
        hear_beat(t, 2);
    }
    const fay_grid_member *self = member_of(fay_grid_members(t->grid), SELF);
    assert_int_equal(self->record->seq, 1);
    pass(t, FAY_SECOND);
    assert_int_equal(self->record->seq, 2);
    assert_int_equal(self->record->meta.bytes[0], 9); /* what was last said */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_looks_for_the_grid),
        TEST(who_meets_tells_of_itself),
        TEST(what_nobody_has_signed_is_void),
        TEST(news_are_told_to_all_but_their_teller),
        TEST(of_two_links_to_one_node_one_stays),
        TEST(an_address_of_ones_own_is_left),
        TEST(garbage_is_refused),
        TEST(a_close_without_a_word_is_dialled_once_then_accused),
        TEST(a_close_after_done_means_nothing),
        TEST(silence_ends_a_link),
        TEST(one_accuser_is_not_enough_among_four),
        TEST(who_accuses_alone_asks_others),
        TEST(who_is_asked_dials_and_accuses),
        TEST(who_is_accused_hears_of_it_when_it_links),
        TEST(a_suspect_that_nothing_comes_of_is_asked),
        TEST(who_was_late_accuses_nobody_for_a_second),
        TEST(an_accusation_of_oneself_is_refuted),
        TEST(a_later_boot_of_oneself_is_reported_once),
        TEST(an_earlier_boot_of_oneself_is_answered),
        TEST(who_leaves_says_bye),
        TEST(what_one_says_of_oneself_is_told_once_a_second),
    };
    return cmocka_run_group_tests_name("grid", tests, NULL, NULL);
}
