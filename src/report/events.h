/* SPDX-License-Identifier: MIT */
/*
 * What happens in a run, as JSON lines (--events) and as commands that are run (`on:`). A hook gets
 * its event on stdin; of each hook one runs at a time, what comes meanwhile waits.
 *
 *     {"ts":1753000000.123,"event":"worker.down","run":"7f3a","stage":"score","worker":2,...}
 */
#ifndef FAY_EVENTS_H
#define FAY_EVENTS_H

#include <uv.h>

#include "base/base.h"
#include "base/buffer.h"
#include "loop/process.h"
#include "pipeline/pipeline.h"
#include "report/logfile.h"

typedef enum fay_hook {
    FAY_HOOK_ITEM_DEAD,
    FAY_HOOK_WORKER_CRASH,
    FAY_HOOK_NODE_LOST,
    FAY_HOOK_PRESSURE,
    FAY_HOOK_DONE,
    FAY_HOOK_NONE,       /* the event is told, no command belongs to it */
    FAY_HOOK_NONE_OFTEN, /* likewise, and there are many of them */
} fay_hook;

typedef struct fay_events fay_events;

typedef struct fay_events_config {
    uv_loop_t *loop;
    fay_processes *processes;
    const fay_hooks *hooks;
    const char *run;
    const char *path; /* NULL = no stream; "-" = stdout, or stderr where stdout is the sink */
    bool stdout_taken;
    fay_logfile_watch watch;     /* of the stream */
    void (*idle)(void *context); /* the last hook that ran has ended */
    void *context;
} fay_events_config;

/* FAY_E_IO with err set when the path cannot be written. The config is copied. */
int fay_events_open(const fay_events_config *config, fay_events **ret, fay_error *err);
/* Closes the stream; what its reader has not taken by then is lost. */
void fay_events_finish(fay_events *events, fay_ns by);
void fay_events_free(fay_events *events); /* kills hooks that run */

/* Whether anybody wants to know; `members` is JSON like ,"stage":"score" and may be "". */
bool fay_events_wanted(const fay_events *events, fay_hook hook);
void fay_events_emit(fay_events *events, const char *name, fay_hook hook, const char *members);
bool fay_events_idle(const fay_events *events);

/* Appends ,"name":"text" */
void fay_events_member(fay_buffer *members, const char *name, const char *text, size_t size);

#endif /* FAY_EVENTS_H */
