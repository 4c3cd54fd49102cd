/* SPDX-License-Identifier: MIT */
#include "wire/verdict.h"

#include <string.h>

#include "base/limits.h"
#include "wire/codec.h"

fay_text fay_text_from(const char *text)
{
    return (fay_text){.bytes = text != NULL ? text : "", .size = text != NULL ? strlen(text) : 0};
}

const char *fay_verdict_text(fay_verdict_kind kind)
{
    switch (kind) {
#define X(name, number, text)                                                                      \
    case name: return text;
        FAY_VERDICTS(X)
#undef X
    }
    return NULL;
}

const char *fay_down_text(fay_down_cause cause)
{
    switch (cause) {
#define X(name, number, text)                                                                      \
    case name: return text;
        FAY_DOWNS(X)
#undef X
    }
    return NULL;
}

/* Of an error its beginning tells most, of a log its end. */
static void write_error(fay_buffer *out, fay_text text)
{
    fay_write_bytes(out, text.bytes, FAY_MIN(text.size, FAY_ERROR_TEXT_MAX));
}

static void write_tail(fay_buffer *out, fay_text text)
{
    size_t kept = FAY_MIN(text.size, FAY_STDERR_TAIL_MAX);
    fay_write_bytes(out, kept > 0 ? text.bytes + (text.size - kept) : NULL, kept);
}

static fay_text read_text(fay_reader *r, size_t max)
{
    fay_text text;
    text.bytes = (const char *)fay_read_bytes(r, max, &text.size);
    return text;
}

void fay_verdict_write(const fay_verdict *verdict, fay_buffer *payload)
{
    fay_write64(payload, verdict->tag);
    fay_write8(payload, (uint8_t)verdict->kind);
    fay_write32(payload, (uint32_t)verdict->exit);
    fay_write32(payload, (uint32_t)verdict->signal);
    write_error(payload, verdict->error);
    write_tail(payload, verdict->tail);
}

int fay_verdict_parse(const uint8_t *payload, size_t size, fay_verdict *ret)
{
    fay_reader r = fay_reader_of(payload, size);
    fay_verdict verdict = {.tag = fay_read64(&r)};
    verdict.kind = (fay_verdict_kind)fay_read8(&r);
    verdict.exit = (int32_t)fay_read32(&r);
    verdict.signal = (int32_t)fay_read32(&r);
    verdict.error = read_text(&r, FAY_ERROR_TEXT_MAX);
    verdict.tail = read_text(&r, FAY_STDERR_TAIL_MAX);
    if (fay_reader_done(&r) != 0 || fay_verdict_text(verdict.kind) == NULL)
        return FAY_E_PEER;
    *ret = verdict;
    return 0;
}

void fay_down_write(const fay_down *down, fay_buffer *payload)
{
    fay_write8(payload, (uint8_t)down->cause);
    fay_write32(payload, (uint32_t)down->exit);
    fay_write32(payload, (uint32_t)down->signal);
    fay_write64(payload, down->ns);
    fay_write64(payload, down->seen);
    write_error(payload, down->error);
    write_tail(payload, down->tail);
}

int fay_down_parse(const uint8_t *payload, size_t size, fay_down *ret)
{
    fay_reader r = fay_reader_of(payload, size);
    fay_down down = {.cause = (fay_down_cause)fay_read8(&r)};
    down.exit = (int32_t)fay_read32(&r);
    down.signal = (int32_t)fay_read32(&r);
    down.ns = fay_read64(&r);
    down.seen = fay_read64(&r);
    down.error = read_text(&r, FAY_ERROR_TEXT_MAX);
    down.tail = read_text(&r, FAY_STDERR_TAIL_MAX);
    if (fay_reader_done(&r) != 0 || fay_down_text(down.cause) == NULL)
        return FAY_E_PEER;
    *ret = down;
    return 0;
}

void fay_failed_write(const fay_failed *failed, fay_buffer *payload)
{
    fay_write8(payload, (uint8_t)failed->kind);
    fay_write32(payload, (uint32_t)failed->exit);
    write_error(payload, failed->message);
    write_error(payload, failed->hint);
}

int fay_failed_parse(const uint8_t *payload, size_t size, fay_failed *ret)
{
    fay_reader r = fay_reader_of(payload, size);
    fay_failed failed = {.kind = (fay_failed_kind)fay_read8(&r)};
    failed.exit = (int32_t)fay_read32(&r);
    failed.message = read_text(&r, FAY_ERROR_TEXT_MAX);
    failed.hint = read_text(&r, FAY_ERROR_TEXT_MAX);
    if (fay_reader_done(&r) != 0 ||
        (failed.kind != FAY_FAILED_START && failed.kind != FAY_FAILED_STOP &&
         failed.kind != FAY_FAILED_BREACH))
        return FAY_E_PEER;
    *ret = failed;
    return 0;
}
