#pragma once

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>

/// Assertions for programmer errors. They are on in every build type: a consensus library that goes on
/// after a broken invariant loses data. A failed assertion throws `AssertionError`, so that the simulator
/// can report it as a finding of rung N0 and go on with the next seed; a node lets it end the process.
namespace raftlab::raft {

class AssertionError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

namespace detail {

/// Takes the values themselves: what a reference is taken of has to stand in memory, failed or not.
template <class... Values>
[[noreturn, gnu::cold, gnu::noinline]] void assertion_failed(const char* expression, const char* file,
                                                             int line, const char* names, Values... values) {
  std::ostringstream text;
  text << file << ':' << line << ": assertion failed: " << expression;
  if constexpr (sizeof...(values) > 0) {
    text << " (" << names << " = ";
    const char* separator = "";
    ((text << separator << values, separator = ", "), ...);
    text << ')';
  }
  throw AssertionError(text.str());
}

}  // namespace detail
}  // namespace raftlab::raft

/// RAFTLAB_ASSERT(condition, values...): the values are printed when the condition is false.
#define RAFTLAB_ASSERT(condition, ...)                                                    \
  do {                                                                                    \
    if (!(condition)) [[unlikely]]                                                        \
      ::raftlab::raft::detail::assertion_failed(#condition, __FILE__, __LINE__,           \
                                                #__VA_ARGS__ __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
