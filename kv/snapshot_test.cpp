#include "kv/snapshot.hpp"

#include "kv/snapshot.pb.h"
#include "raft/assert.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace raftlab::kv {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes(std::initializer_list<unsigned> values) {
  Bytes out;
  for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}
template <class Message>
Bytes encoded(const Message& message) {
  Bytes out;
  encode(message, out);
  return out;
}
template <class Message>
bool reads(const Bytes& bytes, Message& message) {
  SnapshotReader reader(bytes);
  return reader.read(message) && reader.at_end();
}

SnapshotHead head() { return SnapshotHead{raft::Index(300), 0x1122334455667788, 2, 130}; }

Session failed_compare() {
  Session session;
  session.client = ClientId(5);
  session.used = raft::Index(9);
  session.sequence = Sequence(3);
  session.index = raft::Index(7);
  session.effect = Effect::compare_failed;
  session.found = "ab";
  session.change = 0x8877665544332211;
  return session;
}
Session unused() {
  Session session;
  session.client = ClientId(5);
  session.used = raft::Index(5);
  return session;
}

void expect_equal(const Session& a, const Session& b) {
  EXPECT_EQ(a.client, b.client);
  EXPECT_EQ(a.used, b.used);
  EXPECT_EQ(a.sequence, b.sequence);
  EXPECT_EQ(a.index, b.index);
  EXPECT_EQ(a.effect, b.effect);
  EXPECT_EQ(a.found, b.found);
  EXPECT_EQ(a.change, b.change);
}

// ---- Bytes ---------------------------------------------------------------------------------------------

TEST(SnapshotBytes, head) {
  EXPECT_EQ(encoded(head()), bytes({0x0a, 0x13, 0x08, 0x02, 0x10, 0xac, 0x02, 0x19, 0x88, 0x77, 0x66,
                                    0x55, 0x44, 0x33, 0x22, 0x11, 0x20, 0x02, 0x28, 0x82, 0x01}));
}

TEST(SnapshotBytes, head_of_nothing) { EXPECT_EQ(encoded(SnapshotHead{}), bytes({0x0a, 0x02, 0x08, 0x02})); }

TEST(SnapshotBytes, session_with_a_failed_compare) {
  EXPECT_EQ(encoded(failed_compare()),
            bytes({0x12, 0x17, 0x08, 0x05, 0x10, 0x09, 0x18, 0x03, 0x20, 0x07, 0x28, 0x01, 0x32,
                   0x02, 'a',  'b',  0x39, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}));
}

TEST(SnapshotBytes, session_that_was_only_opened) {
  EXPECT_EQ(encoded(unused()), bytes({0x12, 0x04, 0x08, 0x05, 0x10, 0x05}));
}

TEST(SnapshotBytes, key_with_and_without_a_value) {
  EXPECT_EQ(encoded(KeyView{"k", "vw"}), bytes({0x1a, 0x07, 0x0a, 0x01, 'k', 0x12, 0x02, 'v', 'w'}));
  EXPECT_EQ(encoded(KeyView{"k", ""}), bytes({0x1a, 0x03, 0x0a, 0x01, 'k'}));
}

TEST(SnapshotBytes, are_what_the_schema_says) {
  Bytes all;
  encode(head(), all);
  encode(failed_compare(), all);
  encode(unused(), all);
  encode(KeyView{"k", "vw"}, all);
  encode(KeyView{"l", ""}, all);
  proto::Snapshot read;
  ASSERT_TRUE(read.ParseFromArray(all.data(), static_cast<int>(all.size())));
  EXPECT_EQ(read.head().version(), 2U);
  EXPECT_EQ(read.head().applied(), 300U);
  EXPECT_EQ(read.head().digest(), 0x1122334455667788U);
  EXPECT_EQ(read.head().sessions(), 2U);
  EXPECT_EQ(read.head().keys(), 130U);
  ASSERT_EQ(read.sessions_size(), 2);
  EXPECT_EQ(read.sessions(0).client(), 5U);
  EXPECT_EQ(read.sessions(0).used(), 9U);
  EXPECT_EQ(read.sessions(0).sequence(), 3U);
  EXPECT_EQ(read.sessions(0).index(), 7U);
  EXPECT_EQ(read.sessions(0).compare_failed(), 1U);
  EXPECT_EQ(read.sessions(0).found(), "ab");
  EXPECT_EQ(read.sessions(0).change(), 0x8877665544332211U);
  EXPECT_FALSE(read.sessions(1).has_found());
  ASSERT_EQ(read.keys_size(), 2);
  EXPECT_EQ(read.keys(0).key(), "k");
  EXPECT_EQ(read.keys(0).value(), "vw");
  EXPECT_EQ(read.keys(1).key(), "l");
  const std::string written = read.SerializeAsString();
  EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(written)), all)) << "and in its order";
}

// ---- Round trip and hostile bytes ----------------------------------------------------------------------

