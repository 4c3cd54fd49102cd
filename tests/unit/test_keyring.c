/* SPDX-License-Identifier: MIT */
/*
 * Whose record keys are whose, and signatures that wait for that: certifications of real keys, of a
 * CA of ours and of a foreign one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

#include "node/identity.h"
#include "node/verdicts.h"
#include "pki/crl.h"

/* Nodes of one CA made in memory; and what is certified of them. */
typedef struct world {
    fay_node_identity nodes[3]; /* each has a CA of its own; the first one's is believed */
    fay_trusted trusted;
    fay_keyring keyring;
} world;

static void begin(world *w)
{
    *w = (world){0};
    for (size_t i = 0; i < 3; i++) {
        FAY_CLEANUP(fay_freep) char *name = fay_printed("n%zu", i);
        assert_int_equal(fay_node_identity_make(name, 10 + i, &w->nodes[i], NULL), 0);
    }
    w->keyring = (fay_keyring){.trust = &w->nodes[0].keys.trust, .trusted = &w->trusted};
}

static void end(world *w)
{
    fay_keyring_deinit(&w->keyring);
    for (size_t i = 0; i < 3; i++) {
        fay_node_identity_deinit(&w->nodes[i]);
    }
}

static int add(world *w, size_t node, fay_error *err)
{
    const fay_buffer *bytes = &w->nodes[node].certification;
    return fay_keyring_add(&w->keyring, fay_buffer_data(bytes), fay_buffer_size(bytes), time(NULL),
                           err);
}

static const uint8_t *find(const world *w, uint64_t boot)
{
    return fay_keyring_find(&w->keyring, &w->nodes[0].id, boot);
}

static void keys_are_found_by_node_and_boot(void **state)
{
    (void)state;
    world w;
    size_t size = 0;
    begin(&w);
    assert_null(find(&w, 10));
    assert_int_equal(add(&w, 0, NULL), 0);
    assert_memory_equal(find(&w, 10), w.nodes[0].record_key.public_key, FAY_RECORD_KEY_SIZE);
    assert_null(find(&w, 11));
    const uint8_t *bytes = fay_keyring_bytes(&w.keyring, &w.nodes[0].certification_digest, &size);
    assert_int_equal(size, fay_buffer_size(&w.nodes[0].certification));
    assert_memory_equal(bytes, fay_buffer_data(&w.nodes[0].certification), size);
    assert_null(fay_keyring_bytes(&w.keyring, &w.nodes[1].certification_digest, &size));
    end(&w);
}

static void the_last_two_boots_are_kept(void **state)
{
    (void)state;
    world w;
    begin(&w);
    for (uint64_t boot = 20; boot < 23; boot++) {
        assert_int_equal(fay_node_identity_reboot(&w.nodes[0], "n0", boot, NULL), 0);
        assert_int_equal(add(&w, 0, NULL), 0);
    }
    assert_null(find(&w, 20));
    assert_non_null(find(&w, 21));
    assert_non_null(find(&w, 22));
    assert_int_equal(fay_node_identity_reboot(&w.nodes[0], "n0", 5, NULL), 0);
    assert_int_equal(add(&w, 0, NULL), 0); /* one that is long gone */
    assert_null(find(&w, 5));
    assert_non_null(find(&w, 21));
    end(&w);
}

static void strangers_are_refused(void **state)
{
    (void)state;
    world w;
    fay_error err = {0};
    begin(&w);
    assert_int_equal(add(&w, 1, &err), FAY_E_TLS);
    assert_int_equal(fay_keyring_add(&w.keyring, "x", 1, time(NULL), &err), FAY_E_PEER);
    end(&w);
}

static void note_dropped(void *context, const fay_node_id *id)
{
    fay_node_id *dropped = context;
    *dropped = *id;
}

