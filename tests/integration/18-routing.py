#!/usr/bin/env python3
"""Which stage an Item goes to: copies, merges, `when`."""
import faytest

def stage(name, **fields):
    """A stage that prints its name and the Item's id before the Item."""
    more = "".join(f", {'input' if k == 'of' else k}: {v}" for k, v in fields.items())
    return f"  - {{name: {name}, run: [echo, '{name} {{id}} {{}}']{more}}}\n"


class Routing(faytest.Case):
    def route(self, *stages, text="x\n", more="", code=0):
        done = faytest.pipeline(self, more + "\nstages:\n" + "".join(stages), "-q", input=text)
        self.assertEqual(done.code, code, done)
        return sorted(done.out.split("\n")[:-1]) if code == 0 else done

    def kinds(self, *stages, kinds="ab"):
        return self.route(*stages, text="".join(f'{{"k":"{k}","n":{n}}}\n' for n,
                                                k in enumerate(kinds)),
                          more="source: {stdin: true, format: jsonl}")

    def names(self, lines):
        """The stages an Item went through, last first, and its kind."""
        return sorted(" ".join(w for w in line.split('{"')[0].split() if not w[0].isdigit())
                      + " " + line.split('"k":"')[1][0] for line in lines)

    def test_linear(self):
        self.assertEqual(self.route(stage("a"), stage("b"), text="x\ny\n"),
                         ["b 0.0 a 0 x", "b 1.0 a 1 y"])

    def test_two_stages_with_one_input_get_copies(self):
        self.assertEqual(self.route(stage("a", of="source"), stage("b", of="source")),
                         ["a 0.0 x", "b 0.1 x"])
        self.assertEqual(self.route(stage("a"), stage("b", of="a"), stage("c", of="a"),
                                    stage("d", of="a")),
                         ["b 0.0.0 a 0 x", "c 0.0.1 a 0 x", "d 0.0.2 a 0 x"])

    def test_merge(self):
        lines = self.route(stage("a", of="source"), stage("b", of="source"),
                           stage("m", of="[a, b]"))
        self.assertEqual(lines, ["m 0.0.0 a 0.0 x", "m 0.1.0 b 0.1 x"])

    def test_merge_of_source_and_stage(self):
        lines = self.route(stage("a", of="source"), stage("m", of="[source, a]"))
        self.assertEqual(lines, ["m 0.0.0 a 0.0 x", "m 0.1 x"])

    def test_diamond_in_a_diamond(self):
        lines = self.route(stage("a"), stage("b", of="a"), stage("c", of="a"), stage("d", of="c"),
                           stage("e", of="c"), stage("f", of="[b, d, e]"))
        self.assertEqual([line.split()[0::2][:4] for line in lines],
                         [["f", "b", "a", "x"], ["f", "d", "c", "a"], ["f", "e", "c", "a"]])
        ids = [line.split()[1] for line in lines]
        self.assertEqual(len(set(ids)), 3)

    def test_ids_are_unique_and_the_same_again(self):
        stages = [stage("a", of="source"), stage("b", of="source"), stage("m", of="[a, b]")]
        text = "".join(f"{i}\n" for i in range(50))
        first, second = self.route(*stages, text=text), self.route(*stages, text=text)
        self.assertEqual(first, second)
        self.assertEqual(len({line.split()[1] for line in first}), 100)

    def test_when_and_else(self):
        lines = self.kinds(stage("one", of="source", when="'k == \"a\"'"),
                           stage("two", of="source", when="else"))
        self.assertEqual(self.names(lines), ["one a", "two b"])

    def test_several_tests_and_else(self):
        lines = self.kinds(stage("one", of="source", when="'k == \"a\"'"),
                           stage("two", of="source", when="'k in [\"b\", \"c\"]'"),
                           stage("rest", of="source", when="else"), kinds="abcd")
        self.assertEqual(self.names(lines), ["one a", "rest d", "two b", "two c"])

    def test_several_tests_that_hold_are_copies(self):
        lines = self.kinds(stage("one", of="source", when="'n >= 0'"),
                           stage("two", of="source", when="'k == \"a\" || n > 5'"))
        self.assertEqual(self.names(lines), ["one a", "one b", "two a"])
        self.assertEqual(len({line.split()[1] for line in lines}), 3)

    def test_what_does_not_fit_passes_the_stage(self):
        lines = self.kinds(stage("one"), stage("maybe", when="'k == \"a\"'"), stage("last"))
        self.assertEqual(self.names(lines), ["last maybe one a", "last one b"])

    def test_what_fits_nowhere_goes_to_the_sink(self):
        lines = self.kinds(stage("only", when="'k == \"a\"'"))
        self.assertEqual(lines, ['only 0 {"k":"a","n":0}', '{"k":"b","n":1}'])

    def test_passing_several(self):
        lines = self.kinds(stage("one"), stage("two", when="'k == \"a\"'"),
                           stage("three", when="'k == \"b\"'"),
                           stage("last"), kinds="abc")
        self.assertEqual(self.names(lines), ["last one c", "last three one b", "last two one a"])

    def test_nested(self):
        lines = self.kinds(stage("big", of="source", when="'n > 1'"),
                           stage("small", of="source", when="else"),
                           stage("biga", of="big", when="'k == \"a\"'"),
                           stage("bigx", of="big", when="else"),
                           kinds="abab")
        self.assertEqual(self.names(lines), ["biga big a", "bigx big b", "small a", "small b"])

    def test_when_of_a_child_looks_at_what_its_worker_set(self):
        self.write("w.py", """import json, sys
for line in sys.stdin:
    r = json.loads(line)
    emit = [{"item": r["item"] + k, "attrs": {"k": k}} for k in "abc"]
    print(json.dumps({"id": r["id"], "emit": emit}), flush=True)
""")
        lines = self.route("  - {name: split, run: [python3, w.py], mode: json}\n",
                           stage("a", of="split", when="'k == \"a\"'"),
                           stage("rest", of="split", when="else"))
        self.assertEqual(lines, ["a 0.0 xa", "rest 0.1 xb", "rest 0.2 xc"])

    def test_tests(self):
        item = '{"s":"jpg","n":7,"f":1.5,"t":true,"z":null,"m":{"deep":{"er":1}},"l":[1]}\n'
        for test, holds in (('s == "jpg"', 1), ('s != "jpg"', 0), ("n > 6 && n < 8", 1),
                            ("n >= 7.5", 0),
                            ("f == 1.5", 1), ("t", 1), ("!t", 0), ("t == true", 1),
                            ("z == null", 1),
                            ("absent == null", 1), ("absent", 0), ("absent > 1", 0),
                            ('s ~ "j*"', 1),
                            ('s ~ "p*"', 0), ("n in [1, 7]", 1), ('s in ["png"]', 0),
                            ("m.deep.er == 1", 1),
                            ("(n == 1 || n == 7) && !(f < 1)", 1), ("n == 1 || n == 7 && f < 1", 0),
                            ('n == "7"', 0), ('data ~ "*jpg*"', 1), ('s < "k"', 1)):
            with self.subTest(test):
                quoted = test.replace("'", "''")
                lines = self.route(stage("yes", when=f"'{quoted}'"), text=item,
                                   more="source: {stdin: true, format: jsonl}")
                self.assertEqual(lines[0].startswith("yes"), bool(holds))

    def test_tests_that_are_wrong(self):
        for when, text in (("'k =='", "when"), ("'k = 1'", "=="), ("'(k'", "when")):
            with self.subTest(when):
                done = self.route(stage("a", when=when), code=2)
                self.assertRegex(done.err, r"p\d+.yaml:\d+:\d+: error: ")
                self.assertIn(text, done.err)

    def test_retried_items_go_the_same_way(self):
        self.write("f", "#!/bin/sh\n[ $FAYMORA_ATTEMPT = 2 ] || exit 1\necho f $FAYMORA_ID $1\n",
                   0o755)
        lines = self.route(stage("a", of="source"),
                           "  - {name: f, run: [./f, '{}'], input: source}\n",
                           stage("m", of="[a, f]"))
        self.assertEqual(lines, ["m 0.0.0 a 0.0 x", "m 0.1.0 f 0.1 x"])


if __name__ == "__main__":
    faytest.main()
