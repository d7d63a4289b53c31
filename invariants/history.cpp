#include "invariants/history.hpp"

#include "raft/assert.hpp"

#include <utility>

namespace raftlab::invariants {
namespace {

constexpr std::size_t text_bytes_max = 40;

/// Values may be long and binary; a report shows their beginning in printable characters.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char character : text.substr(0, text_bytes_max)) {
    if (character >= ' ' && character <= '~' && character != '"') {
      out += character;
    } else {
      constexpr const char* digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(character);
      out += "\\x";
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    }
  }
  if (text.size() > text_bytes_max) out += "...(" + std::to_string(text.size()) + " bytes)";
  return out + '"';
}

std::string bare(std::string_view key) {
  const std::string text = quoted(key);
  return text.find_first_of("\\ .") == std::string::npos ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

void HistoryRecorder::invoke(OpId id, std::int64_t now_ns, Operation op) {
  const bool fresh = open_.emplace(id, history_.entries.size()).second;
  RAFTLAB_ASSERT(fresh, id.client, id.sequence);
  history_.entries.push_back(
      {.id = id, .op = std::move(op), .outcome = {}, .invoked_ns = now_ns, .index = {}});
}

HistoryEntry& HistoryRecorder::take(OpId id) {
  const auto found = open_.find(id);
  RAFTLAB_ASSERT(found != open_.end(), id.client, id.sequence);
  HistoryEntry& entry = history_.entries[found->second];
  open_.erase(found);
  return entry;
}

void HistoryRecorder::ok(OpId id, std::int64_t now_ns, Outcome outcome, raft::Index index, ReadClaim claim) {
  HistoryEntry& entry = take(id);
  entry.fate = Fate::ok;
  entry.outcome = std::move(outcome);
  entry.returned_ns = now_ns;
  entry.index = index;
  entry.stale = claim == ReadClaim::stale;
}

void HistoryRecorder::fail(OpId id, std::int64_t now_ns) {
  HistoryEntry& entry = take(id);
  entry.fate = Fate::fail;
  entry.returned_ns = now_ns;
}

void HistoryRecorder::unknown(OpId id, std::int64_t now_ns) { take(id).returned_ns = now_ns; }

std::string describe(OpId id) { return std::to_string(id.client) + '.' + std::to_string(id.sequence); }

std::string describe(const Value& value) { return value ? quoted(*value) : "none"; }

std::string describe(const Operation& op) {
  if (const auto* put = std::get_if<Put>(&op)) return "put " + bare(put->key) + '=' + quoted(put->value);
  if (const auto* erase = std::get_if<Delete>(&op)) return "delete " + bare(erase->key);
  if (const auto* swap = std::get_if<CompareAndSwap>(&op)) {
    return "cas " + bare(swap->key) + ": " + describe(swap->expected) + " -> " + quoted(swap->value);
  }
  if (const auto* append = std::get_if<Append>(&op)) {
    return "append " + bare(append->key) + "+=" + quoted(append->value);
  }
  std::string out;
  if (const auto* batch = std::get_if<PutBatch>(&op)) {
    out = "batch";
    for (const Put& put : batch->entries) out += ' ' + bare(put.key) + '=' + quoted(put.value);
    return out;
  }
  out = "get";
  for_each_key(op, [&out](std::string_view key) { out += ' ' + bare(key); });
  return out;
}

std::string describe(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::done: return "done";
    case Outcome::Kind::compare_failed:
      return outcome.found_told ? "compare failed, found " + describe(outcome.value) : "compare failed";
    case Outcome::Kind::values: break;
  }
  if (outcome.values.empty()) return "read " + describe(outcome.value);
  std::string out = "read";
  for (const Value& value : outcome.values) out += ' ' + describe(value);
  return out;
}

std::string describe(const HistoryEntry& entry) {
  std::string out =
      describe(entry.id) + ' ' + describe(entry.op) + " [" + std::to_string(entry.invoked_ns) + ',';
  switch (entry.fate) {
    case Fate::ok: return out + std::to_string(entry.returned_ns) + "] ok: " + describe(entry.outcome);
    case Fate::fail: return out + std::to_string(entry.returned_ns) + "] refused";
    case Fate::unknown: break;
  }
  return out + "...] unknown";
}

}  // namespace raftlab::invariants
