#include "invariants/rungs.hpp"
#include "reports/format.hpp"
#include "tools/raftlab/commands.hpp"
#include "tools/raftlab/exit_code.hpp"
#include "tools/raftlab/terminal.hpp"

#include <algorithm>
#include <iostream>

namespace raftlab::tool {
namespace {

constexpr const char* levels[] = {
    "one node, one state", "one node, across one change",
    "crash and recovery",  "the cluster at one instant",
    "the history",         "liveness",
};

}  // namespace

int ladder() {
  std::size_t name_columns = 0;
  for (const invariants::RungInfo& rung : invariants::rungs())
    name_columns = std::max(name_columns, reports::columns(rung.name));
  const std::size_t indent = 2 + 3 + 2 + name_columns + 2;
  int level = -1;
  for (const invariants::RungInfo& rung : invariants::rungs()) {
    if (rung.level != level) {
      if (level >= 0) std::cout << '\n';
      level = rung.level;
      std::cout << 'L' << level << "  " << levels[level] << '\n';
    }
    std::cout << "  " << reports::left(rung.id, 5) << reports::left(rung.name, name_columns + 2)
              << reports::wrap(rung.sentence, indent) << '\n';
  }
  std::cout << "\nall " << invariants::rungs().size() << " rungs are active\n";
  return flush_stdout() ? 0 : tell(Failure{ExitCode::io, "stdout: cannot be written"});
}

}  // namespace raftlab::tool
