#include "tools/raftlab/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <span>
#include <utility>

namespace raftlab::tool {
namespace {

namespace fs = std::filesystem;

constexpr const char* default_directory = "raftlab-out";
constexpr mode_t file_mode = 0666;
constexpr mode_t permission_bits = 07777;

Failure io_failure(const std::string& path, const std::string& what, int error) {
  return Failure{ExitCode::io, path + ": " + what + ": " + std::generic_category().message(error)};
}

/// All of it, or the error number.
int write_all(int descriptor, raft::Bytes content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written == 0 ? EIO : errno;
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

/// "2026-11-21T10.02.11", in UTC.
std::string time_name() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H.%M.%S", &parts);
  return std::string(text, size);
}

/// Makes `latest` beside `directory` point to it; what is no link of ours stays.
bool link_latest(const fs::path& directory) {
  const fs::path link = directory.parent_path() / "latest";
  std::error_code error;
  const fs::file_status status = fs::symlink_status(link, error);
  if (fs::exists(status) && !fs::is_symlink(status)) return false;
  const fs::path temporary = directory.parent_path() / (".latest-" + std::to_string(::getpid()));
  fs::remove(temporary, error);
  fs::create_directory_symlink(directory.filename(), temporary, error);
  if (error) return false;
  fs::rename(temporary, link, error);
  return !error;
}

}  // namespace

int tell(const Failure& failure) {
  std::cerr << "raftlab: " << failure.message << '\n';
  return static_cast<int>(failure.code);
}

Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return io_failure(path, "cannot be read", errno);
  std::string content;
  int error = 0;
  char buffer[1U << 16U];
  while (content.size() <= bytes_max) {
    const ssize_t size = ::read(descriptor, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) error = errno;
    if (size <= 0) break;
    content.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(descriptor);
  if (error != 0) return io_failure(path, "cannot be read", error);
  if (content.empty()) return Failure{ExitCode::bad_data, path + ": the file is empty"};
  if (content.size() > bytes_max) {
    return Failure{ExitCode::bad_data,
                   path + ": the file is longer than " + std::to_string(bytes_max) + " bytes"};
  }
  return content;
}

Result<simulator::Trace> read_trace(const std::string& path) {
  auto content = read_file(path, trace_bytes_max);
  if (auto* failed = std::get_if<Failure>(&content)) return std::move(*failed);
  auto trace = simulator::decode_trace(std::as_bytes(std::span(std::get<std::string>(content))));
  if (const auto* error = std::get_if<simulator::TraceError>(&trace)) {
    return Failure{ExitCode::bad_data, path + ": " + error->message};
  }
  return std::move(std::get<simulator::Trace>(trace));
}

Result<OutputFile> OutputFile::open(const std::string& path) {
  if (path.empty()) return io_failure(path, "cannot be written", ENOENT);
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) return io_failure(path, "cannot be written", EISDIR);
  if (exists && ::access(path.c_str(), W_OK) != 0) return io_failure(path, "cannot be written", errno);
  // A device or a pipe is written in place; a file appears under its name when it is complete.
  const bool in_place = exists && !S_ISREG(status.st_mode);
  // Behind a link the file is replaced, not the link.
  std::error_code error;
  const std::string target = exists && !in_place ? fs::canonical(path, error).string() : path;
  if (error) return io_failure(path, "cannot be written", error.value());
  const std::string temporary = in_place ? "" : target + ".tmp-" + std::to_string(::getpid());
  const int flags = in_place ? O_WRONLY : O_WRONLY | O_CREAT | O_EXCL;
  const int descriptor = ::open((in_place ? path : temporary).c_str(), flags | O_CLOEXEC, file_mode);
  if (descriptor < 0) return io_failure(path, "cannot be written", errno);
  OutputFile file(descriptor, path, target, temporary);
  if (exists && !in_place && ::fchmod(descriptor, status.st_mode & permission_bits) != 0)
    return io_failure(path, "cannot be written", errno);
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})) {}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

std::optional<Failure> OutputFile::commit(raft::Bytes content) {
  int error = write_all(descriptor_, content);
  if (::close(std::exchange(descriptor_, -1)) != 0 && error == 0) error = errno;
  if (error == 0 && !temporary_.empty() && ::rename(temporary_.c_str(), target_.c_str()) != 0) error = errno;
  if (error != 0) return io_failure(path_, "cannot be written", error);
  temporary_.clear();
  return std::nullopt;
}

std::optional<Failure> OutputDirectory::check() const {
  fs::path path = given_.empty() ? fs::path(default_directory) : fs::path(given_);
  std::error_code error;
  while (!fs::exists(path, error)) {
    if (error) return io_failure(given_, "cannot be made", error.value());
    path = path.has_parent_path() && path.parent_path() != path ? path.parent_path() : fs::path(".");
  }
  if (!fs::is_directory(path, error)) return io_failure(path.string(), "cannot be written into", ENOTDIR);
  if (!given_.empty() && ::access(path.c_str(), W_OK) != 0)
    return io_failure(path.string(), "cannot be written into", errno);
  return std::nullopt;
}

std::optional<Failure> OutputDirectory::make() {
  std::error_code error;
  if (!given_.empty()) {
    fs::create_directories(given_, error);
    if (error) return io_failure(given_, "cannot be made", error.value());
    directory_ = short_directory_ = given_;
    return std::nullopt;
  }
  const fs::path base(default_directory);
  fs::create_directories(base, error);
  if (error) return io_failure(base.string(), "cannot be made", error.value());
  const std::string name = time_name();
  constexpr int attempts = 1000;
  for (int attempt = 1; attempt <= attempts; ++attempt) {
    const fs::path directory = base / (attempt == 1 ? name : name + "-" + std::to_string(attempt));
    if (fs::create_directory(directory, error)) {
      directory_ = directory.string();
      short_directory_ = link_latest(directory) ? (base / "latest").string() : directory_;
      return std::nullopt;
    }
    if (error) return io_failure(directory.string(), "cannot be made", error.value());
  }
  return io_failure((base / name).string(), "cannot be made", EEXIST);
}

Result<OutputDirectory::Saved> OutputDirectory::save(const std::string& name, const std::string& extension,
                                                     raft::Bytes content) {
  if (directory_.empty()) {
    if (auto failed = make()) return std::move(*failed);
  }
  constexpr int attempts = 1000;
  for (int attempt = 1; attempt <= attempts; ++attempt) {
    const std::string file = name + (attempt == 1 ? "" : "-" + std::to_string(attempt)) + extension;
    const std::string path = (fs::path(directory_) / file).string();
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file_mode);
    if (descriptor < 0 && errno == EEXIST) continue;
    if (descriptor < 0) return io_failure(path, "cannot be written", errno);
    int error = write_all(descriptor, content);
    if (::close(descriptor) != 0 && error == 0) error = errno;
    if (error != 0) {
      ::unlink(path.c_str());
      return io_failure(path, "cannot be written", error);
    }
    return Saved{path, (fs::path(short_directory_) / file).string()};
  }
  return io_failure((fs::path(directory_) / name).string() + extension, "cannot be written", EEXIST);
}

}  // namespace raftlab::tool
