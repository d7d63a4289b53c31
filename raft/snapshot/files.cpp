#include "raft/snapshot/files.hpp"

#include "raft/assert.hpp"
#include "raft/snapshot/attempt.hpp"
#include "raft/snapshot/changes.hpp"
#include "raft/snapshot/images.hpp"
#include "raft/snapshot/names.hpp"
#include "raft/snapshot/receiving.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::raft::snapshot {

using wal::DiskError;
using wal::OperationId;

class Files::Implementation {
 public:
  Implementation(wal::Disk& disk, std::uint64_t cluster, std::uint64_t first_attempt)
      : disk_(&disk),
        cluster_(cluster),
        changes_(disk),
        images_(disk, cluster),
        next_attempt_(first_attempt) {}

  // ---- Taking

  void begin(const Header& header) {
    RAFTLAB_ASSERT(!taking_, header.last);
    RAFTLAB_ASSERT(header.cluster == cluster_, header.cluster, cluster_);
    out_.clear();
    const Encoder encoder(header, out_);
    taking_.emplace(
        Taking{header.last, header.configuration, encoder, Attempt(changes_, header.last, next_attempt_++)});
    taking_->file.append(changes_, out_);
  }

  void write(Bytes content) {
    if (!taking_) return;
    out_.clear();
    taking_->encoder.write(content, out_);
    if (!out_.empty()) taking_->file.append(changes_, out_);
  }

  void finish() {
    if (!taking_) return;
    out_.clear();
    taking_->encoder.finish(out_);
    taking_->file.append(changes_, out_);
    taking_->file.finish(changes_);
  }

  void abandon() {
    if (taking_) taking_->file.give_up(changes_, std::nullopt);
    taking_.reset();
  }

  [[nodiscard]] bool taking() const { return taking_.has_value(); }

  // ---- Receiving

  std::uint64_t receive(const InstallSnapshot& chunk) {
    const bool fits = chunk.total <= received_bytes_max && chunk.offset <= chunk.total &&
                      chunk.chunk.size() <= chunk.total - chunk.offset;
    const bool known = receiving_ && receiving_->is_of(chunk);
    if (!known && !fits) return 0;
    if (!known) {
      const Begun begun = begin_receiving(chunk);
      if (begun == Begun::no) return 0;
      if (begun == Begun::here) return chunk.total;
    }
    const std::uint64_t expected = receiving_->received();
    if (!fits || chunk.offset != expected || chunk.chunk.empty()) return expected;
    if (receiving_->take(changes_, chunk)) return receiving_->received();
    fail_receiving(std::nullopt);
    return 0;
  }

  // ---- Sending and restoring

  std::optional<InstallSnapshot> chunk(LogId last, std::uint64_t offset, std::size_t bytes) {
    if (going(finished_name(last))) return std::nullopt;
    const Image* image = images_.get(last);
    if (image == nullptr || offset > image->bytes.size()) return std::nullopt;
    const Bytes rest = Bytes(image->bytes).subspan(offset);
    const Bytes part = rest.first(std::min(bytes, rest.size()));
    return InstallSnapshot{last, offset, image->bytes.size(), image->checksum, {part.begin(), part.end()}};
  }

  std::optional<std::vector<std::byte>> content(LogId last) const {
    std::vector<std::byte> content;
    if (going(finished_name(last)) || !images_.read(last, &content)) return std::nullopt;
    return content;
  }

  // ---- Removing

  void keep_only(const std::vector<LogId>& wanted) {
    give_up_overtaken(wanted);
    images_.forget_all();
    const auto listed = disk_->list();
    const auto* names = std::get_if<std::vector<std::string>>(&listed);
    if (names == nullptr) return;
    unwanted_.clear();
    for (const std::string& name : *names) {
      if (changes_.removing(name) || changes_.renaming(name) || worked_at(name)) continue;
      const auto last = finished(name);
      const bool kept = last && (contains(wanted, *last) || untold(*last));
      if (!kept && (last || part(name))) unwanted_.push_back(name);
    }
    remove_unwanted();
  }

  // ---- Completions

