#include "tools/diskeyval/bench_result.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace raftlab::diskeyval {
namespace {

using Json = nlohmann::ordered_json;

struct Column {
  const char* title;
  const char* field;
  std::chrono::nanoseconds (*of)(const Latencies& latencies);
};
constexpr Column columns[] = {
    {"min", "min", [](const Latencies& l) { return l.least(); }},
    {"mean", "mean", [](const Latencies& l) { return l.mean(); }},
    {"p50", "p50", [](const Latencies& l) { return l.percentile(50'000); }},
    {"p90", "p90", [](const Latencies& l) { return l.percentile(90'000); }},
    {"p99", "p99", [](const Latencies& l) { return l.percentile(99'000); }},
    {"p99.9", "p99_9", [](const Latencies& l) { return l.percentile(99'900); }},
    {"max", "max", [](const Latencies& l) { return l.greatest(); }},
};

double per_second(std::uint64_t count, std::chrono::nanoseconds measured) {
  if (measured.count() <= 0) return 0;
  const double rate = static_cast<double>(count) * 1e9 / static_cast<double>(measured.count());
  return std::round(rate * 10) / 10;
}

std::string fixed(double number, int decimals, int width) {
  char text[48];
  std::snprintf(text, sizeof(text), "%*.*f", width, decimals, number);
  return text;
}

/// Four digits that count; a second and more needs no fractions of a millisecond.
std::string milliseconds(std::chrono::nanoseconds time) {
  const double ms = static_cast<double>(time.count()) / 1e6;
  return fixed(ms, ms < 10 ? 3 : (ms < 1'000 ? 2 : 0), 9);
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string row(const char* what, const BenchSide& side, std::chrono::nanoseconds measured) {
  std::string line = std::string(what) + right(std::to_string(side.latencies.count()), 12) +
                     fixed(per_second(side.latencies.count(), measured), 1, 11);
  for (const Column& column : columns)
    line += side.latencies.count() == 0 ? right("-", 9) : milliseconds(column.of(side.latencies));
  return line + '\n';
}

Json json_of(const BenchSide& side, std::chrono::nanoseconds measured) {
  Json object;
  object["operations"] = side.latencies.count();
  object["operations_per_second"] = per_second(side.latencies.count(), measured);
  object["errors"] = side.errors;
  object["latency_us"] = nullptr;
  if (side.latencies.count() != 0) {
    for (const Column& column : columns)
      object["latency_us"][column.field] = static_cast<double>(column.of(side.latencies).count()) / 1e3;
  }
  return object;
}

Json read_policy(const BenchOptions& options) {
  if (!options.read) return nullptr;
  return name(*options.read);
}

}  // namespace

std::string bench_text(const BenchOptions& options, const BenchResult& result) {
  const auto seconds = static_cast<double>(result.measured.count()) / 1e9;
  std::string text = std::string(name(options.target)) + ", " + (options.tls ? "TLS" : "plain") + ", " +
                     std::to_string(options.clients) + (options.clients == 1 ? " client" : " clients") +
                     " at " + (options.spread == BenchSpread::leader ? "the leader" : "all endpoints") +
                     ", " + std::to_string(options.keys) + " keys of " + std::to_string(options.key_size) +
                     " + " + std::to_string(options.value_size) + " bytes, " + fixed(seconds, 1, 0) +
                     " s\n\n";
  text += "        operations per second    ";
  for (const Column& column : columns)
    text += &column == columns ? right(column.title, 5) : right(column.title, 9);
  text += "  ms\n";
  if (options.reads_percent < 100) text += row("writes", result.writes, result.measured);
  if (options.reads_percent > 0) text += row("reads ", result.reads, result.measured);
  if (result.errors() != 0) {
    text += "\n" + right(std::to_string(result.errors()), 18) + " errors\n";
    for (const auto& [kind, count] : result.errors_by_kind)
      text += right(std::to_string(count), 18) + " " + kind + '\n';
  }
  return text;
}

std::string bench_json(const BenchOptions& options, const BenchResult& result) {
  Json object;
  object["target"] = name(options.target);
  object["tls"] = options.tls.has_value();
  object["spread"] = name(options.spread);
  object["clients"] = options.clients;
  object["keys"] = options.keys;
  object["key_size"] = options.key_size;
  object["value_size"] = options.value_size;
  object["reads_percent"] = options.reads_percent;
  object["read_policy"] = read_policy(options);
  object["warm_up_ms"] = options.warm_up.count();
  object["measured_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(result.measured).count();
  object["operations"] = result.operations();
  object["operations_per_second"] = per_second(result.operations(), result.measured);
  object["errors"] = result.errors();
  object["errors_by_kind"] = Json::object();
  for (const auto& [kind, count] : result.errors_by_kind) object["errors_by_kind"][kind] = count;
  object["writes"] = json_of(result.writes, result.measured);
  object["reads"] = json_of(result.reads, result.measured);
  return object.dump() + "\n";
}

std::optional<Failure> objection_to(const BenchResult& result) {
  if (result.operations() != 0) return std::nullopt;
  if (result.errors() == 0) return Failure{ExitCode::unavailable, "it ended before anything was measured"};
  return Failure{ExitCode::unavailable,
                 "nothing succeeded: " + std::to_string(result.errors()) + " errors, no operation"};
}

}  // namespace raftlab::diskeyval
