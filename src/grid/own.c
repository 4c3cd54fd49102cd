/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "grid/internal.h"

static uint8_t *copy_of(const void *bytes, size_t size)
{
    uint8_t *copy = fay_alloc(size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

void fay_grid_own_init(fay_grid *grid, const fay_grid_config *config)
{
    assert(strlen(config->name) <= FAY_GRID_NAME_MAX);
    assert(strlen(config->address) <= FAY_GRID_ADDRESS_MAX);
    grid->name = fay_strdup(config->name);
    grid->address = fay_strdup(config->address);
    grid->own = (fay_grid_record){
        .id = config->id,
        .boot = config->boot,
        .name = {(const uint8_t *)grid->name, strlen(grid->name)},
        .address = {(const uint8_t *)grid->address, strlen(grid->address)},
    };
    memcpy(grid->own.tls_key, config->tls_key, FAY_KEY_HASH_SIZE);
    memcpy(grid->own.certification, config->certification, FAY_KEY_HASH_SIZE);
    fay_grid_own_meta(grid, config->meta, config->meta_size);
}

void fay_grid_own_free(fay_grid *grid)
{
    free(grid->name);
    free(grid->address);
    free(grid->meta);
    free(grid->drafts);
}

void fay_grid_own_meta(fay_grid *grid, const uint8_t *meta, size_t size)
{
    assert(size <= FAY_GRID_META_MAX);
    uint8_t *copy = copy_of(meta, size);
    free(grid->meta);
    grid->meta = copy;
    grid->own.meta = (fay_grid_bytes){copy, size};
    grid->own_dirty = true;
}

void fay_grid_own_certified(fay_grid *grid, const uint8_t *certification)
{
    if (memcmp(grid->own.certification, certification, FAY_KEY_HASH_SIZE) == 0)
        return;
    memcpy(grid->own.certification, certification, FAY_KEY_HASH_SIZE);
    grid->own_dirty = true;
}

void fay_grid_own_refute(fay_grid *grid, bool proven)
{
    if (grid->own.bye)
        return;
    grid->refute = true;
    grid->hurry = grid->hurry || proven;
    grid->own_dirty = true;
}

/* ---- signing --------------------------------------------------------------------------------- */

fay_draft *fay_grid_draft(fay_grid *grid, fay_statement kind)
{
    FAY_RESERVE(grid->drafts, grid->drafts_capacity, grid->drafts_count + 1);
    fay_draft *fresh = &grid->drafts[grid->drafts_count++];
    memset(fresh, 0, sizeof *fresh);
    fresh->token = grid->next_token++;
    fresh->kind = kind;
    return fresh;
}

void fay_grid_ask_signature(fay_grid *grid, uint64_t token, const fay_buffer *text)
{
    fay_grid_action *action = fay_grid_act(grid, FAY_GRID_SIGN);
    action->token = token;
    action->bytes = fay_grid_lend(grid, fay_buffer_data(text), fay_buffer_size(text));
}

fay_ns fay_grid_own_due(const fay_grid *grid)
{
    if (!grid->own_dirty || grid->signing)
        return FAY_NEVER;
    bool later = grid->self == NULL || grid->self->boot != grid->own.boot;
    bool now = grid->hurry || grid->leaving || later;
    return now ? 0 : grid->own_at + grid->params.record_gap;
}

void fay_grid_own_step(fay_grid *grid, fay_ns now)
{
    if (now < fay_grid_own_due(grid))
        return;
    if (grid->self != NULL)
        grid->own.seq++;
    if (grid->refute && grid->own.inc < FAY_GRID_INC_MAX)
        grid->own.inc++;
    grid->own.bye = grid->leaving;
    grid->own_dirty = false;
    grid->refute = false;
    grid->hurry = false;
    grid->signing = true;
    fay_draft *fresh = fay_grid_draft(grid, FAY_STATEMENT_RECORD);
    fresh->record = grid->own;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_record_signed(&fresh->record, &text);
    fay_grid_ask_signature(grid, fresh->token, &text);
}

static void ask_anew(fay_grid *grid, fay_draft *draft)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    draft->token = grid->next_token++;
    if (draft->kind == FAY_STATEMENT_ACCUSATION) {
        draft->accusation.observer_boot = grid->own.boot;
        fay_accusation_signed(&draft->accusation, &text);
    } else {
        draft->rumor.id.boot = grid->own.boot;
        fay_rumor_signed(&draft->rumor, &text);
    }
    fay_grid_ask_signature(grid, draft->token, &text);
}

void fay_grid_own_reboot(fay_grid *grid, uint64_t boot, const uint8_t *certification)
{
    grid->own.boot = boot;
    grid->own.inc = 0;
    grid->own.seq = 0;
    memcpy(grid->own.certification, certification, FAY_KEY_HASH_SIZE);
    grid->signing = false;
    grid->own_dirty = true;
    size_t kept = 0;
    for (size_t i = 0; i < grid->drafts_count; i++) {
        if (grid->drafts[i].kind != FAY_STATEMENT_RECORD)
            grid->drafts[kept++] = grid->drafts[i];
    }
    grid->drafts_count = kept;
    for (size_t i = 0; i < kept; i++) {
        ask_anew(grid, &grid->drafts[i]);
    }
}

void fay_grid_accuse(fay_grid *grid, fay_ns now, fay_grid_member *member, fay_evidence evidence,
                     fay_observer_role role)
{
    bool gone = fay_member_gone(fay_member_state_of(member));
    if (gone || now < grid->accuse_after || grid->self == NULL || member == grid->self ||
        fay_member_charge_by(member, &grid->own.id) != NULL)
        return;
    fay_draft *fresh = fay_grid_draft(grid, FAY_STATEMENT_ACCUSATION);
    fresh->accusation = (fay_grid_accusation){.target = member->id,
                                              .boot = member->boot,
                                              .inc = member->inc,
                                              .observer = grid->own.id,
                                              .observer_boot = grid->own.boot,
                                              .n = ++grid->accusations,
                                              .evidence = evidence,
                                              .role = role};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_accusation_signed(&fresh->accusation, &text);
    fay_grid_ask_signature(grid, fresh->token, &text);
}

/* ---- signed ---------------------------------------------------------------------------------- */

static void publish_record(fay_grid *grid, fay_ns now, const fay_grid_record *signed_record)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bytes = {0};
    fay_record_write(signed_record, &bytes);
    fay_grid_record read;
    int status = fay_record_parse(fay_buffer_data(&bytes), fay_buffer_size(&bytes), &read);
    assert(status == 0);
    bool first = grid->self == NULL;
    fay_member_state was = first ? FAY_ALIVE : fay_member_state_of(grid->self);
    if (!first)
        fay_grid_refuted(grid, now, grid->self, &read);
    int merged = fay_members_merge_record(&grid->members, now, &read, &grid->self);
    assert(merged == FAY_MERGE_NEW);
    grid->signing = false;
    grid->own_at = now;
    fay_grid_changed(grid, grid->self, was, first);
    fay_grid_tell(grid, grid->self, NULL);
}

