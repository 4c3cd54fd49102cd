/* SPDX-License-Identifier: MIT */
/* TLS as a function of bytes: two ends back to back, whom they believe and whom not, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

#include "net/secure.h"
#include "pki/certificate.h"
#include "pki/key.h"
#include "support/foreign.h"
#include "support/nodes.h"
#include "support/scratch.h"

enum {
    DAY = 86400
};

static int64_t now; /* after all that openssl makes in a test */

typedef struct side {
    fay_identity identity;
    fay_tls tls;
    fay_secure *secure;
    fay_buffer out, clear;
    int r; /* of the last receive() */
    fay_error err;
} side;

typedef struct pair {
    side dials, accepts;
    fay_secure_config how; /* what both have in common */
} pair;

static void init(pair *p, fay_identity dials, fay_identity accepts)
{
    *p = (pair){.dials = {.identity = dials}, .accepts = {.identity = accepts}};
    p->how = (fay_secure_config){.resumes = true, .now = now};
    assert_int_equal(fay_tls_init(&p->dials.tls, &p->dials.identity, NULL), 0);
    assert_int_equal(fay_tls_init(&p->accepts.tls, &p->accepts.identity, NULL), 0);
}

static void hang_up(side *s)
{
    fay_secure_free(FAY_STEAL(s->secure));
    fay_buffer_deinit(&s->out);
    fay_buffer_deinit(&s->clear);
    s->r = 0;
}

static void end(pair *p)
{
    hang_up(&p->dials);
    hang_up(&p->accepts);
    fay_tls_deinit(&p->dials.tls);
    fay_tls_deinit(&p->accepts.tls);
    fay_identity_deinit(&p->dials.identity);
    fay_identity_deinit(&p->accepts.identity);
}

static fay_secure *begin(side *s, const fay_secure_config *how, fay_side which, const char *address)
{
    fay_secure_config config = *how;
    config.tls = &s->tls;
    config.side = which;
    config.address = address;
    config.trust = config.token == NULL ? &s->identity.trust : NULL;
    config.out = &s->out;
    return fay_secure_new(&config);
}

/* What the one has said comes to the other, a few bytes at a time. */
static void carry(side *from, side *to, size_t step)
{
    while (fay_buffer_size(&from->out) > 0 && to->r == 0) {
        size_t size = FAY_MIN(step, fay_buffer_size(&from->out));
        to->r =
            fay_secure_receive(to->secure, fay_buffer_data(&from->out), size, &to->clear, &to->err);
        fay_buffer_consume(&from->out, size);
    }
    if (to->r != 0)
        fay_buffer_clear(&from->out);
}

static void carry_all(pair *p, size_t step)
{
    while (fay_buffer_size(&p->dials.out) + fay_buffer_size(&p->accepts.out) > 0) {
        carry(&p->dials, &p->accepts, step);
        carry(&p->accepts, &p->dials, step);
    }
}

/* A new connection between the two, as far as it comes. */
static void shake_by(pair *p, size_t step)
{
    hang_up(&p->dials);
    hang_up(&p->accepts);
    p->dials.secure = begin(&p->dials, &p->how, FAY_SIDE_DIALS, "acceptor:1");
    fay_secure_config how = p->how;
    how.token = NULL;
    p->accepts.secure = begin(&p->accepts, &how, FAY_SIDE_ACCEPTS, "dialler:2");
    fay_secure_begin(p->dials.secure);
    fay_secure_begin(p->accepts.secure);
    carry_all(p, step);
}

static void shake(pair *p)
{
    shake_by(p, SIZE_MAX);
}

static void assert_ready(const pair *p)
{
    if (p->dials.r < 0 || p->accepts.r < 0)
        fail_msg("dials: %s; accepts: %s", p->dials.err.message, p->accepts.err.message);
    assert_true(fay_secure_ready(p->dials.secure));
    assert_true(fay_secure_ready(p->accepts.secure));
}

