#!/usr/bin/env bash
# Proves: the unit tests of the code that runs in production (core, wire format, log on disk, store) run without an error of
# memory and without undefined behaviour that AddressSanitizer and UndefinedBehaviorSanitizer can see.
#
# usage: asan.sh [CTEST ARGS]   (default: the unit tests of raft, raft/wire, raft/wal and kv)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

./dev build asan raftlab_raft_test raftlab_raft_wire_test raftlab_raft_wal_test raftlab_kv_test
if [ $# -eq 0 ]; then set -- --label-regex '^unit$' --tests-regex '^(raft|raft_wire|raft_wal|kv)\.'; fi
exec ctest --preset asan -j2 "$@" < /dev/null
