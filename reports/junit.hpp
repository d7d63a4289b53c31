#pragma once

#include "reports/campaign.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace raftlab::reports {

/// A JUnit file of a campaign: one test case for each seed, a failure of the type of its root rung. Keeps a line or two
/// per seed.
class JunitReport {
 public:
  explicit JunitReport(std::string commit) : commit_(std::move(commit)) {}

  /// `trace` is the path of the saved trace, or empty; `replay` the line that replays.
  void add(const SeedReport& report, std::string_view trace, std::string_view replay);
  [[nodiscard]] std::string text() const;

 private:
  std::string commit_;
  std::string cases_;
  std::uint64_t tests_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t skipped_ = 0;
  std::int64_t cpu_ns_ = 0;
};

/// A text as it may stand in an attribute or an element: markup is escaped, and what XML 1.0 cannot hold becomes '?'.
[[nodiscard]] std::string escape_xml(std::string_view text);

}  // namespace raftlab::reports
