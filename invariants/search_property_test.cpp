#include "invariants/search.hpp"

#include "invariants/history_random.hpp"
#include "invariants/witness.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace raftlab::invariants {
namespace {

using testing::Call;
using testing::history_of;
using testing::Random;
using testing::RandomOptions;
using testing::RandomRun;
using testing::replay;

using Contents = std::map<std::string, std::string>;

Value held(const Contents& contents, const std::string& key) {
  const auto found = contents.find(key);
  return found == contents.end() ? Value() : Value(found->second);
}

/// Carries the operation out; false if the answer is not the one that its client got. A third model, so that
/// search, witness and this one have to make the same mistake to hide it.
bool carry_out(const HistoryEntry& entry, Contents& contents) {
  const bool judged = entry.fate == Fate::ok;
  if (const auto* put = std::get_if<Put>(&entry.op)) {
    contents[put->key] = put->value;
  } else if (const auto* erase = std::get_if<Delete>(&entry.op)) {
    contents.erase(erase->key);
  } else if (const auto* append = std::get_if<Append>(&entry.op)) {
    contents[append->key] += append->value;
  } else if (const auto* batch = std::get_if<PutBatch>(&entry.op)) {
    for (const Put& part : batch->entries) contents[part.key] = part.value;
  } else if (const auto* swap = std::get_if<CompareAndSwap>(&entry.op)) {
    const Value found = held(contents, swap->key);
    if (found == swap->expected) {
      contents[swap->key] = swap->value;
      return !judged || entry.outcome.kind == Outcome::Kind::done;
    }
    if (!judged) return true;
    return entry.outcome.kind == Outcome::Kind::compare_failed &&
           (!entry.outcome.found_told || entry.outcome.value == found);
  } else if (const auto* get = std::get_if<Get>(&entry.op)) {
    return entry.outcome.value == held(contents, get->key);
  } else {
    std::vector<Value> values;
    for (const std::string& key : std::get<MultiGet>(entry.op).keys) values.push_back(held(contents, key));
    return entry.outcome.values == values;
  }
  return true;
}

bool left_out(const HistoryEntry& entry) {
  return entry.fate == Fate::fail || entry.stale || (entry.fate == Fate::unknown && is_read(entry.op));
}

/// The definition, by trying every order.
bool brute_force(const std::vector<HistoryEntry>& entries, std::vector<bool>& placed,
                 const Contents& contents) {
  bool complete = true;
  for (std::size_t at = 0; at < entries.size(); ++at)
    complete = complete && (placed[at] || entries[at].fate != Fate::ok);
  if (complete) return true;
  for (std::size_t at = 0; at < entries.size(); ++at) {
    if (placed[at]) continue;
    bool first = true;
    for (std::size_t other = 0; other < entries.size(); ++other) {
      first = first && (placed[other] || entries[other].fate != Fate::ok ||
                        entries[other].returned_ns >= entries[at].invoked_ns);
    }
    Contents next = contents;
    if (!first || !carry_out(entries[at], next)) continue;
    placed[at] = true;
    if (brute_force(entries, placed, next)) return true;
    placed[at] = false;
  }
  return false;
}

bool brute_force(const History& history) {
  std::vector<HistoryEntry> entries;
  for (const HistoryEntry& entry : history.entries) {
    if (!left_out(entry)) entries.push_back(entry);
  }
  std::vector<bool> placed(entries.size(), false);
  return brute_force(entries, placed, {});
}

/// Anything goes: mostly not linearizable.
History tiny(std::uint64_t seed) {
  Random random(seed);
  const auto key = [&random] { return std::string(1, random.one_in(3) ? 'y' : 'x'); };
  const auto text = [&random] { return std::string(1, random.one_in(2) ? 'a' : 'b'); };
  const auto value = [&] { return random.one_in(3) ? Value() : Value(text()); };
  History history;
  const std::uint64_t count = 2 + random.below(5);
  const bool appends = random.one_in(4);
  for (std::uint64_t at = 0; at < count; ++at) {
    HistoryEntry entry;
    entry.id = {at + 1, 1};
    entry.invoked_ns = static_cast<std::int64_t>(random.below(10));
    entry.returned_ns = entry.invoked_ns + static_cast<std::int64_t>(random.below(8));
    entry.fate = random.one_in(4) ? Fate::unknown : Fate::ok;
    const std::string first = key();
    switch (random.below(appends ? 9 : 8)) {
      case 0: entry.op = Put{first, text()}; break;
      case 1: entry.op = Delete{first}; break;
      case 2:
      case 3: {
        const Value expected = value();
        entry.op = CompareAndSwap{first, expected, text()};
        if (random.one_in(3)) entry.outcome = Outcome::compare_failed(value());
        if (random.one_in(4)) entry.outcome = Outcome::compare_failed_untold();
        break;
      }
      case 4: {
        std::string one = text();
        std::string two = text();
        std::string second = key();
        entry.op = PutBatch{{{first, std::move(one)}, {std::move(second), std::move(two)}}};
        break;
      }
      case 5: {
        entry.op = MultiGet{{first, key()}};
        std::vector<Value> values{value()};
        values.push_back(value());
        entry.outcome = Outcome::read(std::move(values));
        break;
      }
      case 8: entry.op = Append{first, text()}; break;
      default:
        entry.op = Get{first};
        entry.outcome = Outcome::read(appends && random.one_in(2) ? Value(text() + text()) : value());
        break;
    }
    if (entry.fate == Fate::unknown) entry.outcome = {};
    history.entries.push_back(std::move(entry));
  }
  return history;
}

std::string show(const History& history) {
  std::string out;
  for (const HistoryEntry& entry : history.entries) out += describe(entry) + '\n';
  return out;
}

/// What the search says of a history that holds can be checked without trusting it: every answered operation
/// is in the order once, the model agrees, and time is kept among operations that share a key (groups of keys
/// stand one after the other, so that there is no order in time between them).
void expect_order_is_a_linearization(const History& history, const std::vector<std::size_t>& order) {
  std::vector<bool> placed(history.entries.size(), false);
  Contents contents;
  for (const std::size_t at : order) {
    ASSERT_FALSE(placed[at]);
    placed[at] = true;
    ASSERT_TRUE(carry_out(history.entries[at], contents)) << describe(history.entries[at]);
  }
  const auto share = [](const Operation& a, const Operation& b) {
    bool shared = false;
    for_each_key(a, [&](std::string_view one) {
      for_each_key(b, [&](std::string_view two) { shared = shared || one == two; });
    });
    return shared;
  };
  for (std::size_t before = 0; before < order.size(); ++before) {
    for (std::size_t after = before + 1; after < order.size(); ++after) {
      const HistoryEntry& a = history.entries[order[before]];
      const HistoryEntry& b = history.entries[order[after]];
      if (b.fate != Fate::ok || !share(a.op, b.op)) continue;
      ASSERT_GE(b.returned_ns, a.invoked_ns) << describe(a) << " before " << describe(b);
    }
  }
  for (std::size_t at = 0; at < history.entries.size(); ++at) {
    ASSERT_TRUE(placed[at] || history.entries[at].fate != Fate::ok || history.entries[at].stale);
  }
}

TEST(SearchProperty, agrees_with_brute_force_on_tiny_histories) {
  std::size_t linearizable = 0;
  constexpr std::uint64_t runs = 30'000;
  for (std::uint64_t seed = 0; seed < runs; ++seed) {
    const History history = tiny(seed);
    const SearchResult result = search(history);
    const bool expected = brute_force(history);
    linearizable += expected ? 1 : 0;
    ASSERT_EQ(result.verdict, expected ? SearchVerdict::holds : SearchVerdict::violated)
        << "seed " << seed << '\n'
        << show(history);
    if (expected) expect_order_is_a_linearization(history, result.order);
    ASSERT_EQ(result.stuck.has_value(), !expected) << "seed " << seed;
  }
  EXPECT_GT(linearizable, runs / 10);
  EXPECT_LT(linearizable, runs * 9 / 10);
}

TEST(SearchProperty, one_changed_value_in_a_tiny_run_is_judged_as_brute_force_judges_it) {
  std::size_t violated = 0;
  for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
    History history =
        history_of(RandomRun(seed, {.calls = 12, .clients = 3, .keys = 2, .values = 2}).calls());
    Random random(seed);
    HistoryEntry& entry = history.entries[random.below(history.entries.size())];
    if (!is_read(entry.op) || entry.fate != Fate::ok) continue;
    Value& value = entry.outcome.values.empty()
                       ? entry.outcome.value
                       : entry.outcome.values[random.below(entry.outcome.values.size())];
    value = value == "1" ? Value("2") : Value("1");
    const bool expected = brute_force(history);
    violated += expected ? 0 : 1;
    ASSERT_EQ(search(history).verdict, expected ? SearchVerdict::holds : SearchVerdict::violated)
        << "seed " << seed << '\n'
        << show(history);
  }
  EXPECT_GT(violated, 500U);
}

