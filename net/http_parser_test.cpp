#include "net/http_parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace raftlab::net {
namespace {

using namespace std::string_literals;

constexpr HttpLimits limits{.body_bytes_max = 1000};

/// What became of some bytes: "GET /x [] ..." for each request, and "!400 bad_framing" for a refusal.
std::vector<std::string> parsed(std::string_view bytes, std::size_t step = SIZE_MAX) {
  HttpParser parser(limits);
  std::vector<std::string> found;
  for (;;) {
    switch (parser.next()) {
      case HttpParser::Progress::needs_bytes: {
        if (bytes.empty()) {
          if (parser.in_request()) found.emplace_back("...");
          return found;
        }
        const auto room = parser.room();
        EXPECT_FALSE(room.empty());
        const std::size_t size = std::min({room.size(), bytes.size(), step});
        std::memcpy(room.data(), bytes.data(), size);
        parser.filled(size);
        bytes.remove_prefix(size);
        break;
      }
      case HttpParser::Progress::head: break;
      case HttpParser::Progress::complete:
        found.push_back(parser.head().method + " " + parser.head().target + " [" + parser.body() + "]" +
                        (parser.head().keep_alive ? "" : " close"));
        break;
      case HttpParser::Progress::refused:
        found.push_back("!" + std::to_string(parser.refusal().status) + " " + parser.refusal().code);
        return found;
    }
  }
}

using Found = std::vector<std::string>;

void expect_refused(const std::string& bytes, const std::string& refusal) {
  for (const std::size_t step : {SIZE_MAX, std::size_t{1}, std::size_t{7}}) {
    const Found found = parsed(bytes, step);
    EXPECT_EQ(found, Found{"!" + refusal}) << bytes.substr(0, 200) << "\nin steps of " << step;
  }
}
/// With this field besides Host.
void expect_field_refused(const std::string& field, const std::string& refusal) {
  expect_refused("PUT /kv/k HTTP/1.1\r\nHost: h\r\n" + field + "\r\n\r\nhello", refusal);
}
void expect_chunks_refused(const std::string& body, const std::string& refusal) {
  expect_refused("PUT /kv/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + body, refusal);
}

TEST(HttpParser, ReadsRequestsHoweverTheyAreCut) {
  const std::string bytes =
      "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n"
      "PUT /b HTTP/1.1\r\nhost:h\r\ncontent-length:  5 \r\n\r\nhello"
      "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "Chunked\r\n\r\n3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n"
      "DELETE /d HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: x, close\r\n\r\n";
  const Found expected{"GET /a?b=c []", "PUT /b [hello]", "POST /c [abc0123456789]", "DELETE /d [] close"};
  for (std::size_t step = 1; step <= bytes.size(); ++step) EXPECT_EQ(parsed(bytes, step), expected) << step;
}

TEST(HttpParser, NoBeginningOfARequestIsARequest) {
  const std::string bytes =
      "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (std::size_t size = 1; size < bytes.size(); ++size)
    EXPECT_EQ(parsed(bytes.substr(0, size)), Found{"..."}) << size;
}

TEST(HttpParser, KeepsTheBytesOfValues) {
  HttpParser parser(limits);
  const std::string bytes = "GET / HTTP/1.1\r\nHost: h\r\nX: \t a \xff\tb \t\r\nY:\r\n\r\n";
  std::memcpy(parser.room().data(), bytes.data(), bytes.size());
  parser.filled(bytes.size());
  ASSERT_EQ(parser.next(), HttpParser::Progress::head);
  EXPECT_EQ(*parser.head().find("x"), "a \xff\tb");
  EXPECT_EQ(*parser.head().find("Y"), "");
  EXPECT_EQ(parser.head().count("HOST"), 1U);
  EXPECT_EQ(parser.head().find("Z"), nullptr);
}

TEST(HttpParser, C02_SizesOfHeaders) {
  const std::string target(8U << 10U, 'a');
  EXPECT_EQ(parsed("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n").size(), 1U);
  EXPECT_EQ(parsed("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n").front().front(), 'G');
  expect_refused("GET " + target + "a HTTP/1.1\r\nHost: h\r\n\r\n", "414 target_too_long");
  expect_refused("GET " + std::string(100'000, 'a'), "414 target_too_long");
  expect_refused(std::string(100'000, 'A'), "414 target_too_long");

  const std::string line = "GET / HTTP/1.1\r\nHost: h\r\n";
  const std::size_t rest = limits.header_bytes_max - line.size() - std::string_view("X: \r\n\r\n").size();
  EXPECT_EQ(parsed(line + "X: " + std::string(rest, 'x') + "\r\n\r\n"), Found{"GET / []"});
  expect_refused(line + "X: " + std::string(rest + 1, 'x') + "\r\n\r\n", "431 header_too_large");
  expect_refused(line + "X: " + std::string(100'000, 'x'), "431 header_too_large");

  std::string fields;
  for (int i = 0; i < 99; ++i) fields += "X: y\r\n";
  EXPECT_EQ(parsed(line + fields + "\r\n"), Found{"GET / []"});
  expect_refused(line + fields + "X: y\r\n\r\n", "431 header_too_large");
  for (int i = 0; i < 900; ++i) fields += "X: y\r\n";
  expect_refused(line + fields + "\r\n", "431 header_too_large");
}

TEST(HttpParser, C03_SizesOfBodies) {
  const std::string head = "PUT / HTTP/1.1\r\nHost: h\r\n";
  const std::string body(1000, 'b');
  EXPECT_EQ(parsed(head + "Content-Length: 1000\r\n\r\n" + body), Found{"PUT / [" + body + "]"});
  expect_refused(head + "Content-Length: 1001\r\n\r\n", "413 too_large");
  expect_refused(head + "Content-Length: 18446744073709551615\r\n\r\n", "413 too_large");
  expect_chunks_refused("3E9\r\n", "413 too_large");
  expect_chunks_refused("3E8\r\n" + body + "\r\n1\r\n", "413 too_large");
  std::string endless;
  for (int i = 0; i < 2000; ++i) endless += "1\r\nx\r\n";
  expect_chunks_refused(endless, "413 too_large");
}

TEST(HttpParser, C04_TheLengthOfABodyIsClearOrTheRequestIsRefused) {
  for (const char* field : {"Content-Length: 5\r\nTransfer-Encoding: chunked",
                            "Transfer-Encoding: chunked\r\nContent-Length: 5",
                            "Content-Length: 5\r\nContent-Length: 6",
                            "Content-Length: 5\r\nContent-Length: 5",
                            "Content-Length: 5, 5",
                            "Content-Length: 5,6",
                            "Content-Length: -1",
                            "Content-Length: +5",
                            "Content-Length: 0x10",
                            "Content-Length: 18446744073709551616",
                            "Content-Length: 5 5",
                            "Content-Length:",
                            "Content-Length: 5.0",
                            "Content-Length: 5;",
                            "Content-Length: \xd9\xa5",
                            "Transfer-Encoding: xchunked",
                            "Transfer-Encoding: gzip",
                            "Transfer-Encoding: gzip, chunked",
                            "Transfer-Encoding: chunked, chunked",
                            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                            "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
                            "Transfer-Encoding: identity",
                            "Transfer-Encoding: x\r\nContent-Length: 5",
                            "Transfer-Encoding: \"chunked\"",
                            "Transfer-Encoding: chunked;q=1",
                            "Transfer-Encoding:",
                            "Transfer-Encoding: ,chunked",
                            "Transfer-Encoding: \013chunked"}) {
    const Found found = parsed("PUT /kv/k HTTP/1.1\r\nHost: h\r\n"s + field + "\r\n\r\nhello");
    ASSERT_EQ(found.size(), 1U) << field;
    EXPECT_TRUE(found.front() == "!400 bad_framing" || found.front() == "!400 malformed")
        << field << found.front();
  }
}

TEST(HttpParser, C04_LinesEndInOneWayAndAreNotFolded) {
  for (const std::string& field :
       {"X: a\r\n b"s, "X: a\r\n\tb"s, "X: a\nY: b"s, "X: a\rY: b"s, "X: a\r\r"s, "X: \0"s, "X: a\x7f"s,
        "X : a"s, " X: a"s, ": a"s, "X"s, "X\xff: a"s, "X(: a"s, "Transfer-Encoding : chunked"s,
        "Content-Length\t: 5"s, "X: a\n\r\nGET / HTTP/1.1"s, "X: \x01"s, "Transfer-Encoding\0: chunked"s})
    expect_field_refused(field, "400 malformed");
  // The end of a header is an end like every other, and is noticed before anything else comes.
  expect_refused("GET / HTTP/1.1\nHost: h\n\n", "400 malformed");
  expect_refused("GET / HTTP/1.1\r\nHost: h\n\n", "400 malformed");
  expect_refused("GET / HTTP/1.1\r\nHost: h\r\n\n", "400 malformed");
  expect_refused("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400 bad_version");
}

TEST(HttpParser, C05_ChunksAreWhatTheySay) {
  for (const char* body : {"FFFFFFFFFFFFFFFFF\r\n",
                           "10000000000000000\r\n",
                           "-1\r\nx\r\n",
                           "+1\r\nx\r\n",
                           "0x1\r\nx\r\n0\r\n\r\n",
                           "g\r\n",
                           "\r\n",
                           " 1\r\nx\r\n",
                           "1 \r\nx\r\n",
                           "1\r\nxx\r\n0\r\n\r\n",
                           "1\r\nx0\r\n\r\n",
                           "1\r\nx\n0\r\n\r\n",
                           "1\nx\r\n0\r\n\r\n",
                           "1\rx\r\n0\r\n\r\n",
                           "1;a=b\r\nx\r\n0\r\n\r\n",
                           "1;a\nx\r\nx\r\n",
                           "1;a=\"\n\"\r\nx\r\n",
                           "0;a=b\r\n\r\n",
                           "0\r\nX: y\r\n\r\n",
                           "0\r\nContent-Length: 5\r\n\r\n",
                           "0\r\nTransfer-Encoding: chunked\r\n\r\n",
                           "0\r\n\n\r\n\r\n",
                           "0\r\n\r\r\n\r\n\r\n"}) {
    const Found found = parsed("PUT /kv/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"s + body);
    ASSERT_EQ(found.size(), 1U) << body;
    EXPECT_EQ(found.front(), "!400 bad_framing") << body;
  }
  expect_chunks_refused("FFFFFFFFFFFFFFFF\r\n", "413 too_large");
  expect_chunks_refused("1;" + std::string(100'000, 'x'), "400 bad_framing");
  expect_chunks_refused("1;x=\"" + std::string(100'000, '\\') + "\"\r\n", "400 bad_framing");
  expect_chunks_refused(std::string(100'000, '0'), "400 bad_framing");
  expect_chunks_refused("0\r\n" + std::string(100'000, 'X'), "400 bad_framing");
  EXPECT_EQ(parsed("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET "),
            (Found{"PUT / []", "..."}));
}

TEST(HttpParser, C06_OtherVersionsAndNoRequestsAtAll) {
  for (const char* line : {"GET /", "GET / ", "GET / HTTP/0.9", "GET / HTTP/1.0", "GET / HTTP/1.2",
                           "GET / HTTP/2.0", "GET / HTTP/11", "GET / http/1.1", "PRI * HTTP/2.0",
                           "GET /  HTTP/1.10", "GET / HTTP/1.1 ", "", " ", "GET"})
    expect_refused(line + "\r\n\r\n"s, "400 bad_version");
  expect_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 bad_version");
  // A version that is not ours is told before the rest of the header comes.
  expect_refused("GET /kv/k\r\n", "400 bad_version");
  for (const std::string& line : {"GET HTTP/1.1"s, "GET  HTTP/1.1"s, " / HTTP/1.1"s, "GET / x HTTP/1.1"s,
                                  "G(T / HTTP/1.1"s, "GET  / HTTP/1.1"s})
    expect_refused(line + "\r\nHost: h\r\n\r\n", "400 malformed");
  for (const std::string& bytes : {"\x16\x03\x01\x02"s, "\0"s, "GET /\x80 HTTP/1.1\r\n"s,
                                   "GET\t/ HTTP/1.1\r\n"s, "GET /\x1b HTTP/1.1\r\n"s})
    expect_refused(bytes, "400 malformed");
}

}  // namespace
}  // namespace raftlab::net
