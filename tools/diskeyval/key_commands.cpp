#include "tools/diskeyval/key_commands.hpp"

#include "net/target.hpp"
#include "net/text.hpp"

#include <algorithm>
#include <charconv>
#include <iomanip>
#include <ostream>
#include <set>

namespace raftlab::diskeyval {
namespace {

using Json = nlohmann::ordered_json;

std::string path_of(const std::string& key) { return "/kv/" + net::escape_segment(key); }

/// Bytes as a body holds them.
void set_bytes(Json& body, const char* field, const char* encoding, const std::string& bytes) {
  if (net::is_utf8(bytes)) {
    body[field] = bytes;
  } else {
    body[field] = net::to_base64(bytes);
    body[encoding] = "base64";
  }
}

/// What no answer, or one that is no success, means.
Failure failure_of(const Reply& reply, bool writes) {
  const std::string from = net::text_of(reply.from);
  if (reply.status == 0 || reply.status == 503 || reply.status == 504) {
    const std::string why = reply.status == 0 ? reply.why : reply.body.value("message", reply.text);
    // A node that says 503 has done nothing, but one that was asked before it may have.
    if (writes && reply.asked && reply.status != 503)
      return {ExitCode::uncertain, "it may have taken place, or may yet (" + from + ": " + why + ")"};
    return {ExitCode::unavailable, from + ": " + why};
  }
  std::string message = std::to_string(reply.status);
  if (reply.body.is_object()) message = reply.body.value("message", message);
  return {ExitCode::refused, message};
}

/// Prints the answer, in JSON or as `text`.
template <class Text>
std::optional<Failure> shown(const Asked& asked, const Reply& reply, bool writes, Text text) {
  if (reply.status < 200 || reply.status > 299) {
    if (asked.json && reply.status != 0) *asked.out << reply.text;
    return failure_of(reply, writes);
  }
  if (asked.json) {
    *asked.out << reply.text;
  } else {
    text(reply.body);
  }
  return std::nullopt;
}

std::string bytes_in(const Json& body, const char* field, const char* encoding) {
  auto text = body.at(field).get<std::string>();
  if (!body.contains(encoding)) return text;
  return net::from_base64(text).value_or(text);
}

/// A write in a session of its own: its number makes repeating it harmless.
std::optional<Failure> write(const Asked& asked, const std::string& method, const std::string& target,
                             Json body) {
  const Reply opened = asked.client->ask("POST", "/sessions");
  if (opened.status != 201) {
    Failure failed = failure_of(opened, false);  // nothing was written
    return failed;
  }
  body["client_id"] = opened.body.at("client_id");
  body["seq"] = 1;
  const Reply reply = asked.client->ask(method, target, body.dump());
  return shown(asked, reply, true, [&](const Json& done) {
    *asked.out << "ok, index " << done.at("index").get<std::uint64_t>() << '\n';
  });
}

std::optional<raft::NodeId> node_of(std::string_view text) {
  if (text.starts_with("node")) text.remove_prefix(4);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return raft::NodeId(number);
}

}  // namespace

std::optional<Failure> get(const Asked& asked, const std::string& key, const std::string& read_policy) {
  const std::string query = read_policy.empty() ? "" : "?read=" + read_policy;
  return shown(asked, asked.client->ask("GET", path_of(key) + query), false,
               [&](const Json& body) { *asked.out << bytes_in(body, "value", "encoding") << '\n'; });
}

std::optional<Failure> put(const Asked& asked, const std::string& key, const std::string& value) {
  Json body = Json::object();
  set_bytes(body, "value", "encoding", value);
  return write(asked, "PUT", path_of(key), std::move(body));
}

std::optional<Failure> del(const Asked& asked, const std::string& key) {
  return write(asked, "DELETE", path_of(key), Json::object());
}

std::optional<Failure> cas(const Asked& asked, const std::string& key,
                           const std::optional<std::string>& expected, const std::string& value) {
  // One encoding stands for both.
  const bool text = net::is_utf8(value) && (!expected || net::is_utf8(*expected));
  const auto written = [&](const std::string& bytes) { return text ? bytes : net::to_base64(bytes); };
  Json body = Json::object();
  body["expected"] = expected ? Json(written(*expected)) : Json(nullptr);
  body["value"] = written(value);
  if (!text) body["encoding"] = "base64";
  return write(asked, "POST", path_of(key) + "/cas", std::move(body));
}

std::optional<Failure> mput(const Asked& asked, const std::vector<std::string>& entries) {
  Json body = Json::object();
  body["entries"] = Json::array();
  for (const std::string& entry : entries) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos)
      return Failure{ExitCode::usage, "'" + entry + "': KEY=VALUE was expected"};
    Json one = Json::object();
    set_bytes(one, "key", "key_encoding", entry.substr(0, equals));
    set_bytes(one, "value", "encoding", entry.substr(equals + 1));
    body["entries"].push_back(std::move(one));
  }
  return write(asked, "POST", "/kv/mput", std::move(body));
}

