/* SPDX-License-Identifier: MIT */
/*
 * What the user sees on stderr. While there is a bar, workers' lines go through a pipe to us, so
 * that the bar is taken away before each and drawn again behind it; else they go straight to
 * stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/file.h"
#include "run/owner.h"

/* ---- lines ----------------------------------------------------------------------------------- */

/* What stands on the cursor's line, a bar or a question, makes room and stands behind it again. */
static void write_line(fay_owner *owner, const char *text, size_t size)
{
    fay_progress_clear(owner->progress);
    fay_ask_hide(owner->ask);
    (void)fay_file_write(STDERR_FILENO, text, size);
    fay_ask_show(owner->ask);
}

void fay_owner_say(fay_owner *owner, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        return;
    write_line(owner, text, (size_t)length);
    free(text);
}

static void say_with_hint(fay_owner *owner, const char *what, const fay_error *err)
{
    fay_owner_say(owner, "faymora: %s: %s\n", what, err->message);
    if (err->hint[0] != '\0')
        fay_owner_say(owner, "  hint: %s\n", err->hint);
}

void fay_owner_say_error(fay_owner *owner, const fay_error *err)
{
    say_with_hint(owner, "error", err);
}

void fay_owner_say_warning(fay_owner *owner, const fay_error *err)
{
    say_with_hint(owner, "warning", err);
}

/* ---- workers' stderr ------------------------------------------------------------------------- */

static void on_relay(void *context, unsigned events)
{
    (void)events;
    fay_owner *owner = context;
    char bytes[8192];
    ssize_t n = read(owner->relay_fds[0], bytes, sizeof bytes);
    if (n <= 0)
        return;
    write_line(owner, bytes, (size_t)n);
    owner->changed = true;
}

int fay_owner_stderr(const fay_owner *owner)
{
    return owner->relay_fds[1] >= 0 ? owner->relay_fds[1] : STDERR_FILENO;
}

/* ---- progress -------------------------------------------------------------------------------- */

static void make_report(fay_owner *owner, fay_report_stage *stages, fay_report *ret)
{
    fay_ns now = uv_hrtime();
    size_t count = owner->pipeline->stages_count;
    for (size_t i = 0; i < count; i++) {
        stages[i].name = owner->pipeline->stages[i].name;
        fay_flow_stage_stats(owner->flow, now, i, &stages[i].stats);
    }
    fay_owner_tally tally = fay_owner_count(owner);
    fay_flow_totals totals;
    fay_flow_total(owner->flow, &totals);
    *ret = (fay_report){.run = owner->run,
                        .pipeline = owner->pipeline->name,
                        .stages = stages,
                        .stages_count = count,
                        .totals = totals,
                        .in = tally.in,
                        .out = tally.out,
                        .dead = tally.dead,
                        .done_before = owner->past.in,
                        .unwritten = totals.written - FAY_MIN(owner->out, totals.written),
                        .expected = fay_source_expected(owner->source),
                        .dead_letter = owner->dead_path,
                        .state = owner->options->state,
                        .elapsed = now - owner->begun,
                        .exit_code = fay_owner_exit_code(owner),
                        .why = owner->why != NULL ? owner->why : owner->lost};
}

static void show(fay_owner *owner, fay_ns now)
{
    fay_report_stage stages[FAY_STAGES_MAX];
    fay_report report;
    make_report(owner, stages, &report);
    fay_progress_show(owner->progress, &report, now);
    owner->changed = false;
}

static void on_progress(void *context)
{
    fay_owner *owner = context;
    if (!fay_ask_is_open(owner->ask))
        show(owner, uv_hrtime());
}

/* The timer runs only while something has changed: an idle run is not woken up for its bar. */
void fay_owner_show_progress(fay_owner *owner)
{
    if (owner->progress == NULL || !owner->changed || fay_ask_is_open(owner->ask) ||
        fay_timer_running(owner->progress_timer))
        return;
    fay_ns now = uv_hrtime();
    fay_ns due = fay_progress_due(owner->progress, now);
    if (due == FAY_NEVER)
        return;
    fay_timer_start(owner->progress_timer, (due - now) / FAY_MS + 1);
}

