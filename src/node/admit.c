/* SPDX-License-Identifier: MIT */
#include "node/admit.h"

#include <bsd/sys/queue.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/log.h"
#include "grid/members.h"
#include "node/meta.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/layout.h"
#include "wire/codec.h"

enum {
    JOINED_OK = 0,
    JOINED_WHY_NOT = 1
};

/* Somebody who joins, and the Node that he is relayed to. */
typedef struct fay_applicant {
    fay_admission *admission;
    fay_peer *peer;   /* who joins; NULL = he is gone */
    fay_peer *holder; /* NULL = not relayed */
    char *holder_name;
    fay_buffer request; /* a JOIN, to be relayed when the holder is up */
    bool answered;
    TAILQ_ENTRY(fay_applicant) entry;
} fay_applicant;

struct fay_admission {
    fay_admission_config config;
    TAILQ_HEAD(fay_applicants, fay_applicant) applicants;
    size_t count;
};

bool fay_admission_holds(const char *directory)
{
    return directory != NULL && fay_layout_has(directory, FAY_LAYOUT_CA_KEY) &&
           fay_layout_has(directory, FAY_LAYOUT_CA);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void answer(fay_peer *peer, unsigned kind, const void *bytes, size_t size)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_write8(&payload, (uint8_t)kind);
    fay_write_bytes(&payload, bytes, size);
    fay_peer_send(peer, FAY_MESSAGE_JOINED, fay_buffer_data(&payload), fay_buffer_size(&payload));
}

static void refuse(fay_peer *peer, const char *why)
{
    answer(peer, JOINED_WHY_NOT, why, strlen(why));
}

/* The certificate, and the CA's. */
static int issue(const fay_admission *admission, const fay_join_request *request, fay_buffer *out,
                 fay_error *err)
{
    FAY_CLEANUP(fay_authority_close) fay_authority authority = {.lock = -1};
    FAY_CLEANUP(fay_x509_freep) X509 *x509 = NULL;
    int r = fay_authority_open(admission->config.directory, &authority, err);
    r = r != 0 ? r : fay_authority_join(&authority, request, &x509, err);
    if (r != 0)
        return r;
    fay_certificate_append(x509, out);
    fay_certificate_append(authority.x509, out);
    return 0;
}

static int parse(const fay_frame *frame, fay_join_request *ret)
{
    fay_reader reader = fay_reader_of(frame->payload, frame->size);
    ret->request = fay_read_bytes(&reader, FAY_CSR_MAX, &ret->size);
    const uint8_t *proof = fay_read_raw(&reader, sizeof ret->proof.bytes);
    if (fay_reader_done(&reader) != 0)
        return FAY_E_PEER;
    memcpy(ret->proof.bytes, proof, sizeof ret->proof.bytes);
    ret->now = time(NULL);
    return 0;
}

static int admit_here(const fay_admission *admission, fay_peer *peer, const fay_frame *frame)
{
    fay_error err = {0};
    fay_join_request request;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer chain = {0};
    if (parse(frame, &request) != 0)
        return FAY_E_PEER;
    if (issue(admission, &request, &chain, &err) != 0) {
        fay_log(FAY_WARN, "join.refused", "error=\"%s\"", err.message);
        refuse(peer, err.message);
        return 0;
    }
    fay_log(FAY_INFO, "join.admitted", "bytes=%zu", fay_buffer_size(&chain));
    answer(peer, JOINED_OK, fay_buffer_data(&chain), fay_buffer_size(&chain));
    return 0;
}

/* ---- relaying -------------------------------------------------------------------------------- */

static void forget(fay_applicant *applicant)
{
    TAILQ_REMOVE(&applicant->admission->applicants, applicant, entry);
    applicant->admission->count--;
    if (applicant->holder != NULL)
        fay_peer_close(applicant->holder);
    fay_buffer_deinit(&applicant->request);
    free(applicant->holder_name);
    free(applicant);
}

static void on_holder_up(void *context, fay_peer *peer, const fay_peer_who *who)
{
    (void)who;
    const fay_applicant *applicant = context;
    fay_peer_send(peer, FAY_MESSAGE_JOIN, fay_buffer_data(&applicant->request),
                  fay_buffer_size(&applicant->request));
}

static int on_holder_frame(void *context, fay_peer *peer, const fay_frame *frame)
{
    (void)peer;
    fay_applicant *applicant = context;
    if (frame->type != FAY_MESSAGE_JOINED || applicant->answered)
        return FAY_E_PEER;
    applicant->answered = true;
    fay_peer_send(applicant->peer, FAY_MESSAGE_JOINED, frame->payload, frame->size);
    return 0;
}

