/* SPDX-License-Identifier: MIT */
#include "control/calls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/message.h"
#include "item/json.h"
#include "pki/role.h"

struct fay_call {
    fay_calls *calls;
    uint32_t number;
    void (*ended)(void *context); /* NULL = nobody wants to know */
    void *ended_context;
};

struct fay_calls {
    fay_calls_config config;
    char *caller;
    bool gone; /* nothing is sent any more */
    fay_call *under_way[FAY_CALLS_MAX];
    size_t count;
};

/* ---- answers --------------------------------------------------------------------------------- */

static void answer(fay_calls *calls, uint32_t number, fay_answer_kind kind, const fay_buffer *json)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    const fay_control_answer a = {.number = number,
                                  .kind = kind,
                                  .json = (const char *)fay_buffer_data(json),
                                  .json_size = fay_buffer_size(json)};
    if (calls->gone)
        return;
    fay_control_answer_write(&a, &payload);
    calls->config.send(calls->config.send_context, FAY_MESSAGE_ANSWER, fay_buffer_data(&payload),
                       fay_buffer_size(&payload));
}

static void append_member(fay_buffer *json, const char *name, const char *text)
{
    fay_buffer_printf(json, ",\"%s\":", name);
    fay_json_append_string(json, text, strlen(text));
}

static void answer_failed(fay_calls *calls, uint32_t number, const fay_error *err, int exit)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer json = {0};
    fay_buffer_printf(&json, "{\"status\":\"%s\",\"exit\":%d", fay_status_name(err->status), exit);
    append_member(&json, "message", err->message);
    append_member(&json, "hint", err->hint);
    fay_buffer_append_text(&json, "}");
    answer(calls, number, FAY_ANSWER_FAILED, &json);
}

/* Its text; takes the value. */
static void write_json(json_t *value, fay_buffer *json)
{
    if (value == NULL) {
        fay_buffer_append_text(json, "{}");
    } else {
        fay_json_append_value(json, value);
    }
    json_decref(value);
}

static fay_call *find(const fay_calls *calls, uint32_t number)
{
    for (size_t i = 0; i < calls->count; i++) {
        if (calls->under_way[i]->number == number)
            return calls->under_way[i];
    }
    return NULL;
}

/* The call is no more, whoever has it under way. */
static void forget(fay_call *call)
{
    fay_calls *calls = call->calls;
    size_t at = 0;
    while (at < calls->count && calls->under_way[at] != call) {
        at++;
    }
    assert(at < calls->count);
    calls->under_way[at] = calls->under_way[--calls->count];
    free(call);
}

static void end(fay_call *call)
{
    void (*ended)(void *context) = call->ended;
    void *context = call->ended_context;
    forget(call);
    if (ended != NULL)
        ended(context);
}

int fay_call_more(fay_call *call, json_t *part)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer json = {0};
    write_json(part, &json);
    if (fay_buffer_size(&json) > FAY_ANSWER_JSON_MAX)
        return FAY_E_NORES;
    answer(call->calls, call->number, FAY_ANSWER_MORE, &json);
    return 0;
}

void fay_call_done(fay_call *call, json_t *result)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer json = {0};
    write_json(result, &json);
    if (fay_buffer_size(&json) > FAY_ANSWER_JSON_MAX) {
        fay_error err = {0};
        (void)fay_fail_with(&err, FAY_E_NORES, "the answer has %zu bytes, and %zu are the most",
                            fay_buffer_size(&json), FAY_ANSWER_JSON_MAX);
        fay_call_fail(call, &err, FAY_CONTROL_EXIT);
        return;
    }
    answer(call->calls, call->number, FAY_ANSWER_DONE, &json);
    forget(call);
}

void fay_call_fail(fay_call *call, const fay_error *err, int exit)
{
    answer_failed(call->calls, call->number, err, exit);
    forget(call);
}

void fay_call_on_end(fay_call *call, void (*ended)(void *context), void *context)
{
    call->ended = ended;
    call->ended_context = context;
}

void *fay_call_proof(const fay_call *call)
{
    return call->calls->config.proof;
}

const char *fay_call_caller(const fay_call *call)
{
    return call->calls->caller;
}

unsigned fay_call_roles(const fay_call *call)
{
    return call->calls->config.roles;
}

/* ---- what comes ------------------------------------------------------------------------------ */

static const fay_verb *find_verb(const fay_calls *calls, const fay_control_call *call)
{
    const fay_verb *verb = calls->config.verbs;
    for (; verb->name != NULL; verb++) {
        if (strlen(verb->name) == call->verb_size &&
            memcmp(verb->name, call->verb, call->verb_size) == 0)
            return verb;
    }
    return NULL;
}

