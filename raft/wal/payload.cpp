#include "raft/wal/payload.hpp"

#include "raft/wal/record.pb.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>

#include <sstream>

namespace raftlab::raft::wal {
namespace {

namespace pb = ::raftlab::wal_format;
using Stream = google::protobuf::io::CodedOutputStream;

/// Wire types of protobuf.
constexpr std::uint32_t varint = 0;
constexpr std::uint32_t delimited = 2;
/// Tags of one byte: field numbers below 16.
constexpr std::uint8_t tag(std::uint32_t field, std::uint32_t type) {
  return static_cast<std::uint8_t>(field << 3U | type);
}

constexpr std::size_t varint_bytes_max = 10;

std::size_t size_of(std::uint64_t number) { return Stream::VarintSize64(number); }
/// proto3 leaves out a field that is zero.
std::size_t field_size(std::uint64_t number) { return number == 0 ? 0 : 1 + size_of(number); }
std::size_t delimited_size(std::size_t size) { return 1 + size_of(size) + size; }

class Writer {
 public:
  explicit Writer(std::byte* at) : at_(reinterpret_cast<std::uint8_t*>(at)) {}

  void tag_of(std::uint32_t field, std::uint32_t type) { *at_++ = tag(field, type); }
  void number(std::uint64_t value) { at_ = Stream::WriteVarint64ToArray(value, at_); }
  void field(std::uint32_t field, std::uint64_t value) {
    if (value == 0) return;
    tag_of(field, varint);
    number(value);
  }
  void open(std::uint32_t field, std::size_t size) {
    tag_of(field, delimited);
    number(size);
  }
  void bytes(std::uint32_t field, Bytes value) {
    if (value.empty()) return;
    open(field, value.size());
    std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }

