/* SPDX-License-Identifier: MIT */
/* Pipeline files that are wrong: what is said, at which line and column, and what is suggested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "pipeline/load.h"

static void refuse(const char *yaml, size_t size, fay_config_errors *errors)
{
    fay_pipeline *p = fay_pipeline_parse(yaml, size, "p.yaml", "p", errors);
    if (p != NULL)
        fail_msg("taken: %s", yaml);
    assert_true(errors->count > 0);
}

/* "LINE:COLUMN: message [hint]" of each error, a line each */
static void check(const char *yaml, const char *expected)
{
    fay_config_errors errors = {0};
    refuse(yaml, strlen(yaml), &errors);
    assert_int_equal(fay_config_errors_first(&errors, NULL), FAY_E_CONFIG); /* sorts */
    fay_buffer text = {0};
    for (size_t i = 0; i < errors.count; i++) {
        const fay_error *e = &errors.items[i];
        fay_buffer_printf(&text, "%d:%d: %s%s%s%s\n", e->line, e->column, e->message,
                          e->hint[0] != '\0' ? " [" : "", e->hint, e->hint[0] != '\0' ? "]" : "");
        assert_int_equal(e->status, FAY_E_CONFIG);
        assert_string_equal(e->file, "p.yaml");
    }
    assert_string_equal(fay_buffer_text(&text), expected);
    fay_buffer_deinit(&text);
    fay_config_errors_deinit(&errors);
}

struct row {
    const char *yaml, *expected;
};

static void check_rows(const char *before, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char yaml[1024];
        (void)snprintf(yaml, sizeof yaml, "%s%s", before, rows[i].yaml);
        check(yaml, rows[i].expected);
    }
}

static void documents(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", "1:1: the file is empty\n"},
        {"# nothing\n", "1:1: the file is empty\n"},
        {"- a\n", "1:1: a pipeline must be a map of fields [faymora: 1]\n"},
        {"stages: [{run: [cat]}]\n",
         "1:1: 'faymora' is missing [begin the file with `faymora: 1`]\n"},
        {"faymora: 1\n", "1:1: 'stages' is missing [stages: [{run: [PROGRAM, ARGUMENT..]}]]\n"},
        {"faymora: 2\nstags: x\n", "1:10: this pipeline needs faymora >= 2.0.0; this is 0.1.0 "
                                   "[format 1 is what it reads]\n"},
        {"faymora: one\nstages: [{run: [cat]}]\n",
         "1:10: 'faymora' must be the version of the format: 1\n"},
        {"faymora: 1\nstages: []\n", "2:9: 'stages' is empty\n"},
        {"faymora: 1\nstages: cat\n",
         "2:9: 'stages' must be a list [each stage begins with a dash: - run: [..]]\n"},
        {"faymora: 1\nstages: [cat]\n", "2:10: stage 1 must be a map\n"},
        {"faymora: 1\nfaymora: 1\nstages: [{run: [cat]}]\n",
         "2:1: duplicate key 'faymora' [first said in line 1]\n"},
        {"faymora: 1\nstages: [{run: [cat]}]\n---\na: b\n", "3:1: a second document begins here\n"},
        {"faymora: 1\nx: &a 1\nstages: [{run: [cat], retries: *a}]\n",
         "2:1: unknown key 'x'\n"
         "3:32: aliases (*name) are not supported [write it out; what all stages share goes into "
         "`defaults:`]\n"},
        {"faymora: 1\nstages: [{run: [cat]\n", "3:1: not YAML: did not find expected ',' or '}', "
                                               "while parsing a flow mapping\n"},
        {"faymora: 1\nstages: [{run: [cat, {@x}]}]\n",
         "2:23: not YAML: found character that cannot start any token, while scanning for the "
         "next token [words that begin with @ % ` or {# need quotes: \"{@name}\"]\n"},
        {"faymora: 1\n\tstages: 3\n",
         "2:1: not YAML: found a tab character that violates indentation, while scanning a plain "
         "scalar [YAML is indented with spaces]\n"},
        {"faymora: 1\nname: \"a\\0b\"\nstages: [{run: [cat]}]\n",
         "2:7: a text cannot have a NUL in it\n"},
        {"faymora: 1\n? [a]\n: b\nstages: [{run: [cat]}]\n",
         "2:3: a key must be a word, not a list or map [a placeholder in a list needs quotes: "
         "\"{}\"]\n"},
    };
    check_rows("", rows, FAY_COUNT(rows));
}

