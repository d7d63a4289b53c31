#include "tools/raftlab/profile_source.hpp"

#include "simulator/profile_toml.hpp"
#include "tools/raftlab/files.hpp"

#include <algorithm>
#include <utility>

namespace raftlab::tool {

Result<ProfileSource> ProfileSource::open(const std::string& file, std::uint32_t nodes) {
  ProfileSource source;
  source.flag_nodes_ = source.draw_nodes_ = nodes;
  if (file.empty()) return source;
  auto text = read_file(file, text_bytes_max);
  if (auto* failed = std::get_if<Failure>(&text)) return std::move(*failed);
  source.text_ = std::move(std::get<std::string>(text));
  const auto inspected = simulator::inspect_profile(source.text_);
  if (const auto* error = std::get_if<simulator::ProfileError>(&inspected)) {
    std::string place = file;
    if (error->line != 0) place += ":" + std::to_string(error->line) + ":" + std::to_string(error->column);
    return Failure{ExitCode::bad_data, place + ": " + error->message};
  }
  const auto& found = std::get<simulator::ProfileFile>(inspected);
  source.quiet_ = found.base == simulator::ProfileBase::quiet;
  if (source.draw_nodes_ == 0) source.draw_nodes_ = found.nodes;
  return source;
}

simulator::Profile ProfileSource::profile(simulator::Chooser& chooser) const {
  simulator::Profile profile = simulator::draw_profile(chooser, draw_nodes_);
  if (text_.empty()) return profile;
  // The file was inspected when it was opened: it has no error.
  auto parsed = simulator::parse_profile(text_, profile);
  if (auto* settings = std::get_if<simulator::Profile>(&parsed)) profile = std::move(*settings);
  if (flag_nodes_ != 0) profile.nodes = flag_nodes_;
  profile.spares = std::min(profile.spares, profile.nodes - 1);
  profile.replacements = std::min(profile.replacements, profile.spares);
  for (std::size_t i = 0; i < simulator::faults; ++i) {
    const auto fault = static_cast<simulator::Fault>(i);
    if (!simulator::possible(fault, profile.nodes)) profile.rate(fault) = 0;
  }
  return profile;
}

std::string ProfileSource::nodes_text() const {
  std::uint32_t nodes = draw_nodes_;
  if (nodes == 0 && quiet_) nodes = simulator::Profile{}.nodes;
  if (nodes == 0) return "1 to 9 nodes";
  return std::to_string(nodes) + (nodes == 1 ? " node" : " nodes");
}

}  // namespace raftlab::tool