  void complete(const wal::DiskCompletion& completion) {
    if (completion.operation > changes_.last()) return;
    if (completion.error != DiskError::none) return failed(completion.operation);
    changes_.succeeded(completion.operation);
    if (taking_ && advance(taking_->file, taking_->last, completion.operation)) {
      events_.push_back(Event{Event::Kind::taken, taking_->last, std::move(taking_->configuration)});
      taking_.reset();
    }
    if (receiving_) {
      auto& file = receiving_->file();
      const bool durable = file ? advance(*file, receiving_->last(), completion.operation)  //
                                : changes_.names_proven();
      if (durable) end_receiving();
    }
    remove_unwanted();
  }

  std::vector<Event> take_events() { return std::exchange(events_, {}); }
  [[nodiscard]] bool has_events() const { return !events_.empty(); }
  [[nodiscard]] std::uint32_t chain() const { return changes_.chain(); }

 private:
  struct Taking {
    LogId last;
    Configuration configuration;
    Encoder encoder;
    Attempt file;
  };

  enum class Begun : std::uint8_t {
    no,
    yes,
    here,  ///< it is in the directory already
  };

  static bool contains(const std::vector<LogId>& snapshots, LogId last) {
    return std::ranges::find(snapshots, last) != snapshots.end();
  }

  /// Another image takes the place of the one under way, also when it is of an older snapshot: it may be all
  /// that a new leader has, and of the newer one nothing may come any more. What is complete does not go for
  /// an older one.
  Begun begin_receiving(const InstallSnapshot& chunk) {
    if (!chunk.last.index || !chunk.last.term) return Begun::no;
    if (receiving_ && receiving_->complete() && chunk.last.index < receiving_->last().index) return Begun::no;
    if (chunk.offset != 0 || chunk.chunk.empty()) return Begun::no;
    if (receiving_ && receiving_->file()) receiving_->file()->give_up(changes_, std::nullopt);
    receiving_.reset();
    if (!going(finished_name(chunk.last))) {
      if (const auto image = images_.read(chunk.last)) {
        receiving_.emplace(chunk, image->header.configuration);
        prove_names();
        if (changes_.names_proven()) end_receiving();
        return Begun::here;
      }
    }
    receiving_.emplace(changes_, chunk, cluster_, next_attempt_++);
    return Begun::yes;
  }

  /// True when the file is durable under its final name.
  bool advance(Attempt& file, LogId last, OperationId operation) {
    const Attempt::Outcome outcome = file.succeeded(changes_, operation);
    if (outcome == Attempt::Outcome::named) {
      std::erase(unwanted_, file.name());
      images_.forget(last);
    }
    return outcome == Attempt::Outcome::durable;
  }

  void failed(OperationId operation) {
    changes_.failed(operation);
    unwanted_.clear();
    if (taking_ && taking_->file.lost_by(operation)) {
      taking_->file.give_up(changes_, operation);
      events_.push_back(Event{Event::Kind::taking_failed, taking_->last, {}});
      taking_.reset();
    }
    if (!receiving_) return;
    const auto& file = receiving_->file();
    if (file ? file->lost_by(operation) : !changes_.proving()) fail_receiving(operation);
  }

  /// What comes in and is no newer than what is here already will not be asked for any more: whoever sends it has gone, or never
  /// meant to finish.
  void give_up_overtaken(const std::vector<LogId>& wanted) {
    if (!receiving_ || receiving_->complete()) return;
    const bool overtaken =
        std::ranges::any_of(wanted, [&](LogId kept) { return kept.index >= receiving_->last().index; });
    if (overtaken) fail_receiving(std::nullopt);
  }

  void fail_receiving(std::optional<OperationId> failed) {
    if (receiving_->file()) receiving_->file()->give_up(changes_, failed);
    events_.push_back(Event{Event::Kind::storing_failed, receiving_->last(), {}});
    receiving_.reset();
  }

  void end_receiving() {
    events_.push_back(Event{Event::Kind::stored, receiving_->last(), receiving_->configuration()});
    receiving_.reset();
  }

  void prove_names() {
    if (!changes_.names_proven() && !changes_.proving()) changes_.sync_directory();
  }

