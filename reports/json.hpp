#pragma once

#include "reports/campaign.hpp"
#include "simulator/trace.hpp"

#include <string>
#include <string_view>

/// Reports for programs: each function returns one JSON object on one line, without the line feed. docs/cli.md lists the
/// fields; a field that is there stays.
namespace raftlab::reports {

[[nodiscard]] std::string json_seed(const SeedReport& report);
/// `interrupted` is the name of the signal that ended the campaign, or empty.
[[nodiscard]] std::string json_summary(const Campaign& campaign, std::string_view interrupted);

[[nodiscard]] std::string json_trace_header(const simulator::Trace& trace);
[[nodiscard]] std::string json_trace_step(const simulator::TraceStep& step);
[[nodiscard]] std::string json_trace_incident(const simulator::Incident& incident);
[[nodiscard]] std::string json_trace_end(const simulator::Trace& trace);

}  // namespace raftlab::reports
