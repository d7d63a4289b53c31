#!/usr/bin/env bash
# Proves: clang-tidy finds nothing in the source files that the build knows, nor in the headers they include.
#
# A file that was found clean is not read again as long as it is the same text after the preprocessor, its comments
# included, under the same checks: build/tidy/clean/ remembers it by a hash of all that. The static analyzer
# (clang-analyzer-*) walks the paths of what is shipped, not those of tests and benchmarks: the branches inside of EXPECT_*
# take it a minute for each file, and the sanitizers watch tests run.
#
# usage: tidy.sh [FILE...]   (default: all of them; JOBS=<n> at a time, as many as there are cores if not set)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

database=build/tidy/compile_commands.json
memory=build/tidy/clean

# text <file>: what the compiler makes of the file before it compiles it.
text() {
  local command
  command=$(awk -v wanted="  \"file\": \"$1\"" '
    /^  "command": / { command = $0 }
    index($0, wanted) == 1 { print command; exit }' "$database")
  if [ -z "$command" ]; then
    echo "tidy: the build does not know $1" >&2
    return 1
  fi
  command=${command#*'": "'}
  command=${command%'",'}
  command=${command//'\"'/'"'}
  command=${command//'\\'/'\'}
  (cd build/tidy && eval "${command% -o * -c *} -E -C '$1'")
}

# judge <file>
judge() {
  local checks=() key
  case $1 in *_test.cpp | *_bench.cpp) checks=('--checks=-clang-analyzer-*') ;; esac
  key=$({
    clang-tidy-14 --version
    cat .clang-tidy "${1%/*}/.clang-tidy" 2> /dev/null || true
    echo "${checks[*]}"
    text "$1"
  } | sha256sum | cut -d' ' -f1)
  [ ! -e "$memory/$key" ] || return 0
  # What it prints besides findings ("34067 warnings generated") are those that it does not show.
  clang-tidy-14 -p build/tidy --quiet --warnings-as-errors='*' ${checks[@]+"${checks[@]}"} "$1" 2> >(
    grep -vE '^[0-9]+ warnings? (generated|treated as errors?)' >&2) || return 1
  : > "$memory/$key"
}

if [ "${1:-}" = --judge ]; then
  judge "$2"
  exit
fi

./dev build tidy raftlab_generated
mkdir -p "$memory"
if [ $# -gt 0 ]; then
  realpath -- "$@"
else
  sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$database" | { grep -v "^$PWD/build/" || true; } | sort -u
fi | tr '\n' '\0' | xargs -0 -r -n 1 -P "${JOBS:-$(nproc)}" "${BASH_SOURCE[0]}" --judge
