/* SPDX-License-Identifier: MIT */
/*
 * faymora init: a pipeline and a worker to start from, that run as they are. Nothing is
 * overwritten: the files are made all or none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "item/json.h"

typedef struct scaffold_file {
    const char *path;
    mode_t mode;
    const char *text;
} scaffold_file;

typedef struct scaffold {
    const char *kind;
    scaffold_file files[2];
    const char *next; /* what to type */
} scaffold;

#define HEAD                                                                                       \
    "# A pipeline of faymora. All fields and their defaults: man faymora-pipeline\n"               \
    "faymora: 1\n"

static const scaffold scaffolds[] = {
    {.kind = "exec",
     .files =
         {{"pipeline.yaml", 0644,
           HEAD "stages:\n"
                "  - name: measure\n"
                "    run: [./worker.sh, \"{}\"]   # a process for every Item; {} is the Item\n"
                "    retries: 2\n"},
          {"worker.sh", 0755,
           "#!/bin/sh\n"
           "# Gets one Item as its argument. What it prints are the results, a line each; exit 0\n"
           "# says that they count, 65 that the Item is bad, anything else: try again.\n"
           "printf '%s has %d characters\\n' \"$1\" \"${#1}\"\n"}},
     .next = "printf 'hello\\nworld\\n' | faymora run pipeline.yaml"},
    {.kind = "lines",
     .files = {{"pipeline.yaml", 0644,
                HEAD "stages:\n"
                     "  - name: measure\n"
                     "    run: [./worker.sh]         # no {}: a worker that lives on\n"
                     "    mode: lines                # one line in, exactly one line out\n"},
               {"worker.sh", 0755,
                "#!/bin/sh\n"
                "# Gets one Item a line, and answers each with exactly one line.\n"
                "while IFS= read -r item; do\n"
                "    printf '%s has %d characters\\n' \"$item\" \"${#item}\"\n"
                "done\n"}},
     .next = "printf 'hello\\nworld\\n' | faymora run pipeline.yaml"},
    {.kind = "json",
     .files = {{"pipeline.yaml", 0644,
                HEAD
                "stages:\n"
                "  - name: measure\n"
                "    run: [./worker.py]\n"
                "    mode: json                 # requests and replies with ids, in any order\n"},
               {"worker.py", 0755,
                "#!/usr/bin/env python3\n"
                "\"\"\"Gets a request a line, answers each by its id: with what it emits (none is "
                "fine)\n"
                "or with an error. The protocol: man faymora-worker.\"\"\"\n"
                "import json\n"
                "import sys\n"
                "\n"
                "for line in sys.stdin:\n"
                "    request = json.loads(line)\n"
                "    try:\n"
                "        text = request[\"item\"]\n"
                "        result = {\"item\": text.upper(), \"attrs\": {\"length\": len(text)}}\n"
                "        reply = {\"emit\": [result]}\n"
                "    except Exception as error:\n"
                "        reply = {\"error\": str(error), \"retry\": False}\n"
                "    print(json.dumps({\"id\": request[\"id\"], **reply}), flush=True)\n"}},
     .next = "printf 'hello\\nworld\\n' | faymora run pipeline.yaml"},
    {.kind = "c",
     .files = {{"pipeline.yaml", 0644,
                HEAD "stages:\n"
                     "  - name: upcase\n"
                     "    module: ./worker.so        # runs in a worker process of faymora's\n"},
               {"worker.c", 0644,
                "/* A class of worker; its functions are called in a process of its own.\n"
                " * Build: cc -O2 -shared -fPIC $(pkg-config --cflags faymora-worker) -o worker.so "
                "worker.c */\n"
                "#include <ctype.h>\n"
                "#include <faymora.h>\n"
                "#include <stdlib.h>\n"
                "\n"
                "static int process(void *self, fay_ctx *context, const fay_item *item)\n"
                "{\n"
                "    size_t length;\n"
                "    const char *data = fay_item_data(item, &length);\n"
                "    char *text = malloc(length + 1);\n"
                "    if (text == NULL)\n"
                "        return fay_fail(context, FAY_RETRY, \"out of memory\");\n"
                "    for (size_t i = 0; i < length; i++)\n"
                "        text[i] = (char)toupper((unsigned char)data[i]);\n"
                "    (void)self;\n"
                "    int r = fay_emit(context, text, length);\n"
                "    free(text);\n"
                "    return r == FAY_OK ? FAY_ACK : FAY_RETRY;\n"
                "}\n"
                "\n"
                "static const fay_worker_class upcase = {.size = sizeof upcase,\n"
                "                                        .abi = FAY_ABI,\n"
                "                                        .name = \"upcase\",\n"
                "                                        .version = \"1\",\n"
                "                                        .process = process};\n"
                "FAY_WORKER_MODULE(upcase)\n"}},
     .next = "cc -O2 -shared -fPIC $(pkg-config --cflags faymora-worker) -o worker.so worker.c &&\n"
             "printf 'hello\\nworld\\n' | faymora run pipeline.yaml"},
};