static void assert_failed(const side *s, const char *text)
{
    assert_int_equal(s->r, FAY_E_TLS);
    assert_false(fay_secure_ready(s->secure));
    if (strstr(s->err.message, text) == NULL)
        fail_msg("'%s' is not in: %s", text, s->err.message);
}

static fay_identity foreign(const char *server, const char *client)
{
    return foreign_identity("corp", server, client, now);
}

static void say(side *from, const char *text)
{
    assert_int_equal(fay_secure_send(from->secure, text, strlen(text)), strlen(text));
}

static void assert_heard(side *to, const char *text)
{
    assert_int_equal(fay_buffer_size(&to->clear), strlen(text));
    assert_memory_equal(fay_buffer_data(&to->clear), text, strlen(text));
    fay_buffer_clear(&to->clear);
}

/* ---- who is believed ------------------------------------------------------------------------- */

static void any_kind_of_key_will_do(void **state)
{
    (void)state;
    static const char *const kinds[] = {"rsa:2048", "p256", "ed25519"};
    for (size_t i = 0; i < FAY_COUNT(kinds); i++) {
        FAY_CLEANUP(fay_freep)
        char *script = fay_printed(FOREIGN_CA "sign a %s ''; sign b p256 ''", kinds[i]);
        pair p;
        foreign_shell(script);
        now = (int64_t)time(NULL) + 60;
        init(&p, foreign("a", "a"), foreign("b", "b"));
        shake(&p);
        assert_ready(&p);
        assert_string_equal(fay_secure_shown(p.dials.secure)->name, "b");
        assert_string_equal(fay_secure_shown(p.accepts.secure)->name, "a");
        say(&p.dials, "to you");
        say(&p.accepts, "and to you");
        carry_all(&p, SIZE_MAX);
        assert_heard(&p.accepts, "to you");
        assert_heard(&p.dials, "and to you");
        end(&p);
        foreign_shell("rm *");
    }
}

/* Each end shows one of its two certificates, and both agree on which, and on secret bytes. */
static void each_knows_what_both_have_shown(void **state)
{
    (void)state;
    uint8_t one[FAY_EXPORTER_SIZE];
    uint8_t other[FAY_EXPORTER_SIZE];
    pair p;
    foreign_shell(FOREIGN_CA "sign as p256 extendedKeyUsage=serverAuth;"
                             "sign ac p256 extendedKeyUsage=clientAuth;"
                             "sign bs p256 extendedKeyUsage=serverAuth;"
                             "sign bc p256 extendedKeyUsage=clientAuth");
    now = (int64_t)time(NULL) + 60;
    init(&p, foreign("as", "ac"), foreign("bs", "bc"));
    shake_by(&p, 7);
    assert_ready(&p);
    fay_digest own = fay_secure_own(p.dials.secure);
    assert_true(fay_digest_equal(&own, &fay_secure_shown(p.accepts.secure)->fingerprint));
    assert_string_equal(fay_secure_shown(p.accepts.secure)->name, "ac");
    own = fay_secure_own(p.accepts.secure);
    assert_true(fay_digest_equal(&own, &fay_secure_shown(p.dials.secure)->fingerprint));
    assert_string_equal(fay_secure_shown(p.dials.secure)->name, "bs");
    fay_secure_export(p.dials.secure, one);
    fay_secure_export(p.accepts.secure, other);
    assert_memory_equal(one, other, sizeof one);
    shake(&p);
    fay_secure_export(p.dials.secure, other);
    assert_memory_not_equal(one, other, sizeof one);
    end(&p);
}

static void another_ca_is_named(void **state)
{
    (void)state;
    pair p;
    foreign_shell(FOREIGN_CA "ca other; sign a p256 ''; sign b p256 '' other");
    now = (int64_t)time(NULL) + 60;
    init(&p, foreign("a", "a"), foreign_identity("other", "b", "b", now));
    shake(&p);
    assert_failed(&p.dials, "TLS with acceptor:1: peer CA ");
    assert_non_null(strstr(p.dials.err.message, "(corp.pem)"));
    assert_string_equal(p.dials.err.hint,
                        "that peer belongs to another grid; inspect: faymora cert "
                        "show --peer acceptor:1");
    assert_failed(&p.accepts, "TLS with dialler:2: it does not know the CA of our certificate");
    end(&p);
}

