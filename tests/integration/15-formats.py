#!/usr/bin/env python3
"""How Items lie in sources and sinks."""
import json
import os

import faytest


def msgpack(value):
    """As much of it as is needed here."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return bytes([value]) if 0 <= value < 128 else b"\xd3" + value.to_bytes(8, "big",
                                                                                signed=True)
    if isinstance(value, bytes):
        return b"\xc6" + len(value).to_bytes(4, "big") + value
    if isinstance(value, str):
        return b"\xdb" + len(value.encode()).to_bytes(4, "big") + value.encode()
    if isinstance(value, list):
        return bytes([0x90 + len(value)]) + b"".join(map(msgpack, value))
    return bytes([0x80 + len(value)]) + b"".join(msgpack(k) + msgpack(v) for k, v in value.items())


def netstring(data):
    return b"%d:%s," % (len(data), data)


def u32be(data):
    return len(data).to_bytes(4, "big") + data


class Formats(faytest.Case):
    def through(self, coded, source="lines", sink=None, more="", code=0):
        """What comes out behind a worker that changes nothing and keeps all bytes."""
        text = f"""
            source: {{stdin: true, format: {source}{more}}}
            stages:
              - {{name: same, run: [cat], mode: batch, format: netstring, batch: {{items: 1}},
                 workers: 1}}
            sink: {{stdout: true, format: {sink or source}}}
            dead_letter: {{file: dead}}
            """
        if os.path.exists("dead"):
            os.unlink("dead")
        done = faytest.pipeline(self, text, "-q", "--keep-order", "-o", "out", input=coded)
        self.assertEqual(done.code, code, done)
        return (self.work / "out").read_bytes() if code < 2 else done

    def test_an_object_without_attributes_is_told(self):
        """Too deep for attributes, or no JSON at all: an Item all the same, and one warning."""
        deep = '{"kind":"jpg","x":' + "[" * 100 + "]" * 100 + "}"
        self.write("in", f"plain text\n{deep}\n{deep}\n")
        self.write("p.yaml", """
faymora: 1
format: jsonl
source: {file: in}
stages:
  - {name: pic, when: 'kind == "jpg"', run: [sed, "s/.*/PIC/"]}
  - {name: other, input: source, when: else, run: [sed, "s/.*/OTHER/"]}
