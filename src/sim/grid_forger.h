/* SPDX-License-Identifier: MIT */
/*
 * A member that means ill. Its Grid works as all others do; beside that it says on its links what
 * it likes: it can sign as itself alone.
 *
 *     records of others, changed, or with a signature of its own; BYE of others; accusations in the
 *     name of others; its own accusations of everybody, in all roles, of present and of past lives;
 *     "gone" without a reason; lives that never were; garbage; requests to dial others; CRLs that
 *     there are not
 */
#ifndef FAY_SIM_GRID_FORGER_H
#define FAY_SIM_GRID_FORGER_H

#include "sim/grid_net.h"

/* Says one such thing on one of its links. */
void fay_sim_forge(fay_net *net, uint32_t forger);

#endif /* FAY_SIM_GRID_FORGER_H */
