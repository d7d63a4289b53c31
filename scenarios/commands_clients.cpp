#include "scenarios/commands.hpp"
#include "scenarios/text.hpp"
#include "simulator/operations.hpp"

#include <array>

/// What clients ask. Each request has a name, by which later commands refer to its answer.
namespace raftlab::scenarios {
namespace {

constexpr std::uint32_t deadline_ticks_default = 100'000;

/// What stands behind the words of the request itself: `[in SESSION [number N]] [deadline T] [as NAME]`.
struct Tail {
  std::string session;
  std::optional<std::uint64_t> sequence;
  std::uint32_t deadline_ticks = deadline_ticks_default;
  std::string name;
};

Tail parse_tail(Arguments& arguments, bool may_have_session) {
  Tail tail;
  if (may_have_session && arguments.next_is("in")) {
    arguments.expect("in");
    const std::uint32_t column = arguments.column();
    tail.session = arguments.word("a session");
    if (!arguments.context().sessions.contains(tail.session)) {
      throw SyntaxError{column, "there is no session " + tail.session};
    }
    if (arguments.accept("number"))
      tail.sequence = arguments.number("the number of an operation", 1, UINT32_MAX);
  }
  if (arguments.accept("deadline")) {
    tail.deadline_ticks = static_cast<std::uint32_t>(arguments.number("a deadline in ticks", 1, ticks_max));
  }
  tail.name = new_request_name(arguments);
  arguments.end();
  return tail;
}

/// "none" is the absence of a value.
std::optional<std::string> value_or_none(std::string word) {
  if (word == "none") return std::nullopt;
  return word;
}

Action change_action(std::uint32_t column, NodeId node, const kv::Change& change, const Tail& tail) {
  return [=](World& world, Printed& /*printed*/) {
    require_running(world, node, column);
    kv::Command command;
    command.change = change;
    if (!tail.session.empty()) {
      const auto client = world.session(tail.session);
      if (!client) throw Failure{column, "session " + tail.session + " is not open"};
      command.client = *client;
      command.sequence = tail.sequence ? kv::Sequence(*tail.sequence) : world.next_sequence(tail.session);
    }
    Attempt attempt;
    attempt.name = tail.name;
    attempt.node = node;
    attempt.op = invariants::OpId{command.client.value(), command.sequence.value()};
    attempt.what = std::move(command);
    world.request(std::move(attempt), tail.deadline_ticks);
  };
}

Action parse_propose(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  kv::Put put;
  put.key = arguments.word("a key");
  const bool has_value = !arguments.done() && !arguments.next_is("in") && !arguments.next_is("as") &&
                         !arguments.next_is("deadline");
  put.value = has_value ? arguments.word("a value") : put.key;
  return change_action(column, node, put, parse_tail(arguments, true));
}

Action parse_delete(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  const kv::Delete erase{arguments.word("a key")};
  return change_action(column, node, erase, parse_tail(arguments, true));
}

Action parse_cas(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  kv::CompareAndSwap swap;
  swap.key = arguments.word("a key");
  swap.expected = value_or_none(arguments.word("the expected value, or none"));
  swap.value = arguments.word("the new value");
  return change_action(column, node, swap, parse_tail(arguments, true));
}

Action parse_batch(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  kv::PutBatch batch;
  do {
    auto [key, value] = arguments.assignment();
    batch.entries.push_back(kv::Put{std::move(key), std::move(value)});
  } while (!arguments.done() && !arguments.next_is("in") && !arguments.next_is("as") &&
           !arguments.next_is("deadline"));
  return change_action(column, node, batch, parse_tail(arguments, true));
}

/// Opens a session: the name is both the session's and the request's.
Action parse_session(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  const std::uint32_t name_column = arguments.column();
  const std::string session = arguments.word("the name of the session");
  arguments.end();
  if (!arguments.context().sessions.insert(session).second ||
      !arguments.context().attempts.insert(session).second) {
    throw SyntaxError{name_column, "there is a session or request " + session + " already"};
  }
  return [=](World& world, Printed& /*printed*/) {
    require_running(world, node, column);
    Attempt attempt;
    attempt.name = attempt.session = session;
    attempt.node = node;
    attempt.what = kv::Command{{}, {}, kv::OpenSession{}};
    world.request(std::move(attempt), deadline_ticks_default);
  };
}

/// The same command once more, under the same number of its session.
Action parse_retry(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  const std::uint32_t name_column = arguments.column();
  const std::string original = arguments.word("the name of a request");
  if (!arguments.context().attempts.contains(original)) {
    throw SyntaxError{name_column, "there is no request " + original};
  }
  if (arguments.context().changes.contains(original)) {
    throw SyntaxError{name_column, original + " is no request of a client"};
  }
  const Tail tail = parse_tail(arguments, false);
  return [=](World& world, Printed& /*printed*/) {
    require_running(world, node, column);
    const Attempt* first = world.attempt(original);
    if (first == nullptr) throw Failure{name_column, "request " + original + " was not made"};
    Attempt attempt = *first;
    attempt.name = tail.name;
    attempt.node = node;
    attempt.answer.reset();
    attempt.over = false;
    if (std::holds_alternative<kv::GetKeys>(attempt.what)) attempt.op = world.next_read();
    world.request(std::move(attempt), tail.deadline_ticks);
  };
}

Action get_action(std::uint32_t column, NodeId node, const kv::GetKeys& get, const Tail& tail) {
  return [=](World& world, Printed& /*printed*/) {
    require_running(world, node, column);
    Attempt attempt;
    attempt.name = tail.name;
    attempt.node = node;
    attempt.what = get;
    attempt.claim = simulator::claim_of(*get.policy);
    attempt.op = world.next_read();
    world.request(std::move(attempt), tail.deadline_ticks);
  };
}

kv::ReadPolicy parse_policy(Arguments& arguments) {
  if (arguments.accept("stale")) return kv::ReadPolicy::stale;
  if (arguments.accept("lease")) return kv::ReadPolicy::lease;
  (void)arguments.accept("linearizable");
  return kv::ReadPolicy::read_index;
}

Action parse_get(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  kv::GetKeys get;
  get.keys.push_back(arguments.word("a key"));
  get.policy = parse_policy(arguments);
  return get_action(column, node, get, parse_tail(arguments, false));
}

Action parse_mget(Arguments& arguments) {
  const std::uint32_t column = arguments.column();
  const NodeId node = arguments.node();
  kv::GetKeys get;
  const auto goes_on = [&] {
    for (const char* word : {"stale", "lease", "linearizable", "deadline", "as"}) {
      if (arguments.next_is(word)) return false;
    }
    return !arguments.done();
  };
  do {
    get.keys.push_back(arguments.word("a key"));
  } while (goes_on());
  get.policy = parse_policy(arguments);
  return get_action(column, node, get, parse_tail(arguments, false));
}

constexpr std::array<Command, 8> table{{
    {"propose", "NODE KEY [VALUE] [in SESSION [number N]] [deadline T] [as NAME]", parse_propose},
    {"delete", "NODE KEY [in SESSION [number N]] [deadline T] [as NAME]", parse_delete},
    {"cas", "NODE KEY EXPECTED|none VALUE [in SESSION [number N]] [deadline T] [as NAME]", parse_cas},
    {"batch", "NODE KEY=VALUE... [in SESSION [number N]] [deadline T] [as NAME]", parse_batch},
    {"session", "NODE NAME", parse_session},
    {"retry", "NODE REQUEST [deadline T] [as NAME]", parse_retry},
    {"get", "NODE KEY [stale|lease|linearizable] [deadline T] [as NAME]", parse_get},
    {"mget", "NODE KEY... [stale|lease|linearizable] [deadline T] [as NAME]", parse_mget},
}};

}  // namespace

std::span<const Command> client_commands() { return table; }

}  // namespace raftlab::scenarios
