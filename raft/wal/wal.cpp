#include "raft/wal/wal.hpp"

#include "raft/wal/payload.hpp"
#include "raft/wal/record.hpp"
#include "raft/wal/recovery.hpp"

#include <algorithm>
#include <limits>

namespace raftlab::raft::wal {

/// At any time at most one record is not durable: writes gather in memory while a record is being synced. A torn record
/// is therefore the last one, and a valid record behind a damaged one always proves damage to what had been durable.
class Wal::Implementation {
 public:
  Implementation(Disk& disk, const Identity& identity, const WalOptions& options, Found found)
      : disk_(&disk),
        identity_(identity),
        options_(options),
        identity_checksum_(identity_checksum(identity)),
        base_(found.next_segment),
        next_segment_(found.next_segment),
        next_record_(found.next_record),
        fresh_(found.fresh),
        unproven_files_(std::move(found.unproven_files)),
        old_files_(std::move(found.old_files)) {}

  void begin(const Recovered& recovered) {
    RAFTLAB_ASSERT(!submitted_, submitted_);
    Checkpoint checkpoint{recovered.snapshot, {}, recovered.base, recovered.durable};
    checkpoint.configuration = recovered.snapshot_configuration.value_or(Configuration{});
    submitted_ = WriteSeq(1);
    gather(recovered.hard, checkpoint, recovered.entries);
    // A creation that was never finished goes first, so that segment 1 always means "the first life".
    if (fresh_ && !old_files_.empty()) {
      remove_next();
    } else if (!unproven_files_.empty()) {
      secure();
    } else {
      pump();
    }
  }

  void write(const Write& write) {
    RAFTLAB_ASSERT(write.seq == submitted_.next(), write.seq, submitted_);
    submitted_ = write.seq;
    if (dead_) return;
    idle_ticks_ = 0;
    if (write.checkpoint) {
      RAFTLAB_ASSERT(write.hard && !write.truncate_from, write.seq);
      gather(*write.hard, *write.checkpoint, write.entries);
      return pump();
    }
    if (write.hard) put_hard_state(room(change_bytes_max), *write.hard);
    if (write.truncate_from) {
      put_truncation(room(change_bytes_max), write.truncate_from);
      if (last_) last_ = std::min(*last_, write.truncate_from.previous());
    }
    for (const Slice& entries : write.entries) {
      if (entries.empty()) continue;
      RAFTLAB_ASSERT(!last_ || entries.first_index() == last_->next(), entries.first_index(), *last_);
      last_ = entries.last_index();
      put_entries(entries);
    }
    (void)room(0);  // a write without changes is a record too
    gathered_.at(gathered_count_ - 1).completes = write.seq;
    pump();
  }

  std::optional<WriteOutcome> complete(const DiskCompletion& completion) {
    if (dead_ || completion.operation > last_operation_) return std::nullopt;
    if (completion.error != DiskError::none) {
      dead_ = true;
      return WriteOutcome{submitted_, completion.error};
    }
    if (phase_ == Phase::idle || completion.operation < awaited_) return std::nullopt;
    if (phase_ == Phase::syncing) durable_ = flying_.sequence;
    // The checkpoint counts only when what it replaces is gone: a damaged checkpoint beside older segments is then
    // always one that nobody ever counted on.
    if (!old_files_.empty() && (phase_ == Phase::removing || flying_.kind == RecordKind::checkpoint_end)) {
      remove_next();
      return std::nullopt;
    }
    const WriteSeq done = std::exchange(flying_.completes, WriteSeq());
    phase_ = Phase::idle;
    pump();
    if (!done) return std::nullopt;
    return WriteOutcome{done, DiskError::none};
  }

  void tick() {
    if (dead_ || phase_ != Phase::idle) return;
    if (idle_ticks_ < options_.idle_ticks) ++idle_ticks_;
    if (idle_ticks_ < options_.idle_ticks || last_watermark_ >= last_data_) return;
    begin_record(RecordKind::watermark);
    pump();
  }

  [[nodiscard]] WriteSeq appended() const { return appended_; }
  [[nodiscard]] std::uint32_t chain() const { return chain_; }
  [[nodiscard]] std::uint64_t bytes_appended() const { return bytes_appended_; }
  [[nodiscard]] std::uint64_t syncs() const { return syncs_; }

 private:
  enum class Phase : std::uint8_t {
    idle,
    syncing,   ///< a record is on its way
    removing,  ///< an old file is being removed
    securing,  ///< files that were read are being made durable
  };

  static constexpr std::size_t payload_offset = segment_header_bytes + record_header_bytes;

  /// A record that gathers changes. Its buffer starts with room for both headers.
  struct Gathered {
    Buffer buffer;
    RecordKind kind = RecordKind::writes;
    bool begins_life = false;  ///< the first one of a checkpoint
    WriteSeq completes;        ///< the last write that ends in it; 0: none does
  };
  struct Flying {
    RecordSeq sequence;
    RecordKind kind = RecordKind::writes;
    WriteSeq completes;
  };

