#pragma once

#include "raft/types.hpp"
#include "tools/diskeyval/client.hpp"
#include "tools/diskeyval/exit_code.hpp"

#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What people ask of a cluster. Results go to `out`, which a script reads: a value as its bytes and a newline, everything
/// else as one line. A write opens a session first and goes out with its number, so that an attempt that is repeated, here
/// or at another node, takes place once.
namespace raftlab::diskeyval {

struct Asked {
  Client* client = nullptr;
  std::ostream* out = nullptr;
  bool json = false;  ///< the answers as the API gives them
};

/// A failure is `refused`, `uncertain` or `unavailable`.
[[nodiscard]] std::optional<Failure> get(const Asked& asked, const std::string& key,
                                         const std::string& read_policy);
[[nodiscard]] std::optional<Failure> put(const Asked& asked, const std::string& key,
                                         const std::string& value);
[[nodiscard]] std::optional<Failure> del(const Asked& asked, const std::string& key);
/// `expected`: none for a key that must not exist.
[[nodiscard]] std::optional<Failure> cas(const Asked& asked, const std::string& key,
                                         const std::optional<std::string>& expected,
                                         const std::string& value);
/// "key=value" each.
[[nodiscard]] std::optional<Failure> mput(const Asked& asked, const std::vector<std::string>& entries);

/// A line for each endpoint.
[[nodiscard]] std::optional<Failure> status(const Asked& asked);
[[nodiscard]] std::optional<Failure> members(const Asked& asked);
/// `voters` and `learners`: "node4=host:port", or "node4" for who is a member already. All others leave.
[[nodiscard]] std::optional<Failure> reconfigure(const Asked& asked, const std::vector<std::string>& voters,
                                                 const std::vector<std::string>& learners, bool force);
[[nodiscard]] std::optional<Failure> transfer(const Asked& asked, raft::NodeId target);

}  // namespace raftlab::diskeyval
