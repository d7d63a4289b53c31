#include "kv/test_cluster.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

namespace raftlab::kv {
namespace {

constexpr std::uint32_t nodes = 3;

struct Event {
  std::uint8_t what;
  std::uint8_t argument;
};
std::ostream& operator<<(std::ostream& out, const Event& event) {
  return out << int{event.what} << ':' << int{event.argument};
}

/// Three nodes to which anything happens. Each write puts a key of its own, so that the stores show at the
/// end which writes took effect.
class World {
 public:
  World()
      : cluster_(nodes, [](ServiceOptions& options) {
          options.requests_max = 8;
          options.replica.core.election_ticks_min = 6;
          options.replica.core.heartbeat_ticks = 2;
          options.replica.core.limits.uncommitted_bytes_max = 200;
        }) {}

  void happen(Event event) {
    const std::uint32_t node = 1 + event.argument % nodes;
    const std::uint32_t choice = event.argument / nodes;
    if (event.what < 60) {
      cluster_.step(node);
      collect();
    } else if (event.what < 110) {
      if (cluster_.messages() > 0) cluster_.deliver(event.argument % cluster_.messages());
    } else if (event.what < 120) {
      if (cluster_.messages() > 0) cluster_.deliver(event.argument % cluster_.messages(), true);
    } else if (event.what < 140) {
      cluster_.service(node).tick();
    } else if (event.what < 150) {
      for (std::uint32_t id = 1; id <= nodes; ++id) round(id, 1 + choice % 4);
    } else if (event.what < 155) {
      cluster_.service(node).campaign();
    } else if (event.what < 165) {
      cluster_.node(node).disk.slow = !cluster_.node(node).disk.slow;
    } else if (event.what < 166) {
      if (!broken_ || *broken_ == node) cluster_.node(node).disk.failing = true;
      broken_ = broken_.value_or(node);
    } else if (event.what < 172) {
      if (!cluster_.cut_off.erase(node)) cluster_.cut_off.insert(node);
    } else if (event.what < 175) {
      cluster_.service(node).set_read_policy(choice % 2 == 0 ? ReadPolicy::stale : ReadPolicy::read_index);
    } else if (event.what < 225) {
      request_write(node, choice);
    } else {
      request_read(node, choice);
    }
  }

  /// Mends what can be mended and waits until every deadline has passed.
  void heal() {
    cluster_.cut_off.clear();
    for (std::uint32_t id = 1; id <= nodes; ++id) cluster_.node(id).disk.slow = false;
    for (int i = 0; i < 120; ++i) {
      for (std::uint32_t id = 1; id <= nodes; ++id) round(id, 1);
    }
  }

  void check_end() {
    std::size_t most_applied = 1;
    for (std::uint32_t id = 2; id <= nodes; ++id) {
      if (store(id).applied() > store(static_cast<std::uint32_t>(most_applied)).applied()) most_applied = id;
    }
    const Store& final = store(static_cast<std::uint32_t>(most_applied));
    for (const auto& [tag, node] : asked_) RC_ASSERT(answers_[tag] == 1);
    for (std::uint32_t id = 1; id <= nodes; ++id) RC_ASSERT(cluster_.service(id).waiting() == 0U);
    for (const auto& [tag, status] : writes_) {
      const bool took_effect = final.get(key_of(tag)).has_value();
      if (status == Status::ok) RC_ASSERT(took_effect);
      if (status != Status::ok && status != Status::unknown && status != Status::timed_out)
        RC_ASSERT(!took_effect);
    }
  }
  [[nodiscard]] std::map<Status, int> statuses() const {
    std::map<Status, int> count;
    for (const auto& [tag, status] : statuses_) ++count[status];
    return count;
  }

 private:
  static std::string key_of(std::uint64_t tag) { return "key" + std::to_string(tag); }
  [[nodiscard]] const Store& store(std::uint32_t node) { return cluster_.service(node).store(); }

  void round(std::uint32_t node, std::uint32_t ticks) {
    for (std::uint32_t i = 0; i < ticks; ++i) cluster_.service(node).tick();
    for (int i = 0; i < 3; ++i) {
      for (std::size_t left = cluster_.messages(); left > 0; --left) cluster_.deliver(0);
      for (std::uint32_t id = 1; id <= nodes; ++id) cluster_.step(id);
    }
    collect();
  }

  void request_write(std::uint32_t node, std::uint32_t choice) {
    const std::uint64_t tag = ++last_tag_;
    asked_[tag] = node;
    if (choice % 20 == 0) {
      writes_[tag] = Status::unknown;
      cluster_.request(node, test::write(tag, Put{"", "bad"}, choice));
      return;
    }
    writes_[tag] = Status::unknown;
    cluster_.request(node, test::write(tag, Put{key_of(tag), std::string(choice % 7 * 10, 'v')}, choice));
  }

  void request_read(std::uint32_t node, std::uint32_t choice) {
    const std::uint64_t tag = ++last_tag_;
    asked_[tag] = node;
    std::string key = "none";
    if (!acknowledged_.empty()) {
      key = acknowledged_.back();
      if (choice % 2 == 0) must_see_.insert(tag);
    }
    const auto policy = choice % 2 == 0 ? std::optional(ReadPolicy::read_index) : std::nullopt;
    cluster_.request(node, test::read(tag, {key}, policy, choice));
  }

  void collect() {
    for (std::uint32_t id = 1; id <= nodes; ++id) {
      for (const Answer& answer : cluster_.node(id).answers) {
        RC_ASSERT(asked_.at(answer.tag) == id);
        RC_ASSERT(++answers_[answer.tag] == 1);
        statuses_[answer.tag] = answer.status;
        if (const auto written = writes_.find(answer.tag); written != writes_.end()) {
          written->second = answer.status;
          if (answer.status == Status::ok) acknowledged_.push_back(key_of(answer.tag));
        } else if (answer.status == Status::ok && must_see_.contains(answer.tag)) {
          // What was acknowledged before a linearizable read was asked for, by whatever node, is seen by it.
          RC_ASSERT(answer.values.at(0).has_value());
        }
      }
      cluster_.node(id).answers.clear();
    }
  }

  test::Cluster cluster_;
  std::optional<std::uint32_t> broken_;
  std::uint64_t last_tag_ = 0;
  std::map<std::uint64_t, std::uint32_t> asked_;  ///< tag -> node
  std::map<std::uint64_t, int> answers_;
  std::map<std::uint64_t, Status> statuses_;
  std::map<std::uint64_t, Status> writes_;
  std::set<std::uint64_t> must_see_;
  std::vector<std::string> acknowledged_;
};

RC_GTEST_PROP(ServiceProperty, every_request_is_answered_once_and_truthfully, ()) {
  const auto events = *rc::gen::resize(
      1500, rc::gen::container<std::vector<Event>>(rc::gen::map(
                rc::gen::pair(rc::gen::arbitrary<std::uint8_t>(), rc::gen::arbitrary<std::uint8_t>()),
                [](const auto& drawn) {
                  return Event{drawn.first, drawn.second};
                })));
  World world;
  for (const Event& event : events) world.happen(event);
  world.heal();
  world.check_end();
  for (const auto& [status, count] : world.statuses()) RC_TAG(std::string(name(status)));
}

}  // namespace
}  // namespace raftlab::kv