static void what_does_not_hold_is_said_to_both(void **state)
{
    (void)state;
    static const struct {
        const char *script, *dials, *accepts;
        int days;
    } cases[] = {
        {"sign b p256 ''", "the certificate expired", "our certificate has expired", 400},
        {"sign b p256 ''", "is not valid before", "our certificate has expired, or is not", -2},
        {"key b.key p256; openssl req -x509 -key b.key -out b.pem -subj /CN=b -days 30", "peer CA",
         "does not know the CA", 0},
        {"sign b p256 extendedKeyUsage=clientAuth", "not that of a TLS server",
         "is for another use", 0},
    };
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        FAY_CLEANUP(fay_freep)
        char *script = fay_printed(FOREIGN_CA "sign a p256 ''; %s", cases[i].script);
        pair p;
        foreign_shell(script);
        now = (int64_t)time(NULL) + 60;
        fay_identity b = foreign("a", "a");
        X509_free(sk_X509_shift(b.server.chain));
        fay_ossl_must(sk_X509_unshift(b.server.chain, foreign_certificate("b.pem")) > 0);
        EVP_PKEY_free(b.server.key);
        assert_int_equal(fay_key_load("b.key", &b.server.key, NULL), 0);
        init(&p, foreign("a", "a"), b);
        p.how.now += cases[i].days * (int64_t)DAY;
        shake(&p);
        assert_failed(&p.dials, cases[i].dials);
        assert_failed(&p.accepts, cases[i].accepts);
        end(&p);
        foreign_shell("rm *");
    }
}

static void who_is_revoked_is_refused(void **state)
{
    (void)state;
    pair p;
    nodes_make_ca();
    now = (int64_t)time(NULL);
    FAY_CLEANUP(fay_freep) char *path = nodes_make_host("bob");
    fay_identity bob = nodes_identity(path);
    nodes_revoke("bob");
    init(&p, bob, nodes_identity("tls"));
    shake(&p);
    /* Of the two who dials is ready first, and is told then. */
    assert_failed(&p.accepts, "TLS with dialler:2: the certificate is revoked");
    assert_int_equal(p.dials.r, FAY_E_TLS);
    assert_non_null(strstr(p.dials.err.message, "it says that our certificate is revoked"));
    end(&p);
}

static void who_shows_none_is_refused(void **state)
{
    (void)state;
    pair p;
    foreign_shell(FOREIGN_CA "sign a p256 ''");
    now = (int64_t)time(NULL) + 60;
    init(&p, foreign("a", NULL), foreign("a", "a"));
    shake(&p);
    assert_failed(&p.accepts, "it has shown no certificate");
    assert_int_equal(p.dials.r, FAY_E_TLS);
    assert_non_null(strstr(p.dials.err.message, "it wants a certificate, and we have none"));
    end(&p);
}

static void what_is_no_tls_is_told(void **state)
{
    (void)state;
    static const char *const words[] = {"GET / HTTP/1.1\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
                                        "hello"};
    foreign_shell(FOREIGN_CA "sign a p256 ''");
    now = (int64_t)time(NULL) + 60;
    for (size_t i = 0; i < FAY_COUNT(words); i++) {
        pair p;
        init(&p, foreign("a", "a"), foreign("a", "a"));
        p.accepts.secure = begin(&p.accepts, &p.how, FAY_SIDE_ACCEPTS, "dialler:2");
        p.accepts.r = fay_secure_receive(p.accepts.secure, words[i], strlen(words[i]),
                                         &p.accepts.clear, &p.accepts.err);
        assert_failed(&p.accepts, "what it says is no TLS");
        end(&p);
    }
}

