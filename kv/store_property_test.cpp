#include "kv/store.hpp"

#include "kv/test_commands.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

namespace raftlab::kv {
namespace {

/// What a store should do, said as simply as possible: ordered maps, and eviction by looking for the least
/// recent use.
class Model {
 public:
  explicit Model(const StoreOptions& options) : options_(options) {}

  Result apply(raft::Index index, const Command& command) {
    Result result;
    result.index = index;
    if (std::holds_alternative<OpenSession>(command.change)) {
      if (sessions_.size() == options_.sessions_max) evict_one();
      sessions_[index.value()].used = index;
      result.client = ClientId(index.value());
      return result;
    }
    if (!command.client) {
      change(command.change, result);
      return result;
    }
    const auto known = sessions_.find(command.client.value());
    if (known == sessions_.end()) {
      result.effect = Effect::session_expired;
      return result;
    }
    known->second.used = index;
    if (command.sequence == known->second.sequence && command.change != known->second.change) {
      result.effect = Effect::sequence_reused;
    } else if (command.sequence == known->second.sequence) {
      result = known->second.answer;
      result.first = result.effect;
      result.effect = Effect::duplicate;
    } else if (command.sequence < known->second.sequence) {
      result.effect = Effect::session_expired;
    } else {
      change(command.change, result);
      known->second.sequence = command.sequence;
      known->second.change = command.change;
      known->second.answer = result;
      while (found_bytes() > options_.found_bytes_max && sessions_.size() > 1) evict_one();
    }
    return result;
  }

  std::map<std::string, std::string> values;
  [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }

 private:
  struct Session {
    Sequence sequence;
    raft::Index used;
    Change change;
    Result answer;
  };

  void change(const Change& change, Result& result) {
    if (const auto* to_put = std::get_if<Put>(&change)) values[to_put->key] = to_put->value;
    if (const auto* to_delete = std::get_if<Delete>(&change)) values.erase(to_delete->key);
    if (const auto* batch = std::get_if<PutBatch>(&change)) {
      for (const Put& put : batch->entries) values[put.key] = put.value;
    }
    const auto* compare = std::get_if<CompareAndSwap>(&change);
    if (compare == nullptr) return;
    std::optional<std::string> held;
    if (const auto at = values.find(compare->key); at != values.end()) held = at->second;
    if (held == compare->expected) {
      values[compare->key] = compare->value;
    } else {
      result.effect = Effect::compare_failed;
      result.found = held;
    }
  }

  void evict_one() {
    sessions_.erase(
        std::ranges::min_element(sessions_, {}, [](const auto& session) { return session.second.used; }));
  }
  [[nodiscard]] std::uint64_t found_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& [client, session] : sessions_)
      bytes += session.answer.found ? session.answer.found->size() : 0;
    return bytes;
  }

  StoreOptions options_;
  std::map<std::uint64_t, Session> sessions_;
};

RC_GTEST_PROP(StoreProperty, does_what_the_model_does_and_keeps_its_digest, ()) {
  StoreOptions options;
  options.sessions_max = *rc::gen::inRange(1U, 6U);
  options.found_bytes_max = *rc::gen::inRange(0U, 30U);
  Store store(options);
  Model model(options);
  const std::uint64_t commands = *rc::gen::inRange<std::uint64_t>(0, 60);
  for (std::uint64_t i = 1; i <= commands; ++i) {
    const Command command = test::draw_session_command(raft::Index(i));
    RC_ASSERT(store.apply(raft::Index(i), command) == model.apply(raft::Index(i), command));
    RC_ASSERT(store.digest() == store.recompute_digest());
    RC_ASSERT(store.sessions() == model.sessions());
    RC_ASSERT(store.size() == model.values.size());
  }
  for (const auto& [key, value] : model.values) RC_ASSERT(store.get(key) == std::string_view(value));
}

RC_GTEST_PROP(StoreProperty, no_number_of_a_session_takes_effect_twice, ()) {
  StoreOptions options;
  options.sessions_max = *rc::gen::inRange(1U, 4U);
  Store store(options);
  std::map<std::pair<ClientId, Sequence>, int> effects;
  for (std::uint64_t i = 1; i <= 80; ++i) {
    const Command command = test::draw_session_command(raft::Index(i));
    const Result result = store.apply(raft::Index(i), command);
    const bool carried_out = result.effect == Effect::done || result.effect == Effect::compare_failed;
    if (!command.client || !carried_out) continue;
    const int times = ++effects[std::pair(command.client, command.sequence)];
    RC_ASSERT(times == 1);
  }
}

}  // namespace
}  // namespace raftlab::kv
