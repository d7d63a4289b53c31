#include "net/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace raftlab::net {
namespace {

/// Closes what was opened.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool open() const { return number_ >= 0; }

 private:
  int number_;
};

FileError error_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR: return FileError::missing;
    case EACCES:
    case EPERM: return FileError::permissions;
    case EEXIST: return FileError::exists;
    default: return FileError::io;
  }
}

template <class Call>
auto uninterrupted(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = uninterrupted([&] { return ::write(descriptor, text.data(), text.size()); });
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

FileError sync_directory(const std::filesystem::path& directory) {
  const Descriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.open() || ::fsync(descriptor.number()) != 0) return FileError::io;
  return FileError::none;
}

}  // namespace

const char* name(FileError error) {
  switch (error) {
    case FileError::none: return "none";
    case FileError::missing: return "missing";
    case FileError::permissions: return "permissions";
    case FileError::too_large: return "too_large";
    case FileError::exists: return "exists";
    case FileError::io: return "io";
  }
  return "?";
}

std::variant<std::string, FileError> read_file(const std::filesystem::path& path, std::size_t size_max,
                                               Access access) {
  // Without O_NONBLOCK a pipe in the place of the file would hold us up for ever.
  const Descriptor descriptor(
      uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  if (!descriptor.open()) return error_of(errno);
  // Of what was opened, so that nobody can exchange the file between the look at its mode and the reading.
  struct stat status {};
  if (::fstat(descriptor.number(), &status) != 0) return error_of(errno);
  if (!S_ISREG(status.st_mode)) return FileError::io;
  if (access == Access::owner_only && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return FileError::permissions;
  if (std::cmp_greater(status.st_size, size_max)) return FileError::too_large;

  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count =
        uninterrupted([&] { return ::read(descriptor.number(), text.data() + size, text.size() - size); });
    if (count < 0) return error_of(errno);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  return text;
}

FileError write_new_file(const std::filesystem::path& path, std::string_view text, Access access) {
  const mode_t mode = access == Access::owner_only ? 0600 : 0644;
  std::string temporary = path.string() + ".XXXXXX";
  // mkostemp opens with mode 0600: at no moment can others read a key that is being written.
  const Descriptor descriptor(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!descriptor.open()) return error_of(errno);

  FileError error = FileError::none;
  if (!write_all(descriptor.number(), text) || ::fchmod(descriptor.number(), mode) != 0 ||
      ::fsync(descriptor.number()) != 0) {
    error = FileError::io;
  } else if (::link(temporary.c_str(), path.c_str()) != 0) {
    // Unlike rename, link never replaces what is there.
    error = error_of(errno);
  }
  ::unlink(temporary.c_str());
  if (error != FileError::none) return error;
  const std::filesystem::path directory = path.parent_path();
  return sync_directory(directory.empty() ? std::filesystem::path(".") : directory);
}

}  // namespace raftlab::net
