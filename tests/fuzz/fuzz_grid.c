/* SPDX-License-Identifier: MIT */
/*
 * A Grid that has two links, and on these messages from anybody: the input is a list of
 * u8 link and what to do, u16 size, bytes. A byte of 255 is something else that happens: u8 which,
 * and a number. Whatever comes, what one Node can see of its invariants holds after each step
 * (fay_grid_check), and what it sends is within the limits (asserted there).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "grid/grid.h"
#include "wire/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    SOMETHING_ELSE = 255
};

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
                                          .boot = actions.items[i].boot,
                                          .dial = actions.items[i].dial,
                                          .evidence = FAY_EVIDENCE_REFUSED,
                                          .bytes = signature,
                                          .size = sizeof signature,
                                          .ok = ok};
            answers[i].kind = kind == FAY_GRID_SIGN ? FAY_GRID_SIGNED : FAY_GRID_VERIFIED;
            if (kind == FAY_GRID_REBOOT) {
                answers[i].kind = FAY_GRID_REBOOTED;
                answers[i].size = FAY_KEY_HASH_SIZE;
            } else if (kind == FAY_GRID_DIAL && !ok) {
                answers[i].kind = FAY_GRID_FAILED;
            } else if (kind != FAY_GRID_SIGN && kind != FAY_GRID_VERIFY) {
                answers[i].kind = FAY_GRID_HEARD; /* of no link: nothing */
            }
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
    static const uint8_t digest[FAY_KEY_HASH_SIZE];
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

/* What may happen beside messages; a link that is up again when it was lost. */
static void happen(fay_grid *grid, fay_ns now, uint64_t at, fay_reader *r)
{
    static const fay_grid_event_kind kinds[] = {
        FAY_GRID_UP,   FAY_GRID_DOWN,     FAY_GRID_FAILED, FAY_GRID_STATUS,    FAY_GRID_CRL,
        FAY_GRID_META, FAY_GRID_REBOOTED, FAY_GRID_LATE,   FAY_GRID_BROADCAST, FAY_GRID_LEAVE};
    static const uint8_t bytes[FAY_KEY_HASH_SIZE] = {1};
    uint8_t what = fay_read8(r), which = fay_read8(r);
    uint64_t number = fay_read64(r);
    fay_grid_event event = {.kind = kinds[what % FAY_COUNT(kinds)],
                            .link = 1 + which % 2,
                            .dial = which / 2,
                            .id = &ids[which % FAY_COUNT(ids)],
                            .boot = number % FAY_GRID_BOOT_MAX + 1,
                            .number = number,
                            .ns = number % FAY_SECOND,
                            .evidence = FAY_EVIDENCE_SILENT,
                            .bytes = bytes,
                            .size = which % (FAY_KEY_HASH_SIZE + 1)};
    if (event.kind == FAY_GRID_UP)
        event.link = 3 + at; /* never used before */
    (void)fay_grid_feed(grid, now, &event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fay_ns now = 20 * FAY_SECOND;
    fay_grid *grid = make(now);
    fay_reader r = fay_reader_of(data, size);
    for (int messages = 0; messages < 32 && r.at < r.end; messages++) {
        uint8_t how = fay_read8(&r);
        if (how == SOMETHING_ELSE) {
            happen(grid, now, (uint64_t)messages, &r);
            step(grid, now, true);
            continue;
        }
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
