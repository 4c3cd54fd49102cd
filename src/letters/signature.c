/* SPDX-License-Identifier: MIT */
#include "letters/signature.h"

#include <ctype.h>
#include <string.h>

#include "base/hash.h"

enum {
    SIGNED = 200,       /* bytes of a text that are looked at, once it is masked */
    SHARED = 16,        /* so many bytes of an Item are no chance */
    ITEM_LOOKED = 4096, /* bytes of an Item that are searched for them */
    HEX = 8,            /* so many hex digits are no word */
    MARK = 1            /* a control character, which is no word, quote or path */
};

/* A text on its way: what is left to read, and what has been written of it. */
typedef struct masking {
    const char *text; /* all of it */
    size_t size, at;
    fay_buffer *out;
} masking;

static bool is_word(char c)
{
    return isalnum((unsigned char)c) != 0 || c == '_' || (unsigned char)c >= 0x80;
}

/* At the begin of a word, or not in one. */
static bool begins(const masking *m)
{
    return m->at == 0 || !is_word(m->text[m->at - 1]);
}

static bool ends(const masking *m, size_t end)
{
    return end >= m->size || !is_word(m->text[end]);
}

static bool here(const masking *m, const char *text)
{
    size_t length = strlen(text);
    return m->size - m->at >= length && memcmp(m->text + m->at, text, length) == 0;
}

/* One mark for all that follows one another without anything between. */
static void mark(masking *m, size_t length)
{
    size_t used = fay_buffer_size(m->out);
    if (used == 0 || fay_buffer_data(m->out)[used - 1] != MARK)
        fay_buffer_append(m->out, &(char){MARK}, 1);
    m->at += length;
}

/* ---- what is masked: how many bytes from here on --------------------------------------------- */

/* `word`: the Item has something that is more than punctuation. */
static size_t whole_item(const masking *m, const uint8_t *item, size_t size, bool word)
{
    if (!word || size > m->size - m->at || memcmp(m->text + m->at, item, size) != 0)
        return 0;
    bool loose = is_word((char)item[0]) && !begins(m);
    bool tight = is_word((char)item[size - 1]) && !ends(m, m->at + size);
    return loose || tight ? 0 : size;
}

static size_t part_of_item(const masking *m, const uint8_t *item, size_t size)
{
    if (m->size - m->at < SHARED || size < SHARED)
        return 0;
    const uint8_t *found = memmem(item, size, m->text + m->at, SHARED);
    if (found == NULL)
        return 0;
    size_t length = SHARED;
    size_t most = FAY_MIN(m->size - m->at, size - (size_t)(found - item));
    while (length < most && m->text[m->at + length] == (char)found[length]) {
        length++;
    }
    return length;
}

/* Quotes open where no word goes on ("can't" has none), but for Python's b'..', and close where
 * none begins ('it's'). */
static bool may_open(const masking *m)
{
    if (begins(m))
        return true;
    bool prefix = strchr("bBuUrR", m->text[m->at - 1]) != NULL;
    return prefix && (m->at == 1 || !is_word(m->text[m->at - 2]));
}

static bool closes(const masking *m, size_t at, const char *close)
{
    size_t length = strlen(close);
    bool wide = length > 1; /* a typographic quote says itself which it is */
    return m->size - at >= length && memcmp(m->text + at, close, length) == 0 &&
           (wide || ends(m, at + length));
}

static size_t quoted(const masking *m)
{
    static const char *const quotes[][3] = {
        {"\"", "\"", "\""}, {"'", "'", "'"}, {"`", "`", "'"}, {"‘", "’", "’"},
        {"“", "”", "”"},    {"«", "»", "»"}, {"„", "“", "”"},
    };
    for (size_t i = 0; i < FAY_COUNT(quotes); i++) {
        size_t length = strlen(quotes[i][0]);
        if (!here(m, quotes[i][0]) || (length == 1 && !may_open(m)))
            continue;
        for (size_t at = m->at + length; at < m->size; at++) {
            if (m->text[at] == '\\') {
                at++;
            } else if (closes(m, at, quotes[i][1])) {
                return at + strlen(quotes[i][1]) - m->at;
            } else if (closes(m, at, quotes[i][2])) {
                return at + strlen(quotes[i][2]) - m->at;
            }
        }
    }
    return 0;
}

