#include "scenarios/commands.hpp"
#include "scenarios/text.hpp"

#include <algorithm>
#include <array>

/// Messages in flight: which arrive, when, how often, and which never.
namespace raftlab::scenarios {

namespace {

void note_word(Selection& selection, const std::string& word) {
  selection.text += (selection.text.empty() ? "" : " ") + word;
}

void parse_direction(Arguments& arguments, Selection& selection) {
  if (arguments.next_is_node()) {
    selection.from = arguments.node();
    note_word(selection, name(*selection.from));
    arguments.expect("->");
  } else {
    arguments.expect("->");
  }
  note_word(selection, "->");
  if (!arguments.next_is_node()) {
    if (!selection.from) arguments.fail("a direction needs a node before or behind the arrow");
    return;
  }
  selection.to = arguments.node();
  note_word(selection, name(*selection.to));
}

[[nodiscard]] bool matches(const World& world, const Selection& selection, Among among,
                           const Flight& flight) {
  const raft::Envelope& envelope = flight.envelope;
  if (selection.from && envelope.from != *selection.from) return false;
  if (selection.to && envelope.to != *selection.to) return false;
  if (!selection.kind.empty() && selection.kind != kind_of(envelope.message)) return false;
  if (selection.term && envelope.term.value() != *selection.term) return false;
  switch (among) {
    case Among::deliverable: return world.deliverable(flight);
    case Among::not_held: return !flight.held;
    case Among::held: return flight.held;
  }
  return false;
}

}  // namespace

Selection parse_selection(Arguments& arguments, bool may_be_together) {
  Selection selection;
  selection.column = arguments.column();
  constexpr std::uint64_t many = messages_in_flight_max;
  std::vector<std::string_view> words = kinds();
  words.insert(words.end(), {"all", "last", "nth", "term", "reversed"});
  if (may_be_together) words.emplace_back("together");
  if (arguments.next_is_node() || arguments.next_is("->")) parse_direction(arguments, selection);
  while (!arguments.done()) {
    if (arguments.next_is_number()) {
      selection.count = arguments.number("a number of messages", 1, many);
      note_word(selection, std::to_string(*selection.count));
      continue;
    }
    const std::string word = arguments.one_of(words);
    note_word(selection, word);
    if (word == "all") {
      selection.all = true;
    } else if (word == "last") {
      selection.last = true;
    } else if (word == "reversed") {
      selection.reversed = true;
    } else if (word == "together") {
      selection.together = true;
    } else if (word == "nth") {
      selection.nth = arguments.number("the position of a message", 1, many);
      note_word(selection, std::to_string(*selection.nth));
    } else if (word == "term") {
      selection.term = arguments.number("a term", 1, UINT64_MAX);
      note_word(selection, std::to_string(*selection.term));
    } else {
      selection.kind = word;
    }
  }
  return selection;
}

std::vector<std::uint64_t> matching(const World& world, const Selection& selection, Among among) {
  std::vector<std::uint64_t> numbers;
  for (const Flight& flight : world.flights()) {
    if (matches(world, selection, among, flight)) numbers.push_back(flight.number);
  }
  if (selection.nth) {
    numbers = *selection.nth > numbers.size() ? std::vector<std::uint64_t>{}
                                              : std::vector<std::uint64_t>{numbers[*selection.nth - 1]};
  }
  if (selection.last && !numbers.empty()) numbers = {numbers.back()};
  if (selection.count && numbers.size() > *selection.count) numbers.resize(*selection.count);
  if (selection.reversed) std::ranges::reverse(numbers);
  return numbers;
}

std::vector<std::uint64_t> select(const World& world, const Selection& selection, Among among) {
  std::vector<std::uint64_t> numbers = matching(world, selection, among);
  const std::uint64_t wanted = selection.all ? 0 : selection.count.value_or(1);
  if (numbers.size() >= wanted) return numbers;
  std::string message =
      numbers.empty() ? "no such message" : "only " + std::to_string(numbers.size()) + " such messages";
  const std::string are = numbers.empty() ? " is" : " are";
  message += among == Among::held          ? are + " held"
             : among == Among::deliverable ? " can be delivered"
                                           : are + " in flight";
  if (!selection.text.empty()) message += ": " + selection.text;
  Printed lines;
  print_messages(world, lines);
  for (const std::string& line : lines) message += "\n" + line;
  throw Failure{selection.column, message};
}

void print_messages(const World& world, Printed& printed) {
  for (const Flight& flight : world.flights()) {
    std::string line = text_of(flight.envelope);
    if (flight.held) line += "  held";
    if (world.is_cut(flight.envelope.from, flight.envelope.to)) line += "  cut";
    printed.push_back(std::move(line));
  }
  if (world.flights().empty()) printed.emplace_back("no message in flight");
}

namespace {

const Flight& flight_of(const World& world, std::uint64_t number) {
  return *std::ranges::lower_bound(world.flights(), number, {}, &Flight::number);
}

Action parse_deliver(Arguments& arguments) {
  const Selection selection = parse_selection(arguments, true);
  return [=](World& world, Printed& printed) {
    const std::vector<std::uint64_t> numbers = select(world, selection, Among::deliverable);
    for (const std::uint64_t number : numbers) printed.push_back(text_of(flight_of(world, number).envelope));
    world.deliver(numbers, selection.together);
  };
}

Action parse_drop(Arguments& arguments) {
  const Selection selection = parse_selection(arguments, false);
  return [=](World& world, Printed& printed) {
    for (const std::uint64_t number : select(world, selection, Among::not_held)) {
      printed.push_back(text_of(flight_of(world, number).envelope));
      world.drop(number);
    }
  };
}

Action parse_duplicate(Arguments& arguments) {
  const Selection selection = parse_selection(arguments, false);
  return [=](World& world, Printed& printed) {
    for (const std::uint64_t number : select(world, selection, Among::not_held)) {
      printed.push_back(text_of(flight_of(world, number).envelope));
      world.duplicate(number);
    }
  };
}

Action hold_action(const Selection& selection, bool hold) {
  return [=](World& world, Printed& printed) {
    for (const std::uint64_t number : select(world, selection, hold ? Among::not_held : Among::held)) {
      printed.push_back(text_of(flight_of(world, number).envelope));
      std::ranges::lower_bound(world.flights(), number, {}, &Flight::number)->held = hold;
    }
  };
}

Action parse_hold(Arguments& arguments) { return hold_action(parse_selection(arguments, false), true); }
Action parse_release(Arguments& arguments) { return hold_action(parse_selection(arguments, false), false); }

constexpr std::array<Command, 5> table{{
    {"deliver", "[FROM] [-> TO] [KIND] [term T] [COUNT|nth N|last|all] [reversed] [together]", parse_deliver},
    {"drop", "[FROM] [-> TO] [KIND] [term T] [COUNT|nth N|last|all]", parse_drop},
    {"duplicate", "[FROM] [-> TO] [KIND] [term T] [COUNT|nth N|last|all]", parse_duplicate},
    {"hold", "[FROM] [-> TO] [KIND] [term T] [COUNT|nth N|last|all]", parse_hold},
    {"release", "[FROM] [-> TO] [KIND] [term T] [COUNT|nth N|last|all]", parse_release},
}};

}  // namespace

std::span<const Command> message_commands() { return table; }

}  // namespace raftlab::scenarios