  Gathered& begin_record(RecordKind kind) {
    if (gathered_count_ == gathered_.size()) gathered_.emplace_back();
    Gathered& record = gathered_[gathered_count_++];
    record.buffer.clear();
    (void)record.buffer.grow(payload_offset);
    record.kind = kind;
    record.begins_life = false;
    record.completes = WriteSeq();
    return record;
  }

  /// Where to put a change of the core of at most `bytes`.
  Buffer& room(std::size_t bytes, RecordKind kind = RecordKind::writes) {
    if (gathered_count_ != 0) {
      Gathered& record = gathered_[gathered_count_ - 1];
      const std::size_t payload = record.buffer.size() - payload_offset;
      const bool fits = payload == 0 || payload + bytes <= options_.record_bytes_max;
      if (record.kind == kind && fits) return record.buffer;
    }
    return begin_record(kind).buffer;
  }

  void put_entries(const Slice& entries, RecordKind kind = RecordKind::writes) {
    for (std::uint32_t position = 0; position < entries.size(); ++position) {
      const EntryView entry = entries.entry(position);
      put_entry(room(entry_bytes_max(entry), kind), entry);
    }
  }

  /// The log from a new start, which the last record completes. What is gathered before it is still written: writes complete in
  /// order.
  void gather(HardState hard, const Checkpoint& checkpoint, const std::vector<Slice>& log) {
    constexpr RecordKind kind = RecordKind::checkpoint;
    Gathered& first = begin_record(kind);
    first.begins_life = true;
    put_hard_state(first.buffer, hard);
    if (checkpoint.snapshot.index) {
      std::vector<std::byte> configuration;
      if (!checkpoint.configuration.empty()) configuration = encode(checkpoint.configuration);
      put_snapshot(room(change_bytes_max + configuration.size(), kind), checkpoint.snapshot, configuration,
                   checkpoint.base);
    }
    last_ = checkpoint.base.index;
    for (const Slice& entries : log) {
      if (entries.empty()) continue;
      put_entries(entries, kind);
      last_ = entries.last_index();
    }
    put_durable_index(room(change_bytes_max, kind), checkpoint.durable);
    gathered_[gathered_count_ - 1].kind = RecordKind::checkpoint_end;
    gathered_[gathered_count_ - 1].completes = submitted_;
  }

  /// Sends the oldest gathered record, when none is on its way.
  void pump() {
    if (phase_ != Phase::idle || gathered_count_ == 0) return;
    Gathered& record = gathered_.front();
    if (record.begins_life) begin_life();
    const bool roll = record.begins_life || segment_bytes_ >= options_.segment_bytes;
    if (roll) begin_segment(record.buffer.data());

    const std::size_t payload_bytes = record.buffer.size() - payload_offset;
    RAFTLAB_ASSERT(payload_bytes <= record_payload_bytes_limit, payload_bytes);
    const RecordHeader header{static_cast<std::uint32_t>(payload_bytes), record.kind, next_record_, durable_,
                              chain_};
    const std::uint32_t checksum =
        put(header, identity_checksum_, record.buffer.data() + segment_header_bytes);
    chain_ = payload_checksum(checksum, record.buffer.from(payload_offset));
    put_u32(chain_, record.buffer.grow(record_trailer_bytes));

    const Bytes bytes = record.buffer.from(roll ? 0 : segment_header_bytes);
    if (roll) reserve(bytes.size());
    disk_->append(file_, bytes);
    awaited_ = last_operation_ = disk_->sync(file_);
    ++syncs_;
    if (roll) awaited_ = last_operation_ = disk_->sync_directory();
    segment_bytes_ += bytes.size();
    bytes_appended_ += bytes.size();
    phase_ = Phase::syncing;
    flying_ = Flying{next_record_, record.kind, record.completes};
    if (record.completes) appended_ = record.completes;
    last_watermark_ = durable_;
    if (record.kind != RecordKind::watermark) last_data_ = next_record_;
    next_record_ = next_record_.next();
    const auto begin = gathered_.begin();
    std::rotate(begin, begin + 1, begin + static_cast<std::ptrdiff_t>(gathered_count_));  // keeps the buffers
    --gathered_count_;
  }

  /// What this life has written so far is of no use once the next checkpoint is durable.
  void begin_life() {
    if (segment_) {
      RAFTLAB_ASSERT(old_files_.empty(), old_files_.size());
      for (SegmentNumber at = base_; at <= segment_; at = at.next()) old_files_.push_back(segment_name(at));
    }
    base_ = next_segment_;
  }

