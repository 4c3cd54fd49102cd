/* SPDX-License-Identifier: MIT */
/*
 * What a worker uses of the machine while it has Items in hand: USED, for the Equalizer, which has
 * to know how many of them fit.
 *
 *     first Item    looked at after 100 ms, 200 ms, .. by a timer, if it takes that long
 *     later         when it answers (lines, json, frames) or has ended (exec, batch), the more
 *                   rarely the longer it lives, every 10 s in the end: no timer
 *
 * What it did before its first answer counts only if that took long, so that a start that burns a
 * core does not stand for the work.
 */
#include "host/tree.h"
#include "instance/worker.h"

#define FIRST_LOOK (100 * FAY_MS)
#define GAP_MAX    (10 * FAY_SECOND)
#define TELL_EVERY (100 * FAY_MS)
#define BUSY_LEAST FAY_MS /* less says nothing */

static void tell(fay_worker *w, fay_ns now, const fay_used *used)
{
    fay_instance *in = w->instance;
    in->used.busy += used->busy;
    in->used.cpu += used->cpu;
    in->used.waited += used->waited;
    in->used.bytes = FAY_MAX(in->used.bytes, used->bytes);
    if (in->link == NULL || now < in->used_at)
        return;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    fay_used_write(&in->used, &payload);
    fay_link_send(in->link, FAY_MESSAGE_USED, 0, fay_buffer_data(&payload),
                  fay_buffer_size(&payload));
    in->used = (fay_used){0};
    in->used_at = now + TELL_EVERY;
}

static void count_busy(fay_worker_usage *u, fay_ns now)
{
    if (u->since == FAY_NEVER)
        return;
    u->busy += now - u->since;
    u->since = now;
}

static void pace(fay_worker_usage *u, fay_ns now)
{
    u->gap = u->gap == 0 ? FIRST_LOOK : FAY_MIN(2 * u->gap, GAP_MAX);
    u->at = now + u->gap;
}

static fay_ns more(fay_ns now, fay_ns before)
{
    return now > before ? now - before : 0;
}

/* The others are taken to have waited as much as the main threads did for the same time on a core.
 * That is a guess: it does not make more than one core out of it. */
static fay_ns waited(const fay_used *used, const fay_main_threads *main)
{
    if (main->ran == 0)
        return main->waited;
    double guess = (double)main->waited * ((double)used->cpu / (double)main->ran);
    double most = (double)more(used->busy, used->cpu);
    return FAY_MAX(main->waited, (fay_ns)FAY_MIN(guess, most));
}

/* Since the last look. */
static fay_used spend(fay_worker_usage *u, const fay_spent *now)
{
    fay_used used = {.busy = u->busy, .cpu = more(now->cpu, u->cpu), .bytes = now->bytes};
    const fay_main_threads main = {.ran = more(now->main.ran, u->main.ran),
                                   .waited = more(now->main.waited, u->main.waited)};
    used.waited = waited(&used, &main);
    u->busy = 0;
    u->cpu = now->cpu;
    u->main = now->main;
    return used;
}

static void look(fay_worker *w, fay_ns now, bool counts)
{
    fay_tree tree;
    pace(&w->usage, now);
    if (!w->running || !fay_tree_look(w->child.pid, &tree))
        return;
    const fay_spent all = {.cpu = tree.cpu, .main = tree.main, .bytes = tree.rss};
    fay_used used = spend(&w->usage, &all);
    if (counts)
        tell(w, now, &used);
}

static void look_by(fay_worker *w, fay_ns when)
{
    w->usage.at = when;
    fay_tick_by(w->instance, when);
}

void fay_usage_leased(fay_worker *w)
{
    fay_worker_usage *u = &w->usage;
    if (u->since != FAY_NEVER)
        return;
    u->since = fay_now();
    if (!u->answered)
        look_by(w, u->since + FIRST_LOOK);
}

void fay_usage_answered(fay_worker *w)
{
    fay_worker_usage *u = &w->usage;
    fay_ns now = fay_now();
    count_busy(u, now);
    if (fay_mode_held(w->mode) == 0)
        u->since = FAY_NEVER;
    if (!u->answered && fay_mode_answered(w->mode) > 0) {
        u->answered = true;
        if (u->gap == 0)
            look(w, now, false); /* it counts from here on */
    } else if (u->answered && now >= u->at && u->busy >= BUSY_LEAST) {
        look(w, now, true);
    }
}

fay_ns fay_usage_look(fay_worker *w, fay_ns now)
{
    fay_worker_usage *u = &w->usage;
    if (u->answered || u->since == FAY_NEVER || !w->running)
        return FAY_NEVER;
    if (now >= u->at) {
        count_busy(u, now);
        look(w, now, true);
    }
    return u->at;
}

/* ---- exec, batch ----------------------------------------------------------------------------- */

void fay_usage_began(fay_worker *w)
{
    fay_worker_usage *u = &w->usage;
    u->since = fay_now();
    u->busy = u->cpu = 0;
    u->main = (fay_main_threads){0};
    if (!u->answered)
        look_by(w, u->since + FIRST_LOOK);
}

bool fay_usage_is_due(const fay_worker *w)
{
    return !w->usage.answered || fay_now() >= w->usage.at;
}

void fay_usage_ended(fay_worker *w, const fay_spent *all)
{
    fay_worker_usage *u = &w->usage;
    fay_ns now = fay_now();
    count_busy(u, now);
    u->since = FAY_NEVER;
    u->answered = true;
    fay_used used = spend(u, all);
    pace(u, now);
    tell(w, now, &used);
}
