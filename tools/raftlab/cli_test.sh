#!/usr/bin/env bash
# Runs raftlab as people and programs do: every subcommand, every exit code, bad input of every kind.
#
# usage: cli_test.sh <raftlab>
set -euo pipefail

raftlab=$(realpath "$1")
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
directory=$(mktemp -d)
# shellcheck disable=SC2064  # the name is known now
trap "rm -rf -- '$directory'" EXIT
cd "$directory"
unset NO_COLOR
export TERM=xterm

failures=0
checks=0
fail() {
  printf 'FAILED: %s\n' "$*"
  sed 's/^/    out: /' out | head -n 20
  sed 's/^/    err: /' err | head -n 20
  failures=$((failures + 1))
}

# run <expected exit code> <argument>...: leaves stdout in `out`, stderr in `err`.
run() {
  local expected=$1 code=0
  shift
  "$raftlab" "$@" > out 2> err < /dev/null || code=$?
  checks=$((checks + 1))
  if [ "$code" -ne "$expected" ]; then fail "raftlab $* ended with $code, not with $expected"; fi
}

# says <file> <text>: the text occurs in the file.
says() {
  checks=$((checks + 1))
  grep -qF -- "$2" "$1" || fail "$1 does not say: $2"
}

# refuses <exit code> <text of the message> <argument>...: one message, nothing else, no new file.
refuses() {
  local code=$1 text=$2 before after
  shift 2
  before=$(find . -not -name out -not -name err | sort)
  run "$code" "$@"
  after=$(find . -not -name out -not -name err | sort)
  says err "$text"
  if [ -s out ]; then fail "raftlab $* wrote to stdout"; fi
  if [ "$(wc -l < err)" -ne 1 ]; then fail "raftlab $* did not print one line"; fi
  if [ "$before" != "$after" ]; then fail "raftlab $* made or removed a file"; fi
}

# A profile that takes a moment only, and one that takes for ever.
cat > small.toml <<'END'
name = "small"
base = "quiet"
nodes = 3
[time]
fault_phase_s = 2
[faults]
message_loss = 50000
power_loss = 20000
END
cat > endless.toml <<'END'
base = "quiet"
nodes = 3
[time]
fault_phase_s = 300000
steps_max = 1000000000000
END
small=(--profile small.toml)

# ---- usage ------------------------------------------------------------------------------------------------------------

run 0 --help
says out 'Exit codes'
for command in explore run replay show audit ladder; do says out "$command"; done
run 0 explore --help
for flag in --seed --seeds --nodes --profile --checks --jobs --time-budget --shard --trace --json --junit --out --keep-going; do
  says out "$flag"
done
run 0 --version
says out 'raftlab 0.'
says out 'formats: trace 2'

run 64
refuses 64 'bogus' bogus
refuses 64 '--bogus' explore --bogus
refuses 64 '--seed' explore --seed
refuses 64 '--seed' explore --seed -1
refuses 64 '--seed' explore --seed 12x
refuses 64 '--seed' explore --seed 18446744073709551616
refuses 64 '--seeds' explore --seeds 9..1
refuses 64 '--seeds' explore --seeds 0
refuses 64 '--seeds' explore --seeds 1..x
refuses 64 '--seeds' explore --seed 1 --seeds 1..2
refuses 64 '--nodes' explore --nodes 0
refuses 64 '--nodes' explore --nodes 65
refuses 64 '--nodes' explore --nodes three
refuses 64 '--jobs' explore --jobs 0
refuses 64 '--checks' explore --checks some
refuses 64 '--shard' explore --shard 2/2
refuses 64 '--shard' explore --shard 1
refuses 64 '--shard' explore --seeds 1..1 --shard 0/2
refuses 64 '--time-budget' explore --time-budget 5x
refuses 64 '--trace' explore --seeds 1..2 --trace t
refuses 64 '--trace' explore --seed 1 --trace ''
refuses 64 'trace' replay
refuses 64 'trace' show
refuses 64 'path' run
refuses 64 'path' audit
refuses 64 '--around' show small.toml --around x

# ---- files that are not what they should be ---------------------------------------------------------------------------

: > empty
printf 'nodes = 3\n\n[faults]\n  mesage_loss = 5\n' > unknown.toml
printf 'nodes =\n' > broken.toml
printf 'nodes = 99\n' > range.toml
printf '\xff\xfe\x00' > binary
refuses 74 'missing.toml: cannot be read' explore --seed 1 --profile missing.toml
refuses 74 '.: cannot be read' explore --seed 1 --profile .
refuses 65 'empty: the file is empty' explore --seed 1 --profile empty
refuses 65 'unknown.toml:4:3: unknown key mesage_loss in [faults]; the nearest known one is message_loss' \
  explore --seed 1 --profile unknown.toml
