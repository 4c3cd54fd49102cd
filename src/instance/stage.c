/* SPDX-License-Identifier: MIT */
/* What a SETUP comes to on this machine: the program, its arguments and its environment. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/memory.h"
#include "instance/worker.h"

enum {
    BUFFERING_LINE = 0
};

static void send_failed(fay_instance *in, fay_failed_kind kind, const char *message,
                        const char *hint)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer payload = {0};
    const fay_failed failed = {
        .kind = kind, .message = fay_text_from(message), .hint = fay_text_from(hint)};
    fay_failed_write(&failed, &payload);
    in->failed = true;
    if (in->link == NULL) /* the owner is gone */
        return;
    fay_link_send(in->link, FAY_MESSAGE_FAILED, 0, fay_buffer_data(&payload),
                  fay_buffer_size(&payload));
}

void fay_stage_failed(fay_instance *in, const char *message, const char *hint)
{
    send_failed(in, FAY_FAILED_START, message, hint);
}

void fay_stage_breach(fay_instance *in, const char *message, const char *hint)
{
    send_failed(in, FAY_FAILED_BREACH, message, hint);
}

bool fay_stage_program_fault(int sys_errno)
{
    return sys_errno == ENOENT || sys_errno == EACCES || sys_errno == ENOEXEC ||
           sys_errno == ENOTDIR || sys_errno == ELOOP || sys_errno == EPERM;
}

void fay_stage_cannot_start(fay_instance *in, int sys_errno)
{
    const fay_setup *s = &in->setup;
    const char *name = s->argv[0] != NULL ? s->argv[0] : s->module;
    bool path = strchr(name, '/') != NULL;
    char message[FAY_ERROR_TEXT_MAX], hint[256] = "", why[128];
    (void)snprintf(message, sizeof message, "cannot start stage '%s': %s: %s", s->stage, name,
                   strerror_r(sys_errno, why, sizeof why));
    if (sys_errno == EACCES) {
        (void)snprintf(hint, sizeof hint, "chmod +x %.200s", name);
    } else if (sys_errno == ENOEXEC) {
        (void)snprintf(hint, sizeof hint, "its first line must name its interpreter: #!/bin/sh");
    } else if (sys_errno == ENOENT && path && in->file != NULL) {
        (void)snprintf(hint, sizeof hint, "the interpreter in its first line is not there");
    } else if (sys_errno == ENOENT && path) {
        (void)snprintf(hint, sizeof hint, "relative paths start at the working directory");
    } else if (sys_errno == ENOENT) {
        (void)snprintf(hint, sizeof hint, "it is not in PATH; a program beside you is ./%.200s",
                       name);
    }
    fay_stage_failed(in, message, hint);
}

/* Sets or replaces one variable of the stage's environment; takes the text. */
static void set_text(fay_instance *in, char *text)
{
    size_t name = strcspn(text, "=") + 1;
    for (size_t i = 0; i < in->env_count; i++) {
        if (strncmp(in->env[i], text, name) == 0) {
            free(in->env[i]);
            in->env[i] = text;
            return;
        }
    }
    in->env = fay_realloc(in->env, (in->env_count + 2) * sizeof *in->env);
    in->env[in->env_count++] = text;
    in->env[in->env_count] = NULL;
}

static void set(fay_instance *in, const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 2;
    char *text = fay_alloc(size);
    (void)snprintf(text, size, "%s=%s", name, value);
    set_text(in, text);
}

static const char *get(const fay_instance *in, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < in->env_count; i++) {
        if (strncmp(in->env[i], name, length) == 0 && in->env[i][length] == '=')
            return in->env[i] + length + 1;
    }
    return "";
}

/* Programs buffer what they print into a pipe; stdbuf's library changes that for most. */
static void cure_buffering(fay_instance *in)
{
    static const char *const libraries[] = {"/usr/libexec/coreutils/libstdbuf.so",
                                            "/usr/lib/coreutils/libstdbuf.so",
                                            "/usr/lib64/coreutils/libstdbuf.so"};
    set(in, "PYTHONUNBUFFERED", "1");
    for (size_t i = 0; i < FAY_COUNT(libraries); i++) {
        if (access(libraries[i], R_OK) != 0)
            continue;
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
        const char *before = get(in, "LD_PRELOAD");
        fay_buffer_printf(&text, "%s%s%s", before, before[0] != '\0' ? ":" : "", libraries[i]);
        set(in, "LD_PRELOAD", fay_buffer_text(&text));
        set(in, "_STDBUF_O", "L");
        return;
    }
}

