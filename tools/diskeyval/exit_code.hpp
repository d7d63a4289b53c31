#pragma once

#include <string>
#include <variant>

/// How diskeyval ends, and what it says when it cannot do what it was told. docs/diskeyval.md lists the codes.
namespace raftlab::diskeyval {

enum class ExitCode : int {
  ok = 0,
  refused = 1,    ///< the cluster said no: nothing has changed
  uncertain = 2,  ///< nobody knows whether a write took place
  usage = 64,
  bad_data = 65,     ///< a file is malformed, or not what it has to be
  unavailable = 69,  ///< nobody answered who could
  internal = 70,     ///< an error of diskeyval itself
  io = 74,           ///< also a node whose disk has failed
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

}  // namespace raftlab::diskeyval
