/* SPDX-License-Identifier: MIT */
/*
 * Foundations: errors, time, memory, cleanup.
 *
 * Functions return int. 0 is success. A negative fay_status is a failure the caller forwards
 * unchanged. A positive code is an outcome documented by that one function, which the caller must
 * handle and never forward.
 */
#ifndef FAY_BASE_H
#define FAY_BASE_H

#include <faymora/base.h>

/* Time on the monotonic clock of whoever drives the code (libuv, or the simulator). */
typedef uint64_t fay_ns;
#define FAY_NEVER       UINT64_MAX
#define FAY_MS          ((fay_ns)1000000)
#define FAY_SECOND      ((fay_ns)1000000000)

#define FAY_KIB         ((size_t)1 << 10)
#define FAY_MIB         ((size_t)1 << 20)
#define FAY_GIB         ((size_t)1 << 30)

#define FAY_COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define FAY_MIN(a, b)   ((a) < (b) ? (a) : (b))
#define FAY_MAX(a, b)   ((a) > (b) ? (a) : (b))

/* For each set bit of the mask, the lowest first. */
/* NOLINTBEGIN(bugprone-macro-parentheses): `bit` is declared here */
#define FAY_EACH_BIT(bit, mask)                                                                    \
    for (uint64_t bit##_left = (mask), bit = 0;                                                    \
         bit##_left != 0 && ((void)(bit = (uint64_t)__builtin_ctzll(bit##_left)), true);           \
         bit##_left &= bit##_left - 1)
/* NOLINTEND(bugprone-macro-parentheses) */

/* Release at end of scope, unless stolen. */
#define FAY_CLEANUP(fn) __attribute__((cleanup(fn)))
#define FAY_STEAL(pointer)                                                                         \
    __extension__({                                                                                \
        __typeof__(pointer) stolen_ = (pointer);                                                   \
        (pointer) = NULL;                                                                          \
        stolen_;                                                                                   \
    })

/*
 * Memory. Exhaustion aborts the process with a line on stderr: nothing useful can follow it. Any
 * size that comes from outside is checked against limits.h before it gets here.
 */
void *fay_alloc(size_t size); /* zeroed; never NULL, also for no bytes */
void *fay_realloc(void *memory, size_t size);
char *fay_strdup(const char *text);
char *fay_strndup(const char *text, size_t length);          /* exactly so many bytes, and a NUL */
char *fay_printed(const char *format, ...) FAY_PRINTF(1, 2); /* a new text; free() it */
void fay_freep(void *pointer_to_pointer); /* for FAY_CLEANUP on anything free() takes */

/* The value of a variable of the environment; NULL: unset or empty. Nobody changes them. */
const char *fay_variable(const char *name);

/* Grows a heap array so that `needed` elements fit; doubles, so that pushes are O(1) amortised. */
#define FAY_RESERVE(list, capacity, needed)                                                        \
    ((needed) <= (capacity)                                                                        \
         ? (void)0                                                                                 \
         : (void)((list) = fay_grow((list), &(capacity), (needed), sizeof *(list))))
void *fay_grow(void *list, size_t *capacity, size_t needed, size_t element_size);

/* Writes an error if `err` is not NULL and returns `status`. Texts that are too long are cut. */
int fay_fail_with(fay_error *err, fay_status status, const char *format, ...) FAY_PRINTF(3, 4);
/* As above, with strerror(sys_errno) appended to the message. */
int fay_fail_errno(fay_error *err, fay_status status, int sys_errno, const char *format, ...)
    FAY_PRINTF(4, 5);
/* "faymora: error: ..", and its hint, to stderr: for the edges, where nobody is left to tell. */
void fay_error_print(const fay_error *err);
/* Sets what to do about it; `err` may be NULL. After one of the above, which clear it. */
void fay_hint(fay_error *err, const char *format, ...) FAY_PRINTF(2, 3);

#endif /* FAY_BASE_H */
