#include "raft/core.hpp"

#include "raft/assert.hpp"
#include "raft/hash.hpp"
#include "raft/turn.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::raft {

void Output::clear() {
  messages.clear();
  write.seq = WriteSeq{};
  write.checkpoint.reset();
  write.hard.reset();
  write.truncate_from = Index{};
  write.entries.clear();
  apply.clear();
  reads.clear();
  accepted.clear();
  rejected.clear();
  transferred.clear();
  lost_from.reset();
  chunks_to_send.clear();
  chunks_to_store.clear();
  fetches.clear();
  restore.reset();
  role.reset();
  fault.reset();
  deltas.clear();
}

Recovered bootstrap(const Configuration& configuration) {
  Recovered recovered;
  recovered.hard.term = Term(1);
  const std::vector<std::byte> payload = encode(configuration);
  Slice entry = Slice::make(Index(1), 1, static_cast<std::uint32_t>(payload.size()));
  RAFTLAB_ASSERT(entry.append(Term(1), EntryKind::configuration, payload), payload.size());
  recovered.entries.push_back(std::move(entry));
  return recovered;
}

const char* name(RecoverError error) {
  switch (error) {
    case RecoverError::bad_options: return "bad options";
    case RecoverError::gap: return "gap in the log";
    case RecoverError::falling_term: return "falling term";
    case RecoverError::term_above_hard_state: return "entry of a term above the hard state's";
    case RecoverError::bad_configuration: return "configuration entry cannot be decoded";
  }
  return "?";
}

namespace {

std::optional<RecoverError> check(const Options& options, const Recovered& recovered) {
  if (!options.id || options.heartbeat_ticks == 0 || options.heartbeat_ticks >= options.election_ticks_min ||
      options.limits.window_messages == 0 || options.limits.window_bytes == 0) {
    return RecoverError::bad_options;
  }
  LogId last = recovered.base;
  bool covered = recovered.snapshot == recovered.base;
  for (const Slice& slice : recovered.entries) {
    for (std::uint32_t i = 0; i < slice.size(); ++i) {
      const EntryView entry = slice.entry(i);
      if (entry.id.index != last.index.next()) return RecoverError::gap;
      if (entry.id.term < last.term) return RecoverError::falling_term;
      if (entry.kind == EntryKind::configuration && !decode_configuration(entry.payload)) {
        return RecoverError::bad_configuration;
      }
      last = entry.id;
      covered = covered || last == recovered.snapshot;
    }
  }
  if (!covered) return RecoverError::gap;
  if (last.term > recovered.hard.term) return RecoverError::term_above_hard_state;
  if (recovered.durable > last.index) return RecoverError::gap;
  return std::nullopt;
}

}  // namespace

std::variant<Core, RecoverError> Core::recover(const Options& options, const Recovered& recovered) {
  if (const auto error = check(options, recovered)) return *error;
  return Core(options, recovered);
}

Core::Core(const Options& options, const Recovered& recovered)
    : options_(options),
      hard_(recovered.hard),
      log_(recovered.base),
      snapshot_(recovered.snapshot),
      commit_(recovered.snapshot.index),
      applied_(recovered.snapshot.index),
      handed_(recovered.snapshot.index),
      durable_(recovered.durable),
      issued_(1),
      hard_write_(1),
      submitted_hard_(recovered.hard) {
  configurations_.push_back(
      ConfigurationAt{recovered.snapshot.index, recovered.snapshot_configuration.value_or(Configuration{})});
  for (const Slice& slice : recovered.entries) {
    log_.append(slice);
    for (std::uint32_t i = 0; i < slice.size(); ++i) {
      const EntryView entry = slice.entry(i);
      if (entry.kind != EntryKind::configuration || entry.id.index <= snapshot_.index) continue;
      configurations_.push_back(ConfigurationAt{entry.id.index, *decode_configuration(entry.payload)});
    }
  }
  submitted_last_ = log_.last();
  // Recovered is not durable (R7): the storage rewrites all of it, and that counts as write 1.
  pending_writes_.push_back(PendingWrite{issued_, log_.first(), log_.last(), Index{}});
  // To whom it promised what in an earlier life is forgotten. One maximum election timeout covers it.
  if (uses_leases()) promise_ticks_ = 2 * options_.election_ticks_min;
  restart_election_timer();
}