static void who_is_not_believed_any_more_is_dropped(void **state)
{
    (void)state;
    world w;
    fay_node_id dropped = {0};
    begin(&w);
    assert_int_equal(add(&w, 0, NULL), 0);
    fay_keyring_recheck(&w.keyring, time(NULL), note_dropped, &dropped);
    assert_non_null(find(&w, 10));
    w.keyring.trust = &w.nodes[1].keys.trust; /* another CA */
    fay_keyring_recheck(&w.keyring, time(NULL), note_dropped, &dropped);
    assert_true(fay_node_id_same(&dropped, &w.nodes[0].id));
    assert_null(find(&w, 10));
    end(&w);
}

static void roles_of_another_pki_need_trust(void **state)
{
    (void)state;
    world w;
    char one[] = "db*", two[] = "n0";
    char *patterns[] = {one, two, NULL};
    begin(&w);
    X509 *x509 = sk_X509_value(w.nodes[0].keys.server.chain, 0);
    assert_int_equal(fay_trusted_roles(&w.trusted, true, FAY_ROLE_CLIENT, x509), FAY_ROLE_CLIENT);
    assert_int_equal(fay_trusted_roles(&w.trusted, false, FAY_ROLES_HOST, x509), FAY_ROLE_OBSERVER);
    w.trusted.patterns = patterns;
    assert_int_equal(fay_trusted_roles(&w.trusted, false, 0, x509), FAY_ROLES_HOST);
    assert_int_equal(
        fay_trusted_roles(&w.trusted, false, 0, sk_X509_value(w.nodes[1].keys.server.chain, 0)),
        FAY_ROLE_OBSERVER);
    w.trusted = (fay_trusted){.all = true};
    assert_int_equal(fay_trusted_roles(&w.trusted, false, 0, x509), FAY_ROLES_HOST);
    end(&w);
}

/* ---- verdicts -------------------------------------------------------------------------------- */

typedef struct court {
    world w;
    fay_verdicts verdicts;
    uint64_t asked[8];
    size_t asked_count;
    uint64_t links; /* that there are: 1 to this */
    uint64_t gone;  /* but for this one */
    int decided[8]; /* by token: -1 not yet */
} court;

static bool want(void *context, uint64_t link, const fay_digest *digest)
{
    court *c = context;
    if (link == c->gone)
        return false;
    assert_true(fay_digest_equal(digest, &c->w.nodes[0].certification_digest));
    c->asked[c->asked_count++] = link;
    return true;
}

static uint64_t other(void *context, const uint64_t *links, size_t count)
{
    const court *c = context;
    for (uint64_t link = 1; link <= c->links; link++) {
        bool among = false;
        for (size_t i = 0; i < count; i++) {
            among = among || links[i] == link;
        }
        if (!among)
            return link;
    }
    return 0;
}

static void decided(void *context, uint64_t token, bool ok)
{
    court *c = context;
    assert_int_equal(c->decided[token], -1);
    c->decided[token] = ok;
}

static void convene(court *c, uint64_t links)
{
    *c = (court){.links = links};
    begin(&c->w);
    memset(c->decided, -1, sizeof c->decided);
    c->verdicts = (fay_verdicts){
        .keyring = &c->w.keyring, .want = want, .other = other, .decided = decided, .context = c};
}

static void adjourn(court *c)
{
    fay_verdicts_deinit(&c->verdicts);
    end(&c->w);
}

static void ask(court *c, uint64_t token, const char *text, bool forged)
{
    uint8_t signature[FAY_SIGNATURE_SIZE];
    const fay_node_identity *n = &c->w.nodes[0];
    fay_record_key_sign(&n->record_key, text, strlen(text), signature);
    signature[0] ^= forged;
    fay_grid_action verify = {.kind = FAY_GRID_VERIFY,
                              .token = token,
                              .boot = n->boot,
                              .link = 1,
                              .id = &n->id,
                              .bytes = {(const uint8_t *)text, strlen(text)},
                              .signature = signature,
                              .certification = n->certification_digest.bytes};
    fay_verdicts_ask(&c->verdicts, &verify);
}

