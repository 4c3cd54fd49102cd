/* SPDX-License-Identifier: MIT */
/* faymora run: words --> request --> pipeline --> fay_run_execute() --> exit code. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/shell.h"
#include "cli/outputs.h"
#include "cli/request.h"
#include "pipeline/plan.h"

static bool is_regular(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

static int print_plan(const fay_cli *cli, const fay_pipeline *pipeline)
{
    fay_plan_facts facts = {.stdin_is_file = is_regular(STDIN_FILENO),
                            .stdout_is_file = is_regular(STDOUT_FILENO)};
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    if (cli->json) {
        fay_plan_json(pipeline, &facts, &text);
    } else {
        fay_plan_print(pipeline, &facts, &text);
    }
    return fay_cli_print(&text);
}

static int plan_for_people(const fay_cli *cli, const fay_request *request)
{
    int exit = FAY_EXIT_OK;
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *pipeline = fay_request_pipeline_or_say(request, &exit);
    return pipeline != NULL ? print_plan(cli, pipeline) : exit;
}

/* An object on stdout in any case: the plan, or the errors as lint has them. */
static int plan_for_programs(const fay_cli *cli, const fay_request *request)
{
    FAY_CLEANUP(fay_config_errors_deinit) fay_config_errors errors = {0};
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *pipeline = fay_request_pipeline(request, &errors);
    if (pipeline != NULL)
        return print_plan(cli, pipeline);
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer members = {0};
    fay_config_errors_json(&errors, &members);
    int r = fay_cli_config_json(&members);
    return r != 0 ? r : FAY_EXIT_USAGE;
}

static int explain(const fay_cli *cli, const fay_request *request)
{
    return cli->json ? plan_for_programs(cli, request) : plan_for_people(cli, request);
}

/* Whether the journal can keep its promise; before anything is started. */
static int check_state(fay_cli *cli, const fay_request *request, const fay_pipeline *pipeline)
{
    fay_error err = {0};
    if (pipeline->state[0] == '\0') {
        return request->options.resume ? fay_cli_misuse(cli, "'--resume' needs '--state DIR'") : 0;
    }
    if (fay_pipeline_check_state(pipeline, is_regular(STDIN_FILENO), &err) < 0)
        return fay_cli_fail(&err, FAY_EXIT_USAGE);
    return 0;
}

static int execute(fay_cli *cli, fay_request *request, int *ret_signal)
{
    if (request->dry_run)
        return explain(cli, request);
    int exit = FAY_EXIT_OK;
    FAY_CLEANUP(fay_pipeline_freep)
    fay_pipeline *pipeline = fay_request_pipeline_or_say(request, &exit);
    if (pipeline == NULL)
        return exit;
    exit = check_state(cli, request, pipeline);
    if (exit != 0)
        return exit;

    FAY_CLEANUP(fay_buffer_deinit) fay_buffer command = {0};
    fay_shell_join(cli->args.argv, (size_t)cli->args.argc, &command);
    request->options.pipeline = pipeline;
    request->options.state = pipeline->state[0] != '\0' ? pipeline->state : NULL;
    request->options.colour = fay_cli_coloured(cli, STDERR_FILENO);
    request->options.command = fay_buffer_text(&command);
    fay_error err = {0};
    if (fay_outputs_check(&request->options, &err) != 0)
        return fay_cli_fail(&err, FAY_EXIT_USAGE);
    return fay_run_execute(&request->options, ret_signal);
}

static int run(fay_cli *cli)
{
    FAY_CLEANUP(fay_request_deinit) fay_request request = {0};
    char *const *words = cli->args.argv + cli->args.at; /* argv ends with NULL */
    if (fay_request_parse(cli, &request) == FAY_CLI_STOP)
        return cli->exit;
    request.options.words = words;
    int signal_number = 0;
    int exit = execute(cli, &request, &signal_number);
    if (exit == FAY_EXIT_SIGPIPE)
        signal_number = SIGPIPE;
    if (signal_number == 0)
        return exit;
    fay_request_deinit(&request); /* nothing runs behind the signal */
    fay_cli_die_of(signal_number);
    return exit;
}

static int plan(fay_cli *cli)
{
    FAY_CLEANUP(fay_request_deinit) fay_request request = {0};
    if (fay_request_parse(cli, &request) == FAY_CLI_STOP)
        return cli->exit;
    return explain(cli, &request);
}

const fay_cli_command fay_command_run = {
    .name = "run",
    .usage = "run [flags] FILE\n"
             "run [flags] -- CMD ARGS.. [:: CMD ARGS..].. [::: ITEM..]",
    .summary = "run a pipeline",
    .examples = "seq 1000 | faymora run -- ./slow {}\n"
                "faymora run -j 8 -- convert {} {.}.png ::: *.jpg\n"
                "faymora run -- jq -c .user :: ./score.py <in.jsonl >out.jsonl\n"
                "faymora run pipeline.yaml --state .fm       # Ctrl-C, then\n"
                "faymora run pipeline.yaml --state .fm --resume",
    .notes =
        "FILE is a pipeline in YAML (man faymora-pipeline), - is stdin.\n"
        "A command with a placeholder ({} {.} {/} {//} {/.} {.field} {@attr} {#} {%} {id}) is\n"
        "started for every Item; one without is a worker that gets one Item a line and answers\n"
        "each with one line. Stages are separated by ::, Items may follow behind :::.\n"
        "Ctrl-C drains: what is in flight is finished; again: workers are ended; a third\n"
        "time: they are killed. A second press counts from 1 s after the first.",
    .exits = "0 ok\n"
             "1 some Items were dead-lettered\n"
             "2 usage or configuration\n"
             "3 a worker cannot start (126/127, or 5 deaths in 10 s)\n"
             "5 failure limit, circuit breaker, on_error: stop, too many or few lines\n"
             "7 source, sink, state or a log cannot be read or written\n"
             "130/143 stopped by a signal, 141 stdout closed",
    .words = "@",
    .flags = fay_request_flags,
    .run = run,
};

const fay_cli_command fay_command_plan = {
    .name = "plan",
    .usage = "plan [flags of run] FILE\n"
             "plan [flags of run] -- CMD ARGS.. [:: CMD ARGS..].. [::: ITEM..]",
    .summary = "say what a run would do, and what it promises",
    .examples = "faymora plan pipeline.yaml --state .fm\n"
                "faymora plan pipeline.yaml --json | jq '.stages[] | {name, run, workers}'\n"
                "faymora plan -- jq -c .user :: ./score.py {}",
    .notes = "Per stage: its command, mode, workers, and what happens on failure; for the whole:\n"
             "what is exactly once, what is not, and why. Takes the flags of run; starts nothing.\n"
             "With --json: one object, {\"schema\":1, ..}, or the errors as lint has them.",
    .exits = "0 ok, 2 usage or configuration",
    .words = "@",
    .flags = fay_request_flags,
    .run = plan,
};
