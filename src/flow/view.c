/* SPDX-License-Identifier: MIT */
#include "flow/view.h"

typedef struct word {
    const char *name, *meaning;
} word;

static const word rules[] = {
    [FAY_RULE_NONE] = {.name = "", .meaning = ""},
    [FAY_RULE_WAKING] = {.name = "waking", .meaning = "nobody is there"},
    [FAY_RULE_LEARNING] = {.name = "learning",
                           .meaning =
                               "nothing is done yet: the root of those that wait, as a guess"},
    [FAY_RULE_LOAD] = {.name = "load", .meaning = ""},
    [FAY_RULE_BACKLOG] = {.name = "backlog", .meaning = ""},
    [FAY_RULE_LONG_ITEMS] = {.name = "long_items", .meaning = "one starts sooner than one is free"},
    [FAY_RULE_STANDING] = {.name = "standing_queue", .meaning = "the queue stands all the same"},
    [FAY_RULE_SHARE] = {.name = "share", .meaning = ""},
    [FAY_RULE_IDLE] = {.name = "idle", .meaning = ""},
    [FAY_RULE_OVER_CAP] = {.name = "over_cap", .meaning = ""},
};

static const word helds[] = {[FAY_HELD_NONE] = {"", ""},
#define FAY_X(id, meaning) [FAY_HELD_##id] = {#id, meaning},
                             FAY_HELD_WORDS(FAY_X)
#undef FAY_X
};

const char *fay_rule_name(fay_rule rule)
{
    return rules[rule].name;
}

const char *fay_rule_meaning(fay_rule rule)
{
    return rules[rule].meaning;
}

const char *fay_held_name(fay_held held)
{
    return helds[held].name;
}

const char *fay_held_meaning(fay_held held)
{
    return helds[held].meaning;
}
