/* SPDX-License-Identifier: MIT */
#include "node/asking.h"

#include <bsd/sys/queue.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/message.h"
#include "loop/timer.h"

enum {
    NUMBER = 1 /* of the one call of a connection */
};

typedef struct fay_asked {
    fay_asking *asking;
    fay_ask ask; /* of what it points to these are copies: */
    fay_node_id id;
    char *address, *verb, *args;
    fay_peer *peer; /* NULL = it waits for its turn */
    fay_timer *timer;
    TAILQ_ENTRY(fay_asked) entry;
} fay_asked;

struct fay_asking {
    uv_loop_t *loop;
    fay_peers *peers;
    TAILQ_HEAD(fay_asked_list, fay_asked) all; /* in the order in which they came */
    size_t under_way;
    bool ending;
};

static void begin_more(fay_asking *asking);

static void free_asked(fay_asked *asked)
{
    TAILQ_REMOVE(&asked->asking->all, asked, entry);
    asked->asking->under_way -= asked->peer != NULL;
    if (asked->peer != NULL)
        fay_peer_close(asked->peer);
    fay_timer_free(asked->timer);
    free(asked->address);
    free(asked->verb);
    free(asked->args);
    free(asked);
}

/* Tells who has asked, and lets the next one have its turn. */
static void end(fay_asked *asked, json_t *result, const fay_error *err, int exit)
{
    fay_asking *asking = asked->asking;
    fay_ask ask = asked->ask;
    free_asked(asked);
    if (ask.answered != NULL)
        ask.answered(ask.context, result, err, exit);
    if (!asking->ending)
        begin_more(asking);
}

static void on_up(void *context, fay_peer *peer, const fay_peer_who *who)
{
    (void)who;
    const fay_asked *asked = context;
    fay_control_call call = {.number = NUMBER,
                             .verb = asked->verb,
                             .verb_size = strlen(asked->verb),
                             .json = asked->args,
                             .json_size = strlen(asked->args)};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_control_call_write(&call, &payload);
    fay_peer_send(peer, FAY_MESSAGE_CALL, fay_buffer_data(&payload), fay_buffer_size(&payload));
}

static void fail(fay_asked *asked, json_t *said)
{
    const char *status = "", *message = "it does not say why", *hint = "";
    int exit = FAY_CONTROL_EXIT;
    fay_error err = {0};
    (void)json_unpack(said, "{s?s, s?s, s?s, s?i}", "status", &status, "message", &message, "hint",
                      &hint, "exit", &exit);
    (void)fay_fail_with(&err, fay_status_find(status), "%s", message);
    if (hint[0] != '\0')
        fay_hint(&err, "%s", hint);
    end(asked, NULL, &err, exit);
}

static int on_frame(void *context, fay_peer *peer, const fay_frame *frame)
{
    (void)peer;
    fay_asked *asked = context;
    fay_control_answer answer;
    if (frame->type != FAY_MESSAGE_ANSWER ||
        fay_control_answer_parse(frame->payload, frame->size, &answer) != 0 ||
        answer.number != NUMBER)
        return FAY_E_PEER;
    json_t *said = json_loadb(answer.json, answer.json_size, JSON_REJECT_DUPLICATES, NULL);
    if (said == NULL)
        return FAY_E_PEER;
    if (answer.kind == FAY_ANSWER_FAILED) {
        fail(asked, said);
    } else {
        end(asked, said, NULL, 0);
    }
    json_decref(said);
    return 0;
}

static void on_closed(void *context, fay_peer *peer, fay_peer_end why, const fay_error *err)
{
    (void)peer;
    (void)why;
    fay_asked *asked = context;
    asked->peer = NULL;
    asked->asking->under_way--;
    end(asked, NULL, err, FAY_CONTROL_EXIT);
}

static void on_due(void *context)
{
    fay_asked *asked = context;
    fay_error err = {0};
    (void)fay_fail_with(&err, FAY_E_TIMEOUT, "%s does not answer", asked->address);
    end(asked, NULL, &err, FAY_CONTROL_EXIT);
}

static const fay_peer_events asked_events = {.up = on_up, .frame = on_frame, .closed = on_closed};

static void begin_more(fay_asking *asking)
{
    fay_asked *asked;
    TAILQ_FOREACH (asked, &asking->all, entry) {
        if (asking->under_way >= FAY_ASKS_MAX)
            return;
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of TAILQ, that one is off the list */
        if (asked->peer != NULL)
            continue;
        fay_peer_dial to = {.address = asked->address,
                            .preamble = {.target = FAY_TARGET_NODE},
                            .expected = &asked->id};
        asked->peer = fay_peer_dial_to(asking->peers, &to, &asked_events, asked);
        fay_timer_start(asked->timer, asked->ask.within / FAY_MS);
        asking->under_way++;
    }
}

fay_asking *fay_asking_new(uv_loop_t *loop, fay_peers *peers)
{
    fay_asking *asking = fay_alloc(sizeof *asking);
    TAILQ_INIT(&asking->all);
    asking->loop = loop;
    asking->peers = peers;
    return asking;
}

void fay_asking_free(fay_asking *asking)
{
    if (asking == NULL)
        return;
    fay_error err = {0};
    (void)fay_fail_with(&err, FAY_E_CLOSED, "this Node stops");
    asking->ending = true;
    fay_asked *asked, *next;
    TAILQ_FOREACH_SAFE(asked, &asking->all, entry, next)
    {
        end(asked, NULL, &err, FAY_CONTROL_EXIT);
    }
    free(asking);
}

void fay_asking_ask(fay_asking *asking, const fay_ask *ask)
{
    fay_asked *asked = fay_alloc(sizeof *asked);
    *asked = (fay_asked){.asking = asking,
                         .ask = *ask,
                         .id = ask->member->id,
                         .address = fay_grid_text(ask->member->record->address),
                         .verb = fay_strdup(ask->verb),
                         .args = json_dumps(ask->args, JSON_COMPACT)};
    asked->timer = fay_timer_new(asking->loop, on_due, asked);
    TAILQ_INSERT_TAIL(&asking->all, asked, entry);
    begin_more(asking);
}

void fay_asking_forget(fay_asking *asking, const void *context)
{
    fay_asked *asked, *next;
    TAILQ_FOREACH_SAFE(asked, &asking->all, entry, next)
    {
        if (asked->ask.context == context)
            free_asked(asked);
    }
    begin_more(asking);
}
