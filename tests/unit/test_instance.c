/* SPDX-License-Identifier: MIT */
/* An Instance with real workers, driven by a stand-in for its owner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/owner.h"
#include "support/say.h"

#define TEXTS(...)           ((const char *const[]){__VA_ARGS__, NULL})
#define assert_next(o, text) assert_string_equal(owner_next(o), (text))
#define SH(text)             TEXTS("sh", "-c", (text))

static void begin(owner *o, fay_setup setup)
{
    owner_start(o, &setup);
    fay_setup_deinit(&setup);
    owner_send(o, FAY_MESSAGE_SPAWN, 0);
}

static void begin_up(owner *o, fay_setup setup)
{
    begin(o, setup);
    assert_next(o, "0 UP");
}

static void end_well(owner *o)
{
    owner_send(o, FAY_MESSAGE_STOP, 0);
    assert_next(o, "0 DOWN retired");
    assert_next(o, "closed");
    assert_int_equal(owner_end(o), 0);
}

static bool gone(pid_t pid)
{
    for (int i = 0; i < 300; i++) {
        if (kill(pid, 0) != 0)
            return true;
        (void)waitpid(pid, NULL, WNOHANG);
        usleep(10000);
    }
    return false;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static void lines_work_and_retire(void **state)
{
    (void)state;
    owner o;
    begin_up(&o, say_setup(FAY_MODE_LINES, TEXTS("sed", "s/^/x/")));
    owner_lease(&o, 0, 0, TEXTS("a"));
    assert_next(&o, "0 RESULTS 0+1: xa"); /* flushed line by line */
    owner_lease(&o, 0, 1, TEXTS("b"));
    assert_next(&o, "0 RESULTS 1+1: xb");
    end_well(&o);
}

/* What a program holds back in a buffer comes out when it is retired. */
static void retiring_brings_buffered_answers(void **state)
{
    (void)state;
    owner o;
    fay_setup setup = say_setup(FAY_MODE_LINES, TEXTS("sed", "s/^/x/"));
    setup.buffering = 2;
    setup.stall = 300 * FAY_MS;
    begin_up(&o, setup);
    owner_lease(&o, 0, 0, TEXTS("a", "b"));
    assert_memory_equal(owner_next(&o), "0 NOTE stage stage, worker 1 took an Item", 39);
    owner_send(&o, FAY_MESSAGE_RETIRE, 0);
    assert_next(&o, "0 RESULTS 0+2: xa|xb");
    assert_next(&o, "0 DOWN recycled");
    assert_int_equal(owner_end(&o), 0);
}

static void a_terminal_cures_buffering(void **state)
{
    (void)state;
    owner o;
    fay_setup setup = say_setup(FAY_MODE_LINES, TEXTS("perl", "-pe", "s/^/x/"));
    setup.buffering = 1;
    begin_up(&o, setup);
    owner_lease(&o, 0, 0, TEXTS("a"));
    assert_next(&o, "0 RESULTS 0+1: xa");
    end_well(&o);
}

static void deaths_of_lines_workers_are_told(void **state)
{
    static const struct {
        const char *command, *first, *then;
    } cases[] = {
        {"read a; echo 1; exit 3", "0 RESULTS 0+1: 1",
         "0 DOWN exit exit 3: exit 3 with 1 Item in hand"},
        {"read a; printf last", "0 RESULTS 0+1: last", "0 DOWN exit: exit 0 with 1 Item in hand"},
        {"read a; echo 1; kill -9 $$", "0 RESULTS 0+1: 1",
         "0 DOWN signal signal 9: killed by signal 9 (Killed)"},
        {"read a; echo 1; exec >&-; sleep 9", "0 RESULTS 0+1: 1",
         "0 DOWN garbage signal 9: closed its standard output while it should answer"},
    };
    (void)state;
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        owner o;
        begin_up(&o, say_setup(FAY_MODE_LINES, SH(cases[i].command)));
        owner_lease(&o, 0, 0, TEXTS("a", "b"));
        const char *said = owner_next(&o);
        while (strstr(said, "RESULTS") != NULL) { /* in one piece or two */
            if (cases[i].first != NULL)
                assert_string_equal(said, cases[i].first);
            said = owner_next(&o);
        }
        assert_string_equal(said, cases[i].then);
        owner_send(&o, FAY_MESSAGE_SPAWN, 0); /* the number is free again */
        assert_next(&o, "0 UP");
        assert_int_equal(owner_end(&o), 0);
    }
}

