/* SPDX-License-Identifier: MIT */
#include "cli/request.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "pipeline/inline.h"
#include "pipeline/load.h"

enum {
    KEY_JOBS = 1,
    KEY_MODE,
    KEY_INPUT,
    KEY_OUTPUT,
    KEY_NUL,
    KEY_FORMAT,
    KEY_KEEP_ORDER,
    KEY_RETRIES,
    KEY_TIMEOUT,
    KEY_DELAY,
    KEY_TAG,
    KEY_DEAD_LETTER,
    KEY_MAX_FAILURES,
    KEY_STATE,
    KEY_RESUME,
    KEY_RETRY_DEAD,
    KEY_JOBLOG,
    KEY_RESULTS,
    KEY_EVENTS,
    KEY_EXPLAIN,
    KEY_PROGRESS,
    KEY_DRY_RUN,
    KEY_DEADLINE,
    KEY_SET,
};

const fay_flag fay_request_flags[] = {
    {"jobs", 'j', KEY_JOBS, "N|MIN-MAX", "workers of every stage; N pins them (default: elastic)"},
    {"mode", 0, KEY_MODE, "exec|lines|batch|json|frames", "how workers get Items"},
    {"input", 'a', KEY_INPUT, "F", "read Items from a file (default: stdin)"},
    {"output", 'o', KEY_OUTPUT, "F", "write results to a file (default: stdout)"},
    {"null", '0', KEY_NUL, NULL, "Items of the source end with NUL"},
    {"format", 0, KEY_FORMAT, "lines|jsonl|nul|netstring|u32be|msgpack",
     "how Items lie in source and sink"},
    {"keep-order", 0, KEY_KEEP_ORDER, NULL, "results leave in the order of the input"},
    {"retries", 0, KEY_RETRIES, "N", "further tries of an Item that failed (default 2)"},
    {"timeout", 0, KEY_TIMEOUT, "D", "how long one try may take, such as 30s (default: no limit)"},
    {"delay", 0, KEY_DELAY, "D", "the least time between two starts in a stage"},
    {"tag", 0, KEY_TAG, NULL, "prefix what workers write to stderr, off a terminal too"},
    {"dead-letter", 0, KEY_DEAD_LETTER, "F", "where Items go that failed for good, or none"},
    {"max-failures", 0, KEY_MAX_FAILURES, "N|N%", "stop with exit 5 when more than that failed"},
    {"state", 0, KEY_STATE, "DIR", "keep a journal there, so that the run can be resumed"},
    {"resume", 0, KEY_RESUME, NULL, "go on from the journal of --state"},
    {"retry-dead", 0, KEY_RETRY_DEAD, "F", "the source is a dead letter file; it is left as it is"},
    {"joblog", 0, KEY_JOBLOG, "F", "one line a try: GNU parallel's columns and five more"},
    {"results", 0, KEY_RESULTS, "DIR", "the output of every stage in files of its own"},
    {"events", 0, KEY_EVENTS, "F|-", "what happens in the run, as JSON lines"},
    {"explain", 0, KEY_EXPLAIN, NULL, "say why each stage has the workers it has"},
    {"progress", 0, KEY_PROGRESS, "auto|bar|plain|none", "auto: bar on a terminal, else plain"},
    {"dry-run", 0, KEY_DRY_RUN, NULL, "print the plan and run nothing"},
    {"deadline", 0, KEY_DEADLINE, "D", "how long the first Ctrl-C may drain (default 30s)"},
    {"set", 0, KEY_SET, "stage.key=value", "change a field of the pipeline; may be repeated"},
    {0},
};

static int bad_duration(fay_cli *cli, const char *flag, fay_ns *ret)
{
    if (fay_duration_parse(cli->args.value, ret) == 0)
        return 0;
    (void)fay_cli_misuse(cli, "'%s' takes a duration such as 500ms or 5s, not '%.100s'", flag,
                         cli->args.value);
    return FAY_CLI_STOP;
}

/* An error of a parser in pipeline/, put as misuse of the flag. */
static int refused(fay_cli *cli, const fay_error *err)
{
    if (err->hint[0] != '\0') {
        (void)fay_cli_misuse(cli, "%s; %s", err->message, err->hint);
    } else {
        (void)fay_cli_misuse(cli, "%s", err->message);
    }
    return FAY_CLI_STOP;
}

