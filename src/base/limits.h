/* SPDX-License-Identifier: MIT */
/* Every limit on what comes from outside, in one place. docs/PROTOCOL.md repeats those on the wire.
 */
#ifndef FAY_LIMITS_H
#define FAY_LIMITS_H

#include "base/base.h"

/* Pipelines */
#define FAY_STAGES_MAX         ((size_t)60)   /* of a pipeline: a 64-bit mask holds them */
#define FAY_DEPTH_MAX          ((size_t)20)   /* stages from source to sink, the longest way */
#define FAY_STAGE_NAME_MAX     ((size_t)32)   /* bytes of a stage's name */
#define FAY_PIPELINE_NAME_MAX  ((size_t)64)   /* bytes of its name: file names have it */
#define FAY_PIPELINE_FILE_MAX  (1 * FAY_MIB)  /* bytes of a pipeline file */
#define FAY_YAML_DEPTH_MAX     ((size_t)16)   /* nesting of a pipeline file */
#define FAY_YAML_KEYS_MAX      ((size_t)1024) /* of one map: each is compared with all */
#define FAY_CONFIG_ERRORS_MAX  ((size_t)50)   /* errors of one file that are reported */
#define FAY_ARGV_MAX           ((size_t)4096) /* arguments of one command */
#define FAY_WHEN_MAX           ((size_t)4096) /* bytes of a `when` test */
#define FAY_WHEN_DEPTH_MAX     64             /* nesting of a `when` test: it is recursed */
#define FAY_DURATION_MAX       (366.0 * 86400 * 1e9) /* ns, a year: sums of a few do not overflow */
#define FAY_RATE_MAX           1e9                   /* Items per second: one each ns */
#define FAY_PACE_PIECES_MAX    ((size_t)1024)        /* of a rate that changes over time */
#define FAY_CPU_MAX            4096.0                /* cores for a worker: no machine has more */
#define FAY_BACKOFF_FACTOR_MAX 1000.0                /* of a wait to the one before: ms to s */

/* Items */
#define FAY_ITEM_MAX           (1 * FAY_GIB)     /* bytes of an Item; `max_item` is no more */
#define FAY_ITEM_MAX_DEFAULT   (16 * FAY_MIB)    /* bytes of an Item where nothing is said */
#define FAY_OUTPUT_MAX_DEFAULT (1 * FAY_GIB)     /* bytes of one try of exec and batch workers */
#define FAY_ATTR_NAME_MAX      ((size_t)256)     /* bytes of an attribute's name */
#define FAY_ATTRS_MAX          ((size_t)4096)    /* attributes of an Item, nested ones included */
#define FAY_ATTRS_DEPTH_MAX    ((size_t)16)      /* nesting of lists and maps */
#define FAY_JSON_VALUES_MAX    ((size_t)1 << 18) /* of a JSON text: far larger in memory */
#define FAY_PATH_MAX           ((size_t)28)      /* bytes of a path below its root, packed */

/* Frames between our processes */
#define FAY_FRAME_BATCH_MAX (256 * FAY_KIB) /* bytes of data in a frame of several Items */
#define FAY_FRAME_CHUNK_MAX (64 * FAY_KIB)  /* bytes of data in a part of a large result set */
#define FAY_FRAME_MAX       (FAY_ITEM_MAX + 16 * FAY_MIB) /* bytes: an Item, and what it says */
#define FAY_BLOCK_ITEMS_MAX ((size_t)65536)               /* Items of one frame */
#define FAY_SETUP_TEXT_MAX  (1 * FAY_MIB)          /* bytes of a text of SETUP, as an argument */
#define FAY_ERROR_TEXT_MAX  ((size_t)1024)         /* bytes of an error text of a worker */
#define FAY_STDERR_TAIL_MAX ((size_t)4096)         /* bytes kept of a worker's stderr */
#define FAY_PROC_TEXT_MAX   ((size_t)16 * FAY_KIB) /* of a file in /proc that is read */

