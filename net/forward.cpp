#include "net/forward.hpp"

#include "net/forward.pb.h"
#include "net/protobuf.hpp"

#include <span>
#include <string>
#include <utility>
#include <variant>

namespace raftlab::net {
namespace {

constexpr auto status_last = kv::Status::timed_out;
constexpr auto error_last = kv::CommandError::sequence_reused;

raft::Bytes bytes_in(const std::string& text) { return std::as_bytes(std::span(text)); }

}  // namespace

std::vector<std::byte> encode(const kv::Request& request) {
  std::vector<std::byte> command;
  kv::encode(std::get<kv::Command>(request.what), command);
  pb::ForwardedRequest message;
  message.set_tag(request.tag);
  message.set_deadline_ticks(request.deadline_ticks);
  message.set_command(command.data(), command.size());
  return bytes_of(message);
}

std::vector<std::byte> encode(const kv::Answer& answer) {
  pb::ForwardedAnswer message;
  message.set_tag(answer.tag);
  message.set_status(static_cast<std::uint32_t>(answer.status));
  message.set_duplicate(answer.duplicate);
  if (answer.found) message.set_found(*answer.found);
  message.set_index(answer.index.value());
  message.set_client(answer.client.value());
  message.set_leader(answer.leader.value());
  message.set_error(static_cast<std::uint32_t>(answer.error));
  return bytes_of(message);
}

std::optional<kv::Request> decode_request(raft::Bytes bytes) {
  pb::ForwardedRequest message;
  if (!parse(bytes, message) || message.deadline_ticks() == 0) return std::nullopt;
  std::optional<kv::Command> command = kv::decode(bytes_in(message.command()));
  if (!command) return std::nullopt;
  return kv::Request{message.tag(), message.deadline_ticks(), std::move(*command)};
}

std::optional<kv::Answer> decode_answer(raft::Bytes bytes) {
  pb::ForwardedAnswer message;
  if (!parse(bytes, message) || message.status() > static_cast<std::uint32_t>(status_last) ||
      message.error() > static_cast<std::uint32_t>(error_last)) {
    return std::nullopt;
  }
  kv::Answer answer;
  answer.tag = message.tag();
  answer.status = static_cast<kv::Status>(message.status());
  answer.duplicate = message.duplicate();
  if (message.has_found()) answer.found = message.found();
  answer.index = raft::Index(message.index());
  answer.client = kv::ClientId(message.client());
  answer.leader = raft::NodeId(message.leader());
  answer.error = static_cast<kv::CommandError>(message.error());
  return answer;
}

}  // namespace raftlab::net
