#include "tools/diskeyval/bench_options.hpp"

#include <gtest/gtest.h>

namespace raftlab::diskeyval {
namespace {

void expect_objection(const std::string& part, const BenchOptions& options) {
  const auto failed = objection_to(options);
  ASSERT_TRUE(failed) << part;
  EXPECT_EQ(failed->code, ExitCode::usage);
  EXPECT_NE(failed->message.find(part), std::string::npos) << failed->message;
}

template <class Change>
BenchOptions with(Change change) {
  BenchOptions options;
  change(options);
  return options;
}

TEST(BenchOptions, AreFineWhenNothingIsSaid) { EXPECT_FALSE(objection_to(BenchOptions{})); }

TEST(BenchOptions, NameTheFlagThatCannotBe) {
  expect_objection("--clients", with([](auto& o) { o.clients = 0; }));
  expect_objection("--clients", with([](auto& o) { o.clients = 1'001; }));
  expect_objection("--keys", with([](auto& o) { o.keys = 0; }));
  expect_objection("--key-size: a number from 5 to 4096", with([](auto& o) { o.key_size = 4; }));
  expect_objection("--key-size", with([](auto& o) { o.key_size = 4'097; }));
  expect_objection("--value-size", with([](auto& o) { o.value_size = 1'000'001; }));
  expect_objection("--reads", with([](auto& o) { o.reads_percent = 101; }));
  expect_objection("--read-policy lease", with([](auto& o) {
                     o.target = BenchTarget::etcd;
                     o.read = kv::ReadPolicy::lease;
                   }));
}

TEST(BenchOptions, KeysAreAllOfTheSizeThatWasAskedFor) {
  BenchOptions options;
  options.keys = 1'000;
  options.key_size = 4;
  EXPECT_FALSE(objection_to(options));
  EXPECT_EQ(bench_key(options, 0), "k000");
  EXPECT_EQ(bench_key(options, 999), "k999");
}

}  // namespace
}  // namespace raftlab::diskeyval
