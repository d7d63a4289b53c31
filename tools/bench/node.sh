#!/usr/bin/env bash
# Measures a cluster of three diskeyval nodes on this machine: operations per second and latency beside those of etcd
# (through its JSON gateway, when `etcd` is installed), then what an operator waits for: a leader that was killed, a node that
# starts again, a node that missed much.
#
# Both clusters are durable, talk mutual TLS with the same certificates, hold the same keys, and run side by side; the same
# generator asks their leaders in turns, so that a machine that changes its speed changes it for both. Figures are medians.
#
# usage: node.sh [throughput|operation]...   (default: both; ROUNDS=3 SECONDS_EACH=3)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-3}
diskeyval=$PWD/build/release/bin/diskeyval
mkdir -p build/bench
scratch=$(mktemp -d "$PWD/build/bench/node.XXXXXX") # on the disk of the build, not in a memory file system
cluster=$scratch/diskeyval
certs=$cluster/certs
ports=(28081 28082 28083)
endpoints=127.0.0.1:${ports[0]},127.0.0.1:${ports[1]},127.0.0.1:${ports[2]}
nodes=()     # process ids, etcd's as well
etcd_leader= # where it is; empty: there is none

# end <process id>...
end() {
  local pid
  for pid in "$@"; do
    kill -9 "$pid" 2> /dev/null || continue
    wait "$pid" 2> /dev/null || true
  done
}

finish() {
  end "${nodes[@]}"
  rm -rf "$scratch"
}
trap finish EXIT

fail() {
  echo "bench node: $*" >&2
  exit 1
}

# ---- clusters -------------------------------------------------------------------------------------------------------

client() { "$diskeyval" "$@"; }

# start <node>: as number `node`; its process id is in started[node].
declare -A started
start() {
  "$diskeyval" serve --config "$cluster/node$1.toml" >> "$cluster/node$1.log" 2>&1 < /dev/null &
  started[$1]=$!
  nodes+=($!)
}

start_diskeyval() {
  # `up` makes certificates and settings; the nodes then are started one by one, so that one can be killed.
  : > "$scratch/up.log"
  "$diskeyval" up --dir "$cluster" --peer-port 28051 --http-port "${ports[0]}" > "$scratch/up.log" 2>&1 < /dev/null &
  local up=$!
  nodes+=("$up")
  until grep -q '^ready' "$scratch/up.log"; do
    kill -0 "$up" 2> /dev/null || fail "the cluster did not start: $(cat "$scratch/up.log")"
    sleep 0.1
  done
  kill -TERM "$up"
  wait "$up" || true
  export DISKEYVAL_ENDPOINTS=$endpoints DISKEYVAL_CERT=$certs/admin-me.crt
  local node
  for node in 1 2 3; do start "$node"; done
  client put bench ready > /dev/null
}

start_etcd() {
  local node members=
  etcds=()
  for node in 1 2 3; do members+=${members:+,}n$node=https://127.0.0.1:2809$node; done
  for node in 1 2 3; do
    mkdir -p "$scratch/etcd"
    etcd --name "n$node" --data-dir "$scratch/etcd/$node" --initial-cluster "$members" --initial-cluster-state new \
      --listen-client-urls "https://127.0.0.1:2808$((node + 3))" \
      --advertise-client-urls "https://127.0.0.1:2808$((node + 3))" \
      --listen-peer-urls "https://127.0.0.1:2809$node" --initial-advertise-peer-urls "https://127.0.0.1:2809$node" \
      --cert-file "$certs/node-$node.crt" --key-file "$certs/node-$node.key" --trusted-ca-file "$certs/ca.crt" \
      --client-cert-auth --peer-cert-file "$certs/node-$node.crt" --peer-key-file "$certs/node-$node.key" \
      --peer-trusted-ca-file "$certs/ca.crt" --peer-client-cert-auth --snapshot-count 100000 \
      --quota-backend-bytes 8000000000 > "$scratch/etcd/$node.log" 2>&1 < /dev/null &
    nodes+=($!)
    etcds+=($!)
  done
  local waited=0
  until grep -q 'became leader' "$scratch"/etcd/*.log; do
    sleep 0.2
    [ $((waited += 1)) -lt 100 ] || fail "etcd has no leader: $(tail -n 1 "$scratch"/etcd/*.log)"
  done
  for node in 1 2 3; do
    if grep -q 'became leader' "$scratch/etcd/$node.log"; then etcd_leader=127.0.0.1:2808$((node + 3)); fi
  done
}

# leader: the number of the diskeyval node that leads, as soon as one does.
leader() {
  local number=
  until [ -n "$number" ]; do
    # A node that is down is an error of `status`, and that is expected here.
    number=$({ client status --json 2> /dev/null || true; } | sed -n 's/.*"leader":\([0-9][0-9]*\).*/\1/p' | sed 1q)
  done
  echo "$number"
}

