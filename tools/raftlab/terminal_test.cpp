#include "tools/raftlab/terminal.hpp"

#include "tools/raftlab/cli_fixture.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace raftlab::tool {
namespace {

using reports::Colour;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A terminal in place of stdout and stderr, as long as it lives.
class Terminal {
 public:
  Terminal() : own_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    if (own_ < 0 || ::grantpt(own_) != 0 || ::unlockpt(own_) != 0) return;
    char name[128];
    if (::ptsname_r(own_, name, sizeof name) != 0) return;
    other_ = ::open(name, O_RDWR | O_NOCTTY);
  }
  ~Terminal() {
    give_back();
    for (const int descriptor : {own_, other_}) {
      if (descriptor >= 0) ::close(descriptor);
    }
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] bool works() const { return other_ >= 0; }

  void take(int descriptor) {
    std::cout.flush();
    before_ = ::dup(descriptor);
    descriptor_ = descriptor;
    ::dup2(other_, descriptor);
  }
  void give_back() {
    if (before_ < 0) return;
    ::dup2(before_, descriptor_);
    ::close(before_);
    before_ = -1;
  }

 private:
  int own_;
  int other_ = -1;
  int descriptor_ = -1;
  int before_ = -1;
};

/// What the environment says of a terminal; the same as before afterwards.
class TerminalTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (!terminal_.works()) GTEST_SKIP() << "there are no pseudo-terminals";
    say("TERM", "xterm");
    say("NO_COLOR", nullptr);
  }
  void TearDown() override {
    terminal_.give_back();
    say("TERM", "dumb");
    say("NO_COLOR", nullptr);
    CliTest::TearDown();
  }

  static void say(const char* name, const char* value) {
    // NOLINTBEGIN(concurrency-mt-unsafe): no other thread is there
    if (value != nullptr) {
      ::setenv(name, value, 1);
    } else {
      ::unsetenv(name);
    }
    // NOLINTEND(concurrency-mt-unsafe)
  }

  Colour colour_on_terminal() {
    terminal_.take(STDOUT_FILENO);
    const Colour colour = stdout_colour();
    terminal_.give_back();
    return colour;
  }

  Terminal terminal_;
};

TEST_F(TerminalTest, HasColour) { EXPECT_EQ(colour_on_terminal(), Colour::on); }

TEST_F(TerminalTest, HasNoColourWithNoColorUnlessItIsEmpty) {
  say("NO_COLOR", "1");
  EXPECT_EQ(colour_on_terminal(), Colour::off);
  say("NO_COLOR", "0");
  EXPECT_EQ(colour_on_terminal(), Colour::off);
  say("NO_COLOR", "");
  EXPECT_EQ(colour_on_terminal(), Colour::on);
}

TEST_F(TerminalTest, ThatIsDumbHasNoColour) {
  say("TERM", "dumb");
  EXPECT_EQ(colour_on_terminal(), Colour::off);
}

TEST_F(TerminalTest, AFileHasNoColour) {
  write("file", "");
  const int file = ::open("file", O_WRONLY);
  const int before = ::dup(STDOUT_FILENO);
  ::dup2(file, STDOUT_FILENO);
  const Colour colour = stdout_colour();
  ::dup2(before, STDOUT_FILENO);
  ::close(before);
  ::close(file);
  EXPECT_EQ(colour, Colour::off);
}

TEST_F(TerminalTest, AVerdictIsColouredThereAndNotWithNoColor) {
  write("a.scn", "cluster 1\nelect n1\n");
  terminal_.take(STDOUT_FILENO);
  EXPECT_THAT(run({"run", "a.scn"}).out, StartsWith("\x1b[32mholds\x1b[0m  1 scenario passed"));
  say("NO_COLOR", "1");
  EXPECT_THAT(run({"run", "a.scn"}).out, StartsWith("holds  1 scenario passed"));
}

TEST_F(TerminalTest, JsonIsNeverColoured) {
  write("violated.toml", violated_toml);
  terminal_.take(STDOUT_FILENO);
  const Ran ran = run({"explore", "--profile", "violated.toml", "--seed", "1", "--json"});
  EXPECT_THAT(ran.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(ran.err, Not(HasSubstr("\x1b")));
}

TEST_F(TerminalTest, TheProgressReplacesItselfAndGoes) {
  terminal_.take(STDERR_FILENO);
  std::stringbuf err;
  const Redirected to_err(std::cerr, &err);
  ProgressLine progress;
  EXPECT_TRUE(progress.visible());
  progress.clear();
  EXPECT_EQ(err.str(), "") << "nothing was shown";
  progress.show("one");
  progress.show("two");
  progress.clear();
  progress.clear();
  EXPECT_EQ(err.str(), "\rone\x1b[K\rtwo\x1b[K\r\x1b[K");
}

TEST_F(TerminalTest, TheProgressGoesWithItsObject) {
  terminal_.take(STDERR_FILENO);
  std::stringbuf err;
  const Redirected to_err(std::cerr, &err);
  {
    ProgressLine progress;
    progress.show("one");
  }
  EXPECT_EQ(err.str(), "\rone\x1b[K\r\x1b[K");
}

TEST_F(TerminalTest, ADumbOneHasNoProgress) {
  say("TERM", "dumb");
  terminal_.take(STDERR_FILENO);
  std::stringbuf err;
  const Redirected to_err(std::cerr, &err);
  ProgressLine progress;
  EXPECT_FALSE(progress.visible());
  progress.show("one");
  EXPECT_EQ(err.str(), "");
}

TEST_F(TerminalTest, ACampaignEndsWithoutItsProgress) {
  write("violated.toml", violated_toml);
  terminal_.take(STDERR_FILENO);
  const Ran ran = run({"explore", "--profile", "violated.toml", "--seed", "1"});
  EXPECT_THAT(ran.err, HasSubstr("\r  recording seed 1\x1b[K"));
  EXPECT_THAT(ran.err, testing::EndsWith("\r\x1b[K"));
}

TEST(FlushStdout, SaysWhetherEverythingHasArrived) {
  std::stringbuf taken;
  {
    const Redirected to(std::cout, &taken);
    std::cout << "text";
    EXPECT_TRUE(flush_stdout());
  }
  FullDevice full;
  const Redirected to(std::cout, &full);
  std::cout << "text";
  EXPECT_FALSE(flush_stdout());
}

}  // namespace
}  // namespace raftlab::tool
