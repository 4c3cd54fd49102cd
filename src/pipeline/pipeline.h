/* SPDX-License-Identifier: MIT */
/*
 * A pipeline as its user stated it: stages between one source and one sink, every field checked,
 * every default filled in. Made from a file (load.h) or from a command line (inline.h); read by the
 * run, by `plan` and by `lint`; immutable once made.
 *
 *     source --> stage --> stage --> sink          each stage names its inputs; a stage without a
 *                  '-----> stage ------^           successor feeds the sink
 *
 * Ownership: one arena-like tree; fay_pipeline_free() frees all of it. Strings are never NULL
 * unless the comment says so.
 */
#ifndef FAY_PIPELINE_H
#define FAY_PIPELINE_H

#include "base/base.h"
#include "base/limits.h"
#include "base/modes.h"
#include "item/format.h"
#include "item/when.h"
#include "pipeline/pace.h"

#define FAY_INPUT_SOURCE (-1) /* in fay_stage_def.inputs */
#define FAY_AUTO         (-1.0)

/* Where in the file a thing was said; line 0 = on the command line, or a default. */
typedef struct fay_place_in_file {
    int line, column;
} fay_place_in_file;

typedef enum fay_crlf {
    FAY_CRLF_KEEP,
    FAY_CRLF_STRIP
} fay_crlf;

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order of the file's fields */
typedef struct fay_stage_def {
    char *name;
    bool name_given;
    /*
     * The command, NULL-terminated: {"sh", "-c", TEXT} for `sh:`; NULL for a module. In mode exec
     * every word is a template (item/template.h), of `sh:` too (escaped, so that it stands for
     * itself); in the other modes words are as the program gets them.
     */
    char **argv;
    size_t argc;
    char **words;  /* `run:` as written; NULL = none. argv is made of it */
    char *module;  /* NULL unless `module:` */
    char *shell;   /* the text of `sh:`, NULL otherwise */
    char *options; /* JSON for the module's or program's init; "{}" */
    fay_mode_kind mode;
    bool mode_given;
    fay_emit_kind emit;
    char **input_names; /* as written; NULL = the stage before, or the source */
    int *inputs;        /* indexes of stages, or FAY_INPUT_SOURCE */
    size_t inputs_count;
    char *when_text; /* "" = none, "else" = what its siblings' tests did not take */
    fay_when *when;  /* NULL = none, or else */
    bool when_else;
    unsigned workers_min, workers_start;
    unsigned workers_max; /* 0 = auto */
    bool workers_pinned;
    bool workers_start_given;
    fay_ns equalizer_period, equalizer_target_wait; /* 0 = auto */
    double cpu;                                     /* FAY_AUTO or cores */
    uint64_t memory, disk;                          /* bytes; 0 = auto, none */
    char **tags;                                    /* NULL-terminated */
    fay_ns timeout;                                 /* 0 = none */
    uint64_t retries;                               /* UINT64_MAX = forever */
    fay_ns backoff_initial, backoff_max;
    double backoff_factor, backoff_jitter;
    fay_on_error on_error;
    unsigned retry_on; /* FAY_RETRY_ON_* */
    bool ordered;
    uint64_t reorder_items;
    fay_ns reorder_wait;
    uint64_t batch_items, batch_bytes;
    fay_ns batch_wait;
    unsigned prefetch; /* 0 = auto */
    uint64_t queue_items, queue_bytes;
    bool queue_items_auto;         /* not stated: may grow with the measured rate */
    uint64_t item_max, output_max; /* bytes */
    fay_buffering buffering;
    fay_ns stall; /* 0 = off */
    char **env;   /* "K=V", NULL-terminated */
    char *cwd;
    double rate; /* Items per second; 0 = no limit */
    int stop_signal;
    fay_ns stop_grace;
    uint64_t recycle_items, recycle_rss;
    fay_ns recycle_age;
    fay_format format; /* of lines in batch and of sh output: the pipeline's, unless said */
    bool format_given;
    fay_place_in_file where;
} fay_stage_def;

typedef enum fay_source_kind {
    FAY_SOURCE_STDIN,
    FAY_SOURCE_FILE,
    FAY_SOURCE_DIR,
    FAY_SOURCE_EXEC,
    FAY_SOURCE_LISTEN,
    FAY_SOURCE_GENERATE,
    FAY_SOURCE_ITEMS, /* ::: on the command line */
    FAY_SOURCE_DEAD,  /* a dead letter file that is retried; Items enter at their stage */
} fay_source_kind;

