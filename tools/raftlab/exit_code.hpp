#pragma once

#include <string>
#include <variant>

/// How raftlab ends, and what it says when it cannot do what it was told. docs/cli.md lists the codes.
namespace raftlab::tool {

enum class ExitCode : int {
  holds = 0,
  violated = 1,
  inconclusive = 2,
  differs = 3,  ///< an intact trace runs differently
  usage = 64,
  bad_data = 65,  ///< an input file is malformed or empty
  internal = 70,  ///< an error of raftlab itself
  io = 74,
};

/// One message that names the flag or the place in a file.
struct Failure {
  ExitCode code = ExitCode::internal;
  std::string message;
};

template <class Value>
using Result = std::variant<Value, Failure>;

/// The failure of a result, or null.
template <class Value>
[[nodiscard]] const Failure* failure(const Result<Value>& result) {
  return std::get_if<Failure>(&result);
}

/// Prints the message to stderr and returns the code for `main`.
int tell(const Failure& failure);

}  // namespace raftlab::tool
