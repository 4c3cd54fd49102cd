/* SPDX-License-Identifier: MIT */
#include "control/message.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "wire/codec.h"

/* Written as they stand in JSON: a status must not change its name when its enum does. */
static const struct {
    fay_status status;
    const char *name;
} statuses[] = {
    {FAY_E_INVAL, "invalid"},    {FAY_E_NOMEM, "memory"},       {FAY_E_IO, "io"},
    {FAY_E_TLS, "tls"},          {FAY_E_PEER, "peer"},          {FAY_E_TIMEOUT, "timeout"},
    {FAY_E_CONFIG, "config"},    {FAY_E_EXISTS, "exists"},      {FAY_E_NOTFOUND, "not_found"},
    {FAY_E_STALE, "stale"},      {FAY_E_NORES, "no_resources"}, {FAY_E_CLOSED, "closed"},
    {FAY_E_ABI, "incompatible"}, {FAY_E_DENIED, "denied"},
};

const char *fay_status_name(fay_status status)
{
    for (size_t i = 0; i < FAY_COUNT(statuses); i++) {
        if (statuses[i].status == status)
            return statuses[i].name;
    }
    return "ok";
}

fay_status fay_status_find(const char *name)
{
    for (size_t i = 0; i < FAY_COUNT(statuses); i++) {
        if (strcmp(statuses[i].name, name) == 0)
            return statuses[i].status;
    }
    return FAY_E_PEER;
}

void fay_control_call_write(const fay_control_call *call, fay_buffer *payload)
{
    assert(call->verb_size <= FAY_CALL_VERB_MAX && call->json_size <= FAY_CALL_JSON_MAX);
    fay_write32(payload, call->number);
    fay_write_bytes(payload, call->verb, call->verb_size);
    fay_write_bytes(payload, call->json, call->json_size);
}

void fay_control_answer_write(const fay_control_answer *answer, fay_buffer *payload)
{
    assert(answer->json_size <= FAY_ANSWER_JSON_MAX);
    fay_write32(payload, answer->number);
    fay_write8(payload, (uint8_t)answer->kind);
    fay_write_bytes(payload, answer->json, answer->json_size);
}

void fay_control_cancel_write(uint32_t number, fay_buffer *payload)
{
    fay_write32(payload, number);
}

int fay_control_call_parse(const uint8_t *payload, size_t size, fay_control_call *ret)
{
    fay_reader reader = fay_reader_of(payload, size);
    fay_control_call call = {.number = fay_read32(&reader)};
    call.verb = (const char *)fay_read_bytes(&reader, FAY_CALL_VERB_MAX, &call.verb_size);
    call.json = (const char *)fay_read_bytes(&reader, FAY_CALL_JSON_MAX, &call.json_size);
    if (fay_reader_done(&reader) < 0)
        return FAY_E_PEER;
    *ret = call;
    return 0;
}

int fay_control_answer_parse(const uint8_t *payload, size_t size, fay_control_answer *ret)
{
    fay_reader reader = fay_reader_of(payload, size);
    fay_control_answer answer = {.number = fay_read32(&reader)};
    uint8_t kind = fay_read8(&reader);
    answer.json = (const char *)fay_read_bytes(&reader, FAY_ANSWER_JSON_MAX, &answer.json_size);
    if (fay_reader_done(&reader) < 0 || kind > FAY_ANSWER_FAILED)
        return FAY_E_PEER;
    answer.kind = (fay_answer_kind)kind;
    *ret = answer;
    return 0;
}

int fay_control_cancel_parse(const uint8_t *payload, size_t size, uint32_t *ret_number)
{
    fay_reader reader = fay_reader_of(payload, size);
    uint32_t number = fay_read32(&reader);
    if (fay_reader_done(&reader) < 0)
        return FAY_E_PEER;
    *ret_number = number;
    return 0;
}
