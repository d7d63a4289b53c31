#pragma once

#include "raft/messages.hpp"
#include "raft/wire/codec.hpp"
#include "simulator/chooser.hpp"
#include "simulator/event_queue.hpp"
#include "simulator/faults.hpp"
#include "simulator/profile.hpp"
#include "simulator/slab.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace raftlab::simulator {

/// What may go wrong between nodes: loss, duplicates, delay, reordering, cuts in one or both directions. Each message that
/// is sent becomes a delivery in the queue, or none, or two.
class Network {
 public:
  Network(const Profile& profile, Chooser& chooser, EventQueue& queue, FaultCounts& fired);

  void send(raft::Envelope&& envelope, Time now);
  /// Takes the message of a delivery out: valid until the next one is sent, and to be moved from. Null when a cut has come
  /// between: it is lost.
  [[nodiscard]] raft::Envelope* arrive(std::uint32_t slot);

  /// Cuts one direction. Cuts of different faults add up.
  void cut(NodeId from, NodeId to) { ++cuts_[from.value()][to.value()]; }
  void mend(NodeId from, NodeId to) { --cuts_[from.value()][to.value()]; }
  [[nodiscard]] bool is_cut(NodeId from, NodeId to) const { return cuts_[from.value()][to.value()] != 0; }

  /// No more loss, duplicates and late messages.
  void calm_down() { calm_ = true; }

  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
  /// Messages that a cut stopped.
  [[nodiscard]] std::uint64_t stopped() const { return stopped_; }
  /// The identity of the next input of the same meaning, for decisions about it.
  [[nodiscard]] static std::uint64_t meaning(const raft::Envelope& envelope);

 private:
  static constexpr std::size_t nodes_max = 65;
  /// Remembered meanings of each kind of message on a link.
  static constexpr std::size_t memory = 16;

  struct Attempts {
    std::uint64_t meaning = 0;
    std::uint64_t count = 0;
  };

  [[nodiscard]] std::uint64_t about(const raft::Envelope& envelope);
  void schedule(raft::Envelope&& envelope, Time at, std::uint64_t about);
  void through_codec(raft::Envelope& envelope);
  void count(Fault fault) { ++fired_->at(static_cast<std::size_t>(fault)); }

  const Profile* profile_;
  Chooser* chooser_;
  EventQueue* queue_;
  FaultCounts* fired_;
  std::array<std::array<std::uint16_t, nodes_max>, nodes_max> cuts_{};
  Slab<raft::Envelope> in_flight_;
  /// How often a message of this meaning was sent on its link, as far as remembered: forgetting makes two decisions share a
  /// key, hence an answer. Each kind has a memory of its own, because a probe that is repeated between heartbeats and was
  /// forgotten each time would be lost each time.
  std::vector<Attempts> attempts_;
  raft::wire::Encoder encoder_;
  raft::wire::Decoder decoder_;
  std::vector<std::byte> frame_;
  bool calm_ = false;
  std::uint64_t delivered_ = 0;
  std::uint64_t stopped_ = 0;
};

}  // namespace raftlab::simulator
