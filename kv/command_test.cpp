#include "kv/command.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <set>

namespace raftlab::kv {
namespace {

std::vector<std::byte> bytes(std::initializer_list<unsigned> values) {
  std::vector<std::byte> out;
  for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

std::vector<std::byte> encoded(const Command& command) {
  std::vector<std::byte> out;
  encode(command, out);
  return out;
}

std::vector<Command> one_of_each_kind() {
  return {
      Command{ClientId(300), Sequence(7), Put{"k", "value"}},
      Command{ClientId(0), Sequence(0), Put{"k", ""}},
      Command{ClientId(1), Sequence(1), Delete{"key"}},
      Command{ClientId(1), Sequence(2), CompareAndSwap{"k", std::nullopt, "v"}},
      Command{ClientId(1), Sequence(3), CompareAndSwap{"k", "", "v"}},
      Command{ClientId(1), Sequence(4), CompareAndSwap{"k", "old", ""}},
      Command{ClientId(1), Sequence(5), PutBatch{{Put{"a", "1"}, Put{"b", ""}}}},
      Command{ClientId(0), Sequence(0), OpenSession{}},
  };
}

// ---- Bytes
// -----------------------------------------------------------------------------------------------------

TEST(CommandBytes, put_in_a_session) {
  EXPECT_EQ(encoded(Command{ClientId(300), Sequence(7), Put{"k", "ab"}}),
            bytes({0x08, 0xac, 0x02, 0x10, 0x07, 0x1a, 0x07, 0x0a, 0x01, 'k', 0x12, 0x02, 'a', 'b'}));
}

TEST(CommandBytes, an_empty_value_is_left_out) {
  EXPECT_EQ(encoded(Command{ClientId(), Sequence(), Put{"k", ""}}), bytes({0x1a, 0x03, 0x0a, 0x01, 'k'}));
}

TEST(CommandBytes, delete_of_a_key) {
  EXPECT_EQ(encoded(Command{ClientId(), Sequence(), Delete{"k"}}), bytes({0x22, 0x03, 0x0a, 0x01, 'k'}));
}

TEST(CommandBytes, a_compare_with_nothing_differs_from_a_compare_with_an_empty_value) {
  EXPECT_EQ(encoded(Command{ClientId(), Sequence(), CompareAndSwap{"k", std::nullopt, "v"}}),
            bytes({0x2a, 0x06, 0x0a, 0x01, 'k', 0x1a, 0x01, 'v'}));
  EXPECT_EQ(encoded(Command{ClientId(), Sequence(), CompareAndSwap{"k", "", "v"}}),
            bytes({0x2a, 0x08, 0x0a, 0x01, 'k', 0x12, 0x00, 0x1a, 0x01, 'v'}));
}

TEST(CommandBytes, batch_in_its_order) {
  EXPECT_EQ(encoded(Command{ClientId(), Sequence(), PutBatch{{Put{"b", "1"}, Put{"a", ""}}}}),
            bytes({0x32, 0x0d, 0x0a, 0x06, 0x0a, 0x01, 'b', 0x12, 0x01, '1', 0x0a, 0x03, 0x0a, 0x01, 'a'}));
}

TEST(CommandBytes, opening_a_session) {
  EXPECT_EQ(encoded(Command{ClientId(), Sequence(), OpenSession{}}), bytes({0x3a, 0x00}));
}

TEST(CommandBytes, the_largest_numbers_take_ten_bytes_each) {
  const Command command{ClientId(UINT64_MAX), Sequence(UINT64_MAX), Delete{"k"}};
  EXPECT_EQ(encoded(command),
            bytes({0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x10, 0xff, 0xff,
                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x22, 0x03, 0x0a, 0x01, 'k'}));
  EXPECT_EQ(decode(encoded(command)), command);
}

// ---- Round trip and hostile bytes
// ------------------------------------------------------------------------------

TEST(Command, each_kind_survives_the_round_trip) {
  for (const Command& command : one_of_each_kind()) {
    EXPECT_EQ(decode(encoded(command)), command) << command.change.index();
    EXPECT_EQ(encoded(command).size(), encoded_size(command)) << command.change.index();
  }
}

TEST(Command, a_view_of_the_bytes_is_the_command) {
  CommandView read;  // used again and again, as the service does
  for (const Command& command : one_of_each_kind()) {
    const std::vector<std::byte> whole = encoded(command);
    ASSERT_TRUE(decode(raft::Bytes(whole), read)) << command.change.index();
    EXPECT_EQ(read, view(command)) << command.change.index();
  }
}

TEST(Command, a_view_copies_nothing) {
  const std::vector<std::byte> whole = encoded(Command{ClientId(1), Sequence(1), Put{"key", "value"}});
  CommandView read;
  ASSERT_TRUE(decode(raft::Bytes(whole), read));
  const std::string_view key = std::get<BasicPut<std::string_view>>(read.change).key;
  const auto* first = reinterpret_cast<const char*>(whole.data());
  EXPECT_GE(key.data(), first);
  EXPECT_LE(key.data() + key.size(), first + whole.size());
}

TEST(Command, encode_appends) {
  std::vector<std::byte> out = bytes({1, 2, 3});
  encode(Command{ClientId(), Sequence(), OpenSession{}}, out);
  EXPECT_EQ(out, bytes({1, 2, 3, 0x3a, 0x00}));
}

TEST(Command, is_refused_when_cut_off_at_any_byte) {
  for (const Command& command : one_of_each_kind()) {
    const std::vector<std::byte> whole = encoded(command);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(decode(raft::Bytes(whole).first(size))) << command.change.index() << " cut to " << size;
    }
  }
}

TEST(Command, is_refused_with_a_byte_behind_it) {
  for (const Command& command : one_of_each_kind()) {
    for (const unsigned behind : {0x00U, 0x0aU, 0x1aU, 0x3aU, 0xffU}) {
      std::vector<std::byte> longer = encoded(command);
      longer.push_back(static_cast<std::byte>(behind));
      EXPECT_FALSE(decode(longer)) << command.change.index() << " and " << behind;
    }
  }
}

TEST(Command, with_any_byte_changed_is_refused_or_is_another_command_in_its_only_encoding) {
  for (const Command& command : one_of_each_kind()) {
    const std::vector<std::byte> whole = encoded(command);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (unsigned value = 0; value < 256; ++value) {
        std::vector<std::byte> changed = whole;
        changed[at] = static_cast<std::byte>(value);
        const std::optional<Command> read = decode(changed);
        if (!read) continue;
        EXPECT_EQ(check(*read), CommandError::none);
        EXPECT_EQ(encoded(*read), changed);
      }
    }
  }
}

TEST(Command, sizes_that_the_bytes_do_not_hold_are_refused) {
  EXPECT_FALSE(decode({}));
  EXPECT_FALSE(decode(bytes({0x1a})));
  EXPECT_FALSE(decode(bytes({0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})));
  EXPECT_FALSE(decode(bytes({0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x0a, 0x01, 'k'})));
  EXPECT_FALSE(decode(bytes({0x1a, 0x03, 0x0a, 0xff, 'k'})));
  EXPECT_FALSE(decode(bytes({0x1a, 0x04, 0x0a, 0x80, 0x80, 0x01})));
  EXPECT_FALSE(decode(bytes({0x32, 0x03, 0x0a, 0xff, 0x01})));
}

TEST(Command, a_second_way_to_write_the_same_is_refused) {
  EXPECT_FALSE(decode(bytes({0x08, 0x00, 0x22, 0x03, 0x0a, 0x01, 'k'}))) << "a default value";
  EXPECT_FALSE(decode(bytes({0x10, 0x87, 0x00, 0x22, 0x03, 0x0a, 0x01, 'k'}))) << "a long varint";
  EXPECT_FALSE(decode(bytes({0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03, 0x10, 0x01,
                             0x22, 0x03, 0x0a, 0x01, 'k'})))
      << "a varint above 64 bits";
  EXPECT_FALSE(decode(bytes({0x10, 0x01, 0x08, 0x01, 0x22, 0x03, 0x0a, 0x01, 'k'}))) << "fields out of order";
  EXPECT_FALSE(decode(bytes({0x1a, 0x05, 0x0a, 0x01, 'k', 0x12, 0x00}))) << "an empty value";
  EXPECT_FALSE(decode(bytes({0x1a, 0x06, 0x12, 0x01, 'v', 0x0a, 0x01, 'k'}))) << "value before key";
  EXPECT_FALSE(decode(bytes({0x3a, 0x00, 0x3a, 0x00}))) << "a change twice";
  EXPECT_FALSE(decode(bytes({0x22, 0x03, 0x0a, 0x01, 'k', 0x42, 0x00}))) << "an unknown field";
}

TEST(Command, rules_of_sessions_are_checked_when_reading) {
  EXPECT_FALSE(decode(bytes({0x08, 0x01, 0x22, 0x03, 0x0a, 0x01, 'k'}))) << "a session without a number";
  EXPECT_FALSE(decode(bytes({0x08, 0x01, 0x10, 0x01, 0x3a, 0x00}))) << "a session opened within a session";
  EXPECT_TRUE(decode(bytes({0x10, 0x01, 0x3a, 0x00})));
}

// ---- Limits
// ----------------------------------------------------------------------------------------------------

struct Limited {
  Command command;
  CommandError error;
};

std::vector<Limited> at_and_beyond_the_limits() {
  const auto plain = [](Change change) { return Command{ClientId(), Sequence(), std::move(change)}; };
  const std::string longest_key(key_bytes_max, 'k');
  const std::string longest_value(value_bytes_max, 'v');
  const std::vector<Put> longest_batch(batch_entries_max, Put{"k", "v"});
  std::vector<Put> too_long_batch = longest_batch;
  too_long_batch.push_back(Put{"k", "v"});
  return {
      {plain(Put{longest_key, longest_value}), CommandError::none},
      {plain(Put{"", "v"}), CommandError::empty_key},
      {plain(Put{longest_key + "k", "v"}), CommandError::key_too_large},
      {plain(Put{"k", longest_value + "v"}), CommandError::value_too_large},
      {plain(Delete{longest_key}), CommandError::none},
      {plain(Delete{""}), CommandError::empty_key},
      {plain(Delete{longest_key + "k"}), CommandError::key_too_large},
      {plain(CompareAndSwap{longest_key, longest_value, longest_value}), CommandError::none},
      {plain(CompareAndSwap{"", std::nullopt, "v"}), CommandError::empty_key},
      {plain(CompareAndSwap{longest_key + "k", std::nullopt, "v"}), CommandError::key_too_large},
      {plain(CompareAndSwap{"k", longest_value + "v", "v"}), CommandError::value_too_large},
      {plain(CompareAndSwap{"k", std::nullopt, longest_value + "v"}), CommandError::value_too_large},
      {plain(PutBatch{longest_batch}), CommandError::none},
      {plain(PutBatch{}), CommandError::empty_batch},
      {plain(PutBatch{too_long_batch}), CommandError::batch_too_large},
      {plain(PutBatch{{Put{"k", "v"}, Put{"", "v"}}}), CommandError::empty_key},
      {plain(PutBatch{{Put{"k", "v"}, Put{"k", longest_value + "v"}}}), CommandError::value_too_large},
      {plain(OpenSession{}), CommandError::none},
      {Command{ClientId(1), Sequence(), Delete{"k"}}, CommandError::no_sequence},
      {Command{ClientId(1), Sequence(1), OpenSession{}}, CommandError::open_in_session},
  };
}

TEST(CommandLimits, check_names_the_limit) {
  for (const auto& [command, error] : at_and_beyond_the_limits()) {
    EXPECT_STREQ(name(check(command)), name(error)) << command.change.index();
  }
}

TEST(CommandLimits, what_check_refuses_cannot_be_read_and_everything_else_can) {
  for (const auto& [command, error] : at_and_beyond_the_limits()) {
    const std::optional<Command> read = decode(encoded(command));
    EXPECT_EQ(read.has_value(), error == CommandError::none) << name(error);
    if (read) {
      EXPECT_EQ(*read, command);
    }
  }
}

TEST(CommandLimits, each_error_has_a_name_of_its_own) {
  std::set<std::string> names;
  for (int error = 0; error <= static_cast<int>(CommandError::command_too_large); ++error) {
    EXPECT_TRUE(names.insert(name(static_cast<CommandError>(error))).second) << error;
  }
}

}  // namespace
}  // namespace raftlab::kv