  /// Nothing goes before the names of what stays are durable: a process that was killed may have left a
  /// snapshot whose name a loss of power still takes away, and with it everything, if the older ones were
  /// gone by then (F18, F19).
  void remove_unwanted() {
    if (unwanted_.empty()) return;
    prove_names();
    if (!changes_.names_proven()) return;
    for (const std::string& name : std::exchange(unwanted_, {})) changes_.remove(name);
    changes_.sync_directory();
  }

  /// Not there any more, as far as anybody may count on it.
  [[nodiscard]] bool going(const std::string& name) const {
    return changes_.removing(name) || std::ranges::find(unwanted_, name) != unwanted_.end();
  }

  [[nodiscard]] bool worked_at(const std::string& name) const {
    const auto works_at = [&](const Attempt& file) {
      return name == file.part() || (file.phase() == Attempt::Phase::naming && name == file.name());
    };
    if (taking_ && works_at(taking_->file)) return true;
    if (!receiving_) return false;
    const auto& file = receiving_->file();
    return file ? works_at(*file) : name == finished_name(receiving_->last());
  }

  /// It has become durable, and the host does not know yet.
  [[nodiscard]] bool untold(LogId last) const {
    return std::ranges::any_of(events_, [&](const Event& event) {
      return event.last == last && (event.kind == Event::Kind::taken || event.kind == Event::Kind::stored);
    });
  }

  wal::Disk* disk_;
  std::uint64_t cluster_;
  Changes changes_;
  Images images_;
  std::uint64_t next_attempt_;
  std::optional<Taking> taking_;
  std::optional<Receiving> receiving_;
  std::vector<std::string> unwanted_;  // to be removed as soon as what stays is durable
  std::vector<Event> events_;
  std::vector<std::byte> out_;  // keeps its memory
};

std::variant<Files::Opened, DiskError> Files::open(wal::Disk& disk, std::uint64_t cluster) {
  if (const DiskError error = disk.lock(); error != DiskError::none) return error;
  auto listed = disk.list();
  if (const auto* error = std::get_if<DiskError>(&listed)) return *error;
  auto& names = std::get<std::vector<std::string>>(listed);
  std::vector<Found> found;
  std::vector<std::string> damaged;
  std::uint64_t first_attempt = 1;
  for (std::string& name : names) {
    if (const auto attempt = part(name)) first_attempt = std::max(first_attempt, *attempt + 1);
    const auto last = finished(name);
    if (!last) continue;
    auto file = disk.read(name);
    if (const auto* error = std::get_if<DiskError>(&file)) return *error;
    const auto image = judge(std::move(std::get<std::vector<std::byte>>(file)), *last, cluster);
    if (image) {
      found.push_back(Found{image->header, image->bytes.size(), image->checksum});
    } else {
      damaged.push_back(std::move(name));
    }
  }
  std::ranges::sort(found, [](const Found& one, const Found& other) {
    return std::pair(one.header.last.index, one.header.last.term) >
           std::pair(other.header.last.index, other.header.last.term);
  });
  Files files(std::make_unique<Implementation>(disk, cluster, first_attempt));
  return Opened{std::move(files), std::move(found), std::move(damaged)};
}

Files::Files(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Files::Files(Files&&) noexcept = default;
Files& Files::operator=(Files&&) noexcept = default;
Files::~Files() = default;

void Files::begin(const Header& header) { implementation_->begin(header); }
void Files::write(Bytes content) { implementation_->write(content); }
void Files::finish() { implementation_->finish(); }
void Files::abandon() { implementation_->abandon(); }
bool Files::taking() const { return implementation_->taking(); }
std::uint64_t Files::receive(const InstallSnapshot& chunk) { return implementation_->receive(chunk); }
std::optional<InstallSnapshot> Files::chunk(LogId last, std::uint64_t offset, std::size_t bytes) {
  return implementation_->chunk(last, offset, bytes);
}
std::optional<std::vector<std::byte>> Files::content(LogId last) { return implementation_->content(last); }
void Files::keep_only(const std::vector<LogId>& wanted) { implementation_->keep_only(wanted); }
void Files::complete(const wal::DiskCompletion& completion) { implementation_->complete(completion); }
std::vector<Event> Files::take_events() { return implementation_->take_events(); }
bool Files::has_events() const { return implementation_->has_events(); }
std::uint32_t Files::chain() const { return implementation_->chain(); }

}  // namespace raftlab::raft::snapshot
