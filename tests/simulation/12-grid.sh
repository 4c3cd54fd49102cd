#!/bin/sh
# Membership in virtual time: small and middling Grids, few seeds; what must hold when all is quiet
# is checked in each run, and the design's targets are reached. To see what happened:
#     faymora-sim grid --nodes N --scenario NAME --seed N --trace
set -eu

sim=${FAYMORA_SIM:-$(dirname "$0")/../../build/release/faymora-sim}
fail() {
    echo "$*"
    exit 1
}

# Below four Nodes one accuser decides, up to eight all link to all, then there are rings.
for nodes in 3 4 8 9 16; do
    "$sim" grid --nodes $nodes --seeds 1-2 \
        --scenario join,storm,kill,half,say,sayhuge,change,crl,idle,split,lost ||
        fail "$nodes Nodes: see above"
done
"$sim" grid --nodes 60 --scenario storm,half --seed 1 || fail "60 Nodes: see above"

# A machine that is gone without a word: the median of few runs is a matter of luck, the rest is not.
for nodes in 3 4 9; do
    table=$("$sim" grid --nodes $nodes --scenario silent --seeds 1-3) || true
    echo "$table"
    echo "$table" | awk '
        $1 == "silent" { found = 1; if ($4 > 6) exit 1 }
        END { if (!found) exit 1 }' || fail "$nodes Nodes: see above"
done

# All but one die, of any few.
for nodes in 2 3 4 5 6 7 8 9 10; do
    "$sim" grid --nodes $nodes --scenario alone --seeds 1-4 || fail "$nodes Nodes: see above"
done

# Faults of all kinds for a minute, then all agree; copies of state directories, of which one of each
# stays; one member that means ill, and hurts nobody.
for nodes in 2 3 4 9; do
    "$sim" grid --nodes $nodes --scenario chaos,clone,forge --seeds 1-20 ||
        fail "$nodes Nodes: see above"
done
"$sim" grid --nodes 30 --scenario chaos,forge --seeds 1-2 || fail "30 Nodes: see above"

# Hours and days: parts that have forgotten each other, and pauses that mean nothing.
"$sim" grid --nodes 4 --scenario long --seed 1 || fail "long: see above"

"$sim" grid --nodes 5 --scenario freeze --seed 1 || fail "freeze: see above"

# The same seed is the same run; another one is not.
hash_of() {
    "$sim" grid --nodes 10 --scenario half --seed "$1" | sed -n 's/.*: trace //p'
}
[ "$(hash_of 7)" = "$(hash_of 7)" ] || fail "seed 7: two traces differ"
[ "$(hash_of 7)" != "$(hash_of 8)" ] || fail "seeds 7 and 8 do not differ"
"$sim" grid --nodes 5 --scenario kill --seed 1 --trace | grep -q 'is dead$' || fail "no trace"

# What is not understood is a usage error.
for bad in "--nodes 1" "--nodes 4001" "--nodes x" "--scenario nosuch" "--scenario join,nosuch" \
    "--seeds 9-1" "--seed x" "--seeds 1-2 --trace" "--nosuch" "more"; do
    code=0
    # shellcheck disable=SC2086 # several words on purpose
    "$sim" grid $bad >/dev/null 2>&1 || code=$?
    [ "$code" -eq 2 ] || fail "faymora-sim grid $bad: exit $code, not 2"
done
"$sim" grid --help >/dev/null
