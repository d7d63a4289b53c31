#include "tools/raftlab/terminal.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace raftlab::tool {
namespace {

/// No other thread changes the environment.
std::string_view environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): see above
  return value == nullptr ? std::string_view{} : value;
}

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1 && environment("TERM") != "dumb"; }

}  // namespace

reports::Colour stdout_colour() {
  return is_terminal(STDOUT_FILENO) && environment("NO_COLOR").empty() ? reports::Colour::on
                                                                       : reports::Colour::off;
}

ProgressLine::ProgressLine() : visible_(is_terminal(STDERR_FILENO)) {}

void ProgressLine::show(std::string_view text) {
  if (!visible_) return;
  std::cerr << '\r' << text << "\x1b[K" << std::flush;
  shown_ = true;
}

void ProgressLine::clear() {
  if (!shown_) return;
  std::cerr << "\r\x1b[K" << std::flush;
  shown_ = false;
}

bool flush_stdout() {
  std::cout.flush();
  return std::cout.good();
}

}  // namespace raftlab::tool