refuses 65 'broken.toml:1:' explore --seed 1 --profile broken.toml
refuses 65 'range.toml:1:9: nodes must be from 1 to 64, not 99' explore --seed 1 --profile range.toml
refuses 65 'binary:1:' explore --seed 1 --profile binary
for command in replay show run; do
  refuses 74 'missing: cannot be read' "$command" missing
  refuses 65 'empty: the file is empty' "$command" empty
done
for command in replay show; do refuses 65 'small.toml: this is no raftlab trace' "$command" small.toml; done
mkdir nothing
refuses 65 'nothing: there is no scenario' run nothing
run 65 run small.toml
says err 'small.toml:1:'

# ---- files that cannot be written -------------------------------------------------------------------------------------

refuses 74 'nowhere/j.xml: cannot be written' explore "${small[@]}" --seed 1 --junit nowhere/j.xml
refuses 74 'nothing: cannot be written' explore "${small[@]}" --seed 1 --junit nothing
refuses 74 'nowhere/t: cannot be written' explore "${small[@]}" --seed 1 --trace nowhere/t
refuses 74 'small.toml: cannot be written' explore "${small[@]}" --seed 1 --out small.toml
if [ -e /dev/full ]; then
  code=0
  "$raftlab" ladder > /dev/full 2> err || code=$?
  if [ "$code" -ne 74 ]; then fail "a full device behind stdout gives $code, not 74"; fi
  run 74 explore "${small[@]}" --seed 1 --junit /dev/full
fi

# ---- explore ----------------------------------------------------------------------------------------------------------

run 0 explore "${small[@]}" --seeds 1..12 --jobs 1
says out 'holds   seeds 1..12'
says out '3 nodes'
says out 'replay  raftlab explore --seed'
if [ -s err ]; then fail 'there is progress without a terminal'; fi
if grep -q $'\x1b' out; then fail 'there is colour without a terminal'; fi
if [ -e raftlab-out ]; then fail 'a campaign that holds leaves files behind'; fi
if [ "$(LC_ALL=C.UTF-8 wc -L < out)" -gt 100 ]; then
  fail 'a line is wider than 100 columns'
fi

# Everything but the CPU time is the same for any number of jobs, with checks and without; but marks are not looked for
# without.
explore_json() { "$raftlab" explore "${small[@]}" --json "$@" 2>&1 | sed -E 's/"cpu_seconds":[^,]*,//'; }
no_marks() { grep '^{"seed"' "$1" | sed -E 's/"marks":\{[^}]*\}//'; }
explore_json --seeds 1..12 --jobs 1 > jobs1
explore_json --seeds 1..12 --jobs 2 > jobs2
explore_json --seeds 1..12 --jobs 7 > jobs7
cmp -s jobs1 jobs2 || fail 'one job and two give different JSON'
cmp -s jobs1 jobs7 || fail 'one job and seven give different JSON'
explore_json --seeds 1..12 --checks off > off
cmp -s <(no_marks jobs1) <(no_marks off) || fail 'checks change a run'
if [ "$(grep -c '^{"seed"' jobs1)" -ne 12 ] || [ "$(tail -n 1 jobs1 | cut -c1-12)" != '{"summary":{' ]; then
  fail 'JSON is not one object for each seed and a summary'
fi
for field in seed verdict rung step digest virtual_seconds steps messages committed elections faults operations; do
  says jobs1 "\"$field\":"
done

# Shards part the seeds.
for shard in 0/3 1/3 2/3; do explore_json --seeds 1..12 --shard "$shard" | grep '^{"seed"'; done | sort > shards
cmp -s shards <(grep '^{"seed"' jobs1 | sort) || fail 'three shards are not the whole'

# A hexadecimal seed is the same seed; --nodes wins over the profile.
cmp -s <(explore_json --seed 0xa | head -n 1) <(explore_json --seed 10 | head -n 1) || fail '0xa is not 10'
run 0 explore "${small[@]}" --seed 1 --nodes 5
says out '5 nodes'
run 0 explore "${small[@]}" --seed 1 --nodes 1

# JUnit
run 0 explore "${small[@]}" --seeds 1..3 --junit junit.xml
says junit.xml 'tests="3" failures="0"'
says junit.xml 'name="seed 3"'
printf 'old' > junit.xml
run 0 explore "${small[@]}" --seeds 1..2 --junit junit.xml
says junit.xml 'tests="2"'

# ---- traces -----------------------------------------------------------------------------------------------------------

