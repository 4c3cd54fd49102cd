/* SPDX-License-Identifier: MIT */
/*
 * The inside of a Grid, shared by the files that compose it and by nobody else:
 *
 *     grid.c        the life of a Grid, events to their places, deadline
 *     links.c       links that are up: wished or not, heartbeats, silence
 *     contacts.c    links that shall be: whom to dial and when, what a failure means
 *     tell.c        bundles that go out; statements that come in, until they are merged
 *     own.c         what this Node says: its record, its accusations, BYE
 *     twin.c        another one of this very Node
 *     suspects.c    accusations that count, relays, verdicts
 *     sync.c        tables that differ
 *     gossip.c      rumors: broadcasts of the driver
 *     actions.c     the list of what shall be done
 */
#ifndef FAY_GRID_INTERNAL_H
#define FAY_GRID_INTERNAL_H

#include "base/prng.h"
#include "grid/grid.h"
#include "grid/message.h"
#include "grid/overlay.h"
#include "grid/refutations.h"
#include "grid/rumors.h"
#include "grid/suspicion.h"

/* A link that is up. Its slot is its bit in fay_grid_member.unsent. */
typedef struct fay_grid_link {
    uint64_t number; /* the driver's; 0 = the slot is free */
    fay_node_id id;
    uint64_t boot;
    bool dialled;                   /* by this Node */
    bool wished;                    /* the overlay of this Node wishes it */
    bool wished_there, told_wished; /* the peer said so; what we said last */
    bool was_wished;                /* by either end, once; else it was dialled to ask or to tell */
    bool greeted;                   /* its first heartbeat has come */
    bool leaving;                   /* it said DONE or BYE: its end means nothing */
    fay_ns up_at, heard_at;
    fay_ns beat_due;          /* the next heartbeat of ours */
    fay_ns unwanted;          /* since when neither end wishes it; FAY_NEVER */
    fay_ns told_at;           /* the last message with bundles */
    fay_grid_member **unsent; /* those that have our bit */
    size_t unsent_count, unsent_capacity;
    unsigned differs; /* heartbeats with another hash, in a row */
    uint64_t behind;  /* the number of its CRL that the driver was told of */
    uint8_t status[FAY_GRID_STATUS_MAX];
    size_t status_size;
} fay_grid_link;

enum {
    FAY_ALONE_DIALS = 3 /* times as many at once, while there is no link at all */
};

/* Why a member is dialled. */
typedef enum fay_contact_why {
    FAY_CONTACT_NEIGHBOUR, /* the overlay wishes it: dialled until it is linked or gone */
    FAY_CONTACT_AUDIT,     /* at random, or because a neighbour of its asked: once */
    FAY_CONTACT_GONE,      /* it may be back, or it was us who were away: once */
    FAY_CONTACT_SEED,      /* an address, whoever is there: until the Grid is found */
    FAY_CONTACT_TWIN,      /* an address where another one of this very Node may be: once */
} fay_contact_why;

typedef struct fay_contact {
    fay_contact_why why;
    fay_node_id id; /* but for SEED */
    char *address;  /* SEED and TWIN; else that of the member's record */
    bool permanent; /* a SEED of the config, not one that a member has sent us to */
    uint64_t dial;  /* under way; 0 = none */
    fay_ns due;     /* the next dial; FAY_NEVER while one is under way */
    unsigned failures;
    bool lost;          /* was linked, and it ended without a word: the first failure accuses */
    fay_ns stalled_due; /* it accuses, although the dial goes on; FAY_NEVER */
} fay_contact;

/* A suspect, until it is dead or has refuted. */
typedef struct fay_suspect {
    fay_grid_member *member;
    size_t observers;
    fay_suspicion suspicion;
    fay_ns relay_due; /* when to ask others to dial it; FAY_NEVER: it is not we who accuse it */
    fay_ns ask_due;   /* when to ask the suspect itself, since nothing has come of it */
} fay_suspect;