sink: {file: out}
""")
        done = self.run_faymora("run", "p.yaml")
        self.assertEqual((done.code, self.lines("out")), (0, ["OTHER"] * 3), done)
        self.assertEqual(done.err.count("source.attributes"), 1, done)
        self.assertIn("byte=11", done.err)

    def test_each_as_it_came(self):
        for name, coded in (("lines", b"a\n\nb \xff\n"), ("nul", b"a\0\0b\n\0"),
                            ("netstring", b"".join(map(netstring, (b"a", b"", b"b\n\0,")))),
                            ("u32be", b"".join(map(u32be, (b"a", b"", b"b\n\0" * 1000)))),
                            ("jsonl", b'{"a":1}\n[1,2]\n"x"\nnull\n1.5\n')):
            with self.subTest(name):
                self.assertEqual(self.through(coded, name), coded)

    def test_from_one_to_another(self):
        items = [b"a", b"", b"b c", b"\xff"]
        coded = {"lines": b"".join(i + b"\n" for i in items),
                 "nul": b"".join(i + b"\0" for i in items),
                 "netstring": b"".join(map(netstring, items)), "u32be": b"".join(map(u32be, items))}
        for source in coded:
            for sink in coded:
                with self.subTest(source=source, sink=sink):
                    self.assertEqual(self.through(coded[source], source, sink), coded[sink])

    def test_last_one_without_an_end(self):
        self.assertEqual(self.through(b"a\nb"), b"a\nb\n")
        self.assertEqual(self.through(b"a\0b", "nul"), b"a\0b\0")
        self.assertEqual(self.through(b"", "lines"), b"")
        self.assertEqual(self.through(b"\n", "lines"), b"\n")

    def test_crlf(self):
        self.assertEqual(self.through(b"a\r\nb\nc\r\rd\r\n\r\n"), b"a\r\nb\nc\r\rd\r\n\r\n")
        self.assertEqual(self.through(b"a\r\nb\nc\r\rd\r\n\r\n", more=", crlf: strip"),
                         b"a\nb\nc\r\rd\n\n")
        self.assertEqual(self.through(b"a\r\nb\r", more=", crlf: strip"), b"a\nb\n")

    def test_null_flag(self):
        done = self.run_faymora("run", "-q", "-0", "--keep-order", "--", "echo", "<{}>",
                                input="a\nb\0c\0")
        self.assertEqual((done.code, done.out), (0, "<a\nb>\n<c>\n"), done)

    def test_jsonl_members_are_attributes(self):
        done = faytest.pipeline(self, """
            format: jsonl
            stages:
              - {name: a, run: [printf, '{"n":%s,"s":"%s","d":"%s"}', "{@n}", "{@s}", "{.m.d}"]}
            """, "-q", "--keep-order", input='{"n":1,"s":"x","m":{"d":"deep"}}\n')
        self.assertEqual((done.code, done.out), (0, '{"n":1,"s":"x","d":"deep"}\n'), done)

    def test_a_line_that_is_no_json_is_a_text(self):
        text = b'{"a":1}\n{"a":\n\nno json\n'
        self.assertEqual(self.through(text, "jsonl"), text)
        done = faytest.pipeline(self, """
            format: jsonl
            stages: [{name: a, run: [echo, "<{}><{@a}>"]}]
            """, "-q", "--keep-order", input='{"a":1}\n{"a":\n')
        self.assertEqual((done.code, done.out), (0, '<{"a":1}><1>\n<{"a":><>\n'), done)
        done = faytest.pipeline(self, '''
            format: jsonl
            stages:
              - {name: one, run: [printf, 'one %s', "{}"], when: a == 1}
              - {name: rest, run: [printf, 'rest %s', "{}"], when: else, input: source}
            ''', "-q", input='{"a":1}\nno json\n')
        self.assertEqual((done.code, sorted(done.out.split("\n"))),
                         (0, ["", "one {\"a\":1}", "rest no json"]), done)
        self.write("w.py", "import json, sys\nfor line in sys.stdin:\n    r = json.loads(line)\n"
                   "    emit = [type(r['item']).__name__, str(r['attrs'].get('a'))]\n"
                   "    print(json.dumps({'id': r['id'], 'emit': emit}), flush=True)\n")
        done = faytest.pipeline(self, '''
            format: jsonl
            stages: [{name: a, run: [python3, w.py], mode: json}]
            ''', "-q", "--keep-order", input='{"a":1}\nno json\n')
        self.assertEqual((done.code, done.out.split()), (0, ["dict", "1", "str", "None"]), done)

    def test_msgpack(self):
        values = [{"n": 1, "s": "x", "l": [1, None, True]}, {"big": 2**40}]
        done = faytest.pipeline(self, """
            source: {stdin: true, format: msgpack}
            stages: [{name: a, run: [python3, -c, "%s"], mode: json}]
            """ % SHOW, "-q", "--keep-order", input=b"".join(map(msgpack, values)))
        self.assertEqual(done.code, 0, done)
        self.assertEqual([json.loads(line) for line in done.out.split("\n")[:-1]], values)

    def test_msgpack_at_both_ends(self):
        for value in ({"n": 1, "s": "x"}, "text", b"by\0tes"):
            with self.subTest(value=value):
                coded = msgpack(value)
                done = faytest.pipeline(self, f"""
                    format: msgpack
                    stages: [{{name: a, run: [python3, -c, "{SAME}"], mode: json}}]
                    """, "-q", "-o", "out", input=coded)
                self.assertEqual(done.code, 0, done)
                out = (self.work / "out").read_bytes()
                self.assertGreater(len(out), 0)
                again = faytest.pipeline(self, f"""
                    source: {{stdin: true, format: msgpack}}
                    stages: [{{name: a, run: [python3, -c, "{SAME}"], mode: json}}]
                    sink: {{stdout: true, format: netstring}}
                    """, "-q", "-o", "again", input=out)
                first = faytest.pipeline(self, f"""
                    source: {{stdin: true, format: msgpack}}
                    stages: [{{name: a, run: [python3, -c, "{SAME}"], mode: json}}]
                    sink: {{stdout: true, format: netstring}}
                    """, "-q", "-o", "first", input=coded)
                self.assertEqual((again.code, first.code), (0, 0), again)
                self.assertEqual((self.work / "again").read_bytes(),
                                 (self.work / "first").read_bytes())

    def test_broken_input_ends_the_run(self):
        for name, coded in (("netstring", b"1:a,x"), ("netstring", b"5:abc"),
                            ("u32be", b"\0\0\0\5abc"),
                            ("msgpack", b"\x81\xa1")):
            with self.subTest(name, coded=coded):
                done = self.through(coded, name, "netstring", code=7)
                self.assertRegex(done.err, "(?i)error: .*" + name)

    def test_max_item(self):
        text = """
            stages: [{name: same, run: [cat, -u], max_item: 10}]
            dead_letter: {file: dead}
            """
        done = faytest.pipeline(self, text, "-q", "--keep-order",
                                input="0123456789\n01234567890\nx\n")
        self.assertEqual((done.code, done.out), (7, "0123456789\n"), done)
        self.assertRegex(done.err, r"stdin: .*byte 11 .*10B \(max_item\)")

    def test_result_above_max_item(self):
        done = faytest.pipeline(self, """
            stages: [{name: big, run: [seq, -s, ' ', "{}"], max_item: 100}]
            dead_letter: {file: dead}
            """, "-q", input="5\n1000\n6\n")
        self.assertEqual((done.code, sorted(done.out.split("\n"))),
                         (1, ["", "1 2 3 4 5", "1 2 3 4 5 6"]), done)
        letter = json.loads(self.read("dead"))
        self.assertEqual((letter["item"], letter["attempts"]), ("1000", 1))
        self.assertIn("max_item", letter["error"])

    def test_a_sink_that_cannot_say_an_item(self):
        coded = netstring(b"fine") + netstring(b"two\nlines")
        out = self.through(coded, "netstring", "lines", code=1)
        self.assertEqual(out, b"fine\n")
        self.assertEqual(json.loads(self.read("dead"))["item"], "two\nlines")


READ = ("import sys,json\\nfor l in sys.stdin:\\n r=json.loads(l)\\n "
        "a={k:v for k,v in r['attrs'].items() if k[:4]!='fay.'}\\n ")
SAME = READ + ("print(json.dumps({'id':r['id'],'emit':[{'item':r['item'],'attrs':a}]}),"
               "flush=True)")
SHOW = READ + "print(json.dumps({'id':r['id'],'emit':[a]}),flush=True)"


if __name__ == "__main__":
    faytest.main()
