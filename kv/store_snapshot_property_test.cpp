#include "kv/test_commands.hpp"
#include "kv/test_snapshot.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace raftlab::kv {
namespace {

using test::Bytes;
using test::draw_session_command;
using test::snapshot_of;

StoreOptions draw_options() {
  StoreOptions options;
  options.sessions_max = *rc::gen::inRange(1U, 6U);
  options.found_bytes_max = *rc::gen::inRange(0U, 30U);
  return options;
}

/// A store with a history.
class History {
 public:
  History() : options(draw_options()), store(options) {}

  void apply(std::uint64_t commands) {
    for (; commands > 0; --commands) {
      next = next.next();
      store.apply(next, draw_session_command(next));
    }
  }

  StoreOptions options;
  Store store;
  raft::Index next;
};

void assert_equal(const Store& a, const Store& b) {
  RC_ASSERT(a.digest() == b.digest());
  RC_ASSERT(a.recompute_digest() == b.digest());
  RC_ASSERT(a.applied() == b.applied());
  RC_ASSERT(a.size() == b.size());
  RC_ASSERT(a.sessions() == b.sessions());
}

RC_GTEST_PROP(StoreSnapshotProperty, shows_the_state_at_its_beginning_whatever_is_applied_between_its_pieces,
              ()) {
  History history;
  Store& store = history.store;
  history.apply(*rc::gen::inRange<std::uint64_t>(0, 60));
  const int snapshots = *rc::gen::inRange(1, 4);
  for (int i = 0; i < snapshots; ++i) {
    Store at_begin = store;
    const bool wanted = *rc::gen::inRange(0, 4) > 0;
    store.begin_snapshot();
    Bytes bytes;
    bool complete = false;
    for (int piece = 0; !complete && (wanted || piece < 3); ++piece) {
      history.apply(*rc::gen::inRange<std::uint64_t>(0, 6));
      const auto size = *rc::gen::inRange<std::size_t>(0, 60);
      complete = store.write_snapshot(size, bytes);
    }
    RC_ASSERT(store.digest() == store.recompute_digest());
    if (!complete) store.abandon_snapshot();
    const Bytes expected = snapshot_of(at_begin);
    RC_ASSERT(bytes.size() <= expected.size());
    RC_ASSERT(complete == (bytes.size() == expected.size()));
    RC_ASSERT(std::equal(bytes.begin(), bytes.end(), expected.begin()));
  }
}

RC_GTEST_PROP(StoreSnapshotProperty, a_restored_store_goes_on_as_the_original_does, ()) {
  History history;
  Store& store = history.store;
  history.apply(*rc::gen::inRange<std::uint64_t>(0, 80));
  Store copy(history.options);
  RC_ASSERT(copy.restore(history.next, snapshot_of(store)));
  assert_equal(copy, store);
  const int further = *rc::gen::inRange(0, 60);
  for (int i = 0; i < further; ++i) {
    history.next = history.next.next();
    const Command command = draw_session_command(history.next);
    RC_ASSERT(copy.apply(history.next, command) == store.apply(history.next, command));
    RC_ASSERT(copy.answer(command.client, command.sequence, hash(command.change)) ==
              store.answer(command.client, command.sequence, hash(command.change)));
    assert_equal(copy, store);
  }
  Store again(history.options);
  RC_ASSERT(again.restore(history.next, snapshot_of(copy)));
  assert_equal(again, store);
}

RC_GTEST_PROP(StoreSnapshotProperty, damage_is_refused_and_changes_nothing, ()) {
  History history;
  history.apply(*rc::gen::inRange<std::uint64_t>(0, 40));
  const Bytes whole = snapshot_of(history.store);
  const auto place = *rc::gen::inRange<std::size_t>(0, whole.size());
  Bytes damaged = whole;
  switch (*rc::gen::inRange(0, 4)) {
    case 0: damaged[place] ^= static_cast<std::byte>(*rc::gen::inRange(1, 256)); break;
    case 1: damaged.resize(place); break;
    case 2: damaged.erase(damaged.begin() + static_cast<std::ptrdiff_t>(place)); break;
    default:
      damaged.insert(damaged.begin() + static_cast<std::ptrdiff_t>(place),
                     static_cast<std::byte>(*rc::gen::inRange(0, 256)));
  }
  RC_PRE(damaged != whole);
  Store victim(history.options);
  victim.apply(raft::Index(1), Command{ClientId(), Sequence(), Put{"mine", "1"}});
  const std::uint64_t before = victim.digest();
  RC_ASSERT(!victim.restore(history.next, damaged));
  RC_ASSERT(victim.digest() == before);
  RC_ASSERT(victim.recompute_digest() == before);
  RC_ASSERT(victim.restore(history.next, whole));
}

RC_GTEST_PROP(StoreSnapshotProperty, two_stores_with_one_history_have_the_same_bytes, ()) {
  History history;
  Store other(history.options);
  const int commands = *rc::gen::inRange(0, 80);
  for (int i = 0; i < commands; ++i) {
    history.next = history.next.next();
    const Command command = draw_session_command(history.next);
    history.store.apply(history.next, command);
    other.apply(history.next, command);
    if (i % 10 == 0) (void)snapshot_of(other);  // that one took snapshots before does not show
  }
  RC_ASSERT(snapshot_of(history.store) == snapshot_of(other));
}

}  // namespace
}  // namespace raftlab::kv
