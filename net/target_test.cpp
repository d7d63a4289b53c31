#include "net/target.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace raftlab::net {
namespace {

using Path = std::vector<std::string>;

Path path(std::string_view target) {
  const auto parsed = parse_target(target);
  return parsed ? parsed->path : Path{"refused"};
}

TEST(Target, ThePathIsItsSegments) {
  EXPECT_EQ(path("/"), Path{""});
  EXPECT_EQ(path("/kv/key"), (Path{"kv", "key"}));
  EXPECT_EQ(path("/kv/"), (Path{"kv", ""}));
  EXPECT_EQ(path("/kv//x"), (Path{"kv", "", "x"}));
}

TEST(Target, ASegmentIsTheBytesThatItNames) {
  EXPECT_EQ(path("/kv/a%2Fb"), (Path{"kv", "a/b"}));
  EXPECT_EQ(path("/kv/%00"), (Path{"kv", std::string(1, '\0')}));
  EXPECT_EQ(path("/kv/%2e%2e"), (Path{"kv", ".."}));
  EXPECT_EQ(path("/kv/.."), (Path{"kv", ".."}));
  EXPECT_EQ(path("/kv/%c0%af"), (Path{"kv", "\xc0\xaf"}));  // overlong, and none of our business
  EXPECT_EQ(path("/kv/a+b"), (Path{"kv", "a+b"}));
}

TEST(Target, WhatIsNoTargetIsRefused) {
  for (const char* target :
       {"", "kv", "*", "http://host/kv", "/kv/%", "/kv/%4", "/kv/%zz", "/kv/a b", "/kv/\x7f", "/kv/\xc3\xa4",
        "/kv/a#b", "/kv/[x]", "/kv/\"", "/kv?a=1&a=2", "/kv?a=%"}) {
    EXPECT_FALSE(parse_target(target)) << target;
  }
}

TEST(Target, TheQueryIsNamesWithValues) {
  const auto parsed = parse_target("/kv/k?read=stale&x&y=a%3Db");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->query, (std::map<std::string, std::string>{{"read", "stale"}, {"x", ""}, {"y", "a=b"}}));
  EXPECT_EQ(parsed->path, (Path{"kv", "k"}));
  EXPECT_TRUE(parse_target("/kv/k?")->query.empty());
}

TEST(Target, EveryByteComesBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const std::string escaped = escape_segment(all);
  EXPECT_EQ(path("/kv/" + escaped), (Path{"kv", all}));
  EXPECT_EQ(escape_segment("a/b c~"), "a%2Fb%20c~");
}

}  // namespace
}  // namespace raftlab::net