  /// Everything before is durable: no record is on its way. The header goes out with the first record.
  void begin_segment(std::byte* out) {
    segment_ = next_segment_;
    next_segment_ = next_segment_.next();
    const std::uint32_t previous = segment_ == base_ ? 0 : chain_;
    chain_ = put(SegmentHeader{identity_, segment_, base_, next_record_, previous}, out);
    last_operation_ = disk_->create(segment_name(segment_), file_);
    segment_bytes_ = 0;
  }

  void reserve(std::size_t first_bytes) {
    disk_->preallocate(file_, std::max<std::uint64_t>(options_.segment_bytes, first_bytes));
  }

  void secure() {
    for (const std::string& file : std::exchange(unproven_files_, {})) {
      FileHandle handle;
      disk_->open(file, handle);
      disk_->sync(handle);
      ++syncs_;
    }
    awaited_ = last_operation_ = disk_->sync_directory();
    phase_ = Phase::securing;
  }

  /// One at a time, each durable before the next.
  void remove_next() {
    disk_->remove(old_files_.front());
    old_files_.erase(old_files_.begin());
    awaited_ = last_operation_ = disk_->sync_directory();
    phase_ = Phase::removing;
  }

  Disk* disk_;
  Identity identity_;
  WalOptions options_;
  std::uint32_t identity_checksum_;

  // The file.
  SegmentNumber base_;
  SegmentNumber segment_;  // 0: none is open
  SegmentNumber next_segment_;
  FileHandle file_;
  std::uint64_t segment_bytes_ = 0;

  // The records.
  RecordSeq next_record_;
  std::uint32_t chain_ = 0;
  RecordSeq durable_;
  RecordSeq last_watermark_;        // that a record carries
  RecordSeq last_data_;             // last record other than a watermark
  std::vector<Gathered> gathered_;  // the first gathered_count_ are in use
  std::size_t gathered_count_ = 0;
  Flying flying_;

  // The writes of the core.
  WriteSeq submitted_;
  WriteSeq appended_;
  std::optional<Index> last_;  // of the log; none: not known behind a snapshot

  // The disk.
  Phase phase_ = Phase::idle;
  OperationId awaited_;
  OperationId last_operation_;
  bool fresh_;
  std::vector<std::string> unproven_files_;
  std::vector<std::string> old_files_;
  bool dead_ = false;

  std::uint32_t idle_ticks_ = 0;
  std::uint64_t bytes_appended_ = 0;
  std::uint64_t syncs_ = 0;
};

std::variant<Wal::Opened, Refusal> Wal::open(Disk& disk, const Identity& identity, const WalOptions& options,
                                             const std::optional<Recovered>& when_empty) {
  if (const DiskError error = disk.lock(); error != DiskError::none) {
    const RefusalCode code = error == DiskError::locked ? RefusalCode::locked : RefusalCode::unreadable;
    return Refusal{code, "LOCK", 0, std::string("the directory cannot be taken: ") + name(error)};
  }
  auto result = recover_log(disk, identity);
  if (auto* refused = std::get_if<Refusal>(&result)) return std::move(*refused);
  auto& found = std::get<Found>(result);
  if (found.fresh && when_empty) found.recovered = *when_empty;
  if (found.fresh) found.recovered.durable = Index();
  Recovered recovered = found.recovered;
  const bool torn_tail = found.torn_tail;
  const bool fresh = found.fresh;
  Wal wal(std::make_unique<Implementation>(disk, identity, options, std::move(found)));
  return Opened{std::move(wal), std::move(recovered), torn_tail, fresh};
}

Wal::Wal(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Wal::Wal(Wal&&) noexcept = default;
Wal& Wal::operator=(Wal&&) noexcept = default;
Wal::~Wal() = default;

void Wal::begin(const Recovered& recovered) { implementation_->begin(recovered); }
void Wal::write(const Write& write) { implementation_->write(write); }
std::optional<WriteOutcome> Wal::complete(const DiskCompletion& completion) {
  return implementation_->complete(completion);
}
void Wal::tick() { implementation_->tick(); }
WriteSeq Wal::appended() const { return implementation_->appended(); }
std::uint32_t Wal::chain() const { return implementation_->chain(); }
std::uint64_t Wal::bytes_appended() const { return implementation_->bytes_appended(); }
std::uint64_t Wal::syncs() const { return implementation_->syncs(); }

const char* name(RefusalCode code) {
  switch (code) {
    case RefusalCode::locked: return "locked";
    case RefusalCode::unreadable: return "unreadable";
    case RefusalCode::wrong_identity: return "wrong_identity";
    case RefusalCode::unknown_version: return "unknown_version";
    case RefusalCode::corrupt_header: return "corrupt_header";
    case RefusalCode::corrupt_middle: return "corrupt_middle";
    case RefusalCode::corrupt_committed: return "corrupt_committed";
    case RefusalCode::missing_segment: return "missing_segment";
    case RefusalCode::missing_snapshot: return "missing_snapshot";
    case RefusalCode::bad_content: return "bad_content";
  }
  return "?";
}

}  // namespace raftlab::raft::wal
