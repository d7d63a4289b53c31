#include "raft/wal/posix_disk.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace raftlab::raft::wal {
namespace {

constexpr mode_t file_mode = 0600;
constexpr mode_t directory_mode = 0700;

DiskError error_of(int number) {
  switch (number) {
    case 0: return DiskError::none;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return DiskError::no_space;
    case ENOENT: return DiskError::not_found;
    case EEXIST: return DiskError::exists;
    case EROFS: return DiskError::read_only;
    default: return DiskError::io;
  }
}

/// Calls until it is not interrupted.
template <class Call>
auto uninterrupted(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

DiskError error_after(int result) { return result < 0 ? error_of(errno) : DiskError::none; }

DiskError write_all(int descriptor, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = uninterrupted([&] { return ::write(descriptor, bytes.data(), bytes.size()); });
    if (written < 0) return error_of(errno);
    if (written == 0) return DiskError::io;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return DiskError::none;
}

/// Up to the end of the file, however it grows or shrinks meanwhile.
DiskError read_all(int descriptor, std::vector<std::byte>& out) {
  struct stat status {};
  if (::fstat(descriptor, &status) < 0) return error_of(errno);
  constexpr std::size_t step_min = 4096;
  std::size_t size = 0;
  out.resize(static_cast<std::size_t>(status.st_size) + 1);  // one more, to see the end without another round
  for (;;) {
    if (size == out.size()) out.resize(size + step_min);
    const ssize_t count =
        uninterrupted([&] { return ::read(descriptor, out.data() + size, out.size() - size); });
    if (count < 0) return error_of(errno);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  out.resize(size);
  return DiskError::none;
}

}  // namespace

PosixDisk::PosixDisk(std::filesystem::path directory, std::function<void()> wake, AfterFailure after_failure)
    : directory_(std::move(directory)), wake_(std::move(wake)), after_failure_(after_failure) {
  if (::mkdir(directory_.c_str(), directory_mode) < 0 && errno != EEXIST) {
    broken_ = error_of(errno);
  } else {
    directory_descriptor_ =
        uninterrupted([&] { return ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (directory_descriptor_ < 0) broken_ = error_of(errno);
  }
  failed_ = broken_;
  writer_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

PosixDisk::~PosixDisk() {
  writer_.request_stop();
  writer_.join();
  for (const auto& [handle, descriptor] : descriptors_) ::close(descriptor);
  if (lock_descriptor_ >= 0) ::close(lock_descriptor_);
  if (directory_descriptor_ >= 0) ::close(directory_descriptor_);
}

std::vector<DiskCompletion> PosixDisk::take_completions() {
  const std::lock_guard guard(mutex_);
  const auto failed = [](const DiskCompletion& completion) { return completion.error != DiskError::none; };
  if (std::ranges::any_of(completions_, failed)) known_through_ = last_operation_;
  return std::exchange(completions_, {});
}

// ---- Reading, on the node's thread -----------------------------------------------------------------------------

std::variant<std::vector<std::string>, DiskError> PosixDisk::list() {
  if (broken_ != DiskError::none) return broken_;
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory_, error), end; !error && at != end;
       at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (error) return error_of(error.value());
  std::ranges::sort(names);
  return names;
}

std::variant<std::vector<std::byte>, DiskError> PosixDisk::read(std::string_view name) {
  if (broken_ != DiskError::none) return broken_;
  const std::string path(name);
  const int descriptor =
      uninterrupted([&] { return ::openat(directory_descriptor_, path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (descriptor < 0) return error_of(errno);
  std::vector<std::byte> bytes;
  const DiskError error = read_all(descriptor, bytes);
  ::close(descriptor);
  if (error != DiskError::none) return error;
  return bytes;
}

DiskError PosixDisk::lock() {
  if (broken_ != DiskError::none) return broken_;
  if (lock_descriptor_ >= 0) return DiskError::none;
  const int descriptor = uninterrupted(
      [&] { return ::openat(directory_descriptor_, "LOCK", O_RDWR | O_CREAT | O_CLOEXEC, file_mode); });
  if (descriptor < 0) return error_of(errno);
  if (uninterrupted([&] { return ::flock(descriptor, LOCK_EX | LOCK_NB); }) < 0) {
    const DiskError error = errno == EWOULDBLOCK ? DiskError::locked : error_of(errno);
    ::close(descriptor);
    return error;
  }
  lock_descriptor_ = descriptor;
  return DiskError::none;
}

// ---- Asking for changes, on the node's thread ------------------------------------------------------------------

OperationId PosixDisk::submit(Operation operation) {
  last_operation_ = last_operation_.next();
  operation.id = last_operation_;
  {
    const std::lock_guard guard(mutex_);
    queue_.push_back(std::move(operation));
  }
  asked_.notify_one();
  return last_operation_;
}

OperationId PosixDisk::create(std::string_view name, FileHandle& handle) {
  handle = last_handle_ = last_handle_.next();
  return submit(
      {.id = {}, .kind = Kind::create, .file = handle, .name = std::string(name), .to = {}, .bytes = {}});
}

OperationId PosixDisk::open(std::string_view name, FileHandle& handle) {
  handle = last_handle_ = last_handle_.next();
  return submit(
      {.id = {}, .kind = Kind::open, .file = handle, .name = std::string(name), .to = {}, .bytes = {}});
}

OperationId PosixDisk::append(FileHandle file, Bytes bytes) {
  return submit({.id = {},
                 .kind = Kind::append,
                 .file = file,
                 .name = {},
                 .to = {},
                 .bytes = std::vector<std::byte>(bytes.begin(), bytes.end())});
}

OperationId PosixDisk::preallocate(FileHandle file, std::uint64_t bytes) {
  return submit(
      {.id = {}, .kind = Kind::preallocate, .file = file, .name = {}, .to = {}, .bytes = {}, .size = bytes});
}

OperationId PosixDisk::truncate(FileHandle file, std::uint64_t size) {
  return submit(
      {.id = {}, .kind = Kind::truncate, .file = file, .name = {}, .to = {}, .bytes = {}, .size = size});
}

OperationId PosixDisk::sync(FileHandle file) {
  return submit({.id = {}, .kind = Kind::sync, .file = file, .name = {}, .to = {}, .bytes = {}});
}

OperationId PosixDisk::rename(std::string_view from, std::string_view to) {
  return submit({.id = {},
                 .kind = Kind::rename,
                 .file = {},
                 .name = std::string(from),
                 .to = std::string(to),
                 .bytes = {}});
}

OperationId PosixDisk::remove(std::string_view name) {
  return submit(
      {.id = {}, .kind = Kind::remove, .file = {}, .name = std::string(name), .to = {}, .bytes = {}});
}

OperationId PosixDisk::sync_directory() {
  return submit({.id = {}, .kind = Kind::sync_directory, .file = {}, .name = {}, .to = {}, .bytes = {}});
}

// ---- Carrying them out, on the writer's thread -----------------------------------------------------------------

void PosixDisk::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    asked_.wait(lock, stop, [&] { return !queue_.empty(); });
    if (queue_.empty()) return;  // asked to stop, and nothing is left to do
    const Operation operation = std::move(queue_.front());
    queue_.pop_front();
    const bool goes_on = after_failure_ == AfterFailure::what_is_asked_next && broken_ == DiskError::none;
    if (goes_on && failed_at_ <= known_through_ && known_through_ < operation.id) failed_ = DiskError::none;
    lock.unlock();
    const bool behind_failure = failed_ != DiskError::none;
    if (!behind_failure) {
      failed_ = carry_out(operation);
      if (failed_ != DiskError::none) failed_at_ = operation.id;
    }
    const DiskError error = failed_;
    // Silence about a success is allowed where nobody waits for it; and about what stands behind a failure, except
    // where everything fails from then on.
    const bool told = error == DiskError::none
                          ? operation.kind == Kind::sync || operation.kind == Kind::sync_directory
                          : !behind_failure || !goes_on;
    lock.lock();
    if (!told) continue;
    completions_.push_back(DiskCompletion{operation.id, error});
    if (wake_) {
      lock.unlock();
      wake_();
      lock.lock();
    }
  }
}

DiskError PosixDisk::open_file(const Operation& operation, int flags) {
  const int descriptor = uninterrupted([&] {
    return ::openat(directory_descriptor_, operation.name.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | flags,
                    file_mode);
  });
  if (descriptor < 0) return error_of(errno);
  descriptors_[operation.file] = descriptor;
  names_[operation.file] = operation.name;
  return DiskError::none;
}

DiskError PosixDisk::carry_out(const Operation& operation) {
  const auto found = descriptors_.find(operation.file);
  const int descriptor = found == descriptors_.end() ? -1 : found->second;
  switch (operation.kind) {
    case Kind::create: return open_file(operation, O_CREAT | O_EXCL);
    case Kind::open: return open_file(operation, 0);
    case Kind::append: return write_all(descriptor, operation.bytes);
    case Kind::preallocate: {
      const auto size = static_cast<off_t>(operation.size);
      const int result = uninterrupted([&] { return ::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, size); });
      if (result < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
        return DiskError::none;  // only a precaution
      return error_after(result);
    }
    case Kind::truncate:
      return error_after(
          uninterrupted([&] { return ::ftruncate(descriptor, static_cast<off_t>(operation.size)); }));
    case Kind::sync: return error_after(::fdatasync(descriptor));  // not even after EINTR
    case Kind::rename:
      for (auto& [handle, name] : names_) {
        if (name == operation.name) name = operation.to;
      }
      return error_after(::renameat(directory_descriptor_, operation.name.c_str(), directory_descriptor_,
                                    operation.to.c_str()));
    case Kind::remove: {
      for (auto named = names_.begin(); named != names_.end();) {
        if (named->second != operation.name) {
          ++named;
          continue;
        }
        ::close(descriptors_[named->first]);
        descriptors_.erase(named->first);
        named = names_.erase(named);
      }
      return error_after(::unlinkat(directory_descriptor_, operation.name.c_str(), 0));
    }
    case Kind::sync_directory: return error_after(::fsync(directory_descriptor_));
  }
  return DiskError::io;
}

}  // namespace raftlab::raft::wal
