#include "raft/trace/record.hpp"

#include "raft/assert.hpp"
#include "raft/hash.hpp"
#include "raft/trace/record.pb.h"
#include "raft/wire/codec.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

namespace raftlab::raft::trace {
namespace {

namespace pb = ::raftlab::trace_format;

constexpr std::array<char, 8> magic = {'R', 'L', 'N', 'O', 'D', 'E', '\n', record_version};
constexpr std::size_t frame_bytes = 16;  // u32 length, u32 check of the length, u64 hash

template <class Number>
void put_number(Number number, std::byte* out) {
  for (std::size_t i = 0; i < sizeof(number); ++i, number = static_cast<Number>(number >> 8U))
    out[i] = static_cast<std::byte>(number & 0xffU);
}

/// Of the length by itself, so that a damaged one is told from a file that was cut off.
std::uint32_t length_check(std::uint64_t chain, std::uint32_t length) {
  return static_cast<std::uint32_t>(combine(chain, length));
}

// ---- To protobuf -----------------------------------------------------------------------------------------------

void put(LogId id, pb::LogId& out) {
  out.set_term(id.term.value());
  out.set_index(id.index.value());
}

template <class Numbers>
void put(const std::vector<NodeId>& nodes, Numbers& out) {
  for (const NodeId node : nodes) out.Add(node.value());
}

void put(const Configuration& configuration, pb::Configuration& out) {
  for (const Member& member : configuration.members) {
    pb::Member& to = *out.add_members();
    to.set_id(member.id.value());
    to.set_name(member.name);
    to.set_address(member.address);
  }
  put(configuration.voters, *out.mutable_voters());
  put(configuration.outgoing, *out.mutable_outgoing());
  put(configuration.learners, *out.mutable_learners());
  put(configuration.learners_next, *out.mutable_learners_next());
}

void put(const Options& options, pb::Options& out) {
  out.set_id(options.id.value());
  out.set_seed(options.seed.value());
  out.set_election_ticks_min(options.election_ticks_min);
  out.set_heartbeat_ticks(options.heartbeat_ticks);
  out.set_pre_vote(options.pre_vote);
  out.set_check_quorum(options.check_quorum);
  out.set_priority(static_cast<std::uint32_t>(options.priority));
  out.set_stall_ticks(options.stall_ticks);
  if (options.lease_drift_ppm) out.set_lease_drift_ppm(*options.lease_drift_ppm);
  out.set_incarnation(options.incarnation);
  pb::Limits& limits = *out.mutable_limits();
  limits.set_proposal_bytes_max(options.limits.proposal_bytes_max);
  limits.set_append_bytes_max(options.limits.append_bytes_max);
  limits.set_window_messages(options.limits.window_messages);
  limits.set_window_bytes(options.limits.window_bytes);
  limits.set_uncommitted_bytes_max(options.limits.uncommitted_bytes_max);
  limits.set_reads_max(options.limits.reads_max);
  limits.set_promotion_lag_entries_max(options.limits.promotion_lag_entries_max);
  limits.set_tail_entries(options.limits.tail_entries);
  limits.set_tail_bytes(options.limits.tail_bytes);
}

void append_bytes(const std::vector<std::byte>& bytes, std::string& out) {
  out.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// ---- From protobuf ---------------------------------------------------------------------------------------------

LogId taken(const pb::LogId& in) { return LogId{Term(in.term()), Index(in.index())}; }

template <class Numbers>
std::vector<NodeId> nodes_of(const Numbers& in) {
  std::vector<NodeId> nodes;
  for (const std::uint32_t node : in) nodes.emplace_back(node);
  return nodes;
}

Configuration taken(const pb::Configuration& in) {
  Configuration configuration;
  for (const pb::Member& member : in.members())
    configuration.members.push_back(Member{NodeId(member.id()), member.name(), member.address()});
  configuration.voters = nodes_of(in.voters());
  configuration.outgoing = nodes_of(in.outgoing());
  configuration.learners = nodes_of(in.learners());
  configuration.learners_next = nodes_of(in.learners_next());
  return configuration;
}

/// None: a value that no writer writes.
std::optional<Options> taken(const pb::Options& in) {
  if (in.priority() > static_cast<std::uint32_t>(Priority::high)) return std::nullopt;
  Options options;
  options.id = NodeId(in.id());
  options.seed = Seed(in.seed());
  options.election_ticks_min = in.election_ticks_min();
  options.heartbeat_ticks = in.heartbeat_ticks();
  options.pre_vote = in.pre_vote();
  options.check_quorum = in.check_quorum();
  options.priority = static_cast<Priority>(in.priority());
  options.stall_ticks = in.stall_ticks();
  if (in.has_lease_drift_ppm()) options.lease_drift_ppm = in.lease_drift_ppm();
  options.incarnation = in.incarnation();
  const pb::Limits& limits = in.limits();
  options.limits.proposal_bytes_max = limits.proposal_bytes_max();
  options.limits.append_bytes_max = limits.append_bytes_max();
  options.limits.window_messages = limits.window_messages();
  options.limits.window_bytes = limits.window_bytes();
  options.limits.uncommitted_bytes_max = limits.uncommitted_bytes_max();
  options.limits.reads_max = limits.reads_max();
  options.limits.promotion_lag_entries_max = limits.promotion_lag_entries_max();
  options.limits.tail_entries = limits.tail_entries();
  options.limits.tail_bytes = limits.tail_bytes();
  return options;
}

Bytes bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::optional<Slice> taken_entries(wire::Decoder& decoder, const std::string& bytes) {
  if (bytes.empty()) return Slice();
  auto envelope = decoder.decode(bytes_of(bytes));
  auto* decoded = std::get_if<Envelope>(&envelope);
  auto* append = decoded == nullptr ? nullptr : std::get_if<AppendEntries>(&decoded->message);
  if (append == nullptr) return std::nullopt;
  return std::move(append->entries);
}

std::optional<Input> taken(wire::Decoder& decoder, const pb::Input& in) {
  switch (in.input_case()) {
    case pb::Input::kTick: return Tick{};
    case pb::Input::kReceive: {
      auto envelope = decoder.decode(bytes_of(in.receive()));
      if (auto* decoded = std::get_if<Envelope>(&envelope)) return Receive{std::move(*decoded)};
      return std::nullopt;
    }
    case pb::Input::kPropose: {
      const Bytes payload = bytes_of(in.propose().payload());
      return Propose{in.propose().tag(), std::vector<std::byte>(payload.begin(), payload.end())};
    }
    case pb::Input::kProposeConfiguration: {
      const pb::ProposeConfiguration& propose = in.propose_configuration();
      return ProposeConfiguration{propose.tag(), taken(propose.target()), propose.force()};
    }
    case pb::Input::kRead:
      return Read{in.read().tag(), in.read().lease() ? ReadMode::lease : ReadMode::read_index};
    case pb::Input::kTransfer: return Transfer{in.transfer().tag(), NodeId(in.transfer().target())};
    case pb::Input::kCampaign: return Campaign{};
    case pb::Input::kWritten: return Written{WriteSeq(in.written())};
    case pb::Input::kWriteFailed: return WriteFailed{WriteSeq(in.write_failed())};
    case pb::Input::kFetched: {
      auto entries = taken_entries(decoder, in.fetched().entries());
      if (!entries) return std::nullopt;
      return Fetched{in.fetched().fetch(), std::move(*entries)};
    }
    case pb::Input::kApplied: return Applied{Index(in.applied())};
    case pb::Input::kSnapshotTaken: return SnapshotTaken{taken(in.snapshot_taken())};
    case pb::Input::kChunkStored: {
      const pb::ChunkStored& stored = in.chunk_stored();
      return ChunkStored{NodeId(stored.from()), taken(stored.last()), stored.received()};
    }
    case pb::Input::kSnapshotStored:
      return SnapshotStored{taken(in.snapshot_stored().last()), taken(in.snapshot_stored().configuration())};
    case pb::Input::kSnapshotRestored: return SnapshotRestored{taken(in.snapshot_restored())};
    case pb::Input::kSnapshotFailed: return SnapshotFailed{taken(in.snapshot_failed())};
    case pb::Input::kUnreachable: return Unreachable{NodeId(in.unreachable())};
    case pb::Input::INPUT_NOT_SET: break;
  }
  return std::nullopt;
}

}  // namespace

// ---- Writing ---------------------------------------------------------------------------------------------------

struct RecordWriter::State {
  pb::Record record;
  wire::Encoder encoder;
  std::vector<std::byte> scratch;
  std::uint64_t chain = 0;