static int answer(court *c, uint64_t link, bool has)
{
    const fay_node_identity *n = &c->w.nodes[0];
    return fay_verdicts_answer(&c->verdicts, link, &n->certification_digest,
                               fay_buffer_data(&n->certification),
                               has ? fay_buffer_size(&n->certification) : 0, time(NULL));
}

static void a_certification_is_fetched_once_for_all(void **state)
{
    (void)state;
    court c;
    convene(&c, 3);
    ask(&c, 0, "one", false);
    ask(&c, 1, "two", true);
    assert_int_equal(c.asked_count, 1);
    assert_int_equal(c.decided[0], -1);
    assert_int_equal(answer(&c, 1, true), 0);
    assert_int_equal(c.decided[0], 1);
    assert_int_equal(c.decided[1], 0); /* forged */
    ask(&c, 2, "three", false);        /* known by now */
    assert_int_equal(c.decided[2], 1);
    assert_int_equal(c.asked_count, 1);
    adjourn(&c);
}

static void who_does_not_have_it_is_followed_by_another(void **state)
{
    (void)state;
    court c;
    convene(&c, 3);
    ask(&c, 0, "one", false);
    assert_int_equal(answer(&c, 1, false), 0);
    assert_int_equal(c.asked[1], 2);
    assert_int_equal(answer(&c, 1, true), 0); /* not asked any more: not taken */
    assert_int_equal(c.decided[0], -1);
    fay_verdicts_lost(&c.verdicts, 2);
    assert_int_equal(c.asked[2], 3);
    fay_verdicts_lost(&c.verdicts, 3); /* nobody is left to ask */
    assert_int_equal(c.decided[0], 0);
    adjourn(&c);
}

static void who_is_gone_already_is_not_waited_for(void **state)
{
    (void)state;
    court c;
    convene(&c, 2);
    c.gone = 1; /* it has brought what was signed, and closed */
    ask(&c, 0, "one", false);
    assert_int_equal(c.asked[0], 2);
    assert_int_equal(answer(&c, 2, true), 0);
    assert_int_equal(c.decided[0], 1);
    adjourn(&c);

    convene(&c, 1);
    c.gone = 1;
    ask(&c, 0, "one", false); /* nobody is left to ask: it may come again */
    assert_int_equal(c.decided[0], 0);
    adjourn(&c);
}

static void what_is_not_what_was_asked_for_ends_the_link(void **state)
{
    (void)state;
    court c;
    convene(&c, 1);
    ask(&c, 0, "one", false);
    assert_int_equal(
        fay_verdicts_answer(&c.verdicts, 1, &c.w.nodes[0].certification_digest, "x", 1, time(NULL)),
        FAY_E_PEER);
    assert_int_equal(c.decided[0], -1);
    fay_verdicts_lost(&c.verdicts, 1);
    assert_int_equal(c.decided[0], 0);
    adjourn(&c);
}

static void a_signer_without_a_certification_is_not_believed(void **state)
{
    (void)state;
    court c;
    uint8_t signature[FAY_SIGNATURE_SIZE] = {0};
    convene(&c, 1);
    fay_grid_action verify = {.token = 3,
                              .boot = 10,
                              .id = &c.w.nodes[0].id,
                              .bytes = {(const uint8_t *)"x", 1},
                              .signature = signature};
    fay_verdicts_ask(&c.verdicts, &verify);
    assert_int_equal(c.decided[3], 0);
    adjourn(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_found_by_node_and_boot),
        cmocka_unit_test(the_last_two_boots_are_kept),
        cmocka_unit_test(strangers_are_refused),
        cmocka_unit_test(who_is_not_believed_any_more_is_dropped),
        cmocka_unit_test(roles_of_another_pki_need_trust),
        cmocka_unit_test(a_certification_is_fetched_once_for_all),
        cmocka_unit_test(who_does_not_have_it_is_followed_by_another),
        cmocka_unit_test(who_is_gone_already_is_not_waited_for),
        cmocka_unit_test(what_is_not_what_was_asked_for_ends_the_link),
        cmocka_unit_test(a_signer_without_a_certification_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
