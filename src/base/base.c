/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fay_version(void)
{
    return FAY_VERSION_NUM;
}

const char *fay_version_string(void)
{
    return FAY_VERSION_STRING;
}

const char *fay_strstatus(fay_status status)
{
    switch (status) {
    case FAY_OK: return "success";
#define X(name, number, text)                                                                      \
    case name: return text;
        FAY_STATUSES(X)
#undef X
    }
    return "unknown status";
}

static void *must(void *memory)
{
    if (memory == NULL) {
        (void)fputs("faymora: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *fay_alloc(size_t size)
{
    return must(calloc(1, size > 0 ? size : 1));
}

void *fay_realloc(void *memory, size_t size)
{
    return must(realloc(memory, size > 0 ? size : 1));
}

char *fay_strdup(const char *text)
{
    return fay_strndup(text, strlen(text));
}

char *fay_strndup(const char *text, size_t length)
{
    char *copy = must(malloc(length + 1));
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *fay_printed(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    return must(length < 0 ? NULL : text);
}

void fay_freep(void *pointer_to_pointer)
{
    void **pointer = pointer_to_pointer;
    free(*pointer);
    *pointer = NULL;
}

void *fay_grow(void *list, size_t *capacity, size_t needed, size_t element_size)
{
    size_t grown = FAY_MAX(*capacity * 2, (size_t)8);
    grown = FAY_MAX(grown, needed);
    if (grown > SIZE_MAX / element_size)
        return must(NULL);
    *capacity = grown;
    return fay_realloc(list, grown * element_size);
}

static FAY_PRINTF(3, 0) void fail(fay_error *err, fay_status status, const char *format,
                                  va_list args)
{
    *err = (fay_error){.status = status};
    (void)vsnprintf(err->message, sizeof err->message, format, args);
}

int fay_fail_with(fay_error *err, fay_status status, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        fail(err, status, format, args);
        va_end(args);
    }
    return status;
}

int fay_fail_errno(fay_error *err, fay_status status, int sys_errno, const char *format, ...)
{
    if (err != NULL) {
        char text[128] = "";
        va_list args;
        va_start(args, format);
        fail(err, status, format, args);
        va_end(args);
        err->sys_errno = sys_errno;
        size_t used = strlen(err->message);
        (void)snprintf(err->message + used, sizeof err->message - used, ": %s",
                       strerror_r(sys_errno, text, sizeof text));
    }
    return status;
}

void fay_hint(fay_error *err, const char *format, ...)
{
    if (err == NULL)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
}

void fay_error_print(const fay_error *err)
{
    (void)fprintf(stderr, "faymora: error: %s\n", err->message);
    if (err->hint[0] != '\0')
        (void)fprintf(stderr, "  hint: %s\n", err->hint);
}

const char *fay_variable(const char *name)
{
    const char *value = getenv(name); // NOLINT(concurrency-mt-unsafe): nobody changes them
    return value != NULL && value[0] != '\0' ? value : NULL;
}