typedef enum fay_after {
    FAY_AFTER_KEEP,
    FAY_AFTER_DELETE,
    FAY_AFTER_MOVE
} fay_after;

typedef struct fay_source_def {
    fay_source_kind kind;
    fay_format format;
    fay_crlf crlf;
    bool format_given, crlf_given;
    char **files; /* FILE, DEAD: paths and globs; ITEMS: the Items themselves; NULL-terminated */
    bool follow;
    char *dir, *glob, *move_to;
    fay_after after;
    char **argv; /* EXEC */
    bool restart_on_failure;
    char *address;                          /* LISTEN: unix:PATH or tcp:HOST:PORT (loopback only) */
    uint64_t generate_count, generate_size; /* count 0 = without end */
    fay_pace generate_pace;
    fay_place_in_file where;
} fay_source_def;

typedef enum fay_sink_kind {
    FAY_SINK_STDOUT,
    FAY_SINK_FILE,
    FAY_SINK_EXEC,
    FAY_SINK_LISTEN,
    FAY_SINK_NULL,
} fay_sink_kind;
typedef enum fay_sync {
    FAY_SYNC_END,
    FAY_SYNC_BATCH,
    FAY_SYNC_ITEM
} fay_sync;

typedef struct fay_sink_def {
    fay_sink_kind kind;
    fay_format format;
    bool format_given;
    char *file; /* "" unless FILE */
    bool append;
    fay_sync sync;
    uint64_t rotate_bytes;
    fay_ns rotate_age;
    char **argv;
    char *address;
    fay_place_in_file where;
} fay_sink_def;

typedef struct fay_hooks {
    char **item_dead, **worker_crash, **node_lost, **pressure, **done; /* argv, NULL = none */
} fay_hooks;

typedef struct fay_pipeline {
    char *name;
    char *path; /* of the file, NULL if inline */
    fay_format format;
    fay_source_def source;
    bool spool;
    fay_stage_def *stages;
    size_t stages_count;
    fay_sink_def sink;
    char *dead_letter;       /* path with {name} and {run} still in it; NULL = none */
    char *state;             /* "" = none */
    uint64_t failures_max;   /* 0 = no limit */
    double failures_percent; /* 0 = no limit */
    double rate;             /* Items per second read from the source; 0 = no limit */
    fay_ns run_time;         /* 0 = no limit */
    fay_hooks on;
} fay_pipeline;

/* The words of these enums as a pipeline file has them, by number; NULL-terminated. A source of
 * kind ITEMS or DEAD is made by flags alone. */
extern const char *const fay_source_names[];
extern const char *const fay_after_names[];
extern const char *const fay_sink_names[];
extern const char *const fay_sync_names[];
extern const char *const fay_mode_names[];
extern const char *const fay_on_error_names[];

/* One with every default, without stages. Whoever makes one ends with fay_pipeline_settle(). */
fay_pipeline *fay_pipeline_new(void);
/* Adds a stage with every default; pointers to earlier ones are void then. */
fay_stage_def *fay_pipeline_add_stage(fay_pipeline *pipeline);
void fay_pipeline_free(fay_pipeline *pipeline);
void fay_pipeline_freep(fay_pipeline **pipeline);

/* Index of a stage by its name, or -1. */
int fay_pipeline_find(const fay_pipeline *pipeline, const char *name);

/* Whether stage `from` (or FAY_INPUT_SOURCE) feeds stage `to`. */
bool fay_pipeline_feeds(const fay_pipeline *pipeline, int from, size_t to);

/* Whether some stage reads from `from` (a stage or FAY_INPUT_SOURCE); if none does, the sink does.
 */
bool fay_pipeline_has_successor(const fay_pipeline *pipeline, int from);

/* How many Items a generated source has, by its count and its pace; UINT64_MAX = without end. */
uint64_t fay_pipeline_generated(const fay_source_def *source);

/*
 * All that decides what a run would do to its Items, as sorted "field=value" lines: two pipelines
 * whose texts are equal may resume one another's state; where they differ, the first line that does
 * names the field ("stages.score.run=..."). How fast and how often (workers, queues, retries,
 * timeouts, limits) is not in it: that may be changed between stop and resume. free() the text.
 */
char *fay_pipeline_fingerprint(const fay_pipeline *pipeline);

#endif /* FAY_PIPELINE_H */
