#pragma once

#include "tools/diskeyval/settings.hpp"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string_view>

namespace spdlog {
class logger;
}

namespace raftlab::diskeyval {

enum class Severity : std::uint8_t { info, warning, error };

/// What an operator reads: one line for each event on stderr, as text or as a JSON object. No key, no value and no secret is
/// ever in it. One thread.
class EventLog {
 public:
  explicit EventLog(LogForm form);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  ~EventLog();

  /// `fields` is an object, whose members follow in their order.
  void tell(Severity severity, std::string_view event, const nlohmann::ordered_json& fields);

 private:
  bool json_;
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace raftlab::diskeyval