std::optional<Failure> status(const Asked& asked) {
  bool any = false;
  std::optional<Failure> failed;
  if (!asked.json) {
    *asked.out << std::left << std::setw(24) << "endpoint" << std::setw(6) << "node" << std::setw(11)
               << "role" << std::right << std::setw(6) << "term" << std::setw(8) << "leader" << std::setw(10)
               << "commit" << std::setw(10) << "applied" << std::setw(10) << "keys" << '\n';
  }
  for (const net::Address& node : asked.client->endpoints()) {
    const Reply reply = asked.client->ask_one(node, "GET", "/status", "");
    if (asked.json && reply.status == 200) *asked.out << reply.text;
    if (reply.status != 200) {
      failed = failure_of(reply, false);
      if (!asked.json) {
        const std::string why = reply.status == 0 ? reply.why : failed->message;
        *asked.out << std::left << std::setw(24) << net::text_of(node) << why << '\n';
      }
      continue;
    }
    any = true;
    if (asked.json) continue;
    const Json& body = reply.body;
    const std::string leader = body.at("leader").is_null() ? "-" : body.at("leader").dump();
    *asked.out << std::left << std::setw(24) << net::text_of(node) << std::setw(6) << body.at("id").dump()
               << std::setw(11) << body.at("role").get<std::string>() << std::right << std::setw(6)
               << body.at("term").dump() << std::setw(8) << leader << std::setw(10)
               << body.at("commit").dump() << std::setw(10) << body.at("applied").dump() << std::setw(10)
               << body.at("keys").dump() << '\n';
  }
  if (any) return std::nullopt;
  return failed;
}

std::optional<Failure> members(const Asked& asked) {
  return shown(asked, asked.client->ask("GET", "/status"), false, [&](const Json& body) {
    for (const Json& member : body.at("members")) {
      *asked.out << std::left << std::setw(6) << member.at("id").dump() << std::setw(9)
                 << (member.at("voter").get<bool>() ? "voter" : "learner") << std::setw(24)
                 << member.at("address").get<std::string>()
                 << (member.at("id") == body.at("leader") ? "leads" : "") << '\n';
    }
  });
}

std::optional<Failure> reconfigure(const Asked& asked, const std::vector<std::string>& voters,
                                   const std::vector<std::string>& learners, bool force) {
  const Reply now = asked.client->ask("GET", "/status");
  if (now.status != 200) return failure_of(now, false);
  Json body = Json::object();
  body["members"] = Json::array();
  std::set<raft::NodeId> named;
  for (const auto& [list, learner] : {std::pair{&voters, false}, {&learners, true}}) {
    for (const std::string& text : *list) {
      const auto id = node_of(std::string_view(text).substr(0, text.find('=')));
      if (!id) return Failure{ExitCode::usage, "'" + text + "': node4=HOST:PORT, or node4, was expected"};
      if (!named.insert(*id).second) return Failure{ExitCode::usage, "'" + text + "': is named twice"};
      std::string address;
      if (const std::size_t equals = text.find('='); equals != std::string::npos) {
        address = text.substr(equals + 1);
      } else {
        for (const Json& member : now.body.at("members")) {
          if (member.at("id") == id->value()) address = member.at("address").get<std::string>();
        }
      }
      if (!net::parse_address(address))
        return Failure{ExitCode::usage, "'" + text + "': is no member, so its HOST:PORT was expected"};
      Json member = Json::object();
      member["id"] = id->value();
      member["name"] = "node" + std::to_string(id->value());
      member["address"] = address;
      member["learner"] = learner;
      body["members"].push_back(std::move(member));
    }
  }
  body["force"] = force;
  return shown(asked, asked.client->ask("POST", "/admin/reconfigure", body.dump()), true,
               [&](const Json& done) {
                 *asked.out << "accepted, index " << done.at("index").get<std::uint64_t>() << '\n';
               });
}

std::optional<Failure> transfer(const Asked& asked, raft::NodeId target) {
  Json body = Json::object();
  body["target"] = target.value();
  return shown(asked, asked.client->ask("POST", "/admin/transfer", body.dump()), true,
               [&](const Json& /*done*/) { *asked.out << "node " << target.value() << " leads\n"; });
}

}  // namespace raftlab::diskeyval