static void unknown(const fay_control_call *call, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer name = {0};
    fay_json_append_string(&name, call->verb, call->verb_size); /* may be any bytes */
    (void)fay_fail_with(err, FAY_E_NOTFOUND, "this Node (faymora %s) knows no %s",
                        fay_version_string(), fay_buffer_text(&name));
    fay_hint(err, "the command may be of a later version than the Node");
}

static void denied(const fay_calls *calls, const fay_verb *verb, fay_error *err)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer may = {0}, has = {0};
    fay_roles_append(verb->roles, ", ", &may);
    fay_roles_append(calls->config.roles, ", ", &has);
    bool none = fay_buffer_size(&has) == 0;
    (void)fay_fail_with(err, FAY_E_DENIED, "'%s' is denied to %s: its role is %s", verb->name,
                        calls->caller, none ? "none" : fay_buffer_text(&has));
    fay_hint(err, "it takes a certificate with one of these roles: %s", fay_buffer_text(&may));
}

/* What may be done; NULL: err says why not. */
static const fay_verb *choose(const fay_calls *calls, const fay_control_call *call, fay_error *err)
{
    const fay_verb *verb = find_verb(calls, call);
    if (verb == NULL) {
        unknown(call, err);
        return NULL;
    }
    if ((verb->roles & calls->config.roles) == 0) {
        denied(calls, verb, err);
        return NULL;
    }
    if (calls->count == FAY_CALLS_MAX) {
        (void)fay_fail_with(err, FAY_E_NORES, "%s has %zu calls under way, which is the most",
                            calls->caller, FAY_CALLS_MAX);
        return NULL;
    }
    return verb;
}

static json_t *load_arguments(const fay_control_call *call, fay_error *err)
{
    fay_error why = {0};
    json_t *args = fay_json_load(call->json, call->json_size, &why);
    if (json_is_object(args))
        return args;
    (void)fay_fail_with(err, FAY_E_INVAL, "the arguments of '%.*s' are no JSON object%s%s",
                        (int)call->verb_size, call->verb, args == NULL ? ": " : "", why.message);
    json_decref(args);
    return NULL;
}

static int on_call(fay_calls *calls, const fay_frame *frame)
{
    fay_control_call said;
    if (fay_control_call_parse(frame->payload, frame->size, &said) < 0 ||
        find(calls, said.number) != NULL)
        return FAY_E_PEER;
    fay_error err = {0};
    const fay_verb *verb = choose(calls, &said, &err);
    json_t *args = verb != NULL ? load_arguments(&said, &err) : NULL;
    if (verb == NULL || args == NULL) {
        bool grid = err.status == FAY_E_DENIED || err.status == FAY_E_NORES;
        answer_failed(calls, said.number, &err, grid ? FAY_CONTROL_EXIT : FAY_CONTROL_EXIT_USAGE);
        return 0;
    }
    fay_call *call = fay_alloc(sizeof *call);
    *call = (fay_call){.calls = calls, .number = said.number};
    calls->under_way[calls->count++] = call;
    verb->begin(calls->config.verbs_context, call, args); /* it may have ended then */
    json_decref(args);
    return 0;
}

/* One that has ended meanwhile is no error: its ANSWER was on the way. */
static int on_cancel(fay_calls *calls, const fay_frame *frame)
{
    uint32_t number;
    if (fay_control_cancel_parse(frame->payload, frame->size, &number) < 0)
        return FAY_E_PEER;
    fay_call *call = find(calls, number);
    if (call != NULL)
        end(call);
    return 0;
}

int fay_calls_frame(fay_calls *calls, const fay_frame *frame)
{
    if (frame->type == FAY_MESSAGE_CALL)
        return on_call(calls, frame);
    if (frame->type == FAY_MESSAGE_CANCEL)
        return on_cancel(calls, frame);
    return frame->type == FAY_MESSAGE_PING ? 0 : FAY_E_PEER;
}

/* ---- life ------------------------------------------------------------------------------------ */

fay_calls *fay_calls_new(const fay_calls_config *config)
{
    fay_calls *calls = fay_alloc(sizeof *calls);
    calls->config = *config;
    calls->caller = fay_strdup(config->caller);
    calls->config.caller = calls->caller;
    return calls;
}

void fay_calls_free(fay_calls *calls)
{
    if (calls == NULL)
        return;
    calls->gone = true;
    while (calls->count > 0) {
        end(calls->under_way[calls->count - 1]);
    }
    free(calls->caller);
    free(calls);
}
