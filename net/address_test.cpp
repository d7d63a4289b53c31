#include "net/address.hpp"

#include <gtest/gtest.h>

namespace raftlab::net {
namespace {

TEST(Address, IsAHostAndAPort) {
  EXPECT_EQ(parse_address("192.0.2.7:7401"), (Address{"192.0.2.7", 7401}));
  EXPECT_EQ(parse_address("node7.example:1"), (Address{"node7.example", 1}));
  EXPECT_EQ(parse_address("[2001:db8::1]:7401"), (Address{"2001:db8::1", 7401}));
  EXPECT_EQ(parse_address("127.0.0.1:0"), (Address{"127.0.0.1", 0}));
  for (const char* text : {"", ":", "a", "a:", ":1", "a:65536", "a:-1", "a: 1", "a:1 ", "a:0x1",
                           "2001:db8::1:7401", "[2001:db8::1]", "[]:1", "[a]:1", "a]:1", "[::1:1"})
    EXPECT_EQ(parse_address(text), std::nullopt) << text;
}

TEST(Address, IsWrittenAsItIsRead) {
  for (const char* text : {"192.0.2.7:7401", "[2001:db8::1]:7401", "node7.example:1"})
    EXPECT_EQ(text_of(*parse_address(text)), text);
}

}  // namespace
}  // namespace raftlab::net
