/* SPDX-License-Identifier: MIT */
/*
 * One Node's part of the Grid: who the members are, who links to whom, who is dead. A pure state
 * machine: no socket, no clock, no entropy but its seed, no key, no callback. The driver (the
 * Agent, or the simulator) feeds it events and carries out, in order, the actions that come out.
 *
 *     fay_grid_feed(grid, now, &event);      once for each thing that happened
 *     fay_grid_step(grid, now, &actions);    once per wake-up; then carry out the actions
 *     wake me at fay_grid_deadline(grid)
 *
 *     a link         DIAL --FAILED--> dialled again, or its member is accused
 *                     '--UP--> LINKED --closed after DONE, or BYE--> gone, and that is all
 *                                 |-- DOWN, or silent --> dialled once more, at once
 *                                 '-- wished by neither end --> DONE, CLOSE
 *
 *     a member       alive --accusation--> suspect --suspicion.h--> dead       (member.h)
 *                      ^--------- its own later record ---'-------------'
 *
 *     oneself        told of a boot that we have not made --DIAL--> it lives: REPLACED    (twin.c)
 *                                                           '--> nobody: REBOOT, then REBOOTED
 *
 *     a statement    MESSAGE --news?--> VERIFY --VERIFIED--> merged --changed--> told on all links
 *                       '-- known: nothing    '-- not ok: dropped                but that one
 *
 * What is in which module:
 *
 *     params      every number                    members     the table and its hash
 *     record      statements as they are signed   member      one entry, its state
 *     message     messages between Nodes          overlay     who is whose neighbour
 *     suspicion   when a suspect is dead          rumors      what all shall hear once
 *     refutations accusations that were wrong     grid        this, in several files: internal.h
 *
 * News spread by flooding, but not as messages that are passed on: each link has a set of members
 * that it must still be told of, and a message is made of what the table says of them when it is
 * sent. So a link that is slow holds one entry a member at most, never drops a refutation and never
 * sends what is outdated. Tables that differ all the same are compared: a hash in each heartbeat,
 * then hashes of buckets, then versions (sync.c).
 *
 * Ownership: what events and actions point to is borrowed; that of actions until the next feed or
 * step.
 */
#ifndef FAY_GRID_GRID_H
#define FAY_GRID_GRID_H

#include "grid/members.h"
#include "grid/params.h"

typedef struct fay_grid fay_grid;

typedef struct fay_grid_config {
    fay_grid_params params; /* checked */
    fay_node_id id;
    uint64_t boot;                          /* greater than of any earlier start */
    const uint8_t *tls_key, *certification; /* FAY_KEY_HASH_SIZE each (record.h) */
    const char *name, *address;
    const uint8_t *meta;
    size_t meta_size;
    const char *const *seeds; /* addresses; dialled until the Grid is found, then now and then */
    size_t seeds_count;
    uint64_t seed; /* of its chance */
} fay_grid_config;

typedef enum fay_grid_event_kind {
    FAY_GRID_UP,        /* link, dial (0: they have dialled), id, boot: the handshake said so;
                         * bytes: the hash of the certification that it showed */
    FAY_GRID_DOWN,      /* link */
    FAY_GRID_FAILED,    /* dial, evidence */
    FAY_GRID_MESSAGE,   /* link, bytes: a whole one */
    FAY_GRID_HEARD,     /* link: bytes have come that are none yet */
    FAY_GRID_SIGNED,    /* token, bytes: the signature */
    FAY_GRID_VERIFIED,  /* token, ok */
    FAY_GRID_LATE,      /* ns: so late was the driver's loop; from params.late_dial on */
    FAY_GRID_BROADCAST, /* bytes: all others shall hear it once */
    FAY_GRID_META,      /* bytes: what the Node says of itself from now on */
    FAY_GRID_STATUS,    /* bytes, FAY_GRID_STATUS_MAX at most: what heartbeats carry from now on */
    FAY_GRID_CRL,       /* number: of the CRL that the driver goes by from now on; only rising */
    FAY_GRID_CERTIFIED, /* bytes: the hash of another certification of this boot's record key */
    FAY_GRID_EXPEL,     /* id: its certificate is revoked: to us it has left */
    FAY_GRID_REBOOTED,  /* boot, bytes: the hash of its certification (answer to REBOOT) */
    FAY_GRID_LEAVE,     /* say BYE; LEFT follows */
} fay_grid_event_kind;