static void keys_and_values(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"worker: 4", "4:5: unknown key 'worker' in stage 'a' [did you mean 'workers'?]\n"},
        {"Mode: exec", "4:5: unknown key 'Mode' in stage 'a' [did you mean 'mode'?]\n"},
        {"retires: 1", "4:5: unknown key 'retires' in stage 'a' [did you mean 'retries'?]\n"},
        {"zzz: 1", "4:5: unknown key 'zzz' in stage 'a'\n"},
        {"backoff: {inital: 1s}", "4:15: unknown key 'inital' in 'backoff' of stage 'a' [did you "
                                  "mean 'initial'?]\n"},
        {"stop: {x: 1}",
         "4:12: unknown key 'x' in 'stop' of stage 'a' [known here: signal, grace]\n"},
        {"retries: [1]",
         "4:14: 'retries' in stage 'a' must be a whole number or 'forever', not a list\n"},
        {"retries: 1.5",
         "4:14: 'retries' in stage 'a' must be a whole number or 'forever', not '1.5'\n"},
        {"retries: -1",
         "4:14: 'retries' in stage 'a' must be a whole number or 'forever', not '-1'\n"},
        {"retries: for ever", "4:14: 'retries' in stage 'a' must be a whole number or 'forever', "
                              "not 'for ever' [did you mean 'forever'?]\n"},
        {"retries: 65535", "4:14: 'retries' in stage 'a' is 65535; the most is 65534\n"},
        {"retries: forever", "4:14: stage 'a': retries: forever needs dead_letter: none to be "
                             "said too [an Item that always fails then holds its place for "
                             "ever]\n"},
        {"timeout: soon",
         "4:14: 'timeout' in stage 'a' must be a duration such as 30s, not 'soon'\n"},
        {"timeout:", "4:13: 'timeout' in stage 'a' must be a duration such as 30s, not empty\n"},
        {"max_item: 2GiB", "4:15: 'max_item' in stage 'a' is 2GiB; the most is 1GiB\n"},
        {"max_item: 0", "4:15: 'max_item' in stage 'a' is 0; the least is 1B\n"},
        {"queue: {items: 0}", "4:20: 'items' in 'queue' of stage 'a' is 0; the least is 1\n"},
        {"queue: 5", "4:12: 'queue' in stage 'a' must be a map, not '5'\n"},
        {"ordered: yes",
         "4:14: 'ordered' in stage 'a' must be true or false, not 'yes' [did you mean 'true'?]\n"},
        {"mode: line", "4:11: 'mode' in stage 'a' must be one of exec, lines, batch, json, "
                       "frames, not 'line' [did you mean 'lines'?]\n"},
        {"retry_on: [exit, signals]", "4:22: 'retry_on' in stage 'a' must be one of exit, signal, "
                                      "timeout, not 'signals' [did you mean 'signal'?]\n"},
        {"workers: 0", "4:14: 'workers' in stage 'a' is 0; the least is 1\n"},
        {"workers: 2000", "4:14: 'workers' in stage 'a' is 2000; the most is 1024\n"},
        {"workers: {min: 3, max: 2}", "4:14: stage 'a': workers min 3 is above max 2\n"},
        {"workers: {max: 2, start: 3}",
         "4:14: stage 'a': workers start 3 is not between min 1 and max 2\n"},
        {"workers: {max: lots}", "4:20: 'max' in 'workers' of stage 'a' must be a whole number or "
                                 "'auto', not 'lots'\n"},
        {"backoff: {jitter: 1.5}",
         "4:23: 'jitter' in 'backoff' of stage 'a' is 1.5; the most is 1\n"},
        {"backoff: {factor: 0.5}",
         "4:23: 'factor' in 'backoff' of stage 'a' is 0.5; the least is 1\n"},
        {"backoff: {initial: 1m}", "4:14: stage 'a': backoff initial is above its max\n"},
        {"stop: {signal: FOO}",
         "4:20: 'signal' in 'stop' of stage 'a' must be a signal such as TERM, not 'FOO'\n"},
        {"env: {1x: y}", "4:11: '1x' is not a name of an environment variable\n"},
        {"env: {FAYMORA_X: y}", "4:11: 'FAYMORA_X' is set by faymora itself\n"},
        {"env: [A]", "4:10: 'env' in stage 'a' must be a map of names to texts, not a list\n"},
        {"options: [1]",
         "4:14: 'options' in stage 'a' must be a map or the text of a JSON object, not a list\n"},
        {"options: '{\"a\":}'", "4:14: 'options' in stage 'a' must be a map or the text of a JSON "
                                "object, not '{\"a\":}'\n"},
        {"place: {strategy: inherit}", "4:5: 'place' in stage 'a' is not supported yet\n"},
        {"channels: []", "4:5: 'channels' in stage 'a' is not supported yet\n"},
        {"files: []", "4:5: 'files' in stage 'a' is not supported yet\n"},
        {"when: else", "4:11: stage 'a' is when: else, but no other stage with its input has a "
                       "test [give the others the same `input:` and a `when:`]\n"},
        {"mode: exec\n    mode: lines", "5:5: duplicate key 'mode' [first said in line 4]\n"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof yaml,
                       "faymora: 1\nstages:\n  - name: a\n    %s\n    run: [cat]\n", rows[i].yaml);
        check(yaml, rows[i].expected);
    }
}

