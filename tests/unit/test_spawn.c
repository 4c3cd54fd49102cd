/* SPDX-License-Identifier: MIT */
/* Programs are started as asked, failures have their errno, and nothing is left over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/cores.h"
#include "host/spawn.h"
#include "host/tree.h"

#define COMMAND(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Runs a command, with its output on a pipe; what it printed is in `text`, the rest of its life
 * with the caller. */
static int run(fay_spawn spawn, fay_child *child, char *text, size_t size)
{
    int ends[2], error = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    spawn.fds[0] = -1;
    spawn.fds[1] = spawn.fds[3] = ends[1];
    spawn.fds[2] = STDERR_FILENO;
    int rc = fay_spawn_start(&spawn, child, &error);
    (void)close(ends[1]);
    ssize_t n = rc == 0 ? read(ends[0], text, size - 1) : 0;
    text[n > 0 ? n : 0] = '\0';
    (void)close(ends[0]);
    return rc == 0 ? 0 : error;
}

static int reap_spent(fay_child *child, fay_spent *ret_spent)
{
    int status = -1;
    struct pollfd fd = {.fd = child->pidfd, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 10000), 1);
    assert_true(fay_child_reap(child, &status, ret_spent));
    (void)close(child->pidfd);
    return status;
}

static int reap(fay_child *child)
{
    return reap_spent(child, NULL);
}

static bool alive(pid_t pid)
{
    return kill(pid, 0) == 0;
}

static void a_child_has_what_it_was_given(void **state)
{
    (void)state;
    fay_child child;
    char text[256];
    const fay_spawn spawn = {
        .argv = COMMAND("sh", "-c", "pwd; echo $X >&3; ps -o pgid= -p $$ | tr -d ' '; echo $$"),
        .env = COMMAND("PATH=/usr/bin:/bin", "X=y"),
        .cwd = "/usr",
        .death_signal = SIGKILL};
    assert_int_equal(run(spawn, &child, text, sizeof text), 0);
    usleep(200000);
    assert_memory_equal(text, "/usr\n", 5);
    (void)reap(&child);
}

static void what_cannot_be_started_says_why(void **state)
{
    (void)state;
    fay_child child;
    char text[16];
    assert_int_equal(run((fay_spawn){.argv = COMMAND("/no/such")}, &child, text, 16), ENOENT);
    assert_int_equal(run((fay_spawn){.argv = COMMAND("no-such-thing")}, &child, text, 16), ENOENT);
    assert_int_equal(run((fay_spawn){.argv = COMMAND("/etc/passwd")}, &child, text, 16), EACCES);
    assert_int_equal(run((fay_spawn){.argv = COMMAND("true"), .cwd = "/no/such"}, &child, text, 16),
                     ENOENT);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
}

/* Also of what it has waited for. */
static void what_a_child_has_spent_is_told(void **state)
{
    static const char burn[] = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
    (void)state;
    fay_child child;
    char text[64];
    fay_spent self, below;
    const fay_spawn one = {.argv = COMMAND("sh", "-c", burn), .death_signal = SIGKILL};
    assert_int_equal(run(one, &child, text, sizeof text), 0);
    assert_int_equal(reap_spent(&child, &self), 0);
    const fay_spawn two = {.argv = COMMAND("sh", "-c", "sh -c \"$1\"; true", "sh", burn),
                           .death_signal = SIGKILL};
    assert_int_equal(run(two, &child, text, sizeof text), 0);
    assert_int_equal(reap_spent(&child, &below), 0);
    assert_true(self.cpu > 5 * FAY_MS && below.cpu > 5 * FAY_MS);
    assert_true(self.bytes > 100 * FAY_KIB && below.bytes > 100 * FAY_KIB);
}

static void grandchildren_are_swept(void **state)
{
    (void)state;
    fay_host_init(-1);
    fay_child child;
    char text[64];
    const fay_spawn spawn = {
        .argv = COMMAND("sh", "-c", "setsid sh -c 'sleep 1000 & echo $$ $!; wait' & sleep 0.3"),
        .death_signal = SIGKILL};
    assert_int_equal(run(spawn, &child, text, sizeof text), 0);
    char *end = NULL;
    pid_t shell = (pid_t)strtol(text, &end, 10), sleeper = (pid_t)strtol(end, NULL, 10);
    assert_true(shell > 1 && sleeper > 1);
    fay_tree tree;
    assert_true(fay_tree_look(child.pid, &tree));
    assert_true(tree.processes >= 3 && tree.rss > 0);

    assert_true(fay_host_sweep(&child.pid, 1, FAY_SECOND)); /* below a known one: spared */
    assert_true(alive(shell) && alive(sleeper));
    fay_child_signal(&child, SIGKILL); /* its group, not the session below */
    (void)reap(&child);
    assert_true(fay_host_sweep(NULL, 0, 5 * FAY_SECOND));
    assert_false(alive(shell));
    assert_false(alive(sleeper));
}

static void children_die_with_their_parent(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t parent = fork();
    if (parent == 0) {
        fay_child child;
        int error;
        const fay_spawn spawn = {.argv = COMMAND("sleep", "1000"),
                                 .fds = {-1, STDERR_FILENO, STDERR_FILENO, -1},
                                 .death_signal = SIGKILL};
        if (fay_spawn_start(&spawn, &child, &error) != 0 ||
            write(ends[1], &child.pid, sizeof child.pid) < 0)
            _exit(1);
        (void)pause();
    }
    pid_t pid = 0;
    assert_int_equal(read(ends[0], &pid, sizeof pid), sizeof pid);
    (void)kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    for (int i = 0; i < 500 && alive(pid); i++) { /* it has come to us: reap it */
        (void)waitpid(pid, NULL, WNOHANG);
        usleep(10000);
    }
    assert_false(alive(pid));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void the_machine_is_known(void **state)
{
    (void)state;
    assert_true(fay_cores_count() >= 1);
    int error = 0;
    FAY_CLEANUP(fay_freep) char *sh = fay_host_resolve("sh", NULL, NULL, &error);
    assert_non_null(sh);
    FAY_CLEANUP(fay_freep) char *relative = fay_host_resolve("./sh", NULL, "/bin", &error);
    assert_string_equal(relative, "./sh");
    assert_null(fay_host_resolve("./sh", NULL, "/etc", &error));
    assert_int_equal(error, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_has_what_it_was_given),
        cmocka_unit_test(what_cannot_be_started_says_why),
        cmocka_unit_test(what_a_child_has_spent_is_told),
        cmocka_unit_test(grandchildren_are_swept),
        cmocka_unit_test(children_die_with_their_parent),
        cmocka_unit_test(the_machine_is_known),
    };
    return cmocka_run_group_tests_name("spawn", tests, NULL, NULL);
}
