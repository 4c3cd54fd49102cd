/* SPDX-License-Identifier: MIT */
#include "run/run.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/prng.h"
#include "host/cores.h"
#include "run/owner.h"

/* ---- the pipeline, as flow and Instances want it --------------------------------------------- */

enum {
    AUTO_WORKERS_A_CORE = 64 /* `workers: max: auto`: workers that mostly wait */
};

static unsigned workers_max(const fay_stage_def *def, unsigned cores)
{
    unsigned most = def->workers_max;
    if (most == 0)
        most = FAY_MIN(AUTO_WORKERS_A_CORE * cores, (unsigned)FAY_WORKERS_MAX);
    return FAY_MAX(most, FAY_MAX(def->workers_min, def->workers_start));
}

static fay_flow_stage flow_stage(const fay_stage_def *def)
{
    unsigned cores = fay_cores_count();
    bool batch = def->mode == FAY_MODE_BATCH;
    return (fay_flow_stage){
        .solo = def->mode == FAY_MODE_EXEC,
        .start_hidden = def->mode == FAY_MODE_LINES || def->mode == FAY_MODE_JSON,
        .recall = def->mode == FAY_MODE_FRAMES || def->mode == FAY_MODE_JSON ||
                  def->mode == FAY_MODE_EXEC,
        .batch_items = batch ? def->batch_items : 0,
        .batch_bytes = batch ? def->batch_bytes : 0,
        .batch_wait = def->batch_wait,
        .retries = def->retries,
        .backoff_initial = def->backoff_initial,
        .backoff_max = def->backoff_max,
        .backoff_factor = def->backoff_factor,
        .backoff_jitter = def->backoff_jitter,
        .on_error = def->on_error,
        .retry_on = def->retry_on,
        .ordered = def->ordered,
        .reorder_items = def->reorder_items,
        .reorder_wait = def->reorder_wait,
        .queue_items = def->queue_items,
        .queue_bytes = def->queue_bytes,
        .queue_grows = def->queue_items_auto,
        .prefetch = def->prefetch,
        .rate = def->rate,
        .workers_min = def->workers_min,
        .workers_start = FAY_MAX(def->workers_start, def->workers_min),
        .workers_max = workers_max(def, cores),
        .workers_saturated = def->workers_max > 0 ? 0 : cores,
        .pinned = def->workers_pinned,
        .cpu = def->cpu > 0 ? def->cpu : 0, /* FAY_AUTO: as measured */
        .memory = def->memory,
        .fits = def->workers_max == 0,
        .period = def->equalizer_period,
        .target_wait = def->equalizer_target_wait,
    };
}

/* Whom stage `from` (or the source) feeds, as a mask. */
static uint64_t fed_by(const fay_pipeline *pipeline, int from)
{
    uint64_t mask = 0;
    for (size_t to = 0; to < pipeline->stages_count; to++) {
        if (fay_pipeline_feeds(pipeline, from, to))
            mask |= UINT64_C(1) << to;
    }
    return mask != 0 ? mask : FAY_TARGET_SINK;
}

static int make_router(fay_owner *owner, fay_error *err)
{
    const fay_pipeline *pipeline = owner->pipeline;
    size_t count = pipeline->stages_count;
    owner->whens = fay_alloc((count + 1) * sizeof *owner->whens);
    owner->feeds = fay_alloc((count + 1) * sizeof *owner->feeds);
    owner->stages = fay_alloc(count * sizeof *owner->stages);
    for (size_t i = 0; i < count; i++) {
        owner->whens[i] = pipeline->stages[i].when_text;
        owner->feeds[i] = fed_by(pipeline, (int)i);
        owner->stages[i] = flow_stage(&pipeline->stages[i]);
    }
    owner->feeds[count] = fed_by(pipeline, FAY_INPUT_SOURCE);
    owner->router = fay_router_new((const char *const *)owner->whens, owner->feeds, count, err);
    return owner->router != NULL ? 0 : FAY_E_CONFIG;
}

static void make_flow(fay_owner *owner)
{
    const fay_flow_config config = {
        .stages = owner->stages,
        .stages_count = owner->pipeline->stages_count,
        .router = owner->router,
        .journal = owner->options->state != NULL,
        .source_rate = owner->pipeline->rate,
        .failures_max = owner->pipeline->failures_max,
        .failures_percent = owner->pipeline->failures_percent,
        .cores = fay_cores_usable(),
        .breaker = true,
        .seed = fay_entropy(),
    };
    owner->flow = fay_flow_new(&config, owner->begun);
}

/* ---- up and down ----------------------------------------------------------------------------- */

static bool sink_is_stdout(const fay_pipeline *pipeline)
{
    return pipeline->sink.kind == FAY_SINK_STDOUT;
}

static void on_hooks_idle(void *context)
{
    fay_owner_check_end(context);
}

static int open_logs(fay_owner *owner, fay_error *err)
{
    const fay_logfile_watch watch = {
        .lost = fay_owner_log_lost, .context = owner, .loop = &owner->loop};
    const fay_events_config config = {.loop = &owner->loop,
                                      .processes = owner->processes,
                                      .hooks = &owner->pipeline->on,
                                      .run = owner->run,
                                      .path = owner->options->events,
                                      .stdout_taken = sink_is_stdout(owner->pipeline),
                                      .watch = watch,
                                      .idle = on_hooks_idle,
                                      .context = owner};
    int r = fay_events_open(&config, &owner->events, err);
    if (r != 0)
        return r;
    return fay_trail_open(owner->pipeline, owner->options->joblog, owner->options->results, &watch,
                          &owner->trail, err);
}