static void a_dialler_of_tls_1_2_is_refused(void **state)
{
    (void)state;
    pair p;
    foreign_shell(FOREIGN_CA "sign a p256 ''");
    now = (int64_t)time(NULL) + 60;
    init(&p, foreign("a", "a"), foreign("a", "a"));
    assert_int_equal(SSL_CTX_set_min_proto_version(p.dials.tls.dials, TLS1_2_VERSION), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(p.dials.tls.dials, TLS1_2_VERSION), 1);
    shake(&p);
    assert_failed(&p.accepts, "it speaks no TLS 1.3");
    assert_failed(&p.dials, "it refuses: ");
    end(&p);
}

/* ---- its end --------------------------------------------------------------------------------- */

static void who_says_no_more_is_heard_to_the_end(void **state)
{
    (void)state;
    pair p;
    foreign_shell(FOREIGN_CA "sign a p256 ''");
    now = (int64_t)time(NULL) + 60;
    init(&p, foreign("a", "a"), foreign("a", "a"));
    shake(&p);
    assert_ready(&p);
    say(&p.dials, "bye");
    fay_secure_end(p.dials.secure);
    carry_all(&p, SIZE_MAX);
    assert_int_equal(p.accepts.r, FAY_SECURE_ENDED);
    assert_heard(&p.accepts, "bye");
    fay_secure_end(p.accepts.secure);
    fay_secure_end(p.accepts.secure);
    end(&p);
}

static void what_was_changed_on_the_way_ends_it(void **state)
{
    (void)state;
    pair p;
    foreign_shell(FOREIGN_CA "sign a p256 ''");
    now = (int64_t)time(NULL) + 60;
    init(&p, foreign("a", "a"), foreign("a", "a"));
    shake(&p);
    say(&p.dials, "pay 10");
    p.dials.out.bytes[p.dials.out.start + 7] ^= 1;
    carry_all(&p, SIZE_MAX);
    assert_int_equal(p.accepts.r, FAY_E_TLS);
    assert_int_equal(fay_buffer_size(&p.accepts.clear), 0);
    assert_int_equal(fay_secure_send(p.accepts.secure, "x", 1), 0);
    fay_secure_end(p.accepts.secure);
    end(&p);
}

/* ---- joining --------------------------------------------------------------------------------- */

static void who_joins_believes_the_ca_of_its_token(void **state)
{
    (void)state;
    pair p;
    nodes_make_ca();
    now = (int64_t)time(NULL);
    init(&p, (fay_identity){0}, nodes_identity("tls"));
    fay_token token = {0};
    X509 *root = sk_X509_value(p.accepts.identity.trust.anchors, 0);
    token.ca = fay_certificate_fingerprint(root);
    p.how.resumes = false;
    p.how.joins = true;
    p.how.token = &token;
    shake(&p);
    assert_ready(&p);
    assert_null(fay_secure_shown(p.accepts.secure));
    assert_string_equal(fay_secure_shown(p.dials.secure)->name, "seed");
    token.ca.bytes[3] ^= 1;
    shake(&p);
    assert_failed(&p.dials, "not the one of the token");
    end(&p);
}

/* ---- resuming -------------------------------------------------------------------------------- */

static void assert_resumed(pair *p, bool resumed)
{
    assert_ready(p);
    assert_int_equal(fay_secure_resumed(p->dials.secure), resumed);
    assert_int_equal(fay_secure_resumed(p->accepts.secure), resumed);
}

