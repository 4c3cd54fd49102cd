#!/bin/sh
# Whole pipelines in virtual time, fixed seeds. A failure prints its seed; to see what happened:
#     faymora-sim flow --seed N --trace
set -eu

sim=${FAYMORA_SIM:-$(dirname "$0")/../../build/release/faymora-sim}
said=$("$sim" flow --seeds 1-1000) || {
    echo "$said"
    exit 1
}
echo "$said"

# No Item is ever in a worker that retires; that says something only where many do, and where stages
# go down to none and wake again.
often() {
    count=$(echo "$said" | sed -n "s/.* \([0-9]*\) $1.*/\1/p")
    if [ "$count" -lt "$2" ]; then
        echo "$count $1, fewer than $2"
        exit 1
    fi
}
often retired 10000
often "to none" 2000
often "from none" 2000

# The same seed is the same run, to the last line but the one that says how long it took.
trace() {
    "$sim" flow --seed 7 --trace | sed '/ seeds, .* s$/d' | cksum
}
first=$(trace)
again=$(trace)
if [ "$first" != "$again" ]; then
    echo "seed 7: two traces differ ($first, $again)"
    exit 1
fi

# What is not understood is a usage error.
for bad in "" "nosuch" "flow --seed x" "flow --seeds 9-1" "flow --seeds 1-2 --trace" "flow more"; do
    code=0
    # shellcheck disable=SC2086 # several words on purpose
    "$sim" $bad >/dev/null 2>&1 || code=$?
    if [ "$code" -ne 2 ]; then
        echo "faymora-sim $bad: exit $code, not 2"
        exit 1
    fi
done
"$sim" --help >/dev/null
