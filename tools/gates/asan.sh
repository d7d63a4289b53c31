#!/usr/bin/env bash
# Proves: the unit tests, and a small campaign, run without an error of memory and without undefined behaviour that
# AddressSanitizer and UndefinedBehaviorSanitizer can see. What the tests themselves are made of is for the first alone.
#
# usage: asan.sh [CTEST ARGS]   (default: every unit test, then `raftlab explore` over SEEDS, 1..20 if not set)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

./dev build asan raftlab raftlab_unit_tests
if [ $# -gt 0 ]; then exec ctest --preset asan -j2 "$@" < /dev/null; fi

scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

# Each executable as a whole: a process of its own for each test would take longer to start than to run.
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
run_tests() {
  local log code=0
  log="$1/$(basename "$2").log"
  timeout 1200 "$2" > "$log" 2>&1 < /dev/null || code=$?
  if [ "$code" -ne 0 ]; then grep -vE '^\[( RUN  |       OK |-----)' "$log" >&2; fi
  printf '%-36s exit code %d: %s\n' "$(basename "$2")" "$code" "$(grep -E '^\[  PASSED  \]' "$log" || tail -n 1 "$log")"
  return "$code"
}
export -f run_tests
mapfile -t executables < <(find build/asan/bin -name '*_test' ! -name '*_property_test' ! -name '*_scenario_test' \
  ! -name '*_sim_test' | sort)
[ "${#executables[@]}" -gt 0 ] || { echo 'asan: there is no executable of unit tests' >&2; exit 1; }
# shellcheck disable=SC2016  # the inner shell expands them
printf '%s\0' "${executables[@]}" | xargs -0 -n 1 -P 2 bash -c 'run_tests "$0" "$1"' "$scratch"

# What the campaign says goes to the log; a report of a sanitizer ends it with an exit code of its own.
build/asan/bin/raftlab explore --seeds "${SEEDS:-1..20}" --out "$scratch/out" < /dev/null
