#include "raft/wal/wal.hpp"

#include "raft/wal/payload.hpp"
#include "raft/wal/record.hpp"
#include "raft/wal/recovery.hpp"
#include "raft/wal/terms.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::raft::wal {

/// At any time at most one record is not durable: writes gather in memory while a record is being synced. A
/// torn record is therefore the last one, and a valid record behind a damaged one always proves damage to
/// what had been durable.
class Wal::Implementation {
 public:
  Implementation(Disk& disk, const Identity& identity, const WalOptions& options, Found found)
      : disk_(&disk),
        identity_(identity),
        options_(options),
        identity_checksum_(identity_checksum(identity)),
        next_segment_(found.next_segment),
        live_files_(std::move(found.old_files)),
        to_remove_(std::move(found.leftovers)),
        unproven_files_(std::move(found.unproven_files)),
        next_record_(found.next_record) {}

  void begin(const Recovered& recovered) {
    RAFTLAB_ASSERT(!submitted_, submitted_);
    submitted_ = WriteSeq(1);
    gather_checkpoint(recovered, submitted_);
    go_on();
  }

  void write(const Write& write) {
    RAFTLAB_ASSERT(write.seq == submitted_.next(), write.seq, submitted_);
    submitted_ = write.seq;
    if (dead_) return;
    idle_ticks_ = 0;
    if (write.checkpoint) {
      gather_restart(write);
    } else {
      gather_changes(write);
    }
    pump();
  }

