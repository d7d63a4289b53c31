#include "tools/diskeyval/bench_requests.hpp"

#include <gtest/gtest.h>

namespace raftlab::diskeyval {
namespace {

using Kind = BenchOperation::Kind;

std::string text_of(const BenchOptions& options, Kind kind, std::uint64_t key, std::uint64_t keys = 1) {
  std::string text = "what was there before";
  BenchRequests(options).write({kind, key, keys, {}}, "127.0.0.1:1", text);
  return text;
}

BenchOptions small() {
  BenchOptions options;
  options.keys = 100;
  options.key_size = 4;
  options.value_size = 0;
  return options;
}

TEST(BenchRequests, OfDiskeyval) {
  BenchOptions options = small();
  EXPECT_EQ(text_of(options, Kind::read, 7), "GET /kv/k007 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n");
  options.read = kv::ReadPolicy::stale;
  EXPECT_EQ(text_of(options, Kind::read, 7), "GET /kv/k007?read=stale HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n");
  EXPECT_EQ(text_of(options, Kind::write, 42),
            "PUT /kv/k042 HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Type: application/json\r\n"
            "Content-Length: 12\r\n\r\n{\"value\":\"\"}");
  EXPECT_EQ(text_of(options, Kind::fill, 8, 2),
            "POST /kv/mput HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Type: application/json\r\n"
            "Content-Length: 65\r\n\r\n"
            "{\"entries\":[{\"key\":\"k008\",\"value\":\"\"},{\"key\":\"k009\",\"value\":\"\"}]}");
}

TEST(BenchRequests, OfEtcd) {
  BenchOptions options = small();
  options.target = BenchTarget::etcd;
  const auto body = [](const std::string& text) { return text.substr(text.find("\r\n\r\n") + 4); };
  EXPECT_EQ(text_of(options, Kind::read, 7).substr(0, 28), "POST /v3/kv/range HTTP/1.1\r\n");
  EXPECT_EQ(body(text_of(options, Kind::read, 7)), "{\"key\":\"azAwNw==\"}");
  options.read = kv::ReadPolicy::stale;
  EXPECT_EQ(body(text_of(options, Kind::read, 7)), "{\"key\":\"azAwNw==\",\"serializable\":true}");
  EXPECT_EQ(body(text_of(options, Kind::write, 7)), "{\"key\":\"azAwNw==\",\"value\":\"\"}");
  EXPECT_EQ(body(text_of(options, Kind::fill, 7, 1)),
            "{\"success\":[{\"requestPut\":{\"key\":\"azAwNw==\",\"value\":\"\"}}]}");
}

TEST(BenchRequests, CallErrorsByStatusAndCodeAndByNothingThatStrangersMayChoose) {
  BenchOptions options = small();
  const BenchRequests requests(options);
  const BenchOperation write;
  EXPECT_EQ(requests.error_in(write, 200, "{\"index\":4,\"duplicate\":false}"), "");
  EXPECT_EQ(requests.error_in(write, 503, "{\"error\":\"overloaded\",\"message\":\"x\"}"), "503 overloaded");
  EXPECT_EQ(requests.error_in(write, 503, "{\"error\":\"\\u001b[2J\"}"), "503");
  EXPECT_EQ(requests.error_in(write, 503, "{\"error\":\"" + std::string(41, 'a') + "\"}"), "503");
  EXPECT_EQ(requests.error_in(write, 503, "[]"), "503");
  EXPECT_EQ(requests.error_in(write, 502, "<html>"), "502");
  EXPECT_EQ(requests.error_in(write, 503, "{\"error\":\"etcdserver: no leader\",\"code\":14}"),
            "503 code 14");
}

TEST(BenchRequests, AReadOfEtcdThatFindsNothingIsAnError) {
  BenchOptions options = small();
  options.target = BenchTarget::etcd;
  const BenchRequests requests(options);
  const BenchOperation read{Kind::read, 0, 1, {}};
  EXPECT_EQ(requests.error_in(read, 200, "{\"header\":{}}"), "200 without the key");
  EXPECT_EQ(requests.error_in(read, 200, "{\"header\":{},\"kvs\":[{\"key\":\"azAwNw==\"}]}"), "");
}

}  // namespace
}  // namespace raftlab::diskeyval
