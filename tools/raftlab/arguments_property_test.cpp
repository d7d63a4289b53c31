#include "tools/raftlab/arguments.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace raftlab::tool {
namespace {

std::string hexadecimal(std::uint64_t number) {
  std::string text;
  do {
    text.insert(text.begin(), "0123456789abcdef"[number % 16]);
    number /= 16;
  } while (number != 0);
  return "0x" + text;
}

/// What a shell makes of one word that is quoted with single quotes and backslashes only.
std::string unquoted(const std::string& word) {
  std::string text;
  bool inside = false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\'') {
      inside = !inside;
    } else if (!inside && word[i] == '\\') {
      text += word[++i];
    } else {
      RC_ASSERT(inside || word[i] != ' ');
      text += word[i];
    }
  }
  RC_ASSERT(!inside);
  return text;
}

RC_GTEST_PROP(ArgumentsProperty, ANumberIsReadBackInBothBases, (std::uint64_t number)) {
  RC_ASSERT(parse_number(std::to_string(number)) == number);
  RC_ASSERT(parse_number(hexadecimal(number)) == number);
}

RC_GTEST_PROP(ArgumentsProperty, WhatIsTakenForANumberConsistsOfDigits, ()) {
  const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789abxX+-. ")));
  if (!parse_number(text)) return;
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const std::string allowed = hex ? "0123456789abcdefABCDEF" : "0123456789";
  RC_ASSERT(!text.empty());
  RC_ASSERT(text.find_first_not_of(allowed, hex ? 2 : 0) == std::string::npos);
}

RC_GTEST_PROP(ArgumentsProperty, ARangeIsReadBack, (std::uint64_t a, std::uint64_t b)) {
  const SeedRange range{std::min(a, b), std::max(a, b)};
  const auto read = parse_seeds(std::to_string(range.first) + ".." + std::to_string(range.last));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->first == range.first);
  RC_ASSERT(read->last == range.last);
}

RC_GTEST_PROP(ArgumentsProperty, ShardsPartAnyRange, (std::uint64_t first)) {
  const std::uint64_t length = *rc::gen::inRange<std::uint64_t>(0, 50);
  const std::uint64_t count = *rc::gen::inRange<std::uint64_t>(1, 12);
  const SeedRange range{std::min(first, ~std::uint64_t{0} - length),
                        std::min(first, ~std::uint64_t{0} - length) + length};
  std::vector<std::uint64_t> seen;
  for (std::uint64_t index = 0; index < count; ++index) {
    SeedSequence sequence(range, Shard{index, count});
    std::uint64_t before = 0;
    bool any = false;
    while (const auto seed = sequence.next()) {
      RC_ASSERT(*seed % count == index);
      RC_ASSERT(!any || *seed > before);
      any = true;
      before = *seed;
      seen.push_back(*seed);
    }
    RC_ASSERT(!sequence.next().has_value());
  }
  std::sort(seen.begin(), seen.end());
  RC_ASSERT(seen.size() == length + 1);
  for (std::uint64_t i = 0; i <= length; ++i) RC_ASSERT(seen[i] == range.first + i);
}

RC_GTEST_PROP(ArgumentsProperty, AQuotedArgumentIsOneWordOfAShell, (const std::string& text)) {
  RC_ASSERT(unquoted(quoted(text)) == text);
}

RC_GTEST_PROP(ArgumentsProperty, NoTextBreaksAParser, (const std::string& text)) {
  const auto shard = parse_shard(text);
  RC_ASSERT(!shard || shard->index < shard->count);
  const auto seeds = parse_seeds(text);
  RC_ASSERT(!seeds || seeds->first <= seeds->last);
  const auto duration = parse_duration(text);
  RC_ASSERT(!duration || duration->count() > 0);
}

}  // namespace
}  // namespace raftlab::tool
