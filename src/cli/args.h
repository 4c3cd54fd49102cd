/* SPDX-License-Identifier: MIT */
/*
 * The words of a command line, one by one: flags with their values, and plain words.
 *
 *     faymora run -j 4 --input=a.txt p.yaml -- grep -v x
 *                 flag flag          word   |  whose words these are is for the command to say
 *
 * glibc's argp is what the house style names. It is not used because it writes its own messages and
 * its own help: here an unknown flag names the one that was meant, a flag of a later version is
 * refused as such, help begins with examples, and the same tables make the completion.
 *
 * Flags and words may be mixed. "-0q" is -0 and -q, "-j4" is -j 4; where numbers go, "-1.5" is
 * a word. What stands behind `--` is not looked at.
 */
#ifndef FAY_ARGS_H
#define FAY_ARGS_H

#include "base/base.h"

/* A table ends with {0}. */
typedef struct fay_flag {
    const char *name;  /* without "--" */
    char letter;       /* 0 = none */
    int key;           /* what the command switches on; not 0 */
    const char *value; /* what it takes, as help shows it; NULL = nothing */
    const char *help;
} fay_flag;

typedef struct fay_args {
    char **argv;
    int argc;
    int at; /* the next word */
    /* Searched in this order. A command's own flag hides a global one of the same name. */
    const fay_flag *own, *global; /* NULL = none */
    bool numbers;                 /* "-1.5" is a word */
    const char *cluster;          /* what is left of "-0q" */
    bool dashes;                  /* `--` was met: argv[at] is the first word behind it */
    /* What was met last. */
    int key;           /* FLAG */
    bool global_flag;  /* FLAG: it is of the table `global` */
    const char *value; /* FLAG: its value, or NULL; WORD: the word */
} fay_args;

enum {
    FAY_ARGS_END = 0,
    FAY_ARGS_FLAG = 1,
    FAY_ARGS_WORD = 2
};

/* One of the above; or FAY_E_INVAL with `err` saying what is wrong with which word. */
int fay_args_next(fay_args *args, fay_error *err);

/* Whether a flag of a later version has this name (without "--"). */
bool fay_args_is_later(const char *name);

/* A number without sign in [least, most]: 0, or FAY_E_INVAL with err naming `flag`. */
int fay_args_number(const char *flag, const char *text, uint64_t least, uint64_t most,
                    fay_error *err, uint64_t *ret);

#endif /* FAY_ARGS_H */
