#pragma once

#include "reports/campaign.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Reports for people: the verdict first, one fact a line, every number with its unit, the next command ready to copy.
/// No line is wider than 100 columns, except for commands and paths, which are not broken.
namespace raftlab::reports {

enum class Colour : std::uint8_t { off, on };

/// "holds", "violated" or "inconclusive", in colour when wanted, padded to `width`.
[[nodiscard]] std::string verdict_word(simulator::Verdict verdict, Colour colour, std::size_t width = 0);

/// The commands to go on with after a violation. Empty ones are left out.
struct NextSteps {
  std::string trace;  ///< where the trace was saved
  std::string replay;
  std::string show;
  std::string note;  ///< something to be told besides, such as a trace that could not be saved
};

/// A violated seed: the root, what fell after it, the profile, and how to look at it.
[[nodiscard]] std::string violation(const SeedReport& report, const NextSteps& next, Colour colour);

/// The end of a campaign. `seeds` says which were run ("seeds 1..412"), `replay` is the line that replays one of them,
/// `interrupted` the signal that ended it, or empty.
[[nodiscard]] std::string conclusion(const Campaign& campaign, std::string_view seeds,
                                     std::string_view replay, std::string_view interrupted, Colour colour);

/// The state of a campaign that goes on, on one line.
[[nodiscard]] std::string progress(const Campaign& campaign);

}  // namespace raftlab::reports