# ---- figures --------------------------------------------------------------------------------------------------------

# field <writes|reads> <name> <JSON>
field() { sed -n "s/.*\"$1\":{[^}]*\"$2\":\([0-9.]*\).*/\1/p" <<< "$3"; }

median() { sort -g | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

# measure <writes|reads> <bench arguments>...: operations per second, p50 and p99 in milliseconds
measure() {
  local kind=$1 said
  shift
  said=$(client bench --json --warm-up 1s --duration "${seconds}s" "$@")
  echo "$(field "$kind" operations_per_second "$said") $(field "$kind" p50 "$said") $(field "$kind" p99 "$said")" |
    awk '{ printf "%.0f %.2f %.2f\n", $1, $2 / 1000, $3 / 1000 }'
}

# row <name> <writes|reads> <clients> <bench arguments>...
row() {
  local name=$1 kind=$2 clients=$3 round
  shift 3
  : > "$scratch/ours"
  : > "$scratch/theirs"
  for ((round = 0; round < rounds; ++round)); do
    measure "$kind" --clients "$clients" "$@" >> "$scratch/ours"
    [ -z "$etcd_leader" ] ||
      measure "$kind" --target etcd --endpoints "$etcd_leader" --clients "$clients" "$@" >> "$scratch/theirs"
  done
  local ours theirs column
  for column in 1 2 3; do
    ours[column]=$(cut -d' ' -f"$column" "$scratch/ours" | median)
    theirs[column]=$(cut -d' ' -f"$column" "$scratch/theirs" | median)
  done
  printf '%-12s%8s%11s%8s%8s' "$name" "$clients" "${ours[1]}" "${ours[2]}" "${ours[3]}"
  if [ -n "$etcd_leader" ]; then
    printf '%11s%8s%8s' "${theirs[1]}" "${theirs[2]}" "${theirs[3]}"
    awk -v a="${ours[1]}" -v b="${theirs[1]}" -v p="${ours[3]}" -v q="${theirs[3]}" 'BEGIN { printf "%7.1fx %6.1fx", a / b, q / p }'
  fi
  echo
}

throughput() {
  if command -v etcd > /dev/null; then
    start_etcd
    echo "diskeyval beside $(etcd --version | head -n 1 | sed 's/ Version//'), three nodes each, values of 256 bytes, mutual TLS, durable:"
    echo "medians of $rounds runs of $seconds s, in turns; at the right how often more operations, and how much lower p99"
    echo
    printf '%-12s%8s%27s%27s\n' '' '' 'diskeyval' "etcd's JSON gateway"
    printf '%-12s%8s%11s%8s%8s%11s%8s%8s%8s %7s\n' '' clients 'op/s' 'p50 ms' 'p99 ms' 'op/s' 'p50 ms' 'p99 ms' 'op/s' 'p99'
  else
    echo "etcd is not installed (Debian: etcd-server): diskeyval alone, medians of $rounds runs of $seconds s"
    echo
    printf '%-12s%8s%11s%8s%8s\n' '' clients 'op/s' 'p50 ms' 'p99 ms'
  fi
  local clients floor
  floor=$(cd build/bench && ../release/bin/raftlab_net_bench --benchmark_format=csv 2> /dev/null |
    awk -F, '/^"tls_round_trip/ { sum += 2 * $3 } /^"append_and_sync/ { sum += $3 } END { printf "%.3f", sum / 1000 }')
  for clients in 1 16 64 256; do row put writes "$clients"; done
  for clients in 1 64 256; do row get reads "$clients" --reads 100; done
  row 'stale get' reads 64 --reads 100 --read-policy stale
  echo
  echo "The floor of a put that nobody shares, two round trips over TLS and a synced append: $floor ms"
  if [ -n "$etcd_leader" ]; then end "${etcds[@]}"; fi
}

# ---- what an operator waits for -------------------------------------------------------------------------------------

now_ms() { date +%s%3N; }

# answers <node>: milliseconds until a linearizable read at this node succeeds
answers() {
  local begin
  begin=$(now_ms)
  client get bench --endpoints "127.0.0.1:${ports[$1 - 1]}" --timeout 20000 > /dev/null
  echo $(($(now_ms) - begin))
}

stop() {
  kill -TERM "${started[$1]}"
  wait "${started[$1]}" || true
}

memory_mib() { awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/${started[$1]}/status"; }

# kills <times>: milliseconds to the first write behind each kill of the leader, and to a read at the node that came back
kills() {
  local time who begin
  : > "$scratch/writes"
  : > "$scratch/returns"
  for ((time = 0; time < $1; ++time)); do
    who=$(leader)
    begin=$(now_ms)
    end "${started[$who]}"
    client put bench "$time" > /dev/null
    echo $(($(now_ms) - begin)) >> "$scratch/writes"
    start "$who"
    answers "$who" >> "$scratch/returns"
    sleep 1
  done
}

operation() {
  echo "diskeyval, three nodes, election timeout 150 to 300 ms; each time holds that of a client program that starts"
  echo
  kills 9
  echo "leader killed (kill -9), to the first write: $(median < "$scratch/writes") ms, at most $(sort -g "$scratch/writes" | tail -n 1) ms of 9"
  echo "that node started again, to a linearizable read there: $(median < "$scratch/returns") ms"

  client bench --clients 16 --keys 100000 --reads 50 --warm-up 1s --duration 1s > /dev/null
  local follower
  follower=$(($(leader) % 3 + 1))
  stop "$follower"
  start "$follower"
  echo "a follower with 100,000 keys started again, to a linearizable read there: $(answers "$follower") ms"

  client bench --clients 16 --keys 400000 --reads 50 --warm-up 1s --duration 1s > /dev/null
  follower=$(($(leader) % 3 + 1))
  echo "400,000 keys, 104 MiB of keys and values: a follower has $(memory_mib "$follower") MiB of memory"

  end "${started[$follower]}"
  local before during last
  before=$(measure writes --clients 64 --keys 100000)
  client bench --clients 64 --keys 100000 --duration 20s --json > "$scratch/missed"
  start "$follower"
  during=$(measure writes --clients 64 --keys 100000)
  last=$(answers "$follower")
  echo "a follower that missed $(field writes operations "$(cat "$scratch/missed")") writes comes back: leader's puts (op/s, p50 and p99 ms) without it $before," \
    "while it comes $during; $last ms behind that it answers"
}

for program in diskeyval raftlab_net_bench; do
  [ -x "build/release/bin/$program" ] || fail "build it first: ./dev build release diskeyval raftlab_net_bench"
done
start_diskeyval
[ $# -gt 0 ] || set -- throughput operation
for part in "$@"; do
  case $part in
    throughput | operation) "$part" ;;
    *) fail "no such part: $part" ;;
  esac
  echo
done
