/* SPDX-License-Identifier: MIT */
#include "node/driver.h"

#include <bsd/sys/queue.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "loop/timer.h"
#include "node/verdicts.h"
#include "wire/codec.h"

/* A connection of ours: dialled and not up yet, or a link. */
typedef struct fay_tie {
    fay_driver *driver;
    fay_peer *peer;
    uint64_t link; /* 0 = not up */
    uint64_t dial; /* 0 = they have dialled, or the dial is answered */
    TAILQ_ENTRY(fay_tie) entry;
} fay_tie;

/* Of SIGN, VERIFY or REBOOT, to be fed before the next step: to feed ends the list of actions. */
typedef struct fay_answer {
    fay_grid_event_kind kind;
    uint64_t token; /* of REBOOT the boot */
    bool ok;
    uint8_t bytes[FAY_RECORD_SIGNATURE_SIZE]; /* a signature, or a hash of a certification */
} fay_answer;

enum {
    SAID_MAX = 32
};
static const fay_ns said_for = 300 * FAY_SECOND;

typedef struct fay_said { /* a failure that was told */
    uint64_t hash;
    fay_ns at;
} fay_said;

struct fay_driver {
    fay_grid *grid;
    fay_peers *peers;
    fay_keyring *keyring;
    const fay_record_key *record_key;
    const fay_driver_events *events;
    void *context;
    fay_ns late_least; /* lateness that is told */
    fay_ns late_self;  /* and that after which nobody is accused for a while */
    fay_ns due;        /* what the timer waits for */
    bool dirty;        /* something was fed, and no step has followed */
    fay_timer *timer;
    uv_prepare_t *prepare;
    fay_verdicts verdicts;
    TAILQ_HEAD(fay_ties, fay_tie) ties;
    uint64_t next_link;
    fay_said said[SAID_MAX];
    fay_answer *answers;
    size_t answers_count, answers_capacity;
};

static void feed(fay_driver *driver, const fay_grid_event *event)
{
    (void)fay_grid_feed(driver->grid, uv_hrtime(), event);
    driver->dirty = true;
}

static fay_answer *answer_new(fay_driver *driver, uint64_t token)
{
    FAY_RESERVE(driver->answers, driver->answers_capacity, driver->answers_count + 1);
    fay_answer *answer = &driver->answers[driver->answers_count++];
    *answer = (fay_answer){.token = token};
    return answer;
}

static void decided(void *context, uint64_t token, bool ok)
{
    fay_answer *answer = answer_new(context, token);
    answer->kind = FAY_GRID_VERIFIED;
    answer->ok = ok;
}

/* ---- ties ------------------------------------------------------------------------------------ */

static fay_tie *tie_new(fay_driver *driver)
{
    fay_tie *tie = fay_alloc(sizeof *tie);
    tie->driver = driver;
    TAILQ_INSERT_HEAD(&driver->ties, tie, entry);
    return tie;
}

static void tie_free(fay_tie *tie)
{
    TAILQ_REMOVE(&tie->driver->ties, tie, entry);
    free(tie);
}

static fay_tie *tie_find(const fay_driver *driver, uint64_t link)
{
    fay_tie *tie;
    TAILQ_FOREACH (tie, &driver->ties, entry) {
        if (tie->link == link)
            return tie;
    }
    return NULL;
}

static void failed(fay_tie *tie, fay_evidence evidence)
{
    feed(tie->driver,
         &(fay_grid_event){.kind = FAY_GRID_FAILED, .dial = tie->dial, .evidence = evidence});
}