typedef struct fay_grid_event {
    fay_grid_event_kind kind;
    fay_evidence evidence;
    uint64_t link; /* the driver's number, never used again */
    uint64_t dial, token, boot, number;
    const fay_node_id *id;
    const uint8_t *bytes;
    size_t size;
    fay_ns ns;
    bool ok;
} fay_grid_event;

typedef enum fay_grid_action_kind {
    FAY_GRID_DIAL,     /* dial, address, id (NULL: whoever is there; our own: is there another
                        * one of us?): answer UP or FAILED */
    FAY_GRID_SEND,     /* link, bytes: a message */
    FAY_GRID_CLOSE,    /* link, behind what was sent; no DOWN follows */
    FAY_GRID_SIGN,     /* token, bytes: answer SIGNED, in the order asked */
    FAY_GRID_VERIFY,   /* token, bytes, signature, id and boot of who signed, certification (NULL:
                        * not known), the link that it came on: answer VERIFIED */
    FAY_GRID_CHANGED,  /* id, state: a member has another state, or is new */
    FAY_GRID_DELIVER,  /* id, bytes: what another Node has broadcast */
    FAY_GRID_BEHIND,   /* link, number: it has a later CRL; once for each link and number */
    FAY_GRID_REBOOT,   /* boot: persist it, make a record key and a certification for it, answer
                        * REBOOTED, and sign and shake hands with these from then on */
    FAY_GRID_REPLACED, /* boot, address (or none): another one of this Node is there. Stop */
    FAY_GRID_LEFT,     /* BYE is on all links: stop */
} fay_grid_action_kind;

typedef struct fay_grid_action {
    fay_grid_action_kind kind;
    uint64_t link, dial, token;
    uint64_t boot, number;
    const fay_node_id *id;
    fay_member_state state;
    fay_grid_bytes address, bytes;
    const uint8_t *signature;     /* FAY_SIGNATURE_SIZE */
    const uint8_t *certification; /* FAY_KEY_HASH_SIZE: of the signer's record */
} fay_grid_action;

typedef struct fay_grid_actions {
    const fay_grid_action *items;
    size_t count;
} fay_grid_actions;

/* A Node that knows nobody but itself. The config is copied. */
fay_grid *fay_grid_new(const fay_grid_config *config, fay_ns now);
void fay_grid_free(fay_grid *grid); /* NULL is fine */

/*
 * 0, or FAY_E_PEER when a message breaks the protocol: nothing has changed, the driver closes the
 * link and feeds DOWN. Events about links, dials and tokens that are no more change nothing.
 */
int fay_grid_feed(fay_grid *grid, fay_ns now, const fay_grid_event *event);

/* Fills *ret with all actions since the last step, in order, valid until the next feed or step. */
void fay_grid_step(fay_grid *grid, fay_ns now, fay_grid_actions *ret);
fay_ns fay_grid_deadline(const fay_grid *grid);

/* The table, to look at. */
const fay_members *fay_grid_members(const fay_grid *grid);
bool fay_grid_is_linked(const fay_grid *grid, const fay_node_id *id);
bool fay_grid_is_dialled(const fay_grid *grid, const fay_node_id *id); /* as a neighbour */
size_t fay_grid_links(const fay_grid *grid);
/* It lives, but has refuted several accusers of late (refutations.h): give it no work. */
bool fay_grid_is_degraded(const fay_grid *grid, fay_ns now, const fay_node_id *id);
/* What the heartbeats of a linked one carried last, until the next feed; without bytes: nothing, or
 * it is not linked. */
fay_grid_bytes fay_grid_status_of(const fay_grid *grid, const fay_node_id *id);

/* Asserts what one Node can see of its invariants; for tests and simulator. */
void fay_grid_check(const fay_grid *grid, fay_ns now);

#endif /* FAY_GRID_GRID_H */
