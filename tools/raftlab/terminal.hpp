#pragma once

#include "reports/text.hpp"

#include <string_view>

namespace raftlab::tool {

/// Colour on stdout: on a terminal, unless NO_COLOR is set or the terminal is dumb.
[[nodiscard]] reports::Colour stdout_colour();

/// The line at the bottom of a terminal that tells how far things are. Does nothing when stderr is no terminal.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  [[nodiscard]] bool visible() const { return visible_; }
  void show(std::string_view text);
  /// Makes room for other output.
  void clear();

 private:
  bool visible_;
  bool shown_ = false;
};

/// Flushes stdout; false when something that was printed has not arrived.
[[nodiscard]] bool flush_stdout();

}  // namespace raftlab::tool
