/* SPDX-License-Identifier: MIT */
/*
 * The clairvoyant controller that all others are measured against: it knows the load, every service
 * law and the future, and orders, one spawn latency ahead, the fewest workers with which an Item
 * waits longer than W* = T/2 once in a hundred times. What it has too many it retires at once.
 *
 *     P(wait > W*) = C(c, R) exp(-(c - R) / s * W* * 2 / (1 + cv^2))  <= 1 %
 *
 * C is Erlang's formula of waiting in M/M/c (Erlang, 1917), the exponent's last factor the
 * correction of Allen and Cunneen for other service laws (Bolch et al., "Queueing Networks and
 * Markov Chains", 2006, section 6.14).
 */
#ifndef FAY_SIM_EQ_ORACLE_H
#define FAY_SIM_EQ_ORACLE_H

#include "sim/eq_trace.h"

/* The fewest workers for Items that come at a rate and take `mean` each; 0 if none come. */
size_t fay_eq_staff(double rate, double mean, double cv);
/* What a stage would need at a time. */
size_t fay_eq_staffed(const fay_eq_trace *trace, size_t stage, double time);

extern const fay_eq_controller fay_eq_oracle;

#endif /* FAY_SIM_EQ_ORACLE_H */
