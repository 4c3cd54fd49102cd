/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/log.h"
#include "control/message.h"
#include "node/internal.h"
#include "pki/certificate.h"
#include "pki/digest.h"
#include "pki/role.h"
#include "wire/codec.h"

enum {
    RUMOR_EVENT = 1 /* the first byte of what is broadcast */
};

static const fay_ns forward_within = 5 * FAY_SECOND;

char *fay_node_name_of(const fay_grid_member *member)
{
    if (member->record == NULL)
        return fay_strdup("");
    return fay_grid_text(member->record->name);
}

static json_t *id_json(const fay_node_id *id)
{
    char text[FAY_NODE_ID_TEXT_MAX];
    return json_string(fay_hex(id->bytes, sizeof id->bytes, text));
}

/* ---- status ---------------------------------------------------------------------------------- */

static json_t *bytes_json(uint64_t bytes)
{
    return bytes > 0 ? json_integer((json_int_t)bytes) : json_null();
}

json_t *fay_node_status(fay_node *node)
{
    char since[FAY_DATE_TEXT_MAX];
    fay_machine_now now = fay_machine_look(&node->machine, uv_hrtime());
    return json_pack("{s:s, s:o, s:I, s:s, s:b, s:b, s:o, s:f, s:o, s:o, s:i}", "name",
                     node->config->name, "id", id_json(&node->identity.id), "boot",
                     (json_int_t)node->identity.boot, "since", fay_date_json(node->since, since),
                     "agent", node->meta.agent, "draining", node->meta.draining, "load",
                     now.load < 0 ? json_null() : json_real(now.load), "cpus", node->meta.cores,
                     "mem_free", bytes_json(now.memory_free), "disk_free",
                     bytes_json(now.disk_free), "workers", 0);
}

static void begin_status(void *context, fay_call *call, const json_t *args)
{
    (void)args;
    fay_call_done(call, fay_node_status(context));
}

/* ---- events ---------------------------------------------------------------------------------- */

static void send_event(void *context, json_t *event)
{
    (void)fay_call_more(context, json_incref(event));
}

static void end_events(void *context)
{
    fay_listener_free(context);
}

static void begin_events(void *context, fay_call *call, const json_t *args)
{
    const fay_node *node = context;
    const json_t *since = json_object_get(args, "since");
    double since_s = json_is_number(since) ? json_number_value(since) : 0;
    fay_listener *listener = fay_chronicle_listen(node->chronicle, since_s, send_event, call);
    fay_call_on_end(call, end_events, listener);
}

void fay_node_tell_member(fay_node *node, const fay_node_id *id, fay_member_state state)
{
    const fay_grid_member *member = fay_members_find(fay_driver_members(node->driver), id);
    if (member == NULL)
        return;
    FAY_CLEANUP(fay_freep) char *name = fay_node_name_of(member);
    const char *word = fay_member_state_name(state);
    fay_log(FAY_INFO, "grid.member", "node=%s state=%s boot=%llu", name, word,
            (unsigned long long)member->boot);
    fay_chronicle_say(node->chronicle,
                      json_pack("{s:s, s:s, s:o, s:s, s:I}", "event", "member", "node", name, "id",
                                id_json(id), "state", word, "boot", (json_int_t)member->boot));
}

static void tell_event(fay_node *node, const fay_node_id *origin, const char *name,
                       const char *text)
{
    const fay_grid_member *member = fay_members_find(fay_driver_members(node->driver), origin);
    FAY_CLEANUP(fay_freep) char *from = member != NULL ? fay_node_name_of(member) : fay_strdup("");
    json_t *members = json_pack("{s:s, s:s, s:s, s:s, s:o}", "event", "user", "name", name, "text",
                                text, "node", from, "id", id_json(origin));
    if (members != NULL) /* its texts are UTF-8 */
        fay_chronicle_say(node->chronicle, members);
}