static void a_lines_worker_that_prints_too_many_stops_the_run(void **state)
{
    (void)state;
    owner o;
    begin_up(&o, say_setup(FAY_MODE_LINES, SH("read a; echo 1; echo 2; echo 3; sleep 9")));
    owner_lease(&o, 0, 0, TEXTS("a", "b"));
    const char *said = owner_next(&o);
    while (strstr(said, "RESULTS") != NULL) { /* as far as one was read without the others */
        said = owner_next(&o);
    }
    static const char text[] = "0 FAILED breach: stage 'stage': a worker printed more lines than";
    assert_memory_equal(said, text, sizeof text - 1);
    assert_next(&o, "0 DOWN garbage signal 9: printed more lines than it was given Items");
    assert_int_equal(owner_end(&o), 0);
}

static void a_line_without_end_is_cut_off(void **state)
{
    (void)state;
    owner o;
    begin_up(&o, say_setup(FAY_MODE_LINES, SH("read a; exec tr '\\0' x </dev/zero")));
    owner_lease(&o, 0, 0, TEXTS("a", "b"));
    assert_next(&o, "0 VERDICT 0 too-large: printed an Item of more than max_item (1MiB)");
    assert_next(&o, "0 DOWN recycled signal 9");
    assert_int_equal(owner_end(&o), 0);
}

static void a_timeout_kills_the_whole_group(void **state)
{
    (void)state;
    owner o;
    fay_setup setup =
        say_setup(FAY_MODE_LINES, SH("trap '' TERM; read a; sleep 1000 & echo $!; read b; wait"));
    setup.timeout = 200 * FAY_MS;
    begin_up(&o, setup);
    owner_lease(&o, 0, 0, TEXTS("a", "b"));
    const char *said = owner_next(&o);
    assert_memory_equal(said, "0 RESULTS 0+1: ", 15);
    pid_t sleeper = (pid_t)strtol(said + 15, NULL, 10);
    assert_next(&o, "0 DOWN timeout signal 9: took longer than timeout (200ms)");
    assert_true(gone(sleeper));
    assert_int_equal(owner_end(&o), 0);
}

static void a_worker_that_ignores_everything_is_killed(void **state)
{
    (void)state;
    owner o;
    fay_setup setup = say_setup(FAY_MODE_LINES, SH("trap '' TERM; while :; do sleep 0.1; done"));
    setup.stop_grace = 200 * FAY_MS;
    begin_up(&o, setup);
    owner_send(&o, FAY_MESSAGE_RETIRE, 0);
    assert_next(&o, "0 DOWN retired signal 9");
    assert_int_equal(owner_end(&o), 0);
}

/* KILL: the signal to the group; who does not heed it has the stage's grace. */
static void the_owner_ends_workers(void **state)
{
    (void)state;
    static const struct {
        int signal;
        const char *command, *down;
    } cases[] = {
        {SIGTERM, "trap 'exit 7' TERM; read a; echo $a; sleep 99 & wait",
         "0 DOWN exit exit 7: exit 7 with 1 Item in hand"},
        {SIGTERM, "trap '' TERM; read a; echo $a; sleep 99",
         "0 DOWN signal signal 9: killed by signal 9 (Killed)"},
        {0, "trap '' TERM; read a; echo $a; sleep 99",
         "0 DOWN signal signal 9: killed by signal 9 (Killed)"},
    };
    for (size_t i = 0; i < FAY_COUNT(cases); i++) {
        owner o;
        fay_setup setup = say_setup(FAY_MODE_LINES, SH(cases[i].command));
        setup.stop_grace = cases[i].signal != 0 ? 300 * FAY_MS : 3600 * FAY_SECOND;
        begin_up(&o, setup);
        owner_lease(&o, 0, 0, TEXTS("a", "b"));
        assert_next(&o, "0 RESULTS 0+1: a"); /* its trap is set */
        owner_kill(&o, 3, cases[i].signal);  /* of a number that is free: nothing */
        owner_kill(&o, 0, cases[i].signal);
        owner_kill(&o, 0, cases[i].signal);
        assert_next(&o, cases[i].down);
        assert_int_equal(owner_end(&o), 0);
    }
}

