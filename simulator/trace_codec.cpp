#include "raft/wal/crc32c.hpp"
#include "simulator/trace.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

/// The bytes of a trace: docs/trace.md. Every byte that is read is hostile: a length is compared with what is there before
/// anything is allocated for it, the version is read before anything else, and no chunk is believed before its checksum.
namespace raftlab::simulator {
namespace {

/// In the order in which they stand in a file.
enum class ChunkType : std::uint8_t { header = 1, decisions = 2, steps = 3, incidents = 4, end = 5 };

constexpr std::array<char, 8> magic = {'R', 'L', 'T', 'R', 'A', 'C', 'E', '\n'};
constexpr std::size_t preamble_bytes = magic.size() + 4;
constexpr std::size_t chunk_header_bytes = 1 + 4 + 4;
constexpr std::size_t decisions_per_chunk = 4096;
constexpr std::size_t steps_per_chunk = 1024;
constexpr std::size_t incidents_per_chunk = 1024;
constexpr std::uint32_t node_max = 64;
constexpr std::size_t decision_bytes_min = 8 + 1;
constexpr std::size_t step_bytes_min = 19;
constexpr std::size_t incident_bytes_min = 5;
constexpr std::size_t finding_bytes_min = 5;

const char* name(ChunkType type) {
  switch (type) {
    case ChunkType::header: return "header";
    case ChunkType::decisions: return "decisions";
    case ChunkType::steps: return "steps";
    case ChunkType::incidents: return "incidents";
    case ChunkType::end: return "end";
  }
  return "unknown";
}

/// Small numbers of either sign as small numbers: 0, -1, 1, -2 ... become 0, 1, 2, 3 ...
constexpr std::uint64_t zigzag(std::uint64_t difference) {
  return (difference << 1U) ^ (0 - (difference >> 63U));
}
constexpr std::uint64_t unzigzag(std::uint64_t value) { return (value >> 1U) ^ (0 - (value & 1U)); }

std::uint64_t bits(std::int64_t value) { return static_cast<std::uint64_t>(value); }

class Writer {
 public:
  void fixed(std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) out_.push_back(static_cast<std::byte>(value >> (8 * i)));
  }
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) out_.push_back(static_cast<std::byte>(value | 0x80U));
    out_.push_back(static_cast<std::byte>(value));
  }
  void change(std::uint64_t now, std::uint64_t before) { number(zigzag(now - before)); }
  void text(std::string_view text) {
    number(text.size());
    const auto bytes = std::as_bytes(std::span(text));
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  void bytes(raft::Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  [[nodiscard]] std::vector<std::byte>& out() { return out_; }

 private:
  std::vector<std::byte> out_;
};

/// Type, length and payload are covered by the checksum.
std::uint32_t checksum(ChunkType type, raft::Bytes payload) {
  Writer head;
  head.fixed(static_cast<std::uint8_t>(type), 1);
  head.fixed(payload.size(), 4);
  return raft::wal::crc32c(raft::wal::crc32c(0, head.out()), payload);
}

void put_chunk(Writer& file, ChunkType type, raft::Bytes payload) {
  file.fixed(static_cast<std::uint8_t>(type), 1);
  file.fixed(payload.size(), 4);
  file.fixed(checksum(type, payload), 4);
  file.bytes(payload);
}

void put_step(Writer& out, const TraceStep& step, const TraceStep& before, const TraceStep& of_node) {
  out.number(step.number - before.number);
  out.change(bits(step.time), bits(before.time));
  out.number(step.node.value());
  out.fixed(step.digest, 8);
  out.fixed(static_cast<std::uint8_t>(step.role), 1);
  out.change(step.term.value(), of_node.term.value());
  out.change(step.vote.value(), of_node.vote.value());
  out.change(step.commit.value(), of_node.commit.value());
  out.change(step.applied.value(), of_node.applied.value());
  out.change(step.durable.value(), of_node.durable.value());
  out.change(step.last.value(), of_node.last.value());
  out.text(step.what);
}

void put_incident(Writer& out, const Incident& incident, const Incident& before) {
  out.number(incident.after_step - before.after_step);
  out.change(bits(incident.time), bits(before.time));
  out.number(incident.node.value());
  out.fixed(static_cast<std::uint8_t>(incident.kind), 1);
  out.text(incident.what);
}

void put_header(Writer& file, const TraceHeader& header) {
  Writer out;
  out.fixed(header.seed, 8);
  out.fixed(header.checks ? 1 : 0, 1);
  for (const std::string* text : {&header.version, &header.commit, &header.compiler, &header.build_type})
    out.text(*text);
  out.text(to_toml(header.profile));
  put_chunk(file, ChunkType::header, out.out());
}

void put_end(Writer& file, const Trace& trace) {
  Writer out;
  out.number(trace.decisions.size());
  out.number(trace.steps.size());
  out.number(trace.incidents.size());
  out.fixed(static_cast<std::uint8_t>(trace.verdict), 1);
  out.text(trace.reason);
  out.fixed(trace.digest, 8);
  out.number(trace.findings.size());
  for (const invariants::Finding& finding : trace.findings) {
    out.text(invariants::info(finding.rung).id);
    out.number(finding.step);
    out.number(zigzag(bits(finding.time_ns)));
    out.number(finding.node.value());
    out.text(finding.text);
  }
  put_chunk(file, ChunkType::end, out.out());
}

/// What stands at a place is not what must stand there.
struct Damage {
  std::uint64_t offset;
  std::string message;
};

/// Reads one payload. Throws `Damage`, which does not leave this file.
class Reader {
 public:
  Reader(raft::Bytes bytes, std::uint64_t offset) : bytes_(bytes), offset_(offset) {}

  [[nodiscard]] std::uint64_t offset() const { return offset_ + at_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }

  std::uint64_t fixed(unsigned bytes, const char* what) {
    if (left() < bytes) fail(what, "the chunk ends");
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) value |= std::to_integer<std::uint64_t>(bytes_[at_ + i]) << (8 * i);
    at_ += bytes;
    return value;
  }
  std::uint64_t number(const char* what) {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (left() == 0) fail(what, "the chunk ends");
      const auto byte = std::to_integer<std::uint64_t>(bytes_[at_++]);
      if (shift == 63 && byte > 1) fail(what, "the number is too long");
      value |= (byte & 0x7fU) << shift;
      if (byte < 0x80) return value;
    }
  }
  /// At most `most`.
  std::uint64_t number(const char* what, std::uint64_t most) {
    const std::uint64_t value = number(what);
    if (value > most) fail(what, "it is out of range");
    return value;
  }
  std::uint64_t change(std::uint64_t before, const char* what) { return before + unzigzag(number(what)); }
  std::string text(const char* what) {
    const std::uint64_t size = number(what);
    if (size > left()) fail(what, "it is longer than the chunk");
    std::string result(static_cast<std::size_t>(size), '\0');
    for (char& c : result) c = static_cast<char>(bytes_[at_++]);
    return result;
  }
  /// How many elements follow, each of at least `bytes_min`.
  std::size_t count(const char* what, std::size_t bytes_min) {
    const std::uint64_t value = number(what);
    if (value > left() / bytes_min) fail(what, "there are more than the chunk has room for");
    return static_cast<std::size_t>(value);
  }
  void expect_end() const {
    if (left() != 0) fail("chunk", "bytes follow its last field");
  }
  [[noreturn]] void fail(const char* what, const std::string& why) const {
    throw Damage{offset(), std::string(what) + ": " + why};
  }

 private:
  raft::Bytes bytes_;
  std::uint64_t offset_;
  std::size_t at_ = 0;
};

