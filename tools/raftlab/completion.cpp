#include "tools/raftlab/completion.hpp"

namespace raftlab::tool {
namespace {

constexpr std::string_view origin = "written by: raftlab __complete ";

/// For a text between single quotes; zsh and fish also give a meaning to some other characters.
std::string escaped(std::string_view text, std::string_view special) {
  std::string result;
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
      continue;
    }
    if (special.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string bash(const std::vector<CompletedCommand>& commands) {
  std::string names;
  std::string cases;
  for (const CompletedCommand& command : commands) {
    names += (names.empty() ? "" : " ") + command.name;
    std::string flags;
    for (const CompletedFlag& flag : command.flags) flags += (flags.empty() ? "" : " ") + flag.name;
    cases += "    " + command.name + ") words='" + flags + "' ;;\n";
  }
  return "# bash completion for raftlab, " + std::string(origin) +
         "bash\n"
         "_raftlab() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} words\n"
         "  case ${COMP_WORDS[1]:-} in\n" +
         cases + "    *) words='" + names +
         " --help --version' ;;\n"
         "  esac\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then words='" +
         names +
         " --help --version'; fi\n"
         "  if [ \"$COMP_CWORD\" -gt 1 ] && [ \"${current#-}\" = \"$current\" ]; then words=''; fi\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "}\n"
         "complete -o default -F _raftlab raftlab\n";
}

std::string zsh(const std::vector<CompletedCommand>& commands) {
  constexpr std::string_view special = "[]:\\";
  std::string names;
  std::string cases;
  for (const CompletedCommand& command : commands) {
    names += "    '" + command.name + ":" + escaped(command.description, special) + "'\n";
    cases += "    " + command.name + ")\n      _arguments";
    for (const CompletedFlag& flag : command.flags) {
      cases += " \\\n        '" + flag.name + "[" + escaped(flag.description, special) + "]" +
               (flag.takes_value ? ":value:_files" : "") + "'";
    }
    if (command.takes_files) cases += " \\\n        '*:file:_files'";
    cases += "\n      ;;\n";
  }
  return "#compdef raftlab\n# zsh completion for raftlab, " + std::string(origin) +
         "zsh\n"
         "local -a commands\n"
         "commands=(\n" +
         names +
         ")\n"
         "if (( CURRENT == 2 )); then\n"
         "  _describe command commands\n"
         "else\n"
         "  local command=$words[2]\n"
         "  shift words\n"
         "  (( CURRENT-- ))\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "fi\n";
}

std::string fish(const std::vector<CompletedCommand>& commands) {
  std::string text = "# fish completion for raftlab, " + std::string(origin) + "fish\n";
  for (const CompletedCommand& command : commands) {
    text += "complete -c raftlab -n __fish_use_subcommand -f -a " + command.name + " -d '" +
            escaped(command.description, "\\") + "'\n";
    for (const CompletedFlag& flag : command.flags) {
      text += "complete -c raftlab -n '__fish_seen_subcommand_from " + command.name + "' -l " +
              flag.name.substr(2) + (flag.takes_value ? " -r" : "") + " -d '" +
              escaped(flag.description, "\\") + "'\n";
    }
  }
  return text;
}

}  // namespace

std::string completion_script(std::string_view shell, const std::vector<CompletedCommand>& commands) {
  if (shell == "bash") return bash(commands);
  return shell == "zsh" ? zsh(commands) : fish(commands);
}

}  // namespace raftlab::tool
