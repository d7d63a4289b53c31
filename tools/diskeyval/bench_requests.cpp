#include "tools/diskeyval/bench_requests.hpp"

#include "net/text.hpp"
#include "tools/diskeyval/request_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace raftlab::diskeyval {

namespace {

using Json = nlohmann::ordered_json;
using Kind = BenchOperation::Kind;

/// Letters and digits that no compression makes short.
std::string value_of(std::uint32_t bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string value(bytes, ' ');
  std::uint64_t drawn = 1;
  for (char& letter : value) {
    drawn = drawn * 6364136223846793005ULL + 1442695040888963407ULL;
    letter = letters[(drawn >> 33U) % letters.size()];
  }
  return value;
}

/// What the other side calls its error, if that is a word of its API and nothing longer.
std::string code_in(const std::string& body) {
  const Json said = Json::parse(body, nullptr, false);
  if (!said.is_object()) return "";
  if (said.contains("code") && said["code"].is_number_integer())  // of gRPC
    return " code " + std::to_string(said["code"].get<std::int64_t>());
  if (!said.contains("error") || !said["error"].is_string()) return "";
  const std::string code = said["error"];
  const bool word = !code.empty() && code.size() <= 40 && std::all_of(code.begin(), code.end(), [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z');
  });
  return word ? " " + code : "";
}

}  // namespace

struct BenchRequests::Parts {
  const char* method;
  std::string target;
  std::string body;
};

BenchRequests::BenchRequests(const BenchOptions& options)
    : options_(options), value_(value_of(options.value_size)), value_base64_(net::to_base64(value_)) {
  if (options.read) read_query_ = std::string("?read=") + name(*options.read);
}

BenchRequests::Parts BenchRequests::to_diskeyval(const BenchOperation& operation) const {
  if (operation.kind == Kind::read)
    return {"GET", "/kv/" + bench_key(options_, operation.key) + read_query_, ""};
  if (operation.kind == Kind::write)
    return {"PUT", "/kv/" + bench_key(options_, operation.key), "{\"value\":\"" + value_ + "\"}"};
  std::string entries;
  for (std::uint64_t key = operation.key; key < operation.key + operation.keys; ++key) {
    entries += entries.empty() ? "" : ",";
    entries += "{\"key\":\"" + bench_key(options_, key) + "\",\"value\":\"" + value_ + "\"}";
  }
  return {"POST", "/kv/mput", "{\"entries\":[" + entries + "]}"};
}

BenchRequests::Parts BenchRequests::to_etcd(const BenchOperation& operation) const {
  const auto key_field = [this](std::uint64_t key) {
    return "\"key\":\"" + net::to_base64(bench_key(options_, key)) + '"';
  };
  const auto pair = [&](std::uint64_t key) {
    return "{" + key_field(key) + ",\"value\":\"" + value_base64_ + "\"}";
  };
  if (operation.kind == Kind::read) {
    const bool stale = options_.read == kv::ReadPolicy::stale;
    return {"POST", "/v3/kv/range",
            "{" + key_field(operation.key) + (stale ? ",\"serializable\":true}" : "}")};
  }
  if (operation.kind == Kind::write) return {"POST", "/v3/kv/put", pair(operation.key)};
  std::string puts;
  for (std::uint64_t key = operation.key; key < operation.key + operation.keys; ++key) {
    puts += puts.empty() ? "" : ",";
    puts += "{\"requestPut\":" + pair(key) + "}";
  }
  return {"POST", "/v3/kv/txn", "{\"success\":[" + puts + "]}"};
}

void BenchRequests::write(const BenchOperation& operation, const std::string& host, std::string& text) const {
  const Parts parts = options_.target == BenchTarget::etcd ? to_etcd(operation) : to_diskeyval(operation);
  text.clear();
  append_request(text, parts.method, parts.target, host, parts.body);
}

std::string BenchRequests::error_in(const BenchOperation& operation, unsigned status,
                                    const std::string& body) const {
  if (status != 200) return std::to_string(status) + code_in(body);
  // etcd says 200 also when there is no such key.
  if (operation.kind == Kind::read && options_.target == BenchTarget::etcd &&
      body.find("\"kvs\"") == std::string::npos)
    return "200 without the key";
  return "";
}

}  // namespace raftlab::diskeyval