State Core::state() const {
  return State{.hard = hard_,
               .leader = leader_,
               .role = role(),
               .commit = commit_,
               .applied = applied_,
               .handed = handed_,
               .durable = durable_,
               .snapshot = snapshot_,
               .base = log_.base(),
               .last = log_.last_id(),
               .issued = issued_,
               .written = written_,
               .read_issued = read_issued_,
               .read_confirmed = read_confirmed_,
               .elapsed_ticks = elapsed_ticks_,
               .deadline_ticks = deadline_ticks_};
}

View Core::view() const {
  const auto* leader = std::get_if<Leader>(&role_);
  const auto* follower = std::get_if<Follower>(&role_);
  const Votes* votes = std::get_if<Candidate>(&role_);
  if (votes == nullptr) votes = std::get_if<PreCandidate>(&role_);
  return View{
      .id = options_.id,
      .state = state(),
      .log = &log_,
      .configurations = configurations_,
      .peers = leader != nullptr ? std::span(leader->peers) : std::span<const Progress>{},
      .granted = votes != nullptr ? std::span(votes->granted) : std::span<const NodeId>{},
      .refused = votes != nullptr ? std::span(votes->refused) : std::span<const NodeId>{},
      .reads = leader != nullptr ? std::span(leader->reads) : std::span<const PendingRead>{},
      .forwarded = follower != nullptr ? std::span(follower->reads) : std::span<const ForwardedRead>{},
      .reads_confirmed = read_ready_.size(),
      .transferee = leader != nullptr && leader->handover ? leader->handover->target : NodeId{},
      .uncommitted_bytes = leader != nullptr ? leader->uncommitted_bytes : 0,
      .promise_ticks = promise_ticks_,
      .held = held_.size(),
      .dropped = dropped_,
      .faulty = fault_.has_value()};
}

std::uint64_t Core::hash() const {
  Hasher hasher(fingerprint());
  for (const Slice& slice : log_.pieces()) {
    for (std::uint32_t i = 0; i < slice.size(); ++i) {
      const EntryView entry = slice.entry(i);
      hasher.add(entry.id).add(static_cast<std::uint64_t>(entry.kind)).add(entry.payload);
    }
  }
  if (const auto* leader =
          std::get_if<Leader>(&role_)) {  // the fingerprint knows only how many flights there are
    for (const Progress& peer : leader->peers) {
      for (const Window::Flight& flight : peer.window.flights())
        hasher.add(flight.last).add(std::uint64_t{flight.bytes});
    }
  }
  return hasher.value();
}

