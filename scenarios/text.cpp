#include "scenarios/text.hpp"

#include <algorithm>
#include <sstream>

namespace raftlab::scenarios {
namespace {

std::string id_text(raft::LogId id) {
  std::ostringstream out;
  out << id;
  return out.str();
}

std::string join(const std::vector<std::string>& parts, const char* separator) {
  std::string joined;
  for (const std::string& part : parts) joined += (joined.empty() ? "" : separator) + part;
  return joined;
}

std::string hyphenated(std::string text) {
  std::ranges::replace(text, ' ', '-');
  std::ranges::replace(text, '_', '-');
  return text;
}

/// The fields of a message behind kind and term.
struct FieldsOf {
  std::string operator()(const raft::RequestVote& m) const { return " last " + id_text(m.last); }
  std::string operator()(const raft::VoteReply& m) const { return m.granted ? " granted" : " refused"; }
  std::string operator()(const raft::AppendEntries& m) const {
    std::string text = " prev " + id_text(m.prev) + " commit " + number(m.commit) + read(m.read);
    if (!m.entries.empty()) text += " entries";
    for (std::uint32_t i = 0; i < m.entries.size(); ++i) text += " " + with_term(m.entries.entry(i));
    return text;
  }
  std::string operator()(const raft::AppendReply& m) const {
    return " match " + number(m.match) + read(m.read);
  }
  std::string operator()(const raft::AppendReject& m) const {
    return " prev " + number(m.rejected_prev) + " hint " + id_text(m.hint) + read(m.read);
  }
  std::string operator()(const raft::Heartbeat& m) const {
    return " commit " + number(m.commit) + read(m.read);
  }
  std::string operator()(const raft::HeartbeatReply& m) const { return read(m.read); }
  std::string operator()(const raft::InstallSnapshot& m) const {
    return " last " + id_text(m.last) + " bytes " + std::to_string(m.offset) + ".." +
           std::to_string(m.offset + m.chunk.size()) + " of " + std::to_string(m.total);
  }
  std::string operator()(const raft::SnapshotReply& m) const {
    return " last " + number(m.last) +
           (m.installed ? std::string(" installed") : " received " + std::to_string(m.received));
  }
  template <class Other>
  std::string operator()(const Other& /*m*/) const {
    return "";
  }

