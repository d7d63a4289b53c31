#include "raft/wal/recovery.hpp"

#include "raft/wal/payload.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <sstream>

namespace raftlab::raft::wal {
namespace {

struct File {
  std::string name;
  SegmentNumber number;
  std::vector<std::byte> bytes;
  std::optional<ReadHeader> header;  ///< none: damaged, or its creation was torn

  [[nodiscard]] bool of(SegmentNumber base) const { return header && header->header.base == base; }
};

Refusal refusal(RefusalCode code, const File& file, std::size_t offset, std::string detail) {
  return Refusal{code, file.name, offset, std::move(detail)};
}

template <class... Parts>
std::string sentence(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

/// First offset from `from` on at which a record could start, judging by its magic.
std::optional<std::size_t> next_candidate(Bytes bytes, std::size_t from) {
  constexpr std::size_t at_magic = 4;
  while (from + record_header_bytes <= bytes.size()) {
    const std::byte* start = bytes.data() + from + at_magic;
    const std::size_t length = bytes.size() - from - record_header_bytes + 1;
    const void* hit = std::memchr(start, 'r', length);
    if (hit == nullptr) return std::nullopt;
    const std::size_t offset =
        static_cast<std::size_t>(static_cast<const std::byte*>(hit) - bytes.data()) - at_magic;
    if (std::memcmp(hit, "rec", 3) == 0) return offset;
    from = offset + 1;
  }
  return std::nullopt;
}

/// What a scan of every byte offset finds behind damage.
struct Survivor {
  std::size_t offset = 0;
  ReadRecord record;
};

/// A record behind the damage that proves that the damaged place was once durable: a valid one with a greater
/// number, or a header alone whose watermark covers the place.
std::optional<Survivor> find_survivor(Bytes bytes, std::size_t from, std::uint32_t identity, RecordSeq last) {
  std::optional<Survivor> header_only;
  for (auto at = next_candidate(bytes, from); at; at = next_candidate(bytes, *at + 1)) {
    const ReadRecord record = read_record(bytes.subspan(*at), identity);
    if (record.state == RecordState::valid && record.header.sequence > last) return Survivor{*at, record};
    if (record.state == RecordState::header_only && record.header.durable > last && !header_only) {
      header_only = Survivor{*at, record};
    }
  }
  return header_only;
}

/// The highest log index that a watermark covers, found while records are read in order.
class DurableIndex {
 public:
  void note(const RecordHeader& header, const Image& image) {
    // Part of a checkpoint is worth nothing, however durable, until its end is.
    if (header.kind == RecordKind::checkpoint) return;
    for (Mark& mark : marks_) {
      if (mark.sequence <= header.durable) index_ = mark.last;
    }
    std::erase_if(marks_, [&](const Mark& mark) { return mark.sequence <= header.durable; });
    if (header.kind == RecordKind::checkpoint_end) {
      index_ = image.durable_index();
    } else {
      const Index kept = image.lowest_last();
      index_ = std::min(index_, kept);
      for (Mark& mark : marks_) mark.last = std::min(mark.last, kept);
    }
    marks_.push_back(Mark{header.sequence, image.last()});
  }
  [[nodiscard]] Index index() const { return index_; }

 private:
  struct Mark {
    RecordSeq sequence;
    Index last;
  };
  std::vector<Mark> marks_;
  Index index_;
};

/// Reads the segments of one life of the node, from its base on.
class Replay {
 public:
  Replay(const std::vector<File>& files, SegmentNumber base, std::uint32_t identity)
      : files_(files), base_(base), identity_(identity) {}

  [[nodiscard]] std::optional<Refusal> run() {
    SegmentNumber expected = base_;
    for (const File& file : files_) {
      if (!file.of(base_)) continue;
      if (auto refused = enter(file, expected)) return refused;
      expected = expected.next();
      if (auto refused = read(file)) return refused;
    }
    // A checkpoint that this life began itself proves of it what one more segment would.
    for (const File& file : files_) {
      if (file.number > base_ && file.of(file.number) && file.header->header.previous_chain != 0)
        return follows(file, expected);
    }
    return std::nullopt;
  }

  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] bool torn() const { return torn_; }
  [[nodiscard]] RecordSeq last() const { return last_; }
  [[nodiscard]] const File& last_file() const { return *file_; }
  [[nodiscard]] std::size_t end() const { return offset_; }
  [[nodiscard]] Recovered recovered() const {
    Recovered recovered = image_.recovered();
    recovered.durable = durable_.index();
    return recovered;
  }

 private:
  /// A segment follows the one before without a gap, and everything before it was durable when it was begun.
  [[nodiscard]] std::optional<Refusal> follows(const File& file, SegmentNumber expected) const {
    const SegmentHeader& header = file.header->header;
    if (file.number != expected) {
      for (const File& other : files_) {
        if (other.number != expected || other.header) continue;
        return refusal(RefusalCode::corrupt_header, other, 0,
                       sentence("the header is damaged, and segment ", file.number, " follows it"));
      }
      return Refusal{RefusalCode::missing_segment, segment_name(expected), 0,
                     sentence("segment ", file.number, ", begun behind it, is there; this one is not")};
    }
    if (file_ != nullptr && (torn_ || header.first != last_.next() || header.previous_chain != chain_)) {
      return refusal(RefusalCode::corrupt_middle, *file_, offset_,
                     sentence("record ", last_.next(), " is damaged or cut off, and segment ", file.number,
                              " was begun behind record ", header.first.previous()));
    }
    return std::nullopt;
  }

  std::optional<Refusal> enter(const File& file, SegmentNumber expected) {
    if (auto refused = follows(file, expected)) return refused;
    if (file_ == nullptr) last_ = file.header->header.first.previous();
    file_ = &file;
    chain_ = file.header->chain;
    offset_ = segment_header_bytes;
    return std::nullopt;
  }

  std::optional<Refusal> read(const File& file) {
    const Bytes bytes(file.bytes);
    while (offset_ < bytes.size()) {
      const ReadRecord record = read_record(bytes.subspan(offset_), identity_);
      const bool follows = record.header.sequence == last_.next() && record.header.previous_chain == chain_;
      if (record.state != RecordState::valid || !follows) return judge_damage(file, record);
      if (auto refused = take(file, record)) return refused;
    }
    return std::nullopt;
  }

  std::optional<Refusal> take(const File& file, const ReadRecord& record) {
    const RecordHeader& header = record.header;
    const bool checkpoint =
        header.kind == RecordKind::checkpoint || header.kind == RecordKind::checkpoint_end;
    const bool later = header.kind == RecordKind::writes || header.kind == RecordKind::watermark;
    std::string wrong;
    if (header.durable >= header.sequence) wrong = "its durable watermark covers itself";
    if (complete_ ? !later : !checkpoint) wrong = "a record of its kind cannot stand here";
    image_.reset_lowest_last();
    if (wrong.empty()) wrong = image_.apply(header.kind, record.payload);
    if (!wrong.empty()) {
      return refusal(RefusalCode::bad_content, file, offset_,
                     sentence("record ", header.sequence, ": ", wrong));
    }
    durable_.note(header, image_);
    complete_ = complete_ || header.kind == RecordKind::checkpoint_end;
    last_ = header.sequence;
    chain_ = record.chain;
    offset_ += record.bytes;
    return std::nullopt;
  }

  /// A torn tail only when nothing behind the damage proves that it was once durable.
  std::optional<Refusal> judge_damage(const File& file, const ReadRecord& record) {
    if (record.state == RecordState::valid) {
      return refusal(RefusalCode::corrupt_middle, file, offset_,
                     sentence("expected record ", last_.next(), " and found record ", record.header.sequence,
                              ", which does not follow"));
    }
    if (const auto survivor = find_survivor(file.bytes, offset_, identity_, last_)) {
      const bool valid = survivor->record.state == RecordState::valid;
      return refusal(valid ? RefusalCode::corrupt_middle : RefusalCode::corrupt_committed, file, offset_,
                     sentence("record ", last_.next(), " is damaged, and ",
                              valid ? "the valid record " : "the header of record ",
                              survivor->record.header.sequence, " follows at offset ", survivor->offset,
                              " with durable watermark ", survivor->record.header.durable));
    }
    torn_ = true;
    return std::nullopt;
  }

  const std::vector<File>& files_;
  SegmentNumber base_;
  std::uint32_t identity_;

  const File* file_ = nullptr;
  std::size_t offset_ = 0;
  RecordSeq last_;
  std::uint32_t chain_ = 0;
  bool complete_ = false;
  bool torn_ = false;
  Image image_;
  DurableIndex durable_;
};

class Recovery {
 public:
  explicit Recovery(const Identity& identity) : identity_(identity), checksum_(identity_checksum(identity)) {}

