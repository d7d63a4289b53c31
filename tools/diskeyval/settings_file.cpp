#include "net/files.hpp"
#include "tools/diskeyval/settings.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

namespace raftlab::diskeyval {
namespace {

constexpr std::size_t file_bytes_max = 1U << 20U;

/// A value as the command line has it; none for what no setting takes.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
  const auto* table = node.as_table();
  if (table == nullptr) return std::nullopt;
  std::string all;  // [peers] node2 = "host:port"
  for (const auto& [key, value] : *table) {
    if (!value.is_string()) return std::nullopt;
    all += (all.empty() ? "" : ",") + std::string(key.str()) + '=' + value.as_string()->get();
  }
  return all;
}

std::string place(const std::filesystem::path& path, const toml::source_position& at) {
  return path.string() + ':' + std::to_string(at.line) + ':' + std::to_string(at.column) + ": ";
}

}  // namespace

std::optional<Failure> read_settings(const std::filesystem::path& path, Settings& settings) {
  const auto text = net::read_file(path, file_bytes_max);
  if (const auto* error = std::get_if<net::FileError>(&text))
    return Failure{ExitCode::io, path.string() + ": cannot be read (" + net::name(*error) + ")"};
  toml::table file;
  try {
    file = toml::parse(std::get<std::string>(text));
  } catch (const toml::parse_error& error) {
    return Failure{ExitCode::bad_data, place(path, error.source().begin) + std::string(error.description())};
  }
  for (const auto& [key, value] : file) {
    const auto& all = all_settings();
    const auto setting =
        std::ranges::find_if(all, [&name = key](const Setting& one) { return one.name == name.str(); });
    if (setting == all.end()) {
      return Failure{ExitCode::bad_data, place(path, key.source().begin) + "'" + std::string(key.str()) +
                                             "' is no setting (see diskeyval serve --help)"};
    }
    const auto given = text_of(value);
    const auto expected =
        given ? setting->set(settings, *given) : std::optional<std::string>("a plain value");
    if (expected) {
      return Failure{ExitCode::bad_data, place(path, value.source().begin) + std::string(setting->name) +
                                             ": " + *expected + " was expected"};
    }
  }
  return std::nullopt;
}

}  // namespace raftlab::diskeyval
