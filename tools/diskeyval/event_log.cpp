#include "tools/diskeyval/event_log.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <string>

namespace raftlab::diskeyval {
namespace {

using Json = nlohmann::ordered_json;

/// Bytes that are no UTF-8 (a path may hold some) are replaced, not refused.
std::string dumped(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

spdlog::level::level_enum level_of(Severity severity) {
  switch (severity) {
    case Severity::info: return spdlog::level::info;
    case Severity::warning: return spdlog::level::warn;
    case Severity::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

EventLog::EventLog(LogForm form)
    : json_(form == LogForm::json || (form == LogForm::automatic && ::isatty(STDERR_FILENO) == 0)),
      logger_(
          std::make_unique<spdlog::logger>("diskeyval", std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      json_ ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})" : "%Y-%m-%d %H:%M:%S.%e %-7l %v",
      spdlog::pattern_time_type::utc));
  logger_->flush_on(spdlog::level::trace);
}

EventLog::~EventLog() = default;

void EventLog::tell(Severity severity, std::string_view event, const Json& fields) {
  std::string text;
  if (json_) {
    Json object = Json::object();
    object["event"] = event;
    object.update(fields);
    text = dumped(object);
    text = text.substr(1, text.size() - 2);  // the pattern has the braces
  } else {
    text = event;
    for (const auto& [name, value] : fields.items()) {
      const bool bare = value.is_string() &&
                        value.get_ref<const std::string&>().find_first_of(" \"=\\") == std::string::npos;
      text += ' ' + name + '=' + (bare ? value.get<std::string>() : dumped(value));
    }
  }
  logger_->log(level_of(severity), "{}", text);
}

}  // namespace raftlab::diskeyval
