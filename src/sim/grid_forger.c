/* SPDX-License-Identifier: MIT */
#include "sim/grid_forger.h"

#include <string.h>

#include "grid/message.h"
#include "sim/grid_keys.h"

typedef struct forgery {
    fay_net *net;
    const fay_net_node *forger;
    const fay_grid_member *victim; /* in its table; has a record, is not itself */
    fay_node_id other;             /* a third one */
    fay_buffer message;
} forgery;

/* ---- whom, and where ------------------------------------------------------------------------- */

static const fay_grid_member *draw_victim(fay_net *net, const fay_net_node *forger)
{
    const fay_grid_member *drawn = NULL;
    uint64_t seen = 0;
    FAY_EACH_MEMBER(member, fay_grid_members(forger->grid))
    {
        bool fits = member->record != NULL && !fay_node_id_same(&member->id, &forger->id);
        if (fits && fay_sim_below(&net->world, ++seen) == 0)
            drawn = member;
    }
    return drawn;
}

/* A connection of its that is up; 0 = none. */
static uint64_t draw_link(fay_net *net, const fay_net_node *forger)
{
    uint64_t drawn = 0, seen = 0;
    for (size_t i = 0; i < forger->conns_count; i++) {
        const fay_net_conn *conn = &net->conns[forger->conns[i] - 1];
        bool open = conn->up[0] && conn->up[1] && !conn->over[0] && !conn->over[1];
        if (open && fay_sim_below(&net->world, ++seen) == 0)
            drawn = forger->conns[i];
    }
    return drawn;
}

/* ---- what ------------------------------------------------------------------------------------ */

static void sign_as_itself(const forgery *f, const fay_buffer *text, uint8_t *ret)
{
    fay_grid_bytes bytes = {fay_buffer_data(text), fay_buffer_size(text)};
    fay_sim_sign(f->forger->certification, bytes, ret);
}

/* BUNDLES of one: a record, whether it is gone, at most one accusation. */
static void say_bundle(forgery *f, const fay_grid_record *record, bool gone,
                       const fay_grid_accusation *said)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer statement = {0};
    fay_record_write(record, &statement);
    fay_write8(&f->message, FAY_GRID_BUNDLES);
    fay_write16(&f->message, (uint16_t)fay_buffer_size(&statement));
    fay_buffer_append(&f->message, fay_buffer_data(&statement), fay_buffer_size(&statement));
    fay_write32(&f->message, gone);
    fay_write8(&f->message, said != NULL);
    if (said != NULL)
        fay_accusation_write(said, &f->message);
}

/* Later than the true one, and with a signature that is no good for it. */
static void forge_record(forgery *f)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_grid_record record = *f->victim->record;
    uint64_t which = fay_sim_below(&f->net->world, 4);
    record.seq += which == 0;
    record.inc += which == 1;
    record.boot += which == 2;
    record.bye = which == 3;
    if (fay_sim_chance(&f->net->world, 0.5))
        memcpy(record.certification, f->forger->certification, sizeof record.certification);
    if (fay_sim_chance(&f->net->world, 0.8)) {
        fay_record_signed(&record, &text);
        sign_as_itself(f, &text, record.signature);
    }
    say_bundle(f, &record, record.bye, NULL);
}

static fay_grid_accusation accusation(forgery *f, const fay_node_id *observer, uint64_t boot)
{
    bool neighbour = fay_sim_chance(&f->net->world, 0.5);
    return (fay_grid_accusation){.target = f->victim->id,
                                 .boot = f->victim->boot,
                                 .inc = f->victim->inc,
                                 .observer = *observer,
                                 .observer_boot = boot,
                                 .n = (uint32_t)fay_prng_next(&f->net->world.prng),
                                 .evidence = FAY_EVIDENCE_REFUSED,
                                 .role = neighbour ? FAY_OBSERVER_NEIGHBOUR : FAY_OBSERVER_AUDITOR};
}

static void say_accusation(forgery *f, fay_grid_accusation *said)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_accusation_signed(said, &text);
    sign_as_itself(f, &text, said->signature);
    say_bundle(f, f->victim->record, fay_sim_chance(&f->net->world, 0.3), said);
}

static void accuse_itself(forgery *f)
{
    fay_grid_accusation said = accusation(f, &f->forger->id, f->forger->boot);
    if (fay_sim_chance(&f->net->world, 0.2) && said.inc > 0)
        said.inc--; /* refuted already */
    say_accusation(f, &said);
}

static void accuse_as_another(forgery *f)
{
    fay_grid_accusation said = accusation(f, &f->other, 1 + f->forger->boot);
    const fay_grid_member *other = fay_members_find(fay_grid_members(f->forger->grid), &f->other);
    if (other == NULL || other == f->victim)
        return;
    said.observer_boot = other->boot;
    say_accusation(f, &said);
}

static void say_gone(forgery *f)
{
    say_bundle(f, f->victim->record, true, NULL);
}

static void say_versions(forgery *f)
{
    fay_write8(&f->message, FAY_GRID_VERSIONS);
    for (size_t i = 0; i < FAY_BUCKET_BITS; i++) {
        fay_write8(&f->message, fay_sim_chance(&f->net->world, 0.5) ? 255 : 0);
    }
    fay_buffer_append(&f->message, f->victim->id.bytes, sizeof f->victim->id.bytes);
    uint64_t more = fay_sim_chance(&f->net->world, 0.5) ? 0 : fay_prng_next(&f->net->world.prng);
    fay_write64(&f->message, f->victim->boot + (more >> fay_sim_below(&f->net->world, 64)));
    fay_write32(&f->message, f->victim->inc + (uint32_t)fay_sim_below(&f->net->world, 3));
    fay_write32(&f->message, 0);
    fay_write8(&f->message, 1);
}

static void ask_to_dial(forgery *f)
{
    fay_write8(&f->message, FAY_GRID_RELAY);
    fay_buffer_append(&f->message, f->victim->id.bytes, sizeof f->victim->id.bytes);
}

static void say_crl(forgery *f)
{
    fay_heartbeat beat = {.wished = true,
                          .hash = fay_prng_next(&f->net->world.prng),
                          .crl = fay_prng_next(&f->net->world.prng)};
    fay_write8(&f->message, FAY_GRID_HEARTBEAT);
    fay_heartbeat_write(&beat, &f->message);
}

static void say_garbage(forgery *f)
{
    for (uint64_t size = 1 + fay_sim_below(&f->net->world, 100); size > 0; size--) {
        fay_write8(&f->message, (uint8_t)fay_sim_below(&f->net->world, 256));
    }
}

void fay_sim_forge(fay_net *net, uint32_t forger)
{
    static void (*const forgeries[])(forgery *) = {
        forge_record, forge_record, accuse_itself, accuse_itself, accuse_itself, accuse_as_another,
        say_gone,     say_versions, ask_to_dial,   say_crl,       say_garbage};
    forgery f = {.net = net, .forger = &net->nodes[forger]};
    f.victim = draw_victim(net, f.forger);
    f.other = net->nodes[fay_sim_below(&net->world, net->ids)].id;
    uint64_t link = draw_link(net, f.forger);
    if (f.victim == NULL || link == 0)
        return;
    forgeries[fay_sim_below(&net->world, FAY_COUNT(forgeries))](&f);
    fay_grid_bytes bytes = {fay_buffer_data(&f.message), fay_buffer_size(&f.message)};
    if (bytes.size > 0)
        fay_net_forge(net, forger, link, bytes);
    fay_buffer_deinit(&f.message);
}