TEST(Snapshot, each_message_survives_the_round_trip) {
  for (const SnapshotHead& message :
       {head(), SnapshotHead{}, SnapshotHead{raft::Index(UINT64_MAX), 1, 0, UINT64_MAX}}) {
    SnapshotHead read;
    EXPECT_TRUE(reads(encoded(message), read));
    EXPECT_EQ(read, message);
  }
  Session found_nothing = failed_compare();
  found_nothing.found.reset();
  Session found_empty = failed_compare();
  found_empty.found = "";
  for (const Session& message : {failed_compare(), unused(), found_nothing, found_empty}) {
    Session read;
    EXPECT_TRUE(reads(encoded(message), read));
    expect_equal(read, message);
  }
  const std::string longest_key(key_bytes_max, 'k');
  const std::string longest_value(value_bytes_max, 'v');
  for (const KeyView& message : {KeyView{"k", "v"}, KeyView{"k", ""}, KeyView{longest_key, longest_value}}) {
    const Bytes written = encoded(message);
    KeyView read;
    EXPECT_TRUE(reads(written, read));
    EXPECT_EQ(read, message);
  }
}

TEST(Snapshot, each_truncation_is_refused) {
  const auto each = [](const auto& message) {
    const Bytes whole = encoded(message);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      std::remove_cvref_t<decltype(message)> read{};
      EXPECT_FALSE(reads(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), read))
          << size;
    }
  };
  each(head());
  each(failed_compare());
  each(KeyView{"key", "value"});
}

TEST(Snapshot, what_is_written_in_another_way_is_refused) {
  SnapshotHead head;
  EXPECT_FALSE(reads(bytes({0x0a, 0x00}), head)) << "no version";
  EXPECT_FALSE(reads(bytes({0x0a, 0x02, 0x08, 0x03}), head)) << "a later version";
  EXPECT_FALSE(reads(bytes({0x0a, 0x02, 0x08, 0x01}), head)) << "the version before";
  EXPECT_FALSE(reads(bytes({0x0a, 0x04, 0x08, 0x02, 0x10, 0x00}), head)) << "a default value";
  EXPECT_FALSE(reads(bytes({0x0a, 0x0b, 0x08, 0x02, 0x19, 0, 0, 0, 0, 0, 0, 0, 0}), head)) << "likewise";
  EXPECT_FALSE(reads(bytes({0x0a, 0x03, 0x08, 0x82, 0x00}), head)) << "a longer varint";
  EXPECT_FALSE(reads(bytes({0x0a, 0x04, 0x08, 0x02, 0x30, 0x01}), head)) << "an unknown field";
  EXPECT_FALSE(reads(bytes({0x0a, 0x06, 0x08, 0x02, 0x28, 0x01, 0x20, 0x01}), head)) << "another order";
  EXPECT_FALSE(reads(bytes({0x12, 0x02, 0x08, 0x02}), head)) << "another message";
  EXPECT_FALSE(reads(bytes({0x0a, 0x02, 0x08, 0x02, 0x00}), head)) << "something behind it";
  Session session;
  EXPECT_FALSE(reads(bytes({0x12, 0x02, 0x08, 0x05}), session)) << "never used";
  EXPECT_FALSE(reads(bytes({0x12, 0x02, 0x10, 0x05}), session)) << "of nobody";
  EXPECT_FALSE(reads(bytes({0x12, 0x06, 0x08, 0x05, 0x10, 0x05, 0x28, 0x02}), session)) << "no such effect";
  KeyView key;
  EXPECT_FALSE(reads(bytes({0x1a, 0x00}), key)) << "no key";
  EXPECT_FALSE(reads(bytes({0x1a, 0x02, 0x0a, 0x00}), key)) << "an empty key";
  EXPECT_FALSE(reads(bytes({0x1a, 0x05, 0x0a, 0x01, 'k', 0x12, 0x00}), key)) << "a default value";
}

TEST(Snapshot, tells_its_version_whatever_follows) {
  EXPECT_EQ(version_of(encoded(head())), snapshot_version);
  EXPECT_EQ(version_of(bytes({0x0a, 0x04, 0x08, 0x01, 0x7f, 0x7f, 0x00})), 1U);
  EXPECT_EQ(version_of(bytes({0x0a, 0x03, 0x08, 0xac, 0x02})), 300U);
  for (const Bytes& none : {Bytes{}, bytes({0x0a}), bytes({0x0a, 0x00}), bytes({0x0a, 0x02, 0x08}),
                            bytes({0x0a, 0x02, 0x10, 0x01}), bytes({0x12, 0x02, 0x08, 0x01})})
    EXPECT_EQ(version_of(none), std::nullopt);
}

TEST(Snapshot, limits_of_keys_and_values_count) {
  const std::string key(key_bytes_max + 1, 'k');
  const std::string value(value_bytes_max + 1, 'v');
  KeyView read;
  EXPECT_FALSE(reads(encoded(KeyView{key, "v"}), read));
  EXPECT_FALSE(reads(encoded(KeyView{"k", value}), read));
  Session session = failed_compare();
  session.found = value;
  Session read_session;
  EXPECT_FALSE(reads(encoded(session), read_session));
}

TEST(Snapshot, a_length_beyond_the_bytes_is_refused_whatever_it_is) {
  KeyView read;
  EXPECT_FALSE(reads(bytes({0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x0a}), read));
  EXPECT_FALSE(reads(bytes({0x1a, 0x80, 0x80, 0x80, 0x80, 0x08, 0x0a, 0x01, 'k'}), read));
}

TEST(Snapshot, a_session_answers_only_what_a_command_can_have_done) {
  Session session = unused();
  session.effect = Effect::malformed;
  Bytes out;
  EXPECT_THROW(encode(session, out), raft::AssertionError);
}

}  // namespace
}  // namespace raftlab::kv
