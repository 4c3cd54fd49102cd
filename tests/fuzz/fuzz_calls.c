/* SPDX-License-Identifier: MIT */
/*
 * What a caller says to a Node, and a Node to a caller. The input is a row of frames for the calls
 * of one caller: what is called ends at some time, and none is answered after that.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "control/calls.h"
#include "control/message.h"
#include "wire/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static fay_call *open; /* the latest of `open` */

static void on_end(void *context)
{
    if (open == context)
        open = NULL;
}

static void verb_echo(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    fay_call_done(call, json_deep_copy(args));
}

static void verb_open(void *context, fay_call *call, const json_t *args)
{
    (void)context;
    (void)args;
    open = call;
    fay_call_on_end(call, on_end, call);
    (void)fay_call_more(call, NULL);
}

static const fay_verb verbs[] = {{"e", 1, verb_echo}, {"o", 1, verb_open}, {"x", 2, NULL}, {0}};

static void on_send(void *context, fay_message type, const void *payload, size_t size)
{
    (void)context;
    fay_control_answer answer;
    assert(type == FAY_MESSAGE_ANSWER && size <= fay_message_max(type));
    int r = fay_control_answer_parse(payload, size, &answer);
    assert(r == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fay_calls_config config = {
        .verbs = verbs, .send = on_send, .roles = 1, .caller = "fuzzer"};
    fay_control_answer answer;
    if (fay_control_answer_parse(data, size, &answer) == 0)
        assert(answer.json_size + 9 == size && answer.kind <= FAY_ANSWER_FAILED);
    open = NULL;
    fay_calls *calls = fay_calls_new(&config);
    for (;;) {
        fay_frame frame;
        size_t needed;
        if (fay_frame_parse(data, size, &frame, &needed) != FAY_FRAME_WHOLE)
            break;
        if (fay_calls_frame(calls, &frame) < 0)
            break;
        data += needed;
        size -= needed;
    }
    if (open != NULL)
        fay_call_done(open, NULL);
    fay_calls_free(calls);
    return 0;
}
