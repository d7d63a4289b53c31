#include "simulator/clients.hpp"

#include "raft/assert.hpp"
#include "simulator/operations.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace raftlab::simulator {

using invariants::OpId;
using kv::Status;
using raft::NodeId;

namespace {

/// Clients that share a constant load: more than can wait for an answer at the same time.
constexpr std::uint32_t open_loop_clients = 512;
/// Reads have no place in the log, hence numbers of their own.
constexpr std::uint64_t reads_of = 1ULL << 63U;
constexpr Time backoff = 10 * millisecond;

}  // namespace

Clients::Clients(const Profile& profile, Chooser& chooser, EventQueue& queue, Cluster& cluster,
                 invariants::Witness* witness, FaultCounts& fired)
    : profile_(&profile),
      chooser_(&chooser),
      queue_(&queue),
      cluster_(&cluster),
      witness_(witness),
      fired_(&fired),
      clients_(profile.open_load_per_second != 0 ? open_loop_clients : profile.clients) {
  without_session_ = static_cast<std::uint32_t>(clients_.size());
}

void Clients::begin(Time now) {
  for (std::uint32_t index = 0; index < clients_.size(); ++index) {
    sleep(index, Wake::next,
          now + chooser_->between(Key{Choice::client_think, subject(std::uint64_t{index})}, 0,
                                  profile_->think_ns_max),
          0);
  }
  if (open_loop()) queue_->push(Event{now + millisecond, 0, EventKind::load, 0, 0, 0, 0});
}

void Clients::sleep(std::uint32_t index, Wake why, Time until, std::uint64_t extra) {
  queue_->push(Event{until, 0, EventKind::client, index, static_cast<std::uint32_t>(why), 0, extra});
}

void Clients::wake(const Event& event) {
  const std::uint32_t index = event.node;
  Client& client = clients_[index];
  switch (static_cast<Wake>(event.slot)) {
    case Wake::next:
      if (!client.busy && !draining_ && (!open_loop() || !client.session)) start_operation(index, event.time);
      break;
    case Wake::retry:
      if (client.busy && event.extra == client.attempt) attempt(index, event.time);
      break;
    case Wake::timeout: timer(index, event.time); break;
  }
}

/// One timer per client is enough: what it fires for may be over long ago, and then it is set for what is under way now.
void Clients::set_timer(std::uint32_t index, Time deadline) {
  Client& client = clients_[index];
  client.deadline = deadline;
  client.waiting = true;
  if (client.timer_set) return;
  client.timer_set = true;
  sleep(index, Wake::timeout, deadline, 0);
}

void Clients::timer(std::uint32_t index, Time now) {
  Client& client = clients_[index];
  client.timer_set = false;
  if (!client.busy || !client.waiting) return;
  if (client.deadline > now) return set_timer(index, client.deadline);
  attempt_failed(index, now);
}

/// One operation at the current leader, if there is one, in each turn of the generator, once every client has a session.
void Clients::load(const Event& event) {
  if (draining_) return;
  const Time period = second / static_cast<Time>(profile_->open_load_per_second);
  queue_->push(Event{event.time + period, 0, EventKind::load, 0, 0, 0, 0});
  const NodeId leader = cluster_->leader();
  if (without_session_ != 0 || !leader) return;
  if (idle_.empty()) {
    ++counts_.offered;
    ++counts_.failed;
    return;
  }
  const std::uint32_t index = idle_.back();
  idle_.pop_back();
  clients_[index].leader = leader;
  start_operation(index, event.time);
}

void Clients::start_operation(std::uint32_t index, Time now) {
  Client& client = clients_[index];
  RAFTLAB_ASSERT(!client.busy, index);
  client.busy = true;
  ++busy_;
  client.invoked = now;
  client.attempts = client.refused = 0;
  client.first_attempt = client.attempt + 1;
  client.opening = !client.session;
  if (client.opening) {
    open_session(client);
  } else {
    draw_operation(index, client);
    ++counts_.offered;
    if (witness_ != nullptr) {
      to_operation(client.what, operation_);
      witness_->invoke(client.op, now, operation_);
    }
  }
  attempt(index, now);
}

