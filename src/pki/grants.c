/* SPDX-License-Identifier: MIT */
#include "pki/grants.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "pki/role.h"

#define HEAD "faymora tokens 1"

enum {
    TOKEN_WORDS = 5,
    USE_WORDS = 3,
    WORDS_MAX = 6, /* that are told apart: one more than any line has */
    LINE_MAX_SIZE = 256
};

void fay_grants_deinit(fay_grants *grants)
{
    for (size_t i = 0; i < grants->count; i++) {
        free(grants->list[i].uses);
        OPENSSL_cleanse(&grants->list[i], sizeof grants->list[i]);
    }
    free(grants->list);
    *grants = (fay_grants){0};
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* The words of a line, which is changed for it; how many there are. */
static size_t split(char *line, char *words[WORDS_MAX])
{
    size_t count = 0;
    for (char *word; count < WORDS_MAX && (word = strsep(&line, " ")) != NULL;) {
        words[count++] = word;
    }
    return count;
}

static bool parse_number(const char *text, uint64_t most, uint64_t *ret)
{
    char *end = NULL;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *ret <= most;
}

static bool parse_roles(char *text, unsigned *ret)
{
    *ret = 0;
    for (char *word; (word = strsep(&text, ",")) != NULL;) {
        unsigned role = fay_role_find(word, strlen(word));
        if (role == 0)
            return false;
        *ret |= role;
    }
    return true;
}

static bool parse_token(char *const *words, fay_grants *grants)
{
    uint64_t expires = 0;
    uint64_t uses = 0;
    fay_grant *grant;
    if (fay_grants_add(grants, &grant, NULL) < 0)
        return false;
    bool good = strlen(words[1]) == 2 * (size_t)FAY_SECRET_SIZE &&
                fay_hex_parse(words[1], grant->secret, sizeof grant->secret) &&
                parse_number(words[2], INT64_MAX, &expires) &&
                parse_number(words[3], FAY_TOKEN_USES_MAX, &uses) &&
                parse_roles(words[4], &grant->roles);
    grant->expires = (int64_t)expires;
    grant->uses_max = (size_t)uses;
    return good;
}

static bool is_serial(const char *text)
{
    size_t length = strspn(text, "0123456789ABCDEF");
    return length > 0 && length < FAY_SERIAL_TEXT_MAX && text[length] == '\0';
}

static bool parse_use(char *const *words, fay_grants *grants)
{
    fay_digest request;
    if (grants->count == 0 || strlen(words[1]) != 2 * (size_t)FAY_DIGEST_SIZE ||
        !fay_hex_parse(words[1], request.bytes, sizeof request.bytes) || !is_serial(words[2]))
        return false;
    return fay_grant_use_up(&grants->list[grants->count - 1], &request, words[2], NULL) == 0;
}

static bool parse_line(char *line, size_t number, fay_grants *grants)
{
    char *words[WORDS_MAX];
    if (number == 1)
        return strcmp(line, HEAD) == 0;
    size_t count = split(line, words);
    if (count == TOKEN_WORDS && strcmp(words[0], "token") == 0)
        return parse_token(words, grants);
    return count == USE_WORDS && strcmp(words[0], "use") == 0 && parse_use(words, grants);
}

int fay_grants_parse(const char *text, size_t size, fay_grants *ret, fay_error *err)
{
    FAY_CLEANUP(fay_grants_deinit) fay_grants grants = {0};
    char line[LINE_MAX_SIZE];
    bool good = size > 0;
    size_t number = 0;
    for (size_t at = 0; good && at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end != NULL ? (size_t)(end - text) - at : SIZE_MAX;
        number++;
        good = length < sizeof line && memchr(text + at, '\0', length) == NULL;
        if (!good)
            break;
        memcpy(line, text + at, length);
        line[length] = '\0';
        good = parse_line(line, number, &grants);
        at += length + 1;
    }
    OPENSSL_cleanse(line, sizeof line);
    if (!good)
        return fay_fail_with(err, FAY_E_TLS, "line %zu is none of a file of tokens", number);
    *ret = grants;
    grants = (fay_grants){0};
    return 0;
}

void fay_grants_append(const fay_grants *grants, fay_buffer *out)
{
    char hex[FAY_DIGEST_TEXT_MAX];
    fay_buffer_append_text(out, HEAD "\n");
    for (size_t i = 0; i < grants->count; i++) {
        const fay_grant *grant = &grants->list[i];
        fay_buffer_printf(out, "token %s %lld %zu ", fay_hex(grant->secret, FAY_SECRET_SIZE, hex),
                          (long long)grant->expires, grant->uses_max);
        fay_roles_append(grant->roles, ",", out);
        fay_buffer_append_text(out, "\n");
        for (size_t u = 0; u < grant->uses_count; u++) {
            fay_buffer_printf(out, "use %s %s\n", fay_digest_text(&grant->uses[u].request, hex),
                              grant->uses[u].serial);
        }
    }
    OPENSSL_cleanse(hex, sizeof hex);
}

/* ---- use ------------------------------------------------------------------------------------- */

void fay_grants_expire(fay_grants *grants, int64_t now)
{
    size_t kept = 0;
    if (grants->list == NULL)
        return;
    for (size_t i = 0; i < grants->count; i++) {
        fay_grant *grant = &grants->list[i];
        if (grant->expires > now) {
            grants->list[kept++] = *grant;
        } else {
            free(grant->uses);
        }
    }
    OPENSSL_cleanse(grants->list + kept, (grants->count - kept) * sizeof *grants->list);
    grants->count = kept;
}

int fay_grants_add(fay_grants *grants, fay_grant **ret, fay_error *err)
{
    if (grants->count == FAY_TOKENS_MAX) {
        (void)fay_fail_with(err, FAY_E_NORES, "%zu tokens are open", FAY_TOKENS_MAX);
        fay_hint(err, "one token may be for many machines: --uses N; or wait until some expire");
        return FAY_E_NORES;
    }
    if (grants->list == NULL) { /* at once: a list that grows leaves secrets behind */
        grants->capacity = FAY_TOKENS_MAX;
        grants->list = fay_alloc(grants->capacity * sizeof *grants->list);
    }
    *ret = &grants->list[grants->count++];
    **ret = (fay_grant){0};
    return 0;
}

fay_grant *fay_grants_find(fay_grants *grants, const fay_digest *request, const fay_digest *proof)
{
    for (size_t i = 0; i < grants->count; i++) {
        fay_digest expected = fay_token_proof(grants->list[i].secret, request);
        if (fay_digest_equal(&expected, proof))
            return &grants->list[i];
    }
    return NULL;
}

const char *fay_grant_served(const fay_grant *grant, const fay_digest *request)
{
    for (size_t i = 0; i < grant->uses_count; i++) {
        if (fay_digest_equal(&grant->uses[i].request, request))
            return grant->uses[i].serial;
    }
    return NULL;
}

int fay_grant_use_up(fay_grant *grant, const fay_digest *request, const char *serial,
                     fay_error *err)
{
    if (grant->uses_count >= grant->uses_max) {
        (void)fay_fail_with(err, FAY_E_NORES, "the token is used up (%zu uses)", grant->uses_max);
        fay_hint(err, "make another where the CA is: faymora cert token");
        return FAY_E_NORES;
    }
    FAY_RESERVE(grant->uses, grant->uses_capacity, grant->uses_count + 1);
    fay_grant_use *use = &grant->uses[grant->uses_count++];
    *use = (fay_grant_use){.request = *request};
    (void)stpncpy(use->serial, serial, sizeof use->serial - 1);
    return 0;
}
