#include "kv/store.hpp"

#include "raft/assert.hpp"

#include <gtest/gtest.h>

namespace raftlab::kv {
namespace {

Command plain(Change change) { return Command{ClientId(), Sequence(), std::move(change)}; }

/// A store whose commands stand at consecutive indices.
class StoreTest : public ::testing::Test {
 protected:
  Result apply(const Command& command) {
    next_ = next_.next();
    Result result = store_.apply(next_, command);
    EXPECT_EQ(store_.digest(), store_.recompute_digest());
    EXPECT_EQ(store_.applied(), next_);
    return result;
  }
  Result apply(ClientId client, std::uint64_t sequence, Change change) {
    return apply(Command{client, Sequence(sequence), std::move(change)});
  }
  ClientId open() { return apply(plain(OpenSession{})).client; }
  void use_options(const StoreOptions& options) { store_ = Store(options); }

  Store store_;
  raft::Index next_{100};
};

// ---- Changes
// ---------------------------------------------------------------------------------------------------

TEST_F(StoreTest, put_sets_and_overwrites) {
  EXPECT_EQ(store_.get("k"), std::nullopt);
  EXPECT_EQ(apply(plain(Put{"k", "1"})).effect, Effect::done);
  EXPECT_EQ(store_.get("k"), "1");
  EXPECT_EQ(apply(plain(Put{"k", ""})).effect, Effect::done);
  EXPECT_EQ(store_.get("k"), "");
  EXPECT_EQ(store_.size(), 1U);
}

TEST_F(StoreTest, delete_removes_and_does_not_mind_what_is_not_there) {
  apply(plain(Put{"k", "1"}));
  EXPECT_EQ(apply(plain(Delete{"k"})).effect, Effect::done);
  EXPECT_EQ(store_.get("k"), std::nullopt);
  EXPECT_EQ(store_.size(), 0U);
  EXPECT_EQ(apply(plain(Delete{"k"})).effect, Effect::done);
}

TEST_F(StoreTest, compare_and_swap_sets_when_it_finds_what_it_expects) {
  EXPECT_EQ(apply(plain(CompareAndSwap{"k", std::nullopt, "1"})).effect, Effect::done);
  EXPECT_EQ(apply(plain(CompareAndSwap{"k", "1", "2"})).effect, Effect::done);
  EXPECT_EQ(store_.get("k"), "2");
}

TEST_F(StoreTest, compare_and_swap_tells_what_it_found_otherwise) {
  const Result absent = apply(plain(CompareAndSwap{"k", "1", "2"}));
  EXPECT_EQ(absent.effect, Effect::compare_failed);
  EXPECT_EQ(absent.found, std::nullopt);
  EXPECT_EQ(apply(plain(CompareAndSwap{"k", "", "2"})).effect, Effect::compare_failed)
      << "absent is not empty";
  EXPECT_EQ(store_.size(), 0U);

  apply(plain(Put{"k", "other"}));
  const Result other = apply(plain(CompareAndSwap{"k", "1", "2"}));
  EXPECT_EQ(other.effect, Effect::compare_failed);
  EXPECT_EQ(other.found, "other");
  EXPECT_EQ(apply(plain(CompareAndSwap{"k", std::nullopt, "2"})).found, "other");
  EXPECT_EQ(store_.get("k"), "other");
}

TEST_F(StoreTest, batch_takes_effect_in_its_order) {
  EXPECT_EQ(apply(plain(PutBatch{{Put{"a", "1"}, Put{"b", "2"}, Put{"a", "3"}}})).effect, Effect::done);
  EXPECT_EQ(store_.get("a"), "3");
  EXPECT_EQ(store_.get("b"), "2");
}

TEST_F(StoreTest, malformed_commands_change_nothing_but_the_applied_index) {
  EXPECT_EQ(apply(plain(Put{"", "v"})).effect, Effect::malformed);
  EXPECT_EQ(apply(ClientId(1), 0, Put{"k", "v"}).effect, Effect::malformed);
  EXPECT_EQ(apply(ClientId(1), 1, OpenSession{}).effect, Effect::malformed);
  next_ = next_.next();
  EXPECT_EQ(store_.apply_malformed(next_).effect, Effect::malformed);
  EXPECT_EQ(store_.applied(), next_);
  EXPECT_EQ(store_.size(), 0U);
  EXPECT_EQ(store_.sessions(), 0U);
}

TEST_F(StoreTest, without_a_session_a_retry_is_applied_again) {
  const Command command{ClientId(), Sequence(1), CompareAndSwap{"k", std::nullopt, "v"}};
  EXPECT_EQ(apply(command).effect, Effect::done);
  EXPECT_EQ(apply(command).effect, Effect::compare_failed);
}

TEST_F(StoreTest, indices_must_rise) {
  apply(plain(Put{"k", "v"}));
  EXPECT_THROW(store_.skip(next_), raft::AssertionError);
  EXPECT_THROW(store_.apply(next_, plain(Delete{"k"})), raft::AssertionError);
  EXPECT_EQ(store_.get("k"), "v");
}

// ---- Sessions
// --------------------------------------------------------------------------------------------------

TEST_F(StoreTest, a_session_is_named_by_the_index_that_opened_it) {
  const ClientId first = open();
  EXPECT_EQ(first.value(), next_.value());
  const ClientId second = open();
  EXPECT_EQ(second.value(), next_.value());
  EXPECT_NE(first, second);
  EXPECT_EQ(store_.sessions(), 2U);
}

TEST_F(StoreTest, a_retry_is_answered_as_the_first_time_and_not_applied) {
  const ClientId client = open();
  const Result first = apply(client, 1, Put{"k", "1"});
  EXPECT_EQ(first.effect, Effect::done);
  apply(plain(Put{"k", "2"}));
  const Result second = apply(client, 1, Put{"k", "1"});
  EXPECT_EQ(second.effect, Effect::duplicate);
  EXPECT_EQ(second.first, Effect::done);
  EXPECT_EQ(second.index, first.index);
  EXPECT_EQ(store_.get("k"), "2");
}

TEST_F(StoreTest, a_retry_of_a_failed_compare_fails_again_with_what_was_found_then) {
  const ClientId client = open();
  apply(plain(Put{"k", "old"}));
  const Result first = apply(client, 1, CompareAndSwap{"k", "expected", "new"});
  EXPECT_EQ(first.effect, Effect::compare_failed);
  apply(plain(Put{"k", "expected"}));
  const Result second = apply(client, 1, CompareAndSwap{"k", "expected", "new"});
  EXPECT_EQ(second.effect, Effect::duplicate);
  EXPECT_EQ(second.first, Effect::compare_failed);
  EXPECT_EQ(second.found, "old");
  EXPECT_EQ(second.index, first.index);
  EXPECT_EQ(store_.get("k"), "expected");
}

TEST_F(StoreTest, C16_another_command_under_a_number_that_was_used_is_refused) {
  const ClientId client = open();
  apply(client, 1, Put{"k", "1"});
  for (const Change& other :
       std::vector<Change>{Delete{"k"}, Put{"k", "2"}, Put{"k1", ""}, Put{"k", ""},
                           CompareAndSwap{"k", std::nullopt, "1"}, PutBatch{{Put{"k", "1"}}}}) {
    const Result refused = apply(client, 1, other);
    EXPECT_EQ(refused.effect, Effect::sequence_reused);
    EXPECT_EQ(refused.found, std::nullopt);
  }
  EXPECT_EQ(store_.get("k"), "1");
  EXPECT_EQ(apply(client, 1, Put{"k", "1"}).effect, Effect::duplicate) << "the session remembers the first";
  EXPECT_EQ(apply(client, 2, Delete{"k"}).effect, Effect::done);
  EXPECT_EQ(apply(client, 1, Delete{"k"}).effect, Effect::session_expired);
}

/// A flood of sessions takes the places of those that were used least recently, the same ones on every node, also on one
/// that continues from a snapshot of the middle of the flood.
TEST(StoreSessions, C17_a_million_sessions_leave_the_same_ones_on_every_node) {
  constexpr std::uint64_t flood = 1'000'000;
  constexpr ClientId idle(1);
  static constexpr ClientId busy(2);
  const auto command_at = [](std::uint64_t index) {
    return index > 2 && index % 5'000 == 0 ? Command{busy, Sequence(index), Put{"k", "v"}}
                                           : plain(OpenSession{});
  };
  const StoreOptions options;
  Store one(options);
  Store other(options);
  std::vector<std::byte> snapshot;
  for (std::uint64_t index = 1; index <= flood; ++index) {
    one.apply(raft::Index(index), command_at(index));
    if (index == flood / 2) {
      one.begin_snapshot();
      while (!one.write_snapshot(1U << 20U, snapshot)) {
      }
      ASSERT_TRUE(other.restore(raft::Index(index), snapshot));
    } else if (index > flood / 2) {
      other.apply(raft::Index(index), command_at(index));
    }
  }
  EXPECT_EQ(one.sessions(), options.sessions_max);
  EXPECT_EQ(other.sessions(), options.sessions_max);
  EXPECT_EQ(other.digest(), one.digest());
  EXPECT_EQ(one.digest(), one.recompute_digest());
  const raft::Index next(flood + 1);
  EXPECT_EQ(one.apply(next, Command{idle, Sequence(1), Put{"k", "late"}}).effect, Effect::session_expired);
  EXPECT_EQ(one.apply(next.next(), Command{busy, Sequence(flood + 1), Put{"k", "w"}}).effect, Effect::done)
      << "who is in use stays";
}

TEST_F(StoreTest, a_lower_number_is_expired) {
  const ClientId client = open();
  EXPECT_EQ(apply(client, 1, Put{"k", "1"}).effect, Effect::done);
  EXPECT_EQ(apply(client, 5, Put{"k", "5"}).effect, Effect::done) << "numbers may be left out";
  EXPECT_EQ(apply(client, 1, Put{"k", "1"}).effect, Effect::session_expired);
  EXPECT_EQ(apply(client, 4, Put{"k", "4"}).effect, Effect::session_expired) << "given up by the later one";
  EXPECT_EQ(store_.get("k"), "5");
}

TEST_F(StoreTest, sessions_do_not_share_numbers) {
  const ClientId a = open();
  const ClientId b = open();
  EXPECT_EQ(apply(a, 1, Put{"k", "a"}).effect, Effect::done);
  EXPECT_EQ(apply(b, 1, Put{"k", "b"}).effect, Effect::done);
  EXPECT_EQ(store_.get("k"), "b");
}

TEST_F(StoreTest, a_session_that_was_never_opened_is_expired) {
  EXPECT_EQ(apply(ClientId(1), 1, Put{"k", "v"}).effect, Effect::session_expired);
  EXPECT_EQ(apply(ClientId(UINT64_MAX), 1, Put{"k", "v"}).effect, Effect::session_expired);
  EXPECT_EQ(apply(ClientId(next_.value() + 1), 1, Put{"k", "v"}).effect, Effect::session_expired)
      << "nor can a command name the session that it would be";
  EXPECT_EQ(store_.size(), 0U);
  EXPECT_EQ(store_.sessions(), 0U);
}

TEST_F(StoreTest, the_session_used_least_recently_is_evicted) {
  use_options(StoreOptions{.sessions_max = 2});
  const ClientId a = open();
  const ClientId b = open();
  apply(a, 1, Put{"k", "a"});
  const ClientId c = open();
  EXPECT_EQ(store_.sessions(), 2U);
  EXPECT_EQ(apply(b, 1, Put{"k", "b"}).effect, Effect::session_expired);
  EXPECT_EQ(apply(a, 2, Put{"k", "a2"}).effect, Effect::done);
  EXPECT_EQ(apply(c, 1, Put{"k", "c"}).effect, Effect::done);
}

TEST_F(StoreTest, a_retry_counts_as_use) {
  use_options(StoreOptions{.sessions_max = 2});
  const ClientId a = open();
  apply(a, 1, Put{"k", "a"});
  const ClientId b = open();
  apply(a, 1, Put{"k", "a"});
  open();
  EXPECT_EQ(apply(a, 1, Put{"k", "a"}).effect, Effect::duplicate);
  EXPECT_EQ(apply(b, 1, Put{"k", "b"}).effect, Effect::session_expired);
}

TEST_F(StoreTest, a_retry_behind_the_eviction_of_its_session_is_never_applied) {
  use_options(StoreOptions{.sessions_max = 1});
  const ClientId a = open();
  EXPECT_EQ(apply(a, 1, Put{"k", "a"}).effect, Effect::done);
  const ClientId b = open();
  EXPECT_EQ(apply(b, 1, Delete{"k"}).effect, Effect::done);
  EXPECT_EQ(apply(a, 1, Put{"k", "a"}).effect, Effect::session_expired);
  EXPECT_EQ(apply(a, 2, Put{"k", "a"}).effect, Effect::session_expired);
  EXPECT_EQ(store_.get("k"), std::nullopt);
  EXPECT_EQ(store_.sessions(), 1U);
}

TEST_F(StoreTest, what_compares_found_is_kept_within_a_bound) {
  use_options(StoreOptions{.found_bytes_max = 10});
  const ClientId a = open();
  const ClientId b = open();
  apply(plain(Put{"k", "12345678"}));
  apply(a, 1, CompareAndSwap{"k", std::nullopt, "v"});
  EXPECT_EQ(store_.sessions(), 2U);
  apply(b, 1, CompareAndSwap{"k", std::nullopt, "v"});
  EXPECT_EQ(store_.sessions(), 1U);
  EXPECT_EQ(apply(a, 1, CompareAndSwap{"k", std::nullopt, "v"}).effect, Effect::session_expired);

  apply(plain(Put{"k", "larger than the bound"}));
  apply(b, 2, CompareAndSwap{"k", std::nullopt, "v"});
  EXPECT_EQ(apply(b, 2, CompareAndSwap{"k", std::nullopt, "v"}).found, "larger than the bound");
  const ClientId c = open();
  apply(b, 3, Put{"other", "frees what was kept"});
  apply(plain(Put{"k", "12345678"}));
  apply(c, 1, CompareAndSwap{"k", std::nullopt, "v"});
  EXPECT_EQ(store_.sessions(), 2U);
}

// ---- Digest and copies
// -----------------------------------------------------------------------------------------

TEST_F(StoreTest, the_order_of_insertion_does_not_show_in_the_digest) {
  Store other;
  store_.apply(raft::Index(1), plain(Put{"a", "1"}));
  store_.apply(raft::Index(2), plain(Put{"b", "2"}));
  other.apply(raft::Index(1), plain(Put{"b", "2"}));
  other.apply(raft::Index(2), plain(Put{"a", "1"}));
  EXPECT_EQ(store_.digest(), other.digest());
}

TEST_F(StoreTest, each_single_thing_shows_in_the_digest) {
  const auto after = [](const std::vector<Command>& commands) {
    Store store;
    raft::Index at{10};
    for (const Command& command : commands) {
      store.apply(at, command);
      at = at.next();
    }
    store.skip(raft::Index(1000));
    return store.digest();
  };
  const ClientId session(10);
  const Command opening = plain(OpenSession{});
  const std::vector<std::uint64_t> digests = {
      Store().digest(),
      after({}),
      after({plain(Put{"a", "1"})}),
      after({plain(Put{"a", "2"})}),
      after({plain(Put{"b", "1"})}),
      after({plain(Put{"a1", ""})}),
      after({plain(Put{"1", "a"})}),
      after({plain(Put{"a", std::string("1\0", 2)})}),
      after({plain(Put{"a", "1"}), plain(Put{"b", "1"})}),
      after({plain(Put{"a", "2"}), plain(Put{"b", "1"})}),
      after({opening}),
      after({plain(Delete{"x"}), opening}),
      after({opening, Command{session, Sequence(1), Delete{"x"}}}),
      after({opening, Command{session, Sequence(2), Delete{"x"}}}),
      after({opening, plain(Delete{"x"}), Command{session, Sequence(1), Delete{"x"}}}),
      after(
          {opening, Command{session, Sequence(1), Delete{"x"}}, Command{session, Sequence(1), Delete{"x"}}}),
      after({opening, Command{session, Sequence(1), CompareAndSwap{"x", "1", "1"}}}),
      after({opening, plain(Put{"x", ""}), Command{session, Sequence(1), CompareAndSwap{"x", "1", "1"}},
             plain(Delete{"x"})}),
      after({opening, plain(Put{"x", "0"}), Command{session, Sequence(1), CompareAndSwap{"x", "1", "1"}},
             plain(Delete{"x"})}),
  };
  for (std::size_t a = 0; a < digests.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) EXPECT_NE(digests[a], digests[b]) << a << " and " << b;
  }
}

TEST_F(StoreTest, the_applied_index_shows_in_the_digest) {
  store_.skip(raft::Index(7));
  const std::uint64_t before = store_.digest();
  store_.skip(raft::Index(8));
  EXPECT_NE(store_.digest(), before);
  EXPECT_EQ(store_.digest(), store_.recompute_digest());
}

TEST_F(StoreTest, what_was_undone_leaves_no_trace_in_the_digest) {
  Store other;
  apply(plain(Put{"a", "1"}));
  apply(plain(Delete{"a"}));
  other.skip(next_);
  EXPECT_EQ(store_.digest(), other.digest());
}

/// The digest is compared between machines and builds, hence its value is part of the contract.
TEST_F(StoreTest, copies_are_independent) {
  const ClientId client = open();
  apply(client, 1, Put{"k", "1"});
  Store copy = store_;
  EXPECT_EQ(copy.digest(), store_.digest());
  apply(client, 2, Put{"k", "2"});
  EXPECT_EQ(copy.get("k"), "1");
  EXPECT_EQ(copy.apply(next_, Command{client, Sequence(2), Put{"k", "2"}}).effect, Effect::done);
  EXPECT_EQ(copy.digest(), store_.digest());
}

}  // namespace
}  // namespace raftlab::kv
