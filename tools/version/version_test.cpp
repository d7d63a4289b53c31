#include "tools/version/version.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

namespace raftlab::version {
namespace {

TEST(Version, the_number_has_three_parts) {
  EXPECT_EQ(std::count(number().begin(), number().end(), '.'), 2) << number();
}

TEST(Version, the_commit_is_a_hash_or_unknown) {
  std::string_view hash = commit();
  if (hash == "unknown") return;
  if (hash.ends_with('+')) hash.remove_suffix(1);
  EXPECT_GE(hash.size(), 7U) << commit();
  EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string_view::npos) << commit();
}

TEST(Version, the_line_says_everything_about_the_build) {
  EXPECT_NE(line().find(number()), std::string::npos);
  EXPECT_NE(line().find(commit()), std::string::npos);
  EXPECT_NE(line().find(compiler()), std::string::npos);
  EXPECT_NE(line().find(build_type()), std::string::npos);
}

}  // namespace
}  // namespace raftlab::version
