#!/usr/bin/env bash
# Proves: the README's cluster example runs as it stands there, and prints what stands there, except for numbers; and the ladder
# holds for what its nodes have done, the one that was killed too.
#
# Four things are put in: the build that is there already instead of the release, time for the cluster to get ready, the
# process id of the leader, which is node 1 as in the README, and that the nodes write down what they do.
#
# usage: readme_cluster.sh [<directory with the programs>]   (default: build/dev/bin)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

programs=$(realpath "${1:-build/dev/bin}")
for program in diskeyval raftlab; do
  [ -x "$programs/$program" ] || {
    echo "readme_cluster: no $program in $programs: ./dev build first" >&2
    exit 2
  }
done
example=$(awk '/^## The store, for real/ { here = 1 } here && /^```/ { ++fence; next } here && fence == 1' README.md)
scratch=$(mktemp -d)
up=

finish() {
  [ -z "$up" ] || kill -TERM "$up" 2> /dev/null || true
  wait
  rm -rf "$scratch"
}
trap finish EXIT
cd "$scratch"

fail() {
  echo "readme_cluster: $*" >&2
  cat up.log ./*/node*.log >&2 || true
  exit 1
}

# like: text in which only numbers, the spaces around them and who leads may differ
like() { sed -E 's/[0-9]+/N/g; s/\b(leader|follower) +N/role N/g; s/ +/ /g'; }

export PATH=$programs:$PATH
commands=0
command=
wanted=
# Runs the command that has been read, if any, and compares what it prints with what was read behind it.
settle() {
  [ -n "$command" ] || return 0
  commands=$((commands + 1))
  local printed=
  case $command in
    *'dev build release'*) ;;
    *'&')
      # The only one in the background is the cluster.
      eval "${command%&} --trace traces > up.log 2>&1 &"
      up=$!
      for ((i = 0; i < 300; ++i)); do
        if grep -q '^ready' up.log; then break; fi
        sleep 0.1
      done
      grep -q '^ready' up.log || fail "the cluster did not get ready"
      ;;
    'kill -9 PID'*) eval "${command//PID/$(awk '$1 == "node" && $2 == 1 { print $4 }' up.log)}" ;;
    *)
      # In this shell: some of them are `export`.
      eval "$command" > printed.log 2> complaints.log || fail "failed: $command: $(cat printed.log complaints.log)"
      printed=$(cat printed.log)
      ;;
  esac
  if [ "$(like <<< "$printed")" != "$(like <<< "$wanted")" ]; then
    fail "$(printf '%s prints\n%s\nand the README says\n%s' "$command" "$printed" "$wanted")"
  fi
  # The README's leader is node 1. Who leads already is a refusal.
  if [[ $command == *' put '* ]]; then
    diskeyval transfer 1 > transfer.log 2>&1 || true
    for ((i = 0; i < 100; ++i)); do
      if diskeyval status | awk '$2 == 1 && $3 == "leader" { found = 1 } END { exit !found }'; then return 0; fi
      sleep 0.1
    done
    fail "node 1 does not lead: $(cat transfer.log)"
  fi
}

while IFS= read -r line; do
  if [[ $command == *\\ ]]; then
    command=${command%\\}$line
  elif [[ $line == '$ '* ]]; then
    settle
    command=${line#'$ '}
    wanted=
  else
    wanted+=${wanted:+$'\n'}$line
  fi
done <<< "$example"
settle

[ "$commands" -ge 8 ] || fail "the README has no such example any more: $commands commands"
grep -q 'node 1 has ended (signal 9)' up.log || fail "nobody was killed"
kill -TERM "$up"
wait "$up" || fail "up did not end well"
up=
raftlab audit traces > audit.log || fail "audit: $(cat audit.log)"
grep -q '^holds .*3 lives' audit.log || fail "audit: $(head -n 1 audit.log)"
echo "holds: $commands commands of the README's cluster example"
