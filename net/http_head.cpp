#include "net/http_head.hpp"

#include <algorithm>

namespace raftlab::net {

bool equals_without_case(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(left, right, {}, lower, lower);
}

std::size_t HttpHead::count(std::string_view name) const {
  const auto named = [&](const HttpField& field) { return equals_without_case(field.name, name); };
  return static_cast<std::size_t>(std::ranges::count_if(fields, named));
}

const std::string* HttpHead::find(std::string_view name) const {
  for (const HttpField& field : fields)
    if (equals_without_case(field.name, name)) return &field.value;
  return nullptr;
}

}  // namespace raftlab::net