static int parse_retries(fay_cli *cli, fay_overrides *overrides)
{
    fay_error err = {0};
    overrides->retries_given = true;
    if (strcmp(cli->args.value, "forever") == 0) {
        overrides->retries = UINT64_MAX;
        return 0;
    }
    int r = fay_args_number("--retries", cli->args.value, 0, FAY_RETRIES_MAX, &err,
                            &overrides->retries);
    return r < 0 ? refused(cli, &err) : 0;
}

static int parse_progress(fay_cli *cli, fay_progress_kind *ret)
{
    static const char *const names[] = {"auto", "bar", "plain", "none"};
    for (size_t i = 0; i < FAY_COUNT(names); i++) {
        if (strcmp(cli->args.value, names[i]) == 0) {
            *ret = (fay_progress_kind)i;
            return 0;
        }
    }
    (void)fay_cli_misuse(cli, "'--progress' is auto, bar, plain or none, not '%.100s'",
                         cli->args.value);
    return FAY_CLI_STOP;
}

static int parse_format(fay_cli *cli, fay_overrides *overrides)
{
    overrides->format_given = true;
    if (fay_format_parse(cli->args.value, &overrides->format) == 0)
        return 0;
    (void)fay_cli_misuse(
        cli, "'--format' is lines, jsonl, nul, netstring, u32be or msgpack, not '%.100s'",
        cli->args.value);
    return FAY_CLI_STOP;
}

/* The flags that change the pipeline. */
static int take_override(fay_cli *cli, fay_overrides *overrides)
{
    fay_error err = {0};
    const char *value = cli->args.value;
    switch (cli->args.key) {
    case KEY_JOBS: return fay_jobs_parse(value, overrides, &err) < 0 ? refused(cli, &err) : 0;
    case KEY_MODE:
        overrides->mode_given = true;
        return fay_mode_parse(value, &overrides->mode, &err) < 0 ? refused(cli, &err) : 0;
    case KEY_INPUT: overrides->input = value; break;
    case KEY_OUTPUT: overrides->output = value; break;
    case KEY_NUL: overrides->nul_given = true; break;
    case KEY_FORMAT: return parse_format(cli, overrides);
    case KEY_KEEP_ORDER: overrides->keep_order = true; break;
    case KEY_RETRIES: return parse_retries(cli, overrides);
    case KEY_TIMEOUT:
        overrides->timeout_given = true;
        return bad_duration(cli, "--timeout", &overrides->timeout);
    case KEY_DELAY:
        overrides->delay_given = true;
        return bad_duration(cli, "--delay", &overrides->delay);
    case KEY_DEAD_LETTER: overrides->dead_letter = value; break;
    case KEY_MAX_FAILURES: overrides->failures_max = value; break;
    case KEY_STATE: overrides->state = value; break;
    case KEY_RETRY_DEAD: overrides->retry_dead = value; break;
    default: abort(); /* a row of the table that nobody takes */
    }
    return 0;
}

static int take_flag(fay_cli *cli, fay_request *request)
{
    fay_run_options *options = &request->options;
    switch (cli->args.key) {
    case KEY_TAG: options->tag = true; return 0;
    case KEY_RESUME: options->resume = true; return 0;
    case KEY_JOBLOG: options->joblog = cli->args.value; return 0;
    case KEY_RESULTS: options->results = cli->args.value; return 0;
    case KEY_EVENTS: options->events = cli->args.value; return 0;
    case KEY_EXPLAIN: options->explain = true; return 0;
    case KEY_PROGRESS: return parse_progress(cli, &options->progress);
    case KEY_DRY_RUN: request->dry_run = true; return 0;
    case KEY_DEADLINE: return bad_duration(cli, "--deadline", &options->deadline);
    case KEY_SET:
        FAY_RESERVE(request->sets, request->sets_capacity, request->sets_count + 1);
        request->sets[request->sets_count++] = cli->args.value;
        return 0;
    default: return take_override(cli, &request->overrides);
    }
}

