#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace raftlab::tool {

struct CompletedFlag {
  std::string name;
  std::string description;
  bool takes_value = false;
};

struct CompletedCommand {
  std::string name;
  std::string description;
  std::vector<CompletedFlag> flags;
  bool takes_files = false;
};

/// The completions of raftlab for "bash", "zsh" or "fish". The files in completions/ are what this returns.
[[nodiscard]] std::string completion_script(std::string_view shell,
                                            const std::vector<CompletedCommand>& commands);

}  // namespace raftlab::tool
