#include "tools/diskeyval/app.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace raftlab::diskeyval {
namespace {

struct Ended {
  int code = 0;
  std::string out;
  std::string error;
};

Ended run_with(const std::vector<const char*>& words) {
  std::vector<const char*> arguments = {"diskeyval"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Ended ended;
  ended.code = run(static_cast<int>(arguments.size()), arguments.data());
  ended.out = testing::internal::GetCapturedStdout();
  ended.error = testing::internal::GetCapturedStderr();
  return ended;
}

void expect(int code, const std::string& part, const std::vector<const char*>& words) {
  const Ended ended = run_with(words);
  std::string line;
  for (const char* word : words) line += std::string(" ") + word;
  EXPECT_EQ(ended.code, code) << line << "\n" << ended.error;
  EXPECT_NE((ended.out + ended.error).find(part), std::string::npos) << line << "\n"
                                                                     << ended.out << ended.error;
}

TEST(CommandLine, Helps) {
  expect(0, "certs", {"--help"});
  expect(0, "--election-timeout", {"serve", "--help"});
  expect(0, "--admin", {"certs", "issue", "--help"});
  expect(0, "diskeyval 0.", {"--version"});
}

TEST(CommandLine, AFlagCountsMoreThanTheEnvironment) {
  ::setenv("DISKEYVAL_ENDPOINTS", "127.0.0.1:1,elsewhere", 1);  // NOLINT(concurrency-mt-unsafe): one thread
  expect(64, "DISKEYVAL_ENDPOINTS elsewhere: host:port", {"get", "k", "--plain"});
  expect(64, "--endpoints nowhere: host:port", {"get", "k", "--plain", "--endpoints", "127.0.0.1:1,nowhere"});
  ::unsetenv("DISKEYVAL_ENDPOINTS");                                // NOLINT(concurrency-mt-unsafe)
  ::setenv("DISKEYVAL_CERT", "/nonexistent/environment/c.crt", 1);  // NOLINT(concurrency-mt-unsafe)
  expect(74, "/nonexistent/environment/ca.crt", {"get", "k"});
  expect(74, "/nonexistent/flag/ca.crt", {"get", "k", "--cert", "/nonexistent/flag/c.crt"});
  ::unsetenv("DISKEYVAL_CERT");  // NOLINT(concurrency-mt-unsafe)
}

TEST(CommandLine, NamesWhatIsWrong) {
  expect(64, "a subcommand is missing", {});
  expect(64, "'fly' is no subcommand", {"fly"});
  expect(64, "--wings", {"serve", "--wings"});
  expect(64, "KEY", {"get"});
  expect(64, "--cert: is missing", {"get", "k"});
  expect(64, "--endpoints nowhere", {"get", "k", "--plain", "--endpoints", "nowhere"});
  expect(64, "--node N or --name NAME", {"certs", "issue", "--dir", "/nonexistent"});
  expect(64, "--cluster xyz", {"certs", "init", "--cluster", "xyz"});
  expect(64, "--listen nowhere: an address", {"serve", "--listen", "nowhere"});
  expect(64, "--heartbeat soon: a time", {"serve", "--heartbeat", "soon"});
  expect(64, "--cert: is missing", {"serve"});
  expect(64, "--data: is missing", {"serve", "--cert", "a", "--key", "b", "--ca", "c"});
  expect(74, "/nonexistent.toml: cannot be read (missing)", {"serve", "--config", "/nonexistent.toml"});
  expect(74, "--cert: /nonexistent.crt cannot be read (missing)",
         {"serve", "--memory", "--cert", "/nonexistent.crt", "--key", "b", "--ca", "c"});
  expect(74, "/nonexistent.crt: there is no such file", {"certs", "show", "/nonexistent.crt"});
  expect(65, "README.md: holds no certificate", {"certs", "show", "README.md"});
  expect(64, "--duration soon: a time", {"bench", "--plain", "--duration", "soon"});
  expect(64, "--warm-up 3d: a time", {"bench", "--plain", "--warm-up", "3d"});
  expect(64, "--clients: a number from 1 to 1000", {"bench", "--plain", "--clients", "0"});
  expect(64, "--key-size: a number from 5", {"bench", "--plain", "--key-size", "4"});
  expect(64, "--target", {"bench", "--plain", "--target", "redis"});
  expect(64, "--cert: is missing", {"bench"});
  expect(64, "'k': KEY=VALUE was expected", {"mput", "k", "--plain", "--endpoints", "127.0.0.1:1"});
}

TEST(CommandLine, SaysWhenNobodyAnswers) {
  expect(69, "127.0.0.1:1: cannot connect",
         {"get", "k", "--plain", "--endpoints", "127.0.0.1:1", "--timeout", "50"});
  expect(69, "127.0.0.1:1", {"put", "k", "v", "--plain", "--endpoints", "127.0.0.1:1", "--timeout", "50"});
  expect(69, "no endpoint is that of the leader",
         {"bench", "--plain", "--endpoints", "127.0.0.1:1", "--timeout", "50"});
  expect(69, "cannot connect (Connection refused)",
         {"bench", "--plain", "--endpoints", "127.0.0.1:1", "--spread", "all", "--duration", "50ms",
          "--warm-up", "0"});
  expect(69, "endpoint", {"status", "--plain", "--endpoints", "127.0.0.1:1", "--timeout", "50"});
}

}  // namespace
}  // namespace raftlab::diskeyval
