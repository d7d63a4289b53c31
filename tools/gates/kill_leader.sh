#!/usr/bin/env bash
# Proves: a cluster of three real processes over mutual TLS, whose leader is killed under load again and again, and started
# again each time, loses nothing: each time it goes on answering, and the history of its clients is linearizable.
#
# usage: kill_leader.sh [<times>]   (default 50)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

times=${1:-50}
if ! [[ $times =~ ^[1-9][0-9]*$ ]]; then
  echo "kill_leader: not a number of times: $times" >&2
  exit 2
fi
./dev build dev diskeyval_cli_scenario_test diskeyval
start=$SECONDS
DISKEYVAL_KILLS=$times timeout $((60 + times * 60)) build/dev/bin/diskeyval_cli_scenario_test \
  --gtest_filter='Processes.TheLeaderIsKilledAgainAndAgainUnderLoadAndNothingIsLost' < /dev/null
echo "holds: the leader was killed $times times in $((SECONDS - start)) s, and nothing was lost"
