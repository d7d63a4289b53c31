#include "simulator/trace.hpp"

#include <sstream>
#include <utility>

namespace raftlab::simulator {
namespace {

TraceStep trace_step(const StepRecord& record) {
  TraceStep step;
  step.number = record.number;
  step.time = record.time;
  step.node = record.node;
  step.digest = record.digest;
  step.role = record.state.role;
  step.term = record.state.hard.term;
  step.vote = record.state.hard.voted_for;
  step.commit = record.state.commit;
  step.applied = record.state.applied;
  step.durable = record.state.durable;
  step.last = record.state.last.index;
  return step;
}

std::string hexadecimal(std::uint64_t digest) {
  std::ostringstream out;
  out << std::hex << digest;
  return out.str();
}

std::string in_words(const TraceStep& step) {
  std::ostringstream out;
  out << "step " << step.number << " of n" << step.node;
  return out.str();
}

/// Compares a run with the recorded one while it goes on.
class Comparison {
 public:
  Comparison(const Trace& trace, ReplayResult& result) : trace_(trace), result_(result) {}

  /// False at the first difference.
  bool compare(const StepRecord& record) {
    const TraceStep found = trace_step(record);
    if (at_ == trace_.steps.size()) {
      return differ(found.number, "end", "the end after " + std::to_string(at_) + " steps", in_words(found));
    }
    const TraceStep& expected = trace_.steps[at_++];
    // The digest comes last: the others say more.
    return equal(found, "step", expected.number, found.number) &&
           equal(found, "time", expected.time, found.time) &&
           equal(found, "node", expected.node, found.node) &&
           equal(found, "role", std::string(name(expected.role)), std::string(name(found.role))) &&
           equal(found, "term", expected.term, found.term) &&
           equal(found, "vote", expected.vote, found.vote) &&
           equal(found, "commit", expected.commit, found.commit) &&
           equal(found, "applied", expected.applied, found.applied) &&
           equal(found, "durable", expected.durable, found.durable) &&
           equal(found, "last", expected.last, found.last) &&
           equal(found, "digest", hexadecimal(expected.digest), hexadecimal(found.digest));
  }

  /// After the run, when no step was different.
  void compare_end(const RunResult& run) {
    if (at_ < trace_.steps.size()) {
      differ(trace_.steps[at_].number, "end", in_words(trace_.steps[at_]),
             "the end after " + std::to_string(at_) + " steps");
      return;
    }
    TraceStep last;
    last.number = trace_.steps.empty() ? 0 : trace_.steps.back().number;
    if (!equal(last, "digest", hexadecimal(trace_.digest), hexadecimal(run.digest))) return;
    if (!equal(last, "verdict", std::string(name(trace_.verdict)), std::string(name(run.verdict)))) return;
    if (!equal(last, "findings", trace_.findings.size(), run.findings.size())) return;
    for (std::size_t i = 0; i < run.findings.size(); ++i) {
      if (!equal(last, "finding", in_words(trace_.findings[i]), in_words(run.findings[i]))) return;
    }
  }

 private:
  static std::string in_words(const invariants::Finding& finding) {
    return std::string(invariants::info(finding.rung).id) + " at step " + std::to_string(finding.step);
  }
  static std::string in_words(const TraceStep& step) { return simulator::in_words(step); }

  template <class Value>
  bool equal(const TraceStep& at, const char* field, const Value& expected, const Value& found) {
    if (expected == found) return true;
    std::ostringstream expected_text;
    std::ostringstream found_text;
    expected_text << expected;
    found_text << found;
    // A step that is another one is named by what was expected at its place.
    const std::uint64_t number =
        at_ != 0 && std::string_view(field) == "step" ? trace_.steps[at_ - 1].number : at.number;
    return differ(number, field, expected_text.str(), found_text.str());
  }

  bool differ(std::uint64_t step, const char* field, std::string expected, std::string found) {
    result_.identical = false;
    result_.step = step;
    result_.field = field;
    result_.expected = std::move(expected);
    result_.found = std::move(found);
    return false;
  }

  const Trace& trace_;
  ReplayResult& result_;
  std::size_t at_ = 0;  // steps compared
};

}  // namespace

Trace record(const TraceHeader& header, Chooser& chooser, RunResult* result, const std::atomic<bool>* stop) {
  Trace trace;
  trace.header = header;
  RecordingChooser recorder(chooser);
  RunOptions options;
  options.checks = header.checks;
  options.stop = stop;
  options.on_step = [&](const StepRecord& record, const raft::trace::Step& step) {
    trace.steps.push_back(trace_step(record));
    trace.steps.back().what = describe(step);
    return true;
  };
  options.on_incident = [&](const Incident& incident) { trace.incidents.push_back(incident); };
  RunResult run_result = run(header.profile, recorder, options);
  trace.decisions = std::move(recorder.decisions());
  trace.verdict = run_result.verdict;
  trace.reason = run_result.reason;
  trace.findings = run_result.findings;
  trace.digest = run_result.digest;
  if (result != nullptr) *result = std::move(run_result);
  return trace;
}

ReplayResult replay(const Trace& trace, const std::atomic<bool>* stop) {
  ReplayResult result;
  ReplayChooser chooser;
  for (const Decision& decision : trace.decisions) chooser.add(decision);
  Comparison comparison(trace, result);
  RunOptions options;
  options.checks = trace.header.checks;
  options.stop = stop;
  options.on_step = [&](const StepRecord& record, const raft::trace::Step& /*step*/) {
    return comparison.compare(record);
  };
  result.run = run(trace.header.profile, chooser, options);
  if (result.identical) comparison.compare_end(result.run);
  return result;
}

}  // namespace raftlab::simulator
