#include "invariants/search.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

/// Histories of other systems with verdicts known to others; see testdata/porcupine/ORIGIN.md. Tests run in
/// the root of the repository.
namespace raftlab::invariants {
namespace {

const std::string folder = "invariants/testdata/porcupine/";

std::string number_in(const std::string& text) {
  return text.substr(0, text.find_first_not_of("0123456789"));
}

/// `INFO  jepsen.util - 2  :invoke :cas    [2 4]`: the line number is the time. A compare-and-swap that
/// "fails" was carried out and found something else; what, is not told. `:info` and no answer at all:
/// unknown.
History read_jepsen(std::istream& in) {
  HistoryRecorder recorder;
  std::map<std::uint64_t, std::uint64_t> sequence;
  std::map<std::uint64_t, bool> open;
  std::int64_t line_number = 0;
  for (std::string line; std::getline(in, line); ++line_number) {
    std::istringstream words(line.substr(line.find("- ") + 2));
    std::uint64_t process = 0;
    std::string type;
    std::string function;
    std::string a;
    std::string b;
    words >> process >> type >> function >> a >> b;
    const auto value = [](const std::string& word) {
      return word == "nil" ? Value() : Value(number_in(word));
    };
    const OpId id{process + 1, type == ":invoke" ? ++sequence[process] : sequence[process]};
    if (type == ":invoke") {
      Operation op = Get{"register"};
      if (function == ":write") op = Put{"register", number_in(a)};
      if (function == ":cas") op = CompareAndSwap{"register", number_in(a.substr(1)), number_in(b)};
      recorder.invoke(id, line_number, std::move(op));
    } else if (type == ":info" || a == ":timed-out") {
      recorder.unknown(id, line_number);
    } else {
      Outcome outcome = Outcome::done();
      if (function == ":read") outcome = Outcome::read(value(a));
      if (type == ":fail") outcome = Outcome::compare_failed_untold();
      recorder.ok(id, line_number, std::move(outcome), {});
    }
  }
  return recorder.history();
}

std::string field(const std::string& line, const std::string& name) {
  const std::size_t at = line.find(name + ' ');
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 1;
  if (line[begin] == '"') return line.substr(begin + 1, line.find('"', begin + 1) - begin - 1);
  return line.substr(begin, line.find_first_of(",}", begin) - begin);
}

/// `{:process 9, :type :invoke, :f :append, :key "0", :value "x 9 0 y"}`. Here a key that does not exist
/// reads as the empty text.
History read_kv(std::istream& in) {
  HistoryRecorder recorder;
  std::map<std::string, std::uint64_t> sequence;
  std::int64_t line_number = 0;
  for (std::string line; std::getline(in, line); ++line_number) {
    const std::string process = field(line, ":process");
    const std::string function = field(line, ":f");
    const std::string key = field(line, ":key");
    const std::string value = field(line, ":value");
    const bool invoke = field(line, ":type") == ":invoke";
    const OpId id{std::stoull(process) + 1, invoke ? ++sequence[process] : sequence[process]};
    if (invoke) {
      Operation op = Get{key};
      if (function == ":put") op = Put{key, value};
      if (function == ":append") op = Append{key, value};
      recorder.invoke(id, line_number, std::move(op));
    } else {
      const Value read = value.empty() ? Value() : Value(value);
      recorder.ok(id, line_number, function == ":get" ? Outcome::read(read) : Outcome::done(), {});
    }
  }
  return recorder.history();
}

TEST(SearchPorcupine, agrees_with_every_known_verdict) {
  std::ifstream verdicts(folder + "verdicts.csv");
  ASSERT_TRUE(verdicts) << "run the tests in the root of the repository";
  std::string line;
  std::getline(verdicts, line);
  std::size_t files = 0;
  while (std::getline(verdicts, line)) {
    std::istringstream fields(line);
    std::string file;
    std::string model;
    std::string operations;
    std::string unknown;
    std::string verdict;
    std::getline(fields, file, ',');
    std::getline(fields, model, ',');
    std::getline(fields, operations, ',');
    std::getline(fields, unknown, ',');
    std::getline(fields, verdict, ',');
    std::ifstream in(folder + file);
    ASSERT_TRUE(in) << file;
    const History history = model == "kv-by-key" ? read_kv(in) : read_jepsen(in);
    std::uint64_t without_outcome = 0;
    for (const HistoryEntry& entry : history.entries) without_outcome += entry.fate == Fate::unknown ? 1 : 0;
    EXPECT_EQ(std::to_string(history.entries.size()), operations) << file;
    EXPECT_EQ(std::to_string(without_outcome), unknown) << file;
    const SearchResult result = search(history);
    EXPECT_STREQ(name(result.verdict), verdict == "ok" ? "holds" : "violated") << file << ": " << result.text;
    EXPECT_EQ(result.stuck.has_value(), verdict != "ok") << file;
    ++files;
  }
  EXPECT_GE(files, 12U);
}

}  // namespace
}  // namespace raftlab::invariants
