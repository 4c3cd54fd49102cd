#!/bin/sh
# The benchmark of elasticity on a few traces: the same seed gives the same output, nothing is lost,
# and nobody is better than who knows the future. The whole of it:
#     faymora-sim equalizer --trace all --seeds 61-65 --baseline all
set -eu

sim=${FAYMORA_SIM:-$(dirname "$0")/../../build/release/faymora-sim}
fail() {
    echo "$*"
    exit 1
}

# The same seed is the same run, to the last byte; another seed is another.
run() {
    "$sim" equalizer --trace step_up,fanout,stdin,copies,memory --baseline all --json "$@"
}
first=$(run --seed 7 | cksum)
[ "$first" = "$(run --seed 7 | cksum)" ] || fail "seed 7: two runs differ"
[ "$first" != "$(run --seed 8 | cksum)" ] || fail "seeds 7 and 8 do not differ"

# Nothing is lost, also when workers die; those Items are repeated. On these the oracle waits least.
run --seed 7 | python3 -c '
import json, sys
report = json.load(sys.stdin)
oracle = {r["trace"]: r for r in report["runs"] if r["controller"] == "oracle"}
for run in report["runs"]:
    where = "%s on %s: " % (run["controller"], run["trace"])
    assert not run["lost"], where + "something is lost"
    assert run["repeated"] == 0, where + "something is repeated"
    best = oracle[run["trace"]]
    assert run["p99"] >= best["p99"], where + "p99 less than that of the oracle"
    if run["settle_t"] is not None:
        assert run["settle_t"] >= best["settle_t"], where + "settles before the oracle"
'
"$sim" equalizer --trace crashesmany --seed 7 --baseline all --json | python3 -c '
import json, sys
for run in json.load(sys.stdin)["runs"]:
    assert not run["lost"], run["controller"] + ": something is lost"
    assert run["repeated"] > 100, run["controller"] + ": too few have died"
'
"$sim" equalizer --fuzz 10 --seed 7 --baseline all >/dev/null

# What the Equalizer promises, with room for other constants: under a constant load it sleeps and
# lets workers be; a slow Item costs about the worker that it holds; a new load is met at once; what
# workers share and slow each other by is not fought with more of them.
"$sim" equalizer --trace noisy,oneslow,step_up,plateau --seeds 61-63 --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
def mean(trace, figure, controller="faymora"):
    found = [run[figure] for run in report["runs"]
             if (run["trace"], run["controller"]) == (trace, controller)]
    return sum(found) / len(found)
for what, is_, most in (
        ("noisy: armed", mean("noisy", "armed"), 0.12),
        ("noisy: reversals in 100 periods", mean("noisy", "reversals_per_100"), 2),
        ("oneslow: extra workers", mean("oneslow", "extra_workers"), 1.3),
        ("step_up: periods to settle", mean("step_up", "settle_t"), 8),
        ("plateau: workers against the oracle",
         mean("plateau", "workers") / mean("plateau", "workers", "oracle"), 1.8)):
    assert is_ <= most, "%s: %.2f, more than %g" % (what, is_, most)
'

# One trace and one seed have a time line, in JSON too, and can be drawn.
plot=$(mktemp)
trap 'rm -f "$plot"' EXIT
"$sim" equalizer --trace step_up --seed 7 --timeline | grep -q '^  *149 ' || fail "no time line"
"$sim" equalizer --trace step_up --seed 7 --json --plot "$plot" | python3 -c '
import json, sys
line = json.load(sys.stdin)["timeline"]["oracle"]
assert len(line["workers"]) == len(line["live"]) == len(line["queued"]) == 151
assert line["workers"][40][1] < line["workers"][100][1]
'
grep -q '</svg>' "$plot" || fail "no drawing"

# What is not understood is a usage error.
for bad in "--trace nosuch" "--baseline nosuch" "--baseline ds2,nosuch" "--seeds 9-1" "--seed x" \
    "--fuzz 0" "--fuzz 3 --trace sine" "--timeline --seeds 1-2" "--plot x" "--seeds 1-9999" \
    "--fuzz 99999" "--nosuch" "more"; do
    code=0
    # shellcheck disable=SC2086 # several words on purpose
    "$sim" equalizer $bad >/dev/null 2>&1 || code=$?
    [ "$code" -eq 2 ] || fail "faymora-sim equalizer $bad: exit $code, not 2"
done

# Each error says which one it is.
says() {
    code=0
    text=$("$sim" equalizer "$@" 2>&1 >/dev/null) || code=$?
    echo "exit $code: $text"
}
says --trace step_up --seed 7 --plot /dev/full | grep -q '^exit 7: .*write /dev/full: No space' ||
    fail "--plot /dev/full: $(says --trace step_up --seed 7 --plot /dev/full)"
says --trace step_up,sine,step_up | grep -q '^exit 2: .*trace step_up is named twice' ||
    fail "a trace twice: $(says --trace step_up,sine,step_up)"
says --baseline ds2,ds2 | grep -q '^exit 2: .*baseline ds2 is named twice' ||
    fail "a baseline twice: $(says --baseline ds2,ds2)"
says --seeds 1-99999999999999999999 | grep -q '^exit 2: .*up to 18446744073709551614' ||
    fail "a large seed: $(says --seeds 1-99999999999999999999)"
"$sim" equalizer --help | grep -q '7 the drawing cannot be written' || fail "exit 7 is not in --help"