void fay_node_heard(fay_node *node, const fay_node_id *origin, fay_grid_bytes bytes)
{
    fay_reader reader = fay_reader_of(bytes.bytes, bytes.size);
    unsigned kind = fay_read8(&reader);
    FAY_CLEANUP(fay_freep) char *name = fay_read_text(&reader, FAY_EVENT_NAME_MAX);
    FAY_CLEANUP(fay_freep) char *text = fay_read_text(&reader, FAY_EVENT_TEXT_MAX);
    if (fay_reader_done(&reader) == 0 && kind == RUMOR_EVENT)
        tell_event(node, origin, name, text);
}

static void begin_event(void *context, fay_call *call, const json_t *args)
{
    fay_node *node = context;
    const char *name = json_string_value(json_object_get(args, "name"));
    const char *given = json_string_value(json_object_get(args, "text"));
    const char *text = given != NULL ? given : "";
    fay_error err = {0};
    if (name == NULL || name[0] == '\0' || strlen(name) > FAY_EVENT_NAME_MAX ||
        strlen(text) > FAY_EVENT_TEXT_MAX) {
        (void)fay_fail_with(&err, FAY_E_INVAL,
                            "an event has a name of 1 to %zu bytes, and a text of at most %zu",
                            FAY_EVENT_NAME_MAX, FAY_EVENT_TEXT_MAX);
        fay_call_fail(call, &err, FAY_CONTROL_EXIT_USAGE);
        return;
    }
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer rumor = {0};
    fay_write8(&rumor, RUMOR_EVENT);
    fay_write_text(&rumor, name);
    fay_write_text(&rumor, text);
    fay_driver_broadcast(node->driver, fay_buffer_data(&rumor), fay_buffer_size(&rumor));
    tell_event(node, &node->identity.id, name, text);
    fay_call_done(call, NULL);
}

/* ---- weight ---------------------------------------------------------------------------------- */

/* What every member knows from now on. */
static void say_meta(fay_node *node)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer meta = {0};
    if (fay_node_meta_write(&node->meta, &meta, NULL) == 0)
        fay_driver_meta(node->driver, &meta);
}

static bool is_named(const fay_grid_member *member, const char *word)
{
    enum {
        PREFIX_MIN = 4 /* digits of an id */
    };
    char id[FAY_NODE_ID_TEXT_MAX];
    FAY_CLEANUP(fay_freep) char *name = fay_node_name_of(member);
    (void)fay_hex(member->id.bytes, sizeof member->id.bytes, id);
    size_t length = strlen(word);
    return strcmp(name, word) == 0 || (length >= PREFIX_MIN && strncmp(id, word, length) == 0);
}

/* The one that lives and is meant; else the call has failed. */
static const fay_grid_member *find_or_fail(const fay_node *node, fay_call *call, const char *word)
{
    fay_error err = {0};
    const fay_grid_member *found = NULL, *other = NULL;
    FAY_EACH_MEMBER(member, fay_driver_members(node->driver))
    {
        if (fay_member_gone(fay_member_state_of(member)) || !is_named(member, word))
            continue;
        other = found;
        found = member;
        if (other != NULL)
            break;
    }
    if (found == NULL) {
        (void)fay_fail_with(&err, FAY_E_NOTFOUND, "no Node '%s' is alive in this Grid", word);
        fay_hint(&err, "faymora nodes lists them");
        fay_call_fail(call, &err, FAY_CONTROL_EXIT_USAGE);
    } else if (other != NULL) {
        char one[FAY_NODE_ID_TEXT_MAX];
        char two[FAY_NODE_ID_TEXT_MAX];
        (void)fay_fail_with(&err, FAY_E_INVAL, "'%s' is more than one Node: %s and %s", word,
                            fay_hex(other->id.bytes, sizeof other->id.bytes, one),
                            fay_hex(found->id.bytes, sizeof found->id.bytes, two));
        fay_hint(&err, "name it by its id, or by the first digits of it");
        fay_call_fail(call, &err, FAY_CONTROL_EXIT_USAGE);
        return NULL;
    }
    return found;
}