static void publish_accusation(fay_grid *grid, fay_ns now, const fay_grid_accusation *said)
{
    fay_grid_member *member = fay_members_find(&grid->members, &said->target);
    if (member == NULL)
        return;
    fay_member_state was = fay_member_state_of(member);
    bool counts = !fay_grid_is_muted(grid, now, said);
    if (fay_members_merge_accusation(&grid->members, now, said, counts) != FAY_MERGE_NEW)
        return; /* refuted meanwhile */
    fay_grid_changed(grid, member, was, false);
    fay_grid_tell(grid, member, NULL);
    fay_grid_suspect(grid, member);
}

static void publish(fay_grid *grid, fay_ns now, fay_draft *ready, const uint8_t *signature)
{
    switch (ready->kind) {
    case FAY_STATEMENT_RECORD:
    case FAY_STATEMENT_BYE:
        memcpy(ready->record.signature, signature, FAY_SIGNATURE_SIZE);
        publish_record(grid, now, &ready->record);
        break;
    case FAY_STATEMENT_ACCUSATION:
        memcpy(ready->accusation.signature, signature, FAY_SIGNATURE_SIZE);
        publish_accusation(grid, now, &ready->accusation);
        break;
    case FAY_STATEMENT_RUMOR:
        memcpy(ready->rumor.signature, signature, FAY_SIGNATURE_SIZE);
        fay_grid_broadcast_signed(grid, now, &ready->rumor);
        break;
    }
}

void fay_grid_signed(fay_grid *grid, fay_ns now, uint64_t token, const uint8_t *bytes, size_t size)
{
    assert(size == FAY_SIGNATURE_SIZE);
    for (size_t i = 0; i < grid->drafts_count; i++) {
        if (grid->drafts[i].token != token)
            continue;
        fay_draft ready = grid->drafts[i];
        grid->drafts_count--;
        memmove(&grid->drafts[i], &grid->drafts[i + 1],
                (grid->drafts_count - i) * sizeof grid->drafts[0]);
        publish(grid, now, &ready, bytes);
        free(ready.payload);
        return;
    }
}