/* A statement of this Node that is being signed. */
typedef struct fay_draft {
    uint64_t token;
    fay_statement kind; /* which of these; a BYE is a record */
    fay_grid_accusation accusation;
    fay_grid_record record;
    fay_rumor_said rumor;
    uint8_t *payload; /* of the rumor, owned */
} fay_draft;

/* A rumor that is being verified. */
typedef struct fay_hearsay {
    uint64_t token, link;
    uint8_t *bytes; /* of the statement */
    fay_rumor_said said;
} fay_hearsay;

/* A bundle whose statements are being verified. */
typedef struct fay_pending {
    uint64_t token; /* of its record; those of the accusations follow */
    uint64_t link;  /* where it came from */
    uint8_t *bytes; /* of the record's statement */
    fay_bundle bundle;
    uint32_t asked, undecided, good; /* bit 0: the record; bit n + 1: accusation n */
    UT_hash_handle hh;
} fay_pending;

/* What is known of others of this very Node. */
typedef struct fay_twin {
    uint64_t told; /* the highest boot of ours that we have not made; 0 = none */
    bool proven;   /* by its signature */
    uint8_t address[FAY_GRID_ADDRESS_MAX]; /* where it says that it is */
    size_t address_size;
    uint64_t asked; /* the boot of a REBOOT that is under way; 0 = none */
    unsigned taken; /* boots, since then: */
    fay_ns taken_at;
    fay_ns hearsay_due; /* what is not proven counts again */
} fay_twin;

struct fay_grid {
    fay_grid_params params;
    fay_prng prng;
    fay_members members;
    fay_overlay overlay;
    fay_refutations refutations;
    fay_grid_member *self; /* NULL until its first record is signed */
    fay_grid_record own;   /* what we say of ourselves; texts are owned */
    char *name, *address;
    uint8_t *meta;
    fay_twin twin;
    uint8_t status[FAY_GRID_STATUS_MAX]; /* what heartbeats carry for the driver */
    size_t status_size;
    uint64_t crl;   /* the number of the CRL that it goes by */
    bool own_dirty; /* a new record is needed */
    bool refute;    /* of another inc */
    bool hurry;     /* at once */
    bool signing, leaving, left, replaced;
    fay_ns own_at; /* the last one */
    uint32_t accusations;
    uint64_t broadcasts; /* said by this Node, in this boot */
    fay_rumors rumors;
    fay_hearsay hearsay[FAY_GRID_HEARSAY_MAX];
    size_t hearsay_count;

    fay_grid_link *links;          /* FAY_GRID_LINKS_MAX slots */
    size_t links_count, links_end; /* that are up; behind the last of these */
    fay_contact *contacts;
    size_t contacts_count, contacts_capacity, dials;
    fay_suspect *suspects;
    size_t suspects_count, suspects_capacity;
    fay_draft *drafts;
    size_t drafts_count, drafts_capacity;
    fay_pending *pending;
    uint64_t next_token, next_dial;

    uint64_t generation;          /* of the members, that the overlay has seen */
    fay_ns rewish_due, rewish_by; /* FAY_NEVER: the wishes are those of the table */
    fay_ns audit_due, recontact_due, seed_due;
    fay_ns doubt_due;         /* the next one who is held for gone is told; FAY_NEVER */
    unsigned patience;        /* times as long that we wait for others: it may be our fault */
    fay_ns patience_due;      /* one less */
    fay_ns accuse_after;      /* nobody before */
    fay_ns begun_at, late_at; /* a failed handshake says nothing of others shortly after these */
    fay_ns silent_at;         /* the first of some links that fell silent together */
    unsigned silent_count;
    fay_ns refused_at; /* the last port that was found shut: the network works; FAY_NEVER */

    fay_grid_action *actions;
    size_t actions_count, actions_capacity;
    void **lent; /* memory behind the actions */
    size_t lent_count, lent_capacity;
    bool actions_given;
};

