#include "scenarios/commands.hpp"
#include "scenarios/text.hpp"

#include <algorithm>
#include <array>
#include <functional>

/// What must be true. An expectation changes nothing.
namespace raftlab::scenarios {
namespace {

// ---- Comparisons ------------------------------------------------------------------------------------------

enum class Compare : std::uint8_t { equal, unequal, less, less_equal, greater, greater_equal };

Compare parse_compare(Arguments& arguments) {
  if (arguments.accept("!=")) return Compare::unequal;
  if (arguments.accept("<=")) return Compare::less_equal;
  if (arguments.accept("<")) return Compare::less;
  if (arguments.accept(">=")) return Compare::greater_equal;
  if (arguments.accept(">")) return Compare::greater;
  (void)arguments.accept("=");
  return Compare::equal;
}

bool holds(std::uint64_t left, Compare compare, std::uint64_t right) {
  switch (compare) {
    case Compare::equal: return left == right;
    case Compare::unequal: return left != right;
    case Compare::less: return left < right;
    case Compare::less_equal: return left <= right;
    case Compare::greater: return left > right;
    case Compare::greater_equal: return left >= right;
  }
  return false;
}

/// A number, or `index of KEY`: the last entry of the node's log that sets the key.
struct Operand {
  std::uint64_t value = 0;
  std::string key;
  std::uint32_t column = 0;
};

Operand parse_operand(Arguments& arguments) {
  Operand operand;
  operand.column = arguments.column();
  if (arguments.accept("index")) {
    arguments.expect("of");
    operand.key = arguments.word("a key");
  } else {
    operand.value = arguments.number("a number", 0, UINT64_MAX);
  }
  return operand;
}

std::uint64_t value_of(const World& world, NodeId node, const Operand& operand) {
  if (operand.key.empty()) return operand.value;
  const raft::Log& log = *world.view(node).log;
  for (raft::Index index = log.last(); index >= log.first(); index = index.previous()) {
    const raft::EntryView entry = log.entry(index);
    if (entry.kind != raft::EntryKind::command) continue;
    const auto command = kv::decode(entry.payload);
    if (!command) continue;
    for (const std::string& put : puts_of(*command)) {
      if (put.starts_with(operand.key + "=")) return index.value();
    }
  }
  throw Failure{operand.column, name(node) + " has no entry that sets " + operand.key + "\n" + log_text(log)};
}

// ---- expect NODE ... --------------------------------------------------------------------------------------

using Number = std::uint64_t (*)(const raft::View& view, raft::Index applied);

struct NumberField {
  const char* name;
  Number of;
};
constexpr std::array<NumberField, 10> number_fields{{
    {"term", [](const raft::View& view, raft::Index /*applied*/) { return view.state.hard.term.value(); }},
    {"commit", [](const raft::View& view, raft::Index /*applied*/) { return view.state.commit.value(); }},
    {"applied", [](const raft::View& /*view*/, raft::Index applied) { return applied.value(); }},
    {"durable", [](const raft::View& view, raft::Index /*applied*/) { return view.state.durable.value(); }},
    {"last", [](const raft::View& view, raft::Index /*applied*/) { return view.state.last.index.value(); }},
    {"last-term",
     [](const raft::View& view, raft::Index /*applied*/) { return view.state.last.term.value(); }},
    {"snapshot",
     [](const raft::View& view, raft::Index /*applied*/) { return view.state.snapshot.index.value(); }},
    {"base", [](const raft::View& view, raft::Index /*applied*/) { return view.state.base.index.value(); }},
    {"dropped", [](const raft::View& view, raft::Index /*applied*/) { return view.dropped; }},
    {"reads",
     [](const raft::View& view, raft::Index /*applied*/) {
       return view.reads.size() + view.forwarded.size() + view.reads_confirmed;
     }},
}};

[[noreturn]] void differs(std::uint32_t column, const World& world, NodeId node, const std::string& found) {
  throw Failure{column, found + "\n" + world.status(node)};
}

Action number_expectation(std::uint32_t column, NodeId node, const NumberField& field, Arguments& arguments) {
  const Compare compare = parse_compare(arguments);
  const Operand operand = parse_operand(arguments);
  return [=](World& world, Printed& /*printed*/) {
    require_up(world, node, column);
    const std::uint64_t found = field.of(world.view(node), world.applied(node));
    const std::uint64_t wanted = value_of(world, node, operand);
    if (holds(found, compare, wanted)) return;
    std::string text = std::string(field.name) + " of " + name(node) + " is " + std::to_string(found);
    if (!operand.key.empty()) text += ", index of " + operand.key + " is " + std::to_string(wanted);
    differs(column, world, node, text);
  };
}

Action role_expectation(std::uint32_t column, NodeId node, Arguments& arguments) {
  const std::string role = arguments.one_of({"follower", "pre-candidate", "candidate", "leader"});
  return [=](World& world, Printed& /*printed*/) {
    require_up(world, node, column);
    const std::string found = raft::name(world.view(node).state.role);
    if (found != role) differs(column, world, node, name(node) + " is " + found);
  };
}

Action node_expectation(std::uint32_t column, NodeId node, bool vote, Arguments& arguments) {
  const NodeId wanted = arguments.accept("none") ? NodeId{} : arguments.node();
  return [=](World& world, Printed& /*printed*/) {
    require_up(world, node, column);
    const raft::State state = world.view(node).state;
    const NodeId found = vote ? state.hard.voted_for : state.leader;
    if (found == wanted) return;
    differs(column, world, node,
            (vote ? "the vote of " : "the leader of ") + name(node) + " is " + name(found));
  };
}

/// `expect n1 peer n2 match 3`: what a leader knows of another node.
Action peer_expectation(std::uint32_t column, NodeId node, Arguments& arguments) {
  const NodeId peer = arguments.node();
  const std::string field =
      arguments.one_of({"match", "next", "window", "offset", "probe", "replicate", "snapshot"});
  const bool is_state = field == "probe" || field == "replicate" || field == "snapshot";
  const Compare compare = is_state ? Compare::equal : parse_compare(arguments);
  const Operand operand = is_state ? Operand{} : parse_operand(arguments);
  return [=](World& world, Printed& /*printed*/) {
    require_up(world, node, column);
    const raft::View view = world.view(node);
    const auto progress = std::ranges::find(view.peers, peer, &raft::Progress::id);
    if (progress == view.peers.end()) differs(column, world, node, name(node) + " does not lead");
    const std::string state = raft::name(progress->state);
    std::uint64_t found = progress->window.messages();
    if (field == "match") found = progress->match.value();
    if (field == "next") found = progress->next.value();
    if (field == "offset") found = progress->snapshot_offset;
    if (is_state ? state == field : holds(found, compare, value_of(world, node, operand))) return;
    differs(column, world, node,
            "for " + name(node) + ", " + name(peer) + " is in " + state + " with match " +
                number(progress->match) + ", next " + number(progress->next) + ", window " +
                std::to_string(progress->window.messages()));
  };
}

Action log_expectation(std::uint32_t column, NodeId node, Arguments& arguments) {
  std::string wanted;
  while (!arguments.done()) wanted += (wanted.empty() ? "" : " ") + arguments.word("an entry");
  if (wanted.empty()) arguments.fail("missing entries, such as 1:config 2:noop 2:a=1");
  return [=](World& world, Printed& /*printed*/) {
    require_up(world, node, column);
    const std::string found = log_text(*world.view(node).log);
    if (found != wanted) throw Failure{column, "the log of " + name(node) + " is " + found};
  };
}

Action store_expectation(std::uint32_t column, NodeId node, Arguments& arguments) {
  const std::string key = arguments.word("a key");
  const std::string wanted = arguments.word("a value, or none");
  return [=](World& world, Printed& /*printed*/) {
    require_up(world, node, column);
    const auto found = world.cluster().service(node).store().get(key);
    const std::string text(found.value_or("none"));
    if (text != wanted) differs(column, world, node, "on " + name(node) + ", " + key + " is " + text);
  };
}

/// `expect n1 voters n1 n2 n3`: of the last configuration in the node's log, which is the one in effect.
Action members_expectation(std::uint32_t column, NodeId node, const std::string& field,
                           Arguments& arguments) {
  std::vector<NodeId> wanted;
  if (!arguments.accept("none")) wanted = arguments.nodes_at_least_one();
  std::ranges::sort(wanted);
  return [=](World& world, Printed& /*printed*/) {
    require_up(world, node, column);
    const raft::Configuration& configuration = world.view(node).configurations.back().configuration;
    const std::vector<NodeId>& found = field == "voters"     ? configuration.voters
                                       : field == "outgoing" ? configuration.outgoing
                                                             : configuration.learners;
    if (found == wanted) return;
    std::string text = "the " + field + " on " + name(node) + " are";
    for (const NodeId member : found) text += " " + name(member);
    differs(column, world, node, found.empty() ? text + " none" : text);
  };
}

Action life_expectation(std::uint32_t column, NodeId node, const std::string& wanted) {
  return [=](World& world, Printed& /*printed*/) {
    const simulator::Life life = world.cluster().life(node);
    std::string found = life == simulator::Life::down      ? "down"
                        : life == simulator::Life::refused ? "refused"
                                                           : "up";
    if (found == "up" && world.view(node).faulty) found = "faulty";
    if (found != wanted) throw Failure{column, name(node) + " is " + found};
  };
}

Action parse_expect_node(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  std::vector<std::string_view> fields{"role", "vote", "leader", "peer",   "log",      "has",
                                       "up",   "down", "faulty", "voters", "outgoing", "learners"};
  for (const NumberField& field : number_fields) fields.emplace_back(field.name);
  const std::uint32_t field_column = arguments.column();
  const std::string field = arguments.one_of(fields);
  if (field == "role") return role_expectation(field_column, node, arguments);
  if (field == "vote" || field == "leader")
    return node_expectation(field_column, node, field == "vote", arguments);
  if (field == "peer") return peer_expectation(field_column, node, arguments);
  if (field == "voters" || field == "outgoing" || field == "learners")
    return members_expectation(field_column, node, field, arguments);
  if (field == "log") return log_expectation(field_column, node, arguments);
  if (field == "has") return store_expectation(field_column, node, arguments);
  if (field == "up" || field == "down" || field == "faulty") return life_expectation(column, node, field);
  const auto number = std::ranges::find(number_fields, field, &NumberField::name);
  return number_expectation(field_column, node, *number, arguments);
}

// ---- expect something else --------------------------------------------------------------------------------

/// Keys, or key=value, each committed, in this order of the log.
Action parse_expect_committed(Arguments& arguments, bool wanted) {
  std::vector<std::pair<std::uint32_t, std::string>> puts;  // with the column of each
  do {
    const std::uint32_t column = arguments.column();
    puts.emplace_back(column, arguments.word("a key, or key=value"));
  } while (!arguments.done());
  const auto sets = [](const std::string& put, const std::string& asked) {
    return put == asked || (asked.find('=') == std::string::npos && put.starts_with(asked + "="));
  };
  return [=](World& world, Printed& /*printed*/) {
    std::string all;
    for (const World::Committed& entry : world.committed())
      all += " " + number(entry.id.term) + ":" + entry.text;
    std::size_t next = 0;
    for (const auto& [column, asked] : puts) {
      const auto from = world.committed().begin() + static_cast<std::ptrdiff_t>(wanted ? next : 0);
      const auto found =
          std::find_if(from, world.committed().end(), [&, &key = asked](const World::Committed& entry) {
            return std::ranges::any_of(entry.puts, [&](const std::string& put) { return sets(put, key); });
          });
      const bool is = found != world.committed().end();
      if (is != wanted)
        throw Failure{column, asked + (is ? " is" : " is not") + " committed; these are:" + all};
      if (is) next = static_cast<std::size_t>(found - world.committed().begin()) + 1;
    }
  };
}

/// Index and leader may be left out of what is expected.
template <class Attempted>
void require_answer(std::uint32_t column, const Attempted* attempt, const std::string& wanted,
                    const std::string& expected) {
  if (attempt == nullptr) throw Failure{column, "request " + wanted + " was not made"};
  std::string found = attempt->over ? "lost" : "pending";
  if (attempt->answer) found = text_of(*attempt->answer);
  const bool same =
      found == expected || found.starts_with(expected + " at ") || found.starts_with(expected + ", ");
  if (!same) throw Failure{column, "the answer to " + wanted + " is " + found};
}

/// Of a change of the members or a transfer.
Action change_answer_expectation(std::uint32_t column, const std::string& wanted, Arguments& arguments) {
  std::string expected = arguments.one_of({"accepted", "rejected", "transferred", "pending", "lost"});
  if (expected == "rejected") {
    std::vector<std::string> reasons;
    for (std::uint8_t reason = 0; reason <= static_cast<std::uint8_t>(rejection_last); ++reason)
      reasons.push_back(rejection_word(static_cast<raft::Rejection>(reason)));
    expected += " " + arguments.one_of({reasons.begin(), reasons.end()});
  }
  return [=](World& world, Printed& /*printed*/) {
    require_answer(column, world.change(wanted), wanted, expected);
  };
}

Action parse_expect_answer(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const std::string wanted = arguments.word("the name of a request");
  if (!arguments.context().attempts.contains(wanted))
    throw SyntaxError{column, "there is no request " + wanted};
  if (arguments.context().changes.contains(wanted))
    return change_answer_expectation(column, wanted, arguments);
  std::vector<std::string> words{"pending", "lost"};
  for (std::uint8_t status = 0; status <= static_cast<std::uint8_t>(kv::Status::timed_out); ++status) {
    words.push_back(status_word(static_cast<kv::Status>(status)));
  }
  std::string expected = arguments.one_of({words.begin(), words.end()});
  while (!arguments.done()) expected += " " + arguments.word("a value");
  return [=](World& world, Printed& /*printed*/) {
    require_answer(column, world.attempt(wanted), wanted, expected);
  };
}

Action parse_expect_rung(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const invariants::Rung rung = arguments.rung();
  const bool broken = arguments.one_of({"holds", "broken"}) == "broken";
  if (broken) arguments.context().broken.insert(rung);
  return [=](World& world, Printed& /*printed*/) {
    const auto& findings = world.cluster().ladder().findings();
    const auto found = std::ranges::find(findings, rung, &invariants::Finding::rung);
    const bool is = found != findings.end();
    if (is == broken) return;
    throw Failure{column,
                  std::string(invariants::info(rung).id) + (is ? " is broken: " + found->text : " holds")};
  };
}

Action parse_expect_no(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const std::string what = arguments.one_of({"findings", "message"});
  if (what == "message") {
    Selection selection = parse_selection(arguments, false);
    return [=](World& world, Printed& /*printed*/) {
      const auto numbers = matching(world, selection, Among::not_held);
      if (numbers.empty()) return;
      const auto& flights = world.flights();
      throw Failure{column,
                    "there is " + text_of(std::ranges::find(flights, numbers[0], &Flight::number)->envelope)};
    };
  }
  return [=](World& world, Printed& /*printed*/) {
    const auto& findings = world.cluster().ladder().findings();
    if (!findings.empty()) {
      throw Failure{column, std::string(invariants::info(findings[0].rung).id) + ": " + findings[0].text};
    }
  };
}

Action parse_expect_messages(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const std::uint64_t count = arguments.number("a number of messages", 0, messages_in_flight_max);
  const Selection selection = parse_selection(arguments, false);
  return [=](World& world, Printed& /*printed*/) {
    const std::size_t found = matching(world, selection, Among::not_held).size();
    if (found == count) return;
    std::string message = "there are " + std::to_string(found);
    Printed lines;
    print_messages(world, lines);
    for (const std::string& line : lines) message += "\n" + line;
    throw Failure{column, message};
  };
}

Action parse_expect_refused(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  const std::string code = arguments.done() ? "" : arguments.word("the code of the refusal");
  return [=](World& world, Printed& /*printed*/) {
    if (world.cluster().life(node) != simulator::Life::refused)
      throw Failure{column, name(node) + " did start"};
    const std::string& found = world.cluster().refusal(node);
    if (!found.starts_with(code)) throw Failure{column, name(node) + " refused to start: " + found};
  };
}

/// The nodes' logs hold the same entries.
Action parse_expect_same(Arguments& arguments) {
  arguments.expect("log");
  const std::uint32_t column = arguments.column();
  const std::vector<NodeId> nodes = arguments.nodes_at_least_one();
  return [=](World& world, Printed& /*printed*/) {
    std::set<std::string> logs;
    std::string message = "the logs differ";
    for (const NodeId node : nodes) {
      require_up(world, node, column);
      const std::string log = log_text(*world.view(node).log);
      logs.insert(log);
      message += "\n" + name(node) + " " + log;
    }
    if (logs.size() > 1) throw Failure{column, message};
  };
}

Action parse_expect_kind(Arguments& arguments) {
  if (arguments.next_is_node()) return parse_expect_node(arguments);
  const std::string what =
      arguments.one_of({"committed", "not", "answer", "rung", "no", "messages", "refused", "same"});
  if (what == "committed") return parse_expect_committed(arguments, true);
  if (what == "answer") return parse_expect_answer(arguments);
  if (what == "rung") return parse_expect_rung(arguments);
  if (what == "no") return parse_expect_no(arguments);
  if (what == "messages") return parse_expect_messages(arguments);
  if (what == "refused") return parse_expect_refused(arguments);
  if (what == "same") return parse_expect_same(arguments);
  arguments.expect("committed");
  return parse_expect_committed(arguments, false);
}

Action parse_expect(Arguments& arguments) {
  Action action = parse_expect_kind(arguments);
  arguments.end();
  return action;
}

constexpr std::array<Command, 1> table{{
    {"expect",
     "NODE FIELD [COMPARISON] VALUE | [not] committed KEY... | answer REQUEST STATUS | rung RUNG "
     "holds|broken | "
     "no findings | no message SELECTION | messages N SELECTION | refused NODE [CODE] | same log NODE...",
     parse_expect},
}};

}  // namespace

std::span<const Command> expect_commands() { return table; }

}  // namespace raftlab::scenarios
