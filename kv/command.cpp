#include "kv/command.hpp"

#include "kv/protobuf.hpp"
#include "raft/assert.hpp"
#include "raft/hash.hpp"

#include <limits>

namespace raftlab::kv {

namespace {

/// kv/command.proto
enum class Field : std::uint8_t {
  command_client = 0x08,
  command_sequence = 0x10,
  command_put = 0x1a,
  command_delete = 0x22,
  command_compare_and_swap = 0x2a,
  command_put_batch = 0x32,
  command_open_session = 0x3a,
  put_key = 0x0a,
  put_value = 0x12,
  delete_key = 0x0a,
  compare_key = 0x0a,
  compare_expected = 0x12,
  compare_value = 0x1a,
  batch_entry = 0x0a,
};

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

// ---- Sizes ------------------------------------------------------------------------------------------------

[[nodiscard]] std::size_t body_size(const Put& put) {
  return default_or_field_size(put.key) + default_or_field_size(put.value);
}
[[nodiscard]] std::size_t body_size(const Delete& erase) { return default_or_field_size(erase.key); }
[[nodiscard]] std::size_t body_size(const CompareAndSwap& compare) {
  return default_or_field_size(compare.key) + (compare.expected ? field_size(compare.expected->size()) : 0) +
         default_or_field_size(compare.value);
}
[[nodiscard]] std::size_t body_size(const PutBatch& batch) {
  std::size_t size = 0;
  for (const Put& put : batch.entries) size += field_size(body_size(put));
  return size;
}
[[nodiscard]] std::size_t body_size(const OpenSession& /*open*/) { return 0; }

[[nodiscard]] std::size_t head_size(const Command& command) {
  return default_or_number_size(command.client.value()) + default_or_number_size(command.sequence.value());
}

// ---- Writing ----------------------------------------------------------------------------------------------

void write_body(FieldWriter& out, const Put& put) {
  out.bytes_unless_empty(Field::put_key, put.key);
  out.bytes_unless_empty(Field::put_value, put.value);
}
void write_body(FieldWriter& out, const Delete& erase) {
  out.bytes_unless_empty(Field::delete_key, erase.key);
}
void write_body(FieldWriter& out, const CompareAndSwap& compare) {
  out.bytes_unless_empty(Field::compare_key, compare.key);
  if (compare.expected) out.bytes(Field::compare_expected, *compare.expected);
  out.bytes_unless_empty(Field::compare_value, compare.value);
}
void write_body(FieldWriter& out, const PutBatch& batch) {
  for (const Put& put : batch.entries) {
    out.field(Field::batch_entry);
    out.varint(body_size(put));
    write_body(out, put);
  }
}
void write_body(FieldWriter& /*out*/, const OpenSession& /*open*/) {}

[[nodiscard]] Field field_of(const Change& change) {
  return std::visit(Overloaded{[](const Put&) { return Field::command_put; },
                               [](const Delete&) { return Field::command_delete; },
                               [](const CompareAndSwap&) { return Field::command_compare_and_swap; },
                               [](const PutBatch&) { return Field::command_put_batch; },
                               [](const OpenSession&) { return Field::command_open_session; }},
                    change);
}

// ---- Reading ----------------------------------------------------------------------------------------------

using Text = std::string_view;

void read_body(FieldReader& in, BasicPut<Text>& put) {
  put.key = in.key(Field::put_key);
  put.value = in.text(Field::put_value, value_bytes_max);
}
void read_body(FieldReader& in, BasicDelete<Text>& erase) { erase.key = in.key(Field::delete_key); }
void read_body(FieldReader& in, BasicCompareAndSwap<Text>& compare) {
  compare.key = in.key(Field::compare_key);
  compare.expected = in.optional_text(Field::compare_expected, value_bytes_max);
  compare.value = in.text(Field::compare_value, value_bytes_max);
}
void read_body(FieldReader& /*in*/, OpenSession& /*open*/) {}
void read_body(FieldReader& in, BasicPutBatch<Text>& batch);

/// True when `bytes` are one message and nothing behind it.
template <class Message>
[[nodiscard]] bool read_all(raft::Bytes bytes, Message& message) {
  FieldReader in(bytes);
  read_body(in, message);
  return in.at_end() && !in.failed();
}

void read_body(FieldReader& in, BasicPutBatch<Text>& batch) {
  while (in.take(Field::batch_entry)) {
    if (batch.entries.size() == batch_entries_max) return in.fail();
    if (!read_all(in.bytes(std::numeric_limits<std::size_t>::max()), batch.entries.emplace_back()))
      return in.fail();
  }
  if (batch.entries.empty()) in.fail();
}

template <class Alternative>
[[nodiscard]] bool read_change(FieldReader& in, ChangeView& change) {
  return read_all(in.bytes(std::numeric_limits<std::size_t>::max()), change.emplace<Alternative>());
}

[[nodiscard]] bool read_change(FieldReader& in, ChangeView& change) {
  if (in.take(Field::command_put)) return read_change<BasicPut<Text>>(in, change);
  if (in.take(Field::command_delete)) return read_change<BasicDelete<Text>>(in, change);
  if (in.take(Field::command_compare_and_swap)) return read_change<BasicCompareAndSwap<Text>>(in, change);
  if (in.take(Field::command_put_batch)) return read_change<BasicPutBatch<Text>>(in, change);
  if (in.take(Field::command_open_session)) return read_change<OpenSession>(in, change);
  return false;
}

// ---- Views ------------------------------------------------------------------------------------------------

/// The same command with texts of another kind.
template <class To, class From>
[[nodiscard]] BasicCommand<To> convert(const BasicCommand<From>& command) {
  using Result = BasicChange<To>;
  const auto put = [](const BasicPut<From>& from) { return BasicPut<To>{To(from.key), To(from.value)}; };
  Overloaded same{[&](const BasicPut<From>& from) -> Result { return put(from); },
                  [](const BasicDelete<From>& from) -> Result { return BasicDelete<To>{To(from.key)}; },
                  [](const BasicCompareAndSwap<From>& from) -> Result {
                    BasicCompareAndSwap<To> to{To(from.key), std::nullopt, To(from.value)};
                    if (from.expected) to.expected.emplace(*from.expected);
                    return to;
                  },
                  [&](const BasicPutBatch<From>& from) -> Result {
                    BasicPutBatch<To> to;
                    to.entries.reserve(from.entries.size());
                    for (const BasicPut<From>& entry : from.entries) to.entries.push_back(put(entry));
                    return to;
                  },
                  [](const OpenSession& open) -> Result { return open; }};
  return BasicCommand<To>{command.client, command.sequence, std::visit(same, command.change)};
}

// ---- Hashes -----------------------------------------------------------------------------------------------

/// Start of the hashes of changes; the kind is added.
constexpr std::uint64_t change_start = 0x6368616e67000005ULL;

[[nodiscard]] std::uint64_t add(std::uint64_t hash, std::string_view text) {
  return raft::hash_bytes(hash, std::as_bytes(std::span(text.data(), text.size())));
}

template <class Any>
[[nodiscard]] std::uint64_t hash_of(const BasicChange<Any>& change) {
  const std::uint64_t start = change_start + change.index();
  return std::visit(Overloaded{[&](const BasicPut<Any>& put) { return add(add(start, put.key), put.value); },
                               [&](const BasicDelete<Any>& erase) { return add(start, erase.key); },
                               [&](const BasicCompareAndSwap<Any>& compare) {
                                 const std::uint64_t hash = add(add(start, compare.key), compare.value);
                                 return compare.expected ? add(hash, *compare.expected) : hash;
                               },
                               [&](const BasicPutBatch<Any>& batch) {
                                 std::uint64_t hash = start;
                                 for (const BasicPut<Any>& put : batch.entries)
                                   hash = add(add(hash, put.key), put.value);
                                 return hash;
                               },
                               [&](const OpenSession&) { return start; }},
                    change);
}

// ---- Limits -----------------------------------------------------------------------------------------------

[[nodiscard]] CommandError check_value(std::string_view value) {
  return value.size() > value_bytes_max ? CommandError::value_too_large : CommandError::none;
}
[[nodiscard]] CommandError check_put(const Put& put) {
  const CommandError error = check_key(put.key);
  return error != CommandError::none ? error : check_value(put.value);
}

}  // namespace

const char* name(CommandError error) {
  switch (error) {
    case CommandError::none: return "none";
    case CommandError::empty_key: return "empty key";
    case CommandError::key_too_large: return "key too large";
    case CommandError::value_too_large: return "value too large";
    case CommandError::empty_batch: return "empty batch";
    case CommandError::batch_too_large: return "batch too large";
    case CommandError::no_sequence: return "no sequence number";
    case CommandError::open_in_session: return "session opened within a session";
    case CommandError::command_too_large: return "command too large";
    case CommandError::sequence_reused: return "another command had this sequence number";
  }
  return "?";
}

CommandError check_key(std::string_view key) {
  if (key.empty()) return CommandError::empty_key;
  return key.size() > key_bytes_max ? CommandError::key_too_large : CommandError::none;
}

CommandError check(const Change& change) {
  return std::visit(
      Overloaded{[](const Put& put) { return check_put(put); },
                 [](const Delete& erase) { return check_key(erase.key); },
                 [](const CompareAndSwap& compare) {
                   if (const CommandError error = check_key(compare.key); error != CommandError::none)
                     return error;
                   if (compare.expected && check_value(*compare.expected) != CommandError::none) {
                     return CommandError::value_too_large;
                   }
                   return check_value(compare.value);
                 },
                 [](const PutBatch& batch) {
                   if (batch.entries.empty()) return CommandError::empty_batch;
                   if (batch.entries.size() > batch_entries_max) return CommandError::batch_too_large;
                   for (const Put& put : batch.entries) {
                     if (const CommandError error = check_put(put); error != CommandError::none) return error;
                   }
                   return CommandError::none;
                 },
                 [](const OpenSession&) { return CommandError::none; }},
      change);
}

CommandError check(const Command& command) {
  if (command.client && !command.sequence) return CommandError::no_sequence;
  if (command.client && std::holds_alternative<OpenSession>(command.change))
    return CommandError::open_in_session;
  return check(command.change);
}

std::size_t encoded_size(const Command& command) {
  return head_size(command) +
         field_size(std::visit([](const auto& change) { return body_size(change); }, command.change));
}

void encode(const Command& command, std::vector<std::byte>& out) {
  std::visit(
      [&](const auto& change) {
        const std::size_t body = body_size(change);
        const std::size_t start = out.size();
        out.resize(start + head_size(command) + field_size(body));
        FieldWriter writer(out.data() + start);
        writer.number(Field::command_client, command.client.value());
        writer.number(Field::command_sequence, command.sequence.value());
        writer.field(field_of(command.change));
        writer.varint(body);
        write_body(writer, change);
        RAFTLAB_ASSERT(writer.at() == out.data() + out.size(), start, out.size());
      },
      command.change);
}

bool decode(raft::Bytes bytes, CommandView& command) {
  FieldReader in(bytes);
  command.client = ClientId(in.number(Field::command_client));
  command.sequence = Sequence(in.number(Field::command_sequence));
  return read_change(in, command.change) && in.at_end() && !in.failed() &&
         !(command.client && !command.sequence) &&
         !(command.client && std::holds_alternative<OpenSession>(command.change));
}

std::optional<Command> decode(raft::Bytes bytes) {
  CommandView seen;
  if (!decode(bytes, seen)) return std::nullopt;
  return convert<std::string>(seen);
}

CommandView view(const Command& command) { return convert<std::string_view>(command); }

std::uint64_t hash(const Change& change) { return hash_of(change); }
std::uint64_t hash(const ChangeView& change) { return hash_of(change); }

}  // namespace raftlab::kv
