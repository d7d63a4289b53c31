#include "tools/diskeyval/memory_mark.hpp"

#include "net/files.hpp"

#include <iomanip>
#include <sstream>
#include <string>

namespace raftlab::diskeyval {

std::filesystem::path mark_of(const net::NodeIdentity& self, const std::filesystem::path& key) {
  std::ostringstream name;
  name << "node-" << std::hex << std::setw(16) << std::setfill('0') << self.cluster.value() << std::dec << '-'
       << self.node.value() << ".in-memory";
  return key.parent_path() / name.str();
}

std::optional<Failure> use_number_up(const net::NodeIdentity& self, const std::filesystem::path& key) {
  const std::filesystem::path mark = mark_of(self, key);
  const std::string node = "node " + std::to_string(self.node.value());
  const net::FileError error = net::write_new_file(
      mark, node + " of this cluster has been running in memory: its number must not be used again\n",
      net::Access::anybody);
  if (error == net::FileError::none) return std::nullopt;
  if (error == net::FileError::exists) {
    return Failure{ExitCode::bad_data,
                   "--memory: " + node + " has been running in memory before, and has forgotten its votes: " +
                       "replace it by a node with a new number (" + mark.string() + ")"};
  }
  return Failure{ExitCode::io, "--memory: " + mark.string() + " cannot be written (" + net::name(error) +
                                   "), and without it this number could be used twice"};
}

}  // namespace raftlab::diskeyval
