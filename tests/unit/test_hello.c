/* SPDX-License-Identifier: MIT */
/* HELLO: what is signed is all that counts, and nothing else is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

#include "net/hello.h"
#include "support/nodes.h"
#include "support/scratch.h"

typedef struct talk {
    node_keys seed;
    fay_certification certification;
    fay_hello_session session;
    fay_buffer payload;
    fay_hello hello;
} talk;

static void begin(talk *t)
{
    *t = (talk){0};
    nodes_make_ca();
    node_keys_init(&t->seed, "tls", "seed", 7);
    const fay_peers_keys *keys = &t->seed.keys;
    const fay_hello_member member = {.id = keys->id,
                                     .boot = keys->boot,
                                     .record_key = keys->record_key,
                                     .certification = keys->certification,
                                     .size = keys->certification_size};
    t->session = (fay_hello_session){.side = FAY_SIDE_DIALS};
    memset(t->session.preamble, 1, sizeof t->session.preamble);
    memset(t->session.exporter, 2, sizeof t->session.exporter);
    memset(&t->session.dialler, 3, sizeof t->session.dialler);
    memset(&t->session.acceptor, 4, sizeof t->session.acceptor);
    fay_hello_write(&t->session, &member, &t->payload);
    assert_int_equal(
        fay_hello_parse(fay_buffer_data(&t->payload), fay_buffer_size(&t->payload), &t->hello), 0);
    assert_int_equal(fay_certification_check(t->hello.certification, t->hello.size,
                                             &t->seed.identity.trust, (int64_t)time(NULL),
                                             &t->certification, NULL),
                     0);
}

static void end(talk *t)
{
    fay_certification_deinit(&t->certification);
    node_keys_deinit(&t->seed);
    fay_buffer_deinit(&t->payload);
}

static bool holds(const talk *t)
{
    return fay_hello_holds(&t->hello, &t->session, &t->certification);
}

static void it_holds_on_its_session_alone(void **state)
{
    (void)state;
    talk t;
    begin(&t);
    assert_true(t.hello.member);
    assert_true(holds(&t));
    t.session.side = FAY_SIDE_ACCEPTS; /* sent back to who has said it */
    assert_false(holds(&t));
    t.session.side = FAY_SIDE_DIALS;
    t.session.preamble[31] ^= 1; /* sent on to somebody else */
    assert_false(holds(&t));
    t.session.preamble[31] ^= 1;
    t.session.exporter[0] ^= 1; /* said again on another connection */
    assert_false(holds(&t));
    t.session.exporter[0] ^= 1;
    t.session.dialler.bytes[7] ^= 1;
    assert_false(holds(&t));
    t.session.dialler.bytes[7] ^= 1;
    t.session.acceptor.bytes[7] ^= 1;
    assert_false(holds(&t));
    t.session.acceptor.bytes[7] ^= 1;
    assert_true(holds(&t));
    end(&t);
}

static void it_is_of_one_node_in_one_boot(void **state)
{
    (void)state;
    talk t;
    begin(&t);
    t.certification.boot++;
    assert_false(holds(&t));
    t.certification.boot--;
    t.certification.id.bytes[0] ^= 1;
    assert_false(holds(&t));
    t.certification.id.bytes[0] ^= 1;
    t.certification.record_key[0] ^= 1;
    assert_false(holds(&t));
    t.certification.record_key[0] ^= 1;
    for (size_t i = 0; i < sizeof t.hello.signature; i++) {
        t.hello.signature[i] ^= 1;
        assert_false(holds(&t));
        t.hello.signature[i] ^= 1;
    }
    assert_true(holds(&t));
    end(&t);
}

static void a_clients_says_nothing(void **state)
{
    (void)state;
    fay_hello hello;
    fay_hello_session session = {.side = FAY_SIDE_DIALS};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_hello_write(&session, NULL, &payload);
    assert_int_equal(fay_buffer_size(&payload), 2);
    assert_memory_equal(fay_buffer_data(&payload), "\1\0", 2);
    assert_int_equal(fay_hello_parse("\1\0", 2, &hello), 0);
    assert_false(hello.member);
}

static void what_is_cut_or_longer_is_none(void **state)
{
    (void)state;
    talk t;
    fay_hello hello = {.size = 77};
    begin(&t);
    size_t size = fay_buffer_size(&t.payload);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(fay_hello_parse(fay_buffer_data(&t.payload), cut, &hello), FAY_E_PEER);
    fay_buffer_append(&t.payload, "", 1);
    assert_int_equal(fay_hello_parse(fay_buffer_data(&t.payload), size + 1, &hello), FAY_E_PEER);
    static const char *const none[] = {"\0\0", "\2\0", "\1\2"};
    for (size_t i = 0; i < FAY_COUNT(none); i++)
        assert_int_equal(fay_hello_parse(none[i], 2, &hello), FAY_E_PEER);
    assert_int_equal(fay_hello_parse("\1\0\0", 3, &hello), FAY_E_PEER);
    assert_int_equal(hello.size, 77);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(it_holds_on_its_session_alone),
        IN_SCRATCH(it_is_of_one_node_in_one_boot),
        IN_SCRATCH(a_clients_says_nothing),
        IN_SCRATCH(what_is_cut_or_longer_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
