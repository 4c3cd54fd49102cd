/* SPDX-License-Identifier: MIT */
/*
 * What commands share that call a Node: which one, and how.
 *
 *     --grid H:P[,..]                     any Node of the Grid, over TLS: the first that answers
 *     --name NAME, --state-dir DIR        the Node of that name on this machine
 *     neither: FAYMORA_GRID, as --grid;   else the only Node on this machine
 */
#ifndef FAY_REACH_H
#define FAY_REACH_H

#include "cli/cli.h"
#include "control/client.h"

enum { /* beside the keys of a command's own flags */
    FAY_REACH_NAME = 1001,
    FAY_REACH_STATE_DIR
};

/* To be rows of the command's flags. */
#define FAY_REACH_FLAGS                                                                            \
    {"name", 0, FAY_REACH_NAME, "NAME", "call the Node of that name on this machine"},             \
    {                                                                                              \
        "state-dir", 0, FAY_REACH_STATE_DIR, "DIR", "where its control socket is"                  \
    }

typedef struct fay_reach {
    const fay_cli *cli;
    const char *name, *state; /* NULL = not said */
    fay_tls_settings settings;
    fay_identity identity;
    fay_client *client;
} fay_reach;

/*
 * Walks through the arguments: takes the flags above, up to `most` words (the others stay NULL),
 * and gives the command's own flags to `take` (NULL = it has none; it returns false when its value
 * is wrong, and that is said). Words are UTF-8. false: return cli->exit.
 */
bool fay_reach_parse(fay_reach *reach, fay_cli *cli, const char **words, size_t most,
                     bool (*take)(fay_cli *cli, void *context), void *context);

/* 0 with reach->client; or the exit code, and an error is printed. `err` not NULL: not printed, but
 * put there. */
int fay_reach_open(fay_reach *reach, fay_error *err);
/* As above, to one address. */
int fay_reach_dial(fay_reach *reach, const char *address, fay_error *err);
void fay_reach_close(fay_reach *reach);

/* Prints it; its exit code. */
int fay_reach_fail(const fay_client_error *why);

/* Calls, and prints why there is no result: NULL with the exit code. */
json_t *fay_reach_call(fay_reach *reach, const char *verb, json_t *args, int *ret_exit);

/* A value as one line of JSON: 0, or the exit code. */
int fay_reach_print_json(const json_t *value);
/* Likewise an object, with "schema":1 before what it says. */
int fay_reach_print_answer(json_t *answer);
/* The text of a member with nothing in it that a terminal would act on; NULL: it is no text. free()
 * it. */
char *fay_reach_text(const json_t *object, const char *name);

#endif /* FAY_REACH_H */
