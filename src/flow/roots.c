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
    assert(root->open == 0);
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

void fay_roots_close(fay_roots *roots, uint64_t number)
{
    fay_page *page = find(roots, number);
    assert(page != NULL && page->open > 0);
    fay_root *root = &page->roots[number % FAY_PAGE_ROOTS];
    assert(root->open == 0 && root->held == NULL);
    roots->open--;
    if (--page->open > 0 || page == roots->newest) /* more of the newest page may be opened */
        return;
    page_drop(roots, page);
}
