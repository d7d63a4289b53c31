#!/usr/bin/env bash
# Proves rules about the repository that no compiler knows. Every failure is one line: file:line: [rule] what.
#
#   repository_test.sh [<root>]     check the repository (default: the one that this script lies in)
#   repository_test.sh --self-test  break every rule in a temporary directory, and see that each one is noticed
#
# Rules:
#   floors        an #include in a folder names only folders that it stands on (the table below)
#   include-root  an #include "..." names a file from the root of the repository: "raft/log.hpp", not "log.hpp"
#   lone-core     raft/ itself includes only the standard library and raft/*.hpp
#   clock thread random hash-order io   do not occur in raft, kv, invariants, simulator; the POSIX disk
#                 (raft/wal/posix*), tests and benchmarks are excepted. boost::unordered_flat_map is allowed for
#                 tables that are only looked up; that nobody iterates over one is for the reviewer to see.
#   proto-map     no map field in a .proto file: its order on the wire is not defined
#   length        no *.hpp or *.cpp is longer than 600 lines
set -euo pipefail
export LC_ALL=C

# Folder: the folders that it may include, besides itself. raft is never short for its sub-folders.
floors='
raft          :
raft/wire     : raft
raft/wal      : raft
raft/trace    : raft raft/wire
raft/snapshot : raft raft/wal
raft/replica  : raft raft/wal raft/trace raft/snapshot
invariants    : raft raft/trace
kv            : raft raft/wal raft/trace raft/snapshot raft/replica
simulator     : raft raft/wire raft/wal raft/trace raft/snapshot raft/replica invariants kv
net           : raft raft/wire raft/wal raft/trace raft/snapshot raft/replica invariants kv
scenarios     : raft raft/wire raft/wal raft/trace raft/snapshot raft/replica invariants kv simulator net
reports       : raft raft/wire raft/wal raft/trace raft/snapshot raft/replica invariants kv simulator net
tools         : raft raft/wire raft/wal raft/trace raft/snapshot raft/replica invariants kv simulator net scenarios reports
examples      : raft raft/wire raft/wal raft/trace raft/snapshot raft/replica kv net
'

length_lines_max=600

# The files of the repository: tracked ones, and new ones that git would not ignore. In an unpacked source archive
# everything except the build.
list_files() {
  if [ -e .git ]; then
    # A file can be in the index and gone from the disk.
    git -c safe.directory="$PWD" ls-files --cached --others --exclude-standard |
      while IFS= read -r file; do [ ! -f "$file" ] || printf '%s\n' "$file"; done
  else
    find . -type f | sed 's|^\./||'
  fi | grep -E '\.(hpp|cpp|proto)$' | grep -v '^build/' | sort -u
}

