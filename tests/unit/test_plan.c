/* SPDX-License-Identifier: MIT */
/* The plan, read as a user would; and that it promises nothing that --state refuses. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/inline.h"
#include "pipeline/plan.h"
#include "support/pipelines.h"

static void a_plan_reads(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p =
        pipeline_of("faymora: 1\n"
                    "name: thumbs\n"
                    "source: {file: [\"in/*.txt\"]}\n"
                    "stages:\n"
                    "  - {run: [curl, -fsS, \"{}\", \"it's\"], workers: 2, timeout: 5s}\n"
                    "  - {run: [jq, .x], when: 'kind == \"jpg\"', on_error: drop}\n"
                    "  - {name: rest, input: curl, when: else, run: [cat], mode: batch,\n"
                    "     ordered: true, retries: 0, workers: {max: 8}}\n"
                    "sink: {file: out}\n"
                    "state: .fm\n");
    const fay_plan_facts facts = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_plan_print(p, &facts, &text);
    assert_string_equal(
        fay_buffer_text(&text),
        "pipeline thumbs (p.yaml)\n"
        "\n"
        "source  file 'in/*.txt', format lines\n"
        "stage   curl  <- source\n"
        "    run      curl -fsS {} 'it'\\''s'\n"
        "    mode     exec: a process for each Item; each line of output is an Item\n"
        "    workers  2, pinned\n"
        "    failure  2 retries after 100ms x2, at most 30.0s, then dead letter; a try may take "
        "5.0s\n"
        "stage   jq  <- curl  when kind == \"jpg\"\n"
        "    run      jq .x\n"
        "    mode     lines: one line in, one line out\n"
        "    workers  1 to what the machine has, 1 at first, as many as are needed\n"
        "    failure  2 retries after 100ms x2, at most 30.0s, then dropped and counted\n"
        "stage   rest  <- curl  when no other test takes it\n"
        "    run      cat\n"
        "    mode     batch: a process for each batch, Items on its stdin, up to 64; each line of "
        "output is an Item; results in order of input\n"
        "    workers  1 to 8, 1 at first, as many as are needed\n"
        "    failure  dead letter\n"
        "sink    file out, synced at the end, format lines  <- jq, rest\n"
        "dead    {name}-{run}.dead.jsonl\n"
        "\n"
        "exactly once\n"
        "  yes  each source Item's results reach the sink exactly once, whatever worker, Instance "
        "or machine dies\n"
        "  no   a worker may be given an Item more than once\n"
        "  yes  the same when the owner dies and is resumed from .fm\n"
        "\n"
        "warnings\n"
        "  stage jq: Items that fail are dropped (on_error: drop)\n");
}

static void a_plan_is_json_too(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p = pipeline_of("faymora: 1\n"
                                  "name: thumbs\n"
                                  "source: {file: [\"in/*.txt\"]}\n"
                                  "stages:\n"
                                  "  - {run: [curl, \"{}\"], workers: 2, timeout: 5s, retries: 0}\n"
                                  "  - {sh: 'cat\"x', when: 'kind == \"jpg\"', mode: batch}\n"
                                  "  - {name: rest, input: curl, when: else, module: ./m.so,\n"
                                  "     ordered: true, workers: {max: 8}, on_error: drop}\n"
                                  "sink: {file: out}\n"
                                  "dead_letter: none\n");
    const fay_plan_facts facts = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_plan_json(p, &facts, &text);
    assert_string_equal(
        fay_buffer_text(&text),
        "{\"schema\":1,\"pipeline\":\"thumbs\",\"file\":\"p.yaml\","
        "\"source\":{\"kind\":\"file\",\"files\":[\"in/*.txt\"],\"follow\":false,"
        "\"format\":\"lines\",\"spool\":false},"
        "\"stages\":["
        "{\"name\":\"curl\",\"input\":[\"source\"],\"when\":null,\"run\":[\"curl\",\"{}\"],"
        "\"sh\":null,\"module\":null,\"mode\":\"exec\",\"batch\":null,\"emit\":\"lines\","
        "\"ordered\":false,\"workers\":{\"min\":2,\"max\":2,\"start\":2,\"pinned\":true},"
        "\"retries\":0,\"backoff\":{\"initial\":0.1,\"factor\":2.0,\"max\":30.0},"
        "\"on_error\":\"dead\",\"timeout\":5.0},"
        "{\"name\":\"sh\",\"input\":[\"curl\"],\"when\":\"kind == \\\"jpg\\\"\",\"run\":null,"
        "\"sh\":\"cat\\\"x\",\"module\":null,\"mode\":\"batch\",\"batch\":64,\"emit\":\"lines\","
        "\"ordered\":false,\"workers\":{\"min\":1,\"max\":null,\"start\":1,\"pinned\":false},"
        "\"retries\":2,\"backoff\":{\"initial\":0.1,\"factor\":2.0,\"max\":30.0},"
        "\"on_error\":\"dead\",\"timeout\":null},"
        "{\"name\":\"rest\",\"input\":[\"curl\"],\"when\":\"else\",\"run\":null,\"sh\":null,"
        "\"module\":\"./m.so\",\"mode\":\"frames\",\"batch\":null,\"emit\":null,"
        "\"ordered\":true,\"workers\":{\"min\":1,\"max\":8,\"start\":1,\"pinned\":false},"
        "\"retries\":2,\"backoff\":{\"initial\":0.1,\"factor\":2.0,\"max\":30.0},"
        "\"on_error\":\"drop\",\"timeout\":null}],"
        "\"sink\":{\"kind\":\"file\",\"file\":\"out\",\"append\":false,\"sync\":\"end\","
        "\"format\":\"lines\",\"input\":[\"sh\",\"rest\"]},"
        "\"dead_letter\":null,\"state\":null,\"resumable\":true,"
        "\"exactly_once\":["
        "{\"kept\":true,\"about\":\"results\",\"text\":\"each source Item's results reach the sink "
        "exactly once, whatever worker, Instance or machine dies\"},"
        "{\"kept\":false,\"about\":\"worker\",\"text\":\"a worker may be given an Item more than "
        "once\"},"
        "{\"kept\":false,\"about\":\"owner\",\"text\":\"when the owner dies: without --state "
        "nothing "
        "says how far it came (with it, the same)\"}],"
        "\"warnings\":["
        "{\"stage\":\"rest\",\"text\":\"Items that fail are dropped (on_error: drop)\"},"
        "{\"stage\":null,\"text\":\"Items that fail are not kept (dead_letter: none)\"}]}\n");
}

/* Whatever kind of source and sink, and whatever bytes: jansson reads it. */
static void every_plan_is_valid_json(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *source, *sink;
    } rows[] = {
        {"", "stdin", "stdout"},
        {"source: {dir: x, after: move, move_to: y}\nsink: {exec: [cat, \"\\\\\\\"\"]}", "dir",
         "exec"},
        {"source: {exec: [ls, \"\\x01\"]}\nsink: {listen: \"unix:/s\"}", "exec", "listen"},
        {"source: {listen: \"unix:/s\"}\nsink: null", "listen", "null"},
        {"source: {generate: {}}\nsink: {file: y, rotate: {bytes: 1M}}", "generate", "file"},
        {"source: {file: x, follow: true}\nstate: .fm\ndead_letter: {file: \"a\\u00e9\\tb\"}",
         "file", "stdout"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        FAY_CLEANUP(fay_freep)
        char *yaml = fay_printed("faymora: 1\nstages: [{run: [cat]}]\n%s\n", rows[i].yaml);
        FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = pipeline_of(yaml);
        const fay_plan_facts facts = {0};
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
        fay_plan_json(p, &facts, &text);
        json_t *plan = json_loads(fay_buffer_text(&text), JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(plan);
        const json_t *source = json_object_get(plan, "source"),
                     *sink = json_object_get(plan, "sink");
        assert_string_equal(json_string_value(json_object_get(source, "kind")), rows[i].source);
        assert_string_equal(json_string_value(json_object_get(sink, "kind")), rows[i].sink);
        json_decref(plan);
    }
}

static void words_that_are_no_text_are_base64(void **state)
{
    (void)state;
    char program[] = "printf", odd[] = "\xff{}", colons[] = ":::", a[] = "a\nb", b[] = "c";
    char *words[] = {program, odd, colons, a, b, NULL};
    const fay_overrides options = {0};
    fay_error err = {0};
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *p = fay_inline_parse(words, FAY_COUNT(words) - 1, &options, &err);
    assert_non_null(p);
    const fay_plan_facts facts = {0};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_plan_json(p, &facts, &text);
    const char *json = fay_buffer_text(&text);
    assert_non_null(strstr(json, "\"run\":[\"printf\",{\"$base64\":\"/3t9\"}]"));
    assert_non_null(strstr(json, "\"source\":{\"kind\":\"items\",\"count\":2,"));
    assert_non_null(strstr(json, "\"file\":null,"));
}

static void what_can_be_resumed_and_what_not(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        bool stdin_is_file;
        const char *refused; /* NULL = taken */
        const char *plan;    /* what the plan says */
    } rows[] = {
        {"", false, "--state needs a source that can be read again: stdin is a pipe",
         "source: stdin is a pipe: not resumable with --state unless spool: true"},
        {"", true, NULL, "sink stdout: a pipe may see the Items of the last commit interval again"},
        {"spool: true", false, NULL, "source  stdin, a pipe, format lines, spooled"},
        {"source: {file: x}", false, NULL, "every source Item is done at least once"},
        {"source: {file: x}\nsink: {file: y}", false, NULL, "(with it, the same)"},
        {"source: {dir: x}", false, NULL, "source  directory x, files '*'"},
        {"source: {generate: {count: 5}}", false, NULL, "source  5 generated Items of 64B"},
        {"source: {generate: {rate: 0.5}}", false, NULL,
         "source  generated Items without end, of 64B, 0.5/s, format lines"},
        {"source: {generate: {rate: [{for: 8s, rate: 5}, {for: 1s, rate: 5, to: 50}, {rate: 9}]}}",
         false, NULL, "64B, 5/s for 8.0s, 5/s to 50/s within 1.0s, then 9/s, format lines"},
        {"source: {generate: {rate: [{for: 8s, rate: 5}]}}", false, NULL,
         "source  40 generated Items of 64B, 5/s for 8.0s, format lines"},
        {"source: {generate: {}}", false, NULL, "the source does not end by itself"},
        {"source: {exec: [ls]}", false,
         "--state needs a source that can be read again: the output of a command may differ the "
         "next time",
         "source  output of ls"},
        {"source: {listen: \"unix:/s\"}", false,
         "--state needs a source that can be read again: what came over a socket does not come "
         "again",
         "source  whoever connects to unix:/s"},
        {"source: {listen: \"unix:/s\"}\nspool: true", false, NULL, "spooled"},
        {"source: {file: x}\nsink: {file: y, rotate: {bytes: 1M}}", false,
         "--state needs a sink that can be cut: a file that rotates cannot",
         "a file that rotates cannot be cut"},
        {"sink: {exec: [cat]}", true, NULL, "sink exec: a command may see the Items"},
        {"sink: {listen: \"unix:/s\"}", true, NULL, "sink listen: a socket may see the Items"},
        {"sink: null", true, NULL, "sink    nowhere (null)"},
        {"dead_letter: none", true, NULL, "Items that fail are not kept (dead_letter: none)"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof yaml, "faymora: 1\nstages: [{run: [cat]}]\n%s\n", rows[i].yaml);
        FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = pipeline_of(yaml);
        fay_error err = {0};
        int r = fay_pipeline_check_state(p, rows[i].stdin_is_file, &err);
        assert_int_equal(r, rows[i].refused != NULL ? FAY_E_CONFIG : 0);
        assert_string_equal(err.message, rows[i].refused != NULL ? rows[i].refused : "");
        assert_int_equal(err.hint[0] != '\0', r != 0);

        const fay_plan_facts facts = {.stdin_is_file = rows[i].stdin_is_file};
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
        fay_plan_print(p, &facts, &text);
        if (strstr(fay_buffer_text(&text), rows[i].plan) == NULL)
            fail_msg("'%s' not in:\n%s", rows[i].plan, fay_buffer_text(&text));
    }
}

