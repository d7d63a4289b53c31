#include "raft/wal/wal.hpp"

#include "raft/wal/crc32c.hpp"
#include "raft/wal/test_state.hpp"

#include <benchmark/benchmark.h>

namespace raftlab::raft::wal {
namespace {

using namespace testing;

/// Does nothing, at once.
class NullDisk final : public Disk {
 public:
  [[nodiscard]] OperationId last() const { return last_; }
  [[nodiscard]] std::variant<std::vector<std::string>, DiskError> list() override {
    return std::vector<std::string>();
  }
  [[nodiscard]] std::variant<std::vector<std::byte>, DiskError> read(std::string_view) override {
    return DiskError::not_found;
  }
  [[nodiscard]] DiskError lock() override { return DiskError::none; }
  OperationId create(std::string_view, FileHandle&) override { return next(); }
  OperationId open(std::string_view, FileHandle&) override { return next(); }
  OperationId append(FileHandle, Bytes bytes) override {
    benchmark::DoNotOptimize(bytes.data());
    return next();
  }
  OperationId preallocate(FileHandle, std::uint64_t) override { return next(); }
  OperationId truncate(FileHandle, std::uint64_t) override { return next(); }
  OperationId sync(FileHandle) override { return next(); }
  OperationId rename(std::string_view, std::string_view) override { return next(); }
  OperationId remove(std::string_view) override { return next(); }
  OperationId sync_directory() override { return next(); }

 private:
  OperationId next() { return last_ = last_.next(); }
  OperationId last_;
};

/// Writes of `entries` entries with a command of 16 bytes each; each write has a sync of its own.
void write_entries(benchmark::State& bench) {
  NullDisk disk;
  auto opening = Wal::open(disk, identity, {}, Recovered{});
  Wal& wal = std::get<Wal::Opened>(opening).wal;
  wal.begin(Recovered{});
  (void)wal.complete(DiskCompletion{disk.last()});
  const std::uint64_t bytes = wal.bytes_appended();
  const auto count = static_cast<std::uint32_t>(bench.range(0));
  Write write;
  write.entries.push_back(entries_from(Index(1), Term(1), count, "a 16-byte value!"));
  for (WriteSeq seq(2); auto _ : bench) {
    write.seq = seq;
    write.truncate_from = seq == WriteSeq(2) ? Index() : Index(1);
    wal.write(write);
    benchmark::DoNotOptimize(wal.complete(DiskCompletion{disk.last()}));
    seq = seq.next();
  }
  bench.SetItemsProcessed(bench.iterations());
  bench.SetBytesProcessed(static_cast<std::int64_t>(wal.bytes_appended() - bytes));
}
BENCHMARK(write_entries)->Arg(1)->Arg(16)->Arg(64);

/// A checkpoint of `entries` entries with a command of 16 bytes each, and the removal of what it replaces.
void write_checkpoint(benchmark::State& bench) {
  NullDisk disk;
  auto opening = Wal::open(disk, identity, {}, Recovered{});
  Wal& wal = std::get<Wal::Opened>(opening).wal;
  wal.begin(Recovered{});
  (void)wal.complete(DiskCompletion{disk.last()});
  const std::uint64_t bytes = wal.bytes_appended();
  const auto count = static_cast<std::uint32_t>(bench.range(0));
  State state;
  state.hard.term = Term(1);
  state.log.append(entries_from(Index(1), Term(1), count, "a 16-byte value!"));
  for (WriteSeq seq(2); auto _ : bench) {
    wal.write(checkpoint_of(state, seq));
    bool done = false;
    while (!done) done = wal.complete(DiskCompletion{disk.last()}).has_value();
    seq = seq.next();
  }
  bench.SetItemsProcessed(bench.iterations());
  bench.SetBytesProcessed(static_cast<std::int64_t>(wal.bytes_appended() - bytes));
}
BENCHMARK(write_checkpoint)->Arg(1000);

void checksum(benchmark::State& bench, std::uint32_t (*function)(std::uint32_t, Bytes)) {
  const std::vector<std::byte> bytes(static_cast<std::size_t>(bench.range(0)), std::byte{7});
  std::uint32_t crc = 0;
  for (auto _ : bench) benchmark::DoNotOptimize(crc = function(crc, bytes));
  bench.SetBytesProcessed(static_cast<std::int64_t>(bytes.size()) * bench.iterations());
}
BENCHMARK_CAPTURE(checksum, crc32c, crc32c)->Arg(64)->Arg(4096);
BENCHMARK_CAPTURE(checksum, by_table, crc32c_by_table)->Arg(64)->Arg(4096);

}  // namespace
}  // namespace raftlab::raft::wal
