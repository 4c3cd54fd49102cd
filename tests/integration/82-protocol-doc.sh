#!/usr/bin/env bash
# docs/PROTOCOL.md, docs/ARCHITECTURE.md and the man pages say what the sources say: every message
# with its number, ways and limit, a section for each, the limits, the rooms and who may include whom.
set -euo pipefail
cd "$FAYMORA_SOURCE"
protocol=docs/PROTOCOL.md
architecture=docs/ARCHITECTURE.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
complain() {
    echo "$*"
    bad=1
}

# "1 GiB + 16 MiB", "16MiB" or "4,096" -> bytes
bytes() {
    awk -v text="$1" 'BEGIN {
        gsub(/,/, "", text); gsub(/[KMG]iB/, " &", text)
        unit["KiB"] = 1024; unit["MiB"] = 1024 ^ 2; unit["GiB"] = 1024 ^ 3
        n = split(text, term, / *\+ */)
        for (i = 1; i <= n; i++) {
            split(term[i], part, / +/)
            sum += part[1] * (part[2] in unit ? unit[part[2]] : 1)
        }
        printf "%.0f\n", sum
    }'
}

# The rows of the first table below a heading, "a|b|c" without spaces around and without backticks.
table() {
    awk -v heading="## $2" '
        $0 == heading { here = 1; next }
        here && /^## / { exit }
        here && /^\|/ { n++; if (n > 2) { gsub(/`/, ""); gsub(/^\| *| *\|$/, ""); gsub(/ *\| */, "|"); print }; next }
        here && n > 0 { exit }' "$1"
}

# ---- messages and limits: what the compiler makes of them -----------------------------------------
table $protocol Limits >"$work/limits"
# What is said of limits elsewhere: page # limit # the words before and behind its value, here a @.
cat >"$work/words" <<'END'
docs/PROTOCOL.md#FAY_SETUP_TEXT_MAX#Each text is at most @.
docs/PROTOCOL.md#FAY_ARGUMENT_MAX#NUL inside, or longer than @, cannot be
docs/ARCHITECTURE.md#FAY_CREDIT_MAX#measured time, at most @; `exec` workers one
docs/ARCHITECTURE.md#FAY_QUEUE_GROWN_MAX#of the measured rate, at most @ |
docs/ARCHITECTURE.md#FAY_ITEM_MAX_DEFAULT#`max_item` @ |
docs/ARCHITECTURE.md#FAY_OUTPUT_MAX_DEFAULT#`max_output` @ |
docs/ARCHITECTURE.md#FAY_STDERR_TAIL_MAX#stderr kept of a worker | @ |
docs/man/faymora-pipeline.5.scd#FAY_STAGE_NAME_MAX#Unique, 1 to @ of a-z
docs/man/faymora-pipeline.5.scd#FAY_PIPELINE_NAME_MAX#digits, and . \_ -, 1 to @ of them
docs/man/faymora-pipeline.5.scd#FAY_ITEM_MAX_DEFAULT#*max\_item* (@)
docs/man/faymora-pipeline.5.scd#FAY_ITEM_MAX#The largest Item or result, at most @.
docs/man/faymora-pipeline.5.scd#FAY_OUTPUT_MAX_DEFAULT#*max\_output* (@)
docs/man/faymora-worker.7.scd#FAY_ARGUMENT_MAX#longer than the kernel takes (@)
END
{
    echo '#include <stdio.h>'
    echo '#include "net/link.h"'
    echo '#include "wire/frame.h"'
    echo 'int main(void) {'
    echo '#define X(name, number, ways, max, text) \'
    printf '    %s\n' 'printf("%s|%d|%s|%zu\n", #name, number, ways, (size_t)(max));'
    echo '#include "wire/message.def"'
    echo '#undef X'
    while read -r name; do
        printf '%s\n' "printf(\"$name|%zu\\n\", (size_t)($name));"
    done < <({ cut -d'|' -f1 "$work/limits"; cut -d'#' -f2 "$work/words"; } | sort -u)
    echo 'return 0; }'
} >"$work/print.c"
"${CC:-cc}" -std=gnu11 -Iinclude -Isrc -o "$work/print" "$work/print.c"
"$work/print" >"$work/said"
grep -v '^FAY_' "$work/said" >"$work/messages"

table $protocol "The messages" >"$work/rows"
while IFS='|' read -r name number ways max; do
    row=$(grep "^$name|" "$work/rows") || { complain "$protocol: no row for message $name"; continue; }
    IFS='|' read -r _ doc_number doc_ways doc_max <<<"$row"
    [ "$doc_number" = "$number" ] || complain "$protocol: $name is number $number, not $doc_number"
    [ "$doc_ways" = "$ways" ] || complain "$protocol: $name goes $ways, not $doc_ways"
    [ "$(bytes "$doc_max")" = "$max" ] || complain "$protocol: $name has at most $max bytes, not $doc_max"
    grep -qx "### $name" $protocol || complain "$protocol: no section for message $name"
done <"$work/messages"
[ "$(wc -l <"$work/messages")" -ge 10 ] || complain "message.def: fewer messages than can be"
while IFS='|' read -r name _; do
    grep -q "^$name|" "$work/messages" || complain "$protocol: message $name is not in message.def"
done <"$work/rows"

# ---- messages about the Grid ----------------------------------------------------------------------
{
    echo '#include <stdio.h>'
    echo '#include "base/limits.h"'
    echo '#define X(name, number, max, text) printf("%s|%d|%zu\n", #name, number, (size_t)(max));'
    echo 'int main(void) {'
    echo '#include "grid/message.def"'
    echo 'return 0; }'
} >"$work/grid.c"
"${CC:-cc}" -std=gnu11 -Iinclude -Isrc -o "$work/grid" "$work/grid.c"
"$work/grid" >"$work/kinds"
table $protocol "The Grid" >"$work/rows"
while IFS='|' read -r name number max; do
    row=$(grep "^$name|" "$work/rows") || { complain "$protocol: no row for kind $name"; continue; }
    IFS='|' read -r _ doc_number doc_max <<<"$row"
    [ "$doc_number" = "$number" ] || complain "$protocol: $name is number $number, not $doc_number"
    [ "$(bytes "$doc_max")" = "$max" ] || complain "$protocol: $name has at most $max bytes, not $doc_max"
    grep -qx "#### $name" $protocol || complain "$protocol: no section for kind $name"
done <"$work/kinds"
[ "$(wc -l <"$work/kinds")" -ge 10 ] || complain "grid/message.def: fewer kinds than can be"
while IFS='|' read -r name _; do
    grep -q "^$name|" "$work/kinds" || complain "$protocol: kind $name is not in grid/message.def"
done <"$work/rows"

[ -s "$work/limits" ] || complain "$protocol: no table of limits"
while IFS='|' read -r name value _; do
    said=$(sed -n "s/^$name|//p" "$work/said")
    [ "$(bytes "$value")" = "$said" ] || complain "$protocol: $name is $said, not $value"
done <"$work/limits"

while IFS='#' read -r page name words; do
    said=$(sed -n "s/^$name|//p" "$work/said")
    text=$(tr '\n' ' ' <"$page" | tr -s ' ')
    behind=${text#*"${words%@*}"}
    [[ $behind =~ ^[0-9][0-9,]*(\ ?[KMG]iB)? ]] || { complain "$page: no '$words'"; continue; }
    value=${BASH_REMATCH[0]}
    [[ ${behind#"$value"} = "${words#*@}"* ]] || complain "$page: no '$words'"
    [ "$(bytes "$value")" = "$said" ] || complain "$page: $name is $said, not $value"
done <"$work/words"

# Verdicts and causes of DOWN have their numbers on the wire.
for list in VERDICT DOWN; do
    sed -n "s/^ *X(FAY_${list}_[A-Z_]*, \([0-9]*\),.*/\1/p" src/wire/verdict.h | while read -r number; do
        awk -v heading="### $list" -v number="$number" '
            $0 == heading { here = 1; next }
            here && /^### / { exit }
            here && index($0, "| " number " |") == 1 { found = 1 }
            END { exit !found }' $protocol || echo "$protocol: $list has no row for $number"
    done
done >"$work/numbers"
[ ! -s "$work/numbers" ] || complain "$(cat "$work/numbers")"

# ---- rooms ----------------------------------------------------------------------------------------
table $architecture "The rooms" >"$work/rooms"
while IFS=: read -r room may _; do
    room=${room// /}
    may=$(xargs <<<"$may")
    row=$(grep "^$room/|" "$work/rooms") || row=
    if [ ! -d "src/$room" ]; then
        [ -z "$row" ] || complain "$architecture: room $room does not exist"
        continue
    fi
    [ -n "$row" ] || { complain "$architecture: room $room is missing"; continue; }
    existing=
    for other in $may; do
        [ ! -d "src/$other" ] || existing="$existing${existing:+ }$other"
    done
    said=$(cut -d'|' -f3 <<<"$row")
    [ "$said" = "${existing:--}" ] ||
        complain "$architecture: $room/ may include '${existing:--}', not '$said'"
done < <(grep -E '^[a-z]+ *:' cmake/rooms.txt)
exit $bad