static void on_up(void *context, fay_peer *peer, const fay_peer_who *who)
{
    fay_tie *tie = context;
    fay_driver *driver = tie->driver;
    fay_error err = {0};
    bool member = who->member != NULL;
    if (member && fay_keyring_add_checked(driver->keyring, who->member, who->certification,
                                          who->certification_size, &err) != 0) {
        fay_log(FAY_WARN, "grid.refused", "address=%s error=\"%s\"", who->address, err.message);
        member = false;
    }
    if (!member) {
        if (tie->dial != 0)
            failed(tie, FAY_EVIDENCE_HANDSHAKE);
        fay_peer_close(peer);
        tie_free(tie);
        return;
    }
    tie->link = ++driver->next_link;
    feed(driver, &(fay_grid_event){.kind = FAY_GRID_UP,
                                   .link = tie->link,
                                   .dial = tie->dial,
                                   .id = &who->member->id,
                                   .boot = who->member->boot,
                                   .bytes = who->member->digest.bytes,
                                   .size = sizeof who->member->digest.bytes});
    tie->dial = 0;
}

/* What was said of late is not said again: who is dialled for ever fails for ever. */
static bool is_news(fay_driver *driver, const char *message)
{
    uint64_t hash = fay_hash64(message, strlen(message), 0);
    fay_ns now = uv_hrtime();
    fay_said *oldest = &driver->said[0];
    for (size_t i = 0; i < SAID_MAX; i++) {
        fay_said *said = &driver->said[i];
        if (said->hash == hash && now < said->at + said_for)
            return false;
        if (said->at < oldest->at)
            oldest = said;
    }
    *oldest = (fay_said){.hash = hash, .at = now};
    return true;
}

static void say_closed(const fay_tie *tie, fay_peer_end why, const fay_error *err)
{
    bool wrong = why == FAY_PEER_BROKEN || why == FAY_PEER_HANDSHAKE || why == FAY_PEER_OURS;
    fay_level level = wrong && is_news(tie->driver, err->message) ? FAY_WARN : FAY_DEBUG;
    const char *event = tie->link != 0 ? "link.down" : "dial.failed";
    if (err->hint[0] != '\0') {
        fay_log(level, event, "error=\"%s\" hint=\"%s\"", err->message, err->hint);
    } else {
        fay_log(level, event, "error=\"%s\"", err->message);
    }
}