TraceHeader get_header(Reader in) {
  TraceHeader header;
  header.seed = in.fixed(8, "seed");
  header.checks = in.number("checks", 1) != 0;
  for (std::string* text : {&header.version, &header.commit, &header.compiler, &header.build_type}) {
    *text = in.text("version");
  }
  const std::uint64_t at = in.offset();
  auto profile = parse_profile(in.text("profile"), Profile{});
  if (const auto* error = std::get_if<ProfileError>(&profile)) {
    throw Damage{at, "profile, line " + std::to_string(error->line) + ": " + error->message};
  }
  header.profile = std::move(std::get<Profile>(profile));
  in.expect_end();
  return header;
}

void get_decisions(Reader in, Trace& trace) {
  if (in.number("first decision") != trace.decisions.size())
    in.fail("first decision", "a chunk of decisions is missing");
  const std::size_t count = in.count("decisions", decision_bytes_min);
  trace.decisions.reserve(trace.decisions.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t key = in.fixed(8, "key of a decision");
    const std::uint64_t value = in.number("value of a decision");
    if (value == 0) in.fail("value of a decision", "it is 0, which is never recorded");
    trace.decisions.push_back(Decision{key, value});
  }
  in.expect_end();
}

TraceStep get_step(Reader& in, const TraceStep& before, std::map<raft::NodeId, TraceStep>& of_nodes) {
  TraceStep step;
  step.number = before.number + in.number("step", ~before.number);
  step.time = static_cast<Time>(in.change(bits(before.time), "time"));
  step.node = raft::NodeId(static_cast<std::uint32_t>(in.number("node", node_max)));
  step.digest = in.fixed(8, "digest");
  step.role = static_cast<raft::Role>(in.number("role", static_cast<std::uint64_t>(raft::Role::leader)));
  TraceStep& last = of_nodes[step.node];
  step.term = raft::Term(in.change(last.term.value(), "term"));
  const std::uint64_t vote = in.change(last.vote.value(), "vote");
  if (vote > std::numeric_limits<std::uint32_t>::max()) in.fail("vote", "it is out of range");
  step.vote = raft::NodeId(static_cast<std::uint32_t>(vote));
  step.commit = raft::Index(in.change(last.commit.value(), "commit index"));
  step.applied = raft::Index(in.change(last.applied.value(), "applied index"));
  step.durable = raft::Index(in.change(last.durable.value(), "durable index"));
  step.last = raft::Index(in.change(last.last.value(), "last index"));
  last = step;
  step.what = in.text("what happened");
  return step;
}

