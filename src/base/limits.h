/* SPDX-License-Identifier: MIT */
/* Every limit on what comes from outside, in one place. docs/PROTOCOL.md repeats those on the wire.
 */
#ifndef FAY_LIMITS_H
#define FAY_LIMITS_H

#include "base/base.h"

/* Pipelines */
#define FAY_STAGES_MAX        ((size_t)60)   /* stages of a pipeline (a 64-bit mask holds them) */
#define FAY_DEPTH_MAX         ((size_t)20)   /* stages on the longest way from source to sink */
#define FAY_STAGE_NAME_MAX    ((size_t)32)   /* bytes of a stage's name */
#define FAY_PIPELINE_FILE_MAX (1 * FAY_MIB)  /* bytes of a pipeline file */
#define FAY_YAML_DEPTH_MAX    ((size_t)16)   /* nesting of a pipeline file */
#define FAY_CONFIG_ERRORS_MAX ((size_t)50)   /* errors of one file that are reported */
#define FAY_ARGV_MAX          ((size_t)4096) /* arguments of one command */
#define FAY_WHEN_MAX          ((size_t)4096) /* bytes of a `when` test */

/* Items */
#define FAY_ITEM_MAX           (1 * FAY_GIB) /* bytes of an Item; `max_item` may not be more */
#define FAY_ITEM_MAX_DEFAULT   (16 * FAY_MIB)
#define FAY_OUTPUT_MAX_DEFAULT (1 * FAY_GIB)  /* output of one try of exec and batch workers */
#define FAY_ATTR_NAME_MAX      ((size_t)256)  /* bytes of an attribute's name */
#define FAY_ATTRS_MAX          ((size_t)4096) /* attributes of an Item, nested ones included */
#define FAY_ATTRS_DEPTH_MAX    ((size_t)16)   /* nesting of lists and maps */
#define FAY_PATH_MAX           ((size_t)28)   /* bytes of an Item's path below its root, packed */

/* Frames between our processes */
#define FAY_FRAME_BATCH_MAX (256 * FAY_KIB) /* bytes of data in a frame of several Items */
#define FAY_FRAME_CHUNK_MAX (64 * FAY_KIB)  /* bytes of data in a part of a large result set */
#define FAY_FRAME_MAX       (FAY_ITEM_MAX + 16 * FAY_MIB)
#define FAY_BLOCK_ITEMS_MAX ((size_t)65536) /* Items of one frame */
#define FAY_ERROR_TEXT_MAX  ((size_t)1024)  /* bytes of an error text of a worker */
#define FAY_STDERR_TAIL_MAX ((size_t)4096)  /* bytes kept of a worker's stderr */

/* Workers */
#define FAY_WORKERS_MAX       ((size_t)1024) /* workers of one stage on one machine */
#define FAY_REPLY_LINE_MAX    (64 * FAY_MIB) /* bytes of one line of a json worker, over max_item */
#define FAY_CREDIT_MAX        ((size_t)4096) /* Items leased ahead to one worker */
#define FAY_RETRIES_MAX       ((uint64_t)1000000)
#define FAY_REORDER_ITEMS_MAX ((size_t)1 << 20)
#define FAY_QUEUE_GROWN_MAX   ((size_t)8192) /* Items up to which a queue grows by itself */
#define FAY_QUEUE_ITEMS_MAX   ((size_t)1 << 24)

/* Terminals */
#define FAY_ANSWER_MAX ((size_t)64) /* bytes of an answer that is typed */

/* Files */
#define FAY_JOURNAL_RECORD_MAX (64 * FAY_MIB)
#define FAY_JOURNAL_MAX        (256 * FAY_MIB) /* it is begun anew beyond 4 MiB and a record */
#define FAY_DEAD_LINE_MAX      (2 * FAY_GIB)

#endif /* FAY_LIMITS_H */
