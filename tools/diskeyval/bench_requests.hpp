#pragma once

#include "tools/diskeyval/bench_options.hpp"
#include "tools/diskeyval/bench_work.hpp"

#include <string>
#include <string_view>

namespace raftlab::diskeyval {

/// Operations as the target wants them over HTTP, and what its answers mean. One thread.
///
/// diskeyval: PUT and GET /kv/<key>, POST /kv/mput. A write has no session of the client: the node numbers it.
/// etcd: POST /v3/kv/put, /v3/kv/range and /v3/kv/txn.
class BenchRequests {
 public:
  explicit BenchRequests(const BenchOptions& options);

  /// Writes the whole request over what is in `text`. `host` is for the field of this name.
  void write(const BenchOperation& operation, const std::string& host, std::string& text) const;

  /// "" when it was done; otherwise the kind of error, from a set that is small as long as the other side means well: "503
  /// overloaded".
  [[nodiscard]] std::string error_in(const BenchOperation& operation, unsigned status,
                                     const std::string& body) const;

 private:
  struct Parts;
  [[nodiscard]] Parts to_diskeyval(const BenchOperation& operation) const;
  [[nodiscard]] Parts to_etcd(const BenchOperation& operation) const;

  const BenchOptions& options_;
  std::string value_;         // letters and digits
  std::string value_base64_;  // the same
  std::string read_query_;
};

}  // namespace raftlab::diskeyval
