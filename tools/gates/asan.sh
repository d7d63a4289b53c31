#!/usr/bin/env bash
# Proves: the unit tests, and a small campaign, run without an error of memory and without undefined behaviour that
# AddressSanitizer and UndefinedBehaviorSanitizer can see. What the tests themselves are made of is for the first alone.
#
# usage: asan.sh [CTEST ARGS]   (default: every unit test, then `raftlab explore` over SEEDS, 1..20 if not set)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

./dev build asan raftlab raftlab_unit_tests
if [ $# -gt 0 ]; then exec ctest --preset asan -j2 "$@" < /dev/null; fi
ctest --preset asan -j2 --label-regex '^unit$' < /dev/null

scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
# What the campaign says goes to the log; a report of a sanitizer ends it with an exit code of its own.
build/asan/bin/raftlab explore --seeds "${SEEDS:-1..20}" --out "$scratch/out" < /dev/null
