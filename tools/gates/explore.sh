#!/usr/bin/env bash
# Proves: no rung of the ladder falls in any of the first seeds, with every check on. A failing seed prints the line
# that replays it.
#
# usage: explore.sh [<first seed>..<last seed>]   (default 1..500)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

./dev install
./dev build release raftlab
exec build/release/bin/raftlab explore --seeds "${1:-1..500}" --checks full < /dev/null
