#!/usr/bin/env bash
# Proves: the workbench finds every mistake of the corpus beside this script. Each patch is applied to a copy of the
# sources, built, and explored with default flags from three first seeds; a rung other than N0 must fall in time.
#
#   hunt.sh [OPTION]... [ID]...    hunt the mistakes with these identifiers (default: all of them)
#
#   --known          run only the seeds that the patches name, one each: quick, and independent of the machine's speed
#   --apply          only see that every patch applies and that its header is complete
#   --update         write the rung and the seeds that were found into the headers of the patches
#   --budget N       CPU-seconds for each mistake and first seed (default 60)
#   --keep DIR       work in DIR and keep it, so that the next hunt builds less
#
# Prints one row for each mistake and first seed. Ends with 1 when a mistake was not found, or by N0 only, when a patch
# does not apply any more, or when the patched sources do not build.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
first_seeds=(1 100001 200001)
seeds_per_start=100000

usage() { sed -n '2,/^set -/{/^# \{0,1\}/s///p}' "${BASH_SOURCE[0]}"; }
say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'hunt.sh: %s\n' "$*" >&2; exit 64; }

known=no apply_only=no update=no budget_cpu_s=60 scratch='' ids=()
while [ $# -gt 0 ]; do
  case $1 in
    --known) known=yes ;;
    --apply) apply_only=yes ;;
    --update) update=yes ;;
    --budget) [ $# -gt 1 ] || die "--budget: a number of seconds is missing"; budget_cpu_s=$2; shift ;;
    --keep) [ $# -gt 1 ] || die "--keep: a directory is missing"; scratch=$2; shift ;;
    -h | --help) usage; exit 0 ;;
    -*) die "unknown option $1" ;;
    *) ids+=("$1") ;;
  esac
  shift
done
[[ $budget_cpu_s =~ ^[1-9][0-9]*$ ]] || die "--budget: not a number of seconds: $budget_cpu_s"
if [ "$known" = yes ] && [ "$update" = yes ]; then die "--known and --update exclude each other"; fi

