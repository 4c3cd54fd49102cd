/* SPDX-License-Identifier: MIT */
/* Pipelines that are right: every default, every field, how stages are connected, fingerprints. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/load.h"
#include "pipeline/override.h"
#include "pipeline/settle.h"
#include "support/pipelines.h"

static void the_least_file_has_every_default(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p = pipeline_of("faymora: 1\nstages: [{run: [./score.py, \"{}\"]}]\n");
    assert_string_equal(p->name, "p");
    assert_string_equal(p->path, "p.yaml");
    assert_int_equal(p->format, FAY_FORMAT_LINES);
    assert_int_equal(p->source.kind, FAY_SOURCE_STDIN);
    assert_int_equal(p->sink.kind, FAY_SINK_STDOUT);
    assert_string_equal(p->dead_letter, "{name}-{run}.dead.jsonl");
    assert_string_equal(p->state, "");
    assert_int_equal(p->stages_count, 1);

    const fay_stage_def *s = &p->stages[0];
    assert_string_equal(s->name, "score-py");
    assert_int_equal(s->mode, FAY_MODE_EXEC);
    assert_int_equal(s->argc, 2);
    assert_string_equal(s->argv[1], "{}");
    assert_null(s->argv[2]);
    assert_int_equal(s->inputs_count, 1);
    assert_int_equal(s->inputs[0], FAY_INPUT_SOURCE);
    assert_string_equal(s->when_text, "");
    assert_int_equal(s->workers_min, 1);
    assert_int_equal(s->workers_max, 0);
    assert_int_equal(s->workers_start, 1);
    assert_false(s->workers_pinned);
    assert_true(s->cpu < 0);
    assert_int_equal(s->retries, 2);
    assert_int_equal(s->backoff_initial, 100 * FAY_MS);
    assert_int_equal(s->backoff_max, 30 * FAY_SECOND);
    assert_int_equal(s->retry_on, 7);
    assert_int_equal(s->reorder_items, 1024);
    assert_int_equal(s->batch_items, 64);
    assert_int_equal(s->batch_wait, 10 * FAY_MS);
    assert_int_equal(s->queue_items, 1024);
    assert_true(s->queue_items_auto);
    assert_int_equal(s->queue_bytes, 64 * FAY_MIB);
    assert_int_equal(s->item_max, 16 * FAY_MIB);
    assert_int_equal(s->output_max, FAY_GIB);
    assert_int_equal(s->stall, 2 * FAY_SECOND);
    assert_string_equal(s->cwd, ".");
    assert_int_equal(s->stop_signal, SIGTERM);
    assert_int_equal(s->stop_grace, 10 * FAY_SECOND);
    assert_string_equal(s->options, "{}");
    assert_null(s->tags[0]);
    assert_null(s->env[0]);
}

static const char *const every_field =
    "faymora: 1\n"
    "name: thumbs\n"
    "format: jsonl\n"
    "crlf: strip\n"
    "spool: true\n"
    "source: {file: [a.jsonl, \"in/*.jsonl\"], follow: true, format: lines}\n"
    "defaults: {timeout: 5s, backoff: {initial: 1s}, env: {A: \"1\", B: \"2\"}}\n"
    "stages:\n"
    "  - name: fetch\n"
    "    run: [curl, -fsS, \"{.url}\"]\n"
    "    mode: exec\n"
    "    emit: whole\n"
    "    input: source\n"
    "    when: 'kind == \"jpg\"'\n"
    "    workers: {min: 0, max: 8, start: 2}\n"
    "    equalizer: {period: 2s, target_wait: auto}\n"
    "    resources: {cpu: 0.5, memory: 2GiB, disk: 1M, tags: [gpu, ssd]}\n"
    "    timeout: 1m\n"
    "    retries: 0\n"
    "    backoff: {factor: 3, max: 5s, jitter: 0}\n"
    "    on_error: drop\n"
    "    retry_on: [signal]\n"
    "    ordered: true\n"
    "    reorder: {items: 10, wait: 1s}\n"
    "    batch: {items: 1, bytes: 1K, wait: 0}\n"
    "    prefetch: 3\n"
    "    queue: {items: 5, bytes: 1MiB}\n"
    "    max_item: 1MiB\n"
    "    max_output: 2MiB\n"
    "    buffering: pty\n"
    "    stall: 0\n"
    "    env: {B: x=y, C: ~}\n"
    "    cwd: /tmp\n"
    "    rate: 2.5\n"
    "    stop: {signal: INT, grace: 1s}\n"
    "    recycle: {items: 100, age: 1h, rss: 1GiB}\n"
    "  - {name: other, module: ./x.so, input: source, when: else,\n"
    "     options: {level: 3, on: true, name: no, list: [1, two]}, workers: 4}\n"
    "sink: {file: out, append: true, sync: batch, rotate: {bytes: 1G, age: 1d}}\n"
    "dead_letter: {file: \"dead/{run}.jsonl\"}\n"
    "limits: {failures: 5%, rate: 100, run_time: 1h}\n"
    "on: {item_dead: [notify, -x], done: []}\n";

static void check_fetch(const fay_stage_def *s)
{
    assert_int_equal(s->emit, FAY_EMIT_WHOLE);
    assert_string_equal(s->when_text, "kind == \"jpg\"");
    assert_non_null(s->when);
    assert_int_equal(s->workers_min, 0);
    assert_int_equal(s->workers_max, 8);
    assert_int_equal(s->workers_start, 2);
    assert_int_equal(s->equalizer_period, 2 * FAY_SECOND);
    assert_int_equal(s->equalizer_target_wait, 0);
    assert_true(s->cpu == 0.5);
    assert_int_equal(s->memory, 2 * FAY_GIB);
    assert_int_equal(s->disk, FAY_MIB);
    assert_string_equal(s->tags[1], "ssd");
    assert_int_equal(s->timeout, 60 * FAY_SECOND);
    assert_int_equal(s->retries, 0);
    assert_int_equal(s->backoff_initial, FAY_SECOND); /* of the defaults */
    assert_true(s->backoff_factor == 3);
    assert_int_equal(s->on_error, FAY_ON_ERROR_DROP);
    assert_int_equal(s->retry_on, FAY_RETRY_ON_SIGNAL);
    assert_true(s->ordered);
    assert_int_equal(s->reorder_items, 10);
    assert_int_equal(s->batch_bytes, 1024);
    assert_int_equal(s->prefetch, 3);
    assert_int_equal(s->queue_items, 5);
    assert_false(s->queue_items_auto);
    assert_int_equal(s->item_max, FAY_MIB);
    assert_int_equal(s->output_max, 2 * FAY_MIB);
    assert_int_equal(s->buffering, FAY_BUFFERING_PTY);
    assert_int_equal(s->stall, 0);
    assert_string_equal(s->env[0], "A=1");
    assert_string_equal(s->env[1], "B=x=y");
    assert_string_equal(s->env[2], "C=~");
    assert_null(s->env[3]);
    assert_string_equal(s->cwd, "/tmp");
    assert_true(s->rate == 2.5);
    assert_int_equal(s->stop_signal, SIGINT);
    assert_int_equal(s->recycle_items, 100);
    assert_int_equal(s->recycle_age, 3600 * FAY_SECOND);
    assert_int_equal(s->recycle_rss, FAY_GIB);
    assert_int_equal(s->format, FAY_FORMAT_JSONL);
}

