/* SPDX-License-Identifier: MIT */
/* The controllers of the benchmark, by name, in the order of its tables. */
#ifndef FAY_SIM_EQ_CONTROLLERS_H
#define FAY_SIM_EQ_CONTROLLERS_H

#include "sim/eq_controller.h"

enum {
    FAY_EQ_CONTROLLERS_MAX = 16
};

extern const fay_eq_controller fay_eq_faymora; /* eq_faymora.c: the one that is judged */

size_t fay_eq_controllers_count(void);
const fay_eq_controller *fay_eq_controller_at(size_t index); /* the oracle is the first */
/* The oracle, and the controller that is judged: they take part always. */
bool fay_eq_controller_always(size_t index);

#endif /* FAY_SIM_EQ_CONTROLLERS_H */
