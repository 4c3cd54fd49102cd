/* SPDX-License-Identifier: MIT */
/*
 * The circuit breaker has the flow paused: the first Items of a stage have all failed alike, and
 * something is wrong with the stage rather than with a million Items. What then:
 *
 *     somebody is at the terminal --> explained, asked --yes--> GO_ON: what fails is dead-lettered
 *                                                     '--no, Ctrl-C, end of file, hung up--.
 *     nobody is --------------------------------------------------------------> stop, exit 5
 *
 * Nobody is where stderr is no terminal, where the run is in the background, or has no controlling
 * terminal; nor for who has asked for silence (--quiet), or for JSON (--json), as a program does;
 * nor where the terminal is the source: what is typed there are Items.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/shell.h"
#include "item/template.h"
#include "run/owner.h"

enum {
    TAIL_LINES = 5,   /* of stderr that are shown */
    SHOWN_ITEM = 100, /* bytes of an Item that one would type */
};

static const char question[] = "Go on all the same, and dead-letter what fails? [y/N] ";

/* ---- the explanation ------------------------------------------------------------------------- */

/* The last lines, each with something before it. */
static void tell_tail(fay_owner *owner, const fay_news *news)
{
    size_t end = news->tail_size;
    while (end > 0 && isspace((unsigned char)news->tail[end - 1]) != 0) {
        end--;
    }
    size_t begin = end;
    int lines = 0;
    while (begin > 0 && (news->tail[begin - 1] != '\n' || ++lines < TAIL_LINES)) {
        begin--;
    }
    if (end > begin)
        fay_owner_say(owner, "  stderr:\n");
    while (begin < end) {
        const char *newline = memchr(news->tail + begin, '\n', end - begin);
        size_t length = newline != NULL ? (size_t)(newline - news->tail) - begin : end - begin;
        fay_owner_say(owner, "    %.*s\n", (int)length, news->tail + begin);
        begin += length + 1;
    }
}

static void tell_letters(fay_owner *owner, size_t stage)
{
    fay_flow_totals totals;
    fay_flow_total(owner->flow, &totals);
    bool drops = owner->pipeline->stages[stage].on_error == FAY_ON_ERROR_DROP;
    if (drops || owner->dead_path == NULL) {
        fay_owner_say(owner, "  dead letters: none, what fails is dropped\n");
    } else {
        fay_owner_say(owner, "  dead letters: %s (%llu so far)\n", owner->dead_path,
                      (unsigned long long)totals.dead);
    }
}

/* The stage's command as `faymora run --` would have it; false where it cannot be typed so. */
static bool add_command(const fay_stage_def *def, fay_buffer *out)
{
    if (def->words == NULL && def->shell == NULL)
        return false;
    if (def->words == NULL) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
        fay_template_escape(def->shell, &text);
        FAY_CLEANUP(fay_freep) char *line = fay_strdup(fay_buffer_text(&text));
        fay_buffer_append_text(out, "sh -c ");
        fay_shell_join(&line, 1, out);
        return true;
    }
    size_t count = 0;
    for (; def->words[count] != NULL; count++) {
        if (strcmp(def->words[count], "::") == 0 || strcmp(def->words[count], ":::") == 0)
            return false; /* would end the command */
    }
    fay_shell_join(def->words, count, out);
    return true;
}

/* An Item that can be typed, in the words of a shell; else a word in its place. */
static void add_item(const uint8_t *bytes, size_t size, fay_buffer *out)
{
    bool fits = size > 0 && size <= SHOWN_ITEM;
    for (size_t i = 0; i < size && fits; i++) {
        fits = bytes[i] >= 0x20 && bytes[i] < 0x7f;
    }
    FAY_CLEANUP(fay_freep)
    char *item = fits ? fay_strndup((const char *)bytes, size) : fay_strdup("ITEM");
    fay_shell_join(&item, 1, out);
}

static void tell_hint(fay_owner *owner, const fay_flow_action *action)
{
    const fay_stage_def *def = &owner->pipeline->stages[action->stage];
    const fay_entry *entry = &action->batch->entries[action->at];
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer line = {0};
    fay_buffer_printf(&line, "faymora run --mode %s --retries 0 --dead-letter none -- ",
                      fay_mode_names[def->mode]);
    fay_owner_say(owner, "  hint: something is wrong with the stage, not with the Items\n");
    if (!add_command(def, &line))
        return;
    fay_buffer_append_text(&line, " ::: ");
    add_item(action->batch->bytes + entry->at, entry->size, &line);
    fay_owner_say(owner, "  try one by hand:\n    %s\n", fay_buffer_text(&line));
}

static void explain(fay_owner *owner, const fay_flow_action *action)
{
    const fay_news news = fay_news_read(action->note, action->note_size);
    fay_owner_say(owner, "faymora: paused: %s\n", owner->tripped.message);
    tell_tail(owner, &news);
    tell_letters(owner, action->stage);
    tell_hint(owner, action);
    fay_owner_say(owner, "Nothing more is begun until you answer; what workers have in hand may "
                         "finish.\n");
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void tell_event(fay_owner *owner, const char *name)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
    const char *why = owner->tripped.message;
    fay_events_member(&members, "why", why, strlen(why));
    fay_events_emit(owner->events, name, FAY_HOOK_NONE, fay_buffer_text(&members));
}

static void on_answer(void *context, fay_answer answer)
{
    fay_owner *owner = context;
    if (answer != FAY_ANSWER_YES) {
        fay_owner_fail(owner, FAY_EXIT_LIMIT, &owner->tripped);
        return;
    }
    fay_ask_free(FAY_STEAL(owner->ask));
    tell_event(owner, "continued");
    (void)fay_owner_feed(owner, &(fay_flow_event){.kind = FAY_FLOW_GO_ON});
}

static bool may_ask(const fay_owner *owner)
{
    const fay_run_options *options = owner->options;
    bool typed = owner->pipeline->source.kind == FAY_SOURCE_STDIN && options->retry_dead == NULL &&
                 isatty(STDIN_FILENO) == 1;
    return owner->stage_of_life == FAY_RUNNING && !options->quiet && !options->json && !typed;
}

void fay_owner_paused(fay_owner *owner, const fay_flow_action *action)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer cause = {0};
    fay_owner_tell_cause(owner, action, &cause);
    owner->tripped = (fay_error){0};
    (void)fay_fail_with(&owner->tripped, FAY_E_DENIED,
                        "the first %llu Items of stage '%s' all failed alike: %.200s",
                        (unsigned long long)action->items,
                        owner->pipeline->stages[action->stage].name, fay_buffer_text(&cause));
    fay_hint(&owner->tripped, "something is wrong with the stage, not with the Items; what was not "
                              "begun has not been consumed");
    fay_ask *ask = may_ask(owner) ? fay_ask_new(&owner->loop, question, on_answer, owner) : NULL;
    if (ask == NULL) {
        fay_owner_fail(owner, FAY_EXIT_LIMIT, &owner->tripped);
        return;
    }
    explain(owner, action);
    tell_event(owner, "paused");
    owner->ask = ask;
    fay_ask_show(ask);
}
