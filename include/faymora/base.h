/* SPDX-License-Identifier: MIT */
/*
 * Faymora's public base: version, status codes, errors.
 *
 * Functions return FAY_OK (0) or a negative fay_status. What went wrong in words goes into an
 * optional fay_error that the caller owns (usually on its stack).
 */
#ifndef FAYMORA_BASE_H
#define FAYMORA_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAY_VERSION_MAJOR  0
#define FAY_VERSION_MINOR  1
#define FAY_VERSION_PATCH  0
#define FAY_VERSION_STRING "0.1.0"
#define FAY_VERSION_NUM    (FAY_VERSION_MAJOR << 16 | FAY_VERSION_MINOR << 8 | FAY_VERSION_PATCH)
#define FAY_ABI            1 /* checked when a worker module is loaded */

#if defined(__GNUC__)
#    define FAY_API          __attribute__((visibility("default")))
#    define FAY_PRINTF(f, a) __attribute__((format(printf, f, a)))
#    define FAY_NODISCARD    __attribute__((warn_unused_result))
#else
#    define FAY_API
#    define FAY_PRINTF(f, a)
#    define FAY_NODISCARD
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* One list: the enum, the names and the texts. */
#define FAY_STATUSES(X)                                                                            \
    X(FAY_E_INVAL, -1, "invalid argument")                                                         \
    X(FAY_E_NOMEM, -2, "out of memory")                                                            \
    X(FAY_E_IO, -3, "input/output error")                                                          \
    X(FAY_E_TLS, -4, "TLS error")                                                                  \
    X(FAY_E_PEER, -5, "the peer broke the protocol")                                               \
    X(FAY_E_TIMEOUT, -6, "timed out")                                                              \
    X(FAY_E_CONFIG, -7, "configuration error")                                                     \
    X(FAY_E_EXISTS, -8, "exists already")                                                          \
    X(FAY_E_NOTFOUND, -9, "not found")                                                             \
    X(FAY_E_STALE, -10, "stale")                                                                   \
    X(FAY_E_NORES, -11, "a limit or a resource is used up")                                        \
    X(FAY_E_CLOSED, -12, "closed")                                                                 \
    X(FAY_E_ABI, -13, "incompatible binary interface")                                             \
    X(FAY_E_DENIED, -14, "denied")

typedef enum fay_status {
    FAY_OK = 0,
#define X(name, number, text) name = (number),
    FAY_STATUSES(X)
#undef X
} fay_status;

/* Filled on failure, untouched on success. `hint` says what to do about it and may be empty. */
typedef struct fay_error {
    fay_status status;
    int sys_errno;
    char file[128]; /* with line and column: set for FAY_E_CONFIG */
    int line, column;
    char message[384];
    char hint[256];
} fay_error;

/* The version of the library that is running; compare with FAY_VERSION_NUM. Any thread. */
FAY_API int fay_version(void);
FAY_API const char *fay_version_string(void);

/* A short English text for a status; never NULL. Any thread. */
FAY_API const char *fay_strstatus(fay_status status);

#ifdef __cplusplus
}
#endif
#endif /* FAYMORA_BASE_H */
