/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "grid/internal.h"

fay_grid_action *fay_grid_act(fay_grid *grid, fay_grid_action_kind kind)
{
    if (grid->actions_given)
        fay_grid_actions_clear(grid);
    FAY_RESERVE(grid->actions, grid->actions_capacity, grid->actions_count + 1);
    fay_grid_action *action = &grid->actions[grid->actions_count++];
    memset(action, 0, sizeof *action);
    action->kind = kind;
    return action;
}

fay_grid_bytes fay_grid_lend(fay_grid *grid, const void *bytes, size_t size)
{
    uint8_t *copy = fay_alloc(size);
    memcpy(copy, bytes, size);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
    FAY_RESERVE(grid->lent, grid->lent_capacity, grid->lent_count + 1);
    grid->lent[grid->lent_count++] = copy;
    return (fay_grid_bytes){copy, size};
}

void fay_grid_actions_clear(fay_grid *grid)
{
    for (size_t i = 0; i < grid->lent_count; i++) {
        free(grid->lent[i]);
    }
    grid->lent_count = 0;
    grid->actions_count = 0;
    grid->actions_given = false;
}

void fay_grid_send_to(fay_grid *grid, uint64_t link, fay_grid_message kind,
                      const fay_buffer *payload)
{
    size_t size = payload != NULL ? fay_buffer_size(payload) : 0;
    assert(size <= fay_grid_message_max(kind));
    fay_grid_action *action = fay_grid_act(grid, FAY_GRID_SEND);
    action->link = link;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer message = {0};
    fay_write8(&message, (uint8_t)kind);
    if (size > 0)
        fay_buffer_append(&message, fay_buffer_data(payload), size);
    action->bytes = fay_grid_lend(grid, fay_buffer_data(&message), size + 1);
}

void fay_grid_send(fay_grid *grid, const fay_grid_link *link, fay_grid_message kind,
                   const fay_buffer *payload)
{
    fay_grid_send_to(grid, link->number, kind, payload);
}

void fay_grid_close(fay_grid *grid, uint64_t link)
{
    fay_grid_act(grid, FAY_GRID_CLOSE)->link = link;
}