  void put(const Envelope& envelope, std::string& out) {
    scratch.clear();
    encoder.encode(envelope, scratch);
    append_bytes(scratch, out);
  }
  void put(const Slice& entries, std::string& out) {
    AppendEntries append;
    append.prev.index = entries.first_index().previous();
    append.entries = entries;
    put(Envelope{NodeId(1), NodeId(1), Term{}, std::move(append)}, out);
  }
  void put(const Recovered& recovered, pb::Recovered& out);

  // One for each kind of input.
  void put(const Tick&, pb::Input& out) { out.mutable_tick(); }
  void put(const Receive& receive, pb::Input& out) { put(receive.envelope, *out.mutable_receive()); }
  void put(const Propose& propose, pb::Input& out) {
    out.mutable_propose()->set_tag(propose.tag);
    append_bytes(propose.payload, *out.mutable_propose()->mutable_payload());
  }
  void put(const ProposeConfiguration& propose, pb::Input& out) {
    pb::ProposeConfiguration& to = *out.mutable_propose_configuration();
    to.set_tag(propose.tag);
    trace::put(propose.target, *to.mutable_target());
    to.set_force(propose.force);
  }
  void put(const Read& read, pb::Input& out) {
    out.mutable_read()->set_tag(read.tag);
    out.mutable_read()->set_lease(read.mode == ReadMode::lease);
  }
  void put(const Transfer& transfer, pb::Input& out) {
    out.mutable_transfer()->set_tag(transfer.tag);
    out.mutable_transfer()->set_target(transfer.target.value());
  }
  void put(const Campaign&, pb::Input& out) { out.mutable_campaign(); }
  void put(const Written& written, pb::Input& out) { out.set_written(written.seq.value()); }
  void put(const WriteFailed& failed, pb::Input& out) { out.set_write_failed(failed.seq.value()); }
  void put(const Fetched& fetched, pb::Input& out) {
    out.mutable_fetched()->set_fetch(fetched.fetch);
    if (!fetched.entries.empty()) put(fetched.entries, *out.mutable_fetched()->mutable_entries());
  }
  void put(const Applied& applied, pb::Input& out) { out.set_applied(applied.index.value()); }
  void put(const SnapshotTaken& taken, pb::Input& out) {
    trace::put(taken.last, *out.mutable_snapshot_taken());
  }
  void put(const ChunkStored& stored, pb::Input& out) {
    out.mutable_chunk_stored()->set_from(stored.from.value());
    trace::put(stored.last, *out.mutable_chunk_stored()->mutable_last());
    out.mutable_chunk_stored()->set_received(stored.received);
  }
  void put(const SnapshotStored& stored, pb::Input& out) {
    trace::put(stored.last, *out.mutable_snapshot_stored()->mutable_last());
    trace::put(stored.configuration, *out.mutable_snapshot_stored()->mutable_configuration());
  }
  void put(const SnapshotRestored& restored, pb::Input& out) {
    trace::put(restored.last, *out.mutable_snapshot_restored());
  }
  void put(const SnapshotFailed& failed, pb::Input& out) {
    trace::put(failed.last, *out.mutable_snapshot_failed());
  }
  void put(const Unreachable& unreachable, pb::Input& out) { out.set_unreachable(unreachable.peer.value()); }