/* What such a try printed does not count, although it exits with 0. */
static void the_owner_ends_tries(void **state)
{
    (void)state;
    owner o;
    char name[] = "/tmp/fay-try-XXXXXX", command[128];
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    (void)snprintf(command, sizeof command, "trap 'exit 0' TERM; echo a; rm %s; sleep 99 & wait",
                   name);
    begin_up(&o, say_setup(FAY_MODE_EXEC, SH(command)));
    owner_lease(&o, 0, 0, TEXTS("a", "b"));
    while (access(name, F_OK) == 0) {
        usleep(1000);
    }
    owner_kill(&o, 0, SIGTERM);
    assert_memory_equal(owner_next(&o), "0 DOWN exit", 11);
    owner_send(&o, FAY_MESSAGE_SPAWN, 0);
    assert_next(&o, "0 UP");
    owner_kill(&o, 0, SIGTERM); /* a slot without a process */
    assert_memory_equal(owner_next(&o), "0 DOWN signal", 13);
    assert_int_equal(owner_end(&o), 0);
    (void)close(fd);
}

static void a_kill_that_is_none_ends_the_link(void **state)
{
    (void)state;
    owner o;
    begin_up(&o, say_setup(FAY_MODE_LINES, TEXTS("cat")));
    owner_send(&o, FAY_MESSAGE_KILL, 0); /* without its signal */
    assert_next(&o, "closed");
    assert_int_equal(owner_end(&o), 0);
}

static void a_worker_that_holds_too_much_is_killed(void **state)
{
    (void)state;
    static const fay_mode_kind modes[] = {FAY_MODE_LINES, FAY_MODE_EXEC, FAY_MODE_BATCH};
    static const char text[] = ": stage stage: a worker held ";
    for (size_t i = 0; i < FAY_COUNT(modes); i++) {
        owner o;
        fay_setup setup = say_setup(modes[i], TEXTS("perl", "-e", "$a = 'x' x 60000000; sleep 99"));
        setup.memory_max = 40 * FAY_MIB;
        begin_up(&o, setup);
        bool one = modes[i] != FAY_MODE_BATCH;
        owner_lease(&o, 0, 0, one ? TEXTS("a") : TEXTS("a", "b"));
        const char *told = owner_next(&o);
        const char *head = modes[i] == FAY_MODE_EXEC ? "0 VERDICT" : "0 DOWN oom";
        assert_memory_equal(told, head, strlen(head));
        assert_non_null(strstr(told, text + (modes[i] == FAY_MODE_EXEC ? 2 : 0)));
        assert_non_null(strstr(told, "more than resources.memory (40MiB)"));
        assert_int_equal(owner_end(&o), 0);
    }
}

static void workers_are_recycled(void **state)
{
    (void)state;
    owner o;
    fay_setup setup = say_setup(FAY_MODE_LINES, TEXTS("cat"));
    setup.recycle_items = 2;
    begin_up(&o, setup);
    owner_lease(&o, 0, 0, TEXTS("a", "b"));
    assert_next(&o, "0 RESULTS 0+2: a|b");
    assert_next(&o, "0 DOWN recycled");
    assert_int_equal(owner_end(&o), 0);
}

/* ---- exec, batch ---------------------------------------------------------------------------- */

static void exec_runs_a_process_an_item(void **state)
{
    (void)state;
    owner o;
    begin_up(&o, say_setup(FAY_MODE_EXEC,
                           SH("echo $FAYMORA_ITEM $FAYMORA_SLOT $FAYMORA_ID; [ $FAYMORA_ITEM != "
                              "bad ] || {{ echo why >&2; exit 65; }}")));
    owner_lease(&o, 0, 0, TEXTS("a", "bad", "c"));
    assert_next(&o, "0 RESULTS 0+1 (1): a 1 0");
    assert_next(&o, "0 VERDICT 1 poison exit 65: exit 65 [why\n]");
    assert_next(&o, "0 RESULTS 2+1 (1): c 1 2");
    end_well(&o);
}

static void exec_clocks_and_limits_are_verdicts(void **state)
{
    (void)state;
    owner o;
    fay_setup setup = say_setup(FAY_MODE_EXEC, TEXTS("sh", "-c", "{}"));
    setup.timeout = 300 * FAY_MS;
    setup.output_max = 3 * FAY_MIB;
    begin_up(&o, setup);
    owner_lease(&o, 0, 0,
                TEXTS("sleep 1000", "yes", "tr '\\0' x </dev/zero", "kill -9 $$",
                      "setsid sleep 1000 & echo $!"));
    assert_next(&o, "0 VERDICT 0 timeout: took longer than timeout (300ms)");
    assert_next(&o, "0 VERDICT 1 too-large: printed more than max_output (3MiB)");
    assert_next(&o, "0 VERDICT 2 too-large: printed an Item of more than max_item (1MiB)");
    assert_next(&o, "0 VERDICT 3 retry signal 9: killed by signal 9 (Killed)");
    const char *said = owner_next(&o);
    assert_memory_equal(said, "0 RESULTS 4+1 (1): ", 19);
    assert_true(gone((pid_t)strtol(said + 19, NULL, 10))); /* what it left behind in a session */
    end_well(&o);
}