void fay_owner_open_display(fay_owner *owner)
{
    const fay_run_options *options = owner->options;
    owner->progress_timer = fay_timer_new(&owner->loop, on_progress, owner);
    if (!options->quiet && !options->json)
        owner->progress = fay_progress_new(options->progress, options->colour, STDERR_FILENO);
    if (fay_progress_is_bar(owner->progress) && pipe2(owner->relay_fds, O_CLOEXEC) == 0) {
        owner->relay = fay_await_new(&owner->loop, owner->relay_fds[0], on_relay, owner);
        fay_await_want(owner->relay, FAY_AWAIT_READ);
    }
}

void fay_owner_close_display(fay_owner *owner)
{
    struct {
        char bytes[8192];
    } last;
    if (owner->relay != NULL) { /* what the workers said last */
        (void)close(owner->relay_fds[1]);
        ssize_t n;
        (void)fcntl(owner->relay_fds[0], F_SETFL, O_NONBLOCK);
        while ((n = read(owner->relay_fds[0], last.bytes, sizeof last.bytes)) > 0) {
            write_line(owner, last.bytes, (size_t)n);
        }
        fay_await_free(FAY_STEAL(owner->relay));
        (void)close(owner->relay_fds[0]);
        owner->relay_fds[0] = owner->relay_fds[1] = -1;
    }
    fay_progress_free(FAY_STEAL(owner->progress));
}

/* ---- the end --------------------------------------------------------------------------------- */

static void explain(fay_owner *owner, const fay_report *report)
{
    for (size_t i = 0; i < report->stages_count; i++) {
        const fay_owner_instance *instance = &owner->instances[i];
        const fay_flow_stats *s = &report->stages[i].stats;
        const fay_flow_stage *config = &owner->stages[i];
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
        fay_history_tell(instance->history, report->stages[i].name, &text);
        fay_owner_say(owner,
                      "%s%s: %u workers at most (of %u-%u), %llu started, %llu retired; pressure "
                      "HIGH %llu times, LOW %llu times; held %llu times; %.3f ms an Item\n",
                      fay_buffer_text(&text), report->stages[i].name, s->workers_peak,
                      config->workers_min, config->workers_max,
                      (unsigned long long)instance->spawned, (unsigned long long)instance->retired,
                      (unsigned long long)instance->high, (unsigned long long)instance->low,
                      (unsigned long long)instance->held, s->item_ns / 1e6);
    }
}

/* How to go on: the command as it was typed, with --resume among its flags. */
static void tell_saved(fay_owner *owner)
{
    const fay_run_options *options = owner->options;
    bool unfinished = owner->signal != 0 || owner->exit != 0;
    if (options->state == NULL || options->command == NULL || !unfinished || options->quiet)
        return;
    const char *command = options->command;
    const char *flag = strstr(command, "--resume") != NULL ? "" : " --resume";
    const char *words = strstr(command, " -- "); /* what follows is the stages' */
    size_t head = words != NULL ? (size_t)(words - command) : strlen(command);
    fay_owner_say(owner, "saved %s; continue with: %.*s%s%s\n", options->state, (int)head, command,
                  flag, command + head);
}

void fay_owner_summary(fay_owner *owner)
{
    const fay_run_options *options = owner->options;
    fay_report_stage stages[FAY_STAGES_MAX];
    fay_report report;
    make_report(owner, stages, &report);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    bool piped_away = report.exit_code == FAY_EXIT_SIGPIPE;
    if (options->json) {
        fay_report_json(&report, &text);
    } else if (!options->quiet && !piped_away) {
        report.why = NULL; /* was told when it happened */
        fay_report_summary(&report, options->colour ? FAY_REPORT_COLOUR : 0, &text);
    }
    if (fay_buffer_size(&text) > 0)
        fay_owner_say(owner, "%s", fay_buffer_text(&text));
    if (options->explain)
        explain(owner, &report);
    tell_saved(owner);
}
