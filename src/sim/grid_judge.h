/* SPDX-License-Identifier: MIT */
/*
 * What must hold in a Grid, seen from outside; a breach ends the program with the seed. By the
 * numbers of the design:
 *
 *     1  boot, inc and state of an entry never go back; nobody but its owner raises boot and inc
 *     2  after ten quiet seconds all live tables are equal, and the live Nodes hang together
 *     3  everybody has two observers; nobody dead is believed alive
 *     4  one observer alone has nobody declared dead; nobody live is dead when all is quiet
 *     5  a life that was gone does not come back
 *     6  links are known at both ends; nobody has too many, once all is quiet
 *     7  refutations are never dropped: else tables would differ after slow readers and stalls (2)
 *     8  a change costs each link one message at most (fay_sim_judge_cost)
 */
#ifndef FAY_SIM_GRID_JUDGE_H
#define FAY_SIM_GRID_JUDGE_H

#include "sim/grid_net.h"

/* 2, 3, 4, 6: of a Grid that has been left alone. */
void fay_sim_judge(const fay_net *net);

/* 8: so many messages for so many changes among `alive` Nodes. */
void fay_sim_judge_cost(const fay_net *net, uint64_t messages, uint64_t changes);

/* What was seen of a Grid the last time. */
typedef struct fay_sim_seen fay_sim_seen;

fay_sim_seen *fay_sim_seen_new(const fay_net *net);
void fay_sim_seen_free(fay_sim_seen *seen);
/* 1, 5: all the time. */
void fay_sim_judge_progress(const fay_net *net, fay_sim_seen *seen);
/* 4: of a Node that has just found that one dead. */
void fay_sim_judge_verdict(const fay_net *net, const fay_sim_seen *seen, uint32_t node,
                           const fay_node_id *id);

#endif /* FAY_SIM_GRID_JUDGE_H */