static void a_batch_has_the_timeout_for_each_item(void **state)
{
    (void)state;
    owner o;
    fay_setup setup = say_setup(FAY_MODE_BATCH, TEXTS("sleep", "1000"));
    setup.timeout = 50 * FAY_MS;
    begin_up(&o, setup);
    owner_lease(&o, 0, 0, TEXTS("a", "b", "c"));
    assert_next(&o, "0 DOWN timeout signal 9: took longer than timeout (50ms for each of 3 Items)");
    assert_int_equal(owner_end(&o), 0);
}

static void large_output_is_held_in_a_file(void **state)
{
    (void)state;
    owner o;
    begin_up(&o, say_setup(FAY_MODE_EXEC, TEXTS("seq", "{}")));
    owner_lease(&o, 0, 0, TEXTS("400000"));
    unsigned long last = 0, parts = 0;
    for (bool over = false; !over;) {
        const char *said = owner_next(&o);
        over = strncmp(said, "0 PART", 6) != 0;
        parts += !over;
        char *at = strchr(said, ':');
        assert_non_null(at);
        do {
            assert_int_equal(strtoul(at + 1, &at, 10), ++last);
        } while (*at == '|');
    }
    assert_int_equal(last, 400000);
    assert_true(parts > 20);
    end_well(&o);
}

static void exec_126_stops_the_run(void **state)
{
    (void)state;
    owner o;
    begin_up(&o, say_setup(FAY_MODE_EXEC, SH("exit 127")));
    owner_lease(&o, 0, 0, TEXTS("a"));
    assert_memory_equal(owner_next(&o), "0 FAILED stop: stage stage: sh: exit 127", 40);
    owner_send(&o, FAY_MESSAGE_STOP, 0);
    assert_next(&o, "0 BACK 0+1");
    assert_next(&o, "0 DOWN retired");
    assert_next(&o, "closed");
    assert_int_equal(owner_end(&o), 0);
}

static void programs_that_are_none_are_told_before_any_item(void **state)
{
    (void)state;
    owner o;
    begin(&o, say_setup(FAY_MODE_EXEC, TEXTS("/etc/passwd", "{}")));
    assert_next(&o, "0 FAILED start: cannot start stage 'stage': /etc/passwd: Permission denied "
                    "(chmod +x /etc/passwd)");
    assert_int_equal(owner_end(&o), 0);
    begin(&o, say_setup(FAY_MODE_LINES, TEXTS("./no-such-thing")));
    assert_next(&o, "0 FAILED start: cannot start stage 'stage': ./no-such-thing: No such file or "
                    "directory (relative paths start at the working directory)");
    assert_int_equal(owner_end(&o), 0);
}

static void batches_succeed_or_break(void **state)
{
    (void)state;
    owner o;
    begin_up(&o, say_setup(FAY_MODE_BATCH,
                           SH("sort | tee /dev/stderr | grep -v bad && [ -t 0 ] || exit 0")));
    owner_lease(&o, 0, 0, TEXTS("b", "a"));
    assert_next(&o, "0 RESULTS 0+2 (2 0): a|b");
    end_well(&o);
    begin_up(&o, say_setup(FAY_MODE_BATCH, SH("! grep bad >&2")));
    owner_lease(&o, 0, 0, TEXTS("bad", "a"));
    owner_lease(&o, 0, 9, TEXTS("c"));
    assert_next(&o, "0 BACK 9+1");
    assert_next(&o, "0 DOWN exit exit 1: exit 1 with 2 Items in hand");
    owner_send(&o, FAY_MESSAGE_SPAWN, 0);
    assert_next(&o, "0 UP");
    owner_lease(&o, 0, 10, TEXTS("bad"));
    assert_next(&o, "0 VERDICT 10 retry exit 1: exit 1 [bad\n]");
    end_well(&o);
}

/* ---- json ----------------------------------------------------------------------------------- */