void get_steps(Reader in, Trace& trace) {
  if (in.number("first step") != trace.steps.size()) in.fail("first step", "a chunk of steps is missing");
  const std::size_t count = in.count("steps", step_bytes_min);
  trace.steps.reserve(trace.steps.size() + count);
  TraceStep before;
  std::map<raft::NodeId, TraceStep> of_nodes;
  for (std::size_t i = 0; i < count; ++i) {
    trace.steps.push_back(get_step(in, before, of_nodes));
    before = trace.steps.back();
  }
  in.expect_end();
}

void get_incidents(Reader in, Trace& trace) {
  if (in.number("first incident") != trace.incidents.size())
    in.fail("first incident", "a chunk of incidents is missing");
  const std::size_t count = in.count("incidents", incident_bytes_min);
  trace.incidents.reserve(trace.incidents.size() + count);
  Incident before;
  for (std::size_t i = 0; i < count; ++i) {
    Incident& incident = trace.incidents.emplace_back();
    incident.after_step = before.after_step + in.number("step before an incident", ~before.after_step);
    incident.time = static_cast<Time>(in.change(bits(before.time), "time of an incident"));
    incident.node = raft::NodeId(static_cast<std::uint32_t>(in.number("node of an incident", node_max)));
    const std::uint64_t kind = in.fixed(1, "kind of an incident");
    if (kind > incident_kind_max) in.fail("kind of an incident", "it is out of range");
    incident.kind = static_cast<IncidentKind>(kind);
    incident.what = in.text("what happened");
    before = incident;
  }
  in.expect_end();
}