  void frame(std::vector<std::byte>& out) {
    const std::size_t size = record.ByteSizeLong();
    RAFTLAB_ASSERT(size <= record_bytes_limit, size);
    const std::size_t at = out.size();
    out.resize(at + frame_bytes + size);
    record.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data() + at + frame_bytes));
    put_number(static_cast<std::uint32_t>(size), out.data() + at);
    put_number(length_check(chain, static_cast<std::uint32_t>(size)), out.data() + at + 4);
    chain = hash_bytes(chain, Bytes(out.data() + at + frame_bytes, size));
    put_number(chain, out.data() + at + 8);
  }
};

void RecordWriter::State::put(const Recovered& recovered, pb::Recovered& out) {
  out.set_term(recovered.hard.term.value());
  out.set_voted_for(recovered.hard.voted_for.value());
  trace::put(recovered.snapshot, *out.mutable_snapshot());
  if (recovered.snapshot_configuration)
    trace::put(*recovered.snapshot_configuration, *out.mutable_snapshot_configuration());
  trace::put(recovered.base, *out.mutable_base());
  for (const Slice& slice : recovered.entries) {
    // A decoder takes no more entries together than a block holds.
    for (Index first = slice.first_index(); !slice.empty() && first <= slice.last_index();) {
      const Index last = std::min(slice.last_index(), first.plus(block_entries_max - 1));
      put(slice.sub(first, last), *out.add_entries());
      first = last.next();
    }
  }
  out.set_durable(recovered.durable.value());
}

