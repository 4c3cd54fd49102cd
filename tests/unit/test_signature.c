/* SPDX-License-Identifier: MIT */
/* Failures that are alike, and such that are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "letters/signature.h"

/* A try that has failed: what was said of which Item. */
struct failed {
    const char *error, *tail, *item;
    fay_news_kind kind;
    int exit, signal;
};

static uint64_t sign(const struct failed *f)
{
    const char *error = f->error != NULL ? f->error : "";
    const char *tail = f->tail != NULL ? f->tail : "";
    const char *item = f->item != NULL ? f->item : "";
    const fay_news news = {.kind = f->kind,
                           .exit = f->exit,
                           .signal = f->signal,
                           .error = error,
                           .error_size = strlen(error),
                           .tail = tail,
                           .tail_size = strlen(tail)};
    return fay_signature(&news, (const uint8_t *)item, strlen(item));
}

static void expect(struct failed a, struct failed b, bool alike)
{
    if ((sign(&a) == sign(&b)) != alike)
        fail_msg("%s:\n  %s\n  %s", alike ? "not alike" : "alike", a.error, b.error);
}

/* Errors of two Items, as a worker says them. */
static void expect_alike(const char *a, const char *item_a, const char *b, const char *item_b)
{
    expect((struct failed){.error = a, .item = item_a}, (struct failed){.error = b, .item = item_b},
           true);
}

static void expect_different(const char *a, const char *b)
{
    expect((struct failed){.error = a, .item = "7"}, (struct failed){.error = b, .item = "8"},
           false);
}

static void numbers_are_of_one_item(void **state)
{
    (void)state;
    expect_alike("line 7 is bad", "q", "line 1000 is bad", "z");
    expect_alike("offset 0x7f3a10", "q", "offset 0x20", "z");
    expect_alike("took 1.5 s", "q", "took 12 s", "z");
    expect_alike("at 12:30:01,5", "q", "at 9:01", "z");
    expect_alike("no 3fa85f64-5717-4562-b3fc-2c963f66afa6", "q",
                 "no 00000000-feed-4562-aaaa-beefbeefbeef", "z");
    expect_alike("exit 1 with 1 Item in hand", "q", "exit 1 with 1 Item in hand", "z");
}

static void quotes_are_of_one_item(void **state)
{
    (void)state;
    expect_alike("KeyError: 'user'", "q", "KeyError: 'a\\'b'", "z");
    expect_alike("no \"x\" here", "q", "no \"y z\" here", "z");
    expect_alike("base 10: b'abc'", "q", "base 10: b'x'", "z");
    expect_alike("bad `x' here", "q", "bad `yy' here", "z");
    expect_alike("bad ‘x’ here", "q", "bad ‘Größe’ here", "z");
    expect_alike("bad “x” here", "q", "bad “yy” here", "z");
    expect_alike("it isn't 'x' now", "q", "it isn't 'it's' now", "z");
    /* a json worker that prints what is nested too deep: the first bytes of it, escaped */
    expect_alike("no JSON object: \"{\\\"id\\\":0,\\\"emit\\\":[[[[[[\"", "q",
                 "no JSON object: \"{\\\"id\\\":10,\\\"emit\\\":[[[[[\"", "z");
}

static void paths_are_of_one_item(void **state)
{
    (void)state;
    expect_alike("/tmp/a.txt: gone", "q", "/var/b: gone", "z");
    expect_alike("cannot open ./a/b", "q", "cannot open ../c", "z");
    expect_alike("cannot open ~/a, try it", "q", "cannot open /x/y, try it", "z");
    expect_alike("get http://a.example/x failed", "q", "get http://b.example/ failed", "z");
}

