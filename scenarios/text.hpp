#pragma once

#include "invariants/rungs.hpp"
#include "kv/service.hpp"
#include "raft/entry.hpp"
#include "raft/messages.hpp"
#include "raft/state.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How the language writes things down.
namespace raftlab::scenarios {

/// "n1"; "none" for 0.
[[nodiscard]] std::string name(raft::NodeId node);
template <class Number>
[[nodiscard]] std::string number(Number value) {
  return std::to_string(value.value());
}
/// The names of messages in the language: "append", "vote-reply", "pre-vote" ...
[[nodiscard]] const char* kind_of(const raft::Message& message);
/// All of them.
[[nodiscard]] const std::vector<std::string_view>& kinds();

/// "a=1" ("a" when key and value are the same), "delete(a)", "cas(a:1->2)", "batch(a=1,b=2)", "session",
/// "noop", "config", "joint" (a configuration in which two sides decide): never with a space.
[[nodiscard]] std::string text_of(const kv::Command& command);
[[nodiscard]] std::string text_of(const raft::EntryView& entry);
/// "2:a=1": the term, and what the entry carries.
[[nodiscard]] std::string with_term(const raft::EntryView& entry);
/// "n1 -> n2 append T2 prev (1,1) commit 1 entries 2:noop"
[[nodiscard]] std::string text_of(const raft::Envelope& envelope);
/// "ok at 3", "not-leader, ask n2"
[[nodiscard]] std::string text_of(const kv::Answer& answer);
/// "accepted at 3", "rejected not-leader, ask n2", "transferred"
[[nodiscard]] std::string text_of(const kv::ChangeAnswer& answer);
[[nodiscard]] std::string log_text(const raft::Log& log);
/// "n1 T2 leader vote n1 leader n1 C/A/D/last 3/3/3/(2,3)", with what the state machine has applied.
[[nodiscard]] std::string text_of(const raft::View& view, raft::Index applied);

/// "key=value" for each key that the command sets if it takes effect.
[[nodiscard]] std::vector<std::string> puts_of(const kv::Command& command);

/// "not-leader" and so on: the names of `kv::Status` as single words.
[[nodiscard]] std::string status_word(kv::Status status);

/// "change-in-flight" and so on.
[[nodiscard]] std::string rejection_word(raft::Rejection reason);
/// The last of them.
inline constexpr raft::Rejection rejection_last = raft::Rejection::timed_out;

[[nodiscard]] std::optional<invariants::Rung> rung_named(std::string_view id);

}  // namespace raftlab::scenarios
