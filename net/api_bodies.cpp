#include "net/api_bodies.hpp"

#include "net/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <utility>
#include <vector>

namespace raftlab::net {

using nlohmann::json;

namespace {

constexpr int depth_max = 4;
constexpr std::size_t name_bytes_max = 256;  // of a member, and of its address

/// Thrown and caught in this file.
struct Wrong {
  std::string message;
};

[[noreturn]] void wrong(std::string message) { throw Wrong{std::move(message)}; }

/// What is legal JSON and all the same not for us. It goes before the library makes anything of the text: that would check
/// as well, by a callback, but then looks through an array once for each object in it.
class Watch final : public json::json_sax_t {
 public:
  std::string problem;  ///< empty: none

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*size*/) override {
    names_.emplace_back();
    return begin();
  }
  bool key(string_t& name) override {
    if (!names_.back().insert(name).second) problem = "a name stands twice";
    return problem.empty();
  }
  bool end_object() override {
    names_.pop_back();
    return end();
  }
  bool start_array(std::size_t /*size*/) override { return begin(); }
  bool end_array() override { return end(); }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    problem = "not JSON";
    return false;
  }

 private:
  bool begin() {
    if (++depth_ > depth_max) problem = "nested too deeply";
    return problem.empty();
  }
  bool end() {
    --depth_;
    return true;
  }

  int depth_ = 0;
  std::vector<std::set<std::string>> names_;  // of the objects that are open
};

json parse(std::string_view text) {
  Watch watch;
  const bool sound = json::sax_parse(text, &watch);
  if (!sound) wrong("body: " + watch.problem);
  json body = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (body.is_discarded()) wrong("body: not JSON");
  if (!body.is_object()) wrong("body: expected an object");
  return body;
}

void only(const json& object, std::initializer_list<std::string_view> known) {
  for (const auto& [field, value] : object.items()) {
    if (std::ranges::find(known, field) == known.end()) wrong("unknown field \"" + field + "\"");
  }
}

const json& field(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) wrong(std::string("\"") + name + "\" is missing");
  return *found;
}

std::uint64_t number(const json& value, const char* name, std::uint64_t least, std::uint64_t most) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() < least ||
      value.get<std::uint64_t>() > most) {
    wrong(std::string("\"") + name + "\": expected a whole number from " + std::to_string(least) + " to " +
          std::to_string(most));
  }
  return value.get<std::uint64_t>();
}

bool yes(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return false;
  if (!found->is_boolean()) wrong(std::string("\"") + name + "\": expected true or false");
  return found->get<bool>();
}

bool base64(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || *found == "utf-8") return false;
  if (*found != "base64") wrong(std::string("\"") + name + R"(": expected "utf-8" or "base64")");
  return true;
}

std::string text(const json& value, const char* name, bool encoded) {
  if (!value.is_string()) wrong(std::string("\"") + name + "\": expected a string");
  if (!encoded) return value.get<std::string>();
  auto decoded = from_base64(value.get_ref<const std::string&>());
  if (!decoded) wrong(std::string("\"") + name + "\": not base64");
  return std::move(*decoded);
}

/// A session of the client's own: both, or neither.
void take_session(const json& object, Wish& wish) {
  const bool has_client = object.contains("client_id");
  if (has_client != object.contains("seq")) wrong("\"client_id\" and \"seq\" go together");
  if (!has_client) return;
  wish.client = kv::ClientId(number(object["client_id"], "client_id", 1, UINT64_MAX));
  wish.sequence = kv::Sequence(number(object["seq"], "seq", 1, UINT64_MAX));
}

template <class Content, class Read>
Body<Content> read(Read&& reader) {
  try {
    return reader();
  } catch (Wrong& error) {
    return BodyError{std::move(error.message)};
  }
}

raft::Member member(const json& object) {
  if (!object.is_object()) wrong("\"members\": expected objects");
  only(object, {"id", "name", "address", "learner"});
  raft::Member member;
  member.id = raft::NodeId(static_cast<std::uint32_t>(number(field(object, "id"), "id", 1, UINT32_MAX)));
  member.name = object.contains("name") ? text(object["name"], "name", false)
                                        : "node" + std::to_string(member.id.value());
  member.address = text(field(object, "address"), "address", false);
  if (member.name.size() > name_bytes_max || member.address.size() > name_bytes_max)
    wrong("a name or an address is longer than " + std::to_string(name_bytes_max) + " bytes");
  return member;
}

}  // namespace