static void tests_of_when(void **state)
{
    (void)state;
    fay_config_errors errors = {0};
    const char *yaml = "faymora: 1\nstages:\n  - {run: [cat], when: 'a == '}\n";
    refuse(yaml, strlen(yaml), &errors);
    assert_int_equal(errors.count, 1);
    assert_int_equal(errors.items[0].line, 3);
    assert_in_range(errors.items[0].column, 24, 30); /* within the text */
    assert_memory_equal(errors.items[0].message, "'when' in stage 1: ", 19);
    fay_config_errors_deinit(&errors);
}

static void commands(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{name: a}", "3:5: stage 'a' has no command [run: [PROGRAM, ARGUMENT..], sh: \"..\" or "
                      "module: ./x.so]\n"},
        {"{run: [cat], sh: cat}", "3:22: stage 'sh' has both 'run' and 'sh'\n"},
        {"{sh: cat, module: ./x.so}", "3:23: stage 'x-so' has both 'sh' and 'module'\n"},
        {"{run: []}", "3:11: the command of 'stage' is empty\n"},
        {"{run: {}}", "3:11: 'run' in stage 1 must be a list, not a map [a placeholder needs "
                      "quotes: \"{}\"]\n"},
        {"{run: [cat, {}]}", "3:17: element 2 of 'run' in stage 1 must be a text, not a map [a "
                             "placeholder needs quotes: \"{}\"]\n"},
        {"{run: [cat, {.user}]}", "3:17: element 2 of 'run' in stage 1 must be a text, not a map "
                                  "[a placeholder needs quotes: \"{.user}\"]\n"},
        {"{run: ./score -v}", "3:11: 'run' in stage 'score-v' is a list of words [[PROGRAM, "
                              "ARGUMENT..]; a line for the shell goes into sh:]\n"},
        {"{run: [cat, \"{foo}\"]}",
         "3:17: unknown placeholder {foo} in the command of 'cat' [for the text itself write "
         "{{foo}}; for a JSON member {.foo}]\n"},
        {"{run: [\"{}\"]}", "3:12: the program of 'stage' cannot be a placeholder [run it by env: "
                            "[env, \"{}\"]]\n"},
        {"{run: [cat, x, \"{}\"], mode: lines}",
         "3:20: a placeholder in the command of 'cat' needs mode: exec [workers of the other "
         "modes are started before there is an Item]\n"},
        {"{sh: 'echo {}'}", "3:10: {} in 'sh' of stage 'sh': the shell would run what is in the "
                            "Item [use \"$FAYMORA_ITEM\"]\n"},
        {"{sh: 'echo {.a}'}", "3:10: {.a} in 'sh' of stage 'sh': the shell would run what is in "
                              "the Item [use \"$FAYMORA_ITEM\"]\n"},
        {"{module: ./x.so, mode: exec}",
         "3:28: stage 'x-so' is a module, which cannot be mode: exec [leave it out: modules are "
         "mode: frames]\n"},
        {"{name: Foo_Bar, run: [cat]}", "3:12: 'Foo_Bar' is not a name of a stage: [a-z0-9-], 1 "
                                        "to 32 of them [say 'foo-bar']\n"},
        {"{name: source, run: [cat]}", "3:12: a stage cannot be named 'source'\n"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof yaml, "faymora: 1\nstages:\n  - %s\n", rows[i].yaml);
        check(yaml, rows[i].expected);
    }
}

