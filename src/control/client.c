/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/texts.h"
#include "base/units.h"
#include "control/client_way.h"
#include "control/message.h"
#include "item/json.h"

enum {
    LOOK_MS = 2000 /* whether a stream is wanted, and the Node is there */
};

/* ---- what comes ------------------------------------------------------------------------------ */

/* A text of another's: nothing in it that a terminal would act on. */
static void copy_text(const json_t *failure, const char *name, char *text, size_t size)
{
    const char *said = json_string_value(json_object_get(failure, name));
    (void)snprintf(text, size, "%s", said != NULL ? said : "");
    fay_text_tame(text);
}

static void on_failed(fay_client *client, const json_t *failure)
{
    fay_client_error *failed = &client->failed;
    const char *status = json_string_value(json_object_get(failure, "status"));
    json_int_t exit = json_integer_value(json_object_get(failure, "exit"));
    *failed = (fay_client_error){.exit = exit > 0 && exit < 128 ? (int)exit : FAY_CONTROL_EXIT};
    failed->error.status = status != NULL ? fay_status_find(status) : FAY_E_PEER;
    copy_text(failure, "message", failed->error.message, sizeof failed->error.message);
    copy_text(failure, "hint", failed->error.hint, sizeof failed->error.hint);
}

/* The parts that come end here, by our word. */
static void stop(fay_client *client)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_control_cancel_write(client->waited, &payload);
    client->way->send(client, FAY_MESSAGE_CANCEL, fay_buffer_data(&payload),
                      fay_buffer_size(&payload));
    client->result = json_object();
    client->ended = true;
}

static void on_part(fay_client *client, json_t *part)
{
    if (client->each != NULL && !client->each(client->context, part))
        stop(client);
}

static void on_answer(fay_client *client, fay_answer_kind kind, json_t *json)
{
    switch (kind) {
    case FAY_ANSWER_MORE: on_part(client, json); break;
    case FAY_ANSWER_DONE:
        client->result = json_incref(json);
        client->ended = true;
        break;
    case FAY_ANSWER_FAILED:
        on_failed(client, json);
        client->ended = true;
        break;
    }
}

int fay_client_frame(fay_client *client, const fay_frame *frame)
{
    fay_control_answer answer;
    if (frame->type != FAY_MESSAGE_ANSWER ||
        fay_control_answer_parse(frame->payload, frame->size, &answer) < 0)
        return FAY_E_PEER;
    if (!client->ended && client->fence != 0 && answer.number == client->fence)
        stop(client);
    if (client->ended || answer.number != client->waited)
        return 0; /* of a call that is not waited for any more */
    json_t *json = fay_json_load(answer.json, answer.json_size, NULL);
    if (json == NULL)
        return FAY_E_PEER;
    on_answer(client, answer.kind, json);
    json_decref(json);
    return 0;
}

void fay_client_lost(fay_client *client, const fay_error *err)
{
    client->closed = true;
    if (err != NULL) {
        client->lost = *err;
    } else {
        (void)fay_fail_with(&client->lost, FAY_E_CLOSED, "%s has closed the connection",
                            client->where);
        fay_hint(&client->lost, "it may have ended; its log says why");
    }
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    ((fay_client *)timer->data)->due = true;
}

bool fay_client_await(fay_client *client, const bool *done, fay_ns timeout)
{
    client->due = false;
    uv_update_time(&client->loop);
    (void)uv_timer_start(&client->timer, on_timer, (timeout + FAY_MS - 1) / FAY_MS, 0);
    while (!*done && !client->closed && !client->due) {
        (void)uv_run(&client->loop, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&client->timer);
    return *done || client->closed;
}

/* Takes the arguments. Its number; 0: more arguments than a call may have. */
static uint32_t send_call(fay_client *client, const char *verb, json_t *args, fay_client_error *why)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer json = {0}, payload = {0};
    if (args != NULL) {
        fay_json_append_value(&json, args);
    } else {
        fay_buffer_append_text(&json, "{}");
    }
    json_decref(args);
    if (fay_buffer_size(&json) > FAY_CALL_JSON_MAX) {
        why->exit = FAY_CONTROL_EXIT_USAGE;
        (void)fay_fail_with(&why->error, FAY_E_INVAL,
                            "'%s' would have %zu bytes of arguments, and %zu are the most", verb,
                            fay_buffer_size(&json), FAY_CALL_JSON_MAX);
        return 0;
    }
    const fay_control_call call = {.number = ++client->last,
                                   .verb = verb,
                                   .verb_size = strlen(verb),
                                   .json = (const char *)fay_buffer_data(&json),
                                   .json_size = fay_buffer_size(&json)};
    fay_control_call_write(&call, &payload);
    client->way->send(client, FAY_MESSAGE_CALL, fay_buffer_data(&payload),
                      fay_buffer_size(&payload));
    return call.number;
}

