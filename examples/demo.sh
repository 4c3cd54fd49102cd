#!/bin/sh
# What `make demo` shows: one job on real files, from the first worker to the last dead letter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
FAYMORA=${FAYMORA:-$here/../build/release/faymora}
export FAYMORA
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir bin
ln -s "$(realpath "$FAYMORA")" bin/faymora # it finds its other programs beside the real one
PATH=$work/bin:$PATH

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
# Shows a command, then runs it.
show() {
    printf '$ %s\n' "$*"
    sh -c "$*" || echo "(exit $?)"
}

files=$(find /usr/share/common-licenses -type f | wc -l)
say "1. The most frequent words in the $files licence texts of this system: three stages, Debian's own tools."
echo "\$ examples/text-statistics/run"
"$here/text-statistics/run"

say "2. One of 2,000 Items makes its worker crash. That one becomes a dead letter; none of the others is lost."
cat >fragile.sh <<'WORKER'
#!/bin/sh
while read -r number; do
    [ "$number" != 1234 ] || [ -e fixed ] || kill -SEGV $$
    echo "$number squared is $((number * number))"
done
WORKER
chmod +x fragile.sh
show 'seq 2000 | faymora run --dead-letter dead.jsonl -- ./fragile.sh >out'
show 'wc -l <out'
show 'faymora dead ls dead.jsonl'

say "3. The worker is repaired, and the dead letter goes through the same pipeline again."
show 'touch fixed; faymora dead retry dead.jsonl >>out'
show 'wc -l <out; sort -u out | wc -l; grep "^1234 " out'

say "4. Three million lines; the run is killed after the first. It goes on from its journal; none is there twice."
seq 3000000 >in
cat >words.yaml <<'PIPELINE'
faymora: 1
source: {file: in}
stages:
  - {name: mark, run: [sed, "s/$/ done/"]}
sink: {file: marked}
PIPELINE
# shellcheck disable=SC2016 # for the shell that is shown
show 'faymora run words.yaml --state state --progress none & owner=$!
  until [ "$(wc -l 2>/dev/null <marked)" -gt 1000000 ] 2>/dev/null; do sleep 0.01; done; kill -9 $owner'
show 'faymora run words.yaml --state state --resume'
show 'wc -l <marked; sort -u marked | wc -l'