static void shapes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"  - {name: a, run: [cat]}\n  - {name: a, run: [cat]}\n",
         "4:12: two stages are named 'a' [the other one is in line 3]\n"},
        {"  - {name: score, run: [cat]}\n  - {name: b, run: [cat], input: [source, scoer]}\n",
         "4:43: stage 'b' has an unknown input 'scoer' [did you mean 'score'?]\n"},
        {"  - {name: a, run: [cat], input: [source, source]}\n",
         "3:43: stage 'a' has the input 'source' twice\n"},
        {"  - {name: a, run: [cat], input: []}\n", "3:34: stage 'a' has no input\n"},
        {"  - {name: a, run: [cat], input: a}\n",
         "3:34: stage 'a' feeds itself [Items move from source to sink; retries are `retries:`]\n"},
        {"  - {name: a, run: [cat], input: [source, c]}\n  - {name: b, run: [cat]}\n"
         "  - {name: c, run: [cat]}\n  - {name: d, run: [cat]}\n",
         "3:34: stages 'a', 'b', 'c' feed each other in a cycle [Items move from source to sink; "
         "retries are `retries:`]\n"
         "6:5: stage 'd' cannot be reached from the source [an input of it comes out of a "
         "cycle]\n"},
        {"  - {name: a, run: [cat], when: x}\n  - {name: b, run: [cat], input: source, when: "
         "else}\n"
         "  - {name: c, run: [cat], input: source, when: else}\n",
         "4:48: stage 'b' is a second when: else of its input [an Item can go one way only then]\n"
         "5:48: stage 'c' is a second when: else of its input [an Item can go one way only "
         "then]\n"},
    };
    check_rows("faymora: 1\nstages:\n", rows, FAY_COUNT(rows));
}

