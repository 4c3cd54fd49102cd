/* SPDX-License-Identifier: MIT */
#include "host/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "host/file.h"

enum {
    STAT_MAX = 1024
};

/* false: `each` has had enough. */
static bool children_of_thread(pid_t parent, const char *thread,
                               bool (*each)(void *context, pid_t child), void *context)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%.16s/children", (int)parent, thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    char text[4096];
    unsigned pid = 0;
    bool more = true;
    for (ssize_t got; more && (got = read(fd, text, sizeof text)) > 0;) {
        for (ssize_t i = 0; more && i < got; i++) { /* "12 345 ": a number may be cut in two */
            if (text[i] >= '0' && text[i] <= '9') {
                pid = pid * 10 + (unsigned)(text[i] - '0');
            } else if (pid > 0) {
                more = each(context, (pid_t)pid);
                pid = 0;
            }
        }
    }
    (void)close(fd);
    return more;
}

void fay_tree_children(pid_t parent, bool (*each)(void *context, pid_t child), void *context)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)parent);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;) {
        if (entry->d_name[0] != '.' && !children_of_thread(parent, entry->d_name, each, context))
            break;
    }
    (void)closedir(threads);
}

void fay_tree_add_main_thread(fay_main_threads *threads, pid_t pid)
{
    char path[64], text[96];
    (void)snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    if (fay_file_read(path, text, sizeof text) == 0)
        return;
    char *end;
    threads->ran += strtoull(text, &end, 10);
    threads->waited += strtoull(end, NULL, 10);
}

typedef struct walk {
    fay_tree *tree;
    unsigned depth;
} walk;

/* Whether the process waits in read(0, ..). Who may not look assumes that it does. */
static bool reads_stdin(pid_t pid)
{
    char path[64], text[256];
    (void)snprintf(path, sizeof path, "/proc/%d/syscall", (int)pid);
    if (fay_file_read(path, text, sizeof text) == 0)
        return true;
    char *end = NULL;
    long number = strtol(text, &end, 10);
    return end != text && number == SYS_read && strtoull(end, NULL, 16) == 0;
}

static fay_ns of_ticks(uint64_t ticks)
{
    return ticks * (FAY_SECOND / (uint64_t)FAY_MAX(sysconf(_SC_CLK_TCK), 1L));
}

/* Its /proc/PID/stat from the state on, which is a letter; NULL: there is no such process. */
static const char *read_stat(pid_t pid, char text[STAT_MAX])
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (fay_file_read(path, text, STAT_MAX) == 0)
        return NULL;
    const char *name_end = strrchr(text, ')'); /* the name may hold anything */
    return name_end != NULL && name_end[1] == ' ' ? name_end + 2 : NULL;
}

bool fay_tree_is_at_work(pid_t pid)
{
    char text[STAT_MAX];
    const char *state = read_stat(pid, text);
    return state != NULL && (*state == 'R' || *state == 'D');
}

static bool add_process(pid_t pid, fay_tree *tree)
{
    char text[STAT_MAX];
    const char *at = read_stat(pid, text);
    if (at == NULL)
        return false;
    bool sleeps = *at == 'S', dead = *at == 'Z';
    uint64_t fields[25] = {0}; /* as proc(5) numbers them, from state = 3 */
    for (size_t i = 4; i < FAY_COUNT(fields) && (at = strchr(at, ' ')) != NULL; i++) {
        fields[i] = strtoull(++at, NULL, 10);
    }
    tree->processes++;
    fay_main_threads thread = {0};
    fay_tree_add_main_thread(&thread, pid);
    tree->main.ran += thread.ran;
    tree->main.waited += thread.waited;
    tree->cpu += FAY_MAX(of_ticks(fields[14] + fields[15] + fields[16] + fields[17]), thread.ran);
    tree->rss += fields[24] * (uint64_t)sysconf(_SC_PAGESIZE);
    tree->sleeping = tree->sleeping && (sleeps || dead);
    if (sleeps && reads_stdin(pid))
        tree->reading = true;
    return true;
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by FAY_TREE_DEPTH_MAX
static bool add_below(void *context, pid_t pid)
{
    walk *w = context;
    if (!add_process(pid, w->tree) || w->tree->processes >= FAY_TREE_PROCESSES_MAX)
        return w->tree->processes < FAY_TREE_PROCESSES_MAX;
    walk below = {.tree = w->tree, .depth = w->depth + 1};
    if (below.depth < FAY_TREE_DEPTH_MAX)
        fay_tree_children(pid, add_below, &below);
    return true;
}

bool fay_tree_look(pid_t root, fay_tree *ret)
{
    fay_tree tree = {.sleeping = true};
    walk w = {.tree = &tree};
    (void)add_below(&w, root);
    *ret = tree;
    return tree.processes > 0;
}
