/* SPDX-License-Identifier: MIT */
#include "node/chronicle.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"

typedef struct fay_told {
    json_t *event;
    double at; /* seconds since 1970 */
} fay_told;

struct fay_listener {
    fay_chronicle *chronicle;
    void (*each)(void *context, json_t *event);
    void *context;
    bool over; /* ended while events are told */
    fay_listener *next;
};

struct fay_chronicle {
    fay_told kept[FAY_EVENTS_KEPT_MAX]; /* a ring */
    size_t at, count;
    fay_listener *listeners;
    bool telling;
};

fay_chronicle *fay_chronicle_new(void)
{
    return fay_alloc(sizeof(fay_chronicle));
}

void fay_chronicle_free(fay_chronicle *chronicle)
{
    for (size_t i = 0; i < FAY_EVENTS_KEPT_MAX; i++) {
        json_decref(chronicle->kept[i].event);
    }
    free(chronicle);
}

/* The wall clock: for people and logs, never for a decision. */
static double now_text(char *text, size_t size)
{
    struct timespec now;
    struct tm parts;
    char seconds[32];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    (void)strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(text, size, "%s.%06uZ", seconds, (unsigned)(now.tv_nsec / 1000) % 1000000u);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void keep(fay_chronicle *chronicle, json_t *event, double at)
{
    fay_told *place = &chronicle->kept[chronicle->at];
    json_decref(place->event);
    *place = (fay_told){.event = json_incref(event), .at = at};
    chronicle->at = (chronicle->at + 1) % FAY_EVENTS_KEPT_MAX;
    chronicle->count = FAY_MIN(chronicle->count + 1, FAY_EVENTS_KEPT_MAX);
}

/* Those that have ended while we told. */
static void sweep(fay_chronicle *chronicle)
{
    fay_listener **link = &chronicle->listeners;
    while (*link != NULL) {
        fay_listener *listener = *link;
        if (listener->over) {
            *link = listener->next;
            free(listener);
        } else {
            link = &listener->next;
        }
    }
}

static void tell(fay_chronicle *chronicle, fay_listener *listener, json_t *event)
{
    bool outer = !chronicle->telling;
    chronicle->telling = true;
    if (!listener->over)
        listener->each(listener->context, event);
    chronicle->telling = !outer;
}

void fay_chronicle_say(fay_chronicle *chronicle, json_t *members)
{
    char time_text[48];
    double at = now_text(time_text, sizeof time_text);
    json_t *event = json_pack("{s:i, s:s}", "schema", 1, "time", time_text);
    (void)json_object_update(event, members);
    json_decref(members);
    keep(chronicle, event, at);
    for (fay_listener *listener = chronicle->listeners; listener != NULL;
         listener = listener->next) {
        tell(chronicle, listener, event);
    }
    json_decref(event);
    if (!chronicle->telling)
        sweep(chronicle);
}

fay_listener *fay_chronicle_listen(fay_chronicle *chronicle, double since_s,
                                   void (*each)(void *context, json_t *event), void *context)
{
    char text[48];
    double from = now_text(text, sizeof text) - since_s;
    fay_listener *listener = fay_alloc(sizeof *listener);
    listener->chronicle = chronicle;
    listener->each = each;
    listener->context = context;
    for (size_t i = 0; i < chronicle->count && since_s > 0; i++) {
        size_t oldest = chronicle->at + FAY_EVENTS_KEPT_MAX - chronicle->count;
        const fay_told *told = &chronicle->kept[(oldest + i) % FAY_EVENTS_KEPT_MAX];
        if (told->at >= from)
            tell(chronicle, listener, told->event);
    }
    listener->next = chronicle->listeners;
    chronicle->listeners = listener;
    return listener;
}

void fay_listener_free(fay_listener *listener)
{
    listener->over = true;
    if (!listener->chronicle->telling)
        sweep(listener->chronicle);
}
