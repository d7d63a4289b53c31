#pragma once

#include "kv/service.hpp"
#include "net/tls.hpp"
#include "raft/core.hpp"
#include "raft/types.hpp"
#include "tools/diskeyval/exit_code.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What `diskeyval serve` is told, by flags or by a file: the same names, the same values.
namespace raftlab::diskeyval {

enum class LogForm : std::uint8_t { automatic, text, json };  ///< automatic: text on a terminal, else JSON

struct Settings {
  std::optional<raft::NodeId> id;             ///< none: as the certificate says
  std::string listen = "0.0.0.0:8050";        ///< for peers
  std::optional<std::string> address;         ///< under which peers reach it; none: `listen`
  std::string http = "0.0.0.0:8080";          ///< for clients
  bool plain = false;                         ///< the client port without TLS, on a loopback address
  std::map<raft::NodeId, std::string> peers;  ///< the other first members: where they listen for peers
  std::map<raft::NodeId, std::string> apis;   ///< "https://host:port" of members, for clients who are sent on
  bool join = false;  ///< a cluster that exists: `peers` are who to ask, not the members
  std::optional<std::filesystem::path> data;
  bool memory = false;
  net::TlsFiles tls;
  std::chrono::milliseconds election_timeout{150};
  std::chrono::milliseconds heartbeat{50};
  std::chrono::milliseconds request_timeout{5'000};  ///< of clients' requests that say nothing else
  std::chrono::milliseconds peer_timeout{5'000};  ///< of a handshake, and of one read or write, between nodes
  std::uint64_t compact_every = 100'000;          ///< entries between two snapshots
  kv::ReadPolicy read_policy = kv::ReadPolicy::read_index;
  std::optional<std::uint32_t> lease_drift_ppm;
  raft::Priority priority = raft::Priority::normal;
  LogForm log = LogForm::automatic;
  std::optional<std::filesystem::path> trace;  ///< where each step is written down, for `raftlab audit`
};

/// One thing that can be set: `--read-policy lease` on the command line, `read_policy = "lease"` in a file.
struct Setting {
  std::string_view name;   ///< as in a file
  bool flag = false;       ///< "true" or "false" in a file; without a value on the command line
  std::string_view value;  ///< what stands for the value in the help
  std::string_view help;
  /// What was expected instead, when the text is no value.
  std::function<std::optional<std::string>(Settings&, const std::string&)> set;
};
[[nodiscard]] const std::vector<Setting>& all_settings();

/// A time as it is given everywhere: "150" or "150ms", "5s". What was expected instead when it is none, or out of range.
[[nodiscard]] std::optional<std::string> set_time(std::chrono::milliseconds& to, const std::string& text,
                                                  std::chrono::milliseconds least,
                                                  std::chrono::milliseconds most);

/// "read_policy" as "--read-policy".
[[nodiscard]] std::string flag_of(const Setting& setting);

/// Reads a file of settings (TOML). Failures name file, line and column.
[[nodiscard]] std::optional<Failure> read_settings(const std::filesystem::path& path, Settings& settings);

/// What cannot be together, and what is missing.
[[nodiscard]] std::optional<Failure> objection_to(const Settings& settings);

}  // namespace raftlab::diskeyval
