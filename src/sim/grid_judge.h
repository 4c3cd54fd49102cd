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

#endif /* FAY_SIM_GRID_JUDGE_H */