 private:
  std::uint8_t* at_;
};

/// A writer for one change of `size` bytes, behind its outer tag and length.
Writer open_change(Buffer& out, std::size_t size) {
  Writer writer(out.grow(delimited_size(size)));
  writer.open(pb::Payload::kChangesFieldNumber, size);
  return writer;
}

void put_number_change(Buffer& out, std::uint32_t field, std::uint64_t value) {
  Writer writer = open_change(out, 1 + size_of(value));
  writer.tag_of(field, varint);  // a oneof field is written even when it is zero
  writer.number(value);
}

}  // namespace

std::size_t entry_bytes_max(const EntryView& entry) {
  return 2 * (1 + varint_bytes_max) + 2 * (1 + varint_bytes_max) + 2 + 1 + varint_bytes_max +
         entry.payload.size();
}

void put_hard_state(Buffer& out, HardState hard) {
  const std::size_t inner = field_size(hard.term.value()) + field_size(hard.voted_for.value());
  Writer writer = open_change(out, delimited_size(inner));
  writer.open(pb::Change::kHardStateFieldNumber, inner);
  writer.field(pb::HardState::kTermFieldNumber, hard.term.value());
  writer.field(pb::HardState::kVotedForFieldNumber, hard.voted_for.value());
}

void put_truncation(Buffer& out, Index from) {
  put_number_change(out, pb::Change::kTruncateFromFieldNumber, from.value());
}

void put_entry(Buffer& out, const EntryView& entry) {
  const auto kind = static_cast<std::uint64_t>(entry.kind);
  const std::size_t payload = entry.payload.empty() ? 0 : delimited_size(entry.payload.size());
  const std::size_t inner =
      field_size(entry.id.index.value()) + field_size(entry.id.term.value()) + field_size(kind) + payload;
  Writer writer = open_change(out, delimited_size(inner));
  writer.open(pb::Change::kEntryFieldNumber, inner);
  writer.field(pb::Entry::kIndexFieldNumber, entry.id.index.value());
  writer.field(pb::Entry::kTermFieldNumber, entry.id.term.value());
  writer.field(pb::Entry::kKindFieldNumber, kind);
  writer.bytes(pb::Entry::kPayloadFieldNumber, entry.payload);
}

void put_snapshot(Buffer& out, LogId snapshot, Bytes configuration) {
  const std::size_t text = configuration.empty() ? 0 : delimited_size(configuration.size());
  const std::size_t inner = field_size(snapshot.term.value()) + field_size(snapshot.index.value()) + text;
  Writer writer = open_change(out, delimited_size(inner));
  writer.open(pb::Change::kSnapshotFieldNumber, inner);
  writer.field(pb::Snapshot::kTermFieldNumber, snapshot.term.value());
  writer.field(pb::Snapshot::kIndexFieldNumber, snapshot.index.value());
  writer.bytes(pb::Snapshot::kConfigurationFieldNumber, configuration);
}

void put_base(Buffer& out, LogId base) {
  const std::size_t inner = field_size(base.term.value()) + field_size(base.index.value());
  Writer writer = open_change(out, delimited_size(inner));
  writer.open(pb::Change::kBaseFieldNumber, inner);
  writer.field(pb::Base::kTermFieldNumber, base.term.value());
  writer.field(pb::Base::kIndexFieldNumber, base.index.value());
}

void put_durable_index(Buffer& out, Index index) {
  put_number_change(out, pb::Change::kDurableIndexFieldNumber, index.value());
}

namespace {

/// What is wrong with an entry at the end of the log; empty: nothing.
[[gnu::cold]] std::string objection(const pb::Entry& entry, const Log& log) {
  std::ostringstream text;
  if (Index(entry.index()) != log.last().next()) {
    text << "entry " << entry.index() << " stands behind entry " << log.last();
  } else if (Term(entry.term()) < log.last_id().term) {
    text << "entry " << entry.index() << " has term " << entry.term() << " behind term "
         << log.last_id().term;
  } else if (entry.kind() < static_cast<std::uint32_t>(EntryKind::noop) ||
             entry.kind() > static_cast<std::uint32_t>(EntryKind::configuration)) {
    text << "entry " << entry.index() << " is of the unknown kind " << entry.kind();
  }
  return text.str();
}

[[nodiscard]] bool follows(const pb::Entry& entry, const Log& log) {
  return Index(entry.index()) == log.last().next() && Term(entry.term()) >= log.last_id().term &&
         entry.kind() >= static_cast<std::uint32_t>(EntryKind::noop) &&
         entry.kind() <= static_cast<std::uint32_t>(EntryKind::configuration);
}

std::string append_entry(const pb::Entry& entry, Log& log) {
  if (!follows(entry, log)) return objection(entry, log);
  log.append(Term(entry.term()), static_cast<EntryKind>(entry.kind()),
             std::as_bytes(std::span(entry.payload())));
  return {};
}

/// The changes of a write, and those of a checkpoint; a watermark has none.
bool may_stand_in(RecordKind kind, pb::Change::ChangeCase change) {
  switch (change) {
    case pb::Change::kHardState:
    case pb::Change::kEntry: return kind != RecordKind::watermark;
    case pb::Change::kTruncateFrom: return kind == RecordKind::writes;
    case pb::Change::kSnapshot:
    case pb::Change::kBase:
    case pb::Change::kDurableIndex:
      return kind == RecordKind::checkpoint || kind == RecordKind::checkpoint_end;
    case pb::Change::CHANGE_NOT_SET: return false;
  }
  return false;
}

}  // namespace

std::string Image::apply(RecordKind kind, Bytes payload) {
  google::protobuf::Arena arena;
  auto& message = *google::protobuf::Arena::CreateMessage<pb::Payload>(&arena);
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
    return "the payload is not protobuf";
  for (const pb::Change& change : message.changes()) {
    if (!may_stand_in(kind, change.change_case())) return "a change of its kind cannot stand here";
    std::string wrong;
    switch (change.change_case()) {
      case pb::Change::kHardState:
        hard_ = HardState{Term(change.hard_state().term()), NodeId(change.hard_state().voted_for())};
        break;
      case pb::Change::kTruncateFrom: wrong = truncate(Index(change.truncate_from())); break;
      case pb::Change::kEntry: wrong = append_entry(change.entry(), log_); break;
      case pb::Change::kSnapshot:
        wrong = start_from(LogId{Term(change.snapshot().term()), Index(change.snapshot().index())},
                           std::as_bytes(std::span(change.snapshot().configuration())));
        break;
      case pb::Change::kBase:
        wrong = start_behind(LogId{Term(change.base().term()), Index(change.base().index())});
        break;
      case pb::Change::kDurableIndex: durable_index_ = Index(change.durable_index()); break;
      case pb::Change::CHANGE_NOT_SET: break;
    }
    if (!wrong.empty()) return wrong;
    lowest_last_ = std::min(lowest_last_, log_.last());
  }
  return kind == RecordKind::checkpoint_end ? end_checkpoint() : std::string();
}

std::string Image::start_from(LogId snapshot, Bytes configuration) {
  if (snapshot_ != LogId{} || log_ != Log()) return "a snapshot stands behind another one, or behind the log";
  snapshot_ = snapshot;
  if (configuration.empty()) return {};
  configuration_ = decode_configuration(configuration);
  return configuration_ ? "" : "the configuration of the snapshot cannot be decoded";
}

std::string Image::start_behind(LogId base) {
  if (log_ != Log()) return "the log has a base or entries already";
  log_ = Log(base);
  return {};
}

std::string Image::truncate(Index from) {
  if (from <= snapshot_.index || from <= log_.base().index) return "a truncation reaches into the snapshot";
  log_.truncate(from);
  return {};
}

/// What the core, too, would refuse to start from.
std::string Image::end_checkpoint() const {
  std::ostringstream text;
  if (snapshot_.index < log_.base().index || !log_.matches(snapshot_)) {
    text << "the log behind " << log_.base() << " up to " << log_.last_id()
         << " has no entry at the snapshot " << snapshot_;
  } else if (durable_index_ > log_.last()) {
    text << "entry " << durable_index_ << " is said to be durable, the log ends with entry " << log_.last();
  }
  return text.str();
}

Recovered Image::recovered() const {
  Recovered recovered;
  recovered.hard = hard_;
  recovered.snapshot = snapshot_;
  recovered.snapshot_configuration = configuration_;
  recovered.base = log_.base();
  if (log_.last() >= log_.first()) log_.slices(log_.first(), log_.last(), recovered.entries);
  return recovered;
}

}  // namespace raftlab::raft::wal