static bool in_path(char c)
{
    return isspace((unsigned char)c) == 0 && strchr("\"'`:,;()<>|", c) == NULL;
}

static size_t path(const masking *m)
{
    static const char *const starts[] = {"/", "./", "../", "~/"};
    if (!begins(m))
        return 0;
    for (size_t i = 0; i < FAY_COUNT(starts); i++) {
        size_t first = m->at + strlen(starts[i]), end = first;
        if (!here(m, starts[i]))
            continue;
        while (end < m->size && in_path(m->text[end])) {
            end++;
        }
        return end > first ? end - m->at : 0;
    }
    return 0;
}

static bool digit_at(const masking *m, size_t at)
{
    return at < m->size && isdigit((unsigned char)m->text[at]) != 0;
}

static size_t hex(const masking *m)
{
    size_t end = m->at;
    bool digit = false;
    bool prefix = begins(m) && here(m, "0x");
    if (!begins(m))
        return 0;
    end += prefix ? 2 : 0;
    while (end < m->size && (isxdigit((unsigned char)m->text[end]) != 0 || m->text[end] == '-')) {
        digit = digit || digit_at(m, end);
        end++;
    }
    bool enough = prefix ? end > m->at + 2 : digit && end - m->at >= HEX;
    return enough && ends(m, end) ? end - m->at : 0;
}

static size_t number(const masking *m)
{
    size_t end = m->at;
    while (digit_at(m, end)) {
        end++;
        bool joined = end < m->size && strchr(".,:", m->text[end]) != NULL && digit_at(m, end + 1);
        end += joined;
    }
    return end - m->at;
}

/* ---- texts ----------------------------------------------------------------------------------- */

/* Without the Item, which comes first since it may hold quotes and all else. */
static void mask_item(const char *text, size_t size, const uint8_t *item, size_t item_size,
                      fay_buffer *out)
{
    masking m = {.text = text, .size = size, .out = out};
    while (item_size > 0 && isspace(item[item_size - 1]) != 0) {
        item_size--;
    }
    bool word = false;
    for (size_t i = 0; i < item_size && !word; i++) {
        word = is_word((char)item[i]);
    }
    while (m.at < size) {
        size_t length = whole_item(&m, item, item_size, word);
        if (length == 0)
            length = part_of_item(&m, item, FAY_MIN(item_size, (size_t)ITEM_LOOKED));
        if (length > 0) {
            mark(&m, length);
        } else {
            fay_buffer_append(out, text + m.at++, 1);
        }
    }
}

static void mask_rest(const char *text, size_t size, fay_buffer *out)
{
    masking m = {.text = text, .size = size, .out = out};
    while (m.at < size && fay_buffer_size(out) < SIGNED) {
        size_t length = quoted(&m);
        if (length == 0)
            length = path(&m);
        if (length == 0)
            length = hex(&m);
        if (length == 0)
            length = number(&m);
        if (length == 0 && text[m.at] == MARK)
            length = 1;
        if (length > 0) {
            mark(&m, length);
        } else {
            fay_buffer_append(out, text + m.at++, 1);
        }
    }
}

static uint64_t add_text(uint64_t seed, const char *text, size_t size, const uint8_t *item,
                         size_t item_size)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer without = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer masked = {0};
    const char *line = fay_news_last_line(text, &size);
    mask_item(line, size, item, item_size, &without);
    mask_rest((const char *)fay_buffer_data(&without), fay_buffer_size(&without), &masked);
    return fay_hash64(fay_buffer_data(&masked), fay_buffer_size(&masked), seed);
}

uint64_t fay_signature(const fay_news *news, const uint8_t *item, size_t size)
{
    bool ended_by_us = news->kind == FAY_NEWS_TIMEOUT || news->kind == FAY_NEWS_GARBAGE;
    int32_t exit = ended_by_us ? 0 : news->exit;
    int32_t signal = ended_by_us ? 0 : news->signal;
    const uint32_t status[] = {(uint32_t)news->kind, (uint32_t)exit, (uint32_t)signal};
    uint64_t signature = fay_hash64(status, sizeof status, 0);
    signature = add_text(signature, news->error, news->error_size, item, size);
    if (exit != 0 || signal != 0)
        signature = add_text(signature, news->tail, news->tail_size, item, size);
    return signature;
}
