#include "kv/command.hpp"

#include "kv/command.pb.h"
#include "kv/test_commands.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace raftlab::kv {
namespace {

std::vector<std::byte> encoded(const Command& command) {
  std::vector<std::byte> out;
  encode(command, out);
  return out;
}

raft::Bytes as_bytes(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

void set(const Put& put, proto::Put& out) {
  out.set_key(put.key);
  out.set_value(put.value);
}

/// What the generated code makes of a command.
proto::Command in_generated_classes(const Command& command) {
  proto::Command out;
  out.set_client(command.client.value());
  out.set_sequence(command.sequence.value());
  if (const auto* to_put = std::get_if<Put>(&command.change)) {
    set(*to_put, *out.mutable_put());
  } else if (const auto* to_delete = std::get_if<Delete>(&command.change)) {
    out.mutable_delete_()->set_key(to_delete->key);
  } else if (const auto* compare = std::get_if<CompareAndSwap>(&command.change)) {
    out.mutable_compare_and_swap()->set_key(compare->key);
    if (compare->expected) out.mutable_compare_and_swap()->set_expected(*compare->expected);
    out.mutable_compare_and_swap()->set_value(compare->value);
  } else if (const auto* batch = std::get_if<PutBatch>(&command.change)) {
    for (const Put& put : batch->entries) set(put, *out.mutable_put_batch()->add_entries());
  } else {
    out.mutable_open_session();
  }
  return out;
}

RC_GTEST_PROP(CommandProperty, survives_the_round_trip, ()) {
  const Command command = test::draw_command();
  const std::vector<std::byte> bytes = encoded(command);
  RC_ASSERT(bytes.size() == encoded_size(command));
  RC_ASSERT(decode(bytes) == command);
}

RC_GTEST_PROP(CommandProperty, is_written_as_the_generated_classes_write_it, ()) {
  const Command command = test::draw_command();
  const std::string theirs = in_generated_classes(command).SerializeAsString();
  RC_ASSERT(std::ranges::equal(encoded(command), as_bytes(theirs)));
  RC_ASSERT(decode(as_bytes(theirs)) == command);
}

RC_GTEST_PROP(CommandProperty, is_read_by_the_generated_classes, ()) {
  const Command command = test::draw_command();
  const std::vector<std::byte> ours = encoded(command);
  proto::Command theirs;
  RC_ASSERT(theirs.ParseFromArray(ours.data(), static_cast<int>(ours.size())));
  RC_ASSERT(theirs.SerializeAsString() == in_generated_classes(command).SerializeAsString());
}

RC_GTEST_PROP(CommandProperty, bytes_that_are_read_are_the_only_encoding_of_what_was_read, ()) {
  std::vector<std::byte> bytes = encoded(test::draw_command());
  const auto edits = *rc::gen::container<std::vector<std::pair<std::size_t, std::uint8_t>>>(
      rc::gen::pair(rc::gen::inRange<std::size_t>(0, bytes.size()), rc::gen::arbitrary<std::uint8_t>()));
  for (const auto& [at, value] : edits) bytes[at] = static_cast<std::byte>(value);
  const std::optional<Command> read = decode(bytes);
  if (!read) return;
  RC_ASSERT(check(*read) == CommandError::none);
  RC_ASSERT(encoded(*read) == bytes);
  // Whatever we take, the schema takes as well.
  proto::Command theirs;
  RC_ASSERT(theirs.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
}

}  // namespace
}  // namespace raftlab::kv