run 0 explore "${small[@]}" --seed 7 --trace 7.trace
run 0 replay 7.trace
says out 'identical  seed 7'
says out 'holds'
# The lines of steps: those of incidents have a star in place of a number.
step_lines() { grep -cE '^ +[0-9,]+ ' out; }
run 0 show 7.trace --last 5
if [ "$(step_lines)" -ne 5 ]; then fail 'show --last 5 does not print 5 steps'; fi
run 0 show 7.trace
steps=$(step_lines)
says out '*  0.000s  n1    start: life 1'
says out 'all   healing: no more faults'
grep -qE '^ +\*.* n[1-3]    crash: power loss' out || fail 'show does not tell of a crash'
lines=$(($(wc -l < out) - 1))
if [ "$lines" -le "$steps" ]; then fail 'show has no line for what happens between the steps'; fi
if [ "$(LC_ALL=C.UTF-8 wc -L < out)" -gt 100 ]; then
  fail 'a line of show is wider than 100 columns'
fi
run 0 show 7.trace --json
if [ "$(wc -l < out)" -ne $((lines + 2)) ]; then fail 'show --json is not a header, the lines and an end'; fi
if [ "$(grep -c '^{"step":' out)" -ne "$steps" ]; then fail 'show --json has another number of steps'; fi
says out '{"schema":"raftlab-trace-2","seed":7,'
says out '{"incident":"start","after_step":0,"t":0.0,"node":1,"what":"life 1'
says out '{"incident":"healing","after_step":'
run 0 show 7.trace --node 2 --around 50 --context 3
if [ "$(step_lines)" -ne 7 ]; then fail 'show --around 50 --context 3 does not print 7 steps'; fi
refuses 64 '--node' show 7.trace --node 9

size=$(stat -c %s 7.trace)
# change <byte> <octal value>: a copy with one byte changed.
change() {
  cp 7.trace changed.trace
  printf "\\$2" | dd of=changed.trace bs=1 seek="$1" conv=notrunc status=none
}
for command in replay show; do
  for cut in 1 7 8 11 12 13 20 21 100 $((size / 2)) $((size - 1)); do
    head -c "$cut" 7.trace > cut.trace
    refuses 65 'cut.trace: the trace is damaged at byte' "$command" cut.trace
  done
  for byte in 12 13 17 21 40 $((size / 3)) $((size - 1)); do
    change "$byte" 333
    refuses 65 'changed.trace: the trace is damaged at byte' "$command" changed.trace
  done
  change 8 7
  refuses 65 'changed.trace: the trace has format version 7, this raftlab reads version 2' "$command" changed.trace
  change 8 1
  refuses 65 'changed.trace: the trace has format version 1, this raftlab reads version 2' "$command" changed.trace
  change 0 130
  refuses 65 'changed.trace: this is no raftlab trace' "$command" changed.trace
done
{ cat 7.trace; printf x; } > longer.trace
refuses 65 'bytes follow the end chunk' replay longer.trace

# ---- signals ----------------------------------------------------------------------------------------------------------

for signal in INT:130 TERM:143; do
  code=0
  # A shell that is not interactive lets its background jobs ignore SIGINT; `env` gives it back.
  env --default-signal=INT "$raftlab" explore --profile endless.toml --seeds 1..2 --json --junit signal.xml > out 2> err < /dev/null &
  pid=$!
  sleep 1
  kill "-${signal%:*}" "$pid"
  wait "$pid" || code=$?
  if [ "$code" -ne "${signal#*:}" ]; then fail "SIG${signal%:*} gives $code, not ${signal#*:}"; fi
  says out "\"interrupted\":\"SIG${signal%:*}\""
  says signal.xml '</testsuites>'
done

# ---- the rest ---------------------------------------------------------------------------------------------------------

run 0 ladder
says out 'N18  nothing-leaves-early'
says out 'rungs are active'
for shell in bash zsh fish; do
  run 0 __complete "$shell"
  cmp -s out "$repository/completions/raftlab.$shell" || fail "completions/raftlab.$shell is not what raftlab __complete $shell prints"
done

# completes <expected words, sorted> <word>...: what bash offers for the last word.
completes() {
  local expected=$1 found
  shift
  checks=$((checks + 1))
  found=$(bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _raftlab
    printf "%s\n" "${COMPREPLY[@]}" | sort | tr "\n" " "' bash "$repository/completions/raftlab.bash" "$@")
  if [ "$found" != "$expected " ]; then fail "bash completes $* to '$found', not to '$expected'"; fi
}
completes 'replay run' raftlab r
completes '--seed --seeds --shard' raftlab explore --s
completes '--help --version' raftlab --
completes '' raftlab replay some
for script in bash zsh fish; do
  # The shells that are there say whether their script is one.
  if command -v "$script" > /dev/null; then "$script" -n "$repository/completions/raftlab.$script" || fail "$script -n"; fi
done

if [ "$failures" -gt 0 ]; then
  echo "$failures of $checks checks failed"
  exit 1
fi
echo "$checks checks passed"
