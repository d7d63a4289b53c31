#pragma once

#include "raft/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Commands of the key/value store, as they stand in the replicated log.
namespace raftlab::kv {

/// A session of the store: the log index at which it was opened (thesis §6.3), hence never given out twice,
/// and one that the store does not know is one that has ended. 0: without a session; such a command is
/// applied each time that it stands in the log, so a retry may be applied twice.
using ClientId = raft::Number<struct ClientTag, std::uint64_t>;
/// Number of an operation within its session, from 1, higher with each new operation and the same for each
/// retry. A session has one operation under way at a time: a new one gives up the ones before it.
using Sequence = raft::Number<struct SequenceTag, std::uint64_t>;

/// Keys and values are bytes.
inline constexpr std::size_t key_bytes_max = 4096;
inline constexpr std::size_t value_bytes_max = 1U << 20U;
inline constexpr std::size_t batch_entries_max = 128;

// A command holds its keys and values, or is a view of them where they stand: `Text` is std::string or
// std::string_view.

template <class Text>
struct BasicPut {
  Text key;
  Text value;
  friend bool operator==(const BasicPut&, const BasicPut&) = default;
};
template <class Text>
struct BasicDelete {
  Text key;
  friend bool operator==(const BasicDelete&, const BasicDelete&) = default;
};
/// Sets the key to `value` if it holds `expected` (none: if it does not exist).
template <class Text>
struct BasicCompareAndSwap {
  Text key;
  std::optional<Text> expected;
  Text value;
  friend bool operator==(const BasicCompareAndSwap&, const BasicCompareAndSwap&) = default;
};
/// Several puts that take effect together.
template <class Text>
struct BasicPutBatch {
  std::vector<BasicPut<Text>> entries;
  friend bool operator==(const BasicPutBatch&, const BasicPutBatch&) = default;
};

/// Opens a session; the answer carries its `ClientId`. Needs none itself: a retry opens one more, and the one
/// that nobody uses is evicted in its turn.
struct OpenSession {
  friend bool operator==(const OpenSession&, const OpenSession&) = default;
};

template <class Text>
using BasicChange = std::variant<BasicPut<Text>, BasicDelete<Text>, BasicCompareAndSwap<Text>,
                                 BasicPutBatch<Text>, OpenSession>;

template <class Text>
struct BasicCommand {
  ClientId client;
  Sequence sequence;
  BasicChange<Text> change;
  friend bool operator==(const BasicCommand&, const BasicCommand&) = default;
};

using Put = BasicPut<std::string>;
using Delete = BasicDelete<std::string>;
using CompareAndSwap = BasicCompareAndSwap<std::string>;
using PutBatch = BasicPutBatch<std::string>;
using Change = BasicChange<std::string>;
using Command = BasicCommand<std::string>;
/// Valid as long as what it was taken from.
using CommandView = BasicCommand<std::string_view>;
using ChangeView = BasicChange<std::string_view>;

[[nodiscard]] CommandView view(const Command& command);

/// Tells changes apart: by their kind and all their bytes, the same on every node and for both kinds of text.
/// Against mistakes, not against somebody who looks for two changes with one hash: he would fool only himself.
[[nodiscard]] std::uint64_t hash(const Change& change);
[[nodiscard]] std::uint64_t hash(const ChangeView& change);

enum class CommandError : std::uint8_t {
  none,
  empty_key,
  key_too_large,
  value_too_large,
  empty_batch,
  batch_too_large,
  no_sequence,        ///< a command of a session has number 0
  open_in_session,    ///< a session cannot open a session
  command_too_large,  ///< the whole is longer than the log takes (`raft::Limits::proposal_bytes_max`)
  sequence_reused,    ///< told by the store: the session had another command under this number
};
[[nodiscard]] const char* name(CommandError error);

/// What a service checks before it proposes: the limits above.
[[nodiscard]] CommandError check(const Change& change);
[[nodiscard]] CommandError check(const Command& command);
[[nodiscard]] CommandError check_key(std::string_view key);

/// Length of the encoding.
[[nodiscard]] std::size_t encoded_size(const Command& command);
/// Appends the encoding (protobuf, schema in kv/command.proto) to `out`. There is one encoding per command.
void encode(const Command& command, std::vector<std::byte>& out);
/// The command for which `check` is `none` and that `encode` turns into exactly these bytes; none when there
/// is no such command. Takes no more memory than a few times the length of the bytes, whatever they claim.
[[nodiscard]] std::optional<Command> decode(raft::Bytes bytes);
/// The same as a view of the bytes, which copies nothing. False, and `command` is of no use, when there is
/// none.
[[nodiscard]] bool decode(raft::Bytes bytes, CommandView& command);

}  // namespace raftlab::kv