Body<Wish> put_body(std::string key, std::string_view body) {
  return read<Wish>([&] {
    const json object = parse(body);
    only(object, {"client_id", "seq", "value", "encoding"});
    Wish wish;
    take_session(object, wish);
    wish.what = kv::Change{
        kv::Put{std::move(key), text(field(object, "value"), "value", base64(object, "encoding"))}};
    return wish;
  });
}

Body<Wish> delete_body(std::string key, std::string_view body) {
  return read<Wish>([&] {
    Wish wish;
    if (!body.empty()) {
      const json object = parse(body);
      only(object, {"client_id", "seq"});
      take_session(object, wish);
    }
    wish.what = kv::Change{kv::Delete{std::move(key)}};
    return wish;
  });
}

Body<Wish> cas_body(std::string key, std::string_view body) {
  return read<Wish>([&] {
    const json object = parse(body);
    only(object, {"client_id", "seq", "expected", "value", "encoding"});
    Wish wish;
    take_session(object, wish);
    const bool encoded = base64(object, "encoding");
    const json& expected = field(object, "expected");
    kv::CompareAndSwap swap{std::move(key), std::nullopt, text(field(object, "value"), "value", encoded)};
    if (!expected.is_null()) swap.expected = text(expected, "expected", encoded);
    wish.what = kv::Change{std::move(swap)};
    return wish;
  });
}

Body<Wish> mput_body(std::string_view body) {
  return read<Wish>([&] {
    const json object = parse(body);
    only(object, {"client_id", "seq", "entries"});
    Wish wish;
    take_session(object, wish);
    const json& entries = field(object, "entries");
    if (!entries.is_array()) wrong("\"entries\": expected an array");
    kv::PutBatch batch;
    for (const json& entry : entries) {
      if (!entry.is_object()) wrong("\"entries\": expected objects");
      only(entry, {"key", "key_encoding", "value", "encoding"});
      batch.entries.push_back(kv::Put{text(field(entry, "key"), "key", base64(entry, "key_encoding")),
                                      text(field(entry, "value"), "value", base64(entry, "encoding"))});
    }
    wish.what = kv::Change{std::move(batch)};
    return wish;
  });
}

Body<Wish> mget_body(std::string_view body) {
  return read<Wish>([&] {
    const json object = parse(body);
    only(object, {"keys", "key_encoding"});
    const json& keys = field(object, "keys");
    if (!keys.is_array()) wrong("\"keys\": expected an array");
    const bool encoded = base64(object, "key_encoding");
    kv::GetKeys get;
    for (const json& key : keys) get.keys.push_back(text(key, "keys", encoded));
    Wish wish;
    wish.what = std::move(get);
    return wish;
  });
}

Body<ReconfigureBody> reconfigure_body(std::string_view body) {
  return read<ReconfigureBody>([&] {
    const json object = parse(body);
    only(object, {"members", "force"});
    const json& members = field(object, "members");
    if (!members.is_array()) wrong("\"members\": expected an array");
    ReconfigureBody reconfigure;
    reconfigure.force = yes(object, "force");
    raft::Configuration& target = reconfigure.target;
    for (const json& each : members) {
      target.members.push_back(member(each));
      (yes(each, "learner") ? target.learners : target.voters).push_back(target.members.back().id);
    }
    std::ranges::sort(target.members, {}, &raft::Member::id);
    std::ranges::sort(target.voters);
    std::ranges::sort(target.learners);
    return reconfigure;
  });
}

Body<raft::NodeId> transfer_body(std::string_view body) {
  return read<raft::NodeId>([&] {
    const json object = parse(body);
    only(object, {"target"});
    return raft::NodeId(static_cast<std::uint32_t>(number(field(object, "target"), "target", 1, UINT32_MAX)));
  });
}

Body<kv::ReadPolicy> read_policy_body(std::string_view body) {
  return read<kv::ReadPolicy>([&] {
    const json object = parse(body);
    only(object, {"read"});
    const auto policy = read_policy(text(field(object, "read"), "read", false));
    if (!policy) wrong(R"("read": expected "stale", "read_index" or "lease")");
    return *policy;
  });
}

std::optional<kv::ReadPolicy> read_policy(std::string_view text) {
  for (const auto policy : {kv::ReadPolicy::stale, kv::ReadPolicy::read_index, kv::ReadPolicy::lease}) {
    if (text == name(policy)) return policy;
  }
  return std::nullopt;
}

const char* name(kv::ReadPolicy policy) {
  switch (policy) {
    case kv::ReadPolicy::stale: return "stale";
    case kv::ReadPolicy::read_index: return "read_index";
    case kv::ReadPolicy::lease: return "lease";
  }
  return "?";
}

}  // namespace raftlab::net
