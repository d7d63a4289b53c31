#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

/// Small files that are read and written as a whole: certificates, keys, lists of revoked certificates. Any thread.
namespace raftlab::net {

enum class FileError : std::uint8_t {
  none,
  missing,
  permissions,  ///< group or others may read or write what is ours alone
  too_large,
  exists,  ///< what would be written is there already
  io,      ///< anything else; also what is no regular file
};
[[nodiscard]] const char* name(FileError error);

/// Who may read the file. `owner_only` refuses a file that group or others have any permission for.
enum class Access : std::uint8_t { anybody, owner_only };

/// At most `size_max` bytes: a longer file is refused, and not read.
[[nodiscard]] std::variant<std::string, FileError> read_file(const std::filesystem::path& path,
                                                             std::size_t size_max,
                                                             Access access = Access::anybody);

/// Writes a file that was not there: afterwards it is there as a whole, durable, with mode 0600 (`owner_only`) or 0644,
/// or it is not there at all. Never overwrites.
[[nodiscard]] FileError write_new_file(const std::filesystem::path& path, std::string_view text,
                                       Access access);

}  // namespace raftlab::net
