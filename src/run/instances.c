/* SPDX-License-Identifier: MIT */
/*
 * The Instances of a run, one a stage: our own program with a hidden verb, over a socketpair.
 *
 *     started --(HELLO)--> up --(link closes, process ends)--> both gone --> started again
 *
 * Whichever of link and process ends first takes the other along. Before a stage is started again,
 * whatever the dead Instance has left over is found and killed, so that no Item is worked on twice
 * at a time for longer than that takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "run/owner.h"
#include "wire/block.h"
#include "wire/codec.h"
#include "wire/setup.h"

enum {
    EARLY_MAX = 5 /* deaths before HELLO, one after the other: it cannot start */
};

static void start(fay_owner_instance *instance);

/* ---- what it is told first ------------------------------------------------------------------- */

/* Borrows everything; fay_setup's strings are not const as others own theirs. */
static fay_setup make_setup(const fay_owner *owner, size_t index)
{
    const fay_stage_def *def = &owner->pipeline->stages[index];
    static char none[] = "";
    static char *no_words[] = {NULL};
    return (fay_setup){
        .run = owner->run,
        .pipeline = owner->pipeline->name,
        .stage = def->name,
        .node = owner->node,
        .mode = (uint8_t)def->mode,
        .emit = (uint8_t)def->emit,
        .format = (uint8_t)def->format,
        .buffering = (uint8_t)def->buffering,
        .tag = owner->options->tag || isatty(STDERR_FILENO) == 1,
        .argv = def->module == NULL ? def->argv : no_words,
        .module = def->module != NULL ? def->module : none,
        .options = def->options,
        .cwd = def->cwd,
        .env = def->env != NULL ? def->env : no_words,
        .item_max = def->item_max,
        .output_max = def->output_max,
        .timeout = def->timeout,
        .stall = def->stall,
        .stop_signal = def->stop_signal,
        .stop_grace = def->stop_grace,
        .recycle_items = def->recycle_items,
        .recycle_rss = def->recycle_rss,
        .recycle_age = def->recycle_age,
        .memory_max = def->memory,
        .whens = owner->whens,
        .feeds = owner->feeds,
        .stages = (uint32_t)owner->pipeline->stages_count,
        .index = (uint32_t)index,
    };
}

static void greet(fay_owner_instance *instance)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer hello = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_write32(&hello, FAY_PROTOCOL_VERSION);
    fay_write32(&hello, (uint32_t)getpid());
    fay_link_send(instance->link, FAY_MESSAGE_HELLO, 0, fay_buffer_data(&hello),
                  fay_buffer_size(&hello));
    fay_setup setup = make_setup(instance->owner, instance->stage);
    fay_setup_write(&setup, &payload);
    fay_link_send(instance->link, FAY_MESSAGE_SETUP, 0, fay_buffer_data(&payload),
                  fay_buffer_size(&payload));
}

/* ---- life ------------------------------------------------------------------------------------ */

static const char *name_of(const fay_owner_instance *instance)
{
    return instance->owner->pipeline->stages[instance->stage].name;
}

static bool wanted(const fay_owner *owner)
{
    return owner->stage_of_life == FAY_RUNNING || owner->stage_of_life == FAY_DRAINING;
}

static void fail_start(fay_owner_instance *instance, int fault, const char *why)
{
    fay_error err = {0};
    if (fault != 0) {
        (void)fay_fail_errno(&err, FAY_E_IO, fault, "cannot start the Instance of stage '%s'",
                             name_of(instance));
    } else {
        (void)fay_fail_with(&err, FAY_E_IO, "the Instance of stage '%s' cannot start: %s",
                            name_of(instance), why);
    }
    fay_owner_fail(instance->owner, FAY_EXIT_WORKER, &err);
}

static void again(fay_owner_instance *instance)
{
    fay_owner *owner = instance->owner;
    if (instance->link != NULL || fay_process_running(instance->process))
        return;
    fay_process_free(FAY_STEAL(instance->process));
    if (wanted(owner)) {
        if (instance->early >= EARLY_MAX) {
            fail_start(instance, 0, instance->death);
        } else {
            start(instance);
        }
    }
    fay_owner_check_end(owner);
}

