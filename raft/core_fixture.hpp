#pragma once

#include "raft/core.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// Helpers of the core's own tests: one core that is driven by hand, and short names for what goes in and
/// out.
namespace raftlab::raft::testing {

inline std::vector<std::byte> bytes(std::string_view text) {
  std::vector<std::byte> out;
  for (const char character : text) out.push_back(static_cast<std::byte>(character));
  return out;
}

inline std::string text(Bytes bytes) {
  std::string out;
  for (const std::byte byte : bytes) out.push_back(static_cast<char>(byte));
  return out;
}

inline NodeId node(std::uint32_t id) { return NodeId(id); }
inline LogId id(std::uint64_t term, std::uint64_t index) { return LogId{Term(term), Index(index)}; }

/// Commands at `first`, `first` + 1, ... with these terms. The payload names index and term: "7@2".
inline Slice entries(std::uint64_t first, std::initializer_list<std::uint64_t> terms) {
  Slice slice = Slice::make(Index(first), static_cast<std::uint32_t>(terms.size()), 1024);
  std::uint64_t index = first;
  for (const std::uint64_t term : terms) {
    const auto payload = bytes(std::to_string(index) + "@" + std::to_string(term));
    ++index;
    if (!slice.append(Term(term), EntryKind::command, payload))
      throw std::logic_error("no room in the block");
  }
  return slice;
}

/// Terms of a log from its first entry on.
inline std::vector<std::uint64_t> terms_of(const Log& log) {
  std::vector<std::uint64_t> terms;
  for (Index at = log.first(); at <= log.last(); at = at.next())
    terms.push_back(log.entry(at).id.term.value());
  return terms;
}

/// Node 1, without pre-vote and check-quorum, so that a test sees one rule at a time.
inline Options plain(std::uint32_t id = 1) {
  Options options;
  options.id = node(id);
  options.seed = Seed(7);
  options.pre_vote = false;
  options.check_quorum = false;
  return options;
}

/// Node 1 with pre-vote and check-quorum, as a host runs it.
inline Options guarded(std::uint32_t id = 1) {
  Options options = plain(id);
  options.pre_vote = true;
  options.check_quorum = true;
  return options;
}

/// Entry 1 of term 1 is the configuration of voters 1..`nodes`; these terms follow from index 2 on.
inline Recovered recovered(std::uint32_t nodes, std::initializer_list<std::uint64_t> terms = {},
                           std::uint64_t term = 1, std::uint32_t voted_for = 0) {
  Recovered recovered = bootstrap(voters_up_to(nodes));
  if (terms.size() > 0) recovered.entries.push_back(entries(2, terms));
  recovered.hard = HardState{Term(term), NodeId(voted_for)};
  return recovered;
}

inline Core recover(const Options& options, const Recovered& recovered) {
  auto result = Core::recover(options, recovered);
  if (const auto* error = std::get_if<RecoverError>(&result)) throw std::logic_error(name(*error));
  return std::get<Core>(std::move(result));
}

/// One core and the output of the last call. A call is one step; those that say so make several and gather
/// `sent`.
class Driver {
 public:
  /// Write 1, what was recovered, is still on its way.
  Driver(const Options& options, const Recovered& recovered) : core(recover(options, recovered)) {}

  Core core;
  Output out;
  std::vector<Envelope> sent;

  void step(const std::vector<Input>& inputs) {
    core.step(inputs, out);
    sent = out.messages;
  }
  void step(Input input) { step(std::vector<Input>{std::move(input)}); }
  void receive(std::uint32_t from, std::uint64_t term, Message message) {
    step(envelope(from, term, std::move(message)));
  }
  [[nodiscard]] Input envelope(std::uint32_t from, std::uint64_t term, Message message) const {
    return Receive{Envelope{node(from), core.view().id, Term(term), std::move(message)}};
  }
  void written(std::uint64_t seq) { step(Written{WriteSeq(seq)}); }