static void every_field_arrives(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = pipeline_of(every_field);
    assert_string_equal(p->name, "thumbs");
    assert_int_equal(p->format, FAY_FORMAT_JSONL);
    assert_int_equal(p->source.format, FAY_FORMAT_LINES);
    assert_int_equal(p->source.crlf, FAY_CRLF_STRIP);
    assert_true(p->spool);
    assert_true(p->source.follow);
    assert_string_equal(p->source.files[1], "in/*.jsonl");
    check_fetch(&p->stages[0]);

    const fay_stage_def *other = &p->stages[1];
    assert_true(other->when_else);
    assert_null(other->when);
    assert_null(other->argv);
    assert_int_equal(other->mode, FAY_MODE_FRAMES);
    assert_true(other->workers_pinned);
    assert_int_equal(other->workers_start, 4);
    assert_int_equal(other->timeout, 5 * FAY_SECOND); /* of the defaults */
    assert_string_equal(other->options,
                        "{\"level\":3,\"list\":[1,\"two\"],\"name\":\"no\",\"on\":true}");

    assert_int_equal(p->sink.kind, FAY_SINK_FILE);
    assert_true(p->sink.append);
    assert_int_equal(p->sink.sync, FAY_SYNC_BATCH);
    assert_int_equal(p->sink.rotate_bytes, FAY_GIB);
    assert_string_equal(p->dead_letter, "dead/{run}.jsonl");
    assert_true(p->failures_percent == 5);
    assert_int_equal(p->failures_max, 0);
    assert_true(p->rate == 100);
    assert_int_equal(p->run_time, 3600 * FAY_SECOND);
    assert_string_equal(p->on.item_dead[1], "-x");
    assert_null(p->on.done);
}

