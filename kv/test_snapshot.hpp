#pragma once

#include "kv/snapshot.hpp"
#include "kv/store.hpp"
#include "raft/hash.hpp"

#include <span>
#include <vector>

/// Snapshots for the tests: taken in one go, and forged.
namespace raftlab::kv::test {

using Bytes = std::vector<std::byte>;

/// What is left of the snapshot that is being taken, in pieces of this size.
inline Bytes rest_of_snapshot(Store& store, std::size_t piece = 64) {
  Bytes bytes;
  while (!store.write_snapshot(piece, bytes)) {
  }
  return bytes;
}
inline Bytes snapshot_of(Store& store, std::size_t piece = 64) {
  store.begin_snapshot();
  return rest_of_snapshot(store, piece);
}

/// A snapshot with any content, and with the digest that belongs to it: what only the digest would refuse
/// passes. It computes the digest as kv/store.cpp does, since its value is part of the contract.
struct Forged {
  raft::Index applied;
  std::vector<Session> sessions;
  std::vector<KeyView> keys;

  [[nodiscard]] std::uint64_t digest() const {
    std::uint64_t of_keys = 0;
    for (const KeyView& key : keys) of_keys += hash(hash(0x6b65790000000001ULL, key.key), key.value);
    std::uint64_t of_sessions = 0;
    for (const Session& session : sessions) {
      const std::uint64_t effect = static_cast<std::uint64_t>(session.effect);
      of_sessions += raft::Hasher(0x7365737300000002ULL)
                         .add(session.client, session.sequence)
                         .add(session.index, session.used)
                         .add(effect << 1U | (session.found ? 1U : 0U),
                              session.found ? hash(0x666f756e64000003ULL, *session.found) : 0)
                         .add(session.change)
                         .value();
    }
    return raft::Hasher(0x73746f7265000004ULL).add(of_keys, of_sessions).add(applied).value();
  }
  [[nodiscard]] Bytes bytes() const {
    Bytes out;
    encode(SnapshotHead{applied, digest(), sessions.size(), keys.size()}, out);
    for (const Session& session : sessions) encode(session, out);
    for (const KeyView& key : keys) encode(key, out);
    return out;
  }

 private:
  [[nodiscard]] static std::uint64_t hash(std::uint64_t start, std::string_view text) {
    return raft::hash_bytes(start, std::as_bytes(std::span(text.data(), text.size())));
  }
};

}  // namespace raftlab::kv::test
