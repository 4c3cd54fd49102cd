/* SPDX-License-Identifier: MIT */
/*
 * The log: one line an event on stderr, as text (logfmt) or JSON.
 *
 *     fay_log(FAY_WARN, "worker.stalled", "stage=%s worker=%u", stage, worker);
 *
 * The event name is stable, dotted, and what people grep for. Cores never log; they emit actions.
 * An event is logged once, where it is handled. This is the project's one global.
 */
#ifndef FAY_LOG_H
#define FAY_LOG_H

#include "base/base.h"

typedef enum fay_level {
    FAY_TRACE,
    FAY_DEBUG,
    FAY_INFO,
    FAY_WARN,
    FAY_ERROR
} fay_level;

/* Default: FAY_WARN, text. */
void fay_log_setup(fay_level least, bool json);
bool fay_log_wants(fay_level level);
/* `format` makes "key=value key=\"two words\"" fields; they become members in JSON. */
void fay_log(fay_level level, const char *event, const char *format, ...) FAY_PRINTF(3, 4);

#endif /* FAY_LOG_H */
