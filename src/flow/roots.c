/* SPDX-License-Identifier: MIT */
#include "flow/roots.h"

#include <assert.h>
#include <stdlib.h>

/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc): of uthash */
static fay_page *page_find(const fay_roots *roots, uint64_t key)
{
    fay_page *page;
    HASH_FIND(hh, roots->pages, &key, sizeof key, page);
    return page;
}

static fay_page *page_new(fay_roots *roots, uint64_t key)
{
    fay_page *page = fay_alloc(sizeof *page);
    page->number = key;
    HASH_ADD(hh, roots->pages, number, sizeof page->number, page);
    return page;
}

static void leave_groups(fay_page *page)
{
    for (size_t i = 0; i < FAY_PAGE_ROOTS; i++) {
        fay_group *group = page->roots[i].group;
        if (group != NULL && --group->count == 0)
            fay_group_free(group);
    }
}

static void page_drop(fay_roots *roots, fay_page *page)
{
    if (roots->current == page)
        roots->current = NULL;
    HASH_DEL(roots->pages, page);
    free(page);
}

void fay_roots_deinit(fay_roots *roots)
{
    while (roots->pages != NULL) {
        leave_groups(roots->pages);
        page_drop(roots, roots->pages);
    }
    *roots = (fay_roots){0};
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */

static fay_page *find(fay_roots *roots, uint64_t number)
{
    uint64_t key = number / FAY_PAGE_ROOTS;
    if (roots->current != NULL && roots->current->number == key)
        return roots->current;
    fay_page *page = roots->newest;
    if (page == NULL || page->number != key)
        page = page_find(roots, key);
    if (page != NULL)
        roots->current = page;
    return page;
}

fay_root *fay_roots_open(fay_roots *roots, uint64_t number, uint64_t end)
{
    uint64_t key = number / FAY_PAGE_ROOTS;
    fay_page *page = roots->newest;
    assert(page == NULL || page->number <= key);
    if (page == NULL || page->number != key) {
        if (page != NULL && page->open == 0)
            page_drop(roots, page);
        page = roots->newest = page_new(roots, key);
    }
    fay_root *root = &page->roots[number % FAY_PAGE_ROOTS];
    assert(root->open == 0 && root->group == NULL);
    *root = (fay_root){.open = 1, .end = end};
    page->open++;
    roots->open++;
    return root;
}

fay_root *fay_roots_get(fay_roots *roots, uint64_t number)
{
    fay_page *page = find(roots, number);
    assert(page != NULL);
    return &page->roots[number % FAY_PAGE_ROOTS];
}

/* ---- groups ---------------------------------------------------------------------------------- */

void fay_group_free(fay_group *group)
{
    free(group->list);
    free(group);
}

static void group_add(fay_group *group, uint64_t number)
{
    FAY_RESERVE(group->list, group->capacity, group->count + 1);
    group->list[group->count++] = number;
}

static fay_group *group_of(fay_roots *roots, uint64_t number)
{
    fay_root *root = fay_roots_get(roots, number);
    if (root->group == NULL) {
        root->group = fay_alloc(sizeof *root->group);
        root->group->unfinished = root->open > 0;
        group_add(root->group, number);
    }
    return root->group;
}

fay_group *fay_roots_tie(fay_roots *roots, uint64_t a, uint64_t b)
{
    if (a == b)
        return fay_roots_get(roots, a)->group;
    fay_group *large = group_of(roots, a);
    fay_group *small = group_of(roots, b);
    if (large == small)
        return large;
    if (large->count < small->count) {
        fay_group *other = large;
        large = small;
        small = other;
    }
    for (size_t i = 0; i < small->count; i++) { /* the fewer: each moves log(all) times at most */
        fay_roots_get(roots, small->list[i])->group = large;
        group_add(large, small->list[i]);
    }
    large->unfinished += small->unfinished;
    if (roots->queue == small)
        roots->queue = large;
    fay_group_free(small);
    return large;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Everything of the group is done: its roots are in the order of their numbers, and in no group. */
static void dissolve(fay_roots *roots, fay_group *group)
{
    if (roots->queue == group)
        roots->queue = NULL;
    qsort(group->list, group->count, sizeof *group->list, by_number);
    for (size_t i = 0; i < group->count; i++) {
        fay_roots_get(roots, group->list[i])->group = NULL;
    }
    roots->waiting -= group->count;
}

bool fay_roots_finish(fay_roots *roots, uint64_t number, bool in_turn, fay_group **ret_group)
{
    const fay_root *root = fay_roots_get(roots, number);
    fay_group *group = root->group;
    assert(root->open == 0);
    *ret_group = NULL;
    if (group != NULL)
        group->unfinished--;
    if (in_turn && roots->queue != NULL)
        group = fay_roots_tie(roots, number, roots->queue->list[0]);
    if (group == NULL)
        return true;
    roots->waiting++;
    if (group->unfinished > 0) {
        if (in_turn)
            roots->queue = group;
        return false;
    }
    dissolve(roots, group);
    *ret_group = group;
    return true;
}

void fay_roots_close(fay_roots *roots, uint64_t number)
{
    fay_page *page = find(roots, number);
    assert(page != NULL && page->open > 0);
    fay_root *root = &page->roots[number % FAY_PAGE_ROOTS];
    assert(root->open == 0 && root->held == NULL && root->group == NULL);
    roots->open--;
    if (--page->open > 0 || page == roots->newest) /* more of the newest page may be opened */
        return;
    page_drop(roots, page);
}