RecordWriter::RecordWriter() : state_(std::make_unique<State>()) {}
RecordWriter::RecordWriter(RecordWriter&&) noexcept = default;
RecordWriter& RecordWriter::operator=(RecordWriter&&) noexcept = default;
RecordWriter::~RecordWriter() = default;

void RecordWriter::start(const StartRecord& start, std::vector<std::byte>& out) {
  const Bytes head = std::as_bytes(std::span(magic));
  out.insert(out.end(), head.begin(), head.end());
  pb::Start& to = *state_->record.mutable_start();
  to.set_cluster(start.cluster);
  to.set_time_ns(start.time_ns);
  to.set_previous(start.previous);
  put(start.options, *to.mutable_options());
  state_->put(start.recovered, *to.mutable_recovered());
  state_->frame(out);
  state_->record.Clear();
}

void RecordWriter::step(const StepHead& head, std::span<const Input> inputs, std::vector<std::byte>& out) {
  pb::Step& to = *state_->record.mutable_step();
  to.Clear();
  to.set_time_ns(head.time_ns);
  to.set_fingerprint(head.fingerprint);
  to.set_applied(head.applied.value());
  to.set_store_digest(head.store_digest);
  for (const Input& input : inputs)
    std::visit([&](const auto& kind) { state_->put(kind, *to.add_inputs()); }, input);
  state_->frame(out);
}

// ---- Reading ---------------------------------------------------------------------------------------------------

struct RecordReader::State {
  Bytes file;
  std::size_t offset = 0;
  std::uint64_t chain = 0;
  pb::Record record;
  wire::Decoder decoder;
  std::optional<RecordError> error;

  using Framed = std::variant<std::monostate, EndOfRecords, RecordError>;

  RecordError fail(std::uint64_t at, std::string what) {
    error = RecordError{at, std::move(what)};
    return *error;
  }

