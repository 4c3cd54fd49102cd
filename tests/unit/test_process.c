/* SPDX-License-Identifier: MIT */
/* The owner's children: each end is told once, and nothing of them is left over. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/process.h"

#define COMMAND(...) ((const char *const[]){__VA_ARGS__, NULL})

typedef struct fixture {
    uv_loop_t loop;
    fay_processes *all;
    fay_process *process;
    int ends, status;
    bool free_when_ended;
} fixture;

static int set_up(void **state)
{
    fixture *f = fay_alloc(sizeof *f);
    fay_host_init(-1);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->all = fay_processes_new(&f->loop);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fay_process_free(f->process);
    fay_processes_free(f->all);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static void on_ended(void *context, int status)
{
    fixture *f = context;
    f->ends++;
    f->status = status;
    if (f->free_when_ended)
        fay_process_free(FAY_STEAL(f->process));
}

static int start(fixture *f, const char *const *argv, int out)
{
    const fay_spawn spawn = {
        .argv = argv, .fds = {-1, out, STDERR_FILENO, -1}, .death_signal = SIGKILL};
    int fault = 0;
    f->process = fay_process_start(f->all, &spawn, on_ended, f, &fault);
    return f->process != NULL ? 0 : fault;
}

static void run_until_ended(fixture *f)
{
    while (f->ends == 0) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
}

static void an_end_is_told_once(void **state)
{
    fixture *f = *state;
    assert_int_equal(start(f, COMMAND("sh", "-c", "exit 3"), -1), 0);
    assert_true(fay_process_running(f->process));
    assert_true(fay_process_pid(f->process) > 0);
    run_until_ended(f);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->ends, 1);
    assert_true(WIFEXITED(f->status));
    assert_int_equal(WEXITSTATUS(f->status), 3);
    assert_false(fay_process_running(f->process));
    assert_false(fay_process_running(NULL));
    fay_process_signal(f->process, SIGKILL); /* its number may be somebody else's by now */
    fay_process_free(NULL);
}

static void who_hears_of_an_end_may_free_it(void **state)
{
    fixture *f = *state;
    f->free_when_ended = true;
    assert_int_equal(start(f, COMMAND("true"), -1), 0);
    run_until_ended(f);
    assert_null(f->process);
    assert_int_equal(f->ends, 1);
}

static void what_cannot_start_says_why(void **state)
{
    fixture *f = *state;
    assert_int_equal(start(f, COMMAND("/nowhere/at/all"), -1), ENOENT);
    assert_null(f->process);
    assert_int_equal(start(f, COMMAND("/"), -1), EACCES);
    assert_null(f->process);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->ends, 0);
}

/* The shell's child holds the pipe's other end: it closes when that one is gone too. */
static void wait_for_end_of(int fd)
{
    char byte;
    ssize_t n;
    do {
        n = read(fd, &byte, 1);
    } while (n > 0);
    assert_int_equal(n, 0);
    (void)close(fd);
}

static void a_signal_goes_to_the_whole_group(void **state)
{
    fixture *f = *state;
    int pair[2];
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    assert_int_equal(start(f, COMMAND("sh", "-c", "sleep 1000 & echo; wait"), pair[1]), 0);
    (void)close(pair[1]);
    char byte;
    assert_int_equal(read(pair[0], &byte, 1), 1); /* both are there */
    fay_process_signal(f->process, SIGKILL);
    run_until_ended(f);
    assert_true(WIFSIGNALED(f->status));
    assert_int_equal(WTERMSIG(f->status), SIGKILL);
    wait_for_end_of(pair[0]);
}

static void to_free_is_to_kill(void **state)
{
    fixture *f = *state;
    assert_int_equal(start(f, COMMAND("sleep", "1000"), -1), 0);
    pid_t pid = fay_process_pid(f->process);
    fay_process_free(FAY_STEAL(f->process));
    assert_int_equal(kill(pid, 0), -1); /* reaped */
    assert_int_equal(errno, ESRCH);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->ends, 0); /* who frees it knows */
}

/* A grandchild in a group of its own survives its parent; a sweep finds it, and spares who lives.
 */
static void a_sweep_kills_what_the_dead_left_over(void **state)
{
    fixture *f = *state;
    int pair[2];
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    assert_int_equal(start(f, COMMAND("sleep", "1000"), -1), 0);
    fay_process *lives = FAY_STEAL(f->process);
    assert_int_equal(start(f, COMMAND("sh", "-c", "setsid sleep 1000 & echo; exit"), pair[1]), 0);
    (void)close(pair[1]);
    run_until_ended(f);
    fay_processes_sweep(f->all);
    wait_for_end_of(pair[0]);
    assert_true(fay_process_running(lives));
    assert_int_equal(kill(fay_process_pid(lives), 0), 0);
    fay_process_free(lives);
}

static void endings_are_told(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *text;
    } rows[] = {{W_EXITCODE(0, 0), "exit code 0"},
                {W_EXITCODE(3, 0), "exit code 3"},
                {W_EXITCODE(255, 0), "exit code 255"},
                {W_EXITCODE(0, SIGKILL), "signal 9 (Killed)"},
                {W_EXITCODE(0, SIGSEGV) | WCOREFLAG, "signal 11 (Segmentation fault)"}};
    for (size_t i = 0; i < FAY_COUNT(rows); i++) {
        FAY_CLEANUP(fay_freep) char *text = fay_process_ending(rows[i].status);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_end_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_hears_of_an_end_may_free_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_start_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_signal_goes_to_the_whole_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(to_free_is_to_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sweep_kills_what_the_dead_left_over, set_up, tear_down),
        cmocka_unit_test(endings_are_told),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
