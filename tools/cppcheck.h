/* SPDX-License-Identifier: MIT */
/* cppcheck reads no system headers; this is what it must know of <bsd/sys/queue.h>. */
#define TAILQ_FIRST(head)                ((head)->tqh_first)
#define TAILQ_NEXT(item, field)          ((item)->field.tqe_next)
#define TAILQ_FOREACH(item, head, field) for ((item) = (head)->tqh_first; (item); (item) = (item)->field.tqe_next)
#define TAILQ_FOREACH_SAFE(item, head, field, next) \
    for ((item) = (head)->tqh_first; (item) && ((next) = (item)->field.tqe_next, 1); (item) = (next))
