#include "tools/raftlab/signals.hpp"

#include "tools/raftlab/cli_fixture.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace raftlab::tool {
namespace {

using testing::ExitedWithCode;
using testing::HasSubstr;
using testing::KilledBySignal;

/// A signal is noted for good, so each of these runs in a process of its own.
class SignalsDeathTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    write("endless.toml", endless_toml);
    write("small.toml", small_toml);
  }

  static bool watched(int signal) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
  }

  /// Runs raftlab, sends the signal as soon as it is watched for, and ends with the exit code; stderr has
  /// everything that was printed.
  [[noreturn]] static void run_and_interrupt(const std::vector<std::string>& arguments, int signal) {
    std::signal(signal, SIG_DFL);
    std::thread sender([signal] {
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
      while (!watched(signal) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
      ::kill(::getpid(), signal);
    });
    const Ran ran = run(arguments);
    sender.join();
    std::cerr << ran.out << ran.err << std::flush;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the other thread has ended
    std::exit(ran.code);
  }
};

const std::vector<std::string> endless = {"explore", "--profile", "endless.toml", "--seeds", "1..2"};

TEST_F(SignalsDeathTest, SigintEndsACampaignWith130AndItsConclusion) {
  EXPECT_EXIT(run_and_interrupt(endless, SIGINT), ExitedWithCode(130),
              "inconclusive  seeds 1..2\n +no seed was run to its end\n +interrupted by SIGINT");
}

TEST_F(SignalsDeathTest, SigtermEndsACampaignWith143AndItsConclusion) {
  EXPECT_EXIT(run_and_interrupt(endless, SIGTERM), ExitedWithCode(143), "interrupted by SIGTERM");
}

TEST_F(SignalsDeathTest, TheSummaryAndTheReportAreWritten) {
  std::vector<std::string> arguments = endless;
  arguments.insert(arguments.end(), {"--json", "--junit", "junit.xml", "--jobs", "2"});
  EXPECT_EXIT(run_and_interrupt(arguments, SIGTERM), ExitedWithCode(143),
              "\"summary\":.*\"interrupted\":\"SIGTERM\"");
  EXPECT_THAT(read("junit.xml"), HasSubstr("tests=\"0\""));
  EXPECT_THAT(read("junit.xml"), testing::EndsWith("</testsuites>\n"));
}

TEST_F(SignalsDeathTest, ATraceThatWasNotRecordedToItsEndIsNotLeftBehind) {
  const auto before = files();
  EXPECT_EXIT(
      run_and_interrupt({"explore", "--profile", "endless.toml", "--seed", "1", "--trace", "t"}, SIGINT),
      ExitedWithCode(130), "interrupted by SIGINT");
  EXPECT_EQ(files(), before);
}

TEST_F(SignalsDeathTest, ABenchIsEndedAsWell) {
  EXPECT_EXIT(run_and_interrupt({"bench", "--profile", "endless.toml"}, SIGINT), ExitedWithCode(130), "");
}

TEST_F(SignalsDeathTest, TheSecondSignalEndsTheProcessAtOnce) {
  EXPECT_EXIT(
      {
        watch_signals();
        std::raise(SIGTERM);
        if (noted_signal() == SIGTERM && signal_stop()) std::raise(SIGTERM);
        std::abort();
      },
      KilledBySignal(SIGTERM), "");
}

TEST(Signals, HaveNames) {
  EXPECT_STREQ(signal_name(SIGINT), "SIGINT");
  EXPECT_STREQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_STREQ(signal_name(0), "");
}

TEST(Signals, NoneIsNotedAtFirst) {
  EXPECT_EQ(noted_signal(), 0);
  EXPECT_FALSE(signal_stop());
}

}  // namespace
}  // namespace raftlab::tool