static void json_workers_answer(void **state)
{
    (void)state;
    owner o;
    begin_up(&o, say_setup(FAY_MODE_JSON,
                           TEXTS("python3", "-c",
                                 "import sys,json\n"
                                 "for l in sys.stdin:\n"
                                 " r=json.loads(l); i=r['item']\n"
                                 " if i=='bad': print('tut',file=sys.stderr,flush=True)\n"
                                 " print(json.dumps({'id':r['id'],'error':'no','retry':False}"
                                 " if i=='bad' else {'id':r['id'],'emit':[i,i.upper()]}))\n")));
    owner_lease(&o, 0, 0, TEXTS("a"));
    assert_next(&o, "0 RESULTS 0+1 (2): a|A");
    owner_lease(&o, 0, 1, TEXTS("bad"));
    assert_memory_equal(owner_next(&o), "0 VERDICT 1 poison: no", 22);
    end_well(&o);
}

/* ---- frames --------------------------------------------------------------------------------- */

/* A worker of our protocol in Python: answers each Item with itself, tag 7 with a wrong tag. */
static const char frames_worker[] =
    "import os,struct\n"
    "def send(t,p): os.write(3,struct.pack('<IBBH',len(p),t,0,0)+p)\n"
    "def read(n):\n"
    " b=b''\n"
    " while len(b)<n:\n"
    "  c=os.read(3,n-len(b))\n"
    "  if not c: os._exit(0)\n"
    "  b+=c\n"
    " return b\n"
    "send(1,struct.pack('<II',VERSION,os.getpid()))\n"
    "print('stray',flush=True)\n"
    "while True:\n"
    " size,kind,_,_=struct.unpack('<IBBH',read(8)); p=read(size)\n"
    " if kind==4: os._exit(0)\n"
    " if kind==2: send(10,struct.pack('<IQ',os.getpid(),0))\n"
    " if kind!=6: continue\n"
    " tag,=struct.unpack('<Q',p[:8]); count,gap=struct.unpack('<IB',p[16:21])\n"
    " data=p[-(sum(struct.unpack('<%dI'%count,p[24:24+4*count]))+gap*count):]\n"
    " send(12,struct.pack('<QIQB',tag+(tag==7),count,5,0)+struct.pack('<IBBH',count,gap,0,0)"
    "+p[24:24+4*count]+data)\n";

static fay_setup frames_setup(const char *version)
{
    char script[sizeof frames_worker + 128];
    (void)snprintf(script, sizeof script, "VERSION=%s\n%s", version, frames_worker);
    return say_setup(FAY_MODE_FRAMES, TEXTS("python3", "-c", script));
}

static void frames_workers_answer(void **state)
{
    (void)state;
    owner o;
    begin_up(&o, frames_setup("1"));
    owner_lease(&o, 0, 0, TEXTS("a", "b"));
    assert_next(&o, "0 RESULTS 0+2: a|b");
    owner_lease(&o, 0, 7, TEXTS("c"));
    assert_next(&o, "0 DOWN garbage signal 9: answered tag 8, which it does not have in hand");
    owner_send(&o, FAY_MESSAGE_SPAWN, 0);
    assert_next(&o, "0 UP");
    end_well(&o);
}

static void workers_that_do_not_speak_frames_are_told(void **state)
{
    (void)state;
    owner o;
    begin(&o, say_setup(FAY_MODE_FRAMES, SH("exit 3")));
    assert_next(&o, "0 DOWN start exit 3: exit 3");
    assert_int_equal(owner_end(&o), 0);
    begin(&o, frames_setup("1;import os,struct;os.write(3,struct.pack('<IBBHII',8,1,0,0,1,1))"
                           ";os._exit(3)")); /* a greeting is no UP */
    assert_next(&o, "0 DOWN start exit 3: exit 3");
    assert_int_equal(owner_end(&o), 0);
    begin(&o, frames_setup("99"));
    assert_next(&o, "0 FAILED start: cannot start stage 'stage': python3 speaks another protocol "
                    "version (link it with the libfaymora-worker of this installation)");
    assert_next(&o, "0 DOWN start signal 9: cannot start stage 'stage': python3 speaks another "
                    "protocol version");
    assert_int_equal(owner_end(&o), 0);
}

/* ---- ends ----------------------------------------------------------------------------------- */

