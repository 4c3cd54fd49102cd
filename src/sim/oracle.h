/* SPDX-License-Identifier: MIT */
/*
 * The oracle: what was ever made of each source Item, and whether what is on the disk at the end
 * can have come about by the rules.
 *
 *     atom 7 (a source Item) ─► visit (7, stage 0) ─┬─ try 12: worker died
 *                                                   ├─ try 15: atoms 40, 41 ─► visit (40, stage 1)
 *                                                   └─ try 19: atoms 52
 *
 * An atom is an Item's content, a visit its stay at one stage, a try the children that one worker
 * made of it. Workers are not deterministic: each try makes new atoms, so an atom in the sink names
 * the whole line of tries it came from. The judgement: for each source Item, every visit was
 * settled by exactly one try, all of whose children are there (or by one letter in the dead letters
 * and no try): one lineage, whole, once. The Items of a batch have their children in common, all of
 * them the first one's: the tries stand or fall together. The payload carries the atom's number, so
 * nothing that the flow does to an Item's bookkeeping can deceive the oracle.
 */
#ifndef FAY_SIM_ORACLE_H
#define FAY_SIM_ORACLE_H

#include "sim/disk.h"
#include "sim/faults.h"
#include "sim/shape.h"
#include "sim/trace.h"

#define FAY_SIM_NONE UINT32_MAX
enum {
    FAY_SIM_PAYLOAD_MAX = 256,
    FAY_SIM_ATOMS_MAX = 6000
};

typedef struct fay_sim_atom {
    uint32_t root, made_by; /* a try; NONE = the source */
    uint32_t index;         /* among that try's children */
    uint32_t visits[FAY_SIM_STAGES_MAX];
    uint8_t kind, padding;
    bool poison;
    uint32_t written; /* times, in the sink at the end */
} fay_sim_atom;

typedef struct fay_sim_visit {
    uint32_t atom;
    uint8_t stage;
    fay_path path;    /* that its Item must have */
    uint32_t tries;   /* the last one; each knows the one before */
    bool may_drop;    /* it failed for good where on_error is drop */
    uint32_t letters; /* in the dead letters at the end */
} fay_sim_visit;

typedef struct fay_sim_try {
    uint32_t visit, before;
    uint32_t first, count; /* atoms */
    uint32_t batch, mates; /* the first of the tries answered together, which has the children of
                            * them all; that one knows how many they are */
    bool used;             /* something in the sink or the dead letters comes from it */
} fay_sim_try;

typedef struct fay_sim_oracle {
    const fay_sim_shape *shape; /* borrowed, as all three */
    fay_sim_faults *faults;
    fay_sim_trace *trace;
    fay_sim_atom *atoms;
    fay_sim_visit *visits;
    fay_sim_try *tries;
    size_t atoms_count, atoms_capacity, visits_count, visits_capacity, tries_count, tries_capacity;
} fay_sim_oracle;

void fay_sim_oracle_init(fay_sim_oracle *oracle, const fay_sim_shape *shape, fay_sim_faults *faults,
                         fay_sim_trace *trace);
void fay_sim_oracle_deinit(fay_sim_oracle *oracle);

/* The visit of an atom that leaves `from` to `stage`; made when it is first asked for. */
uint32_t fay_sim_oracle_visit(fay_sim_oracle *oracle, uint32_t atom, size_t stage);
/* A try that succeeded: draws its children. */
uint32_t fay_sim_oracle_try(fay_sim_oracle *oracle, fay_sim_world *world, uint32_t visit);

/* The next try of the same batch: what was made of it are children of `first`, drawn now. */
uint32_t fay_sim_oracle_mate(fay_sim_oracle *oracle, fay_sim_world *world, uint32_t visit,
                             uint32_t first);

/* The last try made no children and did not succeed: it proves nothing, and was not there. */
void fay_sim_oracle_untry(fay_sim_oracle *oracle, uint32_t try);

/* By the rule, not by the router. */
uint64_t fay_sim_oracle_targets(const fay_sim_oracle *oracle, uint32_t atom);
/* The path of its Item at a stage, or (stage = count) in the sink. */
fay_path fay_sim_oracle_path(const fay_sim_oracle *oracle, uint32_t atom, size_t stage);

size_t fay_sim_oracle_payload(const fay_sim_oracle *oracle, uint32_t atom,
                              char payload[FAY_SIM_PAYLOAD_MAX]);
/* The atom whose payload this is, to the byte; NONE if it is nobody's. */
uint32_t fay_sim_oracle_parse(const fay_sim_oracle *oracle, const uint8_t *payload, size_t size);

typedef enum fay_sim_fate {
    FAY_SIM_WHOLE,   /* all of it must be there */
    FAY_SIM_ABSENT,  /* nothing of it may be there */
    FAY_SIM_PARTIAL, /* what is there must be of one lineage */
} fay_sim_fate;

/* Lines of payloads in the sink; "ATOM STAGE ATTEMPTS" in the dead letters. Fails the run. */
void fay_sim_oracle_judge(fay_sim_oracle *oracle, const fay_sim_file *sink,
                          const fay_sim_file *dead, const fay_sim_fate *fates);

#endif /* FAY_SIM_ORACLE_H */
