#include "reports/show.hpp"

#include "reports/format.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <vector>

namespace raftlab::reports {
namespace {

using simulator::TraceStep;

/// All columns before `what`. C/A/D/last: commit, applied, durable, last index.
constexpr std::array<const char*, 7> headings = {"step", "time", "node", "T", "role", "V", "C/A/D/last"};
using Cells = std::array<std::string, headings.size()>;

Cells cells_of(const TraceStep& step) {
  const auto number = [](auto value) { return std::to_string(value.value()); };
  std::string time = seconds(step.time);
  time.erase(time.size() - 2, 1);  // "12.771s": the blank costs a column
  return {grouped(step.number),
          time,
          "n" + number(step.node),
          number(step.term),
          short_name(step.role),
          step.vote ? "n" + number(step.vote) : "-",
          number(step.commit) + "/" + number(step.applied) + "/" + number(step.durable) + "/" +
              number(step.last)};
}

/// Numbers to the right, words to the left.
bool aligned_right(std::size_t column) { return column == 0 || column == 1 || column == 3; }

std::string line_of(const Cells& cells, const std::array<std::size_t, headings.size()>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += "  " + (aligned_right(i) ? right(cells[i], widths[i]) : left(cells[i], widths[i]));
  }
  return line + "   ";
}

std::string what_of(const simulator::Trace& trace, const TraceStep& step) {
  std::string marks;
  for (const invariants::Finding& finding : trace.findings) {
    if (finding.step == step.number) marks += std::string("! ") + invariants::info(finding.rung).id + "  ";
  }
  return marks + printable(step.what);
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

void show(std::ostream& out, const simulator::Trace& trace, const ShowOptions& options) {
  const std::vector<std::size_t> chosen = choose_steps(trace, options);
  Cells titles;
  std::array<std::size_t, headings.size()> widths{};
  for (std::size_t i = 0; i < headings.size(); ++i) {
    titles[i] = headings[i];
    widths[i] = titles[i].size();
  }
  for (const std::size_t position : chosen) {
    const Cells cells = cells_of(trace.steps[position]);
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], columns(cells[i]));
  }
  out << line_of(titles, widths) << "what\n";
  const std::size_t indent = columns(line_of(titles, widths));
  const std::size_t room = indent + 16 < line_columns ? line_columns - indent : 16;
  for (const std::size_t position : chosen) {
    const std::string what = what_of(trace, trace.steps[position]);
    out << line_of(cells_of(trace.steps[position]), widths)
        << (options.long_lines ? wrap(what, indent, indent + room) : fit(what, room)) << '\n';
  }
}

}  // namespace raftlab::reports
