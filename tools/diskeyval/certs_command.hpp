#pragma once

#include "raft/types.hpp"
#include "tools/diskeyval/exit_code.hpp"

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

/// `diskeyval certs`: the authority of a cluster and what it issues, in one directory:
///
///   ca.crt ca.key                the authority; its key signs for the whole cluster and belongs on no node
///   node-<id>.crt .key           of a node
///   <client|admin>-<name>.crt .key
///   revoked.crl                  what was revoked, once anything was
///
/// Nothing is overwritten but the list of what was revoked.
namespace raftlab::diskeyval {

struct CertsInit {
  std::filesystem::path directory;
  std::optional<std::uint64_t> cluster;  ///< none: a random one
  int days = 3650;
};

struct CertsIssue {
  std::filesystem::path directory;
  std::optional<raft::NodeId> node;  ///< either a node
  std::vector<std::string> hosts;    ///< of the node: where clients reach it
  std::string name;                  ///< or a client
  bool admin = false;
  int days = 365;
};

struct CertsRevoke {
  std::filesystem::path directory;
  std::vector<std::filesystem::path> certificates;  ///< none: the list is made anew, with a later end
  int days = 30;
};

struct CertsShow {
  std::vector<std::filesystem::path> files;
};

/// Each says on `out` what it did, and what comes next.
[[nodiscard]] std::optional<Failure> init_certs(const CertsInit& options, std::ostream& out);
[[nodiscard]] std::optional<Failure> issue_certs(const CertsIssue& options, std::ostream& out);
[[nodiscard]] std::optional<Failure> revoke_certs(const CertsRevoke& options, std::ostream& out);
[[nodiscard]] std::optional<Failure> show_certs(const CertsShow& options, std::ostream& out);

}  // namespace raftlab::diskeyval
