/* SPDX-License-Identifier: MIT */
/*
 * What members say of themselves and of each other: owner records and accusations.
 *
 *     RECORD      u8 1 | id 16 | u64 boot | u32 inc | u32 seq | TLS key 32 | certification 32
 *     or BYE      u8 2 |   | text name | text address | bytes meta | signature 64
 *     ACCUSATION  u8 3 | target 16 | u64 boot | u32 inc | observer 16 | u64 observer's boot
 *                      | u32 n | u8 evidence | u8 role | signature 64
 *
 * The two never mix: an owner record is written by its Node alone, an accusation by another one
 * alone, and whether a member is alive follows from both (member.h). `boot` is greater at each
 * start of a Node, `inc` at each refutation within a boot, `seq` at each change of what it says.
 *
 * Signed, by the Ed25519 key of the writer's boot, is FAY_SIGNED_PREFIX and then all bytes before
 * the signature. This room has no keys: a statement is handed out as VERIFY before it counts for
 * anything, and comes back with a verdict (grid.h). Not a flag in the event that brings a message:
 * most copies of a flooded record are known already, and only the core knows which, so the driver
 * would verify each record once a link instead of once; and a key's certification may have to be
 * fetched first, while the Grid goes on.
 *
 * A record is passed on as the bytes that it came in, so that its signature stays good.
 */
#ifndef FAY_GRID_RECORD_H
#define FAY_GRID_RECORD_H

#include "base/base.h"
#include "base/buffer.h"
#include "base/node_id.h"

#define FAY_SIGNED_PREFIX "faymora grid 1"

enum {
    FAY_SIGNATURE_SIZE = 64, /* of Ed25519 */
    FAY_KEY_HASH_SIZE = 32,  /* of SHA-256 */
};

/* The first byte of a statement. */
typedef enum fay_statement {
    FAY_STATEMENT_RECORD = 1,
    FAY_STATEMENT_BYE = 2,
    FAY_STATEMENT_ACCUSATION = 3,
    FAY_STATEMENT_RUMOR = 4, /* rumors.h */
} fay_statement;

typedef struct fay_grid_bytes { /* borrowed */
    const uint8_t *bytes;
    size_t size;
} fay_grid_bytes;

typedef struct fay_grid_record {
    fay_node_id id;
    uint64_t boot; /* 1 to FAY_GRID_BOOT_MAX */
    uint32_t inc;  /* to FAY_GRID_INC_MAX */
    uint32_t seq;
    bool bye;                                 /* leaves, and will not come back in this boot */
    uint8_t tls_key[FAY_KEY_HASH_SIZE];       /* of the public key of its server certificate */
    uint8_t certification[FAY_KEY_HASH_SIZE]; /* of what says that the record key is that Node's */
    fay_grid_bytes name, address;             /* printable; HOST:PORT, for the driver to read */
    fay_grid_bytes meta;                      /* capacities, weight, tags: for others to read */
    uint8_t signature[FAY_SIGNATURE_SIZE];
    fay_grid_bytes statement; /* all of it, as it came */
} fay_grid_record;

/* Why somebody is accused. */
#define FAY_EVIDENCES(X)                                                                           \
    X(FAY_EVIDENCE_REFUSED, 1, "its port is closed")                                               \
    X(FAY_EVIDENCE_SILENT, 2, "does not answer")                                                   \
    X(FAY_EVIDENCE_HANDSHAKE, 3, "answers, but cannot say who it is")

typedef enum fay_evidence {
#define X(name, number, text) name = (number),
    FAY_EVIDENCES(X)
#undef X
} fay_evidence;

/* As what the observer has seen it. */
typedef enum fay_observer_role {
    FAY_OBSERVER_NEIGHBOUR = 1, /* linked to it, or dialling, as the overlay wishes */
    FAY_OBSERVER_AUDITOR = 2,   /* dialled it at random, or because a neighbour asked */
} fay_observer_role;

typedef struct fay_grid_accusation {
    fay_node_id target;
    uint64_t boot;
    uint32_t inc; /* of the target: a higher one refutes it */
    fay_node_id observer;
    uint64_t observer_boot;
    uint32_t n; /* a later one replaces an earlier one of the same observer */
    fay_evidence evidence;
    fay_observer_role role;
    uint8_t signature[FAY_SIGNATURE_SIZE];
} fay_grid_accusation;

/* What a statement begins with, for whoever cuts it out of a message. */
enum {
    FAY_ACCUSATION_SIZE =
        1 + FAY_NODE_ID_SIZE + 8 + 4 + FAY_NODE_ID_SIZE + 8 + 4 + 1 + 1 + FAY_SIGNATURE_SIZE,
};

/* Each appends the statement, or what of it is signed with the prefix. Everything in it must be
 * within the limits. */
void fay_record_write(const fay_grid_record *record, fay_buffer *out);
void fay_record_signed(const fay_grid_record *record, fay_buffer *out);
void fay_accusation_write(const fay_grid_accusation *accusation, fay_buffer *out);
void fay_accusation_signed(const fay_grid_accusation *accusation, fay_buffer *out);

/* 0, or FAY_E_PEER with *ret untouched: cut, too long, beyond a limit, or with something behind it.
 * Texts of a record point into the bytes. */
int fay_record_parse(const uint8_t *bytes, size_t size, fay_grid_record *ret);
int fay_accusation_parse(const uint8_t *bytes, size_t size, fay_grid_accusation *ret);

/* A copy with its own bytes, in one piece of memory: free() it. The record must have been parsed,
 * not made up: the copy is that of its statement. */
fay_grid_record *fay_record_copy(const fay_grid_record *record);

/*
 * Which of two records of one Node is later: by boot, inc, BYE, seq. A Node never makes two with
 * equal ones, but clones of its state directory may: then the greater bytes win, so that all agree.
 * < 0, 0, > 0.
 */
int fay_record_compare(const fay_grid_record *a, const fay_grid_record *b);

/* Of accusations by one observer about one life: by the observer's boot, n; then the rest. */
int fay_accusation_compare(const fay_grid_accusation *a, const fay_grid_accusation *b);

/* A new C string of a text of a record; free() it. */
char *fay_grid_text(fay_grid_bytes text);

/* A few words for people; NULL for a number that is none. */
const char *fay_evidence_text(fay_evidence evidence);

#endif /* FAY_GRID_RECORD_H */
