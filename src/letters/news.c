/* SPDX-License-Identifier: MIT */
#include "letters/news.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "wire/codec.h"
#include "wire/verdict.h"

enum {
    EXIT_AGAIN = 75 /* EX_TEMPFAIL: again, whatever retry_on says */
};

static void set_texts(fay_news *news, fay_text error, fay_text tail)
{
    news->error = error.bytes;
    news->error_size = error.size;
    news->tail = tail.bytes;
    news->tail_size = tail.size;
}

static fay_news_kind kind_of_verdict(const fay_verdict *verdict)
{
    switch (verdict->kind) {
    case FAY_VERDICT_TIMEOUT: return FAY_NEWS_TIMEOUT;
    case FAY_VERDICT_POISON:
    case FAY_VERDICT_TOO_LARGE:
    case FAY_VERDICT_NO_ARGUMENT: return FAY_NEWS_NEVER;
    case FAY_VERDICT_BACK: return FAY_NEWS_BACK;
    case FAY_VERDICT_RETRY: break;
    }
    if (verdict->signal != 0)
        return FAY_NEWS_SIGNAL;
    return verdict->exit == 0 || verdict->exit == EXIT_AGAIN ? FAY_NEWS_AGAIN : FAY_NEWS_EXIT;
}

int fay_news_of_verdict(const uint8_t *payload, size_t size, fay_news *ret)
{
    fay_verdict verdict;
    if (fay_verdict_parse(payload, size, &verdict) != 0)
        return FAY_E_PEER;
    fay_text error = verdict.error;
    if (error.size == 0 && verdict.exit == 0 && verdict.signal == 0)
        error = fay_text_from(fay_verdict_text(verdict.kind));
    *ret = (fay_news){.tag = verdict.tag, .exit = verdict.exit, .signal = verdict.signal};
    ret->kind = kind_of_verdict(&verdict);
    set_texts(ret, error, verdict.tail);
    return 0;
}

static fay_news_kind kind_of_down(fay_down_cause cause)
{
    switch (cause) {
    case FAY_DOWN_RETIRED:
    case FAY_DOWN_RECYCLED: return FAY_NEWS_RETIRED;
    case FAY_DOWN_TIMEOUT: return FAY_NEWS_TIMEOUT;
    case FAY_DOWN_SIGNAL:
    case FAY_DOWN_OOM: return FAY_NEWS_SIGNAL;
    case FAY_DOWN_GARBAGE: return FAY_NEWS_GARBAGE;
    case FAY_DOWN_EXIT:
    case FAY_DOWN_START_FAILED: break;
    }
    return FAY_NEWS_EXIT;
}

int fay_news_of_down(const uint8_t *payload, size_t size, fay_news *ret)
{
    fay_down down;
    if (fay_down_parse(payload, size, &down) != 0)
        return FAY_E_PEER;
    fay_text error = down.error;
    if (error.size == 0 && down.cause != FAY_DOWN_SIGNAL)
        error = fay_text_from(fay_down_text(down.cause));
    *ret = (fay_news){.ns = down.ns, .seen = down.seen, .exit = down.exit, .signal = down.signal};
    ret->kind = kind_of_down(down.cause);
    set_texts(ret, error, down.tail);
    return 0;
}

int fay_news_of_failed(const uint8_t *payload, size_t size, bool *ret_breach, fay_error *ret)
{
    fay_failed failed;
    if (fay_failed_parse(payload, size, &failed) != 0)
        return FAY_E_PEER;
    (void)fay_fail_with(ret, FAY_E_DENIED, "%.*s", (int)failed.message.size, failed.message.bytes);
    fay_hint(ret, "%.*s", (int)failed.hint.size, failed.hint.bytes);
    *ret_breach = failed.kind == FAY_FAILED_BREACH;
    return 0;
}

fay_news fay_news_saying(const char *error)
{
    return (fay_news){.error = error, .error_size = strlen(error), .tail = ""};
}

fay_flow_try fay_news_try(fay_news_kind kind)
{
    switch (kind) {
    case FAY_NEWS_EXIT: return FAY_TRY_EXIT;
    case FAY_NEWS_SIGNAL: return FAY_TRY_SIGNAL;
    case FAY_NEWS_TIMEOUT: return FAY_TRY_TIMEOUT;
    case FAY_NEWS_NEVER: return FAY_TRY_POISON;
    case FAY_NEWS_BACK: return FAY_TRY_BACK;
    case FAY_NEWS_AGAIN:
    case FAY_NEWS_GARBAGE:
    case FAY_NEWS_RETIRED: break;
    }
    return FAY_TRY_AGAIN;
}

void fay_news_write(const fay_news *news, fay_buffer *out)
{
    fay_write32(out, (uint32_t)news->exit);
    fay_write32(out, (uint32_t)news->signal);
    fay_write_bytes(out, news->error, news->error_size);
    fay_write_bytes(out, news->tail, news->tail_size);
}

fay_news fay_news_read(const uint8_t *note, size_t size)
{
    fay_reader r = fay_reader_of(note, size);
    fay_news news = {.exit = (int32_t)fay_read32(&r)};
    news.signal = (int32_t)fay_read32(&r);
    news.error = (const char *)fay_read_bytes(&r, FAY_ERROR_TEXT_MAX, &news.error_size);
    news.tail = (const char *)fay_read_bytes(&r, FAY_STDERR_TAIL_MAX, &news.tail_size);
    return fay_reader_done(&r) == 0 ? news : (fay_news){.error = "", .tail = ""};
}

const char *fay_news_last_line(const char *text, size_t *size)
{
    size_t end = *size;
    if (end == 0)
        return "";
    while (end > 0 && isspace((unsigned char)text[end - 1]) != 0) {
        end--;
    }
    const char *newline = end > 0 ? memrchr(text, '\n', end) : NULL;
    size_t begin = newline != NULL ? (size_t)(newline - text) + 1 : 0;
    *size = end - begin;
    return text + begin;
}

void fay_news_tell(const fay_news *news, fay_buffer *out)
{
    size_t size = news->error_size;
    const char *text = fay_news_last_line(news->error, &size);
    if (size > 0) {
        fay_buffer_append(out, text, size);
    } else if (news->signal != 0) {
        const char *name = sigabbrev_np(news->signal);
        fay_buffer_printf(out, "signal %s", name != NULL ? name : "?");
    } else if (news->exit != 0) {
        fay_buffer_printf(out, "exit code %d", news->exit);
    }
    size = news->tail_size;
    text = fay_news_last_line(news->tail, &size);
    if (size > 0)
        fay_buffer_printf(out, "%s%.*s", fay_buffer_size(out) > 0 ? ": " : "", (int)size, text);
}
