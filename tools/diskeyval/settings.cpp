#include "tools/diskeyval/settings.hpp"

#include "net/address.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace raftlab::diskeyval {
namespace {

using raft::NodeId;
using Wrong = std::optional<std::string>;  // what was expected
using Milliseconds = std::chrono::milliseconds;

template <class Number>
std::optional<Number> number_of(std::string_view text, Number least, Number most) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most)
    return std::nullopt;
  return number;
}

template <class Number>
Wrong set_number(Number& to, const std::string& text, Number least, Number most) {
  const auto number = number_of<Number>(text, least, most);
  if (!number) return "a number from " + std::to_string(least) + " to " + std::to_string(most);
  to = *number;
  return std::nullopt;
}

Wrong set_address(std::string& to, const std::string& text) {
  if (!net::parse_address(text)) return "an address as host:port or [2001:db8::1]:port";
  to = text;
  return std::nullopt;
}

/// "2" or "node2".
std::optional<NodeId> node_of(std::string_view text) {
  if (text.starts_with("node")) text.remove_prefix(4);
  const auto number = number_of<std::uint32_t>(text, 1, std::numeric_limits<std::uint32_t>::max());
  return number ? std::optional(NodeId(*number)) : std::nullopt;
}

/// "node2=host:port,node3=host:port"; each value must please `check`.
template <class Check>
Wrong set_nodes(std::map<NodeId, std::string>& to, const std::string& text, const char* example,
                Check check) {
  std::map<NodeId, std::string> nodes;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    const auto node = node_of(one.substr(0, equals));
    if (equals == std::string_view::npos || !node || !check(one.substr(equals + 1)) ||
        !nodes.emplace(*node, one.substr(equals + 1)).second)
      return std::string("each node once, as in \"") + example + '"';
  }
  to = std::move(nodes);
  return std::nullopt;
}

bool is_api(std::string_view text) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (text.starts_with(scheme)) return net::parse_address(text.substr(scheme.size())).has_value();
  }
  return false;
}

Wrong set_flag(bool& to, const std::string& text) {
  if (text != "true" && text != "false") return "true or false";
  to = text == "true";
  return std::nullopt;
}

template <class Value>
Wrong set_one_of(Value& to, const std::string& text,
                 const std::vector<std::pair<std::string_view, Value>>& values) {
  std::string names;
  for (const auto& [name, value] : values) {
    if (text == name) {
      to = value;
      return std::nullopt;
    }
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return "one of " + names;
}

template <class Path>
Wrong set_path(Path& to, const std::string& text) {
  if (text.empty()) return "a path";
  to = text;
  return std::nullopt;
}

constexpr std::string_view peers_example = "node2=10.0.0.2:8050,node3=10.0.0.3:8050";
constexpr std::string_view apis_example = "node1=https://10.0.0.1:8080,node2=https://10.0.0.2:8080";

}  // namespace

std::optional<std::string> set_time(Milliseconds& to, const std::string& text, Milliseconds least,
                                    Milliseconds most) {
  std::string_view digits = text;
  std::int64_t unit = 1;
  if (digits.ends_with("ms")) {
    digits.remove_suffix(2);
  } else if (digits.ends_with('s')) {
    digits.remove_suffix(1);
    unit = 1000;
  }
  const auto number = number_of<std::int64_t>(digits, 0, std::numeric_limits<std::int32_t>::max());
  if (!number || Milliseconds(*number * unit) < least || Milliseconds(*number * unit) > most) {
    return "a time from " + std::to_string(least.count()) + " to " + std::to_string(most.count()) +
           " milliseconds (\"150ms\", \"5s\")";
  }
  to = Milliseconds(*number * unit);
  return std::nullopt;
}

