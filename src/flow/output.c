/* SPDX-License-Identifier: MIT */
/*
 * Output: what a root has for the sink and the dead letters. Without a journal it goes out at once.
 * With one it is held until the root is complete (rule 5), so that a root that is done again after
 * the owner's death cannot be in the sink twice; beyond `held_bytes` it waits in a spool.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "flow/internal.h"

void fay_flow_unspool(fay_flow *flow, fay_spool *spool)
{
    assert(spool->refs > 0);
    if (--spool->refs > 0)
        return;
    fay_flow_act(flow, FAY_FLOW_UNSPOOL)->spool = spool->id;
    free(spool);
}

void fay_flow_write(fay_flow *flow, fay_batch *batch, size_t at, size_t count)
{
    fay_flow_act_items(flow, FAY_FLOW_WRITE, batch, at, count);
    flow->sink_items += count;
    flow->sink_bytes += fay_batch_weight(batch, at, count);
    flow->totals.written += count;
}

static void write_spool(fay_flow *flow, fay_spool *spool, uint64_t items)
{
    fay_flow_action *action = fay_flow_act(flow, FAY_FLOW_WRITE_SPOOL);
    action->spool = spool->id;
    action->items = items;
    flow->sink_items += items;
    flow->totals.written += items;
}

static void send_letter(fay_flow *flow, const fay_piece *piece)
{
    fay_flow_act_items(flow, FAY_FLOW_LETTER, piece->batch, piece->at, 1);
    fay_flow_action *action = &flow->actions[flow->actions_count - 1];
    action->stage = piece->stage;
    fay_flow_act_note(flow, action, piece->note, piece->note_size);
}

/* Lets one piece of output go: to the sink or the dead letters. */
static void emit(fay_flow *flow, const fay_piece *piece)
{
    switch (piece->kind) {
    case FAY_PIECE_BATCH: fay_flow_write(flow, piece->batch, piece->at, piece->count); break;
    case FAY_PIECE_SPOOL:
        write_spool(flow, piece->spool, piece->counts[FAY_TARGET_SINK_BIT]);
        break;
    case FAY_PIECE_LETTER: send_letter(flow, piece); break;
    }
}

void fay_flow_release_piece(fay_flow *flow, fay_pieces *pieces, fay_piece *piece)
{
    if (piece->spool != NULL)
        fay_flow_unspool(flow, piece->spool);
    piece->spool = NULL;
    fay_pieces_remove(pieces, piece);
}

/* Moves the batches of the list that are in memory into a spool, behind what is spooled already. */
void fay_flow_spill(fay_flow *flow, fay_pieces *pieces)
{
    fay_piece *spooled = NULL;
    fay_piece *piece;
    fay_piece *next;
    TAILQ_FOREACH_SAFE(piece, pieces, link, next)
    {
        if (piece->kind == FAY_PIECE_SPOOL)
            spooled = piece;
        if (piece->kind != FAY_PIECE_BATCH)
            continue;
        if (spooled == NULL) {
            spooled = fay_alloc(sizeof *spooled);
            spooled->kind = FAY_PIECE_SPOOL;
            spooled->spool = fay_alloc(sizeof *spooled->spool);
            *spooled->spool = (fay_spool){.id = ++flow->next_spool, .refs = 1};
            spooled->counts = fay_alloc(FAY_TARGETS * sizeof *spooled->counts);
            TAILQ_INSERT_BEFORE(piece, spooled, link);
        }
        fay_flow_act_items(flow, FAY_FLOW_SPILL, piece->batch, piece->at, piece->count);
        fay_flow_action *action = &flow->actions[flow->actions_count - 1];
        action->spool = spooled->spool->id;
        uint64_t *targets = fay_alloc(piece->count * sizeof *targets);
        for (size_t i = 0; i < piece->count; i++) {
            targets[i] = piece->targets != NULL ? piece->targets[i] : piece->mask;
            FAY_EACH_BIT(bit, targets[i])
            {
                spooled->counts[bit]++;
            }
        }
        action->targets = targets;
        fay_flow_lend(flow, targets);
        spooled->count += piece->count;
        fay_pieces_remove(pieces, piece);
    }
}

