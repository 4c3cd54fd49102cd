/* SPDX-License-Identifier: MIT */
/*
 * Worker modes: conversations without processes. What the owner sends, what the worker is given and
 * prints, what the owner gets. Shared by test_mode.c and test_mode_lines.c.
 */
#ifndef MODE_TALK_H
#define MODE_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/say.h"
#include "wire/codec.h"
#include "worker/mode.h"

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define EXIT(code) ((code) << 8)

/* One mode and what it has said. */
typedef struct talk {
    fay_setup setup;
    fay_router *router;
    fay_mode *mode;
    fay_replies replies;
    fay_buffer given; /* to the worker */
    fay_buffer printed;
    bool well; /* ends with exit 0 */
} talk;

static inline void begin_as(talk *t, fay_setup setup, fay_router *router)
{
    *t = (talk){.setup = setup, .router = router};
    const fay_mode_config config = {.setup = &t->setup, .router = router, .number = 2};
    t->mode = fay_mode_new(&config, NULL);
    assert_non_null(t->mode);
}

static inline void begin(talk *t, fay_mode_kind mode, const char *const *argv)
{
    begin_as(t, say_setup(mode, argv), NULL);
}

static inline void end(talk *t)
{
    fay_mode_free(t->mode);
    fay_router_free(t->router);
    fay_replies_deinit(&t->replies);
    fay_buffer_deinit(&t->given);
    fay_buffer_deinit(&t->printed);
    fay_setup_deinit(&t->setup);
}

/* Writes up to `room` bytes of what the worker is to be given. */
static inline void write_input(talk *t, size_t room)
{
    for (;;) {
        size_t size;
        const uint8_t *bytes = fay_mode_input(t->mode, &size);
        size = FAY_MIN(size, room);
        if (size == 0)
            return;
        fay_buffer_append(&t->given, bytes, size);
        fay_mode_wrote(t->mode, size, 1);
        room -= size;
    }
}

static inline void lease(talk *t, uint64_t first, int gap, const char *attrs,
                         const char *const *texts)
{
    fay_buffer payload = {0};
    say_lease(first, gap, attrs, texts, &payload);
    fay_lease_frame frame;
    assert_int_equal(fay_lease_parse(fay_buffer_data(&payload), fay_buffer_size(&payload), &frame),
                     0);
    assert_int_equal(fay_mode_lease(t->mode, &frame, 1, &t->replies), 0);
    fay_mode_settle(t->mode);
    fay_buffer_deinit(&payload);
}

static inline const char *given(talk *t)
{
    write_input(t, SIZE_MAX);
    return fay_buffer_text(&t->given);
}

/* The worker prints; what comes of it. */
static inline int print(talk *t, const char *text, bool final)
{
    fay_buffer_append_text(&t->printed, text);
    FAY_CLEANUP(fay_freep) /* of the very size, so that a read past its end shows */
    uint8_t *bytes = fay_alloc(fay_buffer_size(&t->printed) + 1);
    memcpy(bytes, fay_buffer_data(&t->printed), fay_buffer_size(&t->printed));
    fay_output output = {.bytes = bytes,
                         .size = fay_buffer_size(&t->printed),
                         .final = final,
                         .well = final && t->well};
    int rc = fay_mode_output(t->mode, &output, 2, &t->replies);
    fay_buffer said = {0};
    for (size_t i = 0; i < t->replies.count; i++) { /* the bytes do not outlive this call */
        fay_reply *r = &t->replies.list[i];
        fay_buffer_clear(&said);
        fay_buffer_append(&said, fay_reply_head(&t->replies, r), r->head_size);
        fay_buffer_append(&said, r->data, r->data_size);
        r->head_at = fay_buffer_size(&t->replies.heads);
        r->head_size = fay_buffer_size(&said);
        r->data_size = 0;
        fay_buffer_append(&t->replies.heads, fay_buffer_data(&said), fay_buffer_size(&said));
    }
    fay_buffer_deinit(&said);
    fay_buffer_consume(&t->printed, output.used);
    return rc;
}

#define assert_said(t, text) assert_string_equal(say_replies(&(t)->replies), (text))

#endif /* MODE_TALK_H */
