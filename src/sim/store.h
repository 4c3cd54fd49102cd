/* SPDX-License-Identifier: MIT */
/*
 * What an owner writes, and what survives it: sink, dead letters, journal.
 *
 *     WRITE LETTER .. SYNC ──► queue ──one by one, each takes its time──► sink, dead letters
 *     RECORD ──► journal: {ranges, sink offset, dead letter offset, position}, as of the last SYNC
 *
 * fay_sim_store_open() is the resume: it takes the last whole record and cuts sink and dead letters
 * to its offsets. Each record is held against rule 6 and rule 5 when it is made: what it says is
 * done is written and synced to the last byte, and nothing else stands before its offsets.
 */
#ifndef FAY_SIM_STORE_H
#define FAY_SIM_STORE_H

#include "journal/journal.h"
#include "sim/book.h"
#include "sim/disk.h"

enum { /* kinds of events in the world, behind those of workers.h */
    FAY_SIM_SINK_READY = 100,
    FAY_SIM_RECORD_READY,
};

typedef struct fay_sim_line { /* written in this life */
    uint32_t root;
    size_t end; /* offset behind it */
} fay_sim_line;

typedef struct fay_sim_lines {
    fay_sim_line *list;
    size_t count, capacity;
} fay_sim_lines;

typedef struct fay_sim_job { /* for sink or dead letters */
    enum {
        FAY_SIM_JOB_WRITE,
        FAY_SIM_JOB_LETTER,
        FAY_SIM_JOB_SYNC
    } kind;
    char *text; /* one line; WRITE: several, of one root each */
    size_t size;
    uint32_t *roots; /* of the lines */
    uint64_t items, bytes;
} fay_sim_job;

typedef struct fay_sim_store {
    fay_sim_world *world; /* borrowed, as all four */
    fay_sim_faults *faults;
    fay_sim_book *book;
    fay_sim_trace *trace;
    fay_sim_file sink, dead, journal;
    fay_sim_lines sink_lines, dead_lines;
    fay_sim_job *jobs;
    size_t jobs_first, jobs_count, jobs_capacity;
    bool busy, broken;               /* broken: the disk is full, nothing more is written */
    size_t synced_sink, synced_dead; /* as of the last SYNC */
    bool *recording;                 /* roots that the record under way speaks of */
    bool record_under_way;
} fay_sim_store;

void fay_sim_store_init(fay_sim_store *store, fay_sim_world *world, fay_sim_faults *faults,
                        fay_sim_book *book);
void fay_sim_store_deinit(fay_sim_store *store);

/* A new owner: what the journal says, with the files cut to it. Deinit *ret. */
void fay_sim_store_open(fay_sim_store *store, fay_journal *ret);
/* The owner dies. */
void fay_sim_store_crash(fay_sim_store *store);

void fay_sim_store_write(fay_sim_store *store, const uint32_t *atoms, size_t count, uint64_t bytes);
void fay_sim_store_letter(fay_sim_store *store, uint32_t visit, uint64_t attempts);
void fay_sim_store_sync(fay_sim_store *store);
void fay_sim_store_record(fay_sim_store *store, const fay_flow_action *action);

/* One of the kinds above: what the flow must be told (WRITTEN, SYNCED, RECORDED), if anything. */
bool fay_sim_store_event(fay_sim_store *store, int kind, fay_flow_event *ret);

/* Writes what is waiting to be written: an owner does so before it ends in good order. */
void fay_sim_store_flush(fay_sim_store *store);

/* The source's position behind a root, in a source that knows it. */
uint64_t fay_sim_store_position(const fay_sim_store *store, uint64_t root);

#endif /* FAY_SIM_STORE_H */