RC_GTEST_PROP(HistoryProperty, a_history_of_a_store_that_behaves_holds_for_witness_and_search, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  RandomOptions options;
  options.clients = *rc::gen::inRange<std::uint64_t>(1, 7);
  options.keys = *rc::gen::inRange<std::uint64_t>(1, 6);
  options.values = *rc::gen::inRange<std::uint64_t>(0, 5);
  const RandomRun run(seed, options);
  Witness witness;
  replay(run.calls(), witness);
  for (const HistoryFinding& finding : witness.findings()) RC_FAIL(finding.text);
  RC_ASSERT(witness.fits());
  const History history = history_of(run.calls());
  const SearchResult result = search(history);
  RC_ASSERT(result.verdict == SearchVerdict::holds);
  expect_order_is_a_linearization(history, result.order);
  RC_ASSERT(!::testing::Test::HasFatalFailure());
}

/// Changes something that a system that does not behave could have done or said.
void disturb(std::vector<Call>& calls, Random& random) {
  const std::size_t at = random.below(calls.size());
  Call& call = calls[at];
  if (call.kind == Call::Kind::committed) {
    if (random.one_in(3)) {
      call.id = {};  // what was committed is a no-op
      return;
    }
    for (std::size_t other = at + 1; other < calls.size(); ++other) {
      if (calls[other].kind != Call::Kind::committed) continue;
      std::swap(calls[other].id, call.id);  // two entries the other way round
      std::swap(calls[other].op, call.op);
      return;
    }
  }
  if (call.kind != Call::Kind::ok) return;
  switch (random.below(4)) {
    case 0: {
      const std::uint64_t index = call.index.value() + random.below(5);
      call.index = raft::Index(std::max<std::uint64_t>(index, 3) - 2);
      return;
    }
    case 1:
      if (call.outcome.kind == Outcome::Kind::values) {
        if (!call.outcome.values.empty()) call.outcome.values[0] = Value("1");
        if (call.outcome.values.empty()) call.outcome.value = random.one_in(2) ? Value() : Value("1");
      }
      return;
    default: {  // answered earlier: perhaps before the commit of the index is told
      std::size_t begin = at;
      while (begin > 0 && !(calls[begin].kind == Call::Kind::invoke && calls[begin].id == call.id)) --begin;
      const std::size_t to = begin + 1 + random.below(at - begin);
      if (random.one_in(4)) call.index = {};
      call.now_ns = calls[to - 1].now_ns;
      std::rotate(calls.begin() + static_cast<std::ptrdiff_t>(to),
                  calls.begin() + static_cast<std::ptrdiff_t>(at),
                  calls.begin() + static_cast<std::ptrdiff_t>(at) + 1);
      return;
    }
  }
}

TEST(HistoryProperty, what_the_witness_accepts_the_search_accepts_even_of_a_system_that_misbehaves) {
  std::size_t accepted = 0;
  std::size_t refused = 0;
  std::size_t violated = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::vector<Call> calls = RandomRun(seed, {.calls = 40, .clients = 3, .keys = 2, .values = 3}).calls();
    Random random(seed);
    for (std::uint64_t changes = 1 + random.below(3); changes > 0; --changes) disturb(calls, random);
    Witness witness;
    replay(calls, witness);
    const SearchResult result = search(history_of(calls));
    ASSERT_NE(result.verdict, SearchVerdict::inconclusive) << "seed " << seed;
    if (result.verdict == SearchVerdict::violated) ++violated;
    if (!witness.fits() || !witness.findings().empty()) {
      ++refused;
      continue;
    }
    ++accepted;
    ASSERT_EQ(result.verdict, SearchVerdict::holds) << "seed " << seed << '\n'
                                                    << result.text << '\n'
                                                    << show(history_of(calls));
  }
  EXPECT_GT(accepted, 2'000U);
  EXPECT_GT(refused, 2'000U);
  EXPECT_GT(violated, 400U);
}

}  // namespace
}  // namespace raftlab::invariants
