#include "raft/configuration.hpp"

#include <algorithm>
#include <iterator>

namespace raftlab::raft {
namespace {

constexpr std::uint32_t members_max = 64;
constexpr std::uint32_t text_bytes_max = 1024;

void put(std::vector<std::byte>& out, std::uint32_t number) {
  for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::byte>(number >> shift));
}

void put(std::vector<std::byte>& out, const std::string& text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  for (const char character : text) out.push_back(static_cast<std::byte>(character));
}

void put(std::vector<std::byte>& out, const std::vector<NodeId>& nodes) {
  put(out, static_cast<std::uint32_t>(nodes.size()));
  for (const NodeId node : nodes) put(out, node.value());
}

class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}

  [[nodiscard]] bool read(std::uint32_t& number) {
    if (rest_.size() < 4) return false;
    number = 0;
    for (unsigned byte = 0; byte < 4; ++byte)
      number |= std::to_integer<std::uint32_t>(rest_[byte]) << (8 * byte);
    rest_ = rest_.subspan(4);
    return true;
  }

  [[nodiscard]] bool read(std::string& text) {
    std::uint32_t size = 0;
    if (!read(size) || size > text_bytes_max || size > rest_.size()) return false;
    text.assign(size, '\0');
    std::ranges::transform(rest_.first(size), text.begin(),
                           [](std::byte byte) { return static_cast<char>(byte); });
    rest_ = rest_.subspan(size);
    return true;
  }

  [[nodiscard]] bool read(std::vector<NodeId>& nodes) {
    std::uint32_t size = 0;
    if (!read(size) || size > members_max) return false;
    for (std::uint32_t i = 0; i < size; ++i) {
      std::uint32_t node = 0;
      if (!read(node) || node == 0) return false;
      if (!nodes.empty() && nodes.back().value() >= node) return false;
      nodes.emplace_back(node);
    }
    return true;
  }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  Bytes rest_;
};

bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::ranges::binary_search(nodes, node);
}

bool disjoint(const std::vector<NodeId>& left, const std::vector<NodeId>& right) {
  return std::ranges::none_of(left, [&](NodeId node) { return contains(right, node); });
}

bool listed(const Configuration& configuration, NodeId node) {
  return configuration.is_voter(node) || contains(configuration.learners, node) ||
         contains(configuration.learners_next, node);
}

void forget_unlisted_members(Configuration& configuration) {
  std::erase_if(configuration.members,
                [&](const Member& member) { return !listed(configuration, member.id); });
}

bool well_formed(const Configuration& configuration) {
  if (configuration.voters.empty()) return false;
  if (!std::ranges::all_of(configuration.members,
                           [&](const Member& member) { return listed(configuration, member.id); }))
    return false;
  for (const auto* list : {&configuration.voters, &configuration.outgoing, &configuration.learners,
                           &configuration.learners_next}) {
    if (!std::ranges::all_of(*list, [&](NodeId node) { return configuration.is_member(node); })) return false;
  }
  return disjoint(configuration.learners, configuration.voters) &&
         disjoint(configuration.learners, configuration.outgoing) &&
         disjoint(configuration.learners_next, configuration.voters) &&
         std::ranges::includes(configuration.outgoing, configuration.learners_next);
}

}  // namespace

bool Configuration::is_voter(NodeId node) const { return contains(voters, node) || contains(outgoing, node); }

bool Configuration::is_member(NodeId node) const {
  return std::ranges::binary_search(members, node, {}, &Member::id);
}

std::vector<std::byte> encode(const Configuration& configuration) {
  std::vector<std::byte> out;
  put(out, static_cast<std::uint32_t>(configuration.members.size()));
  for (const Member& member : configuration.members) {
    put(out, member.id.value());
    put(out, member.name);
    put(out, member.address);
  }
  put(out, configuration.voters);
  put(out, configuration.outgoing);
  put(out, configuration.learners);
  put(out, configuration.learners_next);
  return out;
}

std::optional<Configuration> decode_configuration(Bytes bytes) {
  Configuration configuration;
  Reader reader(bytes);
  std::uint32_t members = 0;
  if (!reader.read(members) || members > members_max) return std::nullopt;
  for (std::uint32_t i = 0; i < members; ++i) {
    std::uint32_t id = 0;
    Member member;
    if (!reader.read(id) || id == 0 || !reader.read(member.name) || !reader.read(member.address))
      return std::nullopt;
    member.id = NodeId(id);
    if (!configuration.members.empty() && configuration.members.back().id >= member.id) return std::nullopt;
    configuration.members.push_back(std::move(member));
  }
  if (!reader.read(configuration.voters) || !reader.read(configuration.outgoing) ||
      !reader.read(configuration.learners) || !reader.read(configuration.learners_next) || !reader.at_end() ||
      !well_formed(configuration)) {
    return std::nullopt;
  }
  return configuration;
}

Configuration joint_of(const Configuration& present, const Configuration& target) {
  Configuration joint;
  joint.voters = target.voters;
  joint.outgoing = present.voters;
  std::ranges::set_difference(target.learners, present.voters, std::back_inserter(joint.learners));
  std::ranges::set_intersection(target.learners, present.voters, std::back_inserter(joint.learners_next));
  std::ranges::set_union(target.members, present.members, std::back_inserter(joint.members), {}, &Member::id,
                         &Member::id);
  forget_unlisted_members(joint);
  return joint;
}

Configuration incoming_side(const Configuration& joint) {
  Configuration simple;
  simple.voters = joint.voters;
  std::ranges::set_union(joint.learners, joint.learners_next, std::back_inserter(simple.learners));
  simple.members = joint.members;
  forget_unlisted_members(simple);
  return simple;
}

Configuration voters_up_to(std::uint32_t count) {
  Configuration configuration;
  for (std::uint32_t id = 1; id <= count; ++id) {
    configuration.members.push_back(Member{NodeId(id), std::string("n").append(std::to_string(id)), ""});
    configuration.voters.emplace_back(id);
  }
  return configuration;
}

}  // namespace raftlab::raft