static void on_ended(void *context, int status)
{
    fay_owner_instance *instance = context;
    fay_owner *owner = instance->owner;
    FAY_CLEANUP(fay_freep) char *how = fay_process_ending(status);
    free(instance->death);
    instance->death = fay_printed("its Instance ended with %s", how);
    if (wanted(owner)) {
        instance->early++;
        fay_processes_sweep(owner->processes);
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
        fay_events_member(&members, "stage", name_of(instance), strlen(name_of(instance)));
        fay_events_member(&members, "error", instance->death, strlen(instance->death));
        fay_events_emit(owner->events, "instance.down", FAY_HOOK_NODE_LOST,
                        fay_buffer_text(&members));
    }
    /* Its end of the link is closed with it. What it sent last is still to be read: the link tells
     * when that is done. */
    again(instance);
}

void fay_owner_link_closed(fay_owner_instance *instance, int why)
{
    fay_owner *owner = instance->owner;
    const char *said = instance->death != NULL ? instance->death : "its Instance died";
    if (why == FAY_E_TIMEOUT) {
        said = "its Instance was silent for 3.5 s";
    } else if (why == FAY_E_PEER) {
        said = "its Instance broke the protocol";
    }
    const fay_news news = fay_news_saying(said);
    instance->link = NULL;
    fay_trail_gone(owner->trail, instance->stage, instance->number, -1, &news);
    if (instance->up) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer note = {0};
        fay_news_write(&news, &note);
        fay_flow_event event = {.kind = FAY_FLOW_LINK_DOWN,
                                .link = instance->number,
                                .note = fay_buffer_data(&note),
                                .note_size = fay_buffer_size(&note)};
        (void)fay_owner_feed(owner, &event);
    }
    instance->up = false;
    if (fay_process_running(instance->process) && owner->stage_of_life != FAY_ENDING)
        fay_process_signal(instance->process, SIGKILL);
    again(instance);
}

static void start(fay_owner_instance *instance)
{
    fay_owner *owner = instance->owner;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        fail_start(instance, errno, NULL);
        return;
    }
    FAY_CLEANUP(fay_freep) char *program = fay_host_program("faymora");
    const char *argv[] = {access(program, X_OK) == 0 ? program : "/proc/self/exe", "--instance",
                          "3", NULL};
    int err_fd = fay_owner_stderr(owner);
    fay_spawn spawn = {.argv = argv, .fds = {-1, err_fd, err_fd, pair[1]}, .death_signal = SIGCONT};
    int fault = 0;
    instance->process = fay_process_start(owner->processes, &spawn, on_ended, instance, &fault);
    (void)close(pair[1]);
    if (instance->process == NULL) {
        (void)close(pair[0]);
        fail_start(instance, fault, NULL);
        return;
    }
    instance->number = ++owner->next_link;
    instance->numbers = 0;
    instance->link = fay_link_open(&owner->loop, pair[0], &fay_owner_link_events, instance);
    greet(instance);
}

void fay_owner_start_instances(fay_owner *owner)
{
    size_t count = owner->pipeline->stages_count;
    owner->instances = fay_alloc(count * sizeof *owner->instances);
    for (size_t i = 0; i < count; i++) {
        owner->instances[i] = (fay_owner_instance){.owner = owner, .stage = i};
        if (owner->options->explain)
            owner->instances[i].history = fay_history_new();
    }
    for (size_t i = 0; i < count && wanted(owner); i++) {
        start(&owner->instances[i]);
    }
}

void fay_owner_instance_ready(fay_owner_instance *instance)
{
    instance->up = true;
    instance->early = 0;
    fay_flow_event event = {
        .kind = FAY_FLOW_LINK_UP, .stage = instance->stage, .link = instance->number};
    (void)fay_owner_feed(instance->owner, &event);
    fay_owner_open_source(instance->owner);
}

/* ---- feeding --------------------------------------------------------------------------------- */

