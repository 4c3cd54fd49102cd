/* SPDX-License-Identifier: MIT */
/*
 * Another one of this very Node: a clone of its state directory, or what is left in the tables of
 * an earlier start whose state is lost.
 *
 *     told of a boot of ours, no less than the present one, that we have not made
 *         '--> DIAL where it says that it is, expecting our own id
 *                 |-- a later one answers: REPLACED; of two the one with the lower boot stops
 *                 '-- nobody, or it is us: REBOOT with a higher boot yet, and REBOOTED
 *
 * Of two that can reach each other one stops, since but one of them has the lower boot. Two that
 * cannot, but hear of each other through others, take boots in turn; the first that has done so
 * `taken_max` times stops.
 *
 * A stub has no record that could prove anything (members.h). It counts all the same, since else a
 * Node whose clock has jumped back could not come back for a day; but not for much, and not often.
 */
#include <string.h>

#include "grid/internal.h"

static const unsigned taken_max = 3;
static const fay_ns taken_for = 60 * FAY_SECOND, hearsay_gap = 3600 * FAY_SECOND;

static void stop(fay_grid *grid, uint64_t boot)
{
    if (grid->replaced)
        return;
    grid->replaced = true;
    fay_grid_action *action = fay_grid_act(grid, FAY_GRID_REPLACED);
    action->boot = boot;
    action->address = fay_grid_lend(grid, grid->twin.address, grid->twin.address_size);
}

/* ---- told of --------------------------------------------------------------------------------- */

void fay_grid_twin_told(fay_grid *grid, fay_ns now, const fay_grid_record *record)
{
    fay_twin *twin = &grid->twin;
    const fay_grid_bytes *there = &record->address, *here = &grid->own.address;
    if (record->boot < grid->own.boot || record->boot <= twin->told)
        return;
    twin->told = record->boot;
    twin->proven = true;
    twin->address_size = there->size;
    memcpy(twin->address, there->bytes, there->size);
    bool same = there->size == here->size && memcmp(there->bytes, here->bytes, here->size) == 0;
    if (!same && !record->bye)
        fay_grid_contact_twin(grid, now, *there);
}

void fay_grid_twin_hearsay(fay_grid *grid, fay_ns now, const fay_member_version *version)
{
    fay_twin *twin = &grid->twin;
    bool later = version->boot > grid->own.boot ||
                 (version->boot == grid->own.boot && version->inc > grid->own.inc);
    if (!later || !version->gone || version->boot <= twin->told || now < twin->hearsay_due ||
        version->boot - grid->own.boot > FAY_GRID_BOOT_LEAP)
        return;
    twin->hearsay_due = now + hearsay_gap;
    twin->told = version->boot;
}

void fay_grid_twin_met(fay_grid *grid, const fay_grid_event *up)
{
    const fay_grid_record *own = &grid->own;
    if (up->boot == grid->twin.asked)
        return; /* the driver is ahead of us */
    int order = up->boot < own->boot ? -1 : up->boot > own->boot;
    if (order == 0 && up->size == sizeof own->certification)
        order = memcmp(up->bytes, own->certification, up->size);
    if (order > 0)
        stop(grid, up->boot);
}

/* ---- a boot of our own again ----------------------------------------------------------------- */

static bool is_asked(const fay_grid *grid)
{
    const fay_twin *twin = &grid->twin;
    return twin->told >= grid->own.boot && twin->asked == 0 && !grid->replaced && !grid->leaving &&
           !fay_grid_contacts_twin(grid);
}

/* Whether we have given way to others too often in a short time. */
static bool is_duel(fay_twin *twin, fay_ns now)
{
    if (!twin->proven)
        return false;
    if (now >= twin->taken_at + taken_for)
        twin->taken = 0;
    if (twin->taken == 0)
        twin->taken_at = now;
    return twin->taken++ >= taken_max;
}

void fay_grid_twin_step(fay_grid *grid, fay_ns now)
{
    fay_twin *twin = &grid->twin;
    if (!is_asked(grid))
        return;
    if (twin->told >= FAY_GRID_BOOT_MAX || is_duel(twin, now)) {
        stop(grid, twin->told);
        return;
    }
    twin->proven = false;
    twin->asked = twin->told + 1;
    fay_grid_act(grid, FAY_GRID_REBOOT)->boot = twin->asked;
}

fay_ns fay_grid_twin_due(const fay_grid *grid)
{
    return is_asked(grid) ? 0 : FAY_NEVER;
}

/* Links were made in the name of the boot before. */
void fay_grid_twin_rebooted(fay_grid *grid, fay_ns now, const fay_grid_event *event)
{
    if (event->boot != grid->twin.asked || event->boot == 0)
        return;
    grid->twin.asked = 0;
    fay_grid_own_reboot(grid, event->boot, event->bytes);
    FAY_EACH_LINK(link, grid)
    {
        fay_grid_link_quit(grid, link);
    }
    grid->rewish_due = now;
    grid->rewish_by = now;
}
