#include "tools/raftlab/runner.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace raftlab::tool {
namespace {

using Clock = std::chrono::steady_clock;

class Runner {
 public:
  Runner(SeedSequence seeds, const RunnerOptions& options, const RunnerCalls& calls)
      : seeds_(seeds), options_(options), calls_(calls), start_(Clock::now()) {}

  std::optional<std::string> run() {
    const unsigned jobs = std::max(1U, options_.jobs);
    for (unsigned i = 0; i < jobs; ++i) workers_.push_back(std::make_unique<Worker>());
    active_ = jobs;
    {
      std::vector<std::jthread> threads;
      threads.reserve(jobs);
      for (const auto& worker : workers_) threads.emplace_back([this, &worker = *worker] { work(worker); });
      supervise();
    }
    return error_;
  }

 private:
  static constexpr auto tick = std::chrono::milliseconds(100);
  static constexpr std::uint64_t nowhere = std::numeric_limits<std::uint64_t>::max();

  struct Worker {
    std::uint64_t position = nowhere;  // of the seed under way
    std::atomic<bool> stop = false;
  };

  struct Task {
    std::uint64_t position;
    std::uint64_t seed;
  };

  std::optional<Task> next_task(Worker& worker) {
    const std::scoped_lock lock(mutex_);
    const bool late =
        options_.time_budget && next_position_ > 0 && Clock::now() - start_ >= *options_.time_budget;
    if (ending_ || late || next_position_ > limit_) return std::nullopt;
    const auto seed = seeds_.next();
    if (!seed) return std::nullopt;
    worker.position = next_position_;
    return Task{next_position_++, *seed};
  }

  void work(Worker& worker) {
    while (const auto task = next_task(worker)) {
      std::optional<reports::SeedReport> report;
      std::string error;
      try {
        report = calls_.run(task->seed, worker.stop);
      } catch (const std::exception& exception) {
        error = exception.what();
      }
      const std::scoped_lock lock(mutex_);
      worker.position = nowhere;
      // What was given up does not count, however it ended.
      if (!worker.stop) {
        if (report) {
          keep(task->position, std::move(*report));
        } else if (task->position < limit_) {
          limit(task->position);
          error_ = "seed " + std::to_string(task->seed) + ": " + error;
        }
      }
      changed_.notify_one();
    }
    const std::scoped_lock lock(mutex_);
    --active_;
    changed_.notify_one();
  }

  void keep(std::uint64_t position, reports::SeedReport report) {
    if (!options_.keep_going && report.result.verdict == simulator::Verdict::violated && position < limit_) {
      limit(position);
    }
    if (position <= limit_) done_.emplace(position, std::move(report));
  }

  /// Nothing above the position counts any more: neither seeds nor an exception that one of them has thrown.
  void limit(std::uint64_t position) {
    limit_ = position;
    error_.reset();
    for (const auto& worker : workers_) {
      if (worker->position != nowhere && worker->position > limit_) worker->stop = true;
    }
  }

  void end() {
    ending_ = true;
    for (const auto& worker : workers_) worker->stop = true;
  }

  /// The caller's thread: hands the reports out in order until all workers have ended.
  void supervise() {
    std::unique_lock lock(mutex_);
    std::uint64_t emitted = 0;
    while (true) {
      changed_.wait_for(lock, tick, [&] { return active_ == 0 || done_.contains(emitted); });
      if (options_.stop != nullptr && *options_.stop && !ending_) end();
      // After an early end there may be gaps, and what is complete counts.
      while (!done_.empty() && (done_.begin()->first == emitted || active_ == 0)) {
        auto node = done_.extract(done_.begin());
        emitted = node.key() + 1;
        if (node.key() > limit_) continue;
        lock.unlock();
        calls_.emit(node.mapped());
        lock.lock();
      }
      if (active_ == 0 && done_.empty()) return;
      if (calls_.tick) {
        lock.unlock();
        calls_.tick();
        lock.lock();
      }
    }
  }

  SeedSequence seeds_;
  const RunnerOptions& options_;
  const RunnerCalls& calls_;
  Clock::time_point start_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::map<std::uint64_t, reports::SeedReport> done_;  // by position, not handed out yet
  std::uint64_t next_position_ = 0;
  std::uint64_t limit_ =
      nowhere;  // position of the lowest seed that ends the campaign: violated, or thrown from
  unsigned active_ = 0;
  bool ending_ = false;
  std::optional<std::string> error_;  // of the seed at `limit_`
};

}  // namespace

std::optional<std::string> run_seeds(SeedSequence seeds, const RunnerOptions& options,
                                     const RunnerCalls& calls) {
  return Runner(seeds, options, calls).run();
}

}  // namespace raftlab::tool
