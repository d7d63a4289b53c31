#pragma once

#include "simulator/chooser.hpp"
#include "simulator/profile.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What several tests of this folder use.
namespace raftlab::simulator::testing {

/// Answers by the kind of the decision, and 0 where nothing was said. Remembers what it was asked.
class ScriptedChooser final : public Chooser {
 public:
  struct Question {
    Key key;
    std::uint64_t range;  ///< 0: of `happens`
  };

  void answer(Choice choice, std::uint64_t value) {
    answers_[choice] = [value](const Key& /*key*/) { return value; };
  }
  void answer(Choice choice, std::function<std::uint64_t(const Key&)> answer) {
    answers_[choice] = std::move(answer);
  }
  void forget(Choice choice) { answers_.erase(choice); }

  [[nodiscard]] std::uint64_t choose(Key key, std::uint64_t range) override {
    asked_.push_back(Question{key, range});
    return std::min(said(key), range - 1);
  }
  [[nodiscard]] bool happens(Key key, std::uint32_t /*per_million*/) override {
    asked_.push_back(Question{key, 0});
    return said(key) != 0;
  }

  [[nodiscard]] const std::vector<Question>& asked() const { return asked_; }
  [[nodiscard]] std::size_t asked(Choice choice) const {
    return static_cast<std::size_t>(
        std::ranges::count(asked_, choice, [](const Question& question) { return question.key.choice; }));
  }

 private:
  [[nodiscard]] std::uint64_t said(const Key& key) const {
    const auto found = answers_.find(key.choice);
    return found == answers_.end() ? 0 : found->second(key);
  }

  std::map<Choice, std::function<std::uint64_t(const Key&)>> answers_;
  std::vector<Question> asked_;
};

/// No faults, and fixed numbers for everything that a seed would draw.
inline Profile quiet_profile(std::uint32_t nodes) {
  Profile profile;
  profile.name = "quiet";
  profile.nodes = nodes;
  profile.fault_phase_ns = 2 * second;
  return profile;
}

inline std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

}  // namespace raftlab::simulator::testing