/* What only all words together tell. */
static int check(fay_cli *cli, const fay_request *request)
{
    const fay_overrides *overrides = &request->overrides;
    if (cli->grid != NULL)
        return fay_cli_misuse(cli, "'--grid' is not in this version of '%s'", cli->command->name);
    if (request->file != NULL && request->words_count > 0)
        return fay_cli_misuse(cli, "both a file ('%.100s') and a command behind --", request->file);
    if (request->file == NULL && request->words_count == 0 && cli->args.dashes)
        return fay_cli_misuse(cli, "no command behind --");
    if (request->file == NULL && request->words_count == 0)
        return fay_cli_misuse(cli, "nothing to run: a pipeline file, or -- and a command");
    if (overrides->retry_dead != NULL && overrides->dead_letter != NULL &&
        strcmp(overrides->retry_dead, overrides->dead_letter) == 0) {
        return fay_cli_misuse(cli, "'--retry-dead' and '--dead-letter' are the same file; see "
                                   "faymora dead retry");
    }
    if (cli->timeout > 0) {
        return fay_cli_misuse(cli,
                              "'--timeout' before '%s' is the Grid's, which is not in this "
                              "version; an Item's stands behind it",
                              cli->command->name);
    }
    return 0;
}

static int take_word(fay_cli *cli, fay_request *request)
{
    if (request->file != NULL) {
        /* `run cat file` is the mistake to expect of who knows xargs. */
        (void)fay_cli_misuse(cli, "'%.100s' is one word too many; a command stands behind --",
                             cli->args.value);
        return FAY_CLI_STOP;
    }
    request->file = cli->args.value;
    return 0;
}

int fay_request_parse(fay_cli *cli, fay_request *ret)
{
    FAY_CLEANUP(fay_request_deinit) fay_request request = {0};
    int r;
    while ((r = fay_cli_next(cli)) != FAY_ARGS_END) {
        if (r == FAY_ARGS_FLAG) {
            r = take_flag(cli, &request);
        } else if (r == FAY_ARGS_WORD) {
            r = take_word(cli, &request);
        }
        if (r == FAY_CLI_STOP)
            return r;
    }
    request.words = cli->args.argv + cli->args.at;
    request.words_count = (size_t)(cli->args.argc - cli->args.at);
    if (check(cli, &request) != 0)
        return FAY_CLI_STOP;
    request.options.quiet = cli->quiet;
    request.options.json = cli->json;
    request.options.retry_dead = request.overrides.retry_dead;
    *ret = request;
    request = (fay_request){0};
    return 0;
}

void fay_request_deinit(fay_request *request)
{
    free(request->sets);
    *request = (fay_request){0};
}

fay_pipeline *fay_request_pipeline(const fay_request *request, fay_config_errors *errors)
{
    fay_error err = {0};
    FAY_CLEANUP(fay_pipeline_freep) fay_pipeline *pipeline = NULL;
    int r = 0;
    if (request->file != NULL) {
        pipeline = fay_pipeline_load(request->file, errors);
        bool missing = pipeline == NULL && errors->count == 1 &&
                       errors->items[0].sys_errno == ENOENT &&
                       fnmatch("*.y*ml", request->file, 0) != 0;
        if (missing) {
            fay_hint(&errors->items[0], "a command stands behind --, as in: -- %.100s",
                     request->file);
        }
        if (pipeline == NULL)
            return NULL;
        r = fay_pipeline_override(pipeline, &request->overrides, &err);
    } else {
        pipeline =
            fay_inline_parse(request->words, request->words_count, &request->overrides, &err);
        r = pipeline != NULL ? 0 : FAY_E_CONFIG;
    }
    for (size_t i = 0; r == 0 && i < request->sets_count; i++) {
        r = fay_pipeline_set(pipeline, request->sets[i], &err);
    }
    if (r < 0) {
        fay_config_errors_deinit(errors); /* of no file: what is wrong is a flag */
        fay_hint(fay_config_errors_add(errors, (fay_place_in_file){0, 0}, "%s", err.message), "%s",
                 err.hint);
        return NULL;
    }
    /* What is retried was not lost, so what its sink has already must not be either. */
    if (request->overrides.retry_dead != NULL)
        pipeline->sink.append = true;
    return FAY_STEAL(pipeline);
}

fay_pipeline *fay_request_pipeline_or_say(const fay_request *request, int *ret_exit)
{
    fay_config_errors errors = {0};
    fay_pipeline *pipeline = fay_request_pipeline(request, &errors);
    if (pipeline == NULL) {
        fay_cli_config_text(&errors);
        *ret_exit = FAY_EXIT_USAGE;
    }
    fay_config_errors_deinit(&errors);
    return pipeline;
}
