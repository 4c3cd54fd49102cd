/* SPDX-License-Identifier: MIT */
#include "cli/reach.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/host_port.h"
#include "base/texts.h"
#include "control/sockets.h"
#include "item/json.h"

static bool take_flag(fay_reach *reach, fay_cli *cli, bool (*take)(fay_cli *cli, void *context),
                      void *context)
{
    switch (cli->args.key) {
    case FAY_REACH_NAME: reach->name = cli->args.value; return true;
    case FAY_REACH_STATE_DIR: reach->state = cli->args.value; return true;
    default: return take != NULL && take(cli, context);
    }
}

static bool take_word(fay_cli *cli, const char **words, size_t most, size_t *count)
{
    const char *word = cli->args.value;
    if (*count == most) {
        (void)fay_cli_misuse(cli, "'%.100s' is one word too many", word);
        return false;
    }
    if (!fay_utf8_valid(word, strlen(word))) {
        (void)fay_cli_misuse(cli, "a word behind '%s' is not UTF-8", cli->command->name);
        return false;
    }
    words[(*count)++] = word;
    return true;
}

bool fay_reach_parse(fay_reach *reach, fay_cli *cli, const char **words, size_t most,
                     bool (*take)(fay_cli *cli, void *context), void *context)
{
    size_t count = 0;
    int r;
    reach->cli = cli;
    while ((r = fay_cli_next(cli)) > 0) {
        bool good = r == FAY_ARGS_FLAG ? take_flag(reach, cli, take, context)
                                       : take_word(cli, words, most, &count);
        if (!good)
            return false;
    }
    if (r == FAY_ARGS_END && cli->args.at < cli->args.argc) {
        (void)fay_cli_misuse(cli, "'%s' takes no command behind --", cli->command->name);
        return false;
    }
    return r == FAY_ARGS_END;
}

/* ---- who ------------------------------------------------------------------------------------- */

static int usage(fay_error *err, const char *text, const char *where)
{
    (void)fay_fail_with(err, FAY_E_INVAL, "%s is HOST:PORT, or several with commas, not '%.100s'",
                        where, text);
    return FAY_EXIT_USAGE;
}

/* NULL: one of them is no HOST:PORT. */
static char **split(const char *text)
{
    char **list = NULL;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        char *word = fay_strndup(at, length);
        bool good = fay_host_port_valid(word);
        fay_texts_push(&list, word);
        if (!good) {
            fay_texts_free(list);
            return NULL;
        }
        at += length;
        if (*at == '\0')
            return list;
    }
}

static int load_identity(fay_reach *reach, fay_error *err)
{
    int exit = fay_cli_tls(reach->cli, &reach->settings);
    if (exit != 0)
        return exit;
    int r = fay_identity_load(&reach->settings, FAY_NEEDS_CLIENT, (int64_t)time(NULL),
                              &reach->identity, err);
    return r < 0 ? FAY_EXIT_TLS : 0;
}

static int open_grid(fay_reach *reach, const char *text, const char *where, fay_error *err)
{
    char **addresses = split(text);
    if (addresses == NULL)
        return usage(err, text, where);
    int exit = load_identity(reach, err);
    if (exit == 0) {
        fay_client_error why = {0};
        reach->client =
            fay_client_open_grid(addresses, &reach->identity, fay_cli_timeout(reach->cli), &why);
        if (reach->client == NULL) {
            *err = why.error;
            exit = why.exit;
        }
    }
    fay_texts_free(addresses);
    return exit;
}

static int open_local(fay_reach *reach, fay_error *err)
{
    fay_client_error why = {0};
    FAY_CLEANUP(fay_freep) char *directory = fay_sockets_directory(reach->state);
    reach->client = fay_client_open_local(directory, reach->name, &why);
    if (reach->client != NULL)
        return 0;
    *err = why.error;
    return why.exit;
}

static int open_any(fay_reach *reach, fay_error *err)
{
    bool local = reach->name != NULL || reach->state != NULL;
    const char *variable = fay_cli_variable(NULL, "FAYMORA_GRID");
    if (reach->cli->grid != NULL && local) {
        (void)fay_fail_with(err, FAY_E_INVAL,
                            "'--grid' calls a Node by its address, '--name' and "
                            "'--state-dir' one on this machine: take one of them");
        return FAY_EXIT_USAGE;
    }
    if (reach->cli->grid != NULL)
        return open_grid(reach, reach->cli->grid, "'--grid'", err);
    if (!local && variable != NULL && variable[0] != '\0')
        return open_grid(reach, variable, "FAYMORA_GRID", err);
    return open_local(reach, err);
}

static int say(int exit, const fay_error *err)
{
    return exit == 0 || err->message[0] == '\0' ? exit : fay_cli_fail(err, exit);
}

int fay_reach_open(fay_reach *reach, fay_error *err)
{
    fay_error own = {0};
    int exit = open_any(reach, err != NULL ? err : &own);
    return say(exit, &own);
}

int fay_reach_dial(fay_reach *reach, const char *address, fay_error *err)
{
    fay_error own = {0};
    int exit = open_grid(reach, address, "an address", err != NULL ? err : &own);
    return say(exit, &own);
}

void fay_reach_close(fay_reach *reach)
{
    fay_client_close(reach->client);
    fay_identity_deinit(&reach->identity);
    fay_tls_settings_deinit(&reach->settings);
}

/* ---- what is said ---------------------------------------------------------------------------- */

int fay_reach_fail(const fay_client_error *why)
{
    return fay_cli_fail(&why->error, why->exit);
}

json_t *fay_reach_call(fay_reach *reach, const char *verb, json_t *args, int *ret_exit)
{
    fay_client_error why = {0};
    json_t *result = fay_client_call(reach->client, verb, args, fay_cli_timeout(reach->cli), &why);
    if (result == NULL)
        *ret_exit = fay_reach_fail(&why);
    return result;
}

int fay_reach_print_json(const json_t *value)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_json_append_value(&text, (json_t *)(uintptr_t)value); // NOLINT: it only reads
    fay_buffer_append_text(&text, "\n");
    return fay_cli_print(&text);
}

int fay_reach_print_answer(json_t *answer)
{
    json_t *whole = json_pack("{s:i}", "schema", 1);
    (void)json_object_update(whole, answer);
    int exit = fay_reach_print_json(whole);
    json_decref(whole);
    return exit;
}

char *fay_reach_text(const json_t *object, const char *name)
{
    const char *said = json_string_value(json_object_get(object, name));
    if (said == NULL)
        return NULL;
    char *text = fay_strdup(said);
    fay_text_tame(text);
    return text;
}