/* Each that is up; it may be ended meanwhile. */
/* NOLINTBEGIN(bugprone-macro-parentheses): `link` is declared here */
#define FAY_EACH_LINK(link, grid)                                                                  \
    for (fay_grid_link *link = fay_grid_next_link((grid), 0); link != NULL;                        \
         link = fay_grid_next_link((grid), (size_t)(link - (grid)->links) + 1))
/* NOLINTEND(bugprone-macro-parentheses) */

/* ---- actions.c ------------------------------------------------------------------------------- */

fay_grid_action *fay_grid_act(fay_grid *grid, fay_grid_action_kind kind);
/* A copy of these bytes that lives as long as the list. */
fay_grid_bytes fay_grid_lend(fay_grid *grid, const void *bytes, size_t size);
void fay_grid_actions_clear(fay_grid *grid);
/* SEND: the message's kind, and a payload; NULL = none. */
void fay_grid_send_to(fay_grid *grid, uint64_t link, fay_grid_message kind,
                      const fay_buffer *payload);
void fay_grid_close(fay_grid *grid, uint64_t link);
void fay_grid_send(fay_grid *grid, const fay_grid_link *link, fay_grid_message kind,
                   const fay_buffer *payload);

/* ---- links.c --------------------------------------------------------------------------------- */

fay_grid_link *fay_grid_next_link(const fay_grid *grid, size_t from); /* NULL = no more */
fay_grid_link *fay_grid_link_by_number(const fay_grid *grid, uint64_t number);
fay_grid_link *fay_grid_link_to(const fay_grid *grid, const fay_node_id *id); /* NULL = none */
void fay_grid_link_up(fay_grid *grid, fay_ns now, const fay_grid_event *event);
/* It has ended without our doing. */
void fay_grid_link_lost(fay_grid *grid, fay_ns now, fay_grid_link *link);
/* Says DONE and closes it. */
void fay_grid_link_quit(fay_grid *grid, fay_grid_link *link);
void fay_grid_link_heartbeat(fay_grid *grid, fay_grid_link *link, const fay_heartbeat *heartbeat);
void fay_grid_links_status(fay_grid *grid, const uint8_t *bytes, size_t size);
/* Neighbours with an earlier one hear of it at once. */
void fay_grid_links_crl(fay_grid *grid, fay_ns now, uint64_t number);
/* The overlay anew, when the table has changed and is quiet again. */
void fay_grid_rewish(fay_grid *grid, fay_ns now);
void fay_grid_links_step(fay_grid *grid, fay_ns now);
fay_ns fay_grid_links_due(const fay_grid *grid);

/* ---- contacts.c ------------------------------------------------------------------------------ */

/* An address where the Grid may be: of the config, or one that a member has sent us to. */
void fay_grid_seed(fay_grid *grid, fay_ns now, fay_grid_bytes address, bool permanent);
/* An address where another one of this very Node may be. */
void fay_grid_contact_twin(fay_grid *grid, fay_ns now, fay_grid_bytes address);
/* Whether one of these is not dialled to an end yet. */
bool fay_grid_contacts_twin(const fay_grid *grid);
/* Dials the member at that time, unless it is linked or will be dialled; NULL = too many are. */
fay_contact *fay_grid_contact(fay_grid *grid, const fay_node_id *id, fay_contact_why why,
                              fay_ns due);
/* The contact that a dial belongs to ends or goes on; false: there is no such dial. */
bool fay_grid_contact_up(fay_grid *grid, uint64_t dial);
void fay_grid_contact_failed(fay_grid *grid, fay_ns now, uint64_t dial, fay_evidence evidence);
/* The member is linked: no dial that is not under way is needed. */
void fay_grid_contact_done(fay_grid *grid, const fay_node_id *id);
/* Neighbours that the overlay does not wish any more are not dialled any more. */
void fay_grid_contacts_keep(fay_grid *grid, const fay_neighbours *wished);
/* Whether one that it wishes is not linked yet. */
bool fay_grid_contacts_wished(const fay_grid *grid);
void fay_grid_contacts_step(fay_grid *grid, fay_ns now);
fay_ns fay_grid_contacts_due(const fay_grid *grid);

