#include "simulator/network.hpp"

#include "raft/assert.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::simulator {

using raft::Envelope;

Network::Network(const Profile& profile, Chooser& chooser, EventQueue& queue, FaultCounts& fired)
    : profile_(&profile),
      chooser_(&chooser),
      queue_(&queue),
      fired_(&fired),
      attempts_((profile.nodes + 1) * (profile.nodes + 1) * raft::message_kinds * memory) {}

/// Source, destination, kind, term and the index that the message is about.
std::uint64_t Network::meaning(const Envelope& envelope) {
  std::uint64_t index = 0;
  if (const auto* append = std::get_if<raft::AppendEntries>(&envelope.message)) {
    index = append->prev.index.value() * 2 + (append->entries.empty() ? 0 : 1);
  } else if (const auto* reply = std::get_if<raft::AppendReply>(&envelope.message)) {
    index = reply->match.value();
  } else if (const auto* reject = std::get_if<raft::AppendReject>(&envelope.message)) {
    index = reject->rejected_prev.value();
  } else if (const auto* vote = std::get_if<raft::RequestVote>(&envelope.message)) {
    index = vote->pre ? 1 : 0;
  } else if (const auto* answer = std::get_if<raft::VoteReply>(&envelope.message)) {
    index = (answer->pre ? 1U : 0U) + (answer->granted ? 2U : 0U);
  }
  return subject(envelope.from, envelope.to, std::uint64_t{envelope.message.index()}, envelope.term, index);
}

std::uint64_t Network::about(const Envelope& envelope) {
  const std::uint64_t what = meaning(envelope);
  const std::size_t link = envelope.from.value() * (profile_->nodes + 1) + envelope.to.value();
  Attempts& attempts =
      attempts_[(link * raft::message_kinds + envelope.message.index()) * memory + what % memory];
  if (attempts.meaning != what) attempts = Attempts{what, 0};
  return raft::combine(what, attempts.count++);
}

void Network::send(Envelope&& envelope, Time now) {
  if (is_cut(envelope.from, envelope.to)) {
    ++stopped_;
    return;
  }
  const std::uint64_t subject = about(envelope);
  Time delay =
      chooser_->between(Key{Choice::message_delay, subject}, profile_->delay_ns_min, profile_->delay_ns_max);
  if (!calm_) {
    if (chooser_->happens(Key{Choice::message_loss, subject}, profile_->rate(Fault::message_loss))) {
      count(Fault::message_loss);
      return;
    }
    if (chooser_->happens(Key{Choice::message_duplicate, subject},
                          profile_->rate(Fault::message_duplicate))) {
      count(Fault::message_duplicate);
      const Time again = chooser_->between(Key{Choice::duplicate_delay, subject}, profile_->delay_ns_min,
                                           profile_->late_ns_max);
      schedule(Envelope(envelope), now + again, raft::combine(subject, 1));
    }
    if (chooser_->happens(Key{Choice::message_late, subject}, profile_->rate(Fault::message_late))) {
      count(Fault::message_late);
      delay = chooser_->between(Key{Choice::message_late_delay, subject}, profile_->delay_ns_max,
                                profile_->late_ns_max);
    }
  }
  if (profile_->codec_ppm != 0 &&
      chooser_->happens(Key{Choice::message_codec, subject}, profile_->codec_ppm)) {
    through_codec(envelope);
  }
  schedule(std::move(envelope), now + delay, subject);
}

/// What comes out of the codec must be what went in; from here on it travels as real nodes would have received it.
void Network::through_codec(Envelope& envelope) {
  frame_.clear();
  encoder_.encode(envelope, frame_);
  auto decoded = decoder_.decode(frame_);
  RAFTLAB_ASSERT(std::holds_alternative<Envelope>(decoded), raft::name(envelope.message));
  RAFTLAB_ASSERT(std::get<Envelope>(decoded) == envelope, raft::name(envelope.message));
  envelope = std::move(std::get<Envelope>(decoded));
}

void Network::schedule(Envelope&& envelope, Time at, std::uint64_t about) {
  Event event;
  event.time = at;
  event.kind = EventKind::deliver;
  event.node = envelope.to.value();
  event.slot = in_flight_.put(std::move(envelope));
  event.extra = about;
  queue_->push(event);
}

Envelope* Network::arrive(std::uint32_t slot) {
  Envelope& envelope = in_flight_[slot];
  in_flight_.release(slot);
  if (is_cut(envelope.from, envelope.to)) {
    ++stopped_;
    return nullptr;
  }
  ++delivered_;
  return &envelope;
}

}  // namespace raftlab::simulator