  std::optional<WriteOutcome> complete(const DiskCompletion& completion) {
    if (dead_ || completion.operation > last_operation_) return std::nullopt;
    if (completion.error != DiskError::none) {
      dead_ = true;
      return WriteOutcome{submitted_, completion.error};
    }
    if (phase_ == Phase::idle || completion.operation < awaited_) return std::nullopt;
    if (phase_ == Phase::syncing) {
      durable_ = flying_.sequence;
      // The checkpoint counts only when what it replaces is gone: a damaged checkpoint beside older segments
      // is then always one that nobody ever counted on.
      if (flying_.kind == RecordKind::checkpoint_end) to_remove_ = std::exchange(replaced_files_, {});
    }
    phase_ = Phase::idle;
    const WriteSeq done = to_remove_.empty() ? std::exchange(flying_.completes, WriteSeq()) : WriteSeq();
    go_on();
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
  [[nodiscard]] std::size_t memory_bytes() const {
    std::size_t bytes = terms_.memory_bytes();
    for (const Gathered& record : gathered_) bytes += sizeof record + record.buffer.capacity();
    for (const auto* files : {&live_files_, &replaced_files_, &to_remove_}) {
      for (const std::string& file : *files) bytes += sizeof(std::string) + file.capacity();
    }
    return bytes;
  }

 private:
  enum class Phase : std::uint8_t {
    idle,
    syncing,   ///< a record is on its way
    removing,  ///< a file of no more use is being removed
    securing,  ///< files that were read are being made durable
  };

  static constexpr std::size_t payload_offset = segment_header_bytes + record_header_bytes;

  /// A record that gathers changes. Its buffer starts with room for both headers.
  struct Gathered {
    Buffer buffer;
    RecordKind kind = RecordKind::writes;
    bool begins_life = false;  ///< the first one of a checkpoint: it opens a segment that is a base
    WriteSeq completes;        ///< the last write that ends in it; 0: none does
  };
  struct Flying {
    RecordSeq sequence;
    RecordKind kind = RecordKind::writes;
    WriteSeq completes;
  };

  /// What is to be done next, when nothing is under way. Only at the start of the process can something other
  /// than a record be due while no checkpoint has just become durable.
  void go_on() {
    if (!to_remove_.empty()) {
      remove_next();
    } else if (!unproven_files_.empty()) {
      secure();
    } else {
      pump();
    }
  }

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

  void gather_changes(const Write& write) {
    if (write.hard) put_hard_state(room(change_bytes_max), *write.hard);
    if (write.truncate_from) {
      RAFTLAB_ASSERT(write.truncate_from > snapshot_.index, write.truncate_from, snapshot_);
      put_truncation(room(change_bytes_max), write.truncate_from);
      terms_.truncate(write.truncate_from);
    }
    for (const Slice& entries : write.entries) {
      terms_.append(entries);
      put_entries(entries);
    }
    (void)room(0);  // a write without changes is a record too
    gathered_[gathered_count_ - 1].completes = write.seq;
  }

  /// Durable is what the writes before it hold of the same log: all of them are when its first record is
  /// written.
  void gather_restart(const Write& write) {
    RAFTLAB_ASSERT(write.hard && !write.truncate_from, write.seq, write.truncate_from);
    const Checkpoint& checkpoint = *write.checkpoint;
    Terms terms(checkpoint.base);
    for (const Slice& entries : write.entries) terms.append(entries);
    gather_checkpoint(Recovered{.hard = *write.hard,
                                .snapshot = checkpoint.snapshot,
                                .snapshot_configuration = checkpoint.configuration,
                                .base = checkpoint.base,
                                .entries = write.entries,
                                .durable = terms.agrees_up_to(terms_)},
                      write.seq);
  }

  /// The whole state, in records of its own; the first of them begins a life.
  void gather_checkpoint(const Recovered& recovered, WriteSeq seq) {
    constexpr RecordKind kind = RecordKind::checkpoint;
    begin_record(kind).begins_life = true;
    put_hard_state(room(change_bytes_max, kind), recovered.hard);
    const Configuration at_snapshot = recovered.snapshot_configuration.value_or(Configuration{});
    if (recovered.snapshot.index || at_snapshot != Configuration{}) {
      std::vector<std::byte> configuration;
      if (at_snapshot != Configuration{}) configuration = encode(at_snapshot);
      put_snapshot(room(change_bytes_max + configuration.size(), kind), recovered.snapshot, configuration);
    }
    if (recovered.base != LogId{}) put_base(room(change_bytes_max, kind), recovered.base);
    snapshot_ = recovered.snapshot;
    terms_ = Terms(recovered.base);
    for (const Slice& entries : recovered.entries) {
      terms_.append(entries);
      put_entries(entries, kind);
    }
    RAFTLAB_ASSERT(snapshot_.index >= recovered.base.index && snapshot_.index <= terms_.last() &&
                       snapshot_.term == terms_.term_at(snapshot_.index),
                   snapshot_, recovered.base, terms_.last());
    put_durable_index(room(change_bytes_max, kind), recovered.durable);
    gathered_[gathered_count_ - 1].kind = RecordKind::checkpoint_end;
    gathered_[gathered_count_ - 1].completes = seq;
  }

  /// Sends the oldest gathered record, when none is on its way.
  void pump() {
    if (phase_ != Phase::idle || gathered_count_ == 0) return;
    Gathered& record = gathered_.front();
    const bool roll = record.begins_life || segment_bytes_ >= options_.segment_bytes;
    if (roll) begin_segment(record);

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
    release_buffers();
  }

  /// Two buffers of a common size are enough to use again: what a checkpoint took goes.
  void release_buffers() {
    constexpr std::size_t spare_max = 2;
    if (gathered_.size() > gathered_count_ + spare_max) gathered_.resize(gathered_count_ + spare_max);
    Buffer& used = gathered_[gathered_count_].buffer;
    const std::size_t common = payload_offset + options_.record_bytes_max + record_trailer_bytes;
    if (used.capacity() > 2 * common) used = Buffer();
  }

  /// Everything that this process wrote before is durable: no record is on its way. The header goes out with
  /// the record.
  void begin_segment(Gathered& record) {
    if (record.begins_life) {
      RAFTLAB_ASSERT(replaced_files_.empty(), replaced_files_.size());
      base_ = next_segment_;
      replaced_files_ = std::exchange(live_files_, {});
    }
    const SegmentHeader header{identity_, next_segment_, base_, next_record_, chain_};
    chain_ = put(header, record.buffer.data());
    live_files_.push_back(segment_name(next_segment_));
    last_operation_ = disk_->create(live_files_.back(), file_);
    next_segment_ = next_segment_.next();
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
    disk_->remove(to_remove_.front());
    to_remove_.erase(to_remove_.begin());
    awaited_ = last_operation_ = disk_->sync_directory();
    phase_ = Phase::removing;
  }

  Disk* disk_;
  Identity identity_;
  WalOptions options_;
  std::uint32_t identity_checksum_;

  // The files.
  SegmentNumber base_;
  SegmentNumber next_segment_;
  FileHandle file_;
  std::uint64_t segment_bytes_ = 0;
  std::vector<std::string> live_files_;      // of the present life
  std::vector<std::string> replaced_files_;  // of the life before, while the checkpoint is on its way
  std::vector<std::string> to_remove_;
  std::vector<std::string> unproven_files_;

  // The records.
  RecordSeq next_record_;
  std::uint32_t chain_ = 0;  // 0: this process has written nothing
  RecordSeq durable_;
  RecordSeq last_watermark_;        // that a record carries
  RecordSeq last_data_;             // last record other than a watermark
  std::vector<Gathered> gathered_;  // the first gathered_count_ are in use
  std::size_t gathered_count_ = 0;
  Flying flying_;

  // The writes of the core.
  WriteSeq submitted_;
  WriteSeq appended_;
  LogId snapshot_;
  Terms terms_;  // of the log as of the last write

  // The disk.
  Phase phase_ = Phase::idle;
  OperationId awaited_;
  OperationId last_operation_;
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
std::size_t Wal::memory_bytes() const { return implementation_->memory_bytes(); }

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