/* Workers */
#define FAY_WORKERS_MAX        ((size_t)1024) /* workers of one stage on one machine */
#define FAY_CREDIT_MAX         ((size_t)4096) /* Items leased ahead to one worker */
#define FAY_GIVE_BACKS_MAX     16 /* of one Item, without being asked: from then on each counts */
#define FAY_RETRIES_MAX        ((uint64_t)65534) /* after the first: 16 bits count the tries */
#define FAY_REORDER_ITEMS_MAX  ((size_t)1 << 20) /* Items that an ordered stage may hold */
#define FAY_QUEUE_GROWN_MAX    ((size_t)8192)    /* Items up to which a queue grows by itself */
#define FAY_QUEUE_ITEMS_MAX    ((size_t)1 << 24) /* Items of a queue */
#define FAY_ARGUMENT_MAX       (128 * FAY_KIB) /* bytes of an argument, its NUL too: the kernel's */
#define FAY_REPLY_LINE_MAX     (64 * FAY_MIB)  /* bytes of a json worker's line, over max_item */
#define FAY_ANSWERS_MAX        (2 * FAY_GIB - 1) /* bytes of json results in a message: u32 */
#define FAY_LEFT_MAX           (64 * FAY_MIB)    /* bytes read of a worker that has ended */
#define FAY_STDERR_LINE_MAX    ((size_t)4096) /* bytes of a line; a longer one is cut in pieces */
#define FAY_TREE_PROCESSES_MAX 4096u          /* of a worker that are looked at, each in /proc */
#define FAY_TREE_DEPTH_MAX     32u            /* generations of them: it is recursed */

/* Sources and sinks */
#define FAY_FILES_MAX       ((size_t)1 << 16) /* of a source: positions have 16 bits for them */
#define FAY_CONNECTIONS_MAX ((size_t)1024)    /* open ones of a source: a descriptor each */
#define FAY_ROTATED_MAX     1000000           /* old files of a sink: a free name is searched for */

/* Logs */
#define FAY_LOG_KEPT_MAX (16 * FAY_MIB) /* bytes of a log that wait for its reader */

/* Terminals */
#define FAY_DECISIONS_KEPT_MAX ((size_t)10) /* of a stage, from each end: --explain */
#define FAY_ANSWER_MAX         ((size_t)64) /* bytes of an answer that is typed */

/* Keys and certificates */
#define FAY_NODE_NAME_MAX    ((size_t)64)   /* bytes of a Node's name */
#define FAY_DNS_NAME_MAX     ((size_t)253)  /* bytes of a DNS name: RFC 1035 */
#define FAY_PEM_FILE_MAX     (1 * FAY_MIB)  /* bytes of a file of keys or certificates */
#define FAY_CERTIFICATES_MAX ((size_t)512)  /* of a file: all public CAs are some 150 */
#define FAY_CHAIN_MAX        8              /* certificates between a Node's and its root's */
#define FAY_SANS_MAX         ((size_t)256)  /* names and addresses of a certificate */
#define FAY_CSR_MAX          (16 * FAY_KIB) /* bytes of a request for a certificate */
#define FAY_TOKENS_MAX       ((size_t)64)   /* that are open at once */
#define FAY_TOKEN_USES_MAX   ((size_t)1000) /* of a token */
#define FAY_TOKENS_FILE_MAX  (16 * FAY_MIB) /* bytes: as many as these, and their uses */
#define FAY_ISSUED_MAX                                                                             \
    ((size_t)100000) /* certificates of one CA: one is looked for in a list of files */
#define FAY_CERTIFICATION_MAX       (60 * FAY_KIB) /* bytes of what says whose record key it is */
#define FAY_CERTIFICATION_CHAIN_MAX (FAY_CHAIN_MAX + (size_t)2) /* certificates in it */
#define FAY_KEY_SIGNATURE_MAX       ((size_t)2048)  /* bytes: RSA 16384, OpenSSL's largest */
#define FAY_CRL_MAX                 (16 * FAY_MIB)  /* bytes of a list of revoked ones */
#define FAY_HOSTS_FILE_MAX          (256 * FAY_KIB) /* bytes of /etc/hosts that are read */

/* Control: commands that call a Node */
#define FAY_CALLERS_MAX     ((size_t)64)   /* at its socket at once */
#define FAY_CALLS_MAX       ((size_t)64)   /* of one caller at once */
#define FAY_CALL_VERB_MAX   ((size_t)32)   /* bytes of a verb's name */
#define FAY_CALL_JSON_MAX   (63 * FAY_KIB) /* bytes of its arguments */
#define FAY_ANSWER_JSON_MAX (15 * FAY_MIB) /* bytes of what is answered, or a part */
#define FAY_CALLER_KEPT_MAX (32 * FAY_MIB) /* bytes that wait for a caller to read */

/* TLS */
#define FAY_CHAIN_SHOWN_MAX        (100 * FAY_KIB) /* bytes of the certificates that a peer shows */
#define FAY_HANDSHAKES_MAX         ((size_t)64)    /* of those who have dialled, at once */
#define FAY_HANDSHAKES_KNOWN_KEPT  ((size_t)16)    /* of them, for the addresses of members */
#define FAY_HANDSHAKES_ADDRESS_MAX ((size_t)32)    /* of one address; not of loopback */
#define FAY_SILENT_MAX             ((size_t)256)   /* who have dialled and have no slot yet */
#define FAY_TICKETS_MAX            ((size_t)32)    /* sessions kept to be resumed */

