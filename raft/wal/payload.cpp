#include "raft/wal/payload.hpp"

#include "raft/wal/record.pb.h"

#include <google/protobuf/io/coded_stream.h>

#include <array>
#include <cstring>
#include <sstream>

namespace raftlab::raft::wal {
namespace {

namespace pb = ::raftlab::wal_format;
using Stream = google::protobuf::io::CodedOutputStream;

/// Wire types of protobuf. The format uses the first two; what a later one may add is passed over.
constexpr std::uint32_t varint = 0;
constexpr std::uint32_t delimited = 2;
constexpr std::uint32_t fixed64 = 1;
constexpr std::uint32_t fixed32 = 5;
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
[[gnu::always_inline]] inline Writer open_change(Buffer& out, std::size_t size) {
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

/// Reads the fields of one message where they stand. The first byte that is no protobuf ends it.
class Reader {
 public:
  explicit Reader(Bytes bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  /// Goes to the next field; false at the end of the message.
  [[nodiscard]] bool next() {
    if (at_ == end_) return false;
    tag_ = read_varint();
    if (tag_ >> 3U == 0) return fail();
    switch (type()) {
      case varint: number_ = read_varint(); return !failed_;
      case delimited: return take(read_varint());
      case fixed64: return take(8);
      case fixed32: return take(4);
      default: return fail();
    }
  }
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] bool failed() const { return failed_; }

  // Of the present field.
  [[nodiscard]] std::uint64_t tag() const { return tag_; }
  [[nodiscard]] std::uint64_t field() const { return tag_ >> 3U; }
  [[nodiscard]] std::uint64_t type() const { return tag_ & 7U; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] Bytes bytes() const { return bytes_; }

 private:
  bool fail() {
    failed_ = true;
    at_ = end_;
    return false;
  }
  bool take(std::uint64_t size) {
    if (failed_ || size > static_cast<std::size_t>(end_ - at_)) return fail();
    bytes_ = Bytes(at_, static_cast<std::size_t>(size));
    at_ += size;
    return true;
  }
  std::uint64_t read_varint() {
    std::uint64_t value = 0;
    for (std::size_t shift = 0; shift < 7 * varint_bytes_max && at_ != end_; shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(*at_++);
      value |= (byte & 0x7fU) << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }

  const std::byte* at_;
  const std::byte* end_;
  std::uint64_t tag_ = 0;
  std::uint64_t number_ = 0;
  Bytes bytes_;
  bool failed_ = false;
};

/// What stands in a change: numbers, by their fields, and of bytes at most one field.
struct Message {
  std::array<std::uint64_t, 5> numbers{};
  Bytes bytes;

  [[nodiscard]] LogId id(std::size_t term, std::size_t index) const {
    return LogId{Term(numbers[term]), Index(numbers[index])};
  }
};

/// False: it is no protobuf.
[[nodiscard]] bool read(Bytes text, std::uint64_t bytes_field, Message& message) {
  Reader reader(text);
  while (reader.next()) {
    if (reader.type() == varint && reader.field() < message.numbers.size()) {
      message.numbers[reader.field()] = reader.number();
    } else if (reader.type() == delimited && reader.field() == bytes_field) {
      message.bytes = reader.bytes();
    }
  }
  return !reader.failed();
}

constexpr std::uint64_t no_bytes = 0;

bool is_kind(std::uint64_t number) {
  return number >= static_cast<std::uint64_t>(EntryKind::noop) &&
         number <= static_cast<std::uint64_t>(EntryKind::configuration);
}

/// What is wrong with an entry at the end of the log; empty: nothing.
[[gnu::cold]] std::string objection(LogId id, std::uint64_t kind, const Log& log) {
  std::ostringstream text;
  if (id.index != log.last().next()) {
    text << "entry " << id.index << " stands behind entry " << log.last();
  } else if (id.term < log.last_id().term) {
    text << "entry " << id.index << " has term " << id.term << " behind term " << log.last_id().term;
  } else if (!is_kind(kind)) {
    text << "entry " << id.index << " is of the unknown kind " << kind;
  }
  return text.str();
}

std::string append_entry(const Message& entry, Log& log) {
  const LogId id = entry.id(pb::Entry::kTermFieldNumber, pb::Entry::kIndexFieldNumber);
  const std::uint64_t kind = entry.numbers[pb::Entry::kKindFieldNumber];
  if (id.index != log.last().next() || id.term < log.last_id().term || !is_kind(kind))
    return objection(id, kind, log);
  log.append(id.term, static_cast<EntryKind>(kind), entry.bytes);
  return {};
}

/// The changes of a write, and those of a checkpoint; a watermark has none.
bool may_stand_in(RecordKind kind, std::uint64_t change) {
  switch (change) {
    case tag(pb::Change::kHardStateFieldNumber, delimited):
    case tag(pb::Change::kEntryFieldNumber, delimited): return kind != RecordKind::watermark;
    case tag(pb::Change::kTruncateFromFieldNumber, varint): return kind == RecordKind::writes;
    case tag(pb::Change::kSnapshotFieldNumber, delimited):
    case tag(pb::Change::kBaseFieldNumber, delimited):
    case tag(pb::Change::kDurableIndexFieldNumber, varint):
      return kind == RecordKind::checkpoint || kind == RecordKind::checkpoint_end;
    default: return false;
  }
}

constexpr const char* no_protobuf = "the payload is not protobuf";

}  // namespace

std::string Image::apply(RecordKind kind, Bytes payload) {
  Reader changes(payload);
  while (changes.next()) {
    if (changes.tag() != tag(pb::Payload::kChangesFieldNumber, delimited)) continue;
    std::string wrong = carry_out(kind, changes.bytes());
    if (!wrong.empty()) return wrong;
    lowest_last_ = std::min(lowest_last_, log_.last());
  }
  if (changes.failed()) return no_protobuf;
  return kind == RecordKind::checkpoint_end ? end_checkpoint() : std::string();
}

/// A change is one field.
std::string Image::carry_out(RecordKind kind, Bytes change) {
  Reader field(change);
  const bool one = field.next() && field.at_end();
  if (field.failed()) return no_protobuf;
  if (!one || !may_stand_in(kind, field.tag())) return "a change of its kind cannot stand here";
  Message message;
  switch (field.field()) {
    case pb::Change::kHardStateFieldNumber:
      if (!read(field.bytes(), no_bytes, message)) return no_protobuf;
      hard_ =
          HardState{Term(message.numbers[pb::HardState::kTermFieldNumber]),
                    NodeId(static_cast<std::uint32_t>(message.numbers[pb::HardState::kVotedForFieldNumber]))};
      break;
    case pb::Change::kTruncateFromFieldNumber: return truncate(Index(field.number()));
    case pb::Change::kEntryFieldNumber:
      if (!read(field.bytes(), pb::Entry::kPayloadFieldNumber, message)) return no_protobuf;
      return append_entry(message, log_);
    case pb::Change::kSnapshotFieldNumber:
      if (!read(field.bytes(), pb::Snapshot::kConfigurationFieldNumber, message)) return no_protobuf;
      return start_from(message.id(pb::Snapshot::kTermFieldNumber, pb::Snapshot::kIndexFieldNumber),
                        message.bytes);
    case pb::Change::kBaseFieldNumber:
      if (!read(field.bytes(), no_bytes, message)) return no_protobuf;
      return start_behind(message.id(pb::Base::kTermFieldNumber, pb::Base::kIndexFieldNumber));
    case pb::Change::kDurableIndexFieldNumber: durable_index_ = Index(field.number()); break;
  }
  return {};
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