  /// The next record, parsed.
  Framed next() {
    if (error) return *error;
    const Bytes rest = file.subspan(offset);
    if (rest.size() < frame_bytes) return EndOfRecords{!rest.empty()};
    const auto length = static_cast<std::uint32_t>(little_endian<std::uint32_t>(rest.data()));
    if (little_endian<std::uint32_t>(rest.data() + 4) != length_check(chain, length) ||
        length > record_bytes_limit)
      return fail(offset, "the length of a record is damaged");
    if (rest.size() - frame_bytes < length) return EndOfRecords{true};
    const Bytes payload = rest.subspan(frame_bytes, length);
    const std::uint64_t hash = hash_bytes(chain, payload);
    if (little_endian<std::uint64_t>(rest.data() + 8) != hash) return fail(offset, "a record is damaged");
    if (!record.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
      return fail(offset, "a record is no protobuf");
    chain = hash;
    offset += frame_bytes + length;
    return std::monostate{};
  }

  std::optional<Recovered> taken_recovered(const pb::Recovered& in) {
    Recovered recovered;
    recovered.hard = HardState{Term(in.term()), NodeId(in.voted_for())};
    recovered.snapshot = taken(in.snapshot());
    if (in.has_snapshot_configuration())
      recovered.snapshot_configuration = taken(in.snapshot_configuration());
    recovered.base = taken(in.base());
    for (const std::string& bytes : in.entries()) {
      auto entries = taken_entries(decoder, bytes);
      if (!entries) return std::nullopt;
      recovered.entries.push_back(std::move(*entries));
    }
    recovered.durable = Index(in.durable());
    return recovered;
  }
};

RecordReader::RecordReader(Bytes file) : state_(std::make_unique<State>()) { state_->file = file; }
RecordReader::RecordReader(RecordReader&&) noexcept = default;
RecordReader& RecordReader::operator=(RecordReader&&) noexcept = default;
RecordReader::~RecordReader() = default;

std::variant<StartRecord, EndOfRecords, RecordError> RecordReader::start() {
  State& state = *state_;
  const Bytes head = std::as_bytes(std::span(magic));
  const std::size_t there = std::min(head.size(), state.file.size());
  if (!std::equal(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(std::min(there, head.size() - 1)),
                  state.file.begin()))
    return state.fail(0, "this is no trace of a node");
  if (there < head.size()) return EndOfRecords{there != 0};
  if (state.file[head.size() - 1] != head.back()) {
    return state.fail(head.size() - 1,
                      "version " + std::to_string(std::to_integer<unsigned>(state.file[head.size() - 1])) +
                          ", and this program reads version " + std::to_string(record_version));
  }
  state.offset = head.size();
  const std::size_t at = state.offset;
  const State::Framed framed = state.next();
  if (const auto* end = std::get_if<EndOfRecords>(&framed)) return EndOfRecords{end->torn || at != 0};
  if (const auto* error = std::get_if<RecordError>(&framed)) return *error;
  if (!state.record.has_start()) return state.fail(at, "the first record is not that of a start");
  const pb::Start& in = state.record.start();
  const auto options = taken(in.options());
  auto recovered = state.taken_recovered(in.recovered());
  if (!options || !recovered) return state.fail(at, "the record of the start holds what no node writes");
  return StartRecord{in.cluster(), in.time_ns(), in.previous(), *options, std::move(*recovered)};
}

std::variant<std::monostate, EndOfRecords, RecordError> RecordReader::next(StepRecord& step) {
  State& state = *state_;
  const std::size_t at = state.offset;
  State::Framed framed = state.next();
  if (!std::holds_alternative<std::monostate>(framed)) return framed;
  if (!state.record.has_step()) return state.fail(at, "a record behind the first one is not that of a step");
  const pb::Step& in = state.record.step();
  step.time_ns = in.time_ns();
  step.fingerprint = in.fingerprint();
  step.applied = Index(in.applied());
  step.store_digest = in.store_digest();
  step.inputs.clear();
  for (const pb::Input& input : in.inputs()) {
    auto one = taken(state.decoder, input);
    if (!one) return state.fail(at, "the record of a step holds an input that no node writes");
    step.inputs.push_back(std::move(*one));
  }
  return std::monostate{};
}

}  // namespace raftlab::raft::trace
