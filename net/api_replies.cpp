#include "net/api_replies.hpp"

#include "net/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <utility>

namespace raftlab::net {

using kv::Status;
namespace json = boost::json;

namespace {

ApiReply reply(unsigned status, const json::object& body) {
  return ApiReply{status, json::serialize(body) + "\n", {}};
}

/// As text when JSON can hold it; otherwise as base64, and `encoding_field` says so.
void put_bytes(json::object& object, const char* field, const char* encoding_field,
               const std::string& bytes) {
  if (is_utf8(bytes)) {
    object[field] = bytes;
    return;
  }
  object[field] = to_base64(bytes);
  object[encoding_field] = "base64";
}

json::object pair(const std::string& key, const std::optional<std::string>& value) {
  json::object object;
  put_bytes(object, "key", "key_encoding", key);
  if (value) {
    put_bytes(object, "value", "encoding", *value);
  } else {
    object["value"] = nullptr;
  }
  return object;
}

ApiReply done(const kv::Answer& answer, Answers shape, const std::vector<std::string>& keys) {
  json::object body;
  switch (shape) {
    case Answers::write:
      body["index"] = answer.index.value();
      body["duplicate"] = answer.duplicate;
      return reply(200, body);
    case Answers::session: body["client_id"] = answer.client.value(); return reply(201, body);
    case Answers::one_key:
      if (!answer.values.at(0)) return error_reply(404, "not_found", "the key does not exist");
      body = pair(keys.at(0), answer.values[0]);
      body["index"] = answer.index.value();
      return reply(200, body);
    case Answers::keys: {
      json::array& values = body["values"].emplace_array();
      for (std::size_t i = 0; i < keys.size(); ++i) values.push_back(pair(keys[i], answer.values.at(i)));
      body["index"] = answer.index.value();
      return reply(200, body);
    }
  }
  return error_reply(500, "internal", "an answer of no shape");
}

ApiReply later(ApiReply error) {
  error.headers.emplace_back("Retry-After", "1");
  return error;
}

ApiReply not_leader(const kv::Answer& answer, const std::optional<std::string>& leader) {
  if (!leader)
    return later(error_reply(503, "no_leader", "this node does not lead, and knows nobody who does"));
  json::object body;
  body["error"] = "not_leader";
  body["message"] = "node " + std::to_string(answer.leader.value()) + " leads";
  body["leader"] = answer.leader.value();
  ApiReply moved = reply(307, body);
  moved.headers.emplace_back("Location", *leader);
  return moved;
}

/// Of a command that the store does not take.
ApiReply bad_request(kv::CommandError error) {
  using kv::CommandError;
  if (error == CommandError::sequence_reused)
    return error_reply(409, "sequence_reused",
                       "the session had another command under this number; not applied");
  const bool large = error == CommandError::key_too_large || error == CommandError::value_too_large ||
                     error == CommandError::batch_too_large || error == CommandError::command_too_large;
  return error_reply(large ? 413 : 400, large ? "too_large" : "bad_request", kv::name(error));
}

struct Named {
  unsigned status;
  const char* code;
  const char* message;
};

Named rejection(raft::Rejection reason) {
  switch (reason) {
    case raft::Rejection::not_leader: return {503, "not_leader", "this node does not lead"};
    case raft::Rejection::not_ready: return {503, "not_ready", "the leader is not ready yet"};
    case raft::Rejection::overloaded: return {503, "overloaded", "too much is under way"};
    case raft::Rejection::too_large: return {413, "too_large", "the change is too large"};
    case raft::Rejection::transferring: return {409, "transferring", "the leader is handing over"};
    case raft::Rejection::change_in_flight: return {409, "change_in_flight", "another change has not ended"};
    case raft::Rejection::bad_configuration: return {409, "bad_configuration", "nobody would decide"};
    case raft::Rejection::not_caught_up:
      return {409, "not_caught_up", "a learner that would become a voter lags too far behind"};
    case raft::Rejection::bad_target: return {409, "bad_target", "it is no voter, or leads already"};
    case raft::Rejection::timed_out:
      return {504, "timed_out", "given up: the target did not take over in time"};
  }
  return {500, "internal", "rejected"};
}

json::array members_of(const raft::Configuration& configuration) {
  json::array members;
  for (const raft::Member& member : configuration.members) {
    json::object each;
    each["id"] = member.id.value();
    put_bytes(each, "name", "name_encoding", member.name);
    put_bytes(each, "address", "address_encoding", member.address);
    each["voter"] = configuration.is_voter(member.id);
    members.push_back(std::move(each));
  }
  return members;
}

}  // namespace

ApiReply error_reply(unsigned status, std::string_view code, std::string_view message) {
  json::object body;
  body["error"] = code;
  body["message"] = message;
  return reply(status, body);
}

ApiReply reply_of(const kv::Answer& answer, Answers shape, const std::vector<std::string>& keys,
                  const std::optional<std::string>& leader) {
  switch (answer.status) {
    case Status::ok: return done(answer, shape, keys);
    case Status::compare_failed: {
      json::object body;
      body["error"] = "compare_failed";
      body["message"] = "the key holds something else";
      if (answer.found) {
        put_bytes(body, "found", "encoding", *answer.found);
      } else {
        body["found"] = nullptr;
      }
      return reply(409, body);
    }
    case Status::session_expired:
      return error_reply(
          410, "session_expired",
          "the session has ended or gone on; whether an earlier attempt took effect is not known");
    case Status::not_leader: return not_leader(answer, leader);
    case Status::not_ready:
      return later(error_reply(503, "not_ready", "nobody could do it in time; nothing was done"));
    case Status::overloaded:
      return later(error_reply(503, "overloaded", "too much is under way; nothing was done"));
    case Status::bad_request: return bad_request(answer.error);
    case Status::unknown: return error_reply(504, "unknown", "it may have taken effect, or may yet");
    case Status::timed_out:
      return shape == Answers::one_key || shape == Answers::keys
                 ? error_reply(504, "timed_out", "no answer in time")
                 : error_reply(504, "timed_out", "no answer in time; it may have taken effect, or may yet");
  }
  return error_reply(500, "internal", "an answer without a status");
}

ApiReply reply_of(const kv::ChangeAnswer& answer) {
  json::object body;
  switch (answer.outcome) {
    case kv::ChangeAnswer::Outcome::accepted:
      body["result"] = "accepted";
      body["index"] = answer.index.value();
      return reply(202, body);
    case kv::ChangeAnswer::Outcome::transferred: body["result"] = "transferred"; return reply(200, body);
    case kv::ChangeAnswer::Outcome::rejected: break;
  }
  const Named named = rejection(answer.reason);
  body["error"] = named.code;
  body["message"] = named.message;
  if (answer.leader) body["leader"] = answer.leader.value();
  ApiReply rejected = reply(named.status, body);
  return named.status == 503 ? later(std::move(rejected)) : rejected;
}

ApiReply reply_of(const HostStatus& status, raft::NodeId id, std::uint64_t cluster) {
  const raft::State& state = status.state;
  json::object body;
  body["id"] = id.value();
  body["cluster"] = std::to_string(cluster);  // more than a number of JSON is sure to hold
  body["role"] = raft::name(state.role);
  body["term"] = state.hard.term.value();
  body["leader"] = state.leader ? json::value(state.leader.value()) : json::value(nullptr);
  body["commit"] = state.commit.value();
  body["applied"] = status.applied.value();
  body["last"] = state.last.index.value();
  body["durable"] = state.durable.value();
  body["snapshot"] = state.snapshot.index.value();
  body["keys"] = status.keys;
  body["under_way"] = status.under_way;
  body["members"] = members_of(status.configuration);
  body["joint"] = status.configuration.joint();
  body["fault"] = status.fault ? json::value("write_failed") : json::value(nullptr);
  return reply(200, body);
}

}  // namespace raftlab::net
