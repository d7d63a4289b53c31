#include "simulator/profile_toml.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

namespace raftlab::simulator {
namespace {

using Member = std::variant<std::uint32_t Profile::*, std::int64_t Profile::*, std::uint64_t Profile::*,
                            bool Profile::*>;

/// One setting. `key` is the name of the member; a "_ns" in it stands for any of the units below.
struct Field {
  std::string_view section;
  std::string_view key;
  Member member;
  std::uint64_t least = 0;
  std::uint64_t most = 1;
};

constexpr std::uint64_t hour = 3600ULL * second;

constexpr Field fields[] = {
    {"core", "spares", &Profile::spares, 0, 63},
    {"operator", "replacements", &Profile::replacements, 0, 63},
    {"operator", "notice_ns_max", &Profile::notice_ns_max, millisecond, hour},
    {"operator", "patience_ns_max", &Profile::patience_ns_max, millisecond, hour},
    {"core", "learners", &Profile::learners, 0, 63},
    {"time", "tick_ns", &Profile::tick_ns, microsecond, 10 * second},
    {"time", "fault_phase_ns", &Profile::fault_phase_ns, 0, 100 * hour},
    {"time", "healing_ns_max", &Profile::healing_ns_max, 0, 100 * hour},
    {"time", "steps_max", &Profile::steps_max, 1, 1'000'000'000'000},
    {"time", "clock_drift_ppm", &Profile::clock_drift_ppm, 0, million / 2},
    {"core", "election_ticks", &Profile::election_ticks, 2, 100'000},
    {"core", "heartbeat_ticks", &Profile::heartbeat_ticks, 1, 99'999},
    {"core", "pre_vote", &Profile::pre_vote},
    {"core", "check_quorum", &Profile::check_quorum},
    {"core", "priorities", &Profile::priorities},
    {"core", "stall_ticks", &Profile::stall_ticks, 0, 1'000'000},
    {"core", "window_messages", &Profile::window_messages, 1, 65'536},
    {"core", "append_bytes_max", &Profile::append_bytes_max, 1, 1U << 30U},
    {"core", "leases", &Profile::leases},
    {"core", "lease_drift_ppm", &Profile::lease_drift_ppm, 0, 10 * million},
    {"core", "window_bytes", &Profile::window_bytes, 1, 1U << 30U},
    {"core", "uncommitted_bytes_max", &Profile::uncommitted_bytes_max, 1, 1U << 30U},
    {"core", "reads_max", &Profile::reads_max, 1, 65'536},
    {"core", "promotion_lag_entries_max", &Profile::promotion_lag_entries_max, 0, 1'000'000'000'000},
    {"core", "proposal_bytes_max", &Profile::proposal_bytes_max, 1, 1U << 30U},
    {"start", "first_entries", &Profile::first_entries, 0, 1'000'000},
    {"start", "first_term", &Profile::first_term, 1, first_term_max},
    {"start", "first_lag", &Profile::first_lag, 0, 1'000'000},
    {"start", "first_joint", &Profile::first_joint},
    {"snapshots", "snapshot_entries", &Profile::snapshot_entries, 0, 1'000'000'000'000},
    {"snapshots", "tail_entries", &Profile::tail_entries, 0, 1'000'000'000'000},
    {"snapshots", "tail_bytes", &Profile::tail_bytes, 0, 1ULL << 40U},
    {"snapshots", "snapshot_part_bytes", &Profile::snapshot_part_bytes, 1, 1U << 30U},
    {"snapshots", "snapshot_chunk_bytes", &Profile::snapshot_chunk_bytes, 1, 1U << 30U},
    {"network", "delay_ns_min", &Profile::delay_ns_min, 0, hour},
    {"network", "delay_ns_max", &Profile::delay_ns_max, 0, hour},
    {"network", "late_ns_max", &Profile::late_ns_max, 0, hour},
    {"network", "codec_ppm", &Profile::codec_ppm, 0, million},
    {"disk", "sync_ns_min", &Profile::sync_ns_min, 0, hour},
    {"disk", "sync_ns_max", &Profile::sync_ns_max, 0, hour},
    {"disk", "slow_sync_ns_max", &Profile::slow_sync_ns_max, 0, hour},
    {"nemesis", "nemesis_turn_ns", &Profile::nemesis_turn_ns, microsecond, hour},
    {"nemesis", "partition_ns_max", &Profile::partition_ns_max, 0, hour},
    {"nemesis", "down_ns_max", &Profile::down_ns_max, 0, hour},
    {"nemesis", "pause_ns_max", &Profile::pause_ns_max, 0, hour},
    {"nemesis", "healing_cut", &Profile::healing_cut},
    {"clients", "clients", &Profile::clients, 1, 10'000},
    {"clients", "keys", &Profile::keys, 1, 1'000'000},
    {"clients", "value_bytes", &Profile::value_bytes, 0, 65'536},
    {"clients", "think_ns_max", &Profile::think_ns_max, 0, hour},
    {"clients", "client_delay_ns_max", &Profile::client_delay_ns_max, 0, hour},
    {"clients", "client_timeout_ns", &Profile::client_timeout_ns, microsecond, hour},
    {"clients", "client_attempts", &Profile::client_attempts, 1, 1'000},
    {"clients", "read_ppm", &Profile::read_ppm, 0, million},
    {"clients", "stale_read_ppm", &Profile::stale_read_ppm, 0, million},
    {"clients", "lease_read_ppm", &Profile::lease_read_ppm, 0, million},
    {"clients", "follower_read_ppm", &Profile::follower_read_ppm, 0, million},
    {"clients", "deadline_ticks", &Profile::deadline_ticks, 1, 1'000'000},
    {"clients", "sessions_max", &Profile::sessions_max, 0, 10'000},
    {"clients", "open_load_per_second", &Profile::open_load_per_second, 0, 10'000'000},
};
constexpr std::size_t field_count = std::size(fields);
constexpr std::string_view sections[] = {"time", "core",    "start",    "snapshots", "network",
                                         "disk", "nemesis", "operator", "faults",    "clients"};
constexpr std::uint32_t nodes_max = 64;
constexpr std::size_t name_bytes_max = 64;

struct Unit {
  std::string_view suffix;
  std::uint64_t ns;
};
constexpr Unit units[] = {{"_s", second}, {"_ms", millisecond}, {"_us", microsecond}, {"_ns", 1}};

/// "delay_ns_min" and "_ms" give "delay_ms_min"; a key without a unit stays as it is.
std::string with_unit(std::string_view key, std::string_view suffix) {
  std::string result(key);
  const std::size_t at = result.find("_ns");
  if (at != std::string::npos) result.replace(at, 3, suffix);
  return result;
}

bool has_unit(const Field& field) { return field.key.find("_ns") != std::string_view::npos; }

/// How many letters are to be changed, added or left out to get from one word to the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

/// What a field may be called in a file.
std::vector<std::string> spellings(const Field& field) {
  if (!has_unit(field)) return {std::string(field.key)};
  std::vector<std::string> result;
  for (const Unit& unit : units) result.push_back(with_unit(field.key, unit.suffix));
  return result;
}

/// Every key of a file as `key in [section]`, for the suggestion after an unknown one.
std::string nearest(std::string_view section, std::string_view word) {
  std::string best;
  std::size_t best_distance = ~std::size_t{0};
  const auto consider = [&](std::string_view candidate_section, const std::string& candidate) {
    // The same word in another table is nearer than any other word.
    const std::size_t steps = distance(word, candidate) * 2 + (candidate_section == section ? 0 : 1);
    if (steps >= best_distance) return;
    best_distance = steps;
    best = candidate;
    if (candidate_section.empty())
      best += " at the top of the file";
    else if (candidate_section != section)
      best += " in [" + std::string(candidate_section) + "]";
  };
  for (const char* key : {"name", "base", "nodes"}) consider("", key);
  for (const Field& field : fields) {
    for (const std::string& spelling : spellings(field)) consider(field.section, spelling);
  }
  for (std::size_t i = 0; i < faults; ++i) consider("faults", name(static_cast<Fault>(i)));
  return best;
}

std::string nearest_section(std::string_view word) {
  return std::string(*std::min_element(std::begin(sections), std::end(sections), [&](auto a, auto b) {
    return distance(word, a) < distance(word, b);
  }));
}

/// A name that needs no escapes in TOML and is no surprise in a terminal.
bool acceptable_name(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
}

/// Reads a parsed file into a profile, and remembers what it said and where.
class Reader {
 public:
  explicit Reader(const toml::table& root) { read_root(root); }

  [[nodiscard]] const std::optional<ProfileError>& error() const { return error_; }
  [[nodiscard]] const ProfileFile& file() const { return file_; }
  [[nodiscard]] Profile over(Profile profile) const;

 private:
  struct Given {
    std::uint64_t value = 0;
    toml::source_position at{};
  };
  using Slot = std::optional<Given>;

  /// Of several errors the first one in the file is told.
  void fail(const toml::source_position& at, std::string message) {
    const ProfileError found{std::move(message), at.line, at.column};
    if (!error_ || std::pair(found.line, found.column) < std::pair(error_->line, error_->column))
      error_ = found;
  }

  void read_root(const toml::table& root);
  void read_top(std::string_view key, const toml::source_position& at, const toml::node& value);
  void read_section(std::string_view section, const toml::table& table);
  bool read_fault(std::string_view key, const toml::source_position& at, const toml::node& value);
  bool read_field(std::string_view section, std::string_view key, const toml::source_position& at,
                  const toml::node& value);
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view key, const toml::node& value,
                                                    std::uint64_t scale, std::uint64_t least,
                                                    std::uint64_t most);
  void check_pair(std::string_view lower, std::string_view upper, std::uint64_t gap);
  void fit_pair(Profile& profile, std::string_view lower, std::string_view upper, std::uint64_t gap) const;
  void couple(Profile& profile) const;
  [[nodiscard]] const Slot& given(std::string_view key) const;

  std::optional<ProfileError> error_;
  ProfileFile file_;
  std::optional<std::string> name_;
  std::array<Slot, field_count> given_{};
  std::array<Slot, faults> rates_{};
};

/// Settings of which the first may not exceed the second, less a gap.
struct Pair {
  std::string_view lower;
  std::string_view upper;
  std::uint64_t gap;
};
constexpr Pair pairs[] = {
    {"replacements", "spares", 0},
    {"delay_ns_min", "delay_ns_max", 0},
    {"sync_ns_min", "sync_ns_max", 0},
    {"heartbeat_ticks", "election_ticks", 1},
};

const Field& field_of(std::string_view key) {
  return *std::find_if(std::begin(fields), std::end(fields),
                       [&](const Field& field) { return field.key == key; });
}

std::uint64_t get(const Profile& profile, const Field& field) {
  return std::visit([&](auto member) { return static_cast<std::uint64_t>(profile.*member); }, field.member);
}

void set(Profile& profile, const Field& field, std::uint64_t value) {
  std::visit(
      [&](auto member) {
        profile.*member = static_cast<std::remove_reference_t<decltype(profile.*member)>>(value);
      },
      field.member);
}

const Reader::Slot& Reader::given(std::string_view key) const {
  return given_[static_cast<std::size_t>(&field_of(key) - std::begin(fields))];
}

void Reader::read_root(const toml::table& root) {
  for (const auto& [key, value] : root) {
    const toml::source_position at = key.source().begin;
    if (const toml::table* table = value.as_table(); table == nullptr) {
      read_top(key.str(), at, value);
    } else if (std::find(std::begin(sections), std::end(sections), key.str()) == std::end(sections)) {
      fail(at, "unknown table [" + std::string(key.str()) + "]; the nearest known one is [" +
                   nearest_section(key.str()) + "]");
    } else {
      read_section(key.str(), *table);
    }
  }
  for (const Pair& pair : pairs) check_pair(pair.lower, pair.upper, pair.gap);
}

void Reader::read_top(std::string_view key, const toml::source_position& at, const toml::node& value) {
  if (key == "nodes") {
    if (const auto nodes = number(key, value, 1, 1, nodes_max))
      file_.nodes = static_cast<std::uint32_t>(*nodes);
  } else if (key == "name") {
    const auto text = value.value_exact<std::string>();
    if (!text || !acceptable_name(*text)) {
      fail(value.source().begin,
           "name must be a text of 1 to 64 printable ASCII characters without \" and \\");
    } else {
      name_ = *text;
    }
  } else if (key == "base") {
    const auto text = value.value_exact<std::string>();
    if (text == "quiet")
      file_.base = ProfileBase::quiet;
    else if (text != "drawn")
      fail(value.source().begin, "base must be \"drawn\" or \"quiet\"");
  } else {
    fail(at, "unknown key " + std::string(key) + "; the nearest known one is " + nearest("", key));
  }
}

void Reader::read_section(std::string_view section, const toml::table& table) {
  for (const auto& [key, value] : table) {
    const toml::source_position at = key.source().begin;
    const bool known =
        section == "faults" ? read_fault(key.str(), at, value) : read_field(section, key.str(), at, value);
    if (!known) {
      fail(at, "unknown key " + std::string(key.str()) + " in [" + std::string(section) +
                   "]; the nearest known one is " + nearest(section, key.str()));
    }
  }
}

bool Reader::read_fault(std::string_view key, const toml::source_position& at, const toml::node& value) {
  for (std::size_t i = 0; i < faults; ++i) {
    if (key != name(static_cast<Fault>(i))) continue;
    if (const auto rate = number(key, value, 1, 0, million)) rates_[i] = Given{*rate, at};
    return true;
  }
  return false;
}

bool Reader::read_field(std::string_view section, std::string_view key, const toml::source_position& at,
                        const toml::node& value) {
  for (std::size_t i = 0; i < field_count; ++i) {
    const Field& field = fields[i];
    if (field.section != section) continue;
    for (const Unit& unit : units) {
      if (with_unit(field.key, unit.suffix) != key) continue;
      if (given_[i])
        fail(at, std::string(key) + " sets the same as line " + std::to_string(given_[i]->at.line));
      if (std::holds_alternative<bool Profile::*>(field.member)) {
        const auto flag = value.value_exact<bool>();
        if (!flag) fail(value.source().begin, std::string(key) + " must be true or false");
        given_[i] = Given{flag.value_or(false) ? 1U : 0U, at};
      } else if (const auto read =
                     number(key, value, has_unit(field) ? unit.ns : 1, field.least, field.most)) {
        given_[i] = Given{*read, at};
      }
      return true;
    }
  }
  return false;
}

std::optional<std::uint64_t> Reader::number(std::string_view key, const toml::node& value,
                                            std::uint64_t scale, std::uint64_t least, std::uint64_t most) {
  const auto read = value.value_exact<std::int64_t>();
  const std::uint64_t lowest = (least + scale - 1) / scale;
  const std::uint64_t highest = most / scale;
  if (!read) {
    fail(value.source().begin, std::string(key) + " must be an integer");
  } else if (*read < 0 || static_cast<std::uint64_t>(*read) < lowest ||
             static_cast<std::uint64_t>(*read) > highest) {
    std::ostringstream message;
    message << key << " must be from " << lowest << " to " << highest << ", not " << *read;
    fail(value.source().begin, message.str());
  } else {
    return static_cast<std::uint64_t>(*read) * scale;
  }
  return std::nullopt;
}

void Reader::check_pair(std::string_view lower, std::string_view upper, std::uint64_t gap) {
  const Slot& low = given(lower);
  const Slot& high = given(upper);
  if (!low || !high || low->value + gap <= high->value) return;
  fail(low->at, with_unit(lower, "") + (gap == 0 ? " must not exceed " : " must be below ") +
                    with_unit(upper, "") + " (line " + std::to_string(high->at.line) + ")");
}

/// Where the file gives one side of a pair, the side that it leaves out makes room.
void Reader::fit_pair(Profile& profile, std::string_view lower, std::string_view upper,
                      std::uint64_t gap) const {
  const Field& low = field_of(lower);
  const Field& high = field_of(upper);
  if (get(profile, low) + gap <= get(profile, high)) return;
  if (given(lower)) {
    set(profile, high, get(profile, low) + gap);
  } else {
    set(profile, low, get(profile, high) - gap);
  }
}

/// The drift of the clocks has an amount besides its rate. Who gives one of the two means both.
void Reader::couple(Profile& profile) const {
  const Slot& drift_rate = rates_[static_cast<std::size_t>(Fault::clock_drift)];
  if (given("clock_drift_ppm") && !drift_rate) {
    profile.rate(Fault::clock_drift) = profile.clock_drift_ppm != 0 ? million : 0;
  }
  if (drift_rate && !given("clock_drift_ppm")) {
    if (drift_rate->value == 0)
      profile.clock_drift_ppm = 0;
    else if (profile.clock_drift_ppm == 0)
      profile.clock_drift_ppm = 50'000;
  }
  // Leases allow for the drift that there is, unless the file says what they take it to be.
  if (!given("lease_drift_ppm")) profile.lease_drift_ppm = drift_apart_ppm(profile.clock_drift_ppm);
}

Profile Reader::over(Profile profile) const {
  if (file_.base == ProfileBase::quiet) profile = Profile{};
  if (name_) profile.name = *name_;
  if (file_.nodes != 0) profile.nodes = file_.nodes;
  for (std::size_t i = 0; i < field_count; ++i) {
    if (given_[i]) set(profile, fields[i], given_[i]->value);
  }
  for (std::size_t i = 0; i < faults; ++i) {
    if (rates_[i]) profile.rates[i] = static_cast<std::uint32_t>(rates_[i]->value);
  }
  for (const Pair& pair : pairs) fit_pair(profile, pair.lower, pair.upper, pair.gap);
  couple(profile);
  return profile;
}

std::variant<Reader, ProfileError> read(const std::string& text) {
  try {
    Reader reader(toml::parse(text));
    if (reader.error()) return *reader.error();
    return reader;
  } catch (const toml::parse_error& error) {
    return ProfileError{std::string(error.description()), error.source().begin.line,
                        error.source().begin.column};
  }
}

/// The largest unit that loses nothing.
const Unit& unit_for(std::uint64_t ns) {
  return *std::find_if(std::begin(units), std::end(units),
                       [&](const Unit& unit) { return ns % unit.ns == 0; });
}

}  // namespace

std::variant<ProfileFile, ProfileError> inspect_profile(const std::string& text) {
  auto result = read(text);
  if (auto* error = std::get_if<ProfileError>(&result)) return std::move(*error);
  return std::get<Reader>(result).file();
}

std::variant<Profile, ProfileError> parse_profile(const std::string& text, const Profile& base) {
  auto result = read(text);
  if (auto* error = std::get_if<ProfileError>(&result)) return std::move(*error);
  return std::get<Reader>(result).over(base);
}

std::string to_toml(const Profile& profile) {
  std::ostringstream out;
  out << "name = \"" << profile.name << "\"\nbase = \"quiet\"\nnodes = " << profile.nodes << '\n';
  for (const std::string_view section : sections) {
    out << "\n[" << section << "]\n";
    for (const Field& field : fields) {
      if (field.section != section) continue;
      const std::uint64_t value = get(profile, field);
      if (std::holds_alternative<bool Profile::*>(field.member)) {
        out << field.key << " = " << (value != 0 ? "true" : "false") << '\n';
      } else if (has_unit(field)) {
        const Unit& unit = unit_for(value);
        out << with_unit(field.key, unit.suffix) << " = " << value / unit.ns << '\n';
      } else {
        out << field.key << " = " << value << '\n';
      }
    }
    if (section != "faults") continue;
    for (std::size_t i = 0; i < faults; ++i)
      out << name(static_cast<Fault>(i)) << " = " << profile.rates[i] << '\n';
  }
  return out.str();
}

}  // namespace raftlab::simulator
