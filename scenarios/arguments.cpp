#include "scenarios/arguments.hpp"

#include "scenarios/text.hpp"

#include <algorithm>
#include <charconv>

namespace raftlab::scenarios {
namespace {

std::string quoted(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string alternatives(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

}  // namespace

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint32_t Arguments::column() const {
  if (!done()) return statement_->tokens[next_].column;
  const Token& last = statement_->tokens.back();
  return last.column + static_cast<std::uint32_t>(last.text.size());
}

void Arguments::end() const {
  if (!done()) fail("unexpected " + quoted(peek()) + " at the end of the command");
}

bool Arguments::next_is_node() const {
  if (done() || peek().size() < 2 || peek().front() != 'n') return false;
  return to_number(peek().substr(1)).has_value();
}

bool Arguments::next_is_number() const { return !done() && to_number(peek()).has_value(); }

bool Arguments::accept(std::string_view word) {
  if (!next_is(word)) return false;
  ++next_;
  return true;
}

void Arguments::expect(std::string_view word) {
  if (done()) fail("missing " + quoted(word));
  if (!accept(word)) fail("expected " + quoted(word) + ", found " + quoted(peek()));
}

std::string Arguments::word(const char* what) {
  if (done()) fail(std::string("missing ") + what);
  return std::string(statement_->tokens[next_++].text);
}

std::string Arguments::one_of(const std::vector<std::string_view>& words) {
  if (done()) fail("missing one of " + alternatives(words));
  if (std::ranges::find(words, peek()) == words.end()) {
    fail("expected one of " + alternatives(words) + ", found " + quoted(peek()));
  }
  return std::string(statement_->tokens[next_++].text);
}

std::uint64_t Arguments::number(const char* what, std::uint64_t least, std::uint64_t most) {
  if (done()) fail(std::string("missing ") + what);
  const auto value = to_number(peek());
  if (!value) fail("expected " + std::string(what) + ", found " + quoted(peek()));
  if (*value < least || *value > most) {
    fail(std::string(what) + " is " + std::string(peek()) + "; it must be from " + std::to_string(least) +
         " to " + std::to_string(most));
  }
  ++next_;
  return *value;
}

raft::NodeId Arguments::node() {
  if (done()) fail("missing a node, such as n1");
  if (!next_is_node()) fail("expected a node, such as n1, found " + quoted(peek()));
  const std::uint64_t id = *to_number(peek().substr(1));
  if (id < 1 || id > context_->nodes) {
    fail("there is no node " + quoted(peek()) + ": the cluster has n1 to n" +
         std::to_string(context_->nodes));
  }
  ++next_;
  return raft::NodeId(static_cast<std::uint32_t>(id));
}

std::vector<raft::NodeId> Arguments::nodes_at_least_one() {
  std::vector<raft::NodeId> found;
  if (accept("all")) {
    for (std::uint32_t id = 1; id <= context_->nodes; ++id) found.emplace_back(id);
    return found;
  }
  do {
    const std::uint32_t at = column();
    const raft::NodeId taken = node();
    if (std::ranges::find(found, taken) != found.end())
      throw SyntaxError{at, name(taken) + " is named twice"};
    found.push_back(taken);
  } while (next_is_node());
  return found;
}

bool Arguments::on_or_off() { return one_of({"on", "off"}) == "on"; }

invariants::Rung Arguments::rung() {
  if (done()) fail("missing a rung, such as G3");
  const auto found = rung_named(peek());
  if (!found) fail("there is no rung " + quoted(peek()) + "; `raftlab ladder` lists them");
  ++next_;
  return *found;
}

std::pair<std::string, std::string> Arguments::assignment() {
  if (done()) fail("missing key=value");
  const std::size_t equals = peek().find('=');
  if (equals == std::string_view::npos || equals == 0) fail("expected key=value, found " + quoted(peek()));
  const std::string_view taken = peek();
  ++next_;
  return {std::string(taken.substr(0, equals)), std::string(taken.substr(equals + 1))};
}

}  // namespace raftlab::scenarios