/* ---- tell.c ---------------------------------------------------------------------------------- */

/* All links but one (NULL: all) are told of the member. */
void fay_grid_tell(fay_grid *grid, fay_grid_member *member, const fay_grid_link *but);
void fay_grid_tell_one(fay_grid *grid, fay_grid_member *member, fay_grid_link *link);
/* The link is told of the whole table. */
void fay_grid_tell_all(fay_grid *grid, fay_ns now, fay_grid_link *link);
void fay_grid_untell(fay_grid *grid, fay_grid_link *link); /* it is closed */
/* Sends what is due on a link. */
void fay_grid_flush(fay_grid *grid, fay_ns now, fay_grid_link *link);
fay_ns fay_grid_flush_due(const fay_grid *grid, const fay_grid_link *link);
/* BUNDLES: asks for signatures of what is news. 0, or FAY_E_PEER and nothing of it is taken. */
int fay_grid_bundles(fay_grid *grid, fay_ns now, fay_grid_link *link, fay_reader *reader);
typedef struct fay_grid_signed_text { /* by whom, and where it came from */
    const fay_buffer *text;
    const fay_node_id *id;
    uint64_t boot, link;
    const uint8_t *signature;
    const uint8_t *certification; /* NULL: what the table says of its boot */
} fay_grid_signed_text;

/* VERIFY of that text. */
void fay_grid_ask_verdict(fay_grid *grid, uint64_t token, const fay_grid_signed_text *said);
void fay_grid_verified(fay_grid *grid, fay_ns now, uint64_t token, bool ok);
void fay_grid_pending_free(fay_grid *grid);
/* CHANGED, if the member's state is not what it was, or it is new. */
void fay_grid_changed(fay_grid *grid, const fay_grid_member *member, fay_member_state was,
                      bool is_new);

/* ---- own.c ----------------------------------------------------------------------------------- */

void fay_grid_own_init(fay_grid *grid, const fay_grid_config *config);
void fay_grid_own_free(fay_grid *grid);
void fay_grid_own_certified(fay_grid *grid, const uint8_t *certification);
void fay_grid_own_meta(fay_grid *grid, const uint8_t *meta, size_t size);
/* Somebody accuses this Node's present life: at once, if that is proven and not said by one who is
 * muted; else once a second. */
void fay_grid_own_refute(fay_grid *grid, bool proven);
/* Goes on as another boot, with another record key: what is being signed is signed anew. */
void fay_grid_own_reboot(fay_grid *grid, uint64_t boot, const uint8_t *certification);
void fay_grid_own_step(fay_grid *grid, fay_ns now);
fay_ns fay_grid_own_due(const fay_grid *grid);
void fay_grid_accuse(fay_grid *grid, fay_ns now, fay_grid_member *member, fay_evidence evidence,
                     fay_observer_role role);
void fay_grid_signed(fay_grid *grid, fay_ns now, uint64_t token, const uint8_t *bytes, size_t size);

/* A statement that waits for its signature; the token is set. */
fay_draft *fay_grid_draft(fay_grid *grid, fay_statement kind);
/* SIGN, with the text that is signed. */
void fay_grid_ask_signature(fay_grid *grid, uint64_t token, const fay_buffer *text);

/* ---- twin.c ---------------------------------------------------------------------------------- */

