/* SPDX-License-Identifier: MIT */
/*
 * Workers: fill in a class, and either call fay_worker_main() from main() (a program), or write
 * FAY_WORKER_MODULE(cls) at file scope (a .so that faymora-worker loads). See faymora-worker(7).
 *
 *     static int upcase(void *self, fay_ctx *ctx, const fay_item *in) { ...; return FAY_ACK; }
 *     static const fay_worker_class cls = {.size = sizeof cls, .abi = FAY_ABI,
 *                                          .name = "upcase", .version = "1", .process = upcase};
 *
 * Threads: init, process, idle, drain and fini are called on the thread of fay_worker_main(), never
 * two at a time. What may be called from other threads says so.
 */
#ifndef FAYMORA_WORKER_H
#define FAYMORA_WORKER_H

#include <faymora/base.h>
#include <faymora/item.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One Item being worked on. Valid during its process() call; if that returns FAY_DEFER, until
 * fay_done(). */
typedef struct fay_ctx fay_ctx;
/* A proxy for Channels. */
typedef struct fay_node fay_node;

/* How a stage stands to what comes in. */
typedef enum fay_pressure {
    FAY_LOW = -1, /* more workers than needed */
    FAY_EVEN = 0,
    FAY_HIGH = 1,   /* fewer than needed */
    FAY_BLOCKED = 2 /* those behind it do not keep up */
} fay_pressure;

/* Verdicts: what process() returns and fay_done() is given. */
enum {
    FAY_ACK = 0,    /* done; what was emitted goes on, 0 to n Items */
    FAY_RETRY = 1,  /* failed, try again later; what was emitted is dropped */
    FAY_POISON = 2, /* will never work: to the dead letters; what was emitted is dropped */
    FAY_DEFER = 3   /* not now: fay_done() will be called, from any thread (not for fay_done()) */
};

typedef struct fay_worker_class {
    size_t size;  /* = sizeof(fay_worker_class): lets the struct grow */
    unsigned abi; /* = FAY_ABI */
    const char *name, *version;
    /* Optional. `options_json`: the stage's `options`, an object. Whatever *self is set to is given
     * to the others. Not FAY_OK: the stage cannot run; say why in *err. */
    int (*init)(void **self, const char *options_json, fay_error *err);
    /* Emits 0 to n Items, then returns a verdict. `in` lives as long as `ctx`; fay_item_ref() keeps
     * it longer. */
    int (*process)(void *self, fay_ctx *ctx, const fay_item *in);
    /* Optional. There is nothing to do: a good time to finish a batch of deferred Items. */
    void (*idle)(void *self);
    /* Optional. About to stop: finish what is deferred. */
    void (*drain)(void *self);
    /* Optional. The last call. */
    void (*fini)(void *self);
} fay_worker_class;

/* Adds a result. The bytes are copied. FAY_E_NORES: larger than the stage's `max_item`; the Item's
 * verdict will say so. Any thread, for a deferred Item. */
FAY_API int fay_emit(fay_ctx *ctx, const void *data, size_t len);
/* The same for an Item with attributes. Takes the reference, also when it fails. */
FAY_API int fay_emit_item(fay_ctx *ctx, fay_item *item);

/* Says why the Item fails, and returns `verdict`: return fay_fail(ctx, FAY_POISON, "..."). The text
 * is cut after 1,024 bytes. */
FAY_API int fay_fail(fay_ctx *ctx, int verdict, const char *format, ...) FAY_PRINTF(3, 4);

/* Still at it: restarts the Item's timeout. `progress` is 0 to 1, below 0 = unknown. Any thread. */
FAY_API void fay_heartbeat(fay_ctx *ctx, double progress);

/* What the stage's Equalizer says. Any thread. */
FAY_API fay_pressure fay_stage_pressure(const fay_ctx *ctx);

/* Whether the worker has been told to stop: Items in hand should be finished soon. Any thread. */
FAY_API bool fay_stopping(const fay_ctx *ctx);

/* A proxy for the Channels that the stage's `channels:` names, else NULL. */
FAY_API fay_node *fay_ctx_node(fay_ctx *ctx);

/* Completes an Item whose process() returned FAY_DEFER or is about to. Once; `ctx` is gone
 * afterwards. Any thread. */
FAY_API void fay_done(fay_ctx *ctx, int verdict);

/* Serves a stage until it is told to stop, and returns what main() should return: 0 stopped, 1 the
 * other side broke the protocol, 2 not started by Faymora, 3 the class cannot be used or its init
 * failed. Once at a time in a process. */
FAY_API int fay_worker_main(int argc, char **argv, const fay_worker_class *cls);

/* Makes a module of the file it stands in. */
#ifdef __cplusplus
#    define FAY_WORKER_ENTRY extern "C" FAY_API
#else
#    define FAY_WORKER_ENTRY FAY_API
#endif
#define FAY_WORKER_MODULE(cls)                                                                     \
    FAY_WORKER_ENTRY const fay_worker_class *fay_worker_entry(void);                               \
    const fay_worker_class *fay_worker_entry(void)                                                 \
    {                                                                                              \
        return &(cls);                                                                             \
    }

#ifdef __cplusplus
}
#endif
#endif /* FAYMORA_WORKER_H */