/* Files */
#define FAY_JOURNAL_RECORD_MAX (64 * FAY_MIB)  /* bytes of one record */
#define FAY_JOURNAL_MAX        (256 * FAY_MIB) /* bytes; begun anew beyond 4 MiB and a record */
#define FAY_JOURNAL_RUN_MAX    (1 * FAY_MIB)   /* bytes of the run's id in its header */
#define FAY_JOURNAL_TEXT_MAX   (16 * FAY_MIB)  /* bytes of the pipeline, or the source, there */
#define FAY_DEAD_LINE_MAX      (2 * FAY_GIB)   /* bytes of a dead letter */
#define FAY_DEAD_TEXT_MAX      (20 * FAY_KIB)  /* bytes of a text in it: stderr, thrice as UTF-8 */
#define FAY_DEAD_PIPELINES_MAX ((size_t)64) /* of a file that is tried again: 2 open files each */

/* Grid */
#define FAY_GRID_MEMBERS_MAX  ((size_t)1 << 15)   /* entries of a table, those gone included */
#define FAY_GRID_BOOT_MAX     ((uint64_t)1 << 53) /* of a Node; seconds since 1970, usually */
#define FAY_GRID_INC_MAX      (UINT32_MAX - 1)    /* incarnations of one boot */
#define FAY_GRID_NAME_MAX     ((size_t)64)        /* bytes of a Node's name */
#define FAY_GRID_ADDRESS_MAX  ((size_t)261)       /* bytes of HOST:PORT: a host has 255 at most */
#define FAY_GRID_META_MAX     ((size_t)512)       /* bytes of what a Node says of itself */
#define FAY_GRID_STATUS_MAX   ((size_t)32)        /* bytes that its heartbeats carry for it */
#define FAY_GRID_BOOT_LEAP    ((uint64_t)1 << 29) /* of a Node's own boot, told without a proof */
#define FAY_GRID_SIGNED_MAX   (1 * FAY_KIB)       /* bytes of what is signed: floods as it is */
#define FAY_GRID_LINKS_MAX    ((size_t)64)        /* of a Node: a bit each */
#define FAY_GRID_PENDING_MAX  ((size_t)4096)      /* statements of others, being verified */
#define FAY_GRID_CONTACTS_MAX ((size_t)256)       /* members that are dialled, or will be */
#define FAY_GRID_SEEDS_MAX    ((size_t)256)       /* addresses that a Grid is looked for at */
#define FAY_GRID_RUMOR_MAX    (1 * FAY_MIB)       /* bytes that a rumor carries */
#define FAY_GRID_RUMORS_BYTES (16 * FAY_MIB)      /* of all rumors that are kept to be asked for */
#define FAY_GRID_HEARSAY_MAX  ((size_t)64)        /* rumors that are being verified */
#define FAY_GRID_REDIRECT_MAX ((size_t)8)         /* members that a newcomer is sent to */
#define FAY_GRID_REFUTED_MAX  ((size_t)4096)      /* pairs, remembered */
#define FAY_GRID_PAGE_MAX     (32 * FAY_KIB)      /* bytes of statements, then another message */
#define FAY_TAGS_MAX          ((size_t)32)        /* of a Node */
#define FAY_WEIGHT_MAX        1e6                 /* of an Agent, either sign */
#define FAY_EVENT_NAME_MAX    ((size_t)64)        /* bytes of the name of an event to all */
#define FAY_EVENT_TEXT_MAX    (16 * FAY_KIB)      /* bytes of its text */
#define FAY_EVENTS_KEPT_MAX   ((size_t)1024)      /* latest events that a Node can tell again */
#define FAY_PEERS_KEPT_MAX    ((size_t)256)       /* addresses in its state directory */
#define FAY_PEERS_FILE_MAX    (128 * FAY_KIB)     /* bytes of that file */
#define FAY_CLIENTS_MAX       ((size_t)256)       /* of a Node over TLS, at once */
#define FAY_APPLICANTS_MAX    ((size_t)64)        /* who join through it, at once */
#define FAY_ASKS_MAX          ((size_t)16)        /* other Nodes that it asks, at once */
#define FAY_GRID_ACCUSERS_MAX ((size_t)16)        /* of one member, kept; a few more than rings */

#endif /* FAY_LIMITS_H */
