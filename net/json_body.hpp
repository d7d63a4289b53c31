#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace raftlab::net {

/// What is wrong with a body, for who sent it.
struct BodyError {
  std::string message;
};

/// The object of JSON that the body of a request is. Every byte is taken for hostile: nesting and the number of an object's
/// fields are bounded before anything is made of them, and a name stands once.
///
/// The tree lives in memory of its own, on the stack of who reads the body as long as it is small; what is to stay is copied
/// out of it.
class JsonBody {
 public:
  static constexpr std::size_t depth_max = 4;
  static constexpr std::size_t fields_max = 8;  ///< of one object; the API knows none with more

  /// Throws a `BodyError` when `text` is no object of JSON within these bounds.
  explicit JsonBody(std::string_view text);

  [[nodiscard]] const boost::json::object& object() const { return value_.get_object(); }

 private:
  static constexpr std::size_t memory_bytes = 2048;  // a body with a value of a kilobyte fits

  std::array<unsigned char, memory_bytes> first_;
  boost::json::monotonic_resource memory_{first_.data(), first_.size()};
  boost::json::value value_;
};

}  // namespace raftlab::net
