/* SPDX-License-Identifier: MIT */
/* How many workers a flow has, over virtual time: a source at a rate, workers that all take the
 * same time for an Item. */
#include "flow_script.h"

enum {
    WORKERS = 64,
    ITEM_MS = 100
};

typedef struct crew {
    struct script *script;
    uint64_t due[WORKERS], tag[WORKERS]; /* ms; 0 = nothing in hand */
    fay_ns begun[WORKERS];
    unsigned count, spawned, retired;
    uint64_t hidden_ms; /* of a start: between being up and working on the first Item */
    bool warm[WORKERS];
    double owed; /* source Items */
} crew;

static void begin_crew(crew *c, void **state, uint64_t queue_items)
{
    struct script *s = begin(state, 1);
    s->stages[0].start_hidden = true;
    s->stages[0].pinned = false;
    s->stages[0].workers_max = WORKERS;
    s->stages[0].queue_items = queue_items;
    s->stages[0].queue_bytes = FAY_MIB;
    s->stages[0].prefetch = 1;
    start(s);
    *c = (crew){.script = s, .count = 1};
}

static void carry_out(crew *c, const fay_flow_action *a)
{
    struct script *s = c->script;
    fay_flow_event event = {.link = a->link, .worker = a->worker, .ns = FAY_MS};
    switch ((int)a->kind) {
    case FAY_FLOW_LEASE:
        c->begun[a->worker] = s->now;
        c->due[a->worker] = s->now / FAY_MS + ITEM_MS + (c->warm[a->worker] ? 0 : c->hidden_ms);
        c->warm[a->worker] = true;
        c->tag[a->worker] = a->tag;
        return;
    case FAY_FLOW_SPAWN:
        c->count++;
        c->spawned++;
        event.kind = FAY_FLOW_WORKER_UP;
        break;
    case FAY_FLOW_RETIRE:
        c->count--;
        c->retired++;
        c->warm[a->worker] = false;
        event.kind = FAY_FLOW_WORKER_DOWN;
        event.cause = FAY_FLOW_RETIRED;
        break;
    case FAY_FLOW_WRITE:
        event = (fay_flow_event){.kind = FAY_FLOW_WRITTEN, .items = a->count, .bytes = a->count};
        break;
    default: return;
    }
    feed(s, event);
}

static void finish(crew *c, uint16_t worker)
{
    FAY_CLEANUP(fay_batch_unrefp) fay_batch *batch = fay_batch_new();
    (void)fay_batch_append(batch, "x", 1);
    c->due[worker] = 0;
    feed(c->script, (fay_flow_event){.kind = FAY_FLOW_RESULTS,
                                     .worker = worker,
                                     .tag = c->tag[worker],
                                     .count = 1,
                                     .ns = c->script->now - c->begun[worker],
                                     .batch = batch});
}

static void read_items(crew *c, uint64_t count)
{
    struct script *s = c->script;
    uint64_t items, bytes;
    fay_flow_source_room(s->flow, s->now, &items, &bytes);
    for (uint64_t i = FAY_MIN(items, count); i > 0; i--) {
        read_source(s, "i");
        c->owed -= 1;
    }
}

/* So many Items a second for so many milliseconds; what there is no room for waits. */
static void run(crew *c, double rate, unsigned ms)
{
    struct script *s = c->script;
    for (unsigned t = 0; t < ms; t++) {
        s->now += FAY_MS;
        for (unsigned w = 0; w < WORKERS; w++) {
            if (c->due[w] > 0 && c->due[w] <= s->now / FAY_MS)
                finish(c, (uint16_t)w);
        }
        c->owed += rate / 1000;
        read_items(c, (uint64_t)c->owed);
        fay_flow_actions actions;
        fay_flow_step(s->flow, s->now, &actions);
        fay_flow_action copy[256];
        assert_true(actions.count < FAY_COUNT(copy));
        memcpy(copy, actions.items, actions.count * sizeof *copy);
        for (size_t i = 0; i < actions.count; i++) {
            carry_out(c, &copy[i]);
        }
    }
}

/* What came long ago says nothing about a source that was never held back. */
static void a_source_that_slows_down_is_believed(void **state)
{
    crew c;
    begin_crew(&c, state, 1024);
    run(&c, 5, 4000);
    run(&c, 50, 4000);
    assert_in_range(c.count, 6, 9);
    run(&c, 5, 1500);
    assert_in_range(c.count, 1, 4);
    c.spawned = 0;
    run(&c, 5, 6000);
    assert_in_range(c.spawned, 0, 1);
}

/* One that is held back is faster than what arrives: it counts with what it does when it may. */
static void a_source_that_is_held_back_counts_with_its_own_rate(void **state)
{
    crew c;
    begin_crew(&c, state, 16);
    run(&c, 50, 200);
    c.owed = 100000;
    run(&c, 0, 2000);
    assert_in_range(c.count, WORKERS / 2, WORKERS);
}

/* Who begins to work some time after it is said to be up has not become slower. */
static void a_start_that_hides_in_the_first_item_is_one(void **state)
{
    crew c;
    begin_crew(&c, state, 1024);
    c.hidden_ms = 500;
    run(&c, 5, 4000);
    c.spawned = 0;
    run(&c, 50, 6000); /* a load of 5 */
    assert_in_range(c.count, 6, 9);
    assert_in_range(c.spawned, 6, 14); /* to work off what waited for them too */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_source_that_slows_down_is_believed),
        FLOW_TEST(a_start_that_hides_in_the_first_item_is_one),
        FLOW_TEST(a_source_that_is_held_back_counts_with_its_own_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
