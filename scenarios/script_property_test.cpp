#include "scenarios/script.hpp"

#include "scenarios/parser.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Scripts made at random: whatever a text says, it is run, or it is refused at a place in it.
namespace raftlab::scenarios {
namespace {

/// A small generator whose whole life follows from its seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint32_t operator()(std::uint32_t count) {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111eb;
    return static_cast<std::uint32_t>((mixed ^ (mixed >> 31U)) % count);
  }
  template <std::size_t Size>
  std::string pick(const std::array<const char*, Size>& from) {
    return from[(*this)(Size)];
  }

 private:
  std::uint64_t state_;
};

/// The commands of the language with holes: N a node, S a selection, K a key, V a value.
constexpr std::array<const char*, 57> commands{"tick N",
                                               "tick N 7",
                                               "tick all 20",
                                               "campaign N",
                                               "elect N",
                                               "elect N votes N",
                                               "settle",
                                               "settle N",
                                               "deliver S",
                                               "deliver all",
                                               "deliver S together",
                                               "drop S",
                                               "drop all",
                                               "duplicate S",
                                               "hold S",
                                               "hold all",
                                               "release S",
                                               "release all",
                                               "partition N | N",
                                               "isolate N",
                                               "cut N -> N",
                                               "cut N <-> N",
                                               "heal",
                                               "heal N <-> N",
                                               "propose N K",
                                               "propose N K V",
                                               "delete N K",
                                               "cas N K V V",
                                               "cas N K none V",
                                               "batch N K=V K=V",
                                               "get N K",
                                               "get N K stale",
                                               "mget N K K",
                                               "kill N",
                                               "crash N",
                                               "crash N keep",
                                               "crash N sectors",
                                               "restart N",
                                               "restart N manual",
                                               "pause N",
                                               "resume N",
                                               "disk N manual",
                                               "disk N auto",
                                               "sync N",
                                               "fail sync N",
                                               "tear N 5",
                                               "tear N 9 zeros",
                                               "status",
                                               "log",
                                               "messages",
                                               "peers N",
                                               "snapshot N",
                                               "reconfigure N N",
                                               "reconfigure N all",
                                               "reconfigure N N learners N",
                                               "transfer N -> N",
                                               "expect no findings"};
constexpr std::array<const char*, 12> selections{
    "",  "N -> N",     "-> N", "N ->",  "append",        "vote",
    "1", "2 reversed", "last", "nth 1", "heartbeat all", "N -> N all"};

std::string fill(std::string_view pattern, Random& random, std::uint32_t nodes) {
  std::string text;
  for (const char c : pattern) {
    if (c == 'N') {
      text += "n" + std::to_string(1 + random(nodes));
    } else if (c == 'K') {
      text += random.pick(std::array{"a", "b", "c"});
    } else if (c == 'V') {
      text += random.pick(std::array{"1", "2", "3"});
    } else if (c == 'S') {
      text += fill(random.pick(selections), random, nodes);
    } else {
      text += c;
    }
  }
  return text;
}

/// The longest script that still passes of so many commands tried: each one that makes it fail is left out.
std::string passing_script(Random& random, std::uint32_t commands_max) {
  const std::uint32_t nodes = 1 + random(4);
  std::string text = "cluster " + std::to_string(nodes) + (random(2) == 0 ? " pre-vote off" : "") +
                     (random(2) == 0 ? " check-quorum off" : "") +
                     (random(2) == 0 ? " tail 0 chunks 64" : "") +
                     (nodes > 1 && random(2) == 0 ? " spares 1" : "") + "\n";
  for (std::uint32_t i = 0; i < commands_max; ++i) {
    const std::string line = fill(random.pick(commands), random, nodes) + "\n";
    const ScriptResult result = run_script("t.scn", text + line);
    for (const invariants::Finding& finding : result.findings) RC_FAIL(line + ": " + finding.text);
    if (result.outcome == Outcome::passed) text += line;
  }
  return text;
}