static void ends_and_the_rest(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"source: put", "3:9: 'source: put' is not supported yet\n"},
        {"source: api", "3:9: 'source: api' is not supported yet\n"},
        {"source: {nats: {url: x}}", "3:10: 'nats' in 'source' is not supported yet\n"},
        {"source: {redis: {url: x}}", "3:10: 'redis' in 'source' is not supported yet\n"},
        {"source: {channel: x}", "3:10: 'channel' in 'source' is not supported yet\n"},
        {"sink: {http: {url: x}}", "3:8: 'http' in 'sink' is not supported yet\n"},
        {"sink: {api: true}", "3:8: 'api' in 'sink' is not supported yet\n"},
        {"dead_letter: {nats: x}", "3:15: 'nats' in 'dead_letter' is not supported yet\n"},
        {"source: {generate: {rate: fast}}",
         "3:27: 'rate' in 'generate' of 'source' must be a number, not 'fast'\n"},
        {"source: {generate: {rate: []}}",
         "3:27: 'rate' in 'generate' of 'source' has 0 pieces; 1 to 1024 are possible\n"},
        {"source: {generate: {rate: [5]}}",
         "3:28: 'rate' in 'generate' of 'source' must be a list of {for: 10s, rate: 50}, not "
         "'5'\n"},
        {"source: {generate: {rate: [{for: 1s}]}}",
         "3:28: a piece of 'rate' in 'generate' of 'source' has no 'rate' [0 is a pause]\n"},
        {"source: {generate: {rate: [{rate: 1, to: 2}]}}",
         "3:28: a piece of 'rate' in 'generate' of 'source' has 'to' but not 'for' [for: 10s, "
         "say: how long the way to it takes]\n"},
        {"source: {generate: {rate: [{rate: 1}, {rate: 2}]}}",
         "3:28: a piece of 'rate' in 'generate' of 'source' has no 'for' [the last one alone may "
         "go on without end]\n"},
        {"source: {generate: {rate: [{rate: 0}]}}",
         "3:28: a piece of 'rate' in 'generate' of 'source' pauses without end [leave it out: "
         "behind the last piece the source ends]\n"},
        {"source: {generate: {rate: [{for: 1s, rate: 1e10}]}}",
         "3:44: 'rate' in 'generate' of 'source' is 1e10; the most is 1000000000\n"},
        {"source: {generate: {rate: [{for: 300d, rate: 1}, {for: 300d, rate: 1}]}}",
         "3:27: the pieces of 'rate' in 'generate' of 'source' last longer than a year together\n"},
        {"source: {generate: {rate: [{fro: 1s, rate: 1}]}}",
         "3:29: unknown key 'fro' in 'generate' of 'source' [did you mean 'for'?]\n"},
        {"source: sdtin",
         "3:9: 'source' must be stdin or a map, not 'sdtin' [did you mean 'stdin'?]\n"},
        {"source: a.txt", "3:9: 'source' must be stdin or a map, not 'a.txt' [for a file write "
                          "source: {file: \"a.txt\"}]\n"},
        {"sink:", "3:6: 'sink' must be stdout, null or a map, not empty\n"},
        {"source: {file: a, dir: b}", "3:19: 'source' is 'file' already: it cannot be 'dir' too\n"},
        {"source: {follow: true}", "3:9: 'source' does not say where Items come from\n"},
        {"source: {dir: d, follow: true}", "3:18: 'follow' does not go with 'dir' in 'source'\n"},
        {"source: {dir: d, after: move}",
         "3:9: 'after: move' and 'move_to' of 'source' need each other\n"},
        {"source: {file: []}", "3:9: the list of files of 'source' is empty\n"},
        {"source: {exec: []}", "3:9: the command of 'source' is empty\n"},
        {"source: {listen: \"tcp:0.0.0.0:7000\"}",
         "3:18: 'listen' in 'source' on 0.0.0.0: clear text is for this machine only "
         "[tcp:127.0.0.1:PORT or unix:PATH]\n"},
        {"sink: {listen: \"tcp:localhost:0\"}", "3:16: 'listen' in 'sink' must be unix:PATH or "
                                                "tcp:HOST:PORT, not 'tcp:localhost:0'\n"},
        {"sink: {listen: 7000}",
         "3:16: 'listen' in 'sink' must be unix:PATH or tcp:HOST:PORT, not '7000'\n"},
        {"sink: {file: x, rotate: {bytes: 1M}}\nstate: d",
         "3:7: a sink that rotates cannot be resumed: 'state' needs one file [leave out 'rotate' "
         "or 'state']\n"},
        {"dead_letter: x", "3:14: 'dead_letter' must be {file: PATH} or none, not 'x' "
                           "[dead_letter: {file: \"x\"}]\n"},
        {"dead_letter: {file: \"{x}\"}", "3:21: unknown placeholder in the name of the dead letter "
                                         "file [known here: {name} {run}]\n"},
        {"limits: {failures: 200%}", "3:20: 'failures' in 'limits' is 200; the most is 100\n"},
        {"limits: {failures: many}",
         "3:20: 'failures' in 'limits' must be a whole number, not 'many'\n"},
        {"name: a b", "3:7: 'a b' is not a name of a pipeline: letters, digits, . _ -, 1 to 64 of "
                      "them\n"},
        {"defaults: {run: [cat], retries: x}",
         "3:12: 'run' in 'defaults': it belongs to each stage\n"
         "3:33: 'retries' in 'defaults' must be a whole number or 'forever', not 'x'\n"},
        {"defaults: 3", "3:11: 'defaults' must be a map\n"},
        {"format: json", "3:9: 'format' must be one of lines, jsonl, nul, netstring, u32be, "
                         "msgpack, not 'json' [did you mean 'jsonl'?]\n"},
    };
    check_rows("faymora: 1\nstages: [{name: s, module: ./m.so}]\n", rows, FAY_COUNT(rows));
}

