#include "invariants/audit.hpp"

#include "invariants/audit_node.hpp"
#include "raft/hash.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <exception>
#include <sstream>
#include <utility>

namespace raftlab::invariants {

using raft::NodeId;

const char* name(AuditVerdict verdict) {
  switch (verdict) {
    case AuditVerdict::holds: return "holds";
    case AuditVerdict::violated: return "violated";
    case AuditVerdict::inconclusive: return "inconclusive";
    case AuditVerdict::differs: return "differs";
  }
  return "?";
}

const char* not_audited(Rung rung) {
  if (info(rung).level == 5) return "needs a time without faults, which only the simulator can grant";
  switch (rung) {
    case Rung::R4: return "a node that refuses to start writes nothing down";
    case Rung::E6:
    case Rung::E7:
    case Rung::E8: return "needs the clients' history (--history)";
    case Rung::E9:
    case Rung::E10: return "needs one clock for all nodes";
    default: return nullptr;
  }
}

namespace {

/// Equal messages have equal keys. Chunks of a snapshot are made by the node, of what its core asked for, which therefore
/// stands for the message.
std::uint64_t key_of(NodeId from, NodeId to, raft::Term term, raft::LogId last, std::uint64_t offset) {
  constexpr std::uint64_t chunks = 0x6368756e6b73ULL;
  return raft::Hasher(chunks).add(from, to).add(term).add(last).add(offset).value();
}
std::uint64_t key_of(const raft::Envelope& envelope) {
  if (const auto* chunk = std::get_if<raft::InstallSnapshot>(&envelope.message))
    return key_of(envelope.from, envelope.to, envelope.term, chunk->last, chunk->offset);
  return raft::hash(envelope);
}

struct HashKey {
  using is_avalanching = void;
  std::size_t operator()(std::uint64_t key) const { return static_cast<std::size_t>(key); }
};

Ladder::Options ladder_options(const raft::Options& core) {
  Ladder::Options options;
  options.pre_vote = core.pre_vote;
  options.check_quorum = core.check_quorum;
  options.leases = core.lease_drift_ppm.has_value();
  options.election_ticks_min = core.election_ticks_min;
  options.limits = core.limits;
  return options;
}

/// What the ladder must be told of all nodes alike.
bool alike(const raft::Options& a, const raft::Options& b) {
  return a.pre_vote == b.pre_vote && a.check_quorum == b.check_quorum &&
         a.lease_drift_ppm.has_value() == b.lease_drift_ppm.has_value() &&
         a.election_ticks_min == b.election_ticks_min && a.limits == b.limits;
}

std::string node_name(NodeId id) { return "n" + std::to_string(id.value()); }

template <class... Parts>
std::string sentence(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

class Audit {
 public:
  explicit Audit(const OnCommit& on_commit) : on_commit_(on_commit) {}

  [[nodiscard]] std::optional<AuditError> open(std::span<const AuditFile> files) {
    for (const AuditFile& file : files) {
      raft::trace::RecordReader reader(file.bytes);
      auto read = reader.start();
      if (const auto* error = std::get_if<raft::trace::RecordError>(&read))
        return AuditError{file.name, error->offset, error->what};
      auto* start = std::get_if<raft::trace::StartRecord>(&read);
      if (start == nullptr) continue;  // it was killed before it had begun: nothing was done
      const NodeId id = start->options.id;
      auto at = std::ranges::find(nodes_, id, &TracedNode::id);
      if (at == nodes_.end()) at = nodes_.insert(nodes_.end(), TracedNode(id));
      at->lives.emplace_back(AuditedLife{file.name, id, start->options.incarnation}, std::move(reader),
                             std::move(*start));
    }
    std::ranges::sort(nodes_, {}, &TracedNode::id);
    for (TracedNode& node : nodes_) node.put_lives_in_order();
    return std::nullopt;
  }

  [[nodiscard]] std::variant<AuditResult, AuditError> run() {
    if (const auto objection = objection_to_files(); !objection.empty()) {
      end(AuditVerdict::inconclusive, objection);
      return finished();
    }
    begin();
    while (!ended_) {
      TracedNode* next = choose();
      if (next == nullptr) {
        finish();
        break;
      }
      if (auto error = next->starts() ? start(*next) : step(*next)) return *error;
    }
    return finished();
  }

 private:
  void end(AuditVerdict verdict, std::string text) {
    if (std::exchange(ended_, true)) return;
    result_.verdict = verdict;
    result_.text = std::move(text);
  }

  /// Why there is nothing to be judged; empty: there is.
  [[nodiscard]] std::string objection_to_files() const {
    if (nodes_.empty()) return "there is no trace in which a node starts";
    const raft::trace::StartRecord& first = nodes_.front().lives.front().start;
    for (const TracedNode& node : nodes_) {
      if (!node.id || node.id.value() > nodes_max)
        return sentence(node_name(node.id), ": the ladder knows nodes 1 to ", nodes_max);
      std::uint64_t before = 0;
      for (const TracedLife& life : node.lives) {
        const std::string& file = life.info.file;
        if (life.start.cluster != first.cluster) return file + " is of another cluster than the others";
        if (!alike(life.start.options, first.options)) {
          return file +
                 " is of a node with other settings (election timeout, leases or limits), and the "
                 "ladder takes one for all";
        }
        if (life.start.previous != before) {
          return sentence(file, " is of a life behind incarnation ", std::hex, life.start.previous,
                          ", of which there is no trace");
        }
        if (before == 0 && life.start.recovered.snapshot.index)
          return sentence(file, " begins with a snapshot, and there is no trace of what came before");
        before = life.info.incarnation;
      }
    }
    return "";
  }

  void begin() {
    ladder_.emplace(ladder_options(nodes_.front().lives.front().start.options));
    epoch_ns_ = nodes_.front().time_ns();
    for (const TracedNode& node : nodes_) epoch_ns_ = std::min(epoch_ns_, node.time_ns());
  }

  /// Of what may happen next, what happened first by the clocks; null: nothing may.
  [[nodiscard]] TracedNode* choose() {
    TracedNode* best = nullptr;
    for (TracedNode& node : nodes_) {
      if (node.over() || (best != nullptr && best->time_ns() <= node.time_ns())) continue;
      if (node.starts() || unexplained(node) == nullptr) best = &node;
    }
    return best;
  }

  /// The first message that the node's next step received and nobody has sent yet; null: there is none.
  [[nodiscard]] const raft::Envelope* unexplained(TracedNode& node) {
    for (; node.explained < node.step.inputs.size(); ++node.explained) {
      const auto* receive = std::get_if<raft::Receive>(&node.step.inputs[node.explained]);
      if (receive == nullptr) continue;
      if (!sent_.contains(key_of(receive->envelope))) return &receive->envelope;
      ++result_.received;
    }
    return nullptr;
  }

  [[nodiscard]] std::optional<AuditError> start(TracedNode& node) {
    ladder_->at(result_.steps, node.time_ns() - epoch_ns_);
    if (node.core) {
      if (const raft::WriteSeq proven = node.proven_by_next_life()) ladder_->durable(node.id, proven);
      ladder_->crashed(node.id, false);
    }
    if (auto error = node.begin()) return error;
    ladder_->started(node.id, node.life().start.recovered, node.core->view());
    compare(node);
    return std::nullopt;
  }

  /// The core is as it was before the step that comes next.
  void compare(TracedNode& node) {
    if (node.starts()) return;
    ladder_->evaluated(Rung::D20);
    if (node.core->fingerprint() == node.step.fingerprint) return;
    end(AuditVerdict::differs,
        sentence(node.life().info.file, ": before its step ", node.life().info.steps + 1, " ",
                 node_name(node.id),
                 " was in another state than its core is in here: other code runs there, or something else "
                 "than its inputs decides"));
  }

  [[nodiscard]] std::optional<AuditError> step(TracedNode& node) {
    ++result_.steps;
    ++node.life().info.steps;
    ladder_->at(result_.steps, node.step.time_ns - epoch_ns_);
    const raft::trace::StepRecord& record = node.step;
    if (record.applied > node.digest_told) {
      node.digest_told = record.applied;
      ladder_->store_digest(node.id, record.applied, record.store_digest);
    }
    for (const raft::Input& input : record.inputs) {
      const auto* written = std::get_if<raft::Written>(&input);
      if (written == nullptr) continue;
      ladder_->durable(node.id, written->seq);
      node.note_told(written->seq);
    }
    output_.trace = true;
    ladder_->evaluated(Rung::N0);
    try {
      node.core->step(record.inputs, output_);
    } catch (const std::exception& failed) {
      ladder_->report(Rung::N0, node.id, failed.what());
      judge();
      return std::nullopt;
    }
    ladder_->stepped(raft::trace::Step{node.id, record.inputs, output_, node.core->view()});
    node.note_write(output_.write);
    for (const raft::Envelope& envelope : output_.messages) sent_.insert(key_of(envelope));
    for (const raft::SendChunk& chunk : output_.chunks_to_send)
      sent_.insert(key_of(node.id, chunk.peer, chunk.term, chunk.last, chunk.offset));
    announce_commits(node.core->view());
    auto error = node.advance();
    if (!error) compare(node);
    return error;
  }

  void announce_commits(const raft::View& view) {
    if (view.state.commit <= result_.committed) return;
    slices_.clear();
    view.log->slices(std::max(result_.committed, view.state.base.index).next(), view.state.commit, slices_);
    result_.committed = view.state.commit;
    if (!on_commit_) return;
    for (const raft::Slice& slice : slices_) {
      for (std::uint32_t i = 0; i < slice.size(); ++i) on_commit_(slice.entry(i));
    }
  }

  [[nodiscard]] TracedNode* find(NodeId id) {
    const auto at = std::ranges::find(nodes_, id, &TracedNode::id);
    return at == nodes_.end() ? nullptr : &*at;
  }

  /// What nodes wait for, rather of one who waits for nothing: the others wait for it in the end.
  [[nodiscard]] const raft::Envelope* not_written_down() {
    const raft::Envelope* found = nullptr;
    for (TracedNode& node : nodes_) {
      const raft::Envelope* message = node.over() ? nullptr : unexplained(node);
      if (message == nullptr) continue;
      const TracedNode* sender = find(message->from);
      if (sender == nullptr || sender->over()) return message;
      found = message;
    }
    return found;
  }

  /// Nothing more can be executed: everything was, or what is left waits for what nobody has written down.
  void finish() {
    for (TracedNode& node : nodes_) {
      if (node.core) ladder_->scan(node.core->view());
    }
    ladder_->finish();
    if (const raft::Envelope* message = not_written_down()) {
      return end(AuditVerdict::inconclusive,
                 sentence(node_name(message->to), " received ", raft::name(message->message), " of term ",
                          message->term, " from ", node_name(message->from), ", which ",
                          find(message->from) == nullptr
                              ? "left no trace"
                              : "is in none of its traces: one is missing, or ends too early"));
    }
    judge();
  }

  void judge() {
    const Finding* root = nullptr;
    for (const Finding& finding : ladder_->findings()) {
      if (not_audited(finding.rung) == nullptr && (root == nullptr || finding.rung < root->rung))
        root = &finding;
    }
    if (root == nullptr) return end(AuditVerdict::holds, "");
    end(AuditVerdict::violated, sentence(info(root->rung).id, " ", info(root->rung).name, ": ",
                                         node_name(root->node), " ", root->text));
  }

  [[nodiscard]] AuditResult finished() {
    for (TracedNode& node : nodes_) {
      for (TracedLife& life : node.lives) result_.lives.push_back(life.info);
    }
    if (!ladder_) return std::move(result_);
    for (const RungInfo& rung : rungs()) {
      if (not_audited(rung.rung) == nullptr)
        result_.evaluations[static_cast<std::size_t>(rung.rung)] = ladder_->evaluations(rung.rung);
    }
    for (const Finding& finding : ladder_->findings()) {
      if (not_audited(finding.rung) == nullptr) result_.findings.push_back(finding);
    }
    return std::move(result_);
  }

  const OnCommit& on_commit_;
  std::vector<TracedNode> nodes_;
  std::optional<Ladder> ladder_;
  std::int64_t epoch_ns_ = 0;  // of the earliest start
  boost::unordered_flat_set<std::uint64_t, HashKey> sent_;
  raft::Output output_;
  std::vector<raft::Slice> slices_;
  bool ended_ = false;
  AuditResult result_;
};

}  // namespace

std::variant<AuditResult, AuditError> audit(std::span<const AuditFile> files, const OnCommit& on_commit) {
  Audit one(on_commit);
  if (auto error = one.open(files)) return *error;
  return one.run();
}

}  // namespace raftlab::invariants