  /// Everything issued is on stable storage. Gathers what was sent before and what this releases.
  void settle() {
    std::vector<Envelope> gathered = std::move(sent);
    while (state().written < state().issued) {
      core.step(std::vector<Input>{Written{state().issued}}, out);
      gathered.insert(gathered.end(), out.messages.begin(), out.messages.end());
    }
    sent = std::move(gathered);
  }
  /// Receives a message and settles.
  void exchange(std::uint32_t from, std::uint64_t term, Message message) {
    receive(from, term, std::move(message));
    settle();
  }
  /// One tick in each of `count` steps; gathers.
  void tick(std::uint32_t count = 1) {
    std::vector<Envelope> gathered;
    for (; count > 0; --count) {
      core.step(std::vector<Input>{Tick{}}, out);
      gathered.insert(gathered.end(), out.messages.begin(), out.messages.end());
    }
    sent = std::move(gathered);
  }
  /// Ticks up to the election deadline and one step over it.
  void time_out() { tick(state().deadline_ticks - state().elapsed_ticks); }

  void propose(std::string_view payload, std::uint64_t tag = 1) { step(Propose{tag, bytes(payload)}); }

  /// Makes it leader of the next term by the votes of nodes 2, 3, ...; its no-op is durable here, nobody
  /// answered yet.
  void lead() {
    settle();
    step(Campaign{});
    grant(Role::pre_candidate, VoteReply{true, true});
    settle();
    grant(Role::candidate, VoteReply{false, true});
    settle();
    if (state().role != Role::leader) throw std::logic_error("not elected");
  }
  /// The other voters grant one after the other while it is in this role.
  void grant(Role role, VoteReply reply) {
    const std::uint64_t term = state().hard.term.value() + (reply.pre ? 1 : 0);
    const std::vector<NodeId> voters = view().configurations.back().configuration.voters;
    for (const NodeId voter : voters) {
      if (state().role == role && voter != view().id) receive(voter.value(), term, reply);
    }
  }
  /// A peer acknowledges everything up to the end of the log.
  void acknowledge_all(std::uint32_t from) {
    exchange(from, state().hard.term.value(), AppendReply{state().last.index, ReadSeq{}});
  }

  [[nodiscard]] View view() const { return core.view(); }
  [[nodiscard]] State state() const { return core.view().state; }
  [[nodiscard]] const Log& log() const { return *core.view().log; }
  [[nodiscard]] const Progress& peer(std::uint32_t id) const {
    for (const Progress& progress : core.view().peers) {
      if (progress.id == node(id)) return progress;
    }
    throw std::logic_error("no such peer");
  }

  /// The messages of one kind in `sent`, to one node or to all.
  template <class Kind>
  [[nodiscard]] std::vector<Kind> all(std::uint32_t to = 0) const {
    std::vector<Kind> found;
    for (const Envelope& envelope : sent) {
      const auto* message = std::get_if<Kind>(&envelope.message);
      if (message != nullptr && (to == 0 || envelope.to == node(to))) found.push_back(*message);
    }
    return found;
  }
  /// The only message of a kind; none when there is none or more than one.
  template <class Kind>
  [[nodiscard]] std::optional<Kind> one(std::uint32_t to = 0) const {
    auto found = all<Kind>(to);
    if (found.size() != 1) return std::nullopt;
    return std::move(found.front());
  }
};

/// A node whose recovered state is durable.
inline Driver settled(const Options& options, const Recovered& recovered) {
  Driver driver(options, recovered);
  driver.settle();
  driver.sent.clear();
  return driver;
}

/// A leader of term 2 without open questions: everybody acknowledged its no-op, which is committed.
inline Driver leader_of(std::uint32_t nodes, const Options& options = plain()) {
  Driver driver(options, recovered(nodes));
  driver.lead();
  for (std::uint32_t peer = 2; peer <= nodes; ++peer) driver.acknowledge_all(peer);
  driver.sent.clear();
  return driver;
}

}  // namespace raftlab::raft::testing
