/* SPDX-License-Identifier: MIT */
/*
 * A Grid that has two links, and on these messages from anybody: the input is a list of
 * u8 link and what to do, u16 size, bytes. Whatever comes, what one Node can see of its invariants
 * holds after each step (fay_grid_check), and what it sends is within the limits (asserted there).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "grid/grid.h"
#include "wire/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const fay_node_id ids[3] = {{"me"}, {"first"}, {"second"}};

static void step(fay_grid *grid, fay_ns now, bool ok)
{
    static const uint8_t signature[FAY_SIGNATURE_SIZE];
    fay_grid_actions actions;
    for (int rounds = 0; rounds < 8; rounds++) {
        fay_grid_step(grid, now, &actions);
        size_t count = actions.count;
        FAY_CLEANUP(fay_freep) fay_grid_event *answers = fay_alloc(count * sizeof *answers);
        for (size_t i = 0; i < count; i++) {
            fay_grid_action_kind kind = actions.items[i].kind;
            answers[i] = (fay_grid_event){.token = actions.items[i].token,
                                          .bytes = signature,
                                          .size = sizeof signature,
                                          .ok = ok};
            answers[i].kind = kind == FAY_GRID_SIGN ? FAY_GRID_SIGNED : FAY_GRID_VERIFIED;
            if (kind != FAY_GRID_SIGN && kind != FAY_GRID_VERIFY)
                answers[i].kind = FAY_GRID_HEARD; /* of no link: nothing */
        }
        for (size_t i = 0; i < count; i++) {
            (void)fay_grid_feed(grid, now, &answers[i]);
        }
    }
    fay_grid_check(grid, now);
}

static void up(fay_grid *grid, fay_ns now, uint64_t link)
{
    fay_grid_event event = {.kind = FAY_GRID_UP, .link = link, .id = &ids[link], .boot = 1};
    (void)fay_grid_feed(grid, now, &event);
}

static fay_grid *make(fay_ns now)
{
    static const uint8_t digest[FAY_DIGEST_SIZE];
    fay_grid_config config = {.id = ids[0],
                              .boot = 1,
                              .tls_key = digest,
                              .certification = digest,
                              .name = "me",
                              .address = "me:1"};
    fay_grid_params_lan(&config.params);
    fay_grid *grid = fay_grid_new(&config, now);
    step(grid, now, true);
    up(grid, now, 1);
    up(grid, now, 2);
    step(grid, now, true);
    return grid;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fay_ns now = 20 * FAY_SECOND;
    fay_grid *grid = make(now);
    fay_reader r = fay_reader_of(data, size);
    for (int messages = 0; messages < 32 && r.at < r.end; messages++) {
        uint8_t how = fay_read8(&r);
        size_t length = fay_read16(&r);
        const uint8_t *bytes = fay_read_raw(&r, length);
        if (bytes == NULL)
            break;
        fay_grid_event event = {
            .kind = FAY_GRID_MESSAGE, .link = 1 + how % 2, .bytes = bytes, .size = length};
        if (fay_grid_feed(grid, now, &event) != 0) {
            event.kind = FAY_GRID_DOWN;
            (void)fay_grid_feed(grid, now, &event);
        }
        step(grid, now, (how & 2) == 0);
        now += (fay_ns)(how >> 2) * 10 * FAY_MS;
        step(grid, now, (how & 2) == 0);
    }
    fay_grid_free(grid);
    return 0;
}
