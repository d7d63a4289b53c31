#include "tools/diskeyval/metrics.hpp"

#include "tools/version/version.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace raftlab::diskeyval {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

class Families {
 public:
  void gauge(std::string name, std::string help, double value) {
    begin(std::move(name), std::move(help), MetricType::Gauge);
    add({}, value);
  }
  void counter(std::string name, std::string help, std::uint64_t value) {
    begin(std::move(name), std::move(help), MetricType::Counter);
    add({}, static_cast<double>(value));
  }
  /// One with labels: what is added until the next one begins belongs to it.
  void begin(std::string name, std::string help, MetricType type) {
    MetricFamily family;
    family.name = "diskeyval_" + std::move(name);
    family.help = std::move(help);
    family.type = type;
    families_.push_back(std::move(family));
  }
  void add(const Labels& labels, double value) {
    ClientMetric metric;
    for (const auto& [label, text] : labels) {
      ClientMetric::Label one;
      one.name = label;
      one.value = text;
      metric.label.push_back(std::move(one));
    }
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    families_.back().metric.push_back(std::move(metric));
  }
  /// Of a family of histograms; the counts of Prometheus are those up to each bound.
  void add(const Labels& labels, const net::LatencyHistogram& histogram) {
    add(labels, 0);
    auto& to = families_.back().metric.back().histogram;
    using Seconds = std::chrono::duration<double>;
    to.sample_count = histogram.count();
    to.sample_sum = Seconds(histogram.sum()).count();
    std::uint64_t up_to = 0;
    for (std::size_t i = 0; i < net::LatencyHistogram::bounds.size(); ++i) {
      ClientMetric::Bucket bucket;
      up_to += histogram.counts()[i];
      bucket.cumulative_count = up_to;
      bucket.upper_bound = Seconds(net::LatencyHistogram::bounds[i]).count();
      to.bucket.push_back(bucket);
    }
  }
  [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

template <class Number>
double real(Number number) {
  return static_cast<double>(number);
}

void add_consensus(Families& to, const Measured& measured) {
  const raft::State& state = measured.status.state;
  to.gauge("raft_term", "The present term.", real(state.hard.term.value()));
  to.gauge("raft_is_leader", "1 at the leader, 0 elsewhere.", state.role == raft::Role::leader ? 1 : 0);
  to.gauge("raft_leader", "The number of the leader that this node knows of; 0: none.",
           real(state.leader.value()));
  to.gauge("raft_last_index", "The end of this node's log.", real(state.last.index.value()));
  to.gauge("raft_durable_index", "Up to here this node's log is on stable storage.",
           real(state.durable.value()));
  to.gauge("raft_commit_index", "Up to here this node knows the log to be committed.",
           real(state.commit.value()));
  to.gauge("raft_applied_index", "Up to here this node's store has applied the log.",
           real(measured.status.applied.value()));
  to.gauge("raft_snapshot_index", "The last entry in this node's latest snapshot.",
           real(state.snapshot.index.value()));
  to.gauge("raft_members", "Members of the cluster, learners included.",
           real(measured.status.configuration.members.size()));
  to.counter("raft_elections_total", "Elections that this node stood in.", measured.tally.elections);
  to.counter("raft_terms_led_total", "Terms that this node has led in.", measured.tally.terms_led);
  to.counter("raft_leader_changes_total", "Leaders that this node has seen come.",
             measured.tally.leader_changes);
  to.gauge("fault", "1 when the disk has failed and the node does nothing any more.",
           measured.status.fault ? 1 : 0);
  to.gauge("store_keys", "Keys that have a value.", real(measured.status.keys));
  to.gauge("requests_under_way", "Requests of clients that are not answered yet.",
           real(measured.status.under_way));
}

void add_latencies(Families& to, const net::Latencies& latencies) {
  to.begin("request_seconds", "From a client's request to its answer, whatever that is.",
           MetricType::Histogram);
  to.add({{"kind", "read"}}, latencies.reads);
  to.add({{"kind", "write"}}, latencies.writes);
  to.begin("log_write_seconds", "From handing a write to the log to its being on stable storage.",
           MetricType::Histogram);
  to.add({}, latencies.log_writes);
}

void add_queues(Families& to, const std::vector<net::PeerQueue>& queues) {
  to.begin("peer_queue_messages", "Messages that wait to be written to a peer.", MetricType::Gauge);
  for (const net::PeerQueue& queue : queues)
    to.add({{"peer", std::to_string(queue.peer.value())}}, real(queue.messages));
  to.begin("peer_queue_bytes", "Bytes of the messages that wait to be written to a peer.", MetricType::Gauge);
  for (const net::PeerQueue& queue : queues)
    to.add({{"peer", std::to_string(queue.peer.value())}}, real(queue.bytes));
}

void add_peers(Families& to, const net::Counters& peers) {
  to.begin("peer_links", "Links to other nodes: out to send on, in to receive on.", MetricType::Gauge);
  to.add({{"direction", "out"}}, real(peers.links_out));
  to.add({{"direction", "in"}}, real(peers.links_in));
  to.counter("peer_reconnects_total", "Links that were made again.", peers.reconnects);
  to.begin("peer_frames_total", "Frames between nodes.", MetricType::Counter);
  to.add({{"direction", "out"}}, real(peers.frames_out));
  to.add({{"direction", "in"}}, real(peers.frames_in));
  to.begin("peer_bytes_total", "Bytes of frames between nodes, without what TLS adds.", MetricType::Counter);
  to.add({{"direction", "out"}}, real(peers.bytes_out));
  to.add({{"direction", "in"}}, real(peers.bytes_in));
  to.begin("peer_dropped_total", "Messages to other nodes that did not go out.", MetricType::Counter);
  for (std::size_t drop = 0; drop < net::drops; ++drop)
    to.add({{"reason", net::name(static_cast<net::Drop>(drop))}}, real(peers.dropped[drop]));
}

void add_clients(Families& to, const net::HttpCounters& clients) {
  to.gauge("http_connections", "Connections of clients.", real(clients.connections));
  to.counter("http_requests_total", "Requests of clients that were read to their end.", clients.requests);
  to.begin("http_answers_total", "Answers to clients, by class of status.", MetricType::Counter);
  constexpr std::array<std::string_view, 6> classes = {"", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (std::size_t digit = 1; digit < classes.size(); ++digit)
    to.add({{"code", classes[digit]}}, real(clients.answers[digit]));
}

/// Only those that there are: there are more reasons than happen.
void add_reasons(Families& to, std::string_view port, const std::array<std::uint64_t, net::reasons>& counts) {
  for (std::size_t reason = 0; reason < net::reasons; ++reason) {
    if (counts[reason] != 0)
      to.add({{"port", port}, {"reason", net::name(static_cast<net::Reason>(reason))}}, real(counts[reason]));
  }
}

}  // namespace

std::string metrics_text(const Measured& measured) {
  Families families;
  families.begin("build_info", "1, with what this program is.", MetricType::Gauge);
  families.add({{"version", version::number()}, {"commit", version::commit()}}, 1);
  add_consensus(families, measured);
  add_latencies(families, measured.latencies);
  add_peers(families, measured.peers);
  add_queues(families, measured.queues);
  add_clients(families, measured.clients);
  families.begin("handshake_failures_total", "Connections that were refused.", MetricType::Counter);
  add_reasons(families, "peers", measured.peers.handshake_failures);
  add_reasons(families, "clients", measured.clients.handshake_failures);
  families.gauge("tls_certificate_expiry_timestamp_seconds", "When this node's certificate ends.",
                 real(measured.certificate_expires_s));
  if (measured.revocations_expire_s) {
    families.gauge("tls_revocations_expiry_timestamp_seconds",
                   "When the first list of revoked certificates ends.", real(*measured.revocations_expire_s));
  }
  return families.text();
}

}  // namespace raftlab::diskeyval
