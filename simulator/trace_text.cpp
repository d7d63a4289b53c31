#include "simulator/trace.hpp"

#include <sstream>
#include <string>
#include <vector>

/// What a step did, in words that fit on a line.
namespace raftlab::simulator {
namespace {

using raft::NodeId;

/// The fields of a message behind its name.
struct MessageText {
  std::ostream& out;
  raft::Term term;

  void operator()(const raft::RequestVote& m) const {
    out << " T" << term << ' ' << m.last << (m.transfer ? " by transfer" : "");
  }
  void operator()(const raft::VoteReply& m) const {
    out << " T" << term << (m.granted ? " granted" : " refused");
  }
  void operator()(const raft::AppendEntries& m) const {
    out << ' ' << m.prev;
    if (!m.entries.empty()) out << '+' << m.entries.size();
    out << " C" << m.commit;
  }
  void operator()(const raft::AppendReply& m) const { out << ' ' << m.match; }
  void operator()(const raft::AppendReject& m) const { out << ' ' << m.rejected_prev << " hint " << m.hint; }
  void operator()(const raft::Heartbeat& m) const { out << " C" << m.commit; }
  void operator()(const raft::HeartbeatReply& m) const {
    if (m.read) out << " read " << m.read;
  }
  void operator()(const raft::InstallSnapshot& m) const {
    out << ' ' << m.last << ' ' << m.offset << '+' << m.chunk.size() << " of " << m.total;
  }
  void operator()(const raft::SnapshotReply& m) const {
    out << ' ' << m.last << (m.installed ? " installed" : "");
  }
  void operator()(const raft::TimeoutNow& /*m*/) const { out << " T" << term; }
  void operator()(const raft::ReadIndex& m) const { out << " tag " << m.tag; }
  void operator()(const raft::ReadIndexReply& m) const { out << " tag " << m.tag << " index " << m.index; }
};

std::string text_of(const raft::Envelope& envelope) {
  std::ostringstream out;
  out << name(envelope.message);
  std::visit(MessageText{out, envelope.term}, envelope.message);
  return out.str();
}

struct InputText {
  std::ostream& out;

  void operator()(const raft::Tick& /*input*/) const { out << "tick"; }
  void operator()(const raft::Receive& input) const {
    out << "<- n" << input.envelope.from << ' ' << text_of(input.envelope);
  }
  void operator()(const raft::Propose& input) const { out << "propose " << input.payload.size() << " B"; }
  void operator()(const raft::ProposeConfiguration& /*input*/) const { out << "propose configuration"; }
  void operator()(const raft::Read& /*input*/) const { out << "read"; }
  void operator()(const raft::Transfer& input) const { out << "transfer to n" << input.target; }
  void operator()(const raft::Campaign& /*input*/) const { out << "campaign"; }
  void operator()(const raft::Written& input) const { out << "written " << input.seq; }
  void operator()(const raft::WriteFailed& input) const { out << "write " << input.seq << " failed"; }
  void operator()(const raft::Fetched& input) const { out << "fetched " << input.entries.size(); }
  void operator()(const raft::Applied& input) const { out << "applied " << input.index; }
  void operator()(const raft::SnapshotTaken& input) const { out << "snapshot taken " << input.last; }
  void operator()(const raft::ChunkStored& input) const {
    out << "chunk stored " << input.last << " up to " << input.received;
  }
  void operator()(const raft::SnapshotStored& input) const { out << "snapshot stored " << input.last; }
  void operator()(const raft::SnapshotRestored& input) const { out << "snapshot restored " << input.last; }
  void operator()(const raft::SnapshotFailed& input) const { out << "snapshot failed " << input.last; }
  void operator()(const raft::Unreachable& input) const { out << "n" << input.peer << " unreachable"; }
};

/// Puts two blanks between parts.
class Line {
 public:
  std::ostream& part() {
    if (started_) out_ << "  ";
    started_ = true;
    return out_;
  }
  [[nodiscard]] std::string text() const { return out_.str(); }

 private:
  std::ostringstream out_;
  bool started_ = false;
};

std::string text_of(const raft::Input& input) {
  std::ostringstream out;
  std::visit(InputText{out}, input);
  return out.str();
}

/// The same input several times in a row as one part.
void put_inputs(Line& line, std::span<const raft::Input> inputs) {
  for (std::size_t i = 0; i < inputs.size();) {
    const std::string text = text_of(inputs[i]);
    std::size_t same = 1;
    while (i + same < inputs.size() && text_of(inputs[i + same]) == text) ++same;
    std::ostream& out = line.part() << text;
    if (same > 1) out << " x" << same;
    i += same;
  }
}

/// The same message to several peers as one part.
void put_messages(Line& line, const std::vector<raft::Envelope>& messages) {
  std::vector<std::string> texts;
  texts.reserve(messages.size());
  for (const raft::Envelope& envelope : messages) texts.push_back(text_of(envelope));
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (texts[i].empty()) continue;
    std::ostream& out = line.part() << "-> n" << messages[i].to;
    for (std::size_t j = i + 1; j < messages.size(); ++j) {
      if (texts[j] != texts[i]) continue;
      out << " n" << messages[j].to;
      texts[j].clear();
    }
    out << ' ' << texts[i];
  }
}

void put_write(Line& line, const raft::Write& write) {
  std::ostream& out = line.part() << "write " << write.seq;
  const char* separator = ": ";
  const auto next = [&]() -> std::ostream& {
    out << separator;
    separator = ", ";
    return out;
  };
  if (write.hard) {
    next() << 'T' << write.hard->term;
    if (write.hard->voted_for) out << " V=n" << write.hard->voted_for;
  }
  if (write.truncate_from) next() << "cut from " << write.truncate_from;
  if (write.checkpoint)
    next() << "checkpoint " << write.checkpoint->snapshot << " behind " << write.checkpoint->base;
  std::uint64_t entries = 0;
  for (const raft::Slice& slice : write.entries) entries += slice.size();
  if (entries == 1) next() << "entry " << write.entries.front().first_index();
  if (entries > 1)
    next() << "entries " << write.entries.front().first_index() << ".." << write.entries.back().last_index();
}

void put_rejections(Line& line, const std::vector<raft::Rejected>& rejected) {
  if (!rejected.empty())
    line.part() << "rejects " << rejected.size() << (rejected.size() == 1 ? " request" : " requests");
}

}  // namespace

std::string describe(const raft::trace::Step& step) {
  Line line;
  if (step.inputs.empty()) line.part() << "no input";
  put_inputs(line, step.inputs);
  const raft::Output& output = step.output;
  if (output.fault) line.part() << "fault: a write failed, frozen";
  if (output.role) {
    std::ostream& out = line.part() << name(output.role->role) << " of T" << output.role->term;
    if (output.role->leader && output.role->leader != step.node) out << " under n" << output.role->leader;
  }
  if (output.write.seq) put_write(line, output.write);
  put_messages(line, output.messages);
  if (!output.apply.empty()) {
    line.part() << "apply " << output.apply.front().first_index() << ".." << output.apply.back().last_index();
  }
  if (!output.reads.empty()) line.part() << "reads ready " << output.reads.size();
  put_rejections(line, output.rejected);
  if (output.lost_from) line.part() << "lost from " << *output.lost_from;
  return line.text();
}

}  // namespace raftlab::simulator