/* Output of a root: at once, or held until the root is complete. */
static fay_pieces *held_list(fay_flow *flow, fay_root *root)
{
    if (!flow->config.journal)
        return NULL;
    if (root->held == NULL) {
        root->held = fay_alloc(sizeof *root->held);
        TAILQ_INIT(root->held);
    }
    return root->held;
}

static void hold_batch(fay_flow *flow, fay_pieces *held, fay_batch *batch, size_t at, size_t count)
{
    fay_piece *piece = fay_pieces_add_batch(held, batch, at, count, NULL, FAY_TARGET_SINK);
    flow->held_bytes += piece->weight;
    if (flow->held_bytes <= flow->config.held_bytes)
        return;
    TAILQ_FOREACH (piece, held, link) {
        if (piece->kind == FAY_PIECE_BATCH)
            flow->held_bytes -= piece->weight;
    }
    fay_flow_spill(flow, held);
}

void fay_flow_output(fay_flow *flow, fay_root *root, fay_batch *batch, size_t at, size_t count)
{
    fay_pieces *held = held_list(flow, root);
    if (held != NULL) {
        hold_batch(flow, held, batch, at, count);
    } else {
        fay_flow_write(flow, batch, at, count);
    }
}

void fay_flow_output_spool(fay_flow *flow, fay_root *root, const fay_piece *spooled)
{
    fay_pieces *held = held_list(flow, root);
    if (held == NULL) {
        write_spool(flow, spooled->spool, spooled->counts[FAY_TARGET_SINK_BIT]);
        return;
    }
    fay_piece *piece = fay_alloc(sizeof *piece);
    piece->kind = FAY_PIECE_SPOOL;
    piece->spool = spooled->spool;
    piece->spool->refs++;
    piece->counts = fay_alloc(FAY_TARGETS * sizeof *piece->counts);
    piece->counts[FAY_TARGET_SINK_BIT] = spooled->counts[FAY_TARGET_SINK_BIT];
    piece->count = spooled->count;
    TAILQ_INSERT_TAIL(held, piece, link);
}

void fay_flow_letter(fay_flow *flow, fay_stage *stage, fay_batch *batch, size_t at,
                     const uint8_t *note, size_t note_size)
{
    fay_root *root = fay_roots_get(&flow->roots, batch->entries[at].root);
    fay_pieces *held = held_list(flow, root);
    fay_pieces now;
    TAILQ_INIT(&now);
    fay_piece *piece =
        fay_pieces_add_letter(held != NULL ? held : &now, batch, at, stage->index, note, note_size);
    flow->totals.dead++;
    if (held != NULL) {
        flow->held_bytes += piece->weight;
        return;
    }
    emit(flow, piece);
    fay_pieces_remove(&now, piece);
}

/* What was held of a root that is done is written, and it is closed. */
static void close_root(fay_flow *flow, uint64_t number)
{
    fay_root *root = fay_roots_get(&flow->roots, number);
    if (root->held != NULL) {
        fay_piece *piece;
        while ((piece = TAILQ_FIRST(root->held)) != NULL) {
            if (piece->kind != FAY_PIECE_SPOOL)
                flow->held_bytes -= piece->weight;
            emit(flow, piece);
            fay_flow_release_piece(flow, root->held, piece);
        }
        free(root->held);
        root->held = NULL;
    }
    uint64_t end = root->end;
    fay_roots_close(&flow->roots, number);
    fay_flow_commit_root(flow, number, end);
}

void fay_flow_complete(fay_flow *flow, uint64_t number)
{
    bool in_turn = flow->config.journal && flow->ordered != 0;
    fay_group *group;
    flow->finished++;
    if (!fay_roots_finish(&flow->roots, number, in_turn, &group))
        return;
    if (group == NULL) {
        close_root(flow, number);
        return;
    }
    for (size_t i = 0; i < group->count; i++) {
        close_root(flow, group->list[i]);
    }
    fay_group_free(group);
}
