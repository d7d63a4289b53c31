#!/usr/bin/env bash
# Proves: a seed means the same run everywhere. The digest of each seed is equal
#   - in the builds release (g++ -O3, across files), dev (g++ -O1, the debug build) and clang-release (clang -O2),
#   - with one job and with two, which take the seeds in different orders,
#   - with every invariant checked and with none,
#   - when the same program runs the same seeds again,
#   - while it is recorded; and what one build recorded, the next one replays, step by step.
# Each of the runs below is compared with the first. It prints which run differed from it in which seed.
#
# usage: determinism.sh [<first seed>..<last seed>]   (default 1..20)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seeds=${1:-1..20}
if ! [[ $seeds =~ ^([0-9]+)\.\.([0-9]+)$ ]]; then
  echo "determinism: not a range of seeds: $seeds" >&2
  exit 2
fi
seed_count=$((BASH_REMATCH[2] - BASH_REMATCH[1] + 1))

builds=(release dev clang-release)
./dev install check
for build in "${builds[@]}"; do
  ./dev build "$build" raftlab
done

results=build/determinism
rm -rf -- "$results"
mkdir -p "$results"

# explore <build> <jobs> <checks> <repetition>: writes "seed digest" lines, sorted for join, to $results/<name>.
explore() {
  local name="$1 jobs=$2 checks=$3 run=$4" code=0
  "build/$1/bin/raftlab" explore --seeds "$seeds" --jobs "$2" --checks "$3" --json \
    > "$results/$name.json" 2> "$results/$name.log" < /dev/null || code=$?
  # 1 says that an invariant fell, which is for another gate; anything else says that there was no run.
  if [ "$code" -gt 1 ]; then
    tail -n 20 "$results/$name.log" >&2
    echo "determinism: raftlab of $name ended with exit code $code" >&2
    exit 1
  fi
  awk '
    match($0, /"seed" *: *"?[0-9]+/) {
      seed = substr($0, RSTART, RLENGTH); sub(/.*[^0-9]/, "", seed)
      if (match($0, /"digest" *: *"?[0-9a-fA-Fx]+/)) {
        digest = substr($0, RSTART, RLENGTH); sub(/^"digest" *: *"?/, "", digest)
        print seed, digest
      }
    }' "$results/$name.json" | LC_ALL=C sort -k1,1 > "$results/$name"
  local lines
  lines=$(wc -l < "$results/$name")
  if [ "$lines" -ne "$seed_count" ] || [ "$(cut -d' ' -f1 "$results/$name" | uniq | wc -l)" -ne "$seed_count" ]; then
    echo "determinism: $name reported $lines digests for $seed_count seeds" >&2
    exit 1
  fi
}

names=()
for build in "${builds[@]}"; do
  for jobs in 1 2; do
    for checks in full off; do
      for run in 1 2; do
        printf '%s jobs=%s checks=%s run=%s\n' "$build" "$jobs" "$checks" "$run"
        explore "$build" "$jobs" "$checks" "$run"
        names+=("$build jobs=$jobs checks=$checks run=$run")
      done
    done
  done
done

# Many times the same digest would agree with itself everywhere: different seeds are different runs.
first=${names[0]}
if [ "$seed_count" -gt 1 ] && [ "$(cut -d' ' -f2 "$results/$first" | sort -u | wc -l)" -lt $(((seed_count + 1) / 2)) ]; then
  echo "determinism: most seeds have the same digest; it does not depend on the seed" >&2
  exit 1
fi

differences=0
for name in "${names[@]:1}"; do
  while read -r seed expected got; do
    printf 'seed %s: %s has %s, but %s has %s\n' "$seed" "$first" "$expected" "$name" "$got"
    differences=$((differences + 1))
  done < <(LC_ALL=C join "$results/$first" "$results/$name" | awk '$2 != $3' | sort -n)
done
if [ "$differences" -gt 0 ]; then
  echo "determinism: $differences digests differ in ${#names[@]} runs of $seed_count seeds" >&2
  exit 1
fi

# A ring: each build replays what the one before it recorded. A replay compares the digest of every step.
seed=${seeds%%..*}
for i in "${!builds[@]}"; do
  recorder=${builds[i]}
  replayer=${builds[(i + 1) % ${#builds[@]}]}
  trace=$results/$recorder.trace
  expected=$(awk -v seed="$seed" '$1 == seed { print $2 }' "$results/$first")
  printf 'seed %s recorded by %s, replayed by %s\n' "$seed" "$recorder" "$replayer"
  code=0
  "build/$recorder/bin/raftlab" explore --seed "$seed" --trace "$trace" --out "$results/out" \
    > "$results/replay.log" 2>&1 < /dev/null || code=$?
  if [ "$code" -gt 1 ] || ! "build/$replayer/bin/raftlab" replay "$trace" > "$results/replay.log" 2>&1; then
    cat "$results/replay.log" >&2
    echo "determinism: $replayer does not repeat what $recorder recorded" >&2
    exit 1
  fi
  if ! grep -q "digest $expected" "$results/replay.log"; then
    cat "$results/replay.log" >&2
    echo "determinism: the recorded run has another digest than $expected" >&2
    exit 1
  fi
done
echo "determinism: ${#names[@]} runs of $seed_count seeds agree in every digest, and recordings in every step"
