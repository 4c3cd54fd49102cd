#!/usr/bin/env python3
"""How attributes travel: members of jsonl Items, through each mode, inherited or set."""
import json
import os

import faytest

HEAD = """
import json, sys
def requests():
    for line in sys.stdin:
        yield json.loads(line)
def own(request):
    return {k: v for k, v in request["attrs"].items() if not k.startswith("fay.")}
def reply(request, *emit):
    print(json.dumps({"id": request["id"], "emit": list(emit)}), flush=True)
"""
SHOW = """
for r in requests():
    reply(r, json.dumps({"item": r["item"], "seen": own(r)}))
"""
ATTRS = {"n": 1, "f": 0.5, "s": "a \"q\" é", "t": True, "z": None, "l": [1, ["x"]],
         "m": {"k": {"d": 2}}}


class Attributes(faytest.Case):
    def through(self, *stages, item=ATTRS, text="x"):
        """What a json worker behind these stages sees of one jsonl Item: [(item, attributes)]."""
        self.write("show.py", HEAD + SHOW)
        done = faytest.pipeline(self, "source: {stdin: true, format: jsonl}\nstages:\n"
                                + "".join(f"  - {s}\n" for s in stages)
                                + "  - {name: show, run: [python3, show.py], mode: json}\n",
                                "-q", "--keep-order", input=json.dumps(item) + "\n")
        self.assertEqual(done.code, 0, done)
        said = [json.loads(line) for line in done.out.split("\n")[:-1]]
        return [(s["item"], s["seen"]) for s in said]

    def test_members_of_the_source(self):
        (item, seen), = self.through()
        self.assertEqual((json.loads(item), seen), (ATTRS, ATTRS))

    def test_exec_inherits(self):
        stage = "{name: e, run: [printf, 'got %s\\n%s\\n', '{@s}', '{@m}']}"
        (item, seen), (_, again) = self.through(stage)
        self.assertEqual((item, seen, again), ('got a "q" é', ATTRS, ATTRS))

    def test_exec_whole_inherits(self):
        (item, seen), = self.through("{name: e, run: [printf, 'a\\nb', '{id}'], emit: whole}")
        self.assertEqual((item, seen), ("a\nb", ATTRS))

    def test_lines_inherit(self):
        (item, seen), = self.through("{name: l, run: [sed, 's/.*/line/']}")
        self.assertEqual((item, seen), ("line", ATTRS))

    def test_batch_inherits_from_the_first(self):
        (item, seen), = self.through("{name: b, run: [sed, 's/.*/batch/'], mode: batch}")
        self.assertEqual((item, seen), ("batch", ATTRS))

    def test_json_has_what_the_worker_sets(self):
        self.write("set.py", HEAD + """
for r in requests():
    reply(r, "none", {"item": "some", "attrs": {"a": [1, {"b": None}], "n": 2}},
          {"item": "empty", "attrs": {}}, {"item": "kept", "attrs": own(r)})
""")
        self.assertEqual(self.through("{name: j, run: [python3, set.py], mode: json}"),
                         [("none", {}), ("some", {"a": [1, {"b": None}], "n": 2}), ("empty", {}),
                          ("kept", ATTRS)])

    def test_frames_have_what_the_worker_sets(self):
        program = faytest.tool("feat_class", sdk=True)
        self.assertEqual(self.through(f"{{name: f, run: [{program}], mode: frames}}"),
                         [(json.dumps(ATTRS), {})])
        item = {"do": "set", "n": 1}
        made, copy = self.through(f"{{name: f, run: [{program}], mode: frames}}", item=item)
        self.assertEqual((made[0], copy), ("made", (json.dumps(item), item)))
        self.assertEqual(sorted(made[1]), ["b", "f", "i", "j", "s", "y"])

    def test_fay_is_not_for_workers_to_set(self):
        self.write("set.py", HEAD + """
for r in requests():
    reply(r, {"item": "x", "attrs": {"fay.id": "99", "fay.mine": 1, "ok": 1}})
""")
        self.write("show.py", HEAD + SHOW)
        done = faytest.pipeline(self, """
            stages:
              - {name: j, run: [python3, set.py], mode: json}
              - {name: e, run: [sh, -c, 'echo "$FAYMORA_ITEM_ATTRS $FAYMORA_ID"', "{}"]}
            dead_letter: {file: dead}
            """, "-q", "--retries", "0", input="x\n")
        if done.code == 0:
            attrs, id_ = done.out.rsplit(" ", 1)
            self.assertEqual((json.loads(attrs), id_), ({"ok": 1}, "0.0\n"))
        else:
            self.assertIn("fay.", json.loads(self.read("dead"))["error"])

    def test_exec_sees_them(self):
        done = faytest.pipeline(self, """
            source: {stdin: true, format: jsonl}
            stages: [{name: e, run: [sh, -c, 'echo "$1|$2|$3|$4"; echo "$FAYMORA_ITEM_ATTRS"', -,
                                     "{@n}", "{.m.k.d}", "{@l}", "<{@none}>"]}]
            """, "-q", input=json.dumps(ATTRS) + "\n")
        first, second = done.out.split("\n")[:-1]
        self.assertEqual((first, json.loads(second)), ('1|2|[1,["x"]]|<>', ATTRS), done)

    def test_they_are_in_dead_letters_and_come_back_from_them(self):
        text = """
            name: p
            source: {stdin: true, format: jsonl}
            stages:
              - {name: a, run: [sed, 's/.*/changed/']}
              - name: b
                run: [sh, -c, '[ -e fixed ] && echo "$1 $FAYMORA_ITEM_ATTRS" || exit 65', -, "{}"]
            dead_letter: {file: dead}
            """
        done = faytest.pipeline(self, text, "-q", input=json.dumps(ATTRS) + "\n")
        letter = json.loads(self.read("dead"))
        self.assertEqual((done.code, letter["item"], letter["attrs"], letter["stage"]),
                         (1, "changed", ATTRS, "b"), done)
        self.write("fixed", "")
        done = self.run_faymora("dead", "retry", "-q", "dead")
        self.assertEqual((done.code, done.out.split(" ", 1)[0]), (0, "changed"), done)
        self.assertEqual(json.loads(done.out.split(" ", 1)[1]), ATTRS)

    def test_fan_out_copies_have_the_same(self):
        self.write("show.py", HEAD + SHOW)
        done = faytest.pipeline(self, """
            source: {stdin: true, format: jsonl}
            stages:
              - {name: a, run: [sed, 's/.*/a/'], input: source}
              - {name: b, run: [sed, 's/.*/b/'], input: source}
              - {name: show, run: [python3, show.py], mode: json, input: [a, b]}
            """, "-q", input='{"n":1}\n')
        said = sorted((s["item"], s["seen"]) for s in map(json.loads, done.out.split("\n")[:-1]))
        self.assertEqual(said, [("a", {"n": 1}), ("b", {"n": 1})], done)

    def test_many_and_deep_ones(self):
        wide = {f"name{i}": i for i in range(3000)}
        (_, seen), = self.through(item=wide)
        self.assertEqual(seen, wide)

    def test_jsonl_sink_writes_the_payload(self):
        done = faytest.pipeline(self, """
            format: jsonl
            stages: [{name: a, run: [cat, -u]}]
            """, "-q", input='{"n":1}\n')
        self.assertEqual((done.code, done.out), (0, '{"n":1}\n'), done)


if __name__ == "__main__":
    faytest.main()
