#!/usr/bin/env bash
# Proves: every random profile of scenarios/profiles holds over a few seeds. The workloads that `raftlab bench` measures
# (w*.toml) are no random profiles: they are left out.
#
# usage: profiles_test.sh <raftlab> [<first seed>..<last seed>]   (default 1..6), from the root of the repository
set -euo pipefail
raftlab=$1
seeds=${2:-1..6}

out=$(mktemp -d)
trap 'rm -rf -- "$out"' EXIT

failures=0
for file in scenarios/profiles/*.toml; do
  case ${file##*/} in w[0-9]*) continue ;; esac
  if ! text=$("$raftlab" explore --profile "$file" --seeds "$seeds" --out "$out" 2>&1); then
    printf '%s does not hold:\n%s\n' "$file" "$text"
    failures=$((failures + 1))
  fi
done
[ "$failures" -eq 0 ]