static void too_much_is_refused(void **state)
{
    (void)state;
    fay_buffer yaml = {0};
    fay_config_errors errors = {0};

    fay_buffer_append_text(&yaml, "faymora: 1\nstages:\n");
    for (size_t i = 0; i < FAY_STAGES_MAX + 1; i++) {
        fay_buffer_append_text(&yaml, "  - run: [cat]\n");
    }
    refuse(fay_buffer_text(&yaml), fay_buffer_size(&yaml), &errors);
    assert_memory_equal(errors.items[0].message, "more than ", 10);
    assert_int_equal(errors.items[0].line, FAY_STAGES_MAX + 3);
    fay_config_errors_deinit(&errors);

    fay_buffer_clear(&yaml);
    fay_buffer_append_text(&yaml, "faymora: 1\nstages:\n");
    for (size_t i = 0; i < FAY_DEPTH_MAX + 1; i++) {
        fay_buffer_append_text(&yaml, "  - run: [cat]\n");
    }
    refuse(fay_buffer_text(&yaml), fay_buffer_size(&yaml), &errors);
    assert_int_equal(errors.count, 1);
    assert_non_null(strstr(errors.items[0].message, "stages behind the source"));
    assert_int_equal(errors.items[0].line, FAY_DEPTH_MAX + 3);
    fay_config_errors_deinit(&errors);

    fay_buffer_clear(&yaml);
    fay_buffer_append_text(&yaml, "faymora: ");
    for (int i = 0; i < 100000; i++) {
        fay_buffer_append_text(&yaml, "[");
    }
    refuse(fay_buffer_text(&yaml), fay_buffer_size(&yaml), &errors);
    assert_string_equal(errors.items[0].message, "nested deeper than 16 levels");
    fay_config_errors_deinit(&errors);

    fay_buffer_clear(&yaml);
    memset(fay_buffer_reserve(&yaml, FAY_PIPELINE_FILE_MAX + 1), ' ', FAY_PIPELINE_FILE_MAX + 1);
    fay_buffer_commit(&yaml, FAY_PIPELINE_FILE_MAX + 1);
    refuse(fay_buffer_text(&yaml), fay_buffer_size(&yaml), &errors);
    assert_string_equal(errors.items[0].message,
                        "larger than a pipeline file may be (1048576 bytes)");
    fay_config_errors_deinit(&errors);

    fay_buffer_clear(&yaml);
    fay_buffer_append_text(&yaml, "faymora: 1\nstages: [{run: [cat]}]\n");
    for (int i = 0; i < 60; i++) {
        fay_buffer_printf(&yaml, "zz%d: 1\n", i);
    }
    refuse(fay_buffer_text(&yaml), fay_buffer_size(&yaml), &errors);
    assert_int_equal(errors.count, 50);
    assert_int_equal(errors.more, 10);
    fay_config_errors_deinit(&errors);
    fay_buffer_deinit(&yaml);
}

static void bytes_that_are_no_text_have_a_place(void **state)
{
    (void)state;
    fay_config_errors errors = {0};
    const char yaml[] = "faymora: 1\nname: a\xff\n";
    refuse(yaml, sizeof yaml - 1, &errors);
    assert_int_equal(errors.items[0].line, 2);
    assert_int_equal(errors.items[0].column, 8);
    fay_config_errors_deinit(&errors);
}

static void errors_print_as_compilers_do(void **state)
{
    (void)state;
    fay_config_errors errors = {0};
    fay_buffer text = {0};
    const char *good = "faymora: 1\nstages:\n  - name: score\n    run: [cat]\n    worker: 4\n"
                       "    mode: \"line\xc3\xa9\"  # x\nnmae: x\n";
    refuse(good, strlen(good), &errors);
    fay_config_errors_print(&errors, &text);
    assert_string_equal(
        fay_buffer_text(&text),
        "p.yaml:5:5: error: unknown key 'worker' in stage 'score'\n"
        "    5 |     worker: 4\n"
        "      |     ^~~~~~   did you mean 'workers'?\n"
        "p.yaml:6:11: error: 'mode' in stage 'score' must be one of exec, lines, batch, json, "
        "frames, not 'line\xc3\xa9'\n"
        "    6 |     mode: \"line\xc3\xa9\"  # x\n"
        "      |           ^~~~~~~   did you mean 'lines'?\n"
        "p.yaml:7:1: error: unknown key 'nmae'\n"
        "    7 | nmae: x\n"
        "      | ^~~~   did you mean 'name'?\n");
    fay_config_errors_deinit(&errors);

    fay_buffer_clear(&text);
    fay_error *err = fay_config_errors_add(&errors, (fay_place_in_file){0, 0}, "bad %d", 1);
    fay_hint(err, "do");
    fay_config_errors_print(&errors, &text);
    assert_string_equal(fay_buffer_text(&text), "faymora: error: bad 1\n  hint: do\n");
    fay_config_errors_deinit(&errors);
    fay_buffer_deinit(&text);
}

