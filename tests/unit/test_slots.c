/* SPDX-License-Identifier: MIT */
/* Who may shake hands: how many at once, for whom some are kept, and who is sent away for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "net/slots.h"

enum {
    GUESTS = 400
};

static const fay_ns start = 1000 * FAY_SECOND, stale = 300 * FAY_MS;

typedef struct door {
    fay_slots slots;
    fay_slot guests[GUESTS]; /* each from an address of its own */
} door;

static door *open_door(void)
{
    door *d = fay_alloc(sizeof *d);
    fay_slots_init(&d->slots);
    for (size_t i = 0; i < GUESTS; i++)
        d->guests[i].address = i;
    return d;
}

/* These have connected and want a slot. */
static void come(door *d, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        assert_null(fay_slots_park(&d->slots, &d->guests[i]));
        fay_slots_ask(&d->slots, &d->guests[i]);
    }
}

/* How many slots are given now, none of them for another's. */
static size_t admit(door *d, fay_ns now)
{
    size_t count = 0;
    fay_slot *evicted;
    while (fay_slots_next(&d->slots, now, &evicted) != NULL) {
        assert_null(evicted);
        count++;
    }
    return count;
}

static void some_slots_are_kept_for_members(void **state)
{
    (void)state;
    door *d = open_door();
    fay_slot *evicted;
    for (size_t i = 100; i < 120; i++)
        d->guests[i].known = true;
    come(d, 0, 120);
    /* Those who came last go first: they are members. */
    for (size_t i = 100; i < 120; i++)
        assert_ptr_equal(fay_slots_next(&d->slots, start, &evicted), &d->guests[i]);
    assert_int_equal(admit(d, start), FAY_HANDSHAKES_MAX - 20);
    free(d);

    d = open_door();
    come(d, 0, 100);
    assert_int_equal(admit(d, start), FAY_HANDSHAKES_MAX - FAY_HANDSHAKES_KNOWN_KEPT);
    d->guests[200].known = true;
    come(d, 200, 201);
    assert_int_equal(admit(d, start), 1);
    free(d);
}

static void one_address_has_some_but_loopback_all(void **state)
{
    (void)state;
    door *d = open_door();
    for (size_t i = 0; i < 40; i++)
        d->guests[i].address = 7777;
    come(d, 0, 50);
    assert_int_equal(admit(d, start), FAY_HANDSHAKES_ADDRESS_MAX + 10);
    free(d);

    d = open_door();
    for (size_t i = 0; i < 100; i++) {
        d->guests[i].address = 7777;
        d->guests[i].loopback = d->guests[i].known = true;
    }
    come(d, 0, 100);
    assert_int_equal(admit(d, start), FAY_HANDSHAKES_MAX);
    free(d);
}

static void who_leaves_makes_room(void **state)
{
    (void)state;
    door *d = open_door();
    fay_slot *evicted;
    come(d, 0, 60);
    assert_int_equal(admit(d, start), 48);
    fay_slots_leave(&d->slots, &d->guests[5]);
    fay_slots_leave(&d->slots, &d->guests[50]); /* one that waits */
    assert_ptr_equal(fay_slots_next(&d->slots, start, &evicted), &d->guests[48]);
    assert_null(fay_slots_next(&d->slots, start, &evicted));
    fay_slots_leave(&d->slots, &d->guests[5]); /* it has left already */
    assert_null(fay_slots_next(&d->slots, start, &evicted));
    free(d);
}

