/* SPDX-License-Identifier: MIT */
#include "flow/view.h"

const char *fay_rule_name(fay_rule rule)
{
    static const char *const names[] = {
        [FAY_RULE_NONE] = "",
        [FAY_RULE_WAKING] = "waking",
        [FAY_RULE_LEARNING] = "learning",
        [FAY_RULE_LOAD] = "load",
        [FAY_RULE_BACKLOG] = "backlog",
        [FAY_RULE_LONG_ITEMS] = "long_items",
        [FAY_RULE_STANDING] = "standing_queue",
        [FAY_RULE_SHARE] = "share",
        [FAY_RULE_IDLE] = "idle",
        [FAY_RULE_OVER_CAP] = "over_cap",
    };
    return names[rule];
}
