/* SPDX-License-Identifier: MIT */
/* What must hold in a Grid that has been left alone for ten seconds. */
#ifndef FAY_SIM_GRID_JUDGE_H
#define FAY_SIM_GRID_JUDGE_H

#include "sim/grid_net.h"

/* All live tables say the same: who lives is alive, who does not is gone. */
void fay_sim_judge_tables(const fay_net *net);
/* Links are known at both ends, not too many, and make one piece of all live Nodes. */
void fay_sim_judge_links(const fay_net *net);
/* Everybody has two observers at least, as far as there are others. */
void fay_sim_judge_observers(const fay_net *net);

/* What each Node held of each member when it was last looked at. */
typedef struct fay_sim_held {
    uint64_t life; /* of the Node that held it: its boot */
    uint64_t boot;
    uint32_t inc;
    fay_member_state state;
} fay_sim_held;

/* Nothing has gone back since the last time: boot, inc, and within these the state. `held` has
 * nodes x nodes entries, zeroed at first. */
void fay_sim_judge_progress(const fay_net *net, fay_sim_held *held);

#endif /* FAY_SIM_GRID_JUDGE_H */
