/* SPDX-License-Identifier: MIT */
#include "cli/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/errors.h"

enum {
    SUGGESTIONS_MAX = 128
};

static const char *const later[] = {"detach", "place", "context", "wait", "dashboard", "addon"};

bool fay_args_is_later(const char *name)
{
    for (size_t i = 0; i < FAY_COUNT(later); i++) {
        if (strcmp(name, later[i]) == 0)
            return true;
    }
    return false;
}

static const fay_flag *find_name(const fay_flag *table, const char *name, size_t length)
{
    for (const fay_flag *flag = table; flag != NULL && flag->key != 0; flag++) {
        if (strlen(flag->name) == length && memcmp(flag->name, name, length) == 0)
            return flag;
    }
    return NULL;
}

static const fay_flag *find_letter(const fay_flag *table, char letter)
{
    for (const fay_flag *flag = table; flag != NULL && flag->key != 0; flag++) {
        if (flag->letter == letter)
            return flag;
    }
    return NULL;
}

static size_t add_names(const fay_flag *table, const char **names, size_t count)
{
    for (const fay_flag *flag = table; flag != NULL && flag->key != 0; flag++) {
        if (count < SUGGESTIONS_MAX)
            names[count++] = flag->name;
    }
    return count;
}

static int unknown_name(const fay_args *args, const char *name, size_t length, fay_error *err)
{
    FAY_CLEANUP(fay_freep) char *word = fay_strndup(name, length);
    if (fay_args_is_later(word))
        return fay_fail_with(err, FAY_E_INVAL, "'--%s' is not in this version", word);

    const char *names[SUGGESTIONS_MAX];
    size_t count = add_names(args->own, names, 0);
    count = add_names(args->global, names, count);
    const char *meant = fay_suggest(word, names, count);
    (void)fay_fail_with(err, FAY_E_INVAL, "unknown flag '--%.100s'", word);
    if (meant != NULL)
        fay_hint(err, "did you mean '--%s'?", meant);
    return FAY_E_INVAL;
}

/* The value of a flag that stands in a word of its own. `--` and flags are none: a forgotten value
 * is more likely than a file of that name, which `=` can say. */
static int take_value(fay_args *args, const fay_flag *flag, fay_error *err)
{
    const char *next = args->at < args->argc ? args->argv[args->at] : NULL;
    if (next == NULL || strncmp(next, "--", 2) == 0)
        return fay_fail_with(err, FAY_E_INVAL, "'--%s' needs a value: %s", flag->name, flag->value);
    args->value = next;
    args->at++;
    return FAY_ARGS_FLAG;
}

static int next_long(fay_args *args, const char *name, fay_error *err)
{
    const char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const fay_flag *flag = find_name(args->own, name, length);
    args->global_flag = flag == NULL;
    if (flag == NULL)
        flag = find_name(args->global, name, length);
    if (flag == NULL)
        return unknown_name(args, name, length, err);

    args->key = flag->key;
    args->value = equals != NULL ? equals + 1 : NULL;
    if (flag->value == NULL && equals != NULL)
        return fay_fail_with(err, FAY_E_INVAL, "'--%s' takes no value", flag->name);
    if (flag->value != NULL && equals == NULL)
        return take_value(args, flag, err);
    return FAY_ARGS_FLAG;
}

static int next_letter(fay_args *args, fay_error *err)
{
    char letter = *args->cluster++;
    const fay_flag *flag = find_letter(args->own, letter);
    args->global_flag = flag == NULL;
    if (flag == NULL)
        flag = find_letter(args->global, letter);
    if (flag == NULL)
        return fay_fail_with(err, FAY_E_INVAL, "unknown flag '-%c'", letter);

    const char *rest = args->cluster;
    if (flag->value != NULL || *rest == '\0')
        args->cluster = NULL;
    args->key = flag->key;
    args->value = NULL;
    if (flag->value == NULL)
        return FAY_ARGS_FLAG;
    if (*rest == '\0')
        return take_value(args, flag, err);
    args->value = *rest == '=' ? rest + 1 : rest;
    return FAY_ARGS_FLAG;
}

int fay_args_next(fay_args *args, fay_error *err)
{
    if (args->cluster != NULL)
        return next_letter(args, err);
    if (args->dashes || args->at >= args->argc)
        return FAY_ARGS_END;

    const char *word = args->argv[args->at++];
    if (strcmp(word, "--") == 0) {
        args->dashes = true;
        return FAY_ARGS_END;
    }
    if (strncmp(word, "--", 2) == 0)
        return next_long(args, word + 2, err);
    bool number = args->numbers && (word[1] == '.' || (word[1] >= '0' && word[1] <= '9'));
    if (word[0] == '-' && word[1] != '\0' && !number) {
        args->cluster = word + 1;
        return next_letter(args, err);
    }
    args->value = word;
    return FAY_ARGS_WORD;
}

int fay_args_number(const char *flag, const char *text, uint64_t least, uint64_t most,
                    fay_error *err, uint64_t *ret)
{
    char *end = NULL;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    bool digits = text[0] >= '0' && text[0] <= '9'; /* no sign, no space */
    if (!digits || *end != '\0' || errno != 0 || number < least || number > most) {
        return fay_fail_with(err, FAY_E_INVAL,
                             "'%s' takes a number from %llu to %llu, not '%.100s'", flag,
                             (unsigned long long)least, (unsigned long long)most, text);
    }
    *ret = number;
    return 0;
}