# Prints every violation in the repository in the current directory.
violations() {
  # shellcheck disable=SC2016  # the dollar signs are awk's
  list_files | tr '\n' '\0' | xargs -0 -r awk -v floors="$floors" -v length_lines_max="$length_lines_max" '
    BEGIN {
      count = split(floors, rows, "\n")
      for (row = 1; row <= count; ++row) {
        parts = split(rows[row], words, " ")
        if (parts == 0) continue
        known[words[1]] = 1
        allowed[words[1], words[1]] = 1
        for (part = 3; part <= parts; ++part) allowed[words[1], words[part]] = 1
      }

      # What stands before and behind is no letter, digit or underscore.
      deny("clock", "(system|steady|high_resolution|utc|file)_clock|clock_gettime|gettimeofday|std::time|std::clock" \
                    "|localtime(_r)?|gmtime(_r)?|__rdtsc")
      deny("thread", "std::j?thread|std::this_thread|std::async|std::(shared_|recursive_|timed_)*mutex" \
                     "|std::condition_variable(_any)?|std::(shared_)?future|std::promise|pthread_[a-z_]+|thread_local")
      deny("random", "random_device|mt19937(_64)?|minstd_rand0?|default_random_engine|[a-z_]+_distribution" \
                     "|std::(ranges::)?(shuffle|sample)|std::rand|srand|getrandom|arc4random")
      deny("hash-order", "unordered_(multi)?(map|set)")
      deny("io", "std::(cout|cerr|clog|cin)|std::[a-z]*fstream|std::filesystem|std::getenv|fopen|printf|fprintf|puts")
      header["chrono"] = "clock"
      header["thread"] = header["mutex"] = header["shared_mutex"] = header["condition_variable"] = "thread"
      header["future"] = header["stop_token"] = header["semaphore"] = header["latch"] = header["barrier"] = "thread"
      header["random"] = "random"
      header["unordered_map"] = header["unordered_set"] = "hash-order"
      header["iostream"] = header["fstream"] = header["filesystem"] = "io"
    }

    function deny(rule, words) { pattern[rule] = "(^|[^A-Za-z0-9_])(" words ")($|[^A-Za-z0-9_])" }

    function report(rule, what) { printf "%s:%d: [%s] %s\n", FILENAME, FNR, rule, what }

    # The folder of the table that a path belongs to, or "" when it is none of ours.
    function folder_of(path,    names, first_two) {
      if (split(path, names, "/") < 2) return ""
      first_two = names[1] "/" names[2]
      if (first_two in known) return first_two
      return names[1] in known ? names[1] : ""
    }

    # The line without comments; with texts when they are wanted, else with "" in their place.
    function code(line, with_texts,    at, character, two, result) {
      result = ""
      for (at = 1; at <= length(line); ++at) {
        two = substr(line, at, 2)
        character = substr(line, at, 1)
        if (in_comment) {
          if (two == "*/") { in_comment = 0; ++at }
        } else if (two == "/*") {
          in_comment = 1; ++at
        } else if (two == "//") {
          break
        } else if (character == "\"") {
          result = result character
          for (++at; at <= length(line) && substr(line, at, 1) != "\""; ++at) {
            if (with_texts) result = result substr(line, at, 1)
            if (substr(line, at, 1) == "\\") ++at
          }
          result = result "\""
        } else {
          result = result character
        }
      }
      return result
    }

    function check_include(line,    quoted, path, to) {
      quoted = line ~ /^[ \t]*#[ \t]*include[ \t]*"/
      path = line
      sub(/^[^"<]*["<]/, "", path)
      sub(/[">].*$/, "", path)
      to = folder_of(path)
      if (quoted && to == "") report("include-root", "\"" path "\" is not a path from the root of the repository")
      if (quoted && path ~ /(^|\/)\.\.?\//) report("include-root", "\"" path "\" has a . or .. in it")
      # raft/wal/x.hpp belongs to raft/wal; a folder below raft that the table does not name belongs to no floor.
      if (to == "raft" && path ~ /^raft\/.*\//) report("floors", path " is in a folder without a floor")
      if (here != "" && to != "" && !((here, to) in allowed)) report("floors", here " must not include " path)
      if (here == "raft" && !quoted && !test && path !~ /^[a-z_0-9]+$/)
        report("lone-core", "<" path "> is not a header of the standard library")
      if (deterministic && path in header) report(header[path], "<" path "> is not allowed here")
    }

    FNR == 1 {
      here = folder_of(FILENAME)
      in_comment = 0
      test = FILENAME ~ /_(test|bench|fuzz)\.cpp$/
      deterministic = FILENAME ~ /^(raft|kv|invariants|simulator)\// && FILENAME !~ /^raft\/wal\/posix/ && !test
      if (here == "raft" && FILENAME ~ /^raft\/.*\//) report("floors", "this folder has no floor")
    }

    FILENAME ~ /\.proto$/ {
      if ($0 ~ /^[ \t]*map[ \t]*</) report("proto-map", "a map field has no defined order; use repeated")
      next
    }

    FNR == length_lines_max + 1 { report("length", "the file is longer than " length_lines_max " lines") }

    /^[ \t]*#[ \t]*include[ \t]*["<]/ { if (!in_comment) check_include($0); next }

    {
      # Characters are walked only where a comment or a text may begin or end.
      text = in_comment || $0 ~ /["]|\/[\/*]/ ? code($0, 0) : $0
      if (!deterministic) next
      for (rule in pattern) {
        if (match(text, pattern[rule])) {
          found = substr(text, RSTART, RLENGTH)
          sub(/^[^A-Za-z0-9_]/, "", found)
          sub(/[^A-Za-z0-9_]$/, "", found)
          report(rule, found " is not allowed here")
        }
      }
    }
  '
}

check() {
  cd "$1"
  local found
  found=$(violations | sort -t: -k1,1 -k2,2n)
  if [ -n "$found" ]; then
    printf '%s\n' "$found"
    printf '%d violations of the rules in %s\n' "$(printf '%s\n' "$found" | wc -l)" "tools/repository/repository_test.sh"
    return 1
  fi
  echo "$(list_files | wc -l) files keep the rules"
}

# ---- self-test ----------------------------------------------------------------------------------------------------

# put <file> <line>...
put() {
  mkdir -p "$(dirname "$1")"
  printf '%s\n' "${@:2}" > "$1"
}

# breaks <rule> <file>:<line> <text of that line>; all other lines of the file are blank.
breaks() {
  local file=${2%:*} line=${2##*:} before=() found expected="$2: [$1] "
  for ((; line > 1; --line)); do before+=(''); done
  put "$file" "${before[@]}" "$3"
  found=$(violations)
  rm -rf -- "${file%%/*}"
  if [[ $found != "$expected"* || $found == *$'\n'* ]]; then
    printf 'not noticed as it should be: %s in %s\n  expected %s...\n  got      %s\n' "$3" "$2" "$expected" "${found:-nothing}"
    failures=$((failures + 1))
  fi
}

# keeps <file> <line>...
keeps() {
  local found
  put "$@"
  found=$(violations)
  rm -rf -- "${1%%/*}"
  if [ -n "$found" ]; then
    printf 'noticed, but it is allowed: %s\n' "$found"
    failures=$((failures + 1))
  fi
}

self_test() {
  local directory failures=0
  directory=$(mktemp -d)
  # shellcheck disable=SC2064  # the name is known now
  trap "rm -rf -- '$directory'" EXIT
  cd "$directory"

  breaks floors raft/a.hpp:1 '#include "raft/wal/wal.hpp"'
  breaks floors raft/a_test.cpp:3 '#include "kv/store.hpp"'
  breaks floors raft/wire/a.hpp:2 '#include "raft/wal/wal.hpp"'
  breaks floors raft/wal/a.cpp:1 '#include "raft/replica/replica.hpp"'
  breaks floors raft/snapshot/a.cpp:1 '#include "raft/trace/step.hpp"'
  breaks floors raft/trace/a.hpp:1 '#include "simulator/world.hpp"'
  breaks floors raft/replica/a.hpp:1 '#include "raft/wire/codec.hpp"'
  breaks floors raft/extra/a.cpp:1 ''
  breaks floors kv/a.cpp:1 '#include "raft/extra/a.hpp"'
  breaks floors invariants/a.cpp:1 '#include "kv/command.hpp"'
  breaks floors kv/a.cpp:1 '#include "invariants/history.hpp"'
  breaks floors simulator/a.hpp:7 '#include "net/peer.hpp"'
  breaks floors simulator/a.hpp:7 '#include <scenarios/parser.hpp>'
  breaks floors net/a.hpp:1 '#include "simulator/world.hpp"'
  breaks floors scenarios/a.cpp:1 '#include "reports/text.hpp"'
  breaks floors reports/a.cpp:1 '#include "scenarios/parser.hpp"'
  breaks floors reports/a.cpp:1 '#  include "tools/version/version.hpp"'
  breaks include-root raft/a.cpp:1 '#include "log.hpp"'
  breaks include-root kv/a.cpp:1 '#include "kv/../kv/store.hpp"'
  breaks lone-core raft/a.hpp:1 '#include <boost/crc.hpp>'
  breaks lone-core raft/a.hpp:1 '#include <xxhash.h>'
  breaks clock kv/a.cpp:4 'auto now = std::chrono::steady_clock::now();'
  breaks clock raft/wal/a.cpp:1 '#include <chrono>'
  breaks clock simulator/a.cpp:2 'return std::time(nullptr);'
  breaks thread simulator/a.hpp:2 'std::jthread worker_;'
  breaks thread invariants/a.hpp:2 'std::shared_mutex mutex_;'
  breaks thread raft/a.hpp:2 'thread_local int depth = 0;'
  breaks thread kv/a.hpp:2 '#include <mutex>'
  breaks random simulator/a.cpp:2 'std::random_device device;'
  breaks random raft/a.cpp:2 'std::mt19937_64 generator(7);'
  breaks random raft/a.cpp:2 'std::uniform_int_distribution<int> between(1, 6);'
  breaks random simulator/a.cpp:2 '#include <random>'
  breaks hash-order invariants/a.hpp:2 '#include <unordered_map>'
  breaks hash-order invariants/a.hpp:9 '  std::unordered_set<int> seen_;'
  breaks hash-order invariants/a.hpp:9 '  boost::unordered_multimap<int, int> seen_;  // fast'
  breaks io kv/a.cpp:2 'std::cerr << "here";'
  breaks io raft/trace/a.cpp:2 'std::ofstream file("trace");'
  breaks proto-map raft/wire/a.proto:5 '  map<string, bytes> values = 1;'
  breaks length kv/a.cpp:601 'int last = 0;'

  keeps raft/a.cpp '#include "raft/a.hpp"' '' '#include <vector>'
  keeps raft/a_test.cpp '#include <gtest/gtest.h>' '#include "raft/a.hpp"' '#include <random>' 'std::mt19937 generator;'
  keeps raft/wal/posix_disk.cpp '#include <thread>' 'std::jthread writer;'
  keeps kv/a.hpp '// no std::thread, no clock: steady_clock' 'int my_unordered_map_count;' 'auto text = "std::thread";'
  keeps kv/a.hpp '#include <boost/unordered/unordered_flat_map.hpp>' 'boost::unordered_flat_map<int, int> only_looked_up_;'
  keeps kv/b.hpp '/* std::mutex' '   std::random_device' '*/ int x;' 'auto text = "/*"; int y;'
  keeps net/a.cpp '#include <chrono>' 'auto now = std::chrono::steady_clock::now();'
  keeps tools/a.cpp '#include "simulator/world.hpp"' '#include "tools/version/version.hpp"' '#include <iostream>'
  keeps simulator/a.cpp '#include "raft/wire/messages.pb.h"' '#include "kv/store.hpp"' '#include "invariants/ladder.hpp"'
  keeps raft/wire/a.proto '// a map<string, bytes> would be wrong here' 'repeated Pair map = 1;'

  if [ "$failures" -gt 0 ]; then
    echo "$failures cases of the self-test failed"
    return 1
  fi
  echo "every rule notices what it should"
}

case ${1:-} in
  --self-test) self_test ;;
  *) check "${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}" ;;
esac
