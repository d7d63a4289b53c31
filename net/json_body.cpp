#include "net/json_body.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <cstdint>
#include <limits>
#include <utility>

namespace raftlab::net {

namespace json = boost::json;

namespace {

constexpr std::size_t work_bytes = 1024;  // for what is not yet part of the tree; more than that is allocated

/// What the parser tells, put on a stack that makes values of it. (The library's own parser does the same, but it bounds no
/// object and forgets names that stand twice.)
class Builder {
 public:
  using Error = json::error_code;
  using Text = json::string_view;

  static constexpr std::size_t max_object_size = JsonBody::fields_max;
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  Builder() : values_({}, work_.data(), work_.size()) {}

  void begin(json::storage_ptr memory) { values_.reset(std::move(memory)); }
  json::value end() { return values_.release(); }
  [[nodiscard]] std::size_t fields() const { return fields_; }

  // The names and the results are those that the library wants; it goes on as long as they are true.
  bool on_document_begin(Error& /*error*/) { return true; }
  bool on_document_end(Error& /*error*/) { return true; }
  bool on_object_begin(Error& /*error*/) { return true; }
  bool on_object_end(std::size_t size, Error& /*error*/) {
    fields_ += size;
    values_.push_object(size);
    return true;
  }
  bool on_array_begin(Error& /*error*/) { return true; }
  bool on_array_end(std::size_t size, Error& /*error*/) {
    values_.push_array(size);
    return true;
  }
  bool on_key_part(Text text, std::size_t /*size*/, Error& /*error*/) {
    values_.push_chars(text);
    return true;
  }
  bool on_key(Text text, std::size_t /*size*/, Error& /*error*/) {
    values_.push_key(text);
    return true;
  }
  bool on_string_part(Text text, std::size_t /*size*/, Error& /*error*/) {
    values_.push_chars(text);
    return true;
  }
  bool on_string(Text text, std::size_t /*size*/, Error& /*error*/) {
    values_.push_string(text);
    return true;
  }
  bool on_number_part(Text /*text*/, Error& /*error*/) { return true; }
  bool on_int64(std::int64_t number, Text /*text*/, Error& /*error*/) {
    values_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, Text /*text*/, Error& /*error*/) {
    values_.push_uint64(number);
    return true;
  }
  bool on_double(double number, Text /*text*/, Error& /*error*/) {
    values_.push_double(number);
    return true;
  }
  bool on_bool(bool yes, Error& /*error*/) {
    values_.push_bool(yes);
    return true;
  }
  bool on_null(Error& /*error*/) {
    values_.push_null();
    return true;
  }
  bool on_comment_part(Text /*text*/, Error& /*error*/) { return true; }
  bool on_comment(Text /*text*/, Error& /*error*/) { return true; }

 private:
  std::array<unsigned char, work_bytes> work_;
  json::value_stack values_;
  std::size_t fields_ = 0;
};

std::size_t fields_in(const json::value& value) {
  std::size_t fields = 0;
  if (const json::object* object = value.if_object()) {
    fields = object->size();
    for (const auto& field : *object) fields += fields_in(field.value());
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& each : *array) fields += fields_in(each);
  }
  return fields;
}

const char* problem(const json::error_code& error) {
  if (error == json::error::too_deep) return "body: nested too deeply";
  if (error == json::error::object_too_large) return "body: an object with too many fields";
  return "body: not JSON";
}

}  // namespace

JsonBody::JsonBody(std::string_view text) : value_(json::storage_ptr(&memory_)) {
  json::parse_options options;
  options.max_depth = depth_max;
  json::basic_parser<Builder> parser(options);
  parser.handler().begin(&memory_);
  json::error_code error;
  const std::size_t read = parser.write_some(/*more=*/false, text.data(), text.size(), error);
  if (error) throw BodyError{problem(error)};
  if (read < text.size()) throw BodyError{"body: not JSON"};
  value_ = parser.handler().end();
  if (!value_.is_object()) throw BodyError{"body: expected an object"};
  // Of two fields of one name the tree keeps one.
  if (fields_in(value_) != parser.handler().fields()) throw BodyError{"body: a name stands twice"};
}

}  // namespace raftlab::net