fay_owner_instance *fay_owner_find_instance(fay_owner *owner, uint32_t link)
{
    for (size_t i = 0; i < owner->pipeline->stages_count; i++) {
        fay_owner_instance *instance = &owner->instances[i];
        if (instance->number == link && instance->link != NULL)
            return instance;
    }
    return NULL; /* closed meanwhile: the flow hears of it next */
}

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void fay_owner_lease(fay_owner_instance *instance, const fay_flow_action *action)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer head = {0};
    fay_batch *batch = action->batch;
    fay_trail_leased(instance->owner->trail, action);
    fay_write64(&head, action->tag);
    fay_write64(&head, now_ms());
    fay_block_head(batch, action->at, action->count, true, NULL, &head);
    size_t size;
    if (fay_batch_contiguous(batch, action->at, action->count, &size)) {
        fay_link_send2(instance->link, FAY_MESSAGE_LEASE, action->worker, fay_buffer_data(&head),
                       fay_buffer_size(&head), batch->bytes + batch->entries[action->at].at, size);
        return;
    }
    fay_block_data(batch, action->at, action->count, &head);
    fay_link_send(instance->link, FAY_MESSAGE_LEASE, action->worker, fay_buffer_data(&head),
                  fay_buffer_size(&head));
}

void fay_owner_send_status(fay_owner_instance *instance)
{
    fay_flow_stats stats;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    if (!instance->up)
        return;
    fay_flow_stage_stats(instance->owner->flow, uv_hrtime(), instance->stage, &stats);
    fay_write8(&payload, (uint8_t)(int8_t)instance->pressure);
    fay_write32(&payload, stats.workers);
    fay_write32(&payload, stats.target);
    fay_link_send(instance->link, FAY_MESSAGE_STATUS, 0, fay_buffer_data(&payload),
                  fay_buffer_size(&payload));
}

/* ---- the end --------------------------------------------------------------------------------- */

void fay_owner_stop_instances(fay_owner *owner)
{
    for (size_t i = 0; i < owner->pipeline->stages_count; i++) {
        if (owner->instances[i].link != NULL)
            fay_link_send(owner->instances[i].link, FAY_MESSAGE_STOP, 0, NULL, 0);
    }
}

void fay_owner_term_workers(fay_owner *owner)
{
    for (size_t i = 0; i < owner->pipeline->stages_count; i++) {
        const fay_owner_instance *instance = &owner->instances[i];
        uint8_t signal[4];
        fay_store32(signal, (uint32_t)owner->pipeline->stages[i].stop_signal);
        /* Numbers that are free are ignored. */
        for (unsigned n = 0; instance->link != NULL && n < instance->numbers; n++) {
            fay_link_send(instance->link, FAY_MESSAGE_KILL, (uint16_t)n, signal, sizeof signal);
        }
    }
}

void fay_owner_close_instances(fay_owner *owner)
{
    for (size_t i = 0; owner->instances != NULL && i < owner->pipeline->stages_count; i++) {
        fay_owner_instance *instance = &owner->instances[i];
        if (instance->link == NULL)
            continue;
        fay_link_close(FAY_STEAL(instance->link));
        if (instance->up && !owner->done) {
            fay_flow_event event = {.kind = FAY_FLOW_LINK_DOWN, .link = instance->number};
            (void)fay_owner_feed(owner, &event);
        }
        instance->up = false;
    }
}

bool fay_owner_instances_ended(const fay_owner *owner)
{
    for (size_t i = 0; owner->instances != NULL && i < owner->pipeline->stages_count; i++) {
        if (fay_process_running(owner->instances[i].process))
            return false;
    }
    return true;
}

void fay_owner_free_instances(fay_owner *owner)
{
    for (size_t i = 0; owner->instances != NULL && i < owner->pipeline->stages_count; i++) {
        fay_owner_instance *instance = &owner->instances[i];
        if (instance->link != NULL)
            fay_link_close(FAY_STEAL(instance->link));
        fay_process_free(FAY_STEAL(instance->process));
        fay_history_free(instance->history);
        free(instance->death);
    }
    free(owner->instances);
    owner->instances = NULL;
}