static void block_and_flow_are_equal(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *block = pipeline_of("faymora: 1\n"
                                      "stages:\n"
                                      "  - run:\n"
                                      "      - cat\n"
                                      "      - \"{}\"\n"
                                      "    workers:\n"
                                      "      max: 3\n"
                                      "sink: null\n");
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *flow = pipeline_of(
        "{faymora: 1, stages: [{run: [cat, '{}'], workers: {max: 3}}], sink: \"null\"}");
    FAY_CLEANUP(fay_freep) char *a = fay_pipeline_fingerprint(block);
    FAY_CLEANUP(fay_freep) char *b = fay_pipeline_fingerprint(flow);
    assert_string_equal(a, b);
    assert_int_equal(flow->sink.kind, FAY_SINK_NULL);
    assert_int_equal(flow->stages[0].workers_max, 3);
}

static void shorthands_of_ends(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        fay_source_kind source;
        fay_sink_kind sink;
    } rows[] = {
        {"source: stdin\nsink: stdout\n", FAY_SOURCE_STDIN, FAY_SINK_STDOUT},
        {"source: {stdin: true, format: nul}\nsink: ~\n", FAY_SOURCE_STDIN, FAY_SINK_NULL},
        {"source: {file: x}\nsink: {file: y}\n", FAY_SOURCE_FILE, FAY_SINK_FILE},
        {"source: {dir: /s, glob: \"*.jpg\", after: move, move_to: done}\nsink: {exec: [cat]}\n",
         FAY_SOURCE_DIR, FAY_SINK_EXEC},
        {"source: {exec: [pg_dump, -x], restart: on-failure}\nsink: {listen: \"unix:/s\"}\n",
         FAY_SOURCE_EXEC, FAY_SINK_LISTEN},
        {"source: {listen: \"tcp:127.0.0.1:7000\"}\nsink: {listen: \"tcp:[::1]:1\"}\n",
         FAY_SOURCE_LISTEN, FAY_SINK_LISTEN},
        {"source: {generate: {count: 3, size: 8, rate: 0.5}}\n", FAY_SOURCE_GENERATE,
         FAY_SINK_STDOUT},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof yaml, "faymora: 1\nstages: [{run: [cat]}]\n%s", rows[i].yaml);
        FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = pipeline_of(yaml);
        assert_int_equal(p->source.kind, rows[i].source);
        assert_int_equal(p->sink.kind, rows[i].sink);
    }
}