static json_t *weight_json(const fay_node *node)
{
    return json_pack("{s:s, s:o, s:f}", "node", node->config->name, "id",
                     id_json(&node->identity.id), "weight", node->meta.weight);
}

typedef struct fay_forward { /* a call that another Node answers */
    fay_asking *asking;
    fay_call *call;
} fay_forward;

static void on_forwarded(void *context, json_t *result, const fay_error *err, int exit)
{
    FAY_CLEANUP(fay_freep) fay_forward *forward = context;
    if (result != NULL) {
        fay_call_done(forward->call, json_incref(result));
    } else {
        fay_call_fail(forward->call, err, exit);
    }
}

static void forget_forward(void *context)
{
    FAY_CLEANUP(fay_freep) fay_forward *forward = context;
    fay_asking_forget(forward->asking, forward);
}

/* Only the Node itself writes its record: it is asked to. */
static void forward(const fay_node *node, fay_call *call, const fay_grid_member *member,
                    double weight)
{
    char id[FAY_NODE_ID_TEXT_MAX];
    json_t *args =
        json_pack("{s:s, s:f}", "node", fay_hex(member->id.bytes, sizeof member->id.bytes, id),
                  "weight", weight);
    fay_forward *kept = fay_alloc(sizeof *kept);
    *kept = (fay_forward){.asking = node->asking, .call = call};
    fay_call_on_end(call, forget_forward, kept);
    fay_ask ask = {.member = member,
                   .verb = "weight",
                   .args = args,
                   .within = forward_within,
                   .answered = on_forwarded,
                   .context = kept};
    fay_asking_ask(node->asking, &ask);
    json_decref(args);
}

static void begin_weight(void *context, fay_call *call, const json_t *args)
{
    fay_node *node = context;
    const char *word = json_string_value(json_object_get(args, "node"));
    const json_t *given = json_object_get(args, "weight");
    double weight = json_number_value(given);
    fay_error err = {0};
    if (word == NULL || !json_is_number(given) || !fay_weight_valid(weight)) {
        (void)fay_fail_with(&err, FAY_E_INVAL, "a weight is a number from -%g to %g",
                            FAY_WEIGHT_MAX, FAY_WEIGHT_MAX);
        fay_call_fail(call, &err, FAY_CONTROL_EXIT_USAGE);
        return;
    }
    const fay_grid_member *member = find_or_fail(node, call, word);
    if (member == NULL)
        return;
    if (!fay_node_id_same(&member->id, &node->identity.id)) {
        forward(node, call, member, weight);
        return;
    }
    fay_log(FAY_INFO, "node.weight", "weight=%g caller=\"%s\"", weight, fay_call_caller(call));
    node->meta.weight = weight;
    say_meta(node);
    fay_call_done(call, weight_json(node));
}

/* ---- the table ------------------------------------------------------------------------------- */

#define ANYBODY ((unsigned)(FAY_ROLE_AGENT | FAY_ROLE_NODE | FAY_ROLE_CLIENT | FAY_ROLE_OBSERVER))
#define MEMBERS ((unsigned)(FAY_ROLE_AGENT | FAY_ROLE_NODE))
#define STEERS  ((unsigned)(FAY_ROLE_AGENT | FAY_ROLE_CLIENT))

const fay_verb fay_node_verbs[] = {
    {"status", ANYBODY, begin_status},     {"nodes", ANYBODY, fay_node_census},
    {"events", ANYBODY, begin_events},     {"doctor", ANYBODY, fay_node_health},
    {"renew", MEMBERS, fay_renewal_begin}, {"event", STEERS, begin_event},
    {"weight", STEERS, begin_weight},      {NULL, 0, NULL},
};
