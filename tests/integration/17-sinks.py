#!/usr/bin/env python3
"""Where results go."""
import os
import signal
import socket
import subprocess

import faytest


class Sinks(faytest.Case):
    def sink(self, sink, *args, text="a\nb\nc\n", **more):
        return faytest.pipeline(self, f"""
            stages: [{{name: same, run: [cat, -u], ordered: true}}]
            sink: {sink}
            """, "-q", *args, input=text, **more)

    def test_stdout(self):
        for sink in "stdout", "{stdout: true}":
            done = self.sink(sink)
            self.assertEqual((done.code, done.out), (0, "a\nb\nc\n"), done)

    def test_output_flag(self):
        done = self.sink("stdout", "-o", "out")
        self.assertEqual((done.code, done.out, self.read("out")), (0, "", "a\nb\nc\n"), done)
        done = self.sink("{file: other}", "-o", "-")
        self.assertEqual((done.out, os.path.exists("other")), ("a\nb\nc\n", False), done)

    def test_stdout_that_appends(self):
        self.write("out", "before\n")
        with open("out", "ab") as out:
            self.assertEqual(self.sink("stdout", stdout=out).code, 0)
        self.assertEqual(self.read("out"), "before\na\nb\nc\n")

    def test_closed_stdout_ends_the_run_like_cat(self):
        process = self.start("run", "-q", "--", "cat", "-u", stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
        process.stdout.close()
        try:
            while process.poll() is None:
                process.stdin.write(b"x\n" * 1000)
                process.stdin.flush()
        except BrokenPipeError:
            pass
        process.stdin = None
        done = self.finish(process)
        self.assertEqual((done.code, done.err), (-signal.SIGPIPE, ""), done)
        self.assert_nothing_left()

    def test_file(self):
        self.write("out", "old and long enough to be seen\n")
        for sync in "end", "batch", "item":
            with self.subTest(sync):
                done = self.sink(f"{{file: out, sync: {sync}}}")
                self.assertEqual((done.code, done.out, self.read("out")), (0, "", "a\nb\nc\n"),
                                 done)

    def test_append(self):
        self.write("out", "before\n")
        self.sink("{file: out, append: true}")
        done = self.sink("{file: out, append: true}")
        self.assertEqual((done.code, self.read("out")), (0, "before\n" + 2 * "a\nb\nc\n"), done)

    def test_files_that_cannot_be(self):
        done = self.sink("{file: none/out}")
        self.assertEqual(done.code, 7, done)
        self.assertIn("none/out", done.err)
        os.mkdir("dir")
        self.assertEqual(self.sink("{file: dir}").code, 7)

    def test_full(self):
        done = self.sink("{file: /dev/full}", text="x\n" * 100000)
        self.assertEqual(done.code, 7, done)
        self.assertIn("No space left", done.err)
        self.assert_nothing_left()

    def test_rotate_by_bytes(self):
        items = [f"{i:06}" for i in range(100000)]
        done = self.sink("{file: out, rotate: {bytes: 64KiB}}",
                         text="".join(i + "\n" for i in items))
        self.assertEqual(done.code, 0, done)
        files = [f"out.{n + 1}" for n in range(sum(name.startswith("out.")
                                                   for name in os.listdir()))]
        self.assertGreaterEqual(len(files), 2)
        self.assertGreaterEqual(min(os.path.getsize(name) for name in files), 64 * 1024)
        self.assertEqual("".join(map(self.read, [*files, "out"])).split("\n"), [*items, ""])

    def test_exec(self):
        done = self.sink('{exec: [sh, -c, "cat >got; echo done >>got"]}')
        self.assertEqual((done.code, done.out, self.read("got")), (0, "", "a\nb\nc\ndone\n"), done)

    def test_exec_prints_to_our_stdout(self):
        done = self.sink('{exec: [tr, a-z, A-Z]}')
        self.assertEqual((done.code, done.out), (0, "A\nB\nC\n"), done)

    def test_exec_that_fails(self):
        done = self.sink('{exec: [sh, -c, "cat >/dev/null; exit 4"]}')
        self.assertEqual(done.code, 7, done)
        self.assertIn("exit code 4", done.err)
        done = self.sink("{exec: [./none]}")
        self.assertEqual(done.code, 7, done)
        self.assertIn("./none", done.err)

    def test_exec_that_does_not_read(self):
        done = self.sink('{exec: ["true"]}', text="x\n" * 1000000)
        self.assertEqual(done.code, 7, done)
        self.assertRegex(done.err, "sink command 'true' (has closed its input|ended)")
        self.assert_nothing_left()

    def listen(self, address, connect):
        self.write("live.yaml", f"""faymora: 1
stages: [{{name: same, run: [cat, -u], ordered: true}}]
sink: {{listen: "{address}"}}
""")
        self.write("in", "a\nb\nc\n")
        with open("in", "rb") as file:
            process = self.start("run", "live.yaml", "-q", stdin=file)
        with socket.socket(socket.AF_UNIX
                           if address.startswith("unix") else socket.AF_INET) as client:
            faytest.wait_for(lambda: client.connect_ex(connect) == 0 or process.poll() is not None,
                             "the connection")
            got = b""
            client.settimeout(60)
            while data := client.recv(100):
                got += data
        done = self.finish(process)
        self.assertEqual((done.code, got), (0, b"a\nb\nc\n"), done)

    def test_listen_unix(self):
        self.listen("unix:out.sock", "out.sock")
        self.assertFalse(os.path.exists("out.sock"))

    def test_listen_where_a_file_is(self):
        self.write("data", "mine\n")
        done = self.sink('{listen: "unix:data"}')
        self.assertEqual(done.code, 7, done)
        self.assertIn("cannot listen on unix:data: what is there is no socket", done.err)
        self.assertIn("hint:", done.err)
        self.assertEqual(self.read("data"), "mine\n")

    def test_listen_tcp(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.listen(f"tcp:127.0.0.1:{port}", ("127.0.0.1", port))

    def test_null(self):
        for sink in "null", "~":
            with self.subTest(sink):
                done = faytest.pipeline(self, f"stages: [{{run: [cat, -u]}}]\nsink: {sink}\n",
                                        input="a\nb\n")
                self.assertEqual((done.code, done.out), (0, ""), done)
                self.assertIn("2 in · 2 out · 0 dead", done.err)


if __name__ == "__main__":
    faytest.main()
