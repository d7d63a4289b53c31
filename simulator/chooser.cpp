#include "simulator/chooser.hpp"

#include <algorithm>

namespace raftlab::simulator {
namespace {

/// The upper half of a 64 x 64 bit product: maps a hash evenly to [0, range).
std::uint64_t scale(std::uint64_t hash, std::uint64_t range) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(hash) * range) >> 64U);
}

}  // namespace

std::uint64_t RandomChooser::choose(Key key, std::uint64_t range) {
  return range <= 1 ? 0 : scale(raft::mix(raft::combine(seed_, key.hash()), 0x2d35'8dcc'aa6c'78a5ULL), range);
}

bool RandomChooser::happens(Key key, std::uint32_t per_million) {
  return per_million != 0 && choose(key, million) < per_million;
}

std::uint64_t RecordingChooser::choose(Key key, std::uint64_t range) {
  const std::uint64_t value = source_->choose(key, range);
  if (value != 0) decisions_.push_back(Decision{key.hash(), value});
  return value;
}

bool RecordingChooser::happens(Key key, std::uint32_t per_million) {
  const bool value = source_->happens(key, per_million);
  if (value) decisions_.push_back(Decision{key.hash(), 1});
  return value;
}

std::uint64_t ReplayChooser::choose(Key key, std::uint64_t range) {
  const auto found = values_.find(key.hash());
  return found == values_.end() ? 0 : std::min(found->second, range - 1);
}

bool ReplayChooser::happens(Key key, std::uint32_t /*per_million*/) { return values_.contains(key.hash()); }

}  // namespace raftlab::simulator