static void kill_ends_a_worker_in_any_mode(void **state)
{
    static const fay_mode_kind modes[] = {FAY_MODE_LINES, FAY_MODE_EXEC, FAY_MODE_BATCH};
    (void)state;
    for (size_t i = 0; i < FAY_COUNT(modes); i++) {
        owner o;
        begin_up(&o, say_setup(modes[i], TEXTS("sleep", "1000")));
        owner_lease(&o, 0, 0, TEXTS("a"));
        usleep(100000);
        owner_kill(&o, 0, 0);
        assert_next(&o, "0 DOWN signal signal 9: killed by signal 9 (Killed)");
        assert_int_equal(owner_end(&o), 0);
    }
}

static void nothing_is_left_when_the_owner_goes(void **state)
{
    (void)state;
    owner o;
    begin_up(
        &o, say_setup(FAY_MODE_LINES, SH("read a; setsid sleep 1000 & echo $!; sleep 1000 | cat")));
    pid_t worker = owner_worker_pid(&o);
    owner_lease(&o, 0, 0, TEXTS("a"));
    const char *said = owner_next(&o);
    assert_memory_equal(said, "0 RESULTS 0+1: ", 15);
    pid_t sleeper = (pid_t)strtol(said + 15, NULL, 10);
    assert_int_equal(owner_end(&o), 0);
    assert_true(gone(worker));
    assert_true(gone(sleeper));
}

static void a_stopped_instance_clears_away_too(void **state)
{
    (void)state;
    int ends[2];
    pid_t pids[2] = {0};
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t dying = fork();
    if (dying == 0) {
        owner o;
        begin_up(
            &o, say_setup(FAY_MODE_LINES, SH("read a; setsid sleep 1000 & echo $!; read b | cat")));
        owner_lease(&o, 0, 0, TEXTS("a"));
        pids[0] = o.pid;
        pids[1] = (pid_t)strtol(owner_next(&o) + 15, NULL, 10);
        (void)kill(o.pid, SIGSTOP);
        _exit(write(ends[1], pids, sizeof pids) < 0);
    }
    assert_int_equal(read(ends[0], pids, sizeof pids), sizeof pids);
    assert_int_equal(waitpid(dying, NULL, 0), dying);
    assert_true(pids[0] > 1 && pids[1] > 1);
    assert_true(gone(pids[0]));
    assert_true(gone(pids[1]));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void an_owner_without_sense_is_left(void **state)
{
    (void)state;
    owner o;
    begin_up(&o, say_setup(FAY_MODE_LINES, TEXTS("cat")));
    owner_send(&o, FAY_MESSAGE_UP, 0);
    assert_next(&o, "closed");
    assert_int_equal(owner_end(&o), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_work_and_retire),
        cmocka_unit_test(retiring_brings_buffered_answers),
        cmocka_unit_test(a_terminal_cures_buffering),
        cmocka_unit_test(deaths_of_lines_workers_are_told),
        cmocka_unit_test(a_lines_worker_that_prints_too_many_stops_the_run),
        cmocka_unit_test(a_line_without_end_is_cut_off),
        cmocka_unit_test(a_timeout_kills_the_whole_group),
        cmocka_unit_test(a_worker_that_ignores_everything_is_killed),
        cmocka_unit_test(the_owner_ends_workers),
        cmocka_unit_test(the_owner_ends_tries),
        cmocka_unit_test(a_kill_that_is_none_ends_the_link),
        cmocka_unit_test(a_worker_that_holds_too_much_is_killed),
        cmocka_unit_test(workers_are_recycled),
        cmocka_unit_test(exec_runs_a_process_an_item),
        cmocka_unit_test(exec_clocks_and_limits_are_verdicts),
        cmocka_unit_test(a_batch_has_the_timeout_for_each_item),
        cmocka_unit_test(large_output_is_held_in_a_file),
        cmocka_unit_test(exec_126_stops_the_run),
        cmocka_unit_test(programs_that_are_none_are_told_before_any_item),
        cmocka_unit_test(batches_succeed_or_break),
        cmocka_unit_test(json_workers_answer),
        cmocka_unit_test(frames_workers_answer),
        cmocka_unit_test(workers_that_do_not_speak_frames_are_told),
        cmocka_unit_test(kill_ends_a_worker_in_any_mode),
        cmocka_unit_test(nothing_is_left_when_the_owner_goes),
        cmocka_unit_test(a_stopped_instance_clears_away_too),
        cmocka_unit_test(an_owner_without_sense_is_left),
    };
    return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}