static void on_closed(void *context, fay_peer *peer, fay_peer_end why, const fay_error *err)
{
    (void)peer;
    fay_tie *tie = context;
    fay_driver *driver = tie->driver;
    say_closed(tie, why, err);
    uint64_t link = tie->link;
    if (link != 0) {
        feed(driver, &(fay_grid_event){.kind = FAY_GRID_DOWN, .link = link});
    } else if (tie->dial != 0) {
        if (why == FAY_PEER_OURS) /* says nothing of others, as if we had been late */
            feed(driver, &(fay_grid_event){.kind = FAY_GRID_LATE, .ns = driver->late_self});
        failed(tie, why == FAY_PEER_REFUSED  ? FAY_EVIDENCE_REFUSED
                    : why == FAY_PEER_SILENT ? FAY_EVIDENCE_SILENT
                                             : FAY_EVIDENCE_HANDSHAKE);
    }
    tie_free(tie);
    if (link != 0)
        fay_verdicts_lost(&driver->verdicts, link);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static int answer_want(fay_tie *tie, const fay_frame *frame)
{
    fay_digest digest;
    if (frame->size != sizeof digest.bytes)
        return FAY_E_PEER;
    memcpy(digest.bytes, frame->payload, sizeof digest.bytes);
    size_t size = 0;
    const uint8_t *bytes = fay_keyring_bytes(tie->driver->keyring, &digest, &size);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_buffer_append(&payload, digest.bytes, sizeof digest.bytes);
    if (bytes != NULL)
        fay_buffer_append(&payload, bytes, size);
    fay_peer_send(tie->peer, FAY_MESSAGE_CERTIFICATION, fay_buffer_data(&payload),
                  fay_buffer_size(&payload));
    return 0;
}

static int take_certification(fay_tie *tie, const fay_frame *frame)
{
    fay_digest digest;
    if (frame->size < sizeof digest.bytes)
        return FAY_E_PEER;
    memcpy(digest.bytes, frame->payload, sizeof digest.bytes);
    return fay_verdicts_answer(&tie->driver->verdicts, tie->link, &digest,
                               frame->payload + sizeof digest.bytes,
                               frame->size - sizeof digest.bytes, time(NULL));
}

static void look_for_lateness(fay_driver *driver, fay_ns now);

static int on_frame(void *context, fay_peer *peer, const fay_frame *frame)
{
    (void)peer;
    fay_tie *tie = context;
    fay_driver *driver = tie->driver;
    fay_ns now = uv_hrtime();
    look_for_lateness(driver, now);
    if (frame->type == FAY_MESSAGE_CERTIFICATION_WANT)
        return answer_want(tie, frame);
    if (frame->type == FAY_MESSAGE_CERTIFICATION)
        return take_certification(tie, frame);
    if (frame->type == FAY_MESSAGE_CRL_WANT) {
        driver->events->crl_wanted(driver->context, tie->link);
        return 0;
    }
    if (frame->type == FAY_MESSAGE_CRL) {
        driver->events->crl(driver->context, frame->payload, frame->size);
        return 0;
    }
    if (frame->type != FAY_MESSAGE_GRID)
        return FAY_E_PEER;
    driver->dirty = true;
    return fay_grid_feed(driver->grid, now,
                         &(fay_grid_event){.kind = FAY_GRID_MESSAGE,
                                           .link = tie->link,
                                           .bytes = frame->payload,
                                           .size = frame->size});
}

static void on_heard(void *context, fay_peer *peer)
{
    (void)peer;
    fay_tie *tie = context;
    fay_driver *driver = tie->driver;
    fay_ns now = uv_hrtime();
    look_for_lateness(driver, now);
    if (tie->link != 0) {
        (void)fay_grid_feed(driver->grid, now,
                            &(fay_grid_event){.kind = FAY_GRID_HEARD, .link = tie->link});
    }
}

static const fay_peer_events tie_events = {
    .up = on_up, .frame = on_frame, .heard = on_heard, .closed = on_closed};

bool fay_driver_accept(fay_driver *driver, fay_peer *peer, const fay_peer_who *who,
                       const fay_peer_events **ret_events, void **ret_context)
{
    if (who->member == NULL)
        return false;
    fay_tie *tie = tie_new(driver);
    tie->peer = peer;
    *ret_events = &tie_events;
    *ret_context = tie;
    return true;
}

/* ---- actions --------------------------------------------------------------------------------- */

static void dial(fay_driver *driver, const fay_grid_action *action)
{
    FAY_CLEANUP(fay_freep)
    char *address = fay_grid_text(action->address);
    fay_tie *tie = tie_new(driver);
    tie->dial = action->dial;
    fay_peer_dial to = {
        .address = address, .preamble = {.target = FAY_TARGET_NODE}, .expected = action->id};
    tie->peer = fay_peer_dial_to(driver->peers, &to, &tie_events, tie);
}

static void close_link(fay_driver *driver, uint64_t link)
{
    fay_tie *tie = tie_find(driver, link);
    if (tie == NULL)
        return;
    fay_peer_close(tie->peer);
    tie_free(tie);
    fay_verdicts_lost(&driver->verdicts, link);
}

/* False: there is no such link any more. */
static bool send_on(const fay_driver *driver, uint64_t link, fay_message type, const void *bytes,
                    size_t size)
{
    const fay_tie *tie = tie_find(driver, link);
    if (tie != NULL)
        fay_peer_send(tie->peer, type, bytes, size);
    return tie != NULL;
}

static void sign(fay_driver *driver, const fay_grid_action *action)
{
    fay_answer *answer = answer_new(driver, action->token);
    answer->kind = FAY_GRID_SIGNED;
    fay_record_key_sign(driver->record_key, action->bytes.bytes, action->bytes.size, answer->bytes);
}

static void changed(const fay_driver *driver, const fay_grid_action *action)
{
    driver->events->changed(driver->context, action->id, action->state);
}

static void replaced(const fay_driver *driver, const fay_grid_action *action)
{
    FAY_CLEANUP(fay_freep)
    char *address = fay_grid_text(action->address);
    driver->events->replaced(driver->context, action->boot, address);
}

static void carry_out(fay_driver *driver, const fay_grid_action *action)
{
    switch (action->kind) {
    case FAY_GRID_DIAL: dial(driver, action); break;
    case FAY_GRID_SEND:
        (void)send_on(driver, action->link, FAY_MESSAGE_GRID, action->bytes.bytes,
                      action->bytes.size);
        break;
    case FAY_GRID_CLOSE: close_link(driver, action->link); break;
    case FAY_GRID_SIGN: sign(driver, action); break;
    case FAY_GRID_VERIFY: fay_verdicts_ask(&driver->verdicts, action); break;
    case FAY_GRID_CHANGED: changed(driver, action); break;
    case FAY_GRID_DELIVER:
        driver->events->delivered(driver->context, action->id, action->bytes);
        break;
    case FAY_GRID_BEHIND: (void)send_on(driver, action->link, FAY_MESSAGE_CRL_WANT, NULL, 0); break;
    case FAY_GRID_REBOOT: driver->events->reboot(driver->context, action->boot); break;
    case FAY_GRID_REPLACED: replaced(driver, action); break;
    case FAY_GRID_LEFT: driver->events->left(driver->context); break;
    }
}

/* What was signed and decided since the last step. */
static void feed_answers(fay_driver *driver)
{
    for (size_t i = 0; i < driver->answers_count; i++) {
        const fay_answer *answer = &driver->answers[i];
        bool hash = answer->kind == FAY_GRID_REBOOTED;
        fay_grid_event event = {.kind = answer->kind,
                                .token = answer->token,
                                .boot = answer->token,
                                .ok = answer->ok,
                                .bytes = answer->bytes,
                                .size = hash ? FAY_DIGEST_SIZE : sizeof answer->bytes};
        feed(driver, &event);
    }
    driver->answers_count = 0;
}

static void step(fay_driver *driver)
{
    while (driver->dirty || driver->answers_count > 0) {
        fay_grid_actions actions;
        feed_answers(driver);
        driver->dirty = false;
        fay_grid_step(driver->grid, uv_hrtime(), &actions);
        for (size_t i = 0; i < actions.count; i++) {
            carry_out(driver, &actions.items[i]);
        }
    }
    driver->due = fay_grid_deadline(driver->grid);
    if (driver->due == FAY_NEVER) {
        fay_timer_stop(driver->timer);
    } else {
        fay_timer_at(driver->timer, driver->due);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    fay_driver *driver = prepare->data;
    if (driver->dirty || driver->answers_count > 0)
        step(driver);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* This process was kept from its work, for longer than a machine that is well would do. */
static void look_for_lateness(fay_driver *driver, fay_ns now)
{
    if (driver->due == FAY_NEVER || now < driver->due || now - driver->due < driver->late_least)
        return;
    feed(driver, &(fay_grid_event){.kind = FAY_GRID_LATE, .ns = now - driver->due});
    driver->due = now;
}

static void on_due(void *context)
{
    fay_driver *driver = context;
    look_for_lateness(driver, uv_hrtime());
    driver->dirty = true;
}

/* ---- life ------------------------------------------------------------------------------------ */

static bool want(void *context, uint64_t link, const fay_digest *digest)
{
    return send_on(context, link, FAY_MESSAGE_CERTIFICATION_WANT, digest->bytes,
                   sizeof digest->bytes);
}

static uint64_t other(void *context, const uint64_t *links, size_t count)
{
    const fay_driver *driver = context;
    const fay_tie *tie;
    TAILQ_FOREACH (tie, &driver->ties, entry) {
        bool among = tie->link == 0;
        for (size_t i = 0; i < count; i++) {
            among = among || links[i] == tie->link;
        }
        if (!among)
            return tie->link;
    }
    return 0;
}

fay_driver *fay_driver_new(const fay_driver_config *config)
{
    fay_driver *driver = fay_alloc(sizeof *driver);
    TAILQ_INIT(&driver->ties);
    driver->grid = fay_grid_new(config->grid, uv_hrtime());
    driver->peers = config->peers;
    driver->keyring = config->keyring;
    driver->record_key = config->record_key;
    driver->events = config->events;
    driver->context = config->context;
    driver->late_least = config->grid->params.late_dial;
    driver->late_self = config->grid->params.late_self;
    driver->due = FAY_NEVER;
    driver->dirty = true;
    driver->verdicts = (fay_verdicts){.keyring = config->keyring,
                                      .want = want,
                                      .other = other,
                                      .decided = decided,
                                      .context = driver};
    driver->timer = fay_timer_new(config->loop, on_due, driver);
    driver->prepare = fay_alloc(sizeof *driver->prepare);
    (void)uv_prepare_init(config->loop, driver->prepare);
    driver->prepare->data = driver;
    (void)uv_prepare_start(driver->prepare, on_prepare);
    return driver;
}

static void on_handle_closed(uv_handle_t *handle)
{
    free(handle);
}

void fay_driver_free(fay_driver *driver)
{
    if (driver == NULL)
        return;
    fay_tie *tie, *next;
    TAILQ_FOREACH_SAFE(tie, &driver->ties, entry, next)
    {
        fay_peer_close(tie->peer);
        tie_free(tie);
    }
    uv_close((uv_handle_t *)driver->prepare, on_handle_closed);
    fay_timer_free(driver->timer);
    fay_verdicts_deinit(&driver->verdicts);
    fay_grid_free(driver->grid);
    free(driver->answers);
    free(driver);
}

void fay_driver_meta(fay_driver *driver, const fay_buffer *meta)
{
    feed(driver, &(fay_grid_event){.kind = FAY_GRID_META,
                                   .bytes = fay_buffer_data(meta),
                                   .size = fay_buffer_size(meta)});
}

void fay_driver_broadcast(fay_driver *driver, const void *bytes, size_t size)
{
    feed(driver, &(fay_grid_event){.kind = FAY_GRID_BROADCAST, .bytes = bytes, .size = size});
}

void fay_driver_leave(fay_driver *driver)
{
    feed(driver, &(fay_grid_event){.kind = FAY_GRID_LEAVE});
}

void fay_driver_rebooted(fay_driver *driver, uint64_t boot, const fay_digest *certification)
{
    fay_answer *answer = answer_new(driver, boot);
    answer->kind = FAY_GRID_REBOOTED;
    memcpy(answer->bytes, certification->bytes, sizeof certification->bytes);
}

void fay_driver_certified(fay_driver *driver, const fay_digest *certification)
{
    feed(driver, &(fay_grid_event){.kind = FAY_GRID_CERTIFIED,
                                   .bytes = certification->bytes,
                                   .size = sizeof certification->bytes});
}

void fay_driver_send_crl(fay_driver *driver, uint64_t link, const void *bytes, size_t size)
{
    (void)send_on(driver, link, FAY_MESSAGE_CRL, bytes, size);
}

void fay_driver_crl(fay_driver *driver, uint64_t number)
{
    feed(driver, &(fay_grid_event){.kind = FAY_GRID_CRL, .number = number});
}

void fay_driver_expel(fay_driver *driver, const fay_node_id *id)
{
    feed(driver, &(fay_grid_event){.kind = FAY_GRID_EXPEL, .id = id});
}

const fay_members *fay_driver_members(const fay_driver *driver)
{
    return fay_grid_members(driver->grid);
}

size_t fay_driver_links(const fay_driver *driver)
{
    return fay_grid_links(driver->grid);
}