  [[nodiscard]] std::variant<Found, Refusal> run(Disk& disk) {
    if (auto refused = load(disk)) return *refused;
    if (auto refused = read_headers()) return *refused;
    std::optional<SegmentNumber> chosen;
    for (const SegmentNumber base : bases_) {
      Replay replay(files_, base, checksum_);
      if (auto refused = replay.run()) return *refused;
      found_.next_record = std::max(found_.next_record, replay.last().next());
      if (replay.complete()) {
        chosen = base;
        found_.recovered = replay.recovered();
        found_.torn_tail = found_.torn_tail || replay.torn();
        break;
      }
      if (!unfinished_) {
        const bool whole = !replay.torn() && replay.end() > segment_header_bytes;
        unfinished_ = {&replay.last_file(), replay.end(), whole};
      }
      found_.torn_tail = true;
    }
    if (auto refused = judge_headerless(chosen)) return *refused;
    if (!chosen && !files_.empty()) {
      if (auto refused = judge_unfinished()) return *refused;
    }
    found_.fresh = !chosen;
    if (!chosen) found_.next_record = RecordSeq(1);
    for (const File& file : files_) {
      const bool counts =
          chosen && (file.header ? file.header->header.base <= *chosen : file.number < *chosen);
      (counts ? found_.old_files : found_.leftovers).push_back(file.name);
    }
    if (chosen) found_.next_segment = files_.back().number.next();
    if (chosen == SegmentNumber(1)) found_.unproven_files = found_.old_files;
    std::ranges::reverse(found_.leftovers);
    return std::move(found_);
  }