static void rates_of_generated_items(void **state)
{
    (void)state;
    static const struct {
        const char *rate;
        size_t pieces;
        uint64_t items; /* of a count of 1000; 0 = without end */
    } rows[] = {
        {"0", 0, 1000},
        {"50", 1, 1000},
        {"[{for: 10s, rate: 5}]", 1, 50},
        {"[{for: 10s, rate: 5}, {for: 1s, rate: 5, to: 5005}]", 2, 1000},
        {"[{for: 10s, rate: 5}, {rate: 50}]", 2, 1000},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof yaml,
                       "faymora: 1\nstages: [{run: [cat]}]\n"
                       "source: {generate: {count: 1000, rate: %s}}\n",
                       rows[i].rate);
        FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = pipeline_of(yaml);
        assert_int_equal(p->source.generate_pace.count, rows[i].pieces);
        assert_int_equal(fay_pipeline_generated(&p->source), rows[i].items);
    }
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p = pipeline_of("faymora: 1\nstages: [{run: [cat]}]\n"
                                  "source: {generate: {rate: [{for: 2s, rate: 4, to: 8}]}}\n");
    assert_int_equal(fay_pipeline_generated(&p->source), 12);
    fay_error err = {0};
    assert_int_equal(fay_pipeline_set(p, "source.generate.rate=[{rate: 7}]", &err), 0);
    assert_true(fay_pipeline_generated(&p->source) == UINT64_MAX);
    assert_int_equal(fay_pipeline_set(p, "source.generate.rate=[{for: 1s, rate: 0}]", &err), 0);
    assert_int_equal(fay_pipeline_generated(&p->source), 0);
    assert_int_equal(fay_pipeline_set(p, "source.generate.rate=[]", &err), FAY_E_CONFIG);
    assert_int_equal(p->source.generate_pace.count, 1); /* as it was */
}

static void commands_decide_modes_and_argv(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p = pipeline_of("faymora: 1\n"
                                  "stages:\n"
                                  "  - run: [jq, \"{a:{b:1}}\", \"{{x}}\"]\n"
                                  "  - run: [jq, \"{{x}}\", \"{}\"]\n"
                                  "  - sh: \"echo ${x} {y}; cat\"\n"
                                  "  - sh: 'echo \"$FAYMORA_ITEM\" ${x}'\n"
                                  "  - {name: last, run: cat, mode: batch}\n");
    const fay_stage_def *s = p->stages;
    assert_int_equal(s[0].mode, FAY_MODE_LINES);
    assert_string_equal(s[0].argv[1], "{a:{b:1}}");
    assert_string_equal(s[0].argv[2], "{x}");
    assert_string_equal(s[1].name, "jq-2");
    assert_int_equal(s[1].mode, FAY_MODE_EXEC);
    assert_string_equal(s[1].argv[1], "{{x}}"); /* a template */
    assert_int_equal(s[2].mode, FAY_MODE_LINES);
    assert_string_equal(s[2].argv[2], "echo ${x} {y}; cat");
    assert_int_equal(s[3].mode, FAY_MODE_EXEC);
    assert_string_equal(s[3].argv[2], "echo \"$FAYMORA_ITEM\" ${{x}}"); /* as a template */
    assert_string_equal(s[3].shell, "echo \"$FAYMORA_ITEM\" ${x}");
    assert_int_equal(s[4].mode, FAY_MODE_BATCH);
    assert_int_equal(s[4].argc, 1);
}