/* From now on its answer is waited for. */
static void await_call(fay_client *client, uint32_t number)
{
    client->waited = number;
    client->fence = 0;
    client->each = NULL;
    client->ended = false;
    client->result = NULL;
}

/* The call has ended, or the connection: its result, or why there is none. */
static json_t *finish(fay_client *client, fay_client_error *why)
{
    if (client->ended && client->result != NULL)
        return FAY_STEAL(client->result);
    if (client->ended) {
        *why = client->failed;
    } else {
        *why = (fay_client_error){.error = client->lost, .exit = FAY_CONTROL_EXIT};
    }
    return NULL;
}

/* What comes later is not heard. */
static void give_up(fay_client *client, const char *verb, fay_ns timeout, fay_client_error *why)
{
    char text[FAY_UNITS_TEXT_MAX];
    client->ended = true;
    (void)fay_fail_with(&why->error, FAY_E_TIMEOUT, "%s did not answer '%s' within %s",
                        client->where, verb, fay_duration_text(timeout, text));
    fay_hint(&why->error, "it may be very busy, or stopped; --timeout waits longer");
    why->exit = FAY_CONTROL_EXIT;
}

json_t *fay_client_call(fay_client *client, const char *verb, json_t *args, fay_ns timeout,
                        fay_client_error *why)
{
    uint32_t number = send_call(client, verb, args, why);
    if (number == 0)
        return NULL;
    await_call(client, number);
    if (fay_client_await(client, &client->ended, timeout))
        return finish(client, why);
    give_up(client, verb, timeout, why);
    return NULL;
}

/* Whether it has ended, by whomever. */
static bool await_stream(fay_client *client, const fay_client_stream *stream)
{
    if (stream->timeout > 0)
        return fay_client_await(client, &client->ended, stream->timeout);
    while (!fay_client_await(client, &client->ended, LOOK_MS * FAY_MS)) {
        if (client->way->pings)
            client->way->send(client, FAY_MESSAGE_PING, NULL, 0);
        if (stream->wanted != NULL && !stream->wanted(stream->context))
            stop(client);
    }
    return true;
}

int fay_client_listen(fay_client *client, const fay_client_stream *stream, fay_client_error *why)
{
    uint32_t number = send_call(client, stream->verb, stream->args, why);
    if (number == 0)
        return why->error.status;
    await_call(client, number);
    client->each = stream->each;
    client->context = stream->context;
    if (stream->timeout > 0)
        client->fence = send_call(client, "status", NULL, why);
    if (!await_stream(client, stream)) {
        give_up(client, stream->verb, stream->timeout, why);
        return why->error.status;
    }
    json_t *result = finish(client, why);
    if (result == NULL)
        return why->error.status;
    json_decref(result);
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

fay_client *fay_client_new(const fay_client_way *way)
{
    fay_client *client = fay_alloc(sizeof *client);
    client->way = way;
    client->where = fay_strdup("the Node");
    client->ended = true; /* nothing is waited for */
    int r = uv_loop_init(&client->loop);
    assert(r == 0);
    (void)uv_timer_init(&client->loop, &client->timer);
    client->timer.data = client;
    return client;
}

void fay_client_close(fay_client *client)
{
    if (client == NULL)
        return;
    client->way->close(client);
    uv_close((uv_handle_t *)&client->timer, NULL);
    (void)uv_run(&client->loop, UV_RUN_DEFAULT);
    int r = uv_loop_close(&client->loop);
    assert(r == 0);
    json_decref(client->result);
    free(client->where);
    free(client);
}

const char *fay_client_where(const fay_client *client)
{
    return client->where;
}