const std::vector<Setting>& all_settings() {
  static const std::vector<Setting> all = {
      {"id", false, "N", "This node's number; it must be that of the certificate",
       [](Settings& s, const std::string& text) -> Wrong {
         s.id = node_of(text);
         return s.id ? Wrong() : "a node's number, 1 or more";
       }},
      {"listen", false, "HOST:PORT", "Where peers reach this node (default 0.0.0.0:8050)",
       [](Settings& s, const std::string& text) { return set_address(s.listen, text); }},
      {"address", false, "HOST:PORT", "The same as others see it; needed when --listen is a wildcard",
       [](Settings& s, const std::string& text) { return set_address(s.address.emplace(), text); }},
      {"http", false, "HOST:PORT", "Where clients reach this node (default 0.0.0.0:8080)",
       [](Settings& s, const std::string& text) { return set_address(s.http, text); }},
      {"plain", true, "", "Clients come without TLS, over a loopback address; all of them are administrators",
       [](Settings& s, const std::string& text) { return set_flag(s.plain, text); }},
      {"peers", false, "NODES", "The other first members, as node2=HOST:PORT,node3=HOST:PORT",
       [](Settings& s, const std::string& text) {
         return set_nodes(s.peers, text, peers_example.data(),
                          [](std::string_view address) { return net::parse_address(address).has_value(); });
       }},
      {"apis", false, "NODES", "Where to send clients on to, as node2=https://HOST:PORT,...",
       [](Settings& s, const std::string& text) {
         return set_nodes(s.apis, text, apis_example.data(), is_api);
       }},
      {"join", true, "",
       "Join a cluster that exists: --peers are who may be asked, and somebody adds this node",
       [](Settings& s, const std::string& text) { return set_flag(s.join, text); }},
      {"data", false, "DIR", "Where everything is kept that was acknowledged",
       [](Settings& s, const std::string& text) { return set_path(s.data, text); }},
      {"memory", true, "", "Keep nothing: what this node knows ends with it",
       [](Settings& s, const std::string& text) { return set_flag(s.memory, text); }},
      {"cert", false, "FILE", "This node's certificate (PEM)",
       [](Settings& s, const std::string& text) { return set_path(s.tls.certificate, text); }},
      {"key", false, "FILE", "Its private key (PEM, mode 0600)",
       [](Settings& s, const std::string& text) { return set_path(s.tls.key, text); }},
      {"ca", false, "FILE", "The authorities that are trusted (PEM)",
       [](Settings& s, const std::string& text) { return set_path(s.tls.authorities, text); }},
      {"revoked", false, "FILE", "What they have revoked (PEM)",
       [](Settings& s, const std::string& text) { return set_path(s.tls.revocations, text); }},
      {"election_timeout", false, "TIME", "Drawn anew from this to twice this (default 150ms)",
       [](Settings& s, const std::string& text) {
         return set_time(s.election_timeout, text, Milliseconds(20), Milliseconds(60'000));
       }},
      {"heartbeat", false, "TIME", "Between two heartbeats of a leader (default 50ms)",
       [](Settings& s, const std::string& text) {
         return set_time(s.heartbeat, text, Milliseconds(10), Milliseconds(30'000));
       }},
      {"request_timeout", false, "TIME", "For requests that say nothing else (default 5s)",
       [](Settings& s, const std::string& text) {
         return set_time(s.request_timeout, text, Milliseconds(10), Milliseconds(60'000));
       }},
      {"peer_timeout", false, "TIME", "For a handshake, and one read or write, between nodes (default 5s)",
       [](Settings& s, const std::string& text) {
         return set_time(s.peer_timeout, text, Milliseconds(100), Milliseconds(60'000));
       }},
      {"compact_every", false, "N", "Entries between two snapshots (default 100000)",
       [](Settings& s, const std::string& text) {
         return set_number<std::uint64_t>(s.compact_every, text, 1, std::numeric_limits<std::int64_t>::max());
       }},
      {"read_policy", false, "POLICY", "Of reads that say nothing else: stale, read_index (default) or lease",
       [](Settings& s, const std::string& text) {
         return set_one_of<kv::ReadPolicy>(s.read_policy, text,
                                           {{"stale", kv::ReadPolicy::stale},
                                            {"read_index", kv::ReadPolicy::read_index},
                                            {"lease", kv::ReadPolicy::lease}});
       }},
      {"lease_drift_ppm", false, "N",
       "Allows lease reads: by how much clocks may differ in speed, in millionths",
       [](Settings& s, const std::string& text) {
         return set_number<std::uint32_t>(s.lease_drift_ppm.emplace(), text, 0, 500'000);
       }},
      {"priority", false, "WHICH", "Who rather leads: low, normal (default) or high",
       [](Settings& s, const std::string& text) {
         return set_one_of<raft::Priority>(s.priority, text,
                                           {{"low", raft::Priority::low},
                                            {"normal", raft::Priority::normal},
                                            {"high", raft::Priority::high}});
       }},
      {"log", false, "FORM", "text, json, or auto (default): text on a terminal, else JSON",
       [](Settings& s, const std::string& text) {
         return set_one_of<LogForm>(
             s.log, text, {{"auto", LogForm::automatic}, {"text", LogForm::text}, {"json", LogForm::json}});
       }},
      {"trace", false, "DIR", "Write down there what each step does, keys and values too, for raftlab audit",
       [](Settings& s, const std::string& text) { return set_path(s.trace.emplace(), text); }},
  };
  return all;
}

std::string flag_of(const Setting& setting) {
  std::string flag = "--" + std::string(setting.name);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

std::optional<Failure> objection_to(const Settings& settings) {
  const auto usage = [](std::string message) { return Failure{ExitCode::usage, std::move(message)}; };
  for (const auto& [flag, path] : {std::pair{"--cert", &settings.tls.certificate},
                                   {"--key", &settings.tls.key},
                                   {"--ca", &settings.tls.authorities}}) {
    if (path->empty()) return usage(std::string(flag) + ": is missing (diskeyval certs makes certificates)");
  }
  if (settings.data && settings.memory) return usage("--data and --memory: only one of them");
  if (!settings.data && !settings.memory)
    return usage("--data: is missing (or --memory, for a node that keeps nothing)");
  if (settings.join && settings.peers.empty()) return usage("--join: needs --peers, to have somebody to ask");
  if (!settings.address && !settings.join) {
    const std::string host = net::parse_address(settings.listen)->host;
    if ((host == "0.0.0.0" || host == "::") && !settings.peers.empty())
      return usage("--address: is missing, since nobody can reach " + settings.listen);
  }
  if (settings.heartbeat * 2 > settings.election_timeout)
    return usage("--heartbeat: at most half of --election-timeout was expected");
  if (settings.read_policy == kv::ReadPolicy::lease && !settings.lease_drift_ppm)
    return usage("--read-policy lease: needs --lease-drift-ppm");
  return std::nullopt;
}

}  // namespace raftlab::diskeyval