static void stages_are_connected(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p = pipeline_of("faymora: 1\n"
                                  "stages:\n"
                                  "  - {name: a, run: [cat]}\n"
                                  "  - {name: b, run: [cat]}\n"
                                  "  - {name: c, run: [cat], input: a}\n"
                                  "  - {name: d, run: [cat], input: [b, c, source]}\n"
                                  "  - {name: e, run: [cat], input: a}\n");
    assert_true(fay_pipeline_feeds(p, FAY_INPUT_SOURCE, 0));
    assert_true(fay_pipeline_feeds(p, 0, 1));
    assert_true(fay_pipeline_feeds(p, 0, 2));
    assert_true(fay_pipeline_feeds(p, 1, 3));
    assert_true(fay_pipeline_feeds(p, FAY_INPUT_SOURCE, 3));
    assert_false(fay_pipeline_feeds(p, 3, 4));
    assert_true(fay_pipeline_has_successor(p, FAY_INPUT_SOURCE));
    assert_true(fay_pipeline_has_successor(p, 2));
    assert_false(fay_pipeline_has_successor(p, 3));
    assert_false(fay_pipeline_has_successor(p, 4));
    assert_int_equal(fay_pipeline_find(p, "d"), 3);
    assert_int_equal(fay_pipeline_find(p, "x"), -1);
}

static void fingerprints_name_what_differs(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        const char *line; /* NULL = no difference */
    } rows[] = {
        {"a.workers.max=3", NULL},
        {"a.retries=9", NULL},
        {"a.timeout=1s", NULL},
        {"limits.failures=3", NULL},
        {"a.run=[tac]", "stages.a.run=3:tac\n"},
        {"a.when=x == 1", "stages.a.when=x == 1\n"},
        {"a.ordered=true", "stages.a.ordered=true\n"},
        {"sink.file=out", "sink.file=out\n"},
        {"source.file=[in]", "source.files=2:in\n"},
        {"format=nul", "source.format=nul\n"},
    };
    const char *yaml = "faymora: 1\nstages: [{name: a, run: [cat]}]\n";
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = pipeline_of(yaml);
        FAY_CLEANUP(fay_freep) char *before = fay_pipeline_fingerprint(p);
        fay_error err = {0};
        assert_int_equal(fay_pipeline_set(p, rows[i].set, &err), 0);
        FAY_CLEANUP(fay_freep) char *after = fay_pipeline_fingerprint(p);
        if (rows[i].line == NULL) {
            assert_string_equal(before, after);
        } else {
            assert_null(strstr(before, rows[i].line));
            assert_non_null(strstr(after, rows[i].line));
        }
    }
}

static void the_fingerprint_is_sorted_lines(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p = pipeline_of("faymora: 1\nstages: [{name: a, sh: \"x\\ny\"}]\n");
    FAY_CLEANUP(fay_freep) char *text = fay_pipeline_fingerprint(p);
    assert_non_null(strstr(text, "stages.a.sh=x\\ny\n"));
    char *rest = text;
    const char *last = "";
    for (char *line = strsep(&rest, "\n"); rest != NULL; line = strsep(&rest, "\n")) {
        assert_true(strcmp(last, line) < 0);
        last = line;
    }
}

static void a_pipeline_is_loaded_from_a_file(void **state)
{
    (void)state;
    char path[] = "/tmp/fay-Test_XXXXXX.yaml";
    int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    const char *yaml = "\xef\xbb\xbf"
                       "faymora: 1\r\nstages: [{run: [cat]}]\r\n";
    assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
    (void)close(fd);
    fay_config_errors errors = {0};
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = fay_pipeline_load(path, &errors);
    (void)unlink(path);
    assert_non_null(p);
    assert_string_equal(p->path, path);
    assert_memory_equal(p->name, "fay-Test_", 9);
    fay_config_errors_deinit(&errors);

    assert_null(fay_pipeline_load("/nonexistent/x.yaml", &errors));
    assert_int_equal(errors.count, 1);
    assert_int_equal(errors.items[0].status, FAY_E_IO);
    assert_string_equal(errors.items[0].message, "cannot be read: No such file or directory");
    fay_config_errors_deinit(&errors);
}