invariants::Rung rung_of(Reader& in) {
  const std::string id = in.text("rung");
  const auto all = invariants::rungs();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& info) { return id == info.id; });
  if (found == all.end()) in.fail("rung", "no rung has this identifier");
  return found->rung;
}

void get_end(Reader in, Trace& trace) {
  if (in.number("decisions") != trace.decisions.size()) in.fail("decisions", "some are missing");
  if (in.number("steps") != trace.steps.size()) in.fail("steps", "some are missing");
  if (in.number("incidents") != trace.incidents.size()) in.fail("incidents", "some are missing");
  trace.verdict =
      static_cast<Verdict>(in.number("verdict", static_cast<std::uint64_t>(Verdict::inconclusive)));
  trace.reason = in.text("reason");
  trace.digest = in.fixed(8, "digest");
  const std::size_t count = in.count("findings", finding_bytes_min);
  for (std::size_t i = 0; i < count; ++i) {
    invariants::Finding finding;
    finding.rung = rung_of(in);
    finding.step = in.number("step of a finding");
    finding.time_ns = static_cast<Time>(unzigzag(in.number("time of a finding")));
    finding.node = raft::NodeId(static_cast<std::uint32_t>(in.number("node of a finding", node_max)));
    finding.text = in.text("text of a finding");
    trace.findings.push_back(std::move(finding));
  }
  in.expect_end();
}

/// Reads the chunks behind the preamble.
class ChunkReader {
 public:
  explicit ChunkReader(raft::Bytes bytes) : bytes_(bytes) {}

  Trace read() {
    Trace trace;
    for (ChunkType last{};; ++chunks_) {
      if (at_ == bytes_.size()) {
        throw Damage{at_, chunks_ == 0 ? "it ends before its header" : "it ends without an end chunk"};
      }
      const auto [type, payload, offset] = next();
      // Header, decisions, steps, incidents, end: the order of the numbers.
      const bool first = chunks_ == 0;
      if (first != (type == ChunkType::header) || type < last) {
        throw Damage{offset, std::string("a chunk of ") + name(type) + " does not belong here"};
      }
      last = type;
      const Reader in(payload, offset + chunk_header_bytes);
      if (type == ChunkType::header) trace.header = get_header(in);
      if (type == ChunkType::decisions) get_decisions(in, trace);
      if (type == ChunkType::steps) get_steps(in, trace);
      if (type == ChunkType::incidents) get_incidents(in, trace);
      if (type != ChunkType::end) continue;
      get_end(in, trace);
      if (at_ != bytes_.size()) throw Damage{at_, "bytes follow the end chunk"};
      return trace;
    }
  }

 private:
  struct Chunk {
    ChunkType type;
    raft::Bytes payload;
    std::uint64_t offset;
  };

  Chunk next() {
    const std::uint64_t offset = at_;
    const std::string which = "chunk " + std::to_string(chunks_ + 1);
    if (bytes_.size() - at_ < chunk_header_bytes)
      throw Damage{offset, "it ends inside of the head of " + which};
    Reader head(bytes_.subspan(at_, chunk_header_bytes), offset);
    const std::uint64_t type = head.fixed(1, "type");
    const std::uint64_t length = head.fixed(4, "length");
    const std::uint64_t stated = head.fixed(4, "checksum");
    if (length > bytes_.size() - at_ - chunk_header_bytes) {
      throw Damage{offset, which + " says that it has " + std::to_string(length) + " bytes, but only " +
                               std::to_string(bytes_.size() - at_ - chunk_header_bytes) + " follow"};
    }
    const raft::Bytes payload = bytes_.subspan(at_ + chunk_header_bytes, static_cast<std::size_t>(length));
    const std::uint32_t found = checksum(static_cast<ChunkType>(type), payload);
    if (found != stated) {
      std::ostringstream message;
      message << std::hex << which << " says that its checksum is " << stated << ", but it is " << found;
      throw Damage{offset, message.str()};
    }
    if (type < 1 || type > static_cast<std::uint8_t>(ChunkType::end))
      throw Damage{offset, which + " has the unknown type " + std::to_string(type)};
    at_ += chunk_header_bytes + payload.size();
    return Chunk{static_cast<ChunkType>(type), payload, offset};
  }