static void traps_are_warned_of(void **state)
{
    (void)state;
    static const struct {
        const char *stage, *warning;
    } rows[] = {
        {"{run: [sh, -c, \"echo {}\"]}", "stage sh: the shell runs what is in the Item"},
        {"{sh: 'echo $FAYMORA_ITEM', mode: lines}", "$FAYMORA_ITEM is not set in mode lines"},
        {"{run: [awk, \"{print $1}\"]}", "mawk, Debian's awk, reads ahead"},
        {"{run: [/usr/bin/perl, -ne, print]}", "perl buffers its output"},
    };
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        char yaml[256];
        (void)snprintf(yaml, sizeof yaml, "faymora: 1\nstages: [%s]\n", rows[i].stage);
        FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *p = pipeline_of(yaml);
        const fay_plan_facts facts = {0};
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
        fay_plan_print(p, &facts, &text);
        if (strstr(fay_buffer_text(&text), rows[i].warning) == NULL)
            fail_msg("'%s' not in:\n%s", rows[i].warning, fay_buffer_text(&text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_reads),
        cmocka_unit_test(a_plan_is_json_too),
        cmocka_unit_test(every_plan_is_valid_json),
        cmocka_unit_test(words_that_are_no_text_are_base64),
        cmocka_unit_test(what_can_be_resumed_and_what_not),
        cmocka_unit_test(traps_are_warned_of),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
