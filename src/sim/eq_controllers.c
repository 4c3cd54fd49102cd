/* SPDX-License-Identifier: MIT */
#include "sim/eq_controllers.h"

#include <assert.h>

#include "sim/eq_baselines.h"
#include "sim/eq_oracle.h"

static const struct entry {
    const fay_eq_controller *controller;
    bool always;
} entries[] = {
    {&fay_eq_oracle, true},   {&fay_eq_faymora, true}, {&fay_eq_naive, false}, {&fay_eq_hpa, false},
    {&fay_eq_knative, false}, {&fay_eq_ds2, false},    {&fay_eq_flink, false},
};
static_assert(FAY_COUNT(entries) <= FAY_EQ_CONTROLLERS_MAX, "all of them may take part at once");

size_t fay_eq_controllers_count(void)
{
    return FAY_COUNT(entries);
}

const fay_eq_controller *fay_eq_controller_at(size_t index)
{
    assert(index < FAY_COUNT(entries));
    return entries[index].controller;
}

bool fay_eq_controller_always(size_t index)
{
    assert(index < FAY_COUNT(entries));
    return entries[index].always;
}
