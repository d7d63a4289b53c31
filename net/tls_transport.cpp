#include "net/tls_transport.hpp"

#include "net/dialer.hpp"
#include "net/forward.hpp"
#include "net/listener.hpp"
#include "net/receiver.hpp"
#include "net/transport_state.hpp"
#include "raft/assert.hpp"

#include <utility>

namespace raftlab::net {

TlsTransport::TlsTransport(std::shared_ptr<TransportState> state) : state_(std::move(state)) {}
TlsTransport::~TlsTransport() { stop(); }

std::variant<std::unique_ptr<TlsTransport>, TlsError> TlsTransport::make(boost::asio::io_context& io,
                                                                         TlsTransportOptions options) {
  RAFTLAB_ASSERT(options.self.cluster && options.self.node && options.random);
  auto contexts = TlsContexts::load(options.files, options.self);
  if (auto* error = std::get_if<TlsError>(&contexts)) return std::move(*error);
  auto state = std::make_shared<TransportState>(
      io, std::move(options), std::move(std::get<std::shared_ptr<const TlsContexts>>(contexts)));
  return std::unique_ptr<TlsTransport>(new TlsTransport(std::move(state)));
}

void TlsTransport::start(Handlers handlers) {
  RAFTLAB_ASSERT(!state_->listener && !state_->stopped);
  state_->listener = std::make_shared<Listener>(state_);
  state_->handlers = std::move(handlers);
  state_->listener->start();
}

void TlsTransport::send(raft::Envelope&& envelope) {
  RAFTLAB_ASSERT(envelope.from == state_->options.self.node);
  const raft::NodeId to = envelope.to;
  send_to(to, std::move(envelope));
}

void TlsTransport::send(raft::NodeId to, const kv::Request& request) {
  send_to(to, FrameKind::request, encode(request));
}

void TlsTransport::send(raft::NodeId to, const kv::Answer& answer) {
  send_to(to, FrameKind::answer, encode(answer));
}

template <class... What>
void TlsTransport::send_to(raft::NodeId to, What&&... what) {
  const auto dialer = state_->dialers.find(to);
  if (dialer == state_->dialers.end()) return state_->drop(Drop::no_peer);
  dialer->second->send(std::forward<What>(what)...);
}

void TlsTransport::set_members(const std::vector<raft::Member>& members) {
  RAFTLAB_ASSERT(state_->listener && !state_->stopped);
  state_->members.clear();
  for (const raft::Member& member : members)
    if (member.id != state_->options.self.node) state_->members.emplace(member.id, member);

  std::erase_if(state_->dialers, [&](const auto& entry) {
    const auto member = state_->members.find(entry.first);
    const bool gone = member == state_->members.end();
    const bool stays = !gone && member->second.address == entry.second->peer().address;
    if (!stays) entry.second->stop(gone ? Reason::not_member : Reason::stopped);
    return !stays;
  });
  for (const auto& [node, receiver] : state_->receivers)
    if (!state_->members.contains(node)) receiver->end(Reason::not_member);
  for (const auto& [node, member] : state_->members) {
    auto& dialer = state_->dialers[node];
    if (dialer) continue;
    dialer = std::make_shared<Dialer>(state_, member);
    dialer->start();
  }
}

void TlsTransport::stop() {
  if (std::exchange(state_->stopped, true)) return;
  for (const auto& [node, dialer] : std::exchange(state_->dialers, {})) dialer->stop(Reason::stopped);
  for (const auto& [node, receiver] : std::exchange(state_->receivers, {})) receiver->end(Reason::stopped);
  state_->members.clear();
  if (const auto listener = std::exchange(state_->listener, nullptr)) listener->stop();
}

std::optional<TlsError> TlsTransport::reload() {
  auto contexts = TlsContexts::load(state_->options.files, state_->options.self);
  if (auto* error = std::get_if<TlsError>(&contexts)) {
    ++state_->counters.reload_failures;
    state_->event(raft::NodeId(), "", Reason::reload_failed,
                  std::string(name(error->kind)) + ": " + error->detail);
    return std::move(*error);
  }
  state_->tls = std::move(std::get<std::shared_ptr<const TlsContexts>>(contexts));
  ++state_->counters.reloads;
  state_->event(raft::NodeId(), "", Reason::reloaded, "");
  for (const auto& [node, dialer] : state_->dialers) dialer->verify_again(*state_->tls);
  for (const auto& [node, receiver] : state_->receivers) receiver->verify_again(*state_->tls);
  return std::nullopt;
}

std::uint16_t TlsTransport::port() const { return state_->listener ? state_->listener->port() : 0; }
Counters TlsTransport::counters() const { return state_->counters; }
std::vector<PeerQueue> TlsTransport::queues() const {
  std::vector<PeerQueue> queues;
  for (const auto& [node, dialer] : state_->dialers)
    queues.push_back(PeerQueue{node, dialer->queue().messages(), dialer->queue().bytes()});
  return queues;
}
std::shared_ptr<const TlsContexts> TlsTransport::contexts() const { return state_->tls; }

}  // namespace raftlab::net