static const scaffold *find(const char *kind)
{
    for (size_t i = 0; i < FAY_COUNT(scaffolds); i++) {
        if (strcmp(scaffolds[i].kind, kind) == 0)
            return &scaffolds[i];
    }
    return NULL;
}

/* 0, or an errno. A file that could not be filled is taken away again. */
static int write_file(const scaffold_file *file)
{
    int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->mode);
    if (fd < 0)
        return errno;
    size_t size = strlen(file->text);
    ssize_t n = write(fd, file->text, size);
    int saved = n < 0 ? errno : (size_t)n < size ? ENOSPC : 0;
    if (close(fd) != 0 && saved == 0)
        saved = errno;
    if (saved != 0)
        (void)unlink(file->path);
    return saved;
}

static int make(const scaffold *what)
{
    for (size_t i = 0; i < FAY_COUNT(what->files); i++) {
        int error = write_file(&what->files[i]);
        if (error == 0)
            continue;
        while (i-- > 0) {
            (void)unlink(what->files[i].path); /* made by us a moment ago */
        }
        fay_error err = {0};
        (void)fay_fail_errno(&err, FAY_E_IO, error, "cannot make the files of '%s'", what->kind);
        if (error == EEXIST) {
            (void)fay_fail_with(&err, FAY_E_EXISTS, "%s or %s is there already",
                                what->files[0].path, what->files[1].path);
            fay_hint(&err, "nothing is overwritten; go to an empty directory");
        }
        return fay_cli_fail(&err, error == EEXIST ? FAY_EXIT_USAGE : FAY_EXIT_IO);
    }
    return 0;
}

static int run(fay_cli *cli)
{
    const char *kind;
    if (!fay_cli_word(cli, &kind))
        return cli->exit;
    const scaffold *what = find(kind != NULL ? kind : "lines");
    if (what == NULL)
        return fay_cli_misuse(cli, "'init' makes exec, lines, json or c, not '%.100s'", kind);
    int r = make(what);
    if (r != 0 || (cli->quiet && !cli->json))
        return r;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    if (cli->json) {
        fay_buffer_printf(&text,
                          "{\"schema\":1,\"files\":[\"%s\",\"%s\"],\"next\":", what->files[0].path,
                          what->files[1].path);
        fay_json_append_string(&text, what->next, strlen(what->next));
        fay_buffer_append_text(&text, "}\n");
        return fay_cli_print(&text);
    }
    fay_buffer_printf(&text, "%s and %s are made. Try:\n%s\n", what->files[0].path,
                      what->files[1].path, what->next);
    return fay_cli_print(&text);
}

const fay_cli_command fay_command_init = {
    .name = "init",
    .usage = "init [exec|lines|json|c]",
    .summary = "make a pipeline and a worker to start from",
    .examples = "faymora init           # lines: one line in, one line out\n"
                "faymora init json      # a Python worker with requests and replies",
    .notes = "Makes pipeline.yaml and a worker in the working directory. Nothing is overwritten.",
    .exits = "0 ok, 2 one of the files is there already, 7 they cannot be written",
    .words = "exec lines json c",
    .run = run,
};