std::uint64_t Core::fingerprint() const {
  // Small fields share a word, and two words a multiplication: this is on the path of every digest.
  const auto pack = [](std::uint64_t high, std::uint64_t low) { return high << 32U | low; };
  // Three chains instead of one: each multiplication waits for the one before in its chain, and for no other.
  Hasher hasher;
  hasher.add(hard_.term.value(), pack(hard_.voted_for.value(), leader_.value()));
  hasher.add(pack(attempt_, vain_ << 3U | role_.index() << 1U | (fault_ ? 1U : 0U)),
             pack(elapsed_ticks_, deadline_ticks_));
  hasher.add(pack(promise_ticks_, forward_ticks_), forward_issued_.value() << 16U ^ read_ready_.size());
  hasher.add(configurations_.back().index.value(), pack(pending_writes_.size(), held_.size()));
  Hasher places;
  places.add(commit_, applied_).add(handed_, durable_);
  places.add(snapshot_).add(log_.base()).add(log_.last_id());
  Hasher numbers;
  numbers.add(issued_, written_).add(read_issued_, read_confirmed_).add(hard_write_.value(), dropped_);
  for (const ReadReady& read : read_ready_) numbers.add(read.tag, read.index.value());
  hasher.add(places.value(), numbers.value());
  std::uint64_t pending = 0;  // a sum, because they may be many; each has its number, which tells their order
  for (const PendingWrite& write : pending_writes_)
    pending += Hasher{}.add(write.seq, write.first).add(write.last, write.truncate_from).value();
  hasher.add(pending);
  for (const Held& held : held_) hasher.add(held.gate, held.match).add(raft::hash(held.envelope));
  const auto add_votes = [&](const Votes& votes) {
    hasher.add(std::uint64_t{votes.granted.size()});
    for (const NodeId node : votes.granted) hasher.add(node);
    for (const NodeId node : votes.refused) hasher.add(node);
  };
  if (const auto* leader = std::get_if<Leader>(&role_)) {
    hasher
        .add(pack(leader->heartbeat_elapsed_ticks, leader->quorum_elapsed_ticks),
             pack(leader->uncommitted_bytes, leader->reads.size()))
        .add(std::uint64_t{leader->stalled_ticks});
    for (const Progress& peer : leader->peers) hasher.add(raft::hash(peer));
    for (const PendingRead& read : leader->reads) {
      hasher.add(read.tag, read.incarnation).add(read.round, read.index).add(read.requester);
    }
    hasher.add(leader->ticks, leader->rounds.size() << 1U | (leader->lease_ended ? 1U : 0U));
    for (const RoundSent& sent : leader->rounds) hasher.add(sent.round.value(), sent.tick);
    if (const auto& handover = leader->handover) {
      hasher.add(handover->tag ? *handover->tag + 1 : 0,
                 pack(handover->target.value(), handover->elapsed_ticks << 1U | (handover->told ? 1U : 0U)));
    }
  } else if (const auto* candidate = std::get_if<Candidate>(&role_)) {
    add_votes(*candidate);
  } else if (const auto* pre_candidate = std::get_if<PreCandidate>(&role_)) {
    add_votes(*pre_candidate);
  } else {
    const auto& follower = std::get<Follower>(role_);
    hasher.add(std::uint64_t{follower.reads.size()});
    for (const ForwardedRead& read : follower.reads) hasher.add(read.tag, read.round.value());
  }
  return hasher.value();
}

// ---- One step --------------------------------------------------------------------------------------------------

void Core::step(std::span<const Input> inputs, Output& out) {
  out.clear();
  if (fault_) {
    out.fault = fault_;
    return;
  }
  Turn turn(out);
  const RoleChange before{role(), hard_.term, leader_};
  std::uint32_t position = 0;
  for (const Input& input : inputs) {
    std::visit(
        [&](const auto& what) {
          if constexpr (requires { handle(turn, what); }) {
            handle(turn, what);
          } else {
            handle_unexpected();
          }
        },
        input);
    if (fault_) {
      out.clear();
      out.fault = fault_;
      return;
    }
    if (out.trace) note_delta(turn, position);
    ++position;
  }
  flush(turn);
  if (out.trace) note_delta(turn, position);
  if (before.role != role() || before.term != hard_.term || before.leader != leader_) {
    out.role = RoleChange{role(), hard_.term, leader_};
  }
}

namespace {

/// Becomes what `make` returns, in the place where it will stand. A delta is large, and there is one for each input.
template <class Make>
class InPlace {
 public:
  explicit InPlace(Make make) : make_(std::move(make)) {}
  operator std::invoke_result_t<Make>() const { return make_(); }  // NOLINT(google-explicit-constructor)

 private:
  Make make_;
};

}  // namespace

void Core::note_delta(Turn& turn, std::uint32_t input) const {
  turn.out.deltas.emplace_back(InPlace([&] {
    return Delta{.input = input,
                 .after = state(),
                 .truncated_from = std::exchange(turn.truncated_from, Index{}),
                 .appended_from = std::exchange(turn.appended_from, Index{}),
                 .installed = std::exchange(turn.installed, false),
                 .commit_configuration = std::exchange(turn.commit_configuration, std::nullopt)};
  }));
}

