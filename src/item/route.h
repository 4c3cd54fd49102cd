/* SPDX-License-Identifier: MIT */
/*
 * Where an Item goes when it leaves a stage (or the source): fan-out copies, merges and `when:`.
 *
 *     Of the stages that read from here, those without `when` take a copy each. Of those with one,
 *     each whose test is true takes a copy; if none is, the stage with `when: else` takes it; if
 *     there is none, it goes past them: to whom they feed, by the same rule. No stage gets two
 *     copies. Whoever feeds nobody feeds the sink.
 *
 * Pure; shared by the owner (source Items) and the Instances (children).
 */
#ifndef FAY_ROUTE_H
#define FAY_ROUTE_H

#include "base/base.h"
#include "wire/block.h"

typedef struct fay_router fay_router;

/*
 * whens[i]: the test of stage i, "" = none, "else". feeds[i]: bit n = stage i feeds stage n, and
 * FAY_TARGET_SINK; feeds[count] is what the source feeds. NULL with err set if a test is wrong.
 */
fay_router *fay_router_new(const char *const *whens, const uint64_t *feeds, size_t count,
                           fay_error *err);
void fay_router_free(fay_router *router);

/* Whether Items that leave `from` (a stage, or `count` for the source) must be looked at at all; if
 * not, their targets are always fay_router_all(). */
bool fay_router_tests(const fay_router *router, size_t from);
uint64_t fay_router_all(const fay_router *router, size_t from);
uint64_t fay_router_targets(const fay_router *router, size_t from, const uint8_t *attrs,
                            size_t attrs_size, const uint8_t *data, size_t data_size);
/* Every target that an Item that leaves `from` may ever have. */
uint64_t fay_router_possible(const fay_router *router, size_t from);

#endif /* FAY_ROUTE_H */