static void long_lines_are_cut_and_control_bytes_shown(void **state)
{
    (void)state;
    char line[400];
    static const char odd[] = " ke\x1b: 1 ";
    memset(line, 'x', sizeof line);
    for (size_t i = 0; i < sizeof odd - 1; i++) {
        line[200 + i] = odd[i];
    }
    fay_config_errors errors = {0};
    fay_buffer text = {0};
    fay_config_errors_file(&errors, "p.yaml", line, sizeof line);
    (void)fay_config_errors_add(&errors, (fay_place_in_file){1, 202}, "m\x1b[31m");
    fay_config_errors_print(&errors, &text);
    const char *printed = fay_buffer_text(&text);
    assert_null(strchr(printed, '\x1b'));
    assert_non_null(strstr(printed, "    1 | ...xxx"));
    assert_non_null(strstr(printed, " ke?: 1 x"));
    assert_non_null(strstr(printed, "xxx...\n"));
    fay_config_errors_deinit(&errors);
    fay_buffer_deinit(&text);
}

static void errors_are_json_too(void **state)
{
    (void)state;
    const char *yaml = "faymora: 1\nstages: [{run: [cat], moed: x}]\n";
    fay_config_errors errors = {0};
    fay_buffer text = {0};
    refuse(yaml, strlen(yaml), &errors);
    fay_config_errors_json(&errors, &text);
    fay_config_errors_json(&errors, &text); /* as those of a second file */
    FAY_CLEANUP(fay_freep) char *all = fay_printed("[%s]", fay_buffer_text(&text));
    json_t *array = json_loads(all, 0, NULL);
    assert_non_null(array);
    assert_int_equal(json_array_size(array), 2);
    const json_t *e = json_array_get(array, 0);
    assert_string_equal(json_string_value(json_object_get(e, "file")), "p.yaml");
    assert_int_equal(json_integer_value(json_object_get(e, "line")), 2);
    assert_int_equal(json_integer_value(json_object_get(e, "column")), 23);
    assert_string_equal(json_string_value(json_object_get(e, "severity")), "error");
    assert_string_equal(json_string_value(json_object_get(e, "message")),
                        "unknown key 'moed' in stage 1");
    assert_string_equal(json_string_value(json_object_get(e, "hint")), "did you mean 'mode'?");
    json_decref(array);
    fay_config_errors_deinit(&errors);
    fay_buffer_deinit(&text);
}

static void suggestions_are_near(void **state)
{
    (void)state;
    static const char *const words[] = {"workers", "when", "mode", "run", "sh"};
    assert_string_equal(fay_suggest("wrokers", words, 5), "workers");
    assert_string_equal(fay_suggest("rn", words, 5), "run");
    assert_string_equal(fay_suggest("whem", words, 5), "when");
    assert_null(fay_suggest("elephant", words, 5));
    assert_null(fay_suggest("", words, 5));
    assert_null(fay_suggest("zz", words, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),
        cmocka_unit_test(keys_and_values),
        cmocka_unit_test(tests_of_when),
        cmocka_unit_test(commands),
        cmocka_unit_test(shapes),
        cmocka_unit_test(ends_and_the_rest),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(bytes_that_are_no_text_have_a_place),
        cmocka_unit_test(errors_print_as_compilers_do),
        cmocka_unit_test(long_lines_are_cut_and_control_bytes_shown),
        cmocka_unit_test(errors_are_json_too),
        cmocka_unit_test(suggestions_are_near),
    };
    return cmocka_run_group_tests_name("pipeline_errors", tests, NULL, NULL);
}