void Core::handle_unexpected() { ++dropped_; }

/// §5.1, and figure 2, "all servers", rule 2: a message of a higher term makes its receiver a follower of that term;
/// one of a lower term is answered with ours where the sender waits for an answer, and has no other effect.
void Core::handle(Turn& turn, const Receive& receive_input) {
  const Envelope& envelope = receive_input.envelope;
  const NodeId from = envelope.from;
  if (envelope.to != options_.id || !from || from == options_.id || envelope.term.value() > term_max) {
    ++dropped_;
    return;
  }
  const auto* request = std::get_if<RequestVote>(&envelope.message);
  // Thesis §4.2.3: who hears a leader neither votes nor learns the term of a candidate, unless the leader sent it.
  if (request != nullptr && !request->transfer && envelope.term > hard_.term && hears_a_leader()) return;

  const auto* reply = std::get_if<VoteReply>(&envelope.message);
  const bool asks_in_advance =
      (request != nullptr && request->pre) || (reply != nullptr && reply->pre && reply->granted);
  if (envelope.term > hard_.term && !asks_in_advance) {
    const bool from_leader = std::holds_alternative<AppendEntries>(envelope.message) ||
                             std::holds_alternative<Heartbeat>(envelope.message) ||
                             std::holds_alternative<InstallSnapshot>(envelope.message);
    become_follower(turn, envelope.term, from_leader ? from : NodeId{});
  }
  std::visit(
      [&](const auto& message) {
        if constexpr (requires { receive(turn, from, envelope.term, message); }) {
          receive(turn, from, envelope.term, message);
        } else {
          ++dropped_;
        }
      },
      envelope.message);
}

void Core::handle(Turn& turn, const Propose& propose) {
  Leader* leader = leading();
  const auto reject = [&](Rejection reason) {
    turn.out.rejected.push_back(Rejected{propose.tag, reason, leader_});
  };
  if (leader == nullptr) return reject(Rejection::not_leader);
  if (leader->handover) return reject(Rejection::transferring);
  if (propose.payload.size() > options_.limits.proposal_bytes_max) return reject(Rejection::too_large);
  if (leader->uncommitted_bytes + propose.payload.size() > options_.limits.uncommitted_bytes_max) {
    return reject(Rejection::overloaded);
  }
  append_own(turn, EntryKind::command, propose.payload);
  turn.out.accepted.push_back(Accepted{propose.tag, log_.last_id()});
}

void Core::handle(Turn& /*turn*/, const Applied& applied) {
  if (applied.index > handed_) {
    ++dropped_;
    return;
  }
  applied_ = std::max(applied_, applied.index);
}

void Core::handle(Turn& /*turn*/, const Unreachable& unreachable) {
  if (Progress* lost = peer(unreachable.peer); lost != nullptr && lost->state == ProgressState::replicate) {
    lost->become_probe(lost->match.next());
  }
}

/// The end of a step: everything that its inputs led to is sent and written at once. Entries go to the peers in
/// parallel with the leader's own write (thesis §10.2.1); what must wait for the write is held.
void Core::flush(Turn& turn) {
  if (Leader* leader = leading(); leader != nullptr) {
    open_round(turn, *leader);
    send_appends(turn, *leader);
    hand_over(turn, *leader);
  } else if (Follower* follower = std::get_if<Follower>(&role_); follower != nullptr) {
    send_forwarded(turn, *follower);
  }
  submit_write(turn);
  release_held(turn);
  const Index ready = std::min(commit_, durable_);
  if (ready > handed_) {
    log_.slices(handed_.next(), ready, turn.out.apply);
    handed_ = ready;
  }
  if (Leader* leader = leading(); leader != nullptr) release_rounds(turn, *leader);
  release_reads(turn);
}

}  // namespace raftlab::raft
