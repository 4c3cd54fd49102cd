/* SPDX-License-Identifier: MIT */
/*
 * What is simulated of a Grid, and what the design wants of it.
 *
 *     grid_scenes.c    one thing happens to a Grid at rest: how fast it is known
 *     grid_trials.c    things go wrong: what must hold
 */
#ifndef FAY_SIM_GRID_SCENES_H
#define FAY_SIM_GRID_SCENES_H

#include "sim/grid_run.h"

enum {
    FAY_SIM_SIZES = 4 /* targets are for up to 10, 100, 1000 and more Nodes */
};

typedef struct fay_sim_scene {
    const char *name, *what;
    void (*run)(fay_sim_run *run);
    double p50[FAY_SIM_SIZES], p99[FAY_SIM_SIZES]; /* 0 = none */
    bool is_long;                                  /* one of `long`, not of `all`: hours */
    uint32_t nodes_min, nodes_max;                 /* 0 = as many as there can be */
    uint32_t clones;
} fay_sim_scene;

extern const fay_sim_scene fay_sim_scenes[];
extern const size_t fay_sim_scenes_count;

/* ---- grid_trials.c --------------------------------------------------------------------------- */

void fay_sim_trial_alone(fay_sim_run *run);
void fay_sim_trial_split(fay_sim_run *run);
void fay_sim_trial_split_20_minutes(fay_sim_run *run);
void fay_sim_trial_split_3_hours(fay_sim_run *run);
void fay_sim_trial_split_25_hours(fay_sim_run *run);
void fay_sim_trial_freeze(fay_sim_run *run);
void fay_sim_trial_day(fay_sim_run *run);
void fay_sim_trial_lost(fay_sim_run *run);
void fay_sim_trial_clone(fay_sim_run *run);
void fay_sim_trial_forge(fay_sim_run *run);

#endif /* FAY_SIM_GRID_SCENES_H */
