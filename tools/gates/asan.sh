#!/usr/bin/env bash
# Proves: the unit tests run without an error of memory and without undefined behaviour that AddressSanitizer and
# UndefinedBehaviorSanitizer can see.
#
# usage: asan.sh [CTEST ARGS]   (default: the tests with the label "unit")
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

./dev build asan
if [ $# -eq 0 ]; then set -- --label-regex '^unit$'; fi
exec ctest --preset asan -j2 "$@" < /dev/null
