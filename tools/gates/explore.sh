#!/usr/bin/env bash
# Proves: no rung of the ladder falls in any of the first seeds, with every check on; every rung was evaluated with
# its premise true; and every kind of fault fired in at least one seed of twenty. A failing seed prints the line that
# replays it.
#
# usage: explore.sh [<first seed>..<last seed>]   (default 1..500)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

./dev install
./dev build release raftlab
json=build/explore.json
code=0
build/release/bin/raftlab explore --seeds "${1:-1..500}" --checks full --json > "$json" < /dev/null || code=$?
summary=$(tail -n 1 "$json")
if [ "$code" -ne 0 ]; then
  printf '%s\n' "$summary" >&2
  exit "$code"
fi

failures=0
never=$(grep -oE '"[NDRGEV][0-9]+":0[,}]' <<< "$summary" | grep -oE '[NDRGEV][0-9]+' | tr '\n' ' ' || true)
if [ -n "$never" ]; then
  echo "explore: never evaluated: $never"
  failures=1
fi
# The first count of seeds is the campaign's; those behind it are of the marks.
seeds=${summary#*'"seeds":'}
seeds=${seeds%%,*}
rare=$(grep -oE '"[a-z_]+":\{"drawn_seeds":[0-9]+,"fired_seeds":[0-9]+' <<< "$summary" |
  awk -F '[":,{]+' -v seeds="$seeds" '$6 * 20 < seeds { printf "  %s in %d of %d seeds\n", $2, $6, seeds }')
if [ -n "$rare" ]; then
  printf 'explore: fired in less than one seed of twenty:\n%s\n' "$rare"
  failures=1
fi
[ "$failures" -eq 0 ] || exit 1
echo "holds: $seeds seeds, every rung evaluated, every kind of fault fired in one seed of twenty or more"