/// Behind some of the commands something is expected, mostly wrongly; and there is prose.
std::string with_expectations(const std::string& script, Random& random) {
  std::string text;
  for (std::size_t from = 0; from < script.size();) {
    const std::size_t end = script.find('\n', from);
    if (random(6) == 0) text += random.pick(std::array{"# prose\n", "\n", "   \n", "\t# more\n"});
    text += script.substr(from, end - from);
    if (random(4) == 0) text += random.pick(std::array{"  ", "\t", "   # a comment", " #"});
    text += '\n';
    if (random(2) == 0) {
      text += "----\n";
      for (std::uint32_t lines = random(3); lines > 0; --lines)
        text += random.pick(std::array{"wrong\n", "# no comment\n", "----\n", "status\n"});
      text += random.pick(std::array{"\n", "  \n", "\n\n"});
    }
    from = end + 1;
  }
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

/// What is wrong stands at a place of the text, and is shown with the line that stands there.
void check_place(const Diagnostic& diagnostic, std::string_view text) {
  RC_ASSERT(diagnostic.file == "t.scn");
  RC_ASSERT(!diagnostic.message.empty());
  if (diagnostic.line == 0) return;
  const auto lines = lines_of(text);
  // Output that is missing at the end of the file is missed on the line behind it.
  RC_ASSERT(diagnostic.line <= lines.size() + 1);
  if (diagnostic.line > lines.size()) return;
  const std::string_view line = lines[diagnostic.line - 1];
  RC_ASSERT(diagnostic.column >= 1);
  RC_ASSERT(diagnostic.column <= line.size() + 1);
  RC_ASSERT(diagnostic.source.empty() || line.starts_with(diagnostic.source));
}

/// Runs anything. Returns false when it was refused or failed.
bool ends_well_defined(std::string_view text) {
  const ScriptResult result = run_script("t.scn", text);
  RC_ASSERT((result.outcome == Outcome::passed) == result.diagnostics.empty());
  for (const Diagnostic& diagnostic : result.diagnostics) check_place(diagnostic, text);
  for (const invariants::Finding& finding : result.findings)
    RC_ASSERT(finding.rung != invariants::Rung::N0);  // an exception in the code under test
  if (result.outcome == Outcome::malformed) {
    RC_ASSERT(result.commands == 0U);
  }
  return result.outcome == Outcome::passed;
}

RC_GTEST_PROP(ScriptProperty, PrintingTheWordsOfAScriptAndReadingThemAgainGivesTheSameWords, ()) {
  Random random(*rc::gen::arbitrary<std::uint64_t>());
  const std::string text = with_expectations(passing_script(random, 20), random);
  const auto first = parse("t.scn", text);
  RC_ASSERT(std::holds_alternative<Script>(first));
  std::string printed;
  for (const Statement& statement : std::get<Script>(first).statements) {
    for (const Token& token : statement.tokens) printed += std::string(token.text) + " ";
    printed += "\n";
    if (!statement.compares) continue;
    printed += "----\n";
    for (const std::string_view line : statement.expected) printed += std::string(line) + "\n";
    printed += "\n";
  }
  const auto second = parse("t.scn", printed);
  RC_ASSERT(std::holds_alternative<Script>(second));
  const auto& before = std::get<Script>(first).statements;
  const auto& after = std::get<Script>(second).statements;
  RC_ASSERT(before.size() == after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    RC_ASSERT(before[i].compares == after[i].compares);
    RC_ASSERT(before[i].expected == after[i].expected);
    RC_ASSERT(std::ranges::equal(before[i].tokens, after[i].tokens, {}, &Token::text, &Token::text));
  }
}

RC_GTEST_PROP(ScriptProperty, SpacesCommentsAndOutputChangeNothingOfARun, ()) {
  Random random(*rc::gen::arbitrary<std::uint64_t>());
  const std::string text = passing_script(random, 30);
  const ScriptResult bare = run_script("t.scn", text);
  const ScriptResult dressed =
      run_script("t.scn", with_expectations(text, random), RunScriptOptions{true, false});
  RC_ASSERT(bare.outcome == Outcome::passed);
  RC_ASSERT(dressed.outcome == Outcome::passed);
  RC_ASSERT(dressed.digest == bare.digest);
  RC_ASSERT(dressed.steps == bare.steps);
  RC_ASSERT(dressed.commands == bare.commands);
}

RC_GTEST_PROP(ScriptProperty, ARewrittenScriptPassesAndIsStable, ()) {
  Random random(*rc::gen::arbitrary<std::uint64_t>());
  std::string text = with_expectations(passing_script(random, 30), random);
  if (random(3) == 0) text.resize(text.find_last_not_of(" \t\n") + 1);  // without a line feed at the end
  const RewriteResult once = rewrite_script("t.scn", text);
  RC_ASSERT(once.run.outcome == Outcome::passed);
  RC_ASSERT(run_script("t.scn", once.text).outcome == Outcome::passed);
  const RewriteResult twice = rewrite_script("t.scn", once.text);
  RC_ASSERT(twice.text == once.text);

  // Everything but the output is as it was: commands, comments, blank lines.
  const auto without_output = [](const std::string& of) {
    const auto parsed = parse("t.scn", of);
    RC_ASSERT(std::holds_alternative<Script>(parsed));
    const Script& script = std::get<Script>(parsed);
    std::vector<std::string> lines(script.lines.begin(), script.lines.end());
    for (auto it = script.statements.rbegin(); it != script.statements.rend(); ++it) {
      if (!it->compares) continue;
      const auto from = lines.begin() + static_cast<std::ptrdiff_t>(it->expected_from - 1);
      lines.erase(from, from + static_cast<std::ptrdiff_t>(it->expected.size()));
    }
    return lines;
  };
  RC_ASSERT(without_output(once.text) == without_output(text));
}

RC_GTEST_PROP(ScriptProperty, AScriptThatIsCutOrChangedAnywhereRunsOrIsRefusedAtAPlaceInIt, ()) {
  Random random(*rc::gen::arbitrary<std::uint64_t>());
  const std::string text = with_expectations(passing_script(random, 20), random);
  for (int i = 0; i < 20; ++i) {
    std::string changed = text;
    switch (random(4)) {
      case 0: changed.resize(random(static_cast<std::uint32_t>(text.size()))); break;
      case 1:
        changed[random(static_cast<std::uint32_t>(text.size()))] = static_cast<char>(random(256));
        break;
      case 2: changed.erase(random(static_cast<std::uint32_t>(text.size())), 1 + random(5)); break;
      default: {
        const std::string part = text.substr(random(static_cast<std::uint32_t>(text.size())), 1 + random(9));
        changed.insert(random(static_cast<std::uint32_t>(text.size())), part);
        break;
      }
    }
    (void)ends_well_defined(changed);
  }
}

RC_GTEST_PROP(ScriptProperty, AnyBytesAreRefusedAtAPlaceInThem, (const std::string& bytes)) {
  RC_ASSERT(!ends_well_defined(bytes));
  RC_ASSERT(!ends_well_defined("cluster 3\nexpect " + bytes));
}

/// Words of the language in no order.
RC_GTEST_PROP(ScriptProperty, AnyWordsRunOrAreRefused, ()) {
  Random random(*rc::gen::arbitrary<std::uint64_t>());
  std::vector<std::string> words{"----", "#",     "->", "<->", "|",
                                 "all",  "none",  "0",  "1",   "18446744073709551616",
                                 "=",    "index", "of", "as",  "in"};
  for (const std::string& usage : command_usages()) {
    words.push_back(usage.substr(0, usage.find(' ')));
    words.push_back(fill(random.pick(commands), random, 3));
  }
  for (int script = 0; script < 20; ++script) {
    std::string text = "cluster 3\n";
    for (int i = 0; i < 12; ++i) {
      text += words[random(static_cast<std::uint32_t>(words.size()))];
      text += random(3) == 0 ? "\n" : " ";
    }
    (void)ends_well_defined(text);
  }
}

TEST(ScriptProperty, scripts_made_at_random_do_something) {
  std::uint64_t steps = 0;
  std::uint64_t carried_out = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    const ScriptResult result = run_script("t.scn", passing_script(random, 40));
    EXPECT_EQ(result.outcome, Outcome::passed);
    steps += result.steps;
    carried_out += result.commands;
  }
  EXPECT_GT(carried_out, 250U);
  EXPECT_GT(steps, 500U);
}

}  // namespace
}  // namespace raftlab::scenarios
