#include "kv/store.hpp"
#include "kv/test_snapshot.hpp"
#include "raft/assert.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace raftlab::kv {
namespace {

using test::Bytes;
using test::Forged;
using test::rest_of_snapshot;
using test::snapshot_of;

Bytes bytes(std::initializer_list<unsigned> values) {
  Bytes out;
  for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

Command plain(Change change) { return Command{ClientId(), Sequence(), std::move(change)}; }

/// A store whose commands stand at consecutive indices.
class StoreSnapshotTest : public ::testing::Test {
 protected:
  Result apply(const Command& command) {
    next_ = next_.next();
    return store_.apply(next_, command);
  }
  Result apply(ClientId client, std::uint64_t sequence, Change change) {
    return apply(Command{client, Sequence(sequence), std::move(change)});
  }
  ClientId open() { return apply(plain(OpenSession{})).client; }
  void put(const std::string& key, const std::string& value) { apply(plain(Put{key, value})); }
  void erase(const std::string& key) { apply(plain(Delete{key})); }
  void use_options(const StoreOptions& options) {
    options_ = options;
    store_ = Store(options);
  }
  /// A store with one of everything.
  void fill() {
    put("a", "1");
    put("b", "");
    const ClientId first = open();
    const ClientId second = open();
    open();
    apply(first, 1, Put{"c", "3"});
    apply(second, 7, CompareAndSwap{"a", "2", "x"});
    apply(first, 1, Put{"c", "3"});
  }
  /// A store that was restored from these bytes, taken of `original`.
  Store restored(const Bytes& bytes, const Store& original) {
    Store store(options_);
    EXPECT_TRUE(store.restore(original.applied(), bytes));
    EXPECT_EQ(store.digest(), original.digest());
    EXPECT_EQ(store.digest(), store.recompute_digest());
    EXPECT_EQ(store.applied(), original.applied());
    EXPECT_EQ(store.size(), original.size());
    EXPECT_EQ(store.sessions(), original.sessions());
    return store;
  }
  /// The snapshot that is being taken shows the state of `at_begin`, whatever has happened since.
  void expect_rest_shows(Store at_begin) {
    const Bytes bytes = rest_of_snapshot(store_);
    EXPECT_EQ(bytes, snapshot_of(at_begin));
    restored(bytes, at_begin);
  }

  StoreOptions options_;
  Store store_;
  raft::Index next_{100};
};

// ---- There and back ------------------------------------------------------------------------------------

TEST_F(StoreSnapshotTest, of_an_empty_store) {
  restored(snapshot_of(store_), store_);
  store_.skip(raft::Index(5));
  restored(snapshot_of(store_), store_);
}

TEST_F(StoreSnapshotTest, takes_everything_along) {
  fill();
  const Store copy = restored(snapshot_of(store_), store_);
  EXPECT_EQ(copy.get("a"), "1");
  EXPECT_EQ(copy.get("b"), "");
  EXPECT_EQ(copy.get("c"), "3");
}

/// Snapshots are compared between machines and builds, hence their bytes are part of the contract.
TEST_F(StoreSnapshotTest, has_the_same_bytes_everywhere) {
  const ClientId client = open();
  put("a", "1");
  put("b", "");
  apply(client, 1, CompareAndSwap{"a", std::nullopt, "x"});
  const auto expected = bytes({
      0x0a, 0x11, 0x08, 0x02, 0x10, 104,  0x19, 0xdf, 0xf8, 0x4e, 0x75, 0xbd, 0x85, 0xbb, 0xd5,  //
      0x20, 0x01, 0x28, 0x02,                                                                    //
      0x12, 0x16, 0x08, 101,  0x10, 104,  0x18, 0x01, 0x20, 104,  0x28, 0x01, 0x32, 0x01, '1',   //
      0x39, 0xc4, 0x17, 0xcb, 0x05, 0x6d, 0x23, 0x42, 0xf0,                                      //
      0x1a, 0x06, 0x0a, 0x01, 'a',  0x12, 0x01, '1',                                             //
      0x1a, 0x03, 0x0a, 0x01, 'b',
  });
  EXPECT_EQ(snapshot_of(store_), expected);
}

TEST_F(StoreSnapshotTest, a_restored_store_answers_retries_as_the_original_would) {
  put("k", "old");
  const ClientId first = open();
  const ClientId second = open();
  const ClientId unused = open();
  apply(first, 4, Put{"k", "new"});
  apply(second, 2, CompareAndSwap{"k", "other", "x"});
  Store copy = restored(snapshot_of(store_), store_);
  for (const Command& command : {
           Command{first, Sequence(4), Put{"k", "new"}},
           Command{first, Sequence(3), Put{"k", "lower"}},
           Command{second, Sequence(2), CompareAndSwap{"k", "other", "x"}},
           Command{unused, Sequence(1), Put{"k", "first of a session"}},
           Command{unused, Sequence(1), Put{"k", "another under its number"}},
           Command{ClientId(1), Sequence(1), Put{"k", "no session"}},
           Command{first, Sequence(5), Put{"k", "higher"}},
       }) {
    const Result result = apply(command);
    EXPECT_EQ(copy.apply(next_, command), result);
    EXPECT_EQ(copy.digest(), store_.digest());
  }
}

TEST_F(StoreSnapshotTest, a_restored_store_evicts_the_same_sessions_in_the_same_order) {
  use_options(StoreOptions{.sessions_max = 4});
  std::vector<ClientId> clients;
  clients.reserve(4);
  for (int i = 0; i < 4; ++i) clients.push_back(open());
  const std::uint64_t put = hash(Change{Put{"k", "v"}});
  for (const std::size_t i : {2U, 0U, 3U}) apply(clients[i], 1, Put{"k", "v"});
  Store copy = restored(snapshot_of(store_), store_);
  for (int i = 0; i < 4; ++i) {
    open();
    copy.apply(next_, plain(OpenSession{}));
    EXPECT_EQ(copy.digest(), store_.digest());
    for (const ClientId client : clients)
      EXPECT_EQ(copy.answer(client, Sequence(1), put), store_.answer(client, Sequence(1), put));
  }
}

TEST_F(StoreSnapshotTest, a_restored_store_counts_the_bytes_that_compares_found) {
  use_options(StoreOptions{.found_bytes_max = 10});
  put("k", "12345678");
  const ClientId first = open();
  const ClientId second = open();
  apply(first, 1, CompareAndSwap{"k", std::nullopt, "v"});
  Store copy = restored(snapshot_of(store_), store_);
  const Command compare{second, Sequence(1), CompareAndSwap{"k", std::nullopt, "v"}};
  apply(compare);
  copy.apply(next_, compare);
  EXPECT_EQ(store_.sessions(), 1U);
  EXPECT_EQ(copy.sessions(), 1U);
  EXPECT_EQ(copy.digest(), store_.digest());
}

TEST_F(StoreSnapshotTest, one_session_alone_may_have_found_more_than_the_bound) {
  use_options(StoreOptions{.found_bytes_max = 3});
  put("k", "12345678");
  const ClientId client = open();
  apply(client, 1, CompareAndSwap{"k", std::nullopt, "v"});
  open();
  EXPECT_EQ(store_.sessions(), 2U);
  restored(snapshot_of(store_), store_);
}

TEST_F(StoreSnapshotTest, a_restored_store_forgets_what_it_held) {
  fill();
  const Bytes bytes = snapshot_of(store_);
  Store other(options_);
  other.apply(raft::Index(1000), plain(Put{"other", "key"}));
  EXPECT_TRUE(other.restore(store_.applied(), bytes));
  EXPECT_EQ(other.get("other"), std::nullopt);
  EXPECT_EQ(other.digest(), store_.digest());
}

TEST_F(StoreSnapshotTest, a_restored_store_gives_the_same_snapshot_when_nothing_was_removed) {
  fill();
  const Bytes bytes = snapshot_of(store_);
  Store copy = restored(bytes, store_);
  EXPECT_EQ(snapshot_of(copy).size(), bytes.size());
  restored(snapshot_of(copy), store_);
}

// ---- Pieces --------------------------------------------------------------------------------------------

TEST_F(StoreSnapshotTest, the_size_of_pieces_does_not_show_in_the_bytes) {
  fill();
  const Bytes whole = snapshot_of(store_, SIZE_MAX);
  for (std::size_t piece = 0; piece < 100; ++piece) EXPECT_EQ(snapshot_of(store_, piece), whole) << piece;
}

TEST_F(StoreSnapshotTest, each_piece_is_at_least_one_item) {
  fill();
  store_.begin_snapshot();
  std::size_t pieces = 0;
  Bytes bytes;
  for (bool complete = false; !complete; ++pieces) {
    const std::size_t before = bytes.size();
    complete = store_.write_snapshot(0, bytes);
    EXPECT_GT(bytes.size(), before);
  }
  EXPECT_EQ(pieces, 1 + store_.sessions() + store_.size());
}

/// The pauses: neither the beginning nor a piece does work that grows with the number of keys.
TEST_F(StoreSnapshotTest, a_piece_is_not_larger_the_more_keys_there_are) {
  constexpr std::size_t piece = 1000;
  constexpr std::size_t item = 40;
  for (const int keys : {1'000, 10'000, 100'000}) {
    Store store;
    raft::Index at;
    for (int i = 0; i < keys; ++i)
      store.apply(at = at.next(), plain(Put{"key" + std::to_string(i), "0123456789abcdef"}));
    store.begin_snapshot();
    bool complete = false;
    for (std::size_t pieces = 0; !complete; ++pieces) {
      Bytes bytes;
      complete = store.write_snapshot(piece, bytes);
      EXPECT_LT(bytes.size(), piece + item);
      EXPECT_TRUE(complete || bytes.size() >= piece);
      const std::string removed = "key" + std::to_string(pieces * 7919 % static_cast<std::size_t>(keys));
      store.apply(at = at.next(), plain(Delete{removed}));
    }
  }
}

// ---- What happens while a snapshot is being taken ------------------------------------------------------

TEST_F(StoreSnapshotTest, shows_the_state_at_the_beginning_whatever_happens_to_keys) {
  const std::vector<std::function<void()>> changes = {
      [&] { put("k3", "changed"); },
      [&] { put("k0", "longer than what fits into the string itself"); },
      [&] { put("new", "n"); },
      [&] { erase("k0"); },
      [&] { erase("k9"); },
      [&] {
        erase("k4");
        put("k4", "again");
      },
      [&] {
        erase("k4");
        put("other", "in its place");
        put("k9", "moved and changed");
      },
      [&] {
        for (int i = 0; i < 10; ++i) erase("k" + std::to_string(i));
      },
      [&] {
        for (int i = 9; i >= 0; --i) erase("k" + std::to_string(i));
        put("a", "b");
        put("a", "c");
      },
      [&] {
        apply(plain(CompareAndSwap{"k5", "v5", "swapped"}));
      },
      [&] {
        apply(plain(CompareAndSwap{"k5", "not it", "swapped"}));
      },
      [&] {
        apply(plain(PutBatch{{Put{"k1", "x"}, Put{"k2", "y"}, Put{"k1", "z"}, Put{"n", "n"}}}));
      },
      [&] {
        for (int i = 0; i < 1000; ++i) put("growth" + std::to_string(i), "rehashes the table");
      },
      [&] { store_.skip(next_ = next_.next()); },
  };
  for (std::size_t change = 0; change < changes.size(); ++change) {
    for (int pieces_before = 0; pieces_before <= 11; ++pieces_before) {
      SCOPED_TRACE(testing::Message() << "change " << change << " behind " << pieces_before << " pieces");
      store_ = Store();
      for (int i = 0; i < 10; ++i) put("k" + std::to_string(i), "v" + std::to_string(i));
      Store at_begin = store_;
      store_.begin_snapshot();
      Bytes bytes;
      bool complete = false;
      for (int i = 0; i < pieces_before; ++i) complete = store_.write_snapshot(0, bytes);
      changes[change]();
      while (!complete) complete = store_.write_snapshot(0, bytes);
      EXPECT_EQ(bytes, snapshot_of(at_begin));
      EXPECT_EQ(store_.digest(), store_.recompute_digest());
    }
  }
}

TEST_F(StoreSnapshotTest, shows_the_sessions_at_the_beginning) {
  use_options(StoreOptions{.sessions_max = 3});
  put("k", "found");
  std::vector<ClientId> clients;
  clients.reserve(3);
  for (int i = 0; i < 3; ++i) clients.push_back(open());
  apply(clients[1], 1, CompareAndSwap{"k", "other", "x"});
  const std::vector<std::function<void()>> changes = {
      [&] {
        apply(clients[0], 1, Put{"k", "v"});
      },
      [&] {
        apply(clients[1], 1, CompareAndSwap{"k", "other", "x"});
      },
      [&] {
        apply(clients[1], 2, Put{"k", "v"});
      },
      [&] { open(); },
      [&] {
        for (int i = 0; i < 7; ++i) apply(open(), 1, Delete{"k"});
      },
      [&] {
        apply(clients[2], 5, CompareAndSwap{"k", "other", "x"});
        open();
      },
  };
  const Store original = store_;
  for (std::size_t change = 0; change < changes.size(); ++change) {
    for (int pieces_before = 0; pieces_before <= 4; ++pieces_before) {
      SCOPED_TRACE(testing::Message() << "change " << change << " behind " << pieces_before << " pieces");
      store_ = original;
      Store at_begin = store_;
      store_.begin_snapshot();
      Bytes bytes;
      for (int i = 0; i < pieces_before; ++i) EXPECT_FALSE(store_.write_snapshot(0, bytes));
      changes[change]();
      while (!store_.write_snapshot(0, bytes)) {
      }
      EXPECT_EQ(bytes, snapshot_of(at_begin));
      EXPECT_EQ(store_.digest(), store_.recompute_digest());
    }
  }
}

TEST_F(StoreSnapshotTest, an_abandoned_one_leaves_no_trace) {
  fill();
  store_.abandon_snapshot();
  store_.begin_snapshot();
  Bytes bytes;
  EXPECT_FALSE(store_.write_snapshot(0, bytes));
  put("a", "changed");
  store_.abandon_snapshot();
  put("b", "changed");
  store_.begin_snapshot();
  expect_rest_shows(store_);
}

TEST_F(StoreSnapshotTest, one_follows_another) {
  fill();
  for (int i = 0; i < 3; ++i) {
    store_.begin_snapshot();
    const Store at_begin = store_;
    put("a", std::to_string(i));
    expect_rest_shows(at_begin);
  }
}

TEST_F(StoreSnapshotTest, at_most_one_is_taken_and_only_what_was_begun_is_written) {
  Bytes bytes;
  EXPECT_THROW((void)store_.write_snapshot(1, bytes), raft::AssertionError);
  store_.begin_snapshot();
  EXPECT_THROW(store_.begin_snapshot(), raft::AssertionError);
  EXPECT_TRUE(store_.write_snapshot(1, bytes));
  EXPECT_THROW((void)store_.write_snapshot(1, bytes), raft::AssertionError);
}

TEST_F(StoreSnapshotTest, a_copy_takes_none_and_the_original_goes_on) {
  fill();
  const Store at_begin = store_;
  store_.begin_snapshot();
  put("a", "changed");
  Store copy = store_;
  Store assigned;
  assigned.begin_snapshot();
  assigned = store_;
  for (Store* other : {&copy, &assigned}) {
    Bytes bytes;
    EXPECT_THROW((void)other->write_snapshot(1, bytes), raft::AssertionError);
    restored(snapshot_of(*other), store_);
  }
  expect_rest_shows(at_begin);
}

TEST_F(StoreSnapshotTest, goes_along_with_a_store_that_is_moved) {
  fill();
  Store at_begin = store_;
  store_.begin_snapshot();
  put("a", "changed");
  Store moved = std::move(store_);
  EXPECT_EQ(rest_of_snapshot(moved), snapshot_of(at_begin));
}

TEST_F(StoreSnapshotTest, a_restore_abandons_the_one_that_is_being_taken) {
  fill();
  const Bytes bytes = snapshot_of(store_);
  store_.begin_snapshot();
  ASSERT_TRUE(store_.restore(next_, bytes));
  store_.begin_snapshot();
  expect_rest_shows(store_);
}

TEST_F(StoreSnapshotTest, a_refused_restore_does_not_disturb_the_one_that_is_being_taken) {
  fill();
  const Store at_begin = store_;
  store_.begin_snapshot();
  put("a", "changed");
  EXPECT_FALSE(store_.restore(next_, Bytes{}));
  expect_rest_shows(at_begin);
}

// ---- Damage --------------------------------------------------------------------------------------------

class DamagedSnapshotTest : public StoreSnapshotTest {
 protected:
  DamagedSnapshotTest() {
    fill();
    bytes_ = snapshot_of(store_);
    victim_.apply(raft::Index(1), plain(Put{"mine", "1"}));
  }
  void expect_refused(raft::Index applied, const Bytes& bytes, const std::string& what) {
    const std::uint64_t before = victim_.digest();
    EXPECT_FALSE(victim_.restore(applied, bytes)) << what;
    EXPECT_EQ(victim_.digest(), before);
    EXPECT_EQ(victim_.get("mine"), "1");
  }
  Bytes bytes_;
  Store victim_;
};

TEST_F(DamagedSnapshotTest, each_truncation_is_refused) {
  for (std::size_t size = 0; size < bytes_.size(); ++size)
    expect_refused(next_, Bytes(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size)),
                   "cut at " + std::to_string(size));
}

TEST_F(DamagedSnapshotTest, each_flipped_bit_is_refused) {
  for (std::size_t bit = 0; bit < 8 * bytes_.size(); ++bit) {
    Bytes damaged = bytes_;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    expect_refused(next_, damaged, "bit " + std::to_string(bit));
  }
}

TEST_F(DamagedSnapshotTest, anything_behind_the_end_is_refused) {
  for (const std::byte extra : {std::byte{0}, std::byte{0x12}, std::byte{0x1a}}) {
    Bytes longer = bytes_;
    longer.push_back(extra);
    expect_refused(next_, longer, "one byte more");
  }
  Bytes twice = bytes_;
  twice.insert(twice.end(), bytes_.begin(), bytes_.end());
  expect_refused(next_, twice, "two snapshots");
}

TEST_F(DamagedSnapshotTest, one_of_another_index_is_refused) {
  expect_refused(next_.next(), bytes_, "later");
  expect_refused(next_.previous(), bytes_, "earlier");
  expect_refused(raft::Index(), bytes_, "none");
  EXPECT_TRUE(victim_.restore(next_, bytes_));
}

TEST_F(DamagedSnapshotTest, claims_of_the_head_allocate_nothing) {
  for (const SnapshotHead& head :
       {SnapshotHead{next_, 1, 10'000, 0}, SnapshotHead{next_, 1, 0, UINT32_MAX - 1},
        SnapshotHead{next_, 1, 0, UINT64_MAX}, SnapshotHead{next_, 1, UINT64_MAX, 0}}) {
    Bytes claims;
    encode(head, claims);
    expect_refused(next_, claims, std::to_string(head.sessions) + ", " + std::to_string(head.keys));
  }
}

// ---- Contents that no store can have -------------------------------------------------------------------

Session session(std::uint64_t client, std::uint64_t used, std::uint64_t sequence, std::uint64_t index) {
  Session session;
  session.client = ClientId(client);
  session.used = raft::Index(used);
  session.sequence = Sequence(sequence);
  session.index = raft::Index(index);
  return session;
}
Session found(Session session, std::string what) {
  session.effect = Effect::compare_failed;
  session.found = std::move(what);
  return session;
}

TEST(ForgedSnapshot, is_taken_when_a_store_could_have_made_it) {
  const Forged forged{raft::Index(20),
                      {session(3, 3, 0, 0), session(1, 12, 2, 11), found(session(2, 20, 1, 20), "what")},
                      {{"a", "1"}, {"b", ""}}};
  Store store;
  EXPECT_TRUE(store.restore(raft::Index(20), forged.bytes()));
  EXPECT_EQ(store.digest(), forged.digest());
}

TEST(ForgedSnapshot, is_refused_when_no_store_could_have_made_it) {
  const std::vector<std::pair<const char*, Forged>> all = {
      {"a key twice", {raft::Index(9), {}, {{"a", "1"}, {"b", "1"}, {"a", "1"}}}},
      {"a key with two values", {raft::Index(9), {}, {{"a", "1"}, {"a", "2"}}}},
      {"a session twice", {raft::Index(9), {session(1, 3, 1, 3), session(1, 4, 1, 4)}, {}}},
      {"two sessions used by one entry", {raft::Index(9), {session(1, 4, 1, 4), session(2, 4, 1, 4)}, {}}},
      {"used later than applied", {raft::Index(9), {session(1, 10, 1, 9)}, {}}},
      {"opened later than applied", {raft::Index(9), {session(10, 10, 0, 0)}, {}}},
      {"used before it was opened", {raft::Index(9), {session(5, 4, 0, 0)}, {}}},
      {"answered before it was opened", {raft::Index(9), {session(5, 6, 1, 4)}, {}}},
      {"answered by the entry that opened it", {raft::Index(9), {session(5, 6, 1, 5)}, {}}},
      {"answered after the last use", {raft::Index(9), {session(5, 6, 1, 7)}, {}}},
      {"used without a number", {raft::Index(9), {session(5, 6, 0, 0)}, {}}},
      {"answered without a number", {raft::Index(9), {session(5, 5, 0, 5)}, {}}},
      {"a number without an answer", {raft::Index(9), {session(5, 6, 1, 0)}, {}}},
      {"a failed compare without a number", {raft::Index(9), {found(session(5, 5, 0, 0), "x")}, {}}},
  };
  for (const auto& [what, forged] : all) {
    Store store;
    EXPECT_FALSE(store.restore(forged.applied, forged.bytes())) << what;
    EXPECT_EQ(store.digest(), Store().digest());
  }
  Session found_while_done = session(5, 6, 1, 6);
  found_while_done.found = "x";
  Store store;
  EXPECT_FALSE(store.restore(raft::Index(9), Forged{raft::Index(9), {found_while_done}, {}}.bytes()));
}

TEST(ForgedSnapshot, the_limits_of_the_options_count) {
  const Forged three{raft::Index(9), {session(1, 1, 0, 0), session(2, 2, 0, 0), session(3, 3, 0, 0)}, {}};
  EXPECT_TRUE(Store(StoreOptions{.sessions_max = 3}).restore(raft::Index(9), three.bytes()));
  EXPECT_FALSE(Store(StoreOptions{.sessions_max = 2}).restore(raft::Index(9), three.bytes()));

  const Forged two{raft::Index(9), {found(session(1, 4, 1, 4), "12"), found(session(2, 5, 1, 5), "34")}, {}};
  EXPECT_TRUE(Store(StoreOptions{.found_bytes_max = 4}).restore(raft::Index(9), two.bytes()));
  EXPECT_FALSE(Store(StoreOptions{.found_bytes_max = 3}).restore(raft::Index(9), two.bytes()));
}

// ---- What a session can tell ---------------------------------------------------------------------------

TEST_F(StoreSnapshotTest, the_answer_to_the_last_number_of_a_session_is_known) {
  put("k", "v");
  const ClientId client = open();
  const Change compare = CompareAndSwap{"k", "other", "x"};
  const Change put = Put{"k", "x"};
  EXPECT_EQ(store_.answer(client, Sequence(0), hash(put)), std::nullopt);
  EXPECT_EQ(store_.answer(client, Sequence(1), hash(put)), std::nullopt);
  const Result failed = apply(client, 1, compare);
  EXPECT_EQ(store_.answer(client, Sequence(1), hash(compare)), failed);
  EXPECT_EQ(store_.answer(client, Sequence(1), hash(put))->effect, Effect::sequence_reused);
  const Result done = apply(client, 3, put);
  EXPECT_EQ(store_.answer(client, Sequence(3), hash(put)), done);
  for (const std::uint64_t other : {0U, 1U, 2U, 4U})
    EXPECT_EQ(store_.answer(client, Sequence(other), hash(put)), std::nullopt);
  EXPECT_EQ(store_.answer(ClientId(), Sequence(3), hash(put)), std::nullopt);
  EXPECT_EQ(store_.answer(ClientId(1), Sequence(3), hash(put)), std::nullopt);
}

}  // namespace
}  // namespace raftlab::kv