patches=()
if [ ${#ids[@]} -eq 0 ]; then
  for patch in "$here"/*.patch; do patches+=("$patch"); done
else
  for id in "${ids[@]}"; do
    [ -f "$here/$id.patch" ] || die "there is no tools/bugs/$id.patch"
    patches+=("$here/$id.patch")
  done
fi

if [ -z "$scratch" ]; then
  scratch=$(mktemp -d)
  # shellcheck disable=SC2064  # the name is known now
  trap "rm -rf -- '$scratch'" EXIT
fi
mkdir -p "$scratch"
scratch=$(cd "$scratch" && pwd)
tree=$scratch/tree
build=$scratch/build
raftlab=$build/bin/raftlab
# Objects are shared with other builds of the same sources, wherever they lie.
export CCACHE_BASEDIR=$scratch CCACHE_NOHASHDIR=1

# ---- sources and build --------------------------------------------------------------------------------------------

# The files of the checkout: tracked ones, and new ones that git would not ignore. In an unpacked source archive
# everything except the build.
list_files() {
  if [ -e "$root/.git" ]; then
    git -C "$root" -c safe.directory="$root" ls-files --cached --others --exclude-standard
  else
    (cd "$root" && find . -type f ! -path './build/*' | sed 's|^\./||')
  fi | grep -v -e '^build/' -e '^tools/bugs/' | sort -u
}

# Only what differs is written, so that a kept scratch directory builds only what changed.
copy_sources() {
  local file
  mkdir -p "$tree"
  list_files > "$scratch/files"
  while IFS= read -r file; do
    [ -f "$root/$file" ] || continue
    cmp -s -- "$root/$file" "$tree/$file" && continue
    mkdir -p -- "$tree/$(dirname -- "$file")"
    cp -p -- "$root/$file" "$tree/$file"
    touch -- "$tree/$file"
  done < "$scratch/files"
  (cd "$tree" && find . -type f | sed 's|^\./||' | sort) | comm -23 - "$scratch/files" | while IFS= read -r file; do
    rm -f -- "$tree/$file"
  done
}

configure() {
  # The release preset, in a directory of our own, without tests and what takes long to build; a mistake may leave
  # something unused.
  (cd "$tree" && cmake --preset release -B "$build" -DRAFTLAB_TESTS=OFF -DRAFTLAB_BENCHMARKS=OFF -DRAFTLAB_WERROR=OFF \
    -DRAFTLAB_LTO=OFF '-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG') > "$scratch/log" 2>&1
}
compile() { cmake --build "$build" --target raftlab ${JOBS:+-j "$JOBS"} > "$scratch/log" 2>&1; }

apply_patch() {
  (cd "$tree" && patch -p1 --forward --batch --no-backup-if-mismatch -r - < "$1") > "$scratch/log" 2>&1
}

# ---- headers ------------------------------------------------------------------------------------------------------

# field <patch> <name>
field() { sed -n "/^--- /q; s/^# $2: *//p" "$1" | head -n 1; }

# Says what is wrong with the header of a patch.
header_errors() {
  local patch=$1 name
  for name in id what source rung found; do
    if [ "$name" = rung ] || [ "$name" = found ]; then [ "$update" = no ] || continue; fi
    [ -n "$(field "$patch" "$name")" ] || echo "the header has no line '# $name: ...'"
  done
  [ "$(field "$patch" id)" = "$(basename "$patch" .patch)" ] || echo "the id is not the name of the file"
}

# known_seed <patch> <first seed>
known_seed() { field "$1" found | grep -oE "seed [0-9]+, [0-9.]+ CPU-seconds \(from $2\)" | awk '{ print $2 + 0 }' || true; }

# write_header <patch> <rung> <found>
write_header() {
  awk -v rung="$2" -v found="$3" '
    /^--- / && !done { print "# rung: " rung; print "# found: " found; done = 1 }
    !done && /^# (rung|found):/ { next }
    { print }' "$1" > "$scratch/header"
  cat "$scratch/header" > "$1"
}

# ---- hunting ------------------------------------------------------------------------------------------------------

# Reads the JSON of a campaign: prints "<last seed> <milliseconds of CPU> <verdict>" at its first violation, at the end of
# the budget or at the end of the seeds.
# shellcheck disable=SC2016  # the dollar signs are awk's
read_campaign='
  match($0, /"seed":[0-9]+/) {
    seed = substr($0, RSTART + 7, RLENGTH - 7)
    if (match($0, /"cpu_seconds":[0-9.eE+-]+/)) cpu_s += substr($0, RSTART + 14, RLENGTH - 14)
    if ($0 ~ /"verdict":"violated"/) verdict = "violated"
    if (verdict != "" || cpu_s * 1000 >= left_ms) exit
  }
  END { printf "%s %d %s\n", seed == "" ? "-" : seed, cpu_s * 1000, verdict == "" ? "holds" : verdict }'

# hunt <from> <to>: sets seed, cpu_ms and rung; rung is empty when nothing other than N0 was found.
hunt() {
  local from=$1 to=$2 pid status left_ms spent_ms verdict rungs only_n0=''
  cpu_ms=0 rung='' seed=''
  while [ "$from" -le "$to" ]; do
    left_ms=$((budget_cpu_s * 1000 - cpu_ms))
    [ "$left_ms" -gt 0 ] || break
    rm -f "$scratch/fifo"
    mkfifo "$scratch/fifo"
    "$raftlab" explore --seeds "$from..$to" --jobs 1 --json --out "$scratch/out" \
      > "$scratch/fifo" 2> "$scratch/found" < /dev/null &
    pid=$!
    # Behind a violation raftlab says on stderr which rungs fell, and ends by itself.
    read -r seed spent_ms verdict < <(awk -v left_ms="$left_ms" "$read_campaign" "$scratch/fifo") || true
    if [ "$verdict" != violated ]; then kill -TERM "$pid" 2> /dev/null || true; fi
    status=0
    wait "$pid" || status=$?
    cpu_ms=$((cpu_ms + spent_ms))
    if [ "$verdict" != violated ]; then
      case $status in 0 | 1 | 2 | 13 | 141 | 143) break ;; esac
      sed 's/^/  /' "$scratch/found" >&2
      break
    fi
    rungs=$(grep -oE '^ *(root|then) +[NDRGEV][0-9]+' "$scratch/found" | awk '{ print $2 }' || true)
    rung=$(grep -vx N0 <<< "$rungs" | lowest || true)
    [ -z "$rung" ] || return 0
    only_n0=yes
    from=$((seed + 1))
  done
  [ -z "$only_n0" ] || rung_note=N0
}

# The lowest of the rungs on standard input: the order of the ladder is that of its letters, then of the numbers.
lowest() {
  awk '{ print index("NDRGEV", substr($0, 1, 1)), substr($0, 2), $0 }' | sort -k1,1n -k2,2n | awk 'NR == 1 { print $3 }'
}

row() { printf '%-13s %-8s %-6s %9s %9s %12s  %s\n' "$@"; }

failures=0
fail() {
  failures=$((failures + 1))
  row "$1" "${2:--}" "${3:--}" "${4:--}" "${5:--}" "${6:--}" "$7"
}

# hunt_all <patch> <id> <expected rung>
hunt_all() {
  local patch=$1 id=$2 expected=$3 first from to rung_note seed cpu_ms rung cpu lowest_rung='' found='' remark
  for first in "${first_seeds[@]}"; do
    from=$first to=$((first + seeds_per_start - 1))
    if [ "$known" = yes ]; then
      from=$(known_seed "$patch" "$first") to=$from
      if [ -z "$from" ]; then
        fail "$id" "$expected" - "$first" - - "the header names no seed from $first"
        continue
      fi
    fi
    rung_note=''
    hunt "$from" "$to"
    cpu=$(awk -v ms="$cpu_ms" 'BEGIN { printf "%.1f", ms / 1000 }')
    if [ -z "$rung" ]; then
      fail "$id" "$expected" "$rung_note" "$first" - "$cpu" "NOT FOUND${rung_note:+ except by N0}"
      found=none
      continue
    fi
    remark=''
    if [ -n "$expected" ] && [ "$rung" != "$expected" ]; then remark='by another rung than noted'; fi
    row "$id" "${expected:--}" "$rung" "$first" "$seed" "$cpu" "$remark"
    lowest_rung=$(printf '%s\n' "$lowest_rung" "$rung" | grep . | lowest)
    if [ "$found" != none ]; then found+="${found:+; }seed $seed, $cpu CPU-seconds (from $first)"; fi
  done
  if [ "$update" = yes ] && [ "$found" != none ]; then write_header "$patch" "$lowest_rung" "$found"; fi
}

say "copying the sources"
copy_sources
if [ "$apply_only" = no ]; then
  say "building them as they are"
  { configure && compile; } || { tail -n 40 "$scratch/log" >&2; die "the sources do not build"; }
fi

row mistake expected found from seed CPU-seconds ''
for patch in "${patches[@]}"; do
  id=$(basename "$patch" .patch)
  expected=$(field "$patch" rung)
  errors=$(header_errors "$patch")
  if [ -n "$errors" ]; then
    while IFS= read -r error; do fail "$id" "$expected" '' '' '' '' "$error"; done <<< "$errors"
    continue
  fi
  copy_sources
  if ! apply_patch "$patch"; then
    fail "$id" "$expected" '' '' '' '' "does not apply: $(grep -m 1 -E 'FAILED|No file|malformed|garbage' "$scratch/log" || tail -n 1 "$scratch/log")"
    continue
  fi
  [ "$apply_only" = no ] || continue
  if ! compile; then
    grep -E 'error:' "$scratch/log" | head -n 5 >&2 || tail -n 20 "$scratch/log" >&2
    fail "$id" "$expected" '' '' '' '' "does not build"
    continue
  fi
  hunt_all "$patch" "$id" "$expected"
done
copy_sources

if [ "$failures" -gt 0 ]; then
  printf '%d of %d mistakes: see above what is wrong\n' "$failures" "${#patches[@]}"
  exit 1
fi
if [ "$apply_only" = yes ]; then
  printf 'all %d patches apply\n' "${#patches[@]}"
elif [ "$known" = yes ]; then
  printf 'all %d mistakes were found by the seeds that they name\n' "${#patches[@]}"
else
  printf 'all %d mistakes were found from %s, within %s CPU-seconds each\n' "${#patches[@]}" "${first_seeds[*]}" "$budget_cpu_s"
fi