static void set_reaches_every_depth_and_says_what_it_cannot(void **state)
{
    (void)state;
    static const struct {
        const char *set, *message, *hint;
    } rows[] = {
        {"nonsense", "--set nonsense: not of the form key=value", "such as"},
        {"score", "--set score: not of the form key=value", "such as"},
        {"score=1", "--set score=1: which field in stage 'score'?", ""},
        {"scor.mode=exec", "--set scor.mode=exec: unknown stage or field 'scor'", "'score'"},
        {"score.worker.max=1", "--set score.worker.max=1: unknown field 'worker'", "'workers'"},
        {"score.retries.max=1", "--set score.retries.max=1: 'retries' has no fields", ""},
        {"score.retries=x",
         "'retries' in stage 'score' must be a whole number or 'forever', not "
         "'x'",
         ""},
        {"score.workers.max=0", "'max' in stage 'score' is 0; the least is 1", ""},
        {"stages=x", "--set: 'stages' cannot be set", ""},
        {"score.mode=exce",
         "'mode' in stage 'score' must be one of exec, lines, batch, json, "
         "frames, not 'exce'",
         "'exec'"},
        {"score.input=[score]", "stage 'score' feeds itself", ""},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        FAY_CLEANUP(fay_pipeline_freep)
        fay_pipeline *p = pipeline_of("faymora: 1\nstages: [{name: score, run: [cat]}]\n");
        fay_error err = {0};
        assert_int_equal(fay_pipeline_set(p, rows[i].set, &err), FAY_E_CONFIG);
        assert_string_equal(err.message, rows[i].message);
        assert_non_null(strstr(err.hint, rows[i].hint));
    }
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p = pipeline_of("faymora: 1\nstages: [{name: score, run: [cat], workers: 2}]\n");
    assert_int_equal(fay_pipeline_set(p, "score.workers.max=9", NULL), 0);
    assert_int_equal(p->stages[0].workers_max, 9);
    assert_false(p->stages[0].workers_pinned);
    assert_int_equal(fay_pipeline_set(p, "score.run=[awk, '{{print}}', \"{}\"]", NULL), 0);
    assert_int_equal(p->stages[0].mode, FAY_MODE_EXEC);
    assert_int_equal(fay_pipeline_set(p, "limits.failures=7", NULL), 0);
    assert_int_equal(p->failures_max, 7);
    assert_int_equal(fay_pipeline_set(p, "sink.rotate.bytes=1M", NULL), 0);
    assert_int_equal(p->sink.rotate_bytes, FAY_MIB);
    assert_int_equal(fay_pipeline_set(p, "dead_letter=none", NULL), 0);
    assert_int_equal(fay_pipeline_set(p, "score.retries=forever", NULL), 0);
    assert_true(p->stages[0].retries == UINT64_MAX);
}

static void a_pipeline_can_be_made_in_code(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = fay_pipeline_new();
    fay_error err = {0};
    assert_int_equal(fay_pipeline_settle(p, &err), FAY_E_CONFIG); /* no name, no stages */
    free(p->name);
    p->name = fay_strdup("made");
    fay_stage_def *stage = fay_pipeline_add_stage(p);
    stage->shell = fay_strdup("cat");
    assert_int_equal(fay_pipeline_settle(p, &err), 0);
    assert_int_equal(fay_pipeline_settle(p, &err), 0); /* twice is the same as once */
    assert_string_equal(p->stages[0].name, "sh");
    assert_string_equal(p->stages[0].argv[0], "sh");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_file_has_every_default),
        cmocka_unit_test(every_field_arrives),
        cmocka_unit_test(block_and_flow_are_equal),
        cmocka_unit_test(shorthands_of_ends),
        cmocka_unit_test(rates_of_generated_items),
        cmocka_unit_test(commands_decide_modes_and_argv),
        cmocka_unit_test(stages_are_connected),
        cmocka_unit_test(fingerprints_name_what_differs),
        cmocka_unit_test(the_fingerprint_is_sorted_lines),
        cmocka_unit_test(a_pipeline_is_loaded_from_a_file),
        cmocka_unit_test(set_reaches_every_depth_and_says_what_it_cannot),
        cmocka_unit_test(a_pipeline_can_be_made_in_code),
    };
    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
