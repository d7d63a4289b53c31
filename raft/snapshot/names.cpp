#include "raft/snapshot/names.hpp"

namespace raftlab::raft::snapshot {
namespace {

constexpr std::string_view prefix = "snapshot-";
constexpr std::string_view suffix = ".snap";
constexpr std::string_view part_suffix = ".part";
constexpr unsigned number_bits = 64;

void put_number(std::uint64_t number, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (unsigned shift = number_bits; shift > 0; shift -= 4) out += digits[(number >> (shift - 4)) & 0xfU];
}

bool take_text(std::string_view& rest, std::string_view text) {
  if (!rest.starts_with(text)) return false;
  rest.remove_prefix(text.size());
  return true;
}

bool take_number(std::string_view& rest, std::uint64_t& number) {
  constexpr std::size_t digits = number_bits / 4;
  if (rest.size() < digits) return false;
  number = 0;
  for (const char character : rest.substr(0, digits)) {
    const bool digit = character >= '0' && character <= '9';
    const bool letter = character >= 'a' && character <= 'f';
    if (!digit && !letter) return false;
    number = number * 16 + static_cast<std::uint64_t>(digit ? character - '0' : character - 'a' + 10);
  }
  rest.remove_prefix(digits);
  return true;
}

std::optional<LogId> take_finished(std::string_view& rest) {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  if (!take_text(rest, prefix) || !take_number(rest, index) || !take_text(rest, "-") ||
      !take_number(rest, term) || !take_text(rest, suffix) || index == 0 || term == 0) {
    return std::nullopt;
  }
  return LogId{Term(term), Index(index)};
}

}  // namespace

std::string finished_name(LogId last) {
  std::string name(prefix);
  put_number(last.index.value(), name);
  name += '-';
  put_number(last.term.value(), name);
  name += suffix;
  return name;
}

std::optional<LogId> finished(std::string_view name) {
  const auto last = take_finished(name);
  return name.empty() ? last : std::nullopt;
}

std::string part_name(LogId last, std::uint64_t attempt) {
  std::string name = finished_name(last);
  name += '.';
  put_number(attempt, name);
  name += part_suffix;
  return name;
}

std::optional<std::uint64_t> part(std::string_view name) {
  std::uint64_t attempt = 0;
  if (!take_finished(name) || !take_text(name, ".") || !take_number(name, attempt) ||
      !take_text(name, part_suffix) || !name.empty()) {
    return std::nullopt;
  }
  return attempt;
}

}  // namespace raftlab::raft::snapshot
