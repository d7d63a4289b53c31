#include "reports/show.hpp"

#include "reports/format.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <vector>

namespace raftlab::reports {
namespace {

using simulator::Incident;
using simulator::TraceStep;

/// All columns before `what`. C/A/D/last: commit, applied, durable, last index.
constexpr std::array<const char*, 7> headings = {"step", "time", "node", "T", "role", "V", "C/A/D/last"};
using Cells = std::array<std::string, headings.size()>;

std::string time_of(simulator::Time time) {
  std::string text = seconds(time);
  text.erase(text.size() - 2, 1);  // "12.771s": the blank costs a column
  return text;
}

Cells cells_of(const TraceStep& step) {
  const auto number = [](auto value) { return std::to_string(value.value()); };
  return {grouped(step.number),
          time_of(step.time),
          "n" + number(step.node),
          number(step.term),
          short_name(step.role),
          step.vote ? "n" + number(step.vote) : "-",
          number(step.commit) + "/" + number(step.applied) + "/" + number(step.durable) + "/" +
              number(step.last)};
}

/// An incident has no state: its words begin where a step's state does.
constexpr std::size_t incident_columns = 3;
Cells cells_of(const Incident& incident) {
  return {"*", time_of(incident.time),
          incident.node ? "n" + std::to_string(incident.node.value()) : std::string("all")};
}

/// Numbers to the right, words to the left.
bool aligned_right(std::size_t column) { return column == 0 || column == 1 || column == 3; }

using Widths = std::array<std::size_t, headings.size()>;

std::string line_of(const Cells& cells, const Widths& widths, std::size_t count = headings.size()) {
  std::string line;
  for (std::size_t i = 0; i < count; ++i) {
    line += "  " + (aligned_right(i) ? right(cells[i], widths[i]) : left(cells[i], widths[i]));
  }
  return line;
}

std::string what_of(const simulator::Trace& trace, const TraceStep& step) {
  std::string marks;
  for (const invariants::Finding& finding : trace.findings) {
    if (finding.step == step.number) marks += std::string("! ") + invariants::info(finding.rung).id + "  ";
  }
  return marks + printable(step.what);
}

std::string what_of(const Incident& incident) {
  return std::string(name(incident.kind)) + ": " + printable(incident.what);
}

}  // namespace

std::vector<std::size_t> choose_steps(const simulator::Trace& trace, const ShowOptions& options) {
  std::vector<std::size_t> chosen;
  std::size_t before = 0;  // of the chosen ones, those before `around`
  for (std::size_t i = 0; i < trace.steps.size(); ++i) {
    if (options.node && trace.steps[i].node.value() != *options.node) continue;
    chosen.push_back(i);
    if (options.around && trace.steps[i].number < *options.around) ++before;
  }
  std::size_t first = 0;
  std::size_t end = chosen.size();
  if (options.around) {
    first = options.context < before ? before - static_cast<std::size_t>(options.context) : 0;
    if (options.context < end - before) end = before + static_cast<std::size_t>(options.context) + 1;
    end = std::min(end, chosen.size());
  }
  if (options.last && *options.last < end - first) first = end - static_cast<std::size_t>(*options.last);
  return {chosen.begin() + static_cast<std::ptrdiff_t>(first),
          chosen.begin() + static_cast<std::ptrdiff_t>(end)};
}

std::vector<ShownLine> choose_lines(const simulator::Trace& trace, const ShowOptions& options) {
  const std::vector<std::size_t> steps = choose_steps(trace, options);
  if (steps.empty() && !trace.steps.empty()) return {};
  ShowOptions every = options;
  every.around = every.last = std::nullopt;
  const std::vector<std::size_t> all = choose_steps(trace, every);
  const bool from_start = steps.empty() || steps.front() == all.front();
  const bool to_end = steps.empty() || steps.back() == all.back();
  std::vector<ShownLine> lines;
  std::size_t next = 0;  // of the chosen steps
  for (std::size_t i = 0; i < trace.incidents.size(); ++i) {
    const Incident& incident = trace.incidents[i];
    while (next < steps.size() && trace.steps[steps[next]].number <= incident.after_step)
      lines.push_back(ShownLine{false, steps[next++]});
    if (options.node && incident.node && incident.node.value() != *options.node) continue;
    // Directly before the first chosen step is not before it.
    const bool after_first =
        from_start || next != 0 || trace.steps[steps.front()].number == incident.after_step + 1;
    const bool before_last = to_end || next < steps.size();
    if (after_first && before_last) lines.push_back(ShownLine{true, i});
  }
  while (next < steps.size()) lines.push_back(ShownLine{false, steps[next++]});
  return lines;
}

void show(std::ostream& out, const simulator::Trace& trace, const ShowOptions& options) {
  const std::vector<ShownLine> lines = choose_lines(trace, options);
  const auto cells = [&](const ShownLine& line) {
    return line.incident ? cells_of(trace.incidents[line.position]) : cells_of(trace.steps[line.position]);
  };
  Cells titles;
  Widths widths{};
  for (std::size_t i = 0; i < headings.size(); ++i) {
    titles[i] = headings[i];
    widths[i] = titles[i].size();
  }
  for (const ShownLine& line : lines) {
    const Cells found = cells(line);
    for (std::size_t i = 0; i < found.size(); ++i) widths[i] = std::max(widths[i], columns(found[i]));
  }
  out << line_of(titles, widths) << "   what\n";
  for (const ShownLine& line : lines) {
    const std::string head =
        line_of(cells(line), widths, line.incident ? incident_columns : headings.size()) +
        (line.incident ? "  " : "   ");
    const std::string what =
        line.incident ? what_of(trace.incidents[line.position]) : what_of(trace, trace.steps[line.position]);
    const std::size_t indent = columns(head);
    const std::size_t room = indent + 16 < line_columns ? line_columns - indent : 16;
    out << head << (options.long_lines ? wrap(what, indent, indent + room) : fit(what, room)) << '\n';
  }
}

}  // namespace raftlab::reports
