// A disk with faults, for a node that runs unchanged: this library is loaded before all others (LD_PRELOAD), and takes the
// place of those functions of the C library by which raft/wal/posix_disk.cpp changes files: write, fallocate, fdatasync,
// fsync. What is not below the watched directory goes its way. See control.hpp for the faults.
//
// The calls that are carried out go to the kernel directly, so that nothing depends on the order in which libraries are
// loaded or initialised.
#include "tools/diskeyval/io_faults/control.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace raftlab::diskeyval::io_faults {
namespace {

/// None, and with it no faults, in a process that was not told of any.
Control* control() {
  static Control* const mapped = []() -> Control* {
    const char* path = std::getenv(control_variable);
    if (path == nullptr) return nullptr;
    const int file = ::open(path, O_RDWR | O_CLOEXEC);
    void* const at = ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    // A test whose faults cannot strike must not go on as if they could.
    if (file < 0 || at == MAP_FAILED) std::abort();
    ::close(file);
    return static_cast<Control*>(at);
  }();
  return mapped;
}

bool is_watched(int descriptor) {
  static const std::string directory = [] {
    const char* path = std::getenv(directory_variable);
    return path == nullptr ? std::string() : std::string(path);
  }();
  if (directory.empty() || control() == nullptr) return false;
  std::array<char, PATH_MAX> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
  if (length <= 0) return false;
  const std::string_view name(path.data(), static_cast<std::size_t>(length));
  return name == directory || (name.starts_with(directory) && name[directory.size()] == '/');
}

/// Keeps errno, as the functions whose places are taken do when they succeed.
class KeepErrno {
 public:
  KeepErrno() = default;
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;
  ~KeepErrno() { errno = number_; }

 private:
  int number_ = errno;
};

bool watched(int descriptor) {
  const KeepErrno kept;
  return is_watched(descriptor);
}

long carry_out_write(int descriptor, const void* bytes, std::size_t count) {
  return ::syscall(SYS_write, descriptor, bytes, count);
}

long fails_with(int number) {
  errno = number;
  return -1;
}

/// A fault that strikes once: true for the one call that takes it.
bool take(Fault fault) { return control()->fault.compare_exchange_strong(fault, Fault::none); }

/// How long files were when this process synced them.
class Synced {
 public:
  void note(int descriptor) {
    const std::lock_guard guard(mutex_);
    struct stat status {};
    if (::fstat(descriptor, &status) == 0) sizes_[status.st_ino] = status.st_size;
  }
  void drop_the_rest(int descriptor) {
    const std::lock_guard guard(mutex_);
    struct stat status {};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return;
    const auto found = sizes_.find(status.st_ino);
    if (found == sizes_.end()) return;  // an earlier process may have synced it
    static_cast<void>(::syscall(SYS_ftruncate, descriptor, found->second));
  }

 private:
  std::mutex mutex_;
  std::map<ino_t, off_t> sizes_;
};

Synced& synced() {
  static Synced sizes;
  return sizes;
}

std::atomic<bool> sync_has_failed{false};

long write(int descriptor, const void* bytes, std::size_t count) {
  Control& with = *control();
  ++with.writes;
  if (sync_has_failed) ++with.behind;
  const std::uint64_t amount = with.amount;
  switch (with.fault.load()) {
    case Fault::no_room: {
      const std::size_t fits = std::min<std::size_t>(amount, count);
      with.amount = amount - fits;
      if (fits < count) ++with.struck;
      return fits == 0 ? fails_with(ENOSPC) : carry_out_write(descriptor, bytes, fits);
    }
    case Fault::torn_write:
      if (count <= amount || !take(Fault::torn_write)) break;
      ++with.struck;
      carry_out_write(descriptor, bytes, amount);
      ::kill(::getpid(), SIGKILL);
      break;
    case Fault::none:
    case Fault::failed_sync:
    case Fault::slow_sync: break;
  }
  return carry_out_write(descriptor, bytes, count);
}

long sync(int descriptor, long number) {
  Control& with = *control();
  ++with.syncs;
  if (sync_has_failed) ++with.behind;
  if (take(Fault::failed_sync)) {
    ++with.struck;
    sync_has_failed = true;
    synced().drop_the_rest(descriptor);
    return fails_with(EIO);
  }
  if (with.fault == Fault::slow_sync) {
    ++with.struck;
    const std::uint64_t milliseconds = with.amount;
    const timespec longer{static_cast<time_t>(milliseconds / 1000),
                          static_cast<long>(milliseconds % 1000) * 1'000'000};
    ::nanosleep(&longer, nullptr);
  }
  const long result = ::syscall(number, descriptor);
  if (result == 0) synced().note(descriptor);
  return result;
}

}  // namespace
}  // namespace raftlab::diskeyval::io_faults

namespace io = raftlab::diskeyval::io_faults;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's names are reserved ones
extern "C" {

ssize_t write(int descriptor, const void* bytes, size_t count) {
  if (!io::watched(descriptor)) return io::carry_out_write(descriptor, bytes, count);
  return io::write(descriptor, bytes, count);
}

int fallocate(int descriptor, int mode, off_t offset, off_t length) {
  if (io::watched(descriptor) && io::control()->fault == io::Fault::no_room) {
    ++io::control()->struck;
    return static_cast<int>(io::fails_with(ENOSPC));
  }
  return static_cast<int>(::syscall(SYS_fallocate, descriptor, mode, offset, length));
}

int fsync(int descriptor) {
  const long number = SYS_fsync;
  return static_cast<int>(io::watched(descriptor) ? io::sync(descriptor, number)
                                                  : ::syscall(number, descriptor));
}

int fdatasync(int descriptor) {
  const long number = SYS_fdatasync;
  return static_cast<int>(io::watched(descriptor) ? io::sync(descriptor, number)
                                                  : ::syscall(number, descriptor));
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