/* Another CA between: it is not in the session, yet must be known again. */
static void a_connection_resumes_the_one_before(void **state)
{
    (void)state;
    uint8_t before[FAY_EXPORTER_SIZE];
    uint8_t after[FAY_EXPORTER_SIZE];
    pair p;
    foreign_shell(FOREIGN_CA "sign mid p256 keyUsage=keyCertSign corp TRUE;"
                             "sign a p256 '' mid; sign b p256 '' mid;"
                             "cat mid.pem >>a.pem; cat mid.pem >>b.pem");
    now = (int64_t)time(NULL) + 60;
    init(&p, foreign("a", "a"), foreign("b", "b"));
    shake(&p);
    assert_resumed(&p, false);
    fay_secure_export(p.dials.secure, before);
    for (int i = 0; i < 3; i++) {
        shake(&p);
        assert_resumed(&p, true);
        assert_string_equal(fay_secure_shown(p.dials.secure)->name, "b");
        assert_string_equal(fay_secure_shown(p.accepts.secure)->name, "a");
        assert_int_equal(sk_X509_num(fay_secure_shown(p.accepts.secure)->chain), 3);
        fay_digest own = fay_secure_own(p.dials.secure);
        assert_true(fay_digest_equal(&own, &fay_secure_shown(p.accepts.secure)->fingerprint));
        fay_secure_export(p.dials.secure, after);
        assert_memory_not_equal(before, after, sizeof before);
        fay_secure_export(p.accepts.secure, before);
        assert_memory_equal(before, after, sizeof before);
        say(&p.accepts, "again");
        carry_all(&p, SIZE_MAX);
        assert_heard(&p.dials, "again");
    }
    end(&p);
}

static void a_ticket_is_for_one_target_and_one_identity(void **state)
{
    (void)state;
    pair p;
    foreign_shell(FOREIGN_CA "sign a p256 ''; sign b p256 ''");
    now = (int64_t)time(NULL) + 60;
    init(&p, foreign("a", "a"), foreign("b", "b"));
    shake(&p);
    p.how.preamble[3] = 1; /* the dialler looks by the same key: the acceptor refuses */
    shake(&p);
    assert_resumed(&p, false);
    p.how.ticket.bytes[0] = 1;
    shake(&p);
    assert_resumed(&p, false);
    p.how.resumes = false;
    shake(&p);
    assert_resumed(&p, false);
    p.how.resumes = true;
    shake(&p);
    assert_resumed(&p, true);
    assert_int_equal(fay_tls_renew(&p.dials.tls, &p.dials.identity, NULL), 0);
    shake(&p);
    assert_resumed(&p, false);
    assert_int_equal(fay_tls_renew(&p.accepts.tls, &p.accepts.identity, NULL), 0);
    shake(&p);
    assert_resumed(&p, false);
    shake(&p);
    assert_resumed(&p, true);
    end(&p);
}

/* What has expired or was revoked since is refused as in any other handshake, by either end. */
static void what_holds_no_more_is_not_resumed(void **state)
{
    (void)state;
    pair p;
    nodes_make_ca();
    now = (int64_t)time(NULL);
    FAY_CLEANUP(fay_freep) char *path = nodes_make_host("bob");
    init(&p, nodes_identity(path), nodes_identity("tls"));
    shake(&p);
    nodes_revoke("bob");
    fay_identity later = nodes_identity("tls");
    p.accepts.identity.trust.crl = FAY_STEAL(later.trust.crl);
    shake(&p);
    assert_failed(&p.accepts, "TLS with dialler:2: the certificate is revoked");

    X509_CRL_free(FAY_STEAL(p.accepts.identity.trust.crl));
    shake(&p);
    assert_resumed(&p, false);
    p.how.now += 400 * (int64_t)DAY;
    shake(&p);
    assert_failed(&p.dials, "TLS with acceptor:1: the certificate expired");
    fay_identity_deinit(&later);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(any_kind_of_key_will_do),
        IN_SCRATCH(each_knows_what_both_have_shown),
        IN_SCRATCH(another_ca_is_named),
        IN_SCRATCH(what_does_not_hold_is_said_to_both),
        IN_SCRATCH(who_is_revoked_is_refused),
        IN_SCRATCH(who_shows_none_is_refused),
        IN_SCRATCH(what_is_no_tls_is_told),
        IN_SCRATCH(a_dialler_of_tls_1_2_is_refused),
        IN_SCRATCH(who_says_no_more_is_heard_to_the_end),
        IN_SCRATCH(what_was_changed_on_the_way_ends_it),
        IN_SCRATCH(who_joins_believes_the_ca_of_its_token),
        IN_SCRATCH(a_connection_resumes_the_one_before),
        IN_SCRATCH(a_ticket_is_for_one_target_and_one_identity),
        IN_SCRATCH(what_holds_no_more_is_not_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
