#include "net/api.hpp"

#include "net/api_bodies.hpp"
#include "net/api_replies.hpp"
#include "net/target.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <variant>

namespace raftlab::net {

/// A request on its way to its answer.
struct Api::Call {
  const ApiRequest& request;
  Target target;
  Reply reply;

  void fail(unsigned status, std::string_view code, std::string_view message) const {
    reply(error_reply(status, code, message));
  }
  [[nodiscard]] const std::string& key() const { return target.path[1]; }
};

/// A segment of a path that is empty stands for any key.
struct Api::Route {
  std::string_view method;
  std::vector<std::string_view> path;
  ApiRole least;
  void (Api::*handle)(Call& call);

  [[nodiscard]] bool leads_to(const std::vector<std::string>& segments) const {
    return std::ranges::equal(path, segments, [](std::string_view expected, const std::string& found) {
      return expected.empty() || expected == found;
    });
  }
};

const std::vector<Api::Route>& Api::routes() {
  // A path that names something goes before one with a key in its place.
  static const std::vector<Route> routes = {
      {"POST", {"kv", "mput"}, ApiRole::client, &Api::mput},
      {"POST", {"kv", "mget"}, ApiRole::client, &Api::mget},
      {"POST", {"kv", "", "cas"}, ApiRole::client, &Api::cas},
      {"GET", {"kv", ""}, ApiRole::client, &Api::get_key},
      {"PUT", {"kv", ""}, ApiRole::client, &Api::put_key},
      {"DELETE", {"kv", ""}, ApiRole::client, &Api::delete_key},
      {"POST", {"sessions"}, ApiRole::client, &Api::open_session},
      {"GET", {"status"}, ApiRole::client, &Api::status},
      {"GET", {"healthz"}, ApiRole::none, &Api::health},
      {"GET", {"readyz"}, ApiRole::none, &Api::ready},
      {"POST", {"admin", "reconfigure"}, ApiRole::admin, &Api::reconfigure},
      {"POST", {"admin", "transfer"}, ApiRole::admin, &Api::transfer},
      {"POST", {"admin", "snapshot"}, ApiRole::admin, &Api::snapshot},
      {"POST", {"admin", "read-policy"}, ApiRole::admin, &Api::read_policy},
  };
  return routes;
}

void Api::handle(const ApiRequest& request, Reply reply) {
  auto target = parse_target(request.target);
  if (!target) return reply(error_reply(400, "bad_target", "not a path that the API knows how to read"));
  std::string allowed;
  for (const Route& route : routes()) {
    if (!route.leads_to(target->path)) continue;
    if (route.method != request.method) {
      allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
      continue;
    }
    if (request.role < route.least)
      return reply(error_reply(403, "forbidden", "the certificate's role does not allow this"));
    Call call{request, std::move(*target), std::move(reply)};
    return (this->*route.handle)(call);
  }
  if (allowed.empty()) return reply(error_reply(404, "no_route", "there is nothing at this path"));
  ApiReply refused = error_reply(405, "method_not_allowed", "this path has other methods");
  refused.headers.emplace_back("Allow", allowed);
  reply(std::move(refused));
}

// ---- Keys ------------------------------------------------------------------------------------------------------

namespace {

/// What the query of a request for keys may say.
struct Parameters {
  std::optional<kv::ReadPolicy> read;
  std::optional<std::chrono::milliseconds> timeout;
  bool redirect = false;
};

std::variant<Parameters, std::string> parameters(const Target& target,
                                                 std::chrono::milliseconds timeout_max) {
  Parameters result;
  for (const auto& [name, value] : target.query) {
    if (name == "read") {
      result.read = net::read_policy(value);
      if (!result.read) return "read: expected stale, read_index or lease";
    } else if (name == "timeout_ms") {
      std::uint32_t number = 0;
      const auto end = std::from_chars(value.data(), value.data() + value.size(), number);
      if (end.ec != std::errc() || end.ptr != value.data() + value.size() || number == 0 ||
          std::chrono::milliseconds(number) > timeout_max) {
        return "timeout_ms: expected a whole number from 1 to " + std::to_string(timeout_max.count());
      }
      result.timeout = std::chrono::milliseconds(number);
    } else if (name == "redirect") {
      if (value != "true" && value != "false") return "redirect: expected true or false";
      result.redirect = value == "true";
    } else {
      return "unknown parameter: expected read, timeout_ms or redirect";
    }
  }
  return result;
}

Answers shape_of(const Wish& wish, bool one_key) {
  if (std::holds_alternative<kv::GetKeys>(wish.what)) return one_key ? Answers::one_key : Answers::keys;
  const bool opens = std::holds_alternative<kv::OpenSession>(std::get<kv::Change>(wish.what));
  return opens ? Answers::session : Answers::write;
}

}  // namespace

void Api::keys(Call& call, Wish wish) {
  auto checked = parameters(call.target, options_.timeout_max);
  if (const auto* problem = std::get_if<std::string>(&checked))
    return call.fail(400, "bad_request", *problem);
  const auto& wanted = std::get<Parameters>(checked);
  wish.forward = !wanted.redirect;
  wish.deadline_ticks = host_->in_ticks(wanted.timeout.value_or(options_.timeout));
  std::vector<std::string> read;
  if (auto* get = std::get_if<kv::GetKeys>(&wish.what)) {
    get->policy = wanted.read;
    read = get->keys;
  } else if (wanted.read) {
    return call.fail(400, "bad_request", "read: only for reads");
  }
  const Answers shape = shape_of(wish, call.request.method == "GET");
  host_->request(std::move(wish), [this, shape, read = std::move(read), reply = std::move(call.reply),
                                   target = call.request.target](const kv::Answer& answer) {
    std::optional<std::string> leader;
    if (answer.leader && options_.address) leader = options_.address(answer.leader);
    if (leader) *leader += target;
    reply(reply_of(answer, shape, read, leader));
  });
}

void Api::get_key(Call& call) {
  Wish wish;
  wish.what = kv::GetKeys{{call.key()}, std::nullopt};
  keys(call, std::move(wish));
}

namespace {

/// Calls with what the body holds, or says what is wrong with it.
template <class Content, class Use, class Fail>
void with(Body<Content> body, Use use, Fail fail) {
  if (const auto* error = std::get_if<BodyError>(&body)) return fail(error->message);
  use(std::move(std::get<Content>(body)));
}

}  // namespace

void Api::put_key(Call& call) {
  with(
      put_body(call.key(), call.request.body), [&](Wish wish) { keys(call, std::move(wish)); },
      [&](const std::string& problem) { call.fail(400, "bad_request", problem); });
}

void Api::delete_key(Call& call) {
  with(
      delete_body(call.key(), call.request.body), [&](Wish wish) { keys(call, std::move(wish)); },
      [&](const std::string& problem) { call.fail(400, "bad_request", problem); });
}

void Api::cas(Call& call) {
  with(
      cas_body(call.key(), call.request.body), [&](Wish wish) { keys(call, std::move(wish)); },
      [&](const std::string& problem) { call.fail(400, "bad_request", problem); });
}

void Api::mput(Call& call) {
  with(
      mput_body(call.request.body), [&](Wish wish) { keys(call, std::move(wish)); },
      [&](const std::string& problem) { call.fail(400, "bad_request", problem); });
}

void Api::mget(Call& call) {
  with(
      mget_body(call.request.body), [&](Wish wish) { keys(call, std::move(wish)); },
      [&](const std::string& problem) { call.fail(400, "bad_request", problem); });
}

void Api::open_session(Call& call) {
  Wish wish;
  wish.what = kv::Change{kv::OpenSession{}};
  keys(call, std::move(wish));
}

// ---- The node --------------------------------------------------------------------------------------------------

void Api::status(Call& call) { call.reply(reply_of(host_->status(), host_->id(), host_->cluster())); }

void Api::health(Call& call) {
  if (host_->status().fault)
    return call.fail(503, "fault", "the disk has failed, and the node does nothing any more");
  call.reply(ApiReply{200, "{\"status\":\"ok\"}\n", {}});
}

/// Ready is who knows a leader and has applied what it knows to be committed.
void Api::ready(Call& call) {
  const HostStatus status = host_->status();
  if (status.fault) return call.fail(503, "fault", "the disk has failed, and the node does nothing any more");
  if (!status.state.leader) return call.fail(503, "no_leader", "nobody leads, as far as this node knows");
  if (status.applied < status.state.commit)
    return call.fail(503, "behind", "the node has not applied what is committed");
  call.reply(ApiReply{200, "{\"status\":\"ready\"}\n", {}});
}

// ---- The operator ----------------------------------------------------------------------------------------------

namespace {

struct Conflict {
  std::string_view code;
  std::string_view message;
};

/// What the core would do as it is told, and nobody can have meant.
std::optional<Conflict> conflict_in(const raft::Configuration& target) {
  if (std::ranges::adjacent_find(target.members, {}, &raft::Member::id) != target.members.end())
    return Conflict{"bad_configuration", "a member stands twice"};
  std::vector<std::string_view> addresses;
  for (const raft::Member& member : target.members)
    if (!member.address.empty()) addresses.push_back(member.address);
  std::ranges::sort(addresses);
  if (std::ranges::adjacent_find(addresses) != addresses.end())
    return Conflict{"bad_configuration", "two members have one address"};
  return std::nullopt;
}

}  // namespace

void Api::reconfigure(Call& call) {
  with(
      reconfigure_body(call.request.body),
      [&](const ReconfigureBody& body) {
        if (const auto conflict = conflict_in(body.target))
          return call.fail(409, conflict->code, conflict->message);
        const bool stays = std::ranges::find(body.target.members, host_->id(), &raft::Member::id) !=
                           body.target.members.end();
        const bool leads = host_->status().state.role == raft::Role::leader;
        if (leads && !stays && !body.force && !body.target.voters.empty())
          return call.fail(409, "removes_itself",
                           "this node leads: transfer the leadership before it is removed, or force it");
        host_->reconfigure(
            body.target, body.force,
            [reply = std::move(call.reply)](const kv::ChangeAnswer& answer) { reply(reply_of(answer)); });
      },
      [&](const std::string& problem) { call.fail(400, "bad_request", problem); });
}

void Api::transfer(Call& call) {
  with(
      transfer_body(call.request.body),
      [&](raft::NodeId target) {
        host_->transfer(target, [reply = std::move(call.reply)](const kv::ChangeAnswer& answer) {
          reply(reply_of(answer));
        });
      },
      [&](const std::string& problem) { call.fail(400, "bad_request", problem); });
}

void Api::snapshot(Call& call) {
  host_->take_snapshot();
  call.reply(ApiReply{202, "{\"result\":\"asked\"}\n", {}});
}

void Api::read_policy(Call& call) {
  with(
      read_policy_body(call.request.body),
      [&](kv::ReadPolicy policy) {
        host_->set_read_policy(policy);
        call.reply(ApiReply{200, std::string("{\"read\":\"") + name(policy) + "\"}\n", {}});
      },
      [&](const std::string& problem) { call.fail(400, "bad_request", problem); });
}

}  // namespace raftlab::net