/* A record of this very id that we have not made; its signature is good. */
void fay_grid_twin_told(fay_grid *grid, fay_ns now, const fay_grid_record *record);
/* Somebody says that such a life of it is gone. */
void fay_grid_twin_hearsay(fay_grid *grid, fay_ns now, const fay_member_version *version);
/* A handshake with this very id: with another one of it, or with ourselves. */
void fay_grid_twin_met(fay_grid *grid, const fay_grid_event *up);
void fay_grid_twin_rebooted(fay_grid *grid, fay_ns now, const fay_grid_event *event);
void fay_grid_twin_step(fay_grid *grid, fay_ns now);
fay_ns fay_grid_twin_due(const fay_grid *grid);

/* ---- gossip.c -------------------------------------------------------------------------------- */

void fay_grid_broadcast(fay_grid *grid, const uint8_t *bytes, size_t size);
void fay_grid_broadcast_signed(fay_grid *grid, fay_ns now, fay_rumor_said *said);
int fay_grid_rumor(fay_grid *grid, const fay_grid_link *link, fay_reader *reader);
/* False: the token is not one of a rumor. */
bool fay_grid_rumor_verified(fay_grid *grid, fay_ns now, uint64_t token, bool ok);
int fay_grid_ihave(fay_grid *grid, fay_ns now, const fay_grid_link *link, fay_reader *reader);
int fay_grid_graft(fay_grid *grid, const fay_grid_link *link, fay_reader *reader);
void fay_grid_rumors_step(fay_grid *grid, fay_ns now);
void fay_grid_gossip_free(fay_grid *grid);

/* ---- suspects.c ------------------------------------------------------------------------------ */

/* A record is about to be merged: it may refute the member's charges. */
void fay_grid_refuted(fay_grid *grid, fay_ns now, const fay_grid_member *member,
                      const fay_grid_record *record);
/* Whether its observer was wrong about that member, alone, and not long ago. */
bool fay_grid_is_muted(const fay_grid *grid, fay_ns now, const fay_grid_accusation *accusation);
/* Whether an accusation by that observer counts. */
bool fay_grid_entitled(const fay_grid *grid, fay_ns now, const fay_grid_accusation *accusation);
/* Its charges have changed. */
void fay_grid_suspect(fay_grid *grid, fay_grid_member *member);
/* A bundle says that it is gone, and what is good of it is merged. Where we believed it alive, its
 * accusers must be enough; else one will do, since it never was alive here. */
void fay_grid_bury(fay_grid *grid, fay_ns now, fay_grid_member *member, const fay_bundle *bundle,
                   bool believed);
/* The overlay has changed: who did not count may now. */
void fay_grid_suspects_recount(fay_grid *grid, fay_ns now);
void fay_grid_suspects_step(fay_grid *grid, fay_ns now);
fay_ns fay_grid_suspects_due(const fay_grid *grid);
/* Something here is slow, or cut off: wait longer, and accuse nobody for a second. */
void fay_grid_doubt_self(fay_grid *grid, fay_ns now);

/* ---- sync.c ---------------------------------------------------------------------------------- */

/* Tells the peer which life of a member is gone, when there is no more than that to tell. */
void fay_grid_sync_gone(fay_grid *grid, const fay_grid_link *link, const fay_grid_member *member);
/* Others hold the present life of one that we believe alive for gone. */
void fay_grid_doubt(fay_grid *grid, fay_ns now, fay_grid_member *member);
/* Tells it, which the link goes to. */
void fay_grid_sync_doubt(fay_grid *grid, const fay_grid_link *link, fay_grid_member *member);
void fay_grid_sync_step(fay_grid *grid, fay_ns now);
void fay_grid_sync_begin(fay_grid *grid, const fay_grid_link *link);
int fay_grid_sync_digest(fay_grid *grid, fay_ns now, const fay_grid_link *link, fay_reader *reader);
int fay_grid_sync_versions(fay_grid *grid, fay_ns now, fay_grid_link *link, fay_reader *reader);
int fay_grid_sync_want(fay_grid *grid, fay_ns now, fay_grid_link *link, fay_reader *reader);

#endif /* FAY_GRID_INTERNAL_H */
