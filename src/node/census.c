/* SPDX-License-Identifier: MIT */
/* The verb nodes: the table, and what each that is alive says of itself at this moment. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "node/internal.h"
#include "pki/certificate.h"
#include "pki/digest.h"

static const double within_default_s = 0.5, within_max_s = 60;

typedef struct fay_census {
    fay_node *node;
    fay_call *call; /* NULL: nobody wants to know any more */
    json_t *rows;
    size_t awaited;
    bool asked; /* everybody has been */
} fay_census;

typedef struct fay_census_row { /* one that is asked */
    fay_census *census;
    json_t *row; /* borrowed */
} fay_census_row;

static json_t *tags_json(char *const *tags)
{
    json_t *list = json_array();
    for (char *const *tag = tags; tag != NULL && *tag != NULL; tag++) {
        (void)json_array_append_new(list, json_string(*tag));
    }
    return list;
}

static json_t *text_json(fay_grid_bytes text)
{
    return json_stringn((const char *)text.bytes, text.size);
}

/* What the member's own record says. */
static void add_meta(json_t *row, const fay_node_meta *meta)
{
    json_t *reason = meta->reason[0] != '\0' ? json_string(meta->reason) : json_null();
    json_t *own = json_pack("{s:b, s:o, s:b, s:f, s:s, s:f, s:o}", "draining", meta->draining,
                            "reason", reason, "agent", meta->agent, "weight", meta->weight,
                            "strategy", fay_strategy_word(meta->strategy), "cpus", meta->cores,
                            "tags", tags_json(meta->tags));
    (void)json_object_update(row, own);
    json_decref(own);
}

/* Since when it is alive, or is no longer. */
static const char *since_text(const fay_grid_member *member, char text[FAY_DATE_TEXT_MAX])
{
    fay_ns now = uv_hrtime();
    bool gone = fay_member_gone(fay_member_state_of(member));
    fay_ns at = gone ? member->gone_at : member->known_at;
    int64_t ago = now > at ? (int64_t)((now - at) / FAY_SECOND) : 0;
    return fay_date_json(time(NULL) - ago, text);
}

static json_t *row_of(const fay_grid_member *member)
{
    char id[FAY_NODE_ID_TEXT_MAX];
    char since[FAY_DATE_TEXT_MAX];
    fay_node_meta meta = {0};
    json_t *row =
        json_pack("{s:o?, s:s, s:s, s:o?, s:n, s:n, s:n, s:n, s:s, s:I}", "name",
                  text_json(member->record->name), "id",
                  fay_hex(member->id.bytes, sizeof member->id.bytes, id), "state",
                  fay_member_state_name(fay_member_state_of(member)), "address",
                  text_json(member->record->address), "load", "mem_free", "disk_free", "workers",
                  "since", since_text(member, since), "boot", (json_int_t)member->boot);
    const fay_grid_bytes *said = &member->record->meta;
    if (fay_node_meta_parse(said->bytes, said->size, &meta) == 0) {
        add_meta(row, &meta);
        fay_node_meta_deinit(&meta);
    }
    return row;
}

/* Of an answer to `status` that which the record does not say. */
static void add_status(json_t *row, const json_t *status)
{
    static const char *const names[] = {"load", "mem_free", "disk_free", "workers"};
    for (size_t i = 0; i < FAY_COUNT(names); i++) {
        json_t *value = json_object_get(status, names[i]);
        if (json_is_number(value))
            (void)json_object_set(row, names[i], value);
    }
}

static int by_name(const void *a, const void *b)
{
    const json_t *const *left = a, *const *right = b;
    const char *one = json_string_value(json_object_get(*left, "name"));
    const char *two = json_string_value(json_object_get(*right, "name"));
    int order = strcmp(one != NULL ? one : "", two != NULL ? two : "");
    return order != 0 ? order
                      : strcmp(json_string_value(json_object_get(*left, "id")),
                               json_string_value(json_object_get(*right, "id")));
}

static json_t *sorted(const json_t *rows)
{
    size_t count = json_array_size(rows);
    FAY_CLEANUP(fay_freep) json_t **list = fay_alloc(count * sizeof(void *));
    for (size_t i = 0; i < count; i++) {
        list[i] = json_array_get(rows, i);
    }
    qsort(list, count, sizeof(void *), by_name);
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append(out, list[i]);
    }
    return out;
}

static void finish(fay_census *census)
{
    if (census->call != NULL) {
        fay_call_done(census->call,
                      json_pack("{s:i, s:o}", "schema", 1, "nodes", sorted(census->rows)));
    }
    json_decref(census->rows);
    free(census);
}

static void orphan(void *context)
{
    fay_census *census = context;
    census->call = NULL;
}

static void on_answer(void *context, json_t *result, const fay_error *err, int exit)
{
    (void)err;
    (void)exit;
    FAY_CLEANUP(fay_freep) fay_census_row *asked = context;
    fay_census *census = asked->census;
    if (result != NULL)
        add_status(asked->row, result);
    census->awaited--;
    if (census->asked && census->awaited == 0)
        finish(census);
}

static void ask(fay_census *census, const fay_grid_member *member, json_t *row, fay_ns within)
{
    fay_census_row *asked = fay_alloc(sizeof *asked);
    *asked = (fay_census_row){.census = census, .row = row};
    json_t *args = json_object();
    fay_ask ask = {.member = member,
                   .verb = "status",
                   .args = args,
                   .within = within,
                   .answered = on_answer,
                   .context = asked};
    census->awaited++;
    fay_asking_ask(census->node->asking, &ask);
    json_decref(args);
}

static fay_ns within_of(const json_t *args)
{
    const json_t *timeout = json_object_get(args, "timeout");
    double seconds = json_is_number(timeout) ? json_number_value(timeout) : within_default_s;
    bool good = seconds > 0 && seconds <= within_max_s;
    return (fay_ns)((good ? seconds : within_default_s) * (double)FAY_SECOND);
}

void fay_node_census(void *context, fay_call *call, const json_t *args)
{
    fay_node *node = context;
    fay_ns within = within_of(args);
    fay_census *census = fay_alloc(sizeof *census);
    *census = (fay_census){.node = node, .call = call, .rows = json_array()};
    fay_call_on_end(call, orphan, census);
    FAY_EACH_MEMBER(member, fay_driver_members(node->driver))
    {
        if (member->record == NULL)
            continue;
        json_t *row = row_of(member);
        (void)json_array_append_new(census->rows, row);
        if (fay_node_id_same(&member->id, &node->identity.id)) {
            json_t *status = fay_node_status(node);
            add_status(row, status);
            json_decref(status);
        } else if (fay_member_state_of(member) == FAY_ALIVE) {
            ask(census, member, row, within);
        }
    }
    census->asked = true;
    if (census->awaited == 0)
        finish(census);
}
