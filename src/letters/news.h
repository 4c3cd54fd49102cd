/* SPDX-License-Identifier: MIT */
/*
 * News of a failure: what a VERDICT or DOWN says, in one vocabulary. On its way through the flow it
 * is the opaque note that comes out again with the dead letter, or with the end of the run.
 */
#ifndef FAY_NEWS_H
#define FAY_NEWS_H

#include "base/base.h"
#include "base/buffer.h"
#include "flow/flow.h"

typedef enum fay_news_kind {
    FAY_NEWS_EXIT,    /* a program ended with a bad exit code, or could not start */
    FAY_NEWS_SIGNAL,  /* it was killed */
    FAY_NEWS_TIMEOUT, /* it took too long */
    FAY_NEWS_AGAIN,   /* the worker asks for another try */
    FAY_NEWS_NEVER,   /* trying again is useless */
    FAY_NEWS_BACK,    /* the worker gave the Item back, unasked */
    FAY_NEWS_GARBAGE, /* the worker broke its protocol */
    FAY_NEWS_RETIRED, /* a worker has gone as it should */
} fay_news_kind;

typedef struct fay_news {
    fay_news_kind kind;
    uint64_t tag;             /* VERDICT: of the Item */
    fay_ns ns;                /* DOWN: time that its start took */
    uint64_t seen;            /* DOWN: the first tag that had not reached the worker */
    int32_t exit, signal;     /* 0 = does not apply */
    const char *error, *tail; /* borrowed, not terminated; tail is the end of stderr */
    size_t error_size, tail_size;
} fay_news;

/* Payloads of the messages: 0, with texts that point into the payload; or FAY_E_PEER, with *ret
 * untouched. */
int fay_news_of_verdict(const uint8_t *payload, size_t size, fay_news *ret);
int fay_news_of_down(const uint8_t *payload, size_t size, fay_news *ret);
/* *ret_breach: a worker broke its contract; else the stage cannot start, or was asked to stop. */
int fay_news_of_failed(const uint8_t *payload, size_t size, bool *ret_breach, fay_error *ret);

/* News of what nobody has sent: an error that is borrowed, and no more. */
fay_news fay_news_saying(const char *error);

/* What the flow calls a try that ended so; a worker's death is one of the only Item it held. */
fay_flow_try fay_news_try(fay_news_kind kind);

/* The note: exit, signal and texts. What cannot be read is taken as no news. */
void fay_news_write(const fay_news *news, fay_buffer *out);
fay_news fay_news_read(const uint8_t *note, size_t size);

/* The last line that is not blank: where it begins, with its length in *size. */
const char *fay_news_last_line(const char *text, size_t *size);

/* Appends "exit code 1: KeyError: 'user'": the error's last line, or how it ended, and the last
 * line of stderr. Nothing where nothing is known. */
void fay_news_tell(const fay_news *news, fay_buffer *out);

#endif /* FAY_NEWS_H */
