/* SPDX-License-Identifier: MIT */
#include "sim/eq_agenda.h"

#include <stdlib.h>

void fay_eq_agenda_deinit(fay_eq_agenda *agenda)
{
    free(agenda->heap);
    *agenda = (fay_eq_agenda){0};
}

static bool before(const fay_eq_event *a, const fay_eq_event *b)
{
    return a->time < b->time || (a->time <= b->time && a->order < b->order);
}

void fay_eq_agenda_add(fay_eq_agenda *agenda, fay_eq_event event)
{
    FAY_RESERVE(agenda->heap, agenda->capacity, agenda->count + 1);
    event.order = agenda->added++;
    size_t at = agenda->count++;
    while (at > 0 && before(&event, &agenda->heap[(at - 1) / 2])) {
        agenda->heap[at] = agenda->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    agenda->heap[at] = event;
}

bool fay_eq_agenda_take(fay_eq_agenda *agenda, fay_eq_event *ret)
{
    if (agenda->count == 0)
        return false;
    *ret = agenda->heap[0];
    fay_eq_event last = agenda->heap[--agenda->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < agenda->count; at = child) {
        if (child + 1 < agenda->count && before(&agenda->heap[child + 1], &agenda->heap[child]))
            child++;
        if (!before(&agenda->heap[child], &last))
            break;
        agenda->heap[at] = agenda->heap[child];
    }
    agenda->heap[at] = last;
    return true;
}