  raft::Bytes bytes_;
  std::size_t at_ = preamble_bytes;
  std::size_t chunks_ = 0;
};

std::optional<TraceError> check_preamble(raft::Bytes bytes) {
  if (bytes.empty()) return TraceError{TraceErrorCode::empty, 0, "the file is empty"};
  for (std::size_t i = 0; i < std::min(bytes.size(), magic.size()); ++i) {
    if (bytes[i] != static_cast<std::byte>(magic[i])) {
      return TraceError{TraceErrorCode::not_a_trace, i,
                        "this is no raftlab trace: it does not start with RLTRACE"};
    }
  }
  if (bytes.size() < preamble_bytes) {
    return TraceError{
        TraceErrorCode::damaged, bytes.size(),
        "the trace is damaged at byte " + std::to_string(bytes.size()) + ": it ends before its version"};
  }
  const std::uint64_t version = Reader(bytes.subspan(magic.size(), 4), magic.size()).fixed(4, "version");
  if (version != trace_version) {
    return TraceError{TraceErrorCode::other_version, magic.size(),
                      "the trace has format version " + std::to_string(version) +
                          ", this raftlab reads version " + std::to_string(trace_version)};
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::byte> encode(const Trace& trace) {
  Writer file;
  for (const char c : magic) file.fixed(static_cast<unsigned char>(c), 1);
  file.fixed(trace_version, 4);
  put_header(file, trace.header);
  for (std::size_t first = 0; first < trace.decisions.size(); first += decisions_per_chunk) {
    Writer out;
    const std::size_t count = std::min(decisions_per_chunk, trace.decisions.size() - first);
    out.number(first);
    out.number(count);
    for (std::size_t i = first; i < first + count; ++i) {
      out.fixed(trace.decisions[i].key, 8);
      out.number(trace.decisions[i].value);
    }
    put_chunk(file, ChunkType::decisions, out.out());
  }
  for (std::size_t first = 0; first < trace.steps.size(); first += steps_per_chunk) {
    Writer out;
    const std::size_t count = std::min(steps_per_chunk, trace.steps.size() - first);
    out.number(first);
    out.number(count);
    TraceStep before;
    std::map<raft::NodeId, TraceStep> of_nodes;
    for (std::size_t i = first; i < first + count; ++i) {
      const TraceStep& step = trace.steps[i];
      put_step(out, step, before, of_nodes[step.node]);
      of_nodes[step.node] = before = step;
    }
    put_chunk(file, ChunkType::steps, out.out());
  }
  for (std::size_t first = 0; first < trace.incidents.size(); first += incidents_per_chunk) {
    Writer out;
    const std::size_t count = std::min(incidents_per_chunk, trace.incidents.size() - first);
    out.number(first);
    out.number(count);
    Incident before;
    for (std::size_t i = first; i < first + count; ++i) {
      put_incident(out, trace.incidents[i], before);
      before = trace.incidents[i];
    }
    put_chunk(file, ChunkType::incidents, out.out());
  }
  put_end(file, trace);
  return std::move(file.out());
}

std::variant<Trace, TraceError> decode_trace(raft::Bytes bytes) {
  if (auto error = check_preamble(bytes)) return std::move(*error);
  try {
    return ChunkReader(bytes).read();
  } catch (const Damage& damage) {
    return TraceError{
        TraceErrorCode::damaged, damage.offset,
        "the trace is damaged at byte " + std::to_string(damage.offset) + ": " + damage.message};
  }
}

}  // namespace raftlab::simulator