  [[nodiscard]] static std::string read(raft::ReadSeq round) { return round ? " read " + number(round) : ""; }
};

}  // namespace

std::string name(raft::NodeId node) { return node ? "n" + number(node) : "none"; }

const std::vector<std::string_view>& kinds() {
  static const std::vector<std::string_view> all{
      "pre-vote",       "pre-vote-reply", "vote",       "vote-reply",      "append",
      "append-reply",   "append-reject",  "heartbeat",  "heartbeat-reply", "snapshot",
      "snapshot-reply", "timeout-now",    "read-index", "read-index-reply"};
  return all;
}

const char* kind_of(const raft::Message& message) {
  struct Kind {
    const char* operator()(const raft::RequestVote& m) const { return m.pre ? "pre-vote" : "vote"; }
    const char* operator()(const raft::VoteReply& m) const { return m.pre ? "pre-vote-reply" : "vote-reply"; }
    const char* operator()(const raft::AppendEntries& /*m*/) const { return "append"; }
    const char* operator()(const raft::AppendReply& /*m*/) const { return "append-reply"; }
    const char* operator()(const raft::AppendReject& /*m*/) const { return "append-reject"; }
    const char* operator()(const raft::Heartbeat& /*m*/) const { return "heartbeat"; }
    const char* operator()(const raft::HeartbeatReply& /*m*/) const { return "heartbeat-reply"; }
    const char* operator()(const raft::InstallSnapshot& /*m*/) const { return "snapshot"; }
    const char* operator()(const raft::SnapshotReply& /*m*/) const { return "snapshot-reply"; }
    const char* operator()(const raft::TimeoutNow& /*m*/) const { return "timeout-now"; }
    const char* operator()(const raft::ReadIndex& /*m*/) const { return "read-index"; }
    const char* operator()(const raft::ReadIndexReply& /*m*/) const { return "read-index-reply"; }
  };
  return std::visit(Kind{}, message);
}

std::vector<std::string> puts_of(const kv::Command& command) {
  if (const auto* put = std::get_if<kv::Put>(&command.change)) return {put->key + "=" + put->value};
  if (const auto* swap = std::get_if<kv::CompareAndSwap>(&command.change))
    return {swap->key + "=" + swap->value};
  std::vector<std::string> puts;
  if (const auto* batch = std::get_if<kv::PutBatch>(&command.change)) {
    for (const kv::Put& put : batch->entries) puts.push_back(put.key + "=" + put.value);
  }
  return puts;
}

std::string text_of(const kv::Command& command) {
  if (std::holds_alternative<kv::OpenSession>(command.change)) return "session";
  if (const auto* erase = std::get_if<kv::Delete>(&command.change)) return "delete(" + erase->key + ")";
  if (const auto* swap = std::get_if<kv::CompareAndSwap>(&command.change)) {
    return "cas(" + swap->key + ":" + swap->expected.value_or("none") + "->" + swap->value + ")";
  }
  if (const auto* put = std::get_if<kv::Put>(&command.change); put != nullptr && put->key == put->value)
    return put->key;
  const std::string puts = join(puts_of(command), ",");
  return std::holds_alternative<kv::PutBatch>(command.change) ? "batch(" + puts + ")" : puts;
}

std::string text_of(const raft::EntryView& entry) {
  if (entry.kind == raft::EntryKind::noop) return "noop";
  if (entry.kind == raft::EntryKind::configuration) {
    const auto configuration = raft::decode_configuration(entry.payload);
    if (!configuration) return "malformed";
    return configuration->joint() ? "joint" : "config";
  }
  const auto command = kv::decode(entry.payload);
  return command ? text_of(*command) : "malformed";
}

std::string with_term(const raft::EntryView& entry) { return number(entry.id.term) + ":" + text_of(entry); }

std::string text_of(const raft::Envelope& envelope) {
  return name(envelope.from) + " -> " + name(envelope.to) + " " + kind_of(envelope.message) + " T" +
         number(envelope.term) + std::visit(FieldsOf{}, envelope.message);
}

std::string text_of(const kv::Answer& answer) {
  std::string text = status_word(answer.status);
  if (answer.status == kv::Status::not_leader)
    return text + (answer.leader ? ", ask " + name(answer.leader) : "");
  if (answer.duplicate) text += " duplicate";
  for (const auto& value : answer.values) text += " " + value.value_or("none");
  if (answer.status == kv::Status::compare_failed) text += " found " + answer.found.value_or("none");
  if (answer.index) text += " at " + number(answer.index);
  if (answer.error != kv::CommandError::none) text += std::string(": ") + kv::name(answer.error);
  return text;
}

std::string text_of(const kv::ChangeAnswer& answer) {
  using Outcome = kv::ChangeAnswer::Outcome;
  switch (answer.outcome) {
    case Outcome::accepted: return "accepted at " + number(answer.index);
    case Outcome::transferred: return "transferred";
    case Outcome::rejected: break;
  }
  return "rejected " + rejection_word(answer.reason) + (answer.leader ? ", ask " + name(answer.leader) : "");
}

std::string log_text(const raft::Log& log) {
  std::string text;
  for (raft::Index index = log.first(); index <= log.last(); index = index.next()) {
    text += (text.empty() ? "" : " ") + with_term(log.entry(index));
  }
  return text.empty() ? "nothing" : text;
}

std::string text_of(const raft::View& view, raft::Index applied) {
  const raft::State& state = view.state;
  std::string text = name(view.id) + " T" + number(state.hard.term) + " " + raft::name(state.role) +
                     " vote " + name(state.hard.voted_for) + " leader " + name(state.leader) +
                     " C/A/D/last " + number(state.commit) + "/" + number(applied) + "/" +
                     number(state.durable) + "/" + id_text(state.last);
  return view.faulty ? text + " faulty" : text;
}

std::string status_word(kv::Status status) { return hyphenated(kv::name(status)); }

std::string rejection_word(raft::Rejection reason) {
  switch (reason) {
    case raft::Rejection::not_leader: return "not-leader";
    case raft::Rejection::not_ready: return "not-ready";
    case raft::Rejection::overloaded: return "overloaded";
    case raft::Rejection::too_large: return "too-large";
    case raft::Rejection::transferring: return "transferring";
    case raft::Rejection::change_in_flight: return "change-in-flight";
    case raft::Rejection::bad_configuration: return "bad-configuration";
    case raft::Rejection::not_caught_up: return "not-caught-up";
    case raft::Rejection::bad_target: return "bad-target";
    case raft::Rejection::timed_out: return "timed-out";
  }
  return "?";
}

std::optional<invariants::Rung> rung_named(std::string_view id) {
  for (const invariants::RungInfo& info : invariants::rungs()) {
    if (id == info.id) return info.rung;
  }
  return std::nullopt;
}

}  // namespace raftlab::scenarios
