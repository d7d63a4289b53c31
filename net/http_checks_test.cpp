#include "net/http_checks.hpp"

#include "net/http_answer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace raftlab::net {
namespace {

/// A GET with these fields; with a body if it is a PUT.
unsigned status_of(std::vector<HttpField> fields, const HttpRules& rules, const std::string& method = "GET") {
  HttpHead head;
  head.method = method;
  head.target = "/";
  head.fields = std::move(fields);
  if (method == "PUT") head.content_length = 5;
  const auto refusal = objection_to(head, rules);
  return refusal ? refusal->status : 200;
}

TEST(HttpChecks, C11_WithoutTlsHostIsAnAddressOrANameOfOurs) {
  const HttpRules plain{.tls = false, .names = {"node.local"}};
  for (const char* host : {"127.0.0.1", "127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]", "[::1]:65535",
                           "192.0.2.1", "node.local", "Node.Local:99", "localhost:"})
    EXPECT_EQ(status_of({{"Host", host}}, plain), 200U) << host;
  for (const char* host : {"evil.example", "localhost.evil.example", "localhost.", "node.local.",
                           "127.0.0.1.evil", "0x7f.1", "127.1", "2130706433", "127.0.0.01x"})
    EXPECT_EQ(status_of({{"Host", host}}, plain), 403U) << host;
  for (const char* host :
       {"", ":80", "a b", "a/b", "user@localhost", "localhost:8o", "localhost:123456", "[::1", "[evil]",
        "[::1]x", "localhost:80:80", "localhost,evil", "a\xff", "%6cocalhost"})
    EXPECT_EQ(status_of({{"Host", host}}, plain), 400U) << host;
  EXPECT_EQ(status_of({}, plain), 400U);
  EXPECT_EQ(status_of({{"Host", "localhost"}, {"host", "localhost"}}, plain), 400U);
  // Under TLS the certificate says who we are.
  EXPECT_EQ(status_of({{"Host", "any.example"}}, HttpRules{}), 200U);
  EXPECT_EQ(status_of({{"Host", "a b"}}, HttpRules{}), 400U);
}

TEST(HttpChecks, C11_PagesOfOtherSitesAreRefused) {
  const HttpRules plain{.tls = false, .names = {}};
  const auto with = [](const char* name, const char* value) {
    return std::vector<HttpField>{{"Host", "localhost:80"}, {name, value}};
  };
  EXPECT_EQ(status_of(with("Origin", "http://localhost:80"), plain), 200U);
  EXPECT_EQ(status_of(with("Origin", "https://localhost:80"), HttpRules{}), 200U);
  for (const char* origin : {"https://localhost:80", "http://localhost", "http://evil.example", "null", "",
                             "http://localhost:80.evil.example", "http://evil.example http://localhost:80"})
    EXPECT_EQ(status_of(with("Origin", origin), plain), 403U) << origin;
  for (const char* site : {"cross-site", "same-site", "x"})
    EXPECT_EQ(status_of(with("Sec-Fetch-Site", site), plain), 403U) << site;
  for (const char* site : {"same-origin", "none"})
    EXPECT_EQ(status_of(with("Sec-Fetch-Site", site), plain), 200U) << site;
}

TEST(HttpChecks, C06_Methods) {
  const std::vector<HttpField> host{{"Host", "h"}};
  for (const char* method : {"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"})
    EXPECT_EQ(status_of(host, HttpRules{}, method), 200U) << method;
  for (const char* method : {"TRACE", "CONNECT"}) EXPECT_EQ(status_of(host, HttpRules{}, method), 405U);
  for (const char* method : {"get", "PROPFIND", "X", "GETGET"})
    EXPECT_EQ(status_of(host, HttpRules{}, method), 501U) << method;
}

TEST(HttpChecks, C20_C21_BodiesAreJsonAndNotPacked) {
  const auto put = [](const char* name, const char* value) {
    return status_of({{"Host", "h"}, {name, value}}, HttpRules{}, "PUT");
  };
  for (const char* type : {"application/json", "Application/JSON ; charset=utf-8"})
    EXPECT_EQ(put("Content-Type", type), 200U) << type;
  for (const char* type : {"application/x-www-form-urlencoded", "text/plain", "", "application/jsonx", "json",
                           "multipart/form-data; boundary=application/json"})
    EXPECT_EQ(put("Content-Type", type), 415U) << type;
  EXPECT_EQ(put("Content-Encoding", "identity"), 200U);
  for (const char* coding : {"gzip", "br", "deflate", "", "identity, gzip"})
    EXPECT_EQ(put("Content-Encoding", coding), 415U) << coding;
  EXPECT_EQ(put("Expect", "100-Continue"), 200U);
  EXPECT_EQ(put("Expect", "200-ok"), 417U);
}

TEST(HttpChecks, AGetHasNoBody) {
  HttpHead head;
  head.method = "GET";
  head.fields = {{"Host", "h"}};
  head.chunked = true;
  EXPECT_EQ(objection_to(head, HttpRules{})->status, 400U);
}

TEST(HttpAnswer, C26_NoFieldOfAnAnswerEndsALine) {
  ApiReply reply;
  reply.status = 307;
  reply.body = "{}";
  reply.headers = {
      {"Location", "https://two:1/kv/a"}, {"X", "a\r\nSet-Cookie: b"}, {"Y\n", "z"}, {"Z", "\x7f"}};
  EXPECT_EQ(head_of(reply, true),
            "HTTP/1.1 307 Temporary Redirect\r\nCache-Control: no-store\r\nContent-Length: 2\r\n"
            "Location: https://two:1/kv/a\r\nContent-Type: application/json\r\n"
            "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n");
}

}  // namespace
}  // namespace raftlab::net