void Clients::open_session(Client& client) {
  client.reading = client.anywhere = false;
  client.what = kv::Command{kv::ClientId{}, kv::Sequence{}, kv::OpenSession{}};
}

namespace {

constexpr std::size_t digits_max = 20;

/// Writes a number that ends before `end`; returns where it begins.
char* write_number_before(char* end, std::uint64_t number) {
  do {
    *--end = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return end;
}

/// The alternative, as it was if the variant holds it already: its memory is used again.
template <class Alternative, class... Alternatives>
Alternative& become(std::variant<Alternatives...>& what) {
  auto* held = std::get_if<Alternative>(&what);
  return held != nullptr ? *held : what.template emplace<Alternative>();
}

}  // namespace

void Clients::make_key(std::uint64_t number, std::string& text) const {
  std::array<char, 1 + digits_max> room;
  char* const end = room.data() + room.size();
  char* begin = write_number_before(end, number);
  *--begin = 'k';
  text.assign(begin, end);
}

std::string Clients::key(std::uint64_t number) const {
  std::string text;
  make_key(number, text);
  return text;
}

/// Values are unique, so that a read tells which write it saw.
void Clients::make_value(const Client& client, std::string& text) const {
  std::array<char, 2 * digits_max + 1> room;
  char* const end = room.data() + room.size();
  char* begin = write_number_before(end, client.sequence);
  *--begin = '.';
  begin = write_number_before(begin, client.session.value());
  text.assign(begin, end);
  if (text.size() < profile_->value_bytes) text.resize(profile_->value_bytes, '.');
}

std::string Clients::value(const Client& client) const {
  std::string text;
  make_value(client, text);
  return text;
}

void Clients::draw_operation(std::uint32_t index, Client& client) {
  const std::uint64_t about = subject(client.session, client.sequence, client.reads);
  const bool read = last_ == Last::none
                        ? chooser_->happens(Key{Choice::client_operation, about}, profile_->read_ppm)
                        : last_ == Last::reading;
  client.reading = read && (!open_loop() || last_ != Last::none);
  client.anywhere = false;
  if (!client.reading) {
    draw_write(client, about);
    client.op = OpId{client.session.value(), client.sequence};
    return;
  }
  ++client.reads;
  client.op = OpId{client.session.value() | reads_of, client.reads};
  kv::GetKeys get;
  const std::uint64_t first = chooser_->choose(Key{Choice::client_key, about}, profile_->keys);
  get.keys.push_back(key(first));
  if (profile_->keys > 1 &&
      chooser_->happens(Key{Choice::client_key, raft::combine(about, 1)}, million / 4)) {
    get.keys.push_back(key((first + 1) % profile_->keys));
  }
  draw_policy(client, about);
  get.policy = client.policy;
  client.what = std::move(get);
  static_cast<void>(index);
}

/// Stale reads go to any node; so do some of the others, which it then forwards. The last read is a plain one.
void Clients::draw_policy(Client& client, std::uint64_t about) {
  const auto happens = [&](std::uint64_t which, std::uint32_t per_million) {
    return last_ == Last::none &&
           chooser_->happens(Key{Choice::client_policy, which == 0 ? about : raft::combine(about, which)},
                             per_million);
  };
  client.policy = kv::ReadPolicy::read_index;
  if (happens(1, profile_->lease_read_ppm)) client.policy = kv::ReadPolicy::lease;
  client.anywhere = happens(2, profile_->follower_read_ppm);
  if (!happens(0, profile_->stale_read_ppm)) return;
  client.policy = kv::ReadPolicy::stale;
  client.anywhere = true;
}

void Clients::draw_write(Client& client, std::uint64_t about) {
  ++client.sequence;
  auto& command = become<kv::Command>(client.what);
  command.client = client.session;
  command.sequence = kv::Sequence(client.sequence);
  const std::uint64_t number = chooser_->choose(Key{Choice::client_key, about}, profile_->keys);
  const std::uint64_t kind =
      open_loop() ? 0 : chooser_->choose(Key{Choice::client_operation, raft::combine(about, 1)}, 10);
  if (kind < 5) {
    auto& put = become<kv::Put>(command.change);
    make_key(number, put.key);
    make_value(client, put.value);
  } else if (kind == 5) {
    command.change = kv::Delete{key(number)};
  } else if (kind < 8) {
    // Half of the compares expect what some replica holds now, so that they have a chance.
    kv::CompareAndSwap swap{key(number), std::nullopt, value(client)};
    const NodeId leader = cluster_->leader();
    if (kind == 6 && leader) {
      if (const auto found = cluster_->service(leader).store().get(swap.key))
        swap.expected = std::string(*found);
    }
    command.change = std::move(swap);
  } else {
    kv::PutBatch batch;
    batch.entries.push_back(kv::Put{key(number), value(client)});
    if (profile_->keys > 1)
      batch.entries.push_back(kv::Put{key((number + 1) % profile_->keys), value(client)});
    command.change = std::move(batch);
  }
  // The last write must come true, so it is none that no leader takes.
  if (last_ != Last::none && kv::encoded_size(command) > profile_->proposal_bytes_max)
    command.change = kv::Put{key(number), value(client)};
}

void Clients::attempt(std::uint32_t index, Time now) {
  Client& client = clients_[index];
  ++client.attempt;
  ++client.attempts;
  const std::uint64_t about = subject(std::uint64_t{index}, std::uint64_t{client.attempt});
  NodeId node = client.leader;
  if (!node || client.anywhere) {
    node = NodeId(
        static_cast<std::uint32_t>(1 + chooser_->choose(Key{Choice::client_node, about}, cluster_->size())));
  }
  set_timer(index, now + profile_->client_timeout_ns);
  if (!draining_ && !open_loop() &&
      chooser_->happens(Key{Choice::client_loss, about}, profile_->rate(Fault::client_loss))) {
    ++fired_->at(static_cast<std::size_t>(Fault::client_loss));
    return;
  }
  const std::uint32_t slot = requests_.acquire();
  Request& request = requests_[slot];
  request.node = node;
  request.request.tag = (std::uint64_t{index} << 32U) | client.attempt;
  request.request.deadline_ticks = profile_->deadline_ticks;
  request.request.what = client.what;
  const Time delay =
      open_loop() ? 0 : chooser_->between(Key{Choice::client_delay, about}, 0, profile_->client_delay_ns_max);
  queue_->push(Event{now + delay, 0, EventKind::request, node.value(), slot, 0, 0});
}

bool Clients::request_arrives(const Event& event) {
  const Request& request = requests_[event.slot];
  requests_.release(event.slot);
  if (cluster_->life(request.node) != Life::up) {
    kv::Answer refused;  // nobody listens there
    refused.tag = request.request.tag;
    refused.status = Status::not_ready;
    answered({refused}, event.time);
    return false;
  }
  cluster_->service(request.node).request(request.request);
  return true;
}

void Clients::answered(const std::vector<kv::Answer>& answers, Time now) {
  for (const kv::Answer& answer : answers) {
    const std::uint64_t about = subject(answer.tag, std::uint64_t{1});
    if (open_loop()) {
      settle(static_cast<std::uint32_t>(answer.tag >> 32U), answer, now);
      continue;
    }
    if (!draining_ &&
        chooser_->happens(Key{Choice::client_loss, about}, profile_->rate(Fault::client_loss))) {
      ++fired_->at(static_cast<std::size_t>(Fault::client_loss));
      continue;
    }
    const Time delay = chooser_->between(Key{Choice::client_delay, about}, 0, profile_->client_delay_ns_max);
    queue_->push(Event{now + delay, 0, EventKind::answer, 0, answers_.put(answer), 0, 0});
  }
}

void Clients::answer_arrives(const Event& event) {
  const kv::Answer answer = answers_.take(event.slot);
  settle(static_cast<std::uint32_t>(answer.tag >> 32U), answer, event.time);
}

void Clients::settle(std::uint32_t index, const kv::Answer& answer, Time now) {
  Client& client = clients_[index];
  const auto attempt = static_cast<std::uint32_t>(answer.tag);
  if (!client.busy || attempt < client.first_attempt) return;
  const bool latest = attempt == client.attempt;
  switch (answer.status) {
    case Status::ok:
    case Status::compare_failed:
      if (client.opening) {
        client.session = answer.client;
        client.sequence = 0;
        --without_session_;
      } else {
        ++counts_.ok;
        counts_.latency_ns.add(static_cast<std::uint64_t>(now - client.invoked));
        if (witness_ != nullptr)
          witness_->ok(client.op, now, to_outcome(client.what, answer), answer.index,
                       client.reading ? claim_of(client.policy) : invariants::ReadClaim::linearizable);
        if (last_ == Last::writing)
          last_ = Last::reading;
        else if (last_ == Last::reading && client.reading)
          last_ = Last::done;
      }
      finished(index, now);
      return;
    case Status::session_expired:
      // What became of earlier attempts is not known any more.
      if (!client.opening) {
        ++counts_.expired;
        client.session = kv::ClientId{};
        ++without_session_;
        give_up(index, now);
      }
      return;
    case Status::not_leader:
    case Status::not_ready:
    case Status::overloaded:
    case Status::bad_request:
      ++client.refused;
      client.leader = answer.status == Status::not_leader ? answer.leader : NodeId{};
      break;
    case Status::unknown:
    case Status::timed_out:
      if (client.reading) ++client.refused;
      client.leader = NodeId{};
      break;
  }
  if (latest) attempt_failed(index, now);
}

void Clients::attempt_failed(std::uint32_t index, Time now) {
  Client& client = clients_[index];
  client.waiting = false;
  const bool last_one = last_ != Last::none && index == 0;
  if (client.attempts >= profile_->client_attempts && !client.opening && !last_one)
    return give_up(index, now);
  if (client.opening && draining_ && !last_one) return finished(index, now);
  if (client.attempts % 2 == 0) client.leader = NodeId{};
  const std::uint64_t about = subject(std::uint64_t{index}, std::uint64_t{client.attempt}, std::uint64_t{2});
  sleep(index, Wake::retry,
        now + backoff + chooser_->between(Key{Choice::client_think, about}, 0, 4 * backoff), client.attempt);
}

void Clients::give_up(std::uint32_t index, Time now) {
  Client& client = clients_[index];
  const bool certain = client.refused >= client.attempts && client.session;
  ++(certain || client.reading ? counts_.failed : counts_.unknown);
  if (witness_ != nullptr) {
    if (certain) {
      witness_->fail(client.op, now);
    } else {
      witness_->unknown(client.op, now);
    }
  }
  finished(index, now);
}

void Clients::finished(std::uint32_t index, Time now) {
  Client& client = clients_[index];
  client.busy = false;
  --busy_;
  if (index == 0 && last_ != Last::none) {
    if (last_ != Last::done) start_operation(index, now);
    return;
  }
  if (open_loop() && client.session) idle_.push_back(index);
  if (draining_ || (open_loop() && client.session)) return;
  const std::uint64_t about = subject(std::uint64_t{index}, std::uint64_t{client.attempt}, std::uint64_t{3});
  sleep(index, Wake::next,
        now + chooser_->between(Key{Choice::client_think, about}, millisecond, profile_->think_ns_max), 0);
}

void Clients::committed(const raft::EntryView& entry) {
  if (witness_ == nullptr) return;
  if (entry.kind == raft::EntryKind::command) {
    if (kv::decode(entry.payload, command_) && command_.client) {
      to_operation(command_, operation_);
      const OpId id{command_.client.value(), command_.sequence.value()};
      witness_->committed(entry.id.index, id, &operation_);
      return;
    }
    if (std::holds_alternative<kv::OpenSession>(command_.change))
      return witness_->committed_session(entry.id.index);
  }
  witness_->committed(entry.id.index, std::nullopt, nullptr);
}

void Clients::drain() { draining_ = true; }

void Clients::begin_last(Time now) {
  last_ = Last::writing;
  clients_[0].leader = cluster_->leader();
  start_operation(0, now);
}

}  // namespace raftlab::simulator
