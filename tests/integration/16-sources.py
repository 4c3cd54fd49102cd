#!/usr/bin/env python3
"""Where Items come from."""
import json
import os
import re
import signal
import socket
import subprocess

import faytest

CAT = "stages: [{name: same, run: [cat, -u], ordered: true}]"


class Sources(faytest.Case):
    def source(self, source, *args, more=CAT, **options):
        return faytest.pipeline(self, f"source: {source}\n{more}\n", "-q", *args, **options)

    def begin(self, source, *args, more=CAT, **options):
        self.write("live.yaml", f"faymora: 1\nsource: {source}\n{more}\n")
        return self.start("run", "live.yaml", "-q", "-o", "out", *args, **options)

    def out(self):
        return self.lines("out") if os.path.exists("out") else []

    def wait_for_out(self, expected, process):
        try:
            faytest.wait_for(lambda: sorted(self.out()) == sorted(expected)
                             or process.poll() is not None,
                             "the output", 30)
        finally:
            self.assertEqual(sorted(self.out()), sorted(expected), self.text_of(process))

    def interrupt(self, process, code=-signal.SIGINT):
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.assertEqual(done.code, code, done)
        self.assert_nothing_left()
        return done

    # ---- stdin -----------------------------------------------------------------------------------

    def test_stdin_pipe(self):
        process = self.begin("stdin", stdin=subprocess.PIPE)
        process.stdin.write(b"a\nb\nc")
        process.stdin.flush()
        self.wait_for_out(["a", "b"], process)
        process.stdin.close()
        self.assertEqual((self.finish(process).code, self.out()), (0, ["a", "b", "c"]))

    def test_stdin_file_from_where_it_stands(self):
        self.write("in", "skipped\na\nb\n")
        with open("in", "rb") as file:
            os.lseek(file.fileno(), 8, os.SEEK_SET)
            done = self.source("stdin", stdin=file)
        self.assertEqual((done.code, done.out), (0, "a\nb\n"), done)

    def test_input_flag(self):
        self.write("in", "a\n")
        self.assertEqual(self.source("{generate: {count: 9}}", "-a", "in").out, "a\n")
        self.assertEqual(self.source("{generate: {count: 9}}", "-a", "-", input="b\n").out, "b\n")
        done = self.source("stdin", "-a", "none")
        self.assertEqual((done.code, done.out), (7, ""), done)
        self.assertIn("none", done.err)

    def test_closed_stdin(self):
        done = self.run_faymora("run", "-q", "--", "cat", "-u", stdin=None,
                                preexec_fn=lambda: os.close(0))
        self.assertEqual((done.code, done.out), (7, ""), done)
        self.assertIn("cannot read the source", done.err)

    # ---- files -----------------------------------------------------------------------------------

    def test_files_and_patterns_in_order(self):
        os.mkdir("d")
        for name in "z", "d/2.txt", "d/10.txt", "d/x.log", "d/.hidden.txt":
            self.write(name, f"{name}\n")
        done = self.source('{file: [z, "d/*.txt", d/x.log]}')
        self.assertEqual((done.code, done.out.split()), (0, ["z", "d/10.txt", "d/2.txt",
                                                             "d/x.log"]), done)

    def test_a_file_without_a_last_newline_does_not_run_into_the_next(self):
        self.write("a", "1")
        self.write("b", "")
        self.write("c", "2\n")
        self.assertEqual(self.source("{file: [a, b, c]}").out, "1\n2\n")

    def test_files_that_are_not_there(self):
        self.write("a", "1\n")
        done = self.source("{file: [a, none]}")
        self.assertEqual(done.code, 7, done)
        self.assertRegex(done.err, "none.*No such file")
        done = self.source('{file: "none*"}')
        self.assertEqual((done.code, done.out), (7, ""), done)
        self.assertIn("none*", done.err)
        os.mkdir("dir")
        self.assertEqual(self.source("{file: dir}").code, 7)

    def test_follow(self):
        self.write("log", "a\n")
        process = self.begin("{file: log, follow: true}")
        self.wait_for_out(["a"], process)
        with open("log", "a") as log:
            log.write("b\nc")
            log.flush()
            self.wait_for_out(["a", "b"], process)
            log.write("d\n")
        self.wait_for_out(["a", "b", "cd"], process)
        self.interrupt(process)

    # ---- directories -----------------------------------------------------------------------------

    def test_directory(self):
        os.mkdir("spool")
        self.write("spool/old.jpg", "x")
        self.write("spool/no.txt", "x")
        process = self.begin('{dir: spool, glob: "*.jpg"}')
        self.wait_for_out(["spool/old.jpg"], process)
        self.write("spool/new.jpg", "x")
        self.write("spool/new.txt", "x")
        self.write("elsewhere", "x")
        os.rename("elsewhere", "spool/moved in.jpg")
        self.wait_for_out(["spool/old.jpg", "spool/new.jpg", "spool/moved in.jpg"], process)
        self.interrupt(process)
        self.assertEqual(len(os.listdir("spool")), 5)

    def test_directory_follows_symlinks_to_files(self):
        """Those that are there, those that appear; of all else in a directory there is no Item."""
        os.mkdir("spool")
        os.mkdir("spool/sub")
        self.write("spool/sub/deep", "x")
        self.write("target", "x")
        os.symlink("../target", "spool/a")
        os.symlink("sub", "spool/to-directory")
        os.symlink(".", "spool/to-itself")
        os.symlink("loop", "spool/loop")
        os.symlink("none", "spool/dangling")
        os.mkfifo("spool/fifo")
        os.symlink("fifo", "spool/to-fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("spool/socket")
        self.write("spool/z", "x")
        process = self.begin("{dir: spool}")
        self.wait_for_out(["spool/a", "spool/z"], process)
        os.symlink("../target", "spool/b")
        os.symlink("sub", "spool/to-directory-too")
        os.symlink("none", "spool/dangling-too")
        with open("spool/c", "w") as file:  # seen when it is made, given when it is whole
            os.symlink(self.work / "target", "spool/d")
            self.wait_for_out(["spool/a", "spool/z", "spool/b", "spool/d"], process)
            file.write("x")
        self.wait_for_out(["spool/a", "spool/z", "spool/b", "spool/d", "spool/c"], process)
        self.interrupt(process)
        self.assertEqual(len(self.out()), 5)

    def test_directory_after_a_symlink(self):
        """What is deleted, or moved, is the link."""
        self.write("target", "x")
        for after in "delete", "move, move_to: done":
            with self.subTest(after=after):
                os.makedirs("spool", exist_ok=True)
                os.symlink(self.work / "target", "spool/a")
                process = self.begin("{dir: spool, after: %s}" % after)
                faytest.wait_for(lambda: not os.listdir("spool"), "the link to go")
                self.interrupt(process)
                self.assertEqual((self.out(), self.read("target")), (["spool/a"], "x"))
        self.assertEqual(os.readlink("done/a"), str(self.work / "target"))

    def test_directory_delete(self):
        os.mkdir("spool")
        for i in range(20):
            self.write(f"spool/{i}", "x")
        process = self.begin("{dir: spool, after: delete}")
        faytest.wait_for(lambda: not os.listdir("spool"), "the files to go")
        self.assertEqual(len(self.out()), 20)
        self.write("spool/late", "x")
        faytest.wait_for(lambda: not os.listdir("spool"), "the late file to go")
        self.wait_for_out([*(f"spool/{i}" for i in range(20)), "spool/late"], process)
        self.interrupt(process)

    def test_directory_move(self):
        os.mkdir("spool")
        self.write("spool/a", "x")
        process = self.begin("{dir: spool, after: move, move_to: done}")
        faytest.wait_for(lambda: os.path.exists("done/a") or process.poll() is not None,
                         "the file to move")
        self.assertEqual((process.poll(), os.listdir("spool")), (None, []), self.text_of(process))
        self.wait_for_out(["spool/a"], process)
        self.interrupt(process)

    def test_a_file_that_failed_stays(self):
        os.mkdir("spool")
        self.write("spool/bad", "x")
        self.write("spool/good", "x")
        process = self.begin("{dir: spool, after: delete}", "--dead-letter", "dead", more="""
stages: [{name: s, run: [sh, -c, '[ $1 != spool/bad ] || exit 65', -, "{}"]}]""")
        faytest.wait_for(lambda: not os.path.exists("spool/good") and os.path.exists("dead"),
                         "both")
        self.interrupt(process)
        self.assertEqual(json.loads(self.read("dead"))["item"], "spool/bad")

    def test_a_directory_that_is_not_there(self):
        done = self.source("{dir: none}")
        self.assertEqual(done.code, 7, done)
        self.assertIn("none", done.err)

    # ---- commands, sockets, made-up --------------------------------------------------------------

    def test_exec(self):
        done = self.source('{exec: [sh, -c, "seq 3; printf last"]}')
        self.assertEqual((done.code, done.out), (0, "1\n2\n3\nlast\n"), done)

    def test_exec_that_fails(self):
        done = self.source('{exec: [sh, -c, "echo a; exit 4"]}')
        self.assertEqual((done.code, done.out), (7, "a\n"), done)
        self.assertIn("exit code 4", done.err)
        done = self.source("{exec: [./none]}")
        self.assertEqual(done.code, 7, done)
        self.assertIn("./none", done.err)

    def test_exec_restart(self):
        script = "echo x >>starts; wc -l <starts; [ $(wc -l <starts) -ge 3 ]"
        done = self.source(f'{{exec: [sh, -c, "{script}"], restart: on-failure}}')
        self.assertEqual((done.code, done.out.split()), (0, ["1", "2", "3"]), done)

    def test_listen_unix(self):
        process = self.begin('{listen: "unix:in.sock"}')
        faytest.wait_for(lambda: os.path.exists("in.sock") or process.poll() is not None,
                         "the socket")
        for text in b"a\nb\n", b"c\nd":
            with socket.socket(socket.AF_UNIX) as client:
                faytest.wait_for(lambda c=client: c.connect_ex("in.sock") == 0, "the connection")
                client.sendall(text)
        self.wait_for_out(["a", "b", "c", "d"], process)
        self.interrupt(process)
        self.assertFalse(os.path.exists("in.sock"))

    def test_listen_where_a_file_is(self):
        self.write("data", "mine\n")
        done = self.source('{listen: "unix:data"}')
        self.assertEqual(done.code, 7, done)
        self.assertIn("cannot listen on unix:data: what is there is no socket", done.err)
        self.assertIn("hint:", done.err)
        self.assertEqual(self.read("data"), "mine\n")

    def free_port(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def test_listen_tcp(self):
        port = self.free_port()
        process = self.begin(f'{{listen: "tcp:127.0.0.1:{port}"}}')
        clients = [socket.socket() for _ in range(3)]
        for number, client in enumerate(clients):
            faytest.wait_for(lambda c=client: c.connect_ex(("127.0.0.1", port)) == 0,
                             "the connection")
            client.sendall(b"part %d" % number)
        for number, client in enumerate(clients):
            client.sendall(b" and %d\n" % number)
            client.close()
        self.wait_for_out([f"part {i} and {i}" for i in range(3)], process)
        self.interrupt(process)

    def test_listen_is_for_this_machine(self):
        done = self.source('{listen: "tcp:0.0.0.0:7000"}')
        self.assertEqual(done.code, 2, done)
        self.assertRegex(done.err, r"p0.yaml:2:\d+: error: .*this machine")

    def test_generate(self):
        done = self.source("{generate: {count: 5, size: 10}}")
        items = done.out.split("\n")[:-1]
        self.assertEqual((done.code, len(items), {len(i) for i in items}), (0, 5, {10}), done)
        self.assertEqual(self.source("{generate: {count: 5, size: 10}}").out, done.out,
                         "not the same again")
        done = self.source("{generate: {count: 0}}", "--set", "source.generate.count=2")
        self.assertEqual((done.code, done.out.count("\n")), (0, 2), done)

    def test_generate_with_a_rate(self):
        # 200 a second for 30 Items: no time is asserted, only that they come and end
        done = self.source("{generate: {count: 30, rate: 200, size: 4}}")
        self.assertEqual((done.code, done.out.count("\n")), (0, 30), done)

    def test_generate_with_a_rate_that_changes(self):
        rate = "[{for: 100ms, rate: 100}, {for: 200ms, rate: 100, to: 500}, {for: 1ms, rate: 0}]"
        done = self.source("{generate: {rate: %s, size: 4}}" % rate)
        self.assertEqual((done.code, done.out.count("\n")), (0, 70), done)
        done = self.source("{generate: {rate: [{rate: 5, to: 6}], size: 4}}")
        self.assertEqual(done.code, 2, done)
        self.assertIn("a piece of 'rate' in 'generate' of 'source' has 'to' but not", done.err)

    def test_generate_pauses(self):
        done = self.source("{generate: {rate: [{for: 50ms, rate: 0}]}}")
        self.assertEqual((done.code, done.out), (0, ""), done)
        began = faytest.time.monotonic()
        done = self.source("{generate: {rate: [{for: 400ms, rate: 0}, {for: 10ms, rate: 200}]}}")
        self.assertEqual((done.code, done.out.count("\n")), (0, 2), done)
        self.assertGreater(faytest.time.monotonic() - began, 0.4, "the pause was left out")
        done = self.run_faymora("plan", self.write("p.yaml", "faymora: 1\nstages: [{run: [cat]}]\n"
                                "source: {generate: {rate: [{for: 1s, rate: 0}]}}\n"))
        self.assertIn("0 generated Items", done.out, done)
        self.assertNotIn("does not end by itself", done.out, done)

    def test_generate_without_end(self):
        process = self.begin("{generate: {size: 4}}")
        faytest.wait_for(lambda: len(self.out()) > 100, "some Items")
        process.send_signal(signal.SIGTERM)
        done = self.finish(process)
        self.assertEqual(done.code, -signal.SIGTERM, done)

    def test_drain_finishes_what_is_in_flight(self):
        process = self.start("run", "-o", "out", "--", "cat", "-u", stdin=subprocess.PIPE)
        process.stdin.write(b"x\n" * 1000)
        process.stdin.flush()
        faytest.wait_for(lambda: len(self.out()) > 0, "some output")
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        process.stdin.close()
        self.assertEqual(done.code, -signal.SIGINT, done)
        counted = re.search(r"run \w+: (.*) in · (.*) out · 0 dead( · (.*) not done)?", done.err)
        read, out, left = (int((counted[n] or "0").replace(",", "")) for n in (1, 2, 4))
        self.assertEqual((out, read), (len(self.out()), out + left), done)


if __name__ == "__main__":
    faytest.main()