static void on_holder_closed(void *context, fay_peer *peer, fay_peer_end why, const fay_error *err)
{
    (void)peer;
    (void)why;
    fay_applicant *applicant = context;
    applicant->holder = NULL;
    if (applicant->answered)
        return;
    applicant->answered = true;
    FAY_CLEANUP(fay_freep)
    char *text = fay_printed("the CA holder %s is away: %s", applicant->holder_name, err->message);
    refuse(applicant->peer, text);
}

static const fay_peer_events holder_events = {
    .up = on_holder_up, .frame = on_holder_frame, .closed = on_holder_closed};

static bool is_holder(const fay_grid_member *member)
{
    fay_node_meta meta = {0};
    if (member->record == NULL ||
        fay_node_meta_parse(member->record->meta.bytes, member->record->meta.size, &meta) != 0)
        return false;
    bool holds = meta.holder;
    fay_node_meta_deinit(&meta);
    return holds;
}

const fay_grid_member *fay_admission_holder(const fay_members *members, const fay_node_id *but)
{
    const fay_grid_member *found = NULL;
    FAY_EACH_MEMBER(member, members)
    {
        if (fay_node_id_same(&member->id, but) || !is_holder(member))
            continue;
        if (found == NULL || fay_member_gone(fay_member_state_of(found)))
            found = member;
    }
    return found;
}

static void relay(fay_applicant *applicant, const fay_frame *frame)
{
    const fay_admission_config *config = &applicant->admission->config;
    const fay_grid_member *holder =
        fay_admission_holder(config->members(config->context), config->self);
    if (holder == NULL) {
        applicant->answered = true;
        refuse(applicant->peer, "no Node of this Grid holds its CA");
        return;
    }
    const fay_grid_record *record = holder->record;
    applicant->holder_name = fay_grid_text(record->name);
    if (fay_member_gone(fay_member_state_of(holder))) {
        FAY_CLEANUP(fay_freep)
        char *text = fay_printed("the CA holder %s is away", applicant->holder_name);
        applicant->answered = true;
        refuse(applicant->peer, text);
        return;
    }
    FAY_CLEANUP(fay_freep) char *address = fay_grid_text(record->address);
    fay_buffer_append(&applicant->request, frame->payload, frame->size);
    fay_peer_dial to = {.address = address,
                        .preamble = {.target = FAY_TARGET_NODE},
                        .expected = &holder->id,
                        .once = true};
    applicant->holder =
        fay_peer_dial_to(applicant->admission->config.peers, &to, &holder_events, applicant);
}

/* ---- who joins ------------------------------------------------------------------------------- */

static void on_up(void *context, fay_peer *peer, const fay_peer_who *who)
{
    (void)context;
    (void)peer;
    (void)who;
}

static int on_frame(void *context, fay_peer *peer, const fay_frame *frame)
{
    fay_applicant *applicant = context;
    fay_join_request request;
    if (frame->type != FAY_MESSAGE_JOIN || applicant->answered || applicant->holder != NULL ||
        parse(frame, &request) != 0)
        return FAY_E_PEER;
    if (applicant->admission->config.directory == NULL) {
        relay(applicant, frame);
        return 0;
    }
    applicant->answered = true;
    return admit_here(applicant->admission, peer, frame);
}

static void on_closed(void *context, fay_peer *peer, fay_peer_end why, const fay_error *err)
{
    (void)peer;
    (void)why;
    (void)err;
    forget(context);
}

static const fay_peer_events applicant_events = {
    .up = on_up, .frame = on_frame, .closed = on_closed};

fay_admission *fay_admission_new(const fay_admission_config *config)
{
    fay_admission *admission = fay_alloc(sizeof *admission);
    admission->config = *config;
    TAILQ_INIT(&admission->applicants);
    return admission;
}

void fay_admission_free(fay_admission *admission)
{
    if (admission == NULL)
        return;
    fay_applicant *applicant, *next;
    TAILQ_FOREACH_SAFE(applicant, &admission->applicants, entry, next)
    {
        fay_peer_close(applicant->peer);
        forget(applicant);
    }
    free(admission);
}

bool fay_admission_accept(fay_admission *admission, fay_peer *peer,
                          const fay_peer_events **ret_events, void **ret_context)
{
    if (admission->count >= FAY_APPLICANTS_MAX)
        return false;
    fay_applicant *applicant = fay_alloc(sizeof *applicant);
    applicant->admission = admission;
    applicant->peer = peer;
    TAILQ_INSERT_HEAD(&admission->applicants, applicant, entry);
    admission->count++;
    *ret_events = &applicant_events;
    *ret_context = applicant;
    return true;
}

int fay_admission_relayed(fay_admission *admission, fay_peer *peer, const fay_frame *frame)
{
    fay_join_request request;
    if (parse(frame, &request) != 0)
        return FAY_E_PEER;
    if (admission->config.directory != NULL)
        return admit_here(admission, peer, frame);
    refuse(peer, "this Node does not hold the CA any more");
    return 0;
}