 private:
  std::optional<Refusal> load(Disk& disk) {
    auto names = disk.list();
    if (const auto* error = std::get_if<DiskError>(&names)) {
      return Refusal{RefusalCode::unreadable, "", 0,
                     sentence("the directory cannot be listed: ", name(*error))};
    }
    for (std::string& file_name : std::get<0>(names)) {
      const auto number = segment_number(file_name);
      if (!number) continue;
      auto bytes = disk.read(file_name);
      if (const auto* error = std::get_if<DiskError>(&bytes)) {
        return Refusal{RefusalCode::unreadable, file_name, 0,
                       sentence("the file cannot be read: ", name(*error))};
      }
      files_.push_back(File{std::move(file_name), *number, std::move(std::get<0>(bytes)), std::nullopt});
    }
    std::ranges::sort(files_, {}, &File::number);
    if (!files_.empty() && files_.back().number.value() > numbers_max) {
      return refusal(RefusalCode::corrupt_header, files_.back(), 0, "no segment has so great a number");
    }
    return std::nullopt;
  }

  std::optional<Refusal> read_headers() {
    for (File& file : files_) {
      const auto read = read_segment_header(file.bytes);
      if (const auto* error = std::get_if<HeaderError>(&read)) {
        if (*error == HeaderError::unknown_version) {
          return refusal(RefusalCode::unknown_version, file, 8,
                         sentence("expected format version ", format_version));
        }
        continue;
      }
      const SegmentHeader& header = std::get<ReadHeader>(read).header;
      if (header.identity != identity_) {
        return refusal(
            RefusalCode::wrong_identity, file, 12,
            sentence("expected cluster ", identity_.cluster, " node ", identity_.node, " and found cluster ",
                     header.identity.cluster, " node ", header.identity.node));
      }
      if (header.number != file.number || header.base > header.number || !header.base || !header.first ||
          header.first.value() > numbers_max) {
        return refusal(RefusalCode::corrupt_header, file, 24,
                       sentence("the file holds the header of segment ", header.number));
      }
      file.header = std::get<ReadHeader>(read);
      bases_.insert(header.base);
      found_.next_record = std::max(found_.next_record, header.first);
    }
    return std::nullopt;
  }

  /// A header may be torn only where no record was ever written behind it.
  std::optional<Refusal> judge_headerless(const std::optional<SegmentNumber>& chosen) {
    for (const File& file : files_) {
      if (file.header || (chosen && file.number < *chosen)) continue;
      found_.torn_tail = true;
      if (const auto survivor = find_survivor(file.bytes, 0, checksum_, RecordSeq())) {
        return refusal(RefusalCode::corrupt_header, file, 0,
                       sentence("the header is damaged, and record ", survivor->record.header.sequence,
                                " stands at offset ", survivor->offset));
      }
    }
    return std::nullopt;
  }

  /// Without any finished checkpoint the log was never in use, if segment 1 is still there: files are
  /// removed, and a checkpoint begins to count, only in that order. A first creation is torn only in its last
  /// file: each was durable before the next was created, and what is left of it is removed from the end.
  std::optional<Refusal> judge_unfinished() {
    const File& first = files_.front();
    const bool only_the_first_life =
        bases_.empty() || (bases_.size() == 1 && *bases_.begin() == SegmentNumber(1));
    const bool whole = unfinished_ && unfinished_->whole;
    const File& torn = unfinished_ ? *unfinished_->file : first;
    const bool may_be_torn = whole || &torn == &files_.back();
    if (first.number == SegmentNumber(1) && only_the_first_life && may_be_torn) return std::nullopt;
    if (!unfinished_) {
      return refusal(RefusalCode::corrupt_header, first, 0,
                     "the header is damaged, and this is no creation that was never finished");
    }
    return refusal(RefusalCode::corrupt_committed, *unfinished_->file, unfinished_->offset,
                   "the checkpoint is damaged, and had been durable: nothing that it replaced is there, or a "
                   "segment follows");
  }

  struct Place {
    const File* file = nullptr;
    std::size_t offset = 0;
    bool whole = false;  ///< at least one record stands before it, and nothing behind it
  };

  Identity identity_;
  std::uint32_t checksum_;
  std::vector<File> files_;
  std::set<SegmentNumber, std::greater<>> bases_;  // newest first
  std::optional<Place> unfinished_;                // where the newest life stops being readable
  Found found_;
};

}  // namespace

std::variant<Found, Refusal> recover_log(Disk& disk, const Identity& identity) {
  return Recovery(identity).run(disk);
}

}  // namespace raftlab::raft::wal