static void who_makes_no_progress_goes_for_who_waits(void **state)
{
    (void)state;
    door *d = open_door();
    fay_slot *evicted;
    come(d, 0, 48);
    assert_int_equal(admit(d, start), 48);
    assert_int_equal(fay_slots_due(&d->slots, start), FAY_NEVER); /* nobody waits */
    for (size_t i = 1; i <= 48; i++)
        fay_slots_progress(&d->slots, &d->guests[48 - i], start + i * FAY_MS);
    come(d, 48, 50);
    assert_int_equal(fay_slots_due(&d->slots, start), start + FAY_MS + stale);
    assert_null(fay_slots_next(&d->slots, start + stale, &evicted));
    /* The one longest without it, and no other yet. */
    assert_ptr_equal(fay_slots_next(&d->slots, start + FAY_MS + stale, &evicted), &d->guests[48]);
    assert_ptr_equal(evicted, &d->guests[47]);
    assert_int_equal(evicted->state, FAY_SLOT_NONE);
    assert_null(fay_slots_next(&d->slots, start + FAY_MS + stale, &evicted));
    assert_int_equal(fay_slots_due(&d->slots, start + FAY_MS + stale), start + 2 * FAY_MS + stale);
    free(d);
}

static void strangers_never_push_members_out(void **state)
{
    (void)state;
    door *d = open_door();
    fay_slot *evicted;
    for (size_t i = 0; i < FAY_HANDSHAKES_MAX; i++)
        d->guests[i].known = true;
    come(d, 0, FAY_HANDSHAKES_MAX + 1);
    assert_int_equal(admit(d, start), FAY_HANDSHAKES_MAX);
    assert_null(fay_slots_next(&d->slots, start + 10 * stale, &evicted));
    assert_int_equal(fay_slots_due(&d->slots, start + 10 * stale), FAY_NEVER);
    /* A member may go for a member, but rather a stranger. */
    d->guests[100].known = d->guests[101].known = true;
    come(d, 100, 101);
    assert_ptr_equal(fay_slots_next(&d->slots, start + stale, &evicted), &d->guests[100]);
    assert_ptr_equal(evicted, &d->guests[0]);
    fay_slots_leave(&d->slots, &d->guests[1]);
    assert_ptr_equal(fay_slots_next(&d->slots, start + stale, &evicted),
                     &d->guests[FAY_HANDSHAKES_MAX]);
    come(d, 101, 102);
    assert_ptr_equal(fay_slots_next(&d->slots, start + 2 * stale, &evicted), &d->guests[101]);
    assert_ptr_equal(evicted, &d->guests[FAY_HANDSHAKES_MAX]);
    free(d);
}

static void a_crowd_goes_for_its_own(void **state)
{
    (void)state;
    door *d = open_door();
    fay_slot *evicted;
    for (size_t i = 1; i < 40; i++)
        d->guests[i].address = 7777;
    come(d, 0, 40);
    assert_int_equal(admit(d, start), FAY_HANDSHAKES_ADDRESS_MAX + 1);
    assert_non_null(fay_slots_next(&d->slots, start + stale, &evicted));
    assert_ptr_equal(evicted, &d->guests[1]); /* not the first: it is from elsewhere */
    free(d);
}

static void the_oldest_silent_one_goes_first(void **state)
{
    (void)state;
    door *d = open_door();
    for (size_t i = 0; i < FAY_SILENT_MAX; i++)
        assert_null(fay_slots_park(&d->slots, &d->guests[i]));
    fay_slots_ask(&d->slots, &d->guests[0]);
    assert_ptr_equal(fay_slots_park(&d->slots, &d->guests[300]), &d->guests[1]);
    assert_int_equal(d->guests[1].state, FAY_SLOT_NONE);
    /* When all have asked, the stranger that waits longest. */
    d->guests[0].known = true;
    for (size_t i = 2; i < FAY_SILENT_MAX; i++)
        fay_slots_ask(&d->slots, &d->guests[i]);
    fay_slots_ask(&d->slots, &d->guests[300]);
    assert_ptr_equal(fay_slots_park(&d->slots, &d->guests[301]), &d->guests[2]);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_slots_are_kept_for_members),
        cmocka_unit_test(one_address_has_some_but_loopback_all),
        cmocka_unit_test(who_leaves_makes_room),
        cmocka_unit_test(who_makes_no_progress_goes_for_who_waits),
        cmocka_unit_test(strangers_never_push_members_out),
        cmocka_unit_test(a_crowd_goes_for_its_own),
        cmocka_unit_test(the_oldest_silent_one_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