static void make_environment(fay_instance *in)
{
    const fay_setup *s = &in->setup;
    for (size_t i = 0; environ[i] != NULL; i++) {
        set_text(in, fay_strdup(environ[i]));
    }
    set(in, "FAYMORA_RUN", s->run);
    set(in, "FAYMORA_PIPELINE", s->pipeline);
    set(in, "FAYMORA_STAGE", s->stage);
    set(in, "FAYMORA_NODE", s->node);
    for (size_t i = 0; s->env[i] != NULL; i++) {
        set_text(in, fay_strdup(s->env[i]));
    }
    bool streams = s->mode == FAY_MODE_LINES || s->mode == FAY_MODE_JSON;
    if (streams && s->buffering == BUFFERING_LINE)
        cure_buffering(in);
}

/* mawk buffers by itself, whatever the C library does; it must be told. */
static bool is_mawk(const fay_instance *in)
{
    char real[PATH_MAX];
    if (in->setup.buffering != BUFFERING_LINE || realpath(in->file, real) == NULL)
        return false;
    const char *slash = strrchr(real, '/');
    return strcmp(slash != NULL ? slash + 1 : real, "mawk") == 0;
}

static void make_arguments(fay_instance *in)
{
    const fay_setup *s = &in->setup;
    size_t count = 0, used = 0;
    while (s->argv[count] != NULL) {
        count++;
    }
    in->argv = fay_alloc((count + 4) * sizeof *in->argv);
    if (count == 0) { /* a module */
        in->argv[used++] = in->file;
        in->argv[used++] = s->module;
        return;
    }
    in->argv[used++] = s->argv[0];
    if ((s->mode == FAY_MODE_LINES || s->mode == FAY_MODE_JSON) && is_mawk(in)) {
        in->argv[used++] = "-W";
        in->argv[used++] = "interactive";
    }
    for (size_t i = 1; i < count; i++) {
        in->argv[used++] = s->argv[i];
    }
}

/* 0, or the errno that stands in the way. */
static int find_program(fay_instance *in)
{
    const fay_setup *s = &in->setup;
    const char *const *env = (const char *const *)in->env;
    int error = 0;
    if (s->argv[0] != NULL) {
        in->file = fay_host_resolve(s->argv[0], env, s->cwd, &error);
        return in->file == NULL ? error : 0;
    }
    in->file = fay_host_program("faymora-worker");
    return access(in->file, X_OK) == 0 ? 0 : errno;
}

/* Else its absence would be told of the program. */
static bool has_cwd(fay_instance *in)
{
    const fay_setup *s = &in->setup;
    struct stat is;
    if (s->cwd[0] == '\0')
        return true;
    int error = stat(s->cwd, &is) != 0 || access(s->cwd, X_OK) != 0 ? errno : 0;
    if (error == 0 && !S_ISDIR(is.st_mode))
        error = ENOTDIR;
    if (error == 0)
        return true;
    char message[FAY_ERROR_TEXT_MAX], why[128];
    (void)snprintf(message, sizeof message, "cannot start stage '%s': cwd %s: %s", s->stage, s->cwd,
                   strerror_r(error, why, sizeof why));
    fay_stage_failed(in, message, "");
    return false;
}

int fay_stage_setup(fay_instance *in, const uint8_t *payload, size_t size)
{
    if (in->ready || fay_setup_parse(payload, size, &in->setup) != 0)
        return FAY_E_PEER;
    const fay_setup *s = &in->setup;
    if ((s->argv[0] == NULL) == (s->module[0] == '\0') || s->item_max > FAY_ITEM_MAX)
        return FAY_E_PEER;
    fay_error err = {0};
    if (s->stages > 0) {
        in->router = fay_router_new((const char *const *)s->whens, s->feeds, s->stages, &err);
        if (in->router == NULL) {
            fay_stage_failed(in, err.message, err.hint);
            return 0;
        }
    }
    if (!has_cwd(in))
        return 0;
    make_environment(in);
    in->oom_kills = fay_memory_kills();
    int error = find_program(in);
    if (error != 0) {
        free(in->file);
        in->file = NULL;
        fay_stage_cannot_start(in, error);
        return 0;
    }
    make_arguments(in);
    const fay_mode_config config = {.setup = s, .router = in->router};
    fay_mode *probe = fay_mode_new(&config, &err); /* a placeholder that is none shows now */
    if (probe == NULL) {
        fay_stage_failed(in, err.message, err.hint);
        return 0;
    }
    fay_mode_free(probe);
    in->ready = true;
    return 0;
}

void fay_stage_deinit(fay_instance *in)
{
    for (size_t i = 0; i < in->env_count; i++) {
        free(in->env[i]);
    }
    free(in->env);
    free(in->argv);
    free(in->file);
    fay_router_free(in->router);
    fay_setup_deinit(&in->setup);
}
