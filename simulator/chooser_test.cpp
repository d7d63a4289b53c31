#include "simulator/chooser.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace raftlab::simulator {
namespace {

Key key(std::uint64_t subject, Choice choice = Choice::message_delay) { return Key{choice, subject}; }

/// The generator is part of every seed's identity: these numbers never change.
TEST(RandomChooserTest, GoldenValues) {
  RandomChooser one{Seed(1)};
  RandomChooser two{Seed(2)};
  constexpr std::uint64_t wide = 1ULL << 62U;
  EXPECT_EQ(key(0).hash(), 0x6f93fa03d6979c7fULL);
  EXPECT_EQ(subject(std::uint64_t{1}, NodeId(2)), 0xc2d566f7805647d9ULL);
  EXPECT_EQ(one.choose(key(0), wide), 0xcfb8f9b67bfd931ULL);
  EXPECT_EQ(one.choose(key(1), wide), 0x378ad2d30938738fULL);
  EXPECT_EQ(one.choose(key(0, Choice::message_loss), wide), 0x3c7baf4629db073dULL);
  EXPECT_EQ(two.choose(key(0), wide), 0x1186a58f7e6a75baULL);
  EXPECT_EQ(two.choose(key(123'456'789), 1000), 858U);
}

TEST(RandomChooserTest, EqualQuestionsGetEqualAnswersInAnyOrder) {
  RandomChooser forwards{Seed(5)};
  RandomChooser backwards{Seed(5)};
  std::vector<std::uint64_t> answers;
  for (std::uint64_t i = 0; i < 100; ++i) answers.push_back(forwards.choose(key(i), 1000));
  for (std::uint64_t i = 100; i-- > 0;) EXPECT_EQ(backwards.choose(key(i), 1000), answers[i]);
}

RC_GTEST_PROP(RandomChooserProperty, AnswersAreBelowTheRange, (std::uint64_t seed, std::uint64_t about)) {
  RandomChooser chooser{Seed(seed)};
  const auto range =
      *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(1, 100), rc::gen::nonZero<std::uint64_t>()).as("range");
  RC_ASSERT(chooser.choose(key(about), range) < range);
}

TEST(RandomChooserTest, ARangeOfOneLeavesNoChoice) {
  RandomChooser chooser{Seed(3)};
  for (std::uint64_t i = 0; i < 50; ++i) EXPECT_EQ(chooser.choose(key(i), 1), 0U);
}

TEST(RandomChooserTest, AllAnswersOccurAboutEquallyOften) {
  RandomChooser chooser{Seed(9)};
  std::array<int, 8> counts{};
  for (std::uint64_t i = 0; i < 8'000; ++i) ++counts[chooser.choose(key(i), counts.size())];
  for (const int count : counts) {
    EXPECT_GT(count, 850);
    EXPECT_LT(count, 1150);
  }
}

TEST(RandomChooserTest, ThingsHappenAtTheirRate) {
  RandomChooser chooser{Seed(4)};
  for (const std::uint32_t rate : {1'000U, 50'000U, 500'000U, 990'000U}) {
    std::uint64_t happened = 0;
    for (std::uint64_t i = 0; i < 40'000; ++i) happened += chooser.happens(key(i), rate) ? 1 : 0;
    const double expected = 0.04 * rate;
    EXPECT_NEAR(static_cast<double>(happened), expected, 30 + 0.1 * expected) << rate;
  }
}

TEST(RandomChooserTest, NeverAndAlwaysAreExact) {
  RandomChooser chooser{Seed(4)};
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    EXPECT_FALSE(chooser.happens(key(i), 0));
    EXPECT_TRUE(chooser.happens(key(i), million));
  }
}

TEST(ChooserTest, BetweenIncludesBothEnds) {
  RandomChooser chooser{Seed(8)};
  std::set<std::int64_t> seen;
  for (std::uint64_t i = 0; i < 200; ++i) seen.insert(chooser.between(key(i), -2, 2));
  EXPECT_EQ(seen, (std::set<std::int64_t>{-2, -1, 0, 1, 2}));
  EXPECT_EQ(chooser.between(key(1), 5, 5), 5);
  EXPECT_EQ(chooser.between(key(1), 5, 4), 5);
}

TEST(ChooserTest, DifferentChoicesAboutOneSubjectAreIndependent) {
  std::set<std::uint64_t> hashes;
  for (int choice = 1; choice <= static_cast<int>(Choice::client_policy); ++choice) {
    hashes.insert(key(77, static_cast<Choice>(choice)).hash());
  }
  EXPECT_EQ(hashes.size(), static_cast<std::size_t>(Choice::client_policy));
}

TEST(ChooserTest, TheNumbersOfChoicesAreThoseOfTheTraceFormat) {
  EXPECT_EQ(static_cast<int>(Choice::profile), 1);
  EXPECT_EQ(static_cast<int>(Choice::message_loss), 5);
  EXPECT_EQ(static_cast<int>(Choice::span_joined), 12);
  EXPECT_EQ(static_cast<int>(Choice::crash_fate), 17);
  EXPECT_EQ(static_cast<int>(Choice::client_policy), 31);
}

TEST(RecordingChooserTest, WhatIsRecordedIsReplayed) {
  RandomChooser random{Seed(6)};
  RecordingChooser recorder(random);
  std::vector<std::uint64_t> answers;
  std::vector<bool> events;
  for (std::uint64_t i = 0; i < 300; ++i) {
    answers.push_back(recorder.choose(key(i), 1 + i % 7));
    events.push_back(recorder.happens(key(i, Choice::message_loss), 300'000));
  }
  for (const Decision& decision : recorder.decisions()) EXPECT_NE(decision.value, 0U);
  ReplayChooser replay;
  for (const Decision& decision : recorder.decisions()) replay.add(decision);
  EXPECT_EQ(replay.size(), recorder.decisions().size());
  for (std::uint64_t i = 300; i-- > 0;) {
    EXPECT_EQ(replay.choose(key(i), 1 + i % 7), answers[i]);
    EXPECT_EQ(replay.happens(key(i, Choice::message_loss), 300'000), events[i]);
  }
}

TEST(RecordingChooserTest, ItPassesAnswersOnUnchanged) {
  RandomChooser random{Seed(6)};
  RandomChooser same{Seed(6)};
  RecordingChooser recorder(random);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(recorder.choose(key(i), 50), same.choose(key(i), 50));
}

TEST(ReplayChooserTest, WhatIsMissingIsZeroAndNoFault) {
  ReplayChooser replay;
  replay.add(Decision{key(1).hash(), 5});
  EXPECT_EQ(replay.choose(key(2), 100), 0U);
  EXPECT_FALSE(replay.happens(key(2), million));
  EXPECT_EQ(replay.between(key(2), 10, 20), 10);
}

TEST(ReplayChooserTest, ARecordedAnswerStaysInsideASmallerRange) {
  ReplayChooser replay;
  replay.add(Decision{key(1).hash(), 5});
  EXPECT_EQ(replay.choose(key(1), 100), 5U);
  EXPECT_EQ(replay.choose(key(1), 3), 2U);
  EXPECT_EQ(replay.choose(key(1), 1), 0U);
}

TEST(ReplayChooserTest, ALaterDecisionReplacesAnEarlierOne) {
  ReplayChooser replay;
  replay.add(Decision{key(1).hash(), 5});
  replay.add(Decision{key(1).hash(), 6});
  EXPECT_EQ(replay.size(), 1U);
  EXPECT_EQ(replay.choose(key(1), 100), 6U);
}

}  // namespace
}  // namespace raftlab::simulator