static char *host_name(void)
{
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
        return fay_strdup("localhost");
    return fay_strdup(name);
}

static void drop_pending(fay_owner *owner)
{
    for (size_t i = 0; i < owner->pending.loaded_count; i++) {
        fay_spooled_deinit(&owner->pending.loaded[i].items);
    }
    free(owner->pending.loaded);
}

/* In reverse order of opening; takes what has been opened so far. */
static void take_down(fay_owner *owner)
{
    fay_owner_free_instances(owner);
    fay_ask_free(FAY_STEAL(owner->ask));
    fay_owner_close_display(owner);
    fay_trail_free(owner->trail);
    fay_events_free(owner->events);
    fay_sync_forget(owner->sync);
    fay_sink_free(owner->sink);
    fay_source_free(owner->source);
    fay_state_free(owner->state);
    fay_letters_free(owner->letters);
    fay_spools_free(owner->spools);
    drop_pending(owner);
    fay_processes_free(owner->processes);
    fay_flow_free(owner->flow);
    fay_router_free(owner->router);

    fay_timer_free(owner->deadline);
    fay_timer_free(owner->draining_timer);
    fay_timer_free(owner->ending_timer);
    fay_timer_free(owner->run_timer);
    fay_timer_free(owner->progress_timer);
    for (size_t i = 0; i < FAY_COUNT(owner->signals); i++) {
        if (owner->signals[i].data != NULL)
            uv_close((uv_handle_t *)&owner->signals[i], NULL);
    }
    (void)uv_prepare_stop(&owner->prepare); /* no pump from here on */
    (void)uv_check_stop(&owner->check);
    uv_close((uv_handle_t *)&owner->prepare, NULL);
    uv_close((uv_handle_t *)&owner->check, NULL);
    uv_close((uv_handle_t *)&owner->idle, NULL);
    (void)uv_run(&owner->loop, UV_RUN_DEFAULT); /* what is closing, and the pool's last work */
    (void)uv_loop_close(&owner->loop);

    free(owner->whens);
    free(owner->feeds);
    free(owner->stages);
    free(owner->ranges);
    free(owner->run);
    free(owner->node);
    free(owner->dead_path);
    free(owner->file);
    free(owner->why);
    free(owner->lost);
}

/* What went wrong before there was a run. */
static int refuse(fay_owner *owner, const fay_error *err)
{
    fay_owner_say_error(owner, err);
    bool usage = err->status == FAY_E_CONFIG || err->status == FAY_E_INVAL;
    return usage ? FAY_EXIT_USAGE : FAY_EXIT_IO;
}

static int bring_up(fay_owner *owner, fay_error *err)
{
    int r = make_router(owner, err);
    if (r != 0)
        return r;
    make_flow(owner);
    owner->spools = fay_spools_new();
    r = fay_owner_open_ends(owner, err);
    if (r == 0)
        r = open_logs(owner, err);
    if (r != 0)
        return r;
    fay_owner_open_display(owner);
    (void)fay_owner_catch_signals(owner);
    fay_owner_start_run_timer(owner);
    fay_events_emit(owner->events, "start", FAY_HOOK_NONE, "");
    fay_owner_start_instances(owner);
    fay_owner_wake(owner);
    return 0;
}

/* A standard descriptor that is closed would become a file of ours. What takes its place can be
 * neither read (stdin) nor written (stdout), so that who needs it is told. */
static void fill_standard(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
    for (int fd = 0; fd < (int)FAY_COUNT(modes); fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", modes[fd]); /* the lowest that is free: this one */
    }
}

#define READERS_WAIT (2 * FAY_SECOND) /* at the end, for those of logs */

int fay_run_execute(const fay_run_options *options, int *ret_signal)
{
    fay_owner owner = {.saturated = true, /* as the flow takes it until it is told */
                       .options = options,
                       .pipeline = options->pipeline,
                       .begun = uv_hrtime(),
                       .relay_fds = {-1, -1}};
    fay_error err = {0};
    *ret_signal = 0;
    fill_standard();
    fay_host_init(-1);
    if (fay_owner_loop_init(&owner) != 0) {
        (void)fay_fail_with(&err, FAY_E_NORES, "cannot make an event loop");
        return refuse(&owner, &err);
    }
    owner.node = host_name();
    int exit = 0;
    if (bring_up(&owner, &err) != 0) {
        exit = refuse(&owner, &err);
    } else {
        (void)uv_run(&owner.loop, UV_RUN_DEFAULT);
        fay_ns patience = uv_hrtime() + READERS_WAIT;
        fay_trail_finish(owner.trail, patience);
        fay_events_finish(owner.events, patience);
        exit = fay_owner_exit_code(&owner);
        fay_owner_close_display(&owner);
        fay_owner_summary(&owner);
        *ret_signal = exit == 128 + owner.signal ? owner.signal : 0;
    }
    take_down(&owner);
    return exit;
}
