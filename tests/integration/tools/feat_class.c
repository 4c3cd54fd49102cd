/* SPDX-License-Identifier: MIT */
/*
 * A class that does what its Items say (14-frames.py knows the words); others it emits as they are.
 * -DMODULE makes a module of it, -DABI=N one for another binary interface.
 */
#include <faymora.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef ABI
#    define ABI FAY_ABI
#endif

static char options[256];

static void note(const char *what)
{
    FILE *calls = fopen("calls", "a");
    if (calls != NULL) {
        fprintf(calls, "%s\n", what);
        fclose(calls);
    }
}

static int init(void **self, const char *options_json, fay_error *err)
{
    *self = options;
    snprintf(options, sizeof options, "%s", options_json);
    note("init");
    if (strstr(options_json, "slow") != NULL)
        usleep(200000);
    if (strstr(options_json, "refuse") == NULL)
        return FAY_OK;
    snprintf(err->message, sizeof err->message, "the licence has run out");
    snprintf(err->hint, sizeof err->hint, "buy another");
    return FAY_E_DENIED;
}

static int say(fay_ctx *ctx, const char *text)
{
    return fay_emit(ctx, text, strlen(text)) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

static void *later(void *context)
{
    usleep(10000);
    say(context, "later");
    fay_done(context, FAY_ACK);
    return NULL;
}

static void *later_not(void *context)
{
    usleep(10000);
    fay_done(context, fay_fail(context, FAY_POISON, "a thread says no"));
    return NULL;
}

static int defer(fay_ctx *ctx, void *(*fn)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, fn, ctx) != 0)
        return FAY_RETRY;
    pthread_detach(thread);
    return FAY_DEFER;
}

static int set(fay_ctx *ctx, const fay_item *in)
{
    fay_item *out = fay_item_new("made", 4);
    int rc = fay_item_set_string(out, "s", "t\xc3\xa9xt");
    rc |= fay_item_set_int(out, "i", INT64_MIN);
    rc |= fay_item_set_float(out, "f", 0.5);
    rc |= fay_item_set_bool(out, "b", true);
    rc |= fay_item_set_bytes(out, "y", "\0\xff", 2);
    rc |= fay_item_set_json(out, "j", "{\"l\":[1,null,{}]}");
    rc |= fay_item_set_string(out, "gone", "x");
    rc |= fay_item_remove(out, "gone");
    if (rc != 0 || fay_item_set_int(out, "fay.id", 1) != FAY_E_DENIED ||
        fay_item_set_int((fay_item *)(uintptr_t)in, "x", 1) != FAY_E_DENIED)
        return fay_fail(ctx, FAY_POISON, "setting attributes");
    if (fay_emit_item(ctx, out) != FAY_OK)
        return FAY_RETRY;
    fay_item *copy = fay_item_copy(in);
    return fay_emit_item(ctx, copy) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

static int get(fay_ctx *ctx, const fay_item *in)
{
    size_t size = 0;
    char text[512];
    char *list = fay_item_get_json(in, "l");
    (void)fay_item_bytes(in, "s", &size);
    snprintf(text, sizeof text, "%s %" PRId64 " %g %d %s %d %s %" PRId64,
             fay_item_string(in, "s", "-"), fay_item_int(in, "n", -1), fay_item_float(in, "f", -1),
             fay_item_bool(in, "b", false), list != NULL ? list : "-", (int)fay_item_type(in, "z"),
             fay_item_string(in, "absent", "fallback"), fay_item_int(in, "s", 77));
    free(list);
    return say(ctx, text);
}

static int status(fay_ctx *ctx, const fay_item *in)
{
    char text[512];
    snprintf(text, sizeof text, "%s %u %s %s [%s] %d %d %d %d", fay_item_id(in),
             fay_item_attempt(in), fay_item_string(in, "fay.id", "?"),
             fay_item_string(in, "fay.stage", "?"), fay_item_string(in, "fay.parent", "?"),
             fay_item_int(in, "fay.workers", -1) > 0,
             fay_item_int(in, "fay.enqueued", -1) > 1000000000000,
             fay_stage_pressure(ctx) >= FAY_LOW && fay_stage_pressure(ctx) <= FAY_BLOCKED,
             fay_stopping(ctx));
    return say(ctx, text);
}

/* After 20 ms of work: the stage's pressure, as asked for and as the Item has it, and workers. */
static int pressed(fay_ctx *ctx, const fay_item *in)
{
    char text[64];
    usleep(20000);
    snprintf(text, sizeof text, "%d %" PRId64 " %" PRId64, (int)fay_stage_pressure(ctx),
             fay_item_int(in, "fay.pressure", -9), fay_item_int(in, "fay.workers", -9));
    return say(ctx, text);
}

static int beat(fay_ctx *ctx)
{
    for (int i = 0; i < 6; i++) { /* longer than the timeout in all */
        usleep(250000);
        fay_heartbeat(ctx, i / 6.0);
    }
    return say(ctx, "beaten");
}

static int process(void *self, fay_ctx *ctx, const fay_item *in)
{
    size_t length;
    const char *data = fay_item_data(in, &length);
    const char *word = fay_item_string(in, "do", NULL);
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)(length < 63 ? length : 63), data);
    if (word == NULL)
        word = text;
#define IS(what) (strcmp(word, what) == 0)
    if (IS("none"))
        return FAY_ACK;
    if (IS("many"))
        return say(ctx, "1") | say(ctx, "2") | say(ctx, "3");
    if (IS("poison"))
        return fay_fail(ctx, FAY_POISON, "bad number %d", 7);
    if (IS("bare poison"))
        return FAY_POISON;
    if (IS("retry"))
        return fay_fail(ctx, FAY_RETRY, "not yet");
    if (IS("once") && fay_item_attempt(in) == 1) {
        say(ctx, "this must not be seen");
        return FAY_RETRY;
    }
    if (IS("nonsense"))
        return 99;
    if (IS("crash"))
        _exit(9);
    if (IS("hang"))
        pause();
    if (IS("print")) {
        printf("stray on stdout\n");
        fflush(stdout);
        fprintf(stderr, "stray on stderr\n");
    }
    if (IS("options"))
        return say(ctx, self);
    if (IS("defer"))
        return defer(ctx, later);
    if (IS("defer poison"))
        return defer(ctx, later_not);
    if (IS("set"))
        return set(ctx, in);
    if (IS("get"))
        return get(ctx, in);
    if (IS("status"))
        return status(ctx, in);
    if (IS("pressure"))
        return pressed(ctx, in);
    if (IS("beat"))
        return beat(ctx);
    return fay_emit(ctx, data, length) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

static void drain(void *self)
{
    (void)self;
    note("drain");
}

static void fini(void *self)
{
    (void)self;
    note("fini");
}

static const fay_worker_class cls = {.size = sizeof cls,
                                     .abi = ABI,
                                     .name = "feat",
                                     .version = "1",
                                     .init = init,
                                     .process = process,
                                     .drain = drain,
                                     .fini = fini};
#ifdef MODULE
FAY_WORKER_MODULE(cls)
#else
int main(int argc, char **argv)
{
    return fay_worker_main(argc, argv, &cls);
}
#endif
