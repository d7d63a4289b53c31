#include "kv/snapshot.hpp"

#include "raft/assert.hpp"

#include <limits>

namespace raftlab::kv {

namespace {

/// kv/snapshot.proto
enum class Field : std::uint8_t {
  snapshot_head = 0x0a,
  snapshot_session = 0x12,
  snapshot_key = 0x1a,
  head_version = 0x08,
  head_applied = 0x10,
  head_digest = 0x19,
  head_sessions = 0x20,
  head_keys = 0x28,
  session_client = 0x08,
  session_used = 0x10,
  session_sequence = 0x18,
  session_index = 0x20,
  session_compare_failed = 0x28,
  session_found = 0x32,
  session_change = 0x39,
  key_key = 0x0a,
  key_value = 0x12,
};

/// Appends a field with a message of this size.
template <class Write>
void append(Field name, std::size_t body, std::vector<std::byte>& out, const Write& write) {
  const std::size_t start = out.size();
  out.resize(start + field_size(body));
  FieldWriter writer(out.data() + start);
  writer.field(name);
  writer.varint(body);
  write(writer);
  RAFTLAB_ASSERT(writer.at() == out.data() + out.size(), start, out.size());
}

/// The message of the field that must come next, read by itself.
template <class Read>
[[nodiscard]] bool take(FieldReader& in, Field name, const Read& read) {
  if (!in.take(name)) return false;
  FieldReader message(in.bytes(std::numeric_limits<std::size_t>::max()));
  if (in.failed()) return false;
  read(message);
  return message.at_end() && !message.failed();
}

}  // namespace

std::optional<std::uint64_t> version_of(raft::Bytes snapshot) {
  FieldReader in(snapshot);
  if (!in.take(Field::snapshot_head)) return std::nullopt;
  FieldReader head(in.bytes(std::numeric_limits<std::size_t>::max()));
  const std::uint64_t version = head.number(Field::head_version);
  if (in.failed() || head.failed() || version == 0) return std::nullopt;
  return version;
}

void encode(const SnapshotHead& head, std::vector<std::byte>& out) {
  const std::size_t body = default_or_number_size(snapshot_version) +
                           default_or_number_size(head.applied.value()) +
                           (head.digest != 0 ? 1 + sizeof(head.digest) : 0) +
                           default_or_number_size(head.sessions) + default_or_number_size(head.keys);
  append(Field::snapshot_head, body, out, [&](FieldWriter& writer) {
    writer.number(Field::head_version, snapshot_version);
    writer.number(Field::head_applied, head.applied.value());
    writer.fixed64(Field::head_digest, head.digest);
    writer.number(Field::head_sessions, head.sessions);
    writer.number(Field::head_keys, head.keys);
  });
}

void encode(const Session& session, std::vector<std::byte>& out) {
  const bool failed = session.effect == Effect::compare_failed;
  RAFTLAB_ASSERT(failed || session.effect == Effect::done, session.client);
  const std::size_t body =
      default_or_number_size(session.client.value()) + default_or_number_size(session.used.value()) +
      default_or_number_size(session.sequence.value()) + default_or_number_size(session.index.value()) +
      default_or_number_size(failed ? 1 : 0) + (session.found ? field_size(session.found->size()) : 0) +
      (session.change != 0 ? 1 + sizeof(session.change) : 0);
  append(Field::snapshot_session, body, out, [&](FieldWriter& writer) {
    writer.number(Field::session_client, session.client.value());
    writer.number(Field::session_used, session.used.value());
    writer.number(Field::session_sequence, session.sequence.value());
    writer.number(Field::session_index, session.index.value());
    writer.number(Field::session_compare_failed, failed ? 1 : 0);
    if (session.found) writer.bytes(Field::session_found, *session.found);
    writer.fixed64(Field::session_change, session.change);
  });
}

void encode(const KeyView& key, std::vector<std::byte>& out) {
  append(Field::snapshot_key, field_size(key.key.size()) + default_or_field_size(key.value), out,
         [&](FieldWriter& writer) {
           writer.bytes(Field::key_key, key.key);
           writer.bytes_unless_empty(Field::key_value, key.value);
         });
}

bool SnapshotReader::read(SnapshotHead& head) {
  return take(in_, Field::snapshot_head, [&](FieldReader& in) {
    if (in.number(Field::head_version) != snapshot_version) return in.fail();
    head.applied = raft::Index(in.number(Field::head_applied));
    head.digest = in.fixed64(Field::head_digest);
    head.sessions = in.number(Field::head_sessions);
    head.keys = in.number(Field::head_keys);
  });
}

bool SnapshotReader::read(Session& session) {
  return take(in_, Field::snapshot_session, [&](FieldReader& in) {
    session.client = ClientId(in.number(Field::session_client));
    session.used = raft::Index(in.number(Field::session_used));
    session.sequence = Sequence(in.number(Field::session_sequence));
    session.index = raft::Index(in.number(Field::session_index));
    const std::uint64_t failed = in.number(Field::session_compare_failed);
    session.effect = failed == 0 ? Effect::done : Effect::compare_failed;
    session.found = in.optional_text(Field::session_found, value_bytes_max);
    session.change = in.fixed64(Field::session_change);
    if (!session.client || !session.used || failed > 1) in.fail();
  });
}

bool SnapshotReader::read(KeyView& key) {
  return take(in_, Field::snapshot_key, [&](FieldReader& in) {
    key.key = in.key(Field::key_key);
    key.value = in.text(Field::key_value, value_bytes_max);
  });
}

}  // namespace raftlab::kv