static void the_item_is_its_own(void **state)
{
    (void)state;
    expect_alike("cannot do x", "x", "cannot do several words", "several words");
    expect_alike("x: bad", "x", "y z: bad", "y z\n");
    expect_alike("bad {\"a\": \"b\"} there", "{\"a\": \"b\"}", "bad {\"c\": 1} there",
                 "{\"c\": 1}");
    /* only the begin of a long one, or its middle */
    expect_alike("cannot parse abcdefghijklmnop.. here", "abcdefghijklmnopqrstuvwxyz",
                 "cannot parse ABCDEFGHIJKLMNOPQR.. here", "zzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    /* not in the middle of words: an "a" in all of them would be no mark of one Item */
    expect_alike("a bad one", "b", "a bad one", "d");
    expect_alike("what a day", "da", "what a day", "hat");
}

static void other_words_are_other_failures(void **state)
{
    (void)state;
    expect_different("KeyError: 'user'", "ValueError: 'user'");
    expect_different("no such file", "no such user");
    expect_different("Input/output error", "Output/input error");
    expect_different("can't read", "can't write");
    expect_different("dogs' home", "cats' home");
    expect_different("\"unclosed", "\"never closed");
    expect_different("bad/worse", "bad/worst");
    expect_different("facade", "decade"); /* hex digits all, and words */
    expect_different("deadline", "deadlock");
    expect_different("x", "");
    expect_different("Refused: 1", "refused: 1");
    expect_different("cannot do a7", "cannot do b7");
}

static void other_ends_are_other_failures(void **state)
{
    (void)state;
    struct failed a = {.error = "bad", .kind = FAY_NEWS_EXIT, .exit = 1};
    struct failed b = a;
    expect(a, b, true);
    b.exit = 2;
    expect(a, b, false);
    b = (struct failed){.error = "bad", .kind = FAY_NEWS_SIGNAL, .signal = 1};
    expect(a, b, false);
    a = b;
    a.signal = 11;
    expect(a, b, false);
    a = b = (struct failed){.error = "bad", .kind = FAY_NEWS_AGAIN};
    b.kind = FAY_NEWS_NEVER;
    expect(a, b, false);
}

/* Whether a worker that we end has gone a moment before is chance. */
static void how_we_end_a_worker_does_not_matter(void **state)
{
    (void)state;
    struct failed a = {.error = "prints a line without end", .kind = FAY_NEWS_GARBAGE, .signal = 9};
    struct failed b = {.error = "prints a line without end", .kind = FAY_NEWS_GARBAGE};
    expect(a, b, true);
    a.kind = FAY_NEWS_TIMEOUT;
    expect(a, b, false);
}

/* The last line of stderr says why a program has ended; of a worker that goes on it is about
 * something else. */
static void stderr_tells_why_a_program_has_ended(void **state)
{
    (void)state;
    struct failed a = {.error = "exit 1",
                       .kind = FAY_NEWS_EXIT,
                       .exit = 1,
                       .item = "x",
                       .tail = "Traceback of 7\nKeyError: 'x'\n\n"};
    struct failed b = {.error = "exit 1",
                       .kind = FAY_NEWS_EXIT,
                       .exit = 1,
                       .item = "y",
                       .tail = "something else\nKeyError: 'y'\n"};
    expect(a, b, true);
    b.tail = "something else\nValueError: 'y'\n";
    expect(a, b, false);
    a.exit = b.exit = 0;
    a.kind = b.kind = FAY_NEWS_AGAIN;
    expect(a, b, true);
}

static void only_the_begin_of_a_text_counts(void **state)
{
    (void)state;
    char a[FAY_ERROR_TEXT_MAX], b[FAY_ERROR_TEXT_MAX];
    memset(a, 'x', sizeof a);
    a[sizeof a - 1] = '\0';
    memcpy(b, a, sizeof b);
    b[250] = 'y';
    expect((struct failed){.error = a}, (struct failed){.error = b}, true);
    b[150] = 'y';
    expect((struct failed){.error = a}, (struct failed){.error = b}, false);
    /* what is masked takes no room: the words behind a long Item count */
    char item[500], long_a[600], long_b[600];
    memset(item, 'i', sizeof item);
    item[sizeof item - 1] = '\0';
    (void)snprintf(long_a, sizeof long_a, "%s is refused", item);
    (void)snprintf(long_b, sizeof long_b, "%s is unknown", item);
    expect((struct failed){.error = long_a, .item = item},
           (struct failed){.error = long_b, .item = item}, false);
}

/* Whatever bytes there are, none beyond the texts is looked at (the sanitizers would tell). */
static void any_bytes_have_a_signature(void **state)
{
    (void)state;
    static const char *const odd[] = {"",   "'",  "\"", "\\",  "'\\", "`",  "/",
                                      "./", "~/", "0x", "0x'", "b'",  "‘",  "\xe2",
                                      "1.", "1:", "--", "\n",  "\1",  "\1'"};
    for (size_t i = 0; i < FAY_COUNT(odd); i++) {
        for (size_t k = 0; k < FAY_COUNT(odd); k++) {
            struct failed f = {.error = odd[i], .item = odd[k], .exit = 1, .tail = odd[k]};
            assert_int_equal(sign(&f), sign(&f));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_of_one_item),
        cmocka_unit_test(quotes_are_of_one_item),
        cmocka_unit_test(paths_are_of_one_item),
        cmocka_unit_test(the_item_is_its_own),
        cmocka_unit_test(other_words_are_other_failures),
        cmocka_unit_test(other_ends_are_other_failures),
        cmocka_unit_test(how_we_end_a_worker_does_not_matter),
        cmocka_unit_test(stderr_tells_why_a_program_has_ended),
        cmocka_unit_test(only_the_begin_of_a_text_counts),
        cmocka_unit_test(any_bytes_have_a_signature),
    };
    return cmocka_run_group_tests_name("signature", tests, NULL, NULL);
}
