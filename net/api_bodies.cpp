#include "net/api_bodies.hpp"

#include "net/json_body.hpp"
#include "net/text.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace raftlab::net {

namespace json = boost::json;

namespace {

constexpr std::size_t name_bytes_max = 256;  // of a member, and of its address

[[noreturn]] void wrong(std::string message) { throw BodyError{std::move(message)}; }

void only(const json::object& object, std::initializer_list<std::string_view> known) {
  for (const auto& field : object) {
    const std::string_view name = field.key();
    if (std::ranges::find(known, name) == known.end()) wrong("unknown field \"" + std::string(name) + "\"");
  }
}

const json::value& field(const json::object& object, const char* name) {
  const json::value* found = object.if_contains(name);
  if (found == nullptr) wrong(std::string("\"") + name + "\" is missing");
  return *found;
}

const json::array& array(const json::object& object, const char* name) {
  const json::array* found = field(object, name).if_array();
  if (found == nullptr) wrong(std::string("\"") + name + "\": expected an array");
  return *found;
}

const json::object& object_in(const json::value& value, const char* name) {
  const json::object* found = value.if_object();
  if (found == nullptr) wrong(std::string("\"") + name + "\": expected objects");
  return *found;
}

std::uint64_t number(const json::value& value, const char* name, std::uint64_t least, std::uint64_t most) {
  std::optional<std::uint64_t> number;
  if (const std::uint64_t* large = value.if_uint64()) {
    number = *large;
  } else if (const std::int64_t* small = value.if_int64(); small != nullptr && *small >= 0) {
    number = static_cast<std::uint64_t>(*small);
  }
  if (!number || *number < least || *number > most) {
    wrong(std::string("\"") + name + "\": expected a whole number from " + std::to_string(least) + " to " +
          std::to_string(most));
  }
  return *number;
}

bool yes(const json::object& object, const char* name) {
  const json::value* found = object.if_contains(name);
  if (found == nullptr) return false;
  if (!found->is_bool()) wrong(std::string("\"") + name + "\": expected true or false");
  return found->get_bool();
}

bool base64(const json::object& object, const char* name) {
  const json::value* found = object.if_contains(name);
  if (found == nullptr) return false;
  const json::string* encoding = found->if_string();
  if (encoding != nullptr && *encoding == "utf-8") return false;
  if (encoding != nullptr && *encoding == "base64") return true;
  wrong(std::string("\"") + name + R"(": expected "utf-8" or "base64")");
}

std::string text(const json::value& value, const char* name, bool encoded) {
  const json::string* string = value.if_string();
  if (string == nullptr) wrong(std::string("\"") + name + "\": expected a string");
  if (!encoded) return {string->data(), string->size()};
  auto decoded = from_base64({string->data(), string->size()});
  if (!decoded) wrong(std::string("\"") + name + "\": not base64");
  return std::move(*decoded);
}

/// A session of the client's own: both, or neither.
void take_session(const json::object& object, Wish& wish) {
  const bool has_client = object.contains("client_id");
  if (has_client != object.contains("seq")) wrong("\"client_id\" and \"seq\" go together");
  if (!has_client) return;
  wish.client = kv::ClientId(number(field(object, "client_id"), "client_id", 1, UINT64_MAX));
  wish.sequence = kv::Sequence(number(field(object, "seq"), "seq", 1, UINT64_MAX));
}

template <class Content, class Read>
Body<Content> read(Read&& reader) {
  try {
    return reader();
  } catch (BodyError& error) {
    return std::move(error);
  }
}

raft::Member member(const json::object& object) {
  only(object, {"id", "name", "address", "learner"});
  raft::Member member;
  member.id = raft::NodeId(static_cast<std::uint32_t>(number(field(object, "id"), "id", 1, UINT32_MAX)));
  member.name = object.contains("name") ? text(field(object, "name"), "name", false)
                                        : "node" + std::to_string(member.id.value());
  member.address = text(field(object, "address"), "address", false);
  if (member.name.size() > name_bytes_max || member.address.size() > name_bytes_max)
    wrong("a name or an address is longer than " + std::to_string(name_bytes_max) + " bytes");
  return member;
}

}  // namespace

Body<Wish> put_body(std::string key, std::string_view body) {
  return read<Wish>([&] {
    const JsonBody parsed(body);
    const json::object& object = parsed.object();
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
      const JsonBody parsed(body);
      const json::object& object = parsed.object();
      only(object, {"client_id", "seq"});
      take_session(object, wish);
    }
    wish.what = kv::Change{kv::Delete{std::move(key)}};
    return wish;
  });
}

Body<Wish> cas_body(std::string key, std::string_view body) {
  return read<Wish>([&] {
    const JsonBody parsed(body);
    const json::object& object = parsed.object();
    only(object, {"client_id", "seq", "expected", "value", "encoding"});
    Wish wish;
    take_session(object, wish);
    const bool encoded = base64(object, "encoding");
    const json::value& expected = field(object, "expected");
    kv::CompareAndSwap swap{std::move(key), std::nullopt, text(field(object, "value"), "value", encoded)};
    if (!expected.is_null()) swap.expected = text(expected, "expected", encoded);
    wish.what = kv::Change{std::move(swap)};
    return wish;
  });
}

Body<Wish> mput_body(std::string_view body) {
  return read<Wish>([&] {
    const JsonBody parsed(body);
    const json::object& object = parsed.object();
    only(object, {"client_id", "seq", "entries"});
    Wish wish;
    take_session(object, wish);
    kv::PutBatch batch;
    for (const json::value& each : array(object, "entries")) {
      const json::object& entry = object_in(each, "entries");
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
    const JsonBody parsed(body);
    const json::object& object = parsed.object();
    only(object, {"keys", "key_encoding"});
    const bool encoded = base64(object, "key_encoding");
    kv::GetKeys get;
    for (const json::value& key : array(object, "keys")) get.keys.push_back(text(key, "keys", encoded));
    Wish wish;
    wish.what = std::move(get);
    return wish;
  });
}

Body<ReconfigureBody> reconfigure_body(std::string_view body) {
  return read<ReconfigureBody>([&] {
    const JsonBody parsed(body);
    const json::object& object = parsed.object();
    only(object, {"members", "force"});
    ReconfigureBody reconfigure;
    reconfigure.force = yes(object, "force");
    raft::Configuration& target = reconfigure.target;
    for (const json::value& value : array(object, "members")) {
      const json::object& each = object_in(value, "members");
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
    const JsonBody parsed(body);
    const json::object& object = parsed.object();
    only(object, {"target"});
    return raft::NodeId(static_cast<std::uint32_t>(number(field(object, "target"), "target", 1, UINT32_MAX)));
  });
}

Body<kv::ReadPolicy> read_policy_body(std::string_view body) {
  return read<kv::ReadPolicy>([&] {
    const JsonBody parsed(body);
    const json::object& object = parsed.object();
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
