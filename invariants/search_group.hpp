#pragma once

#include "invariants/history.hpp"
#include "invariants/search.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The inside of the exact search: one group of keys.
namespace raftlab::invariants::search_detail {

/// Values as small numbers: equal text, equal number. 0 is "the key does not exist".
using ValueId = std::uint32_t;

class ValueTable {
 public:
  [[nodiscard]] ValueId id(const Value& value);
  /// What appending `suffix` to `value` gives.
  [[nodiscard]] ValueId append(ValueId value, ValueId suffix);

 private:
  std::map<std::string, ValueId, std::less<>> ids_;
  std::vector<std::string> texts_{std::string()};
  std::map<std::pair<ValueId, ValueId>, ValueId> appended_;
};

/// The operation may be placed only where this is true.
struct Condition {
  std::uint32_t key = 0;
  ValueId value = 0;
  bool equal = true;
  friend auto operator<=>(const Condition&, const Condition&) = default;
};

struct Write {
  std::uint32_t key = 0;
  ValueId value = 0;
  bool append = false;
  friend auto operator<=>(const Write&, const Write&) = default;
};

struct Step {
  std::size_t entry = 0;  ///< in History::entries
  std::vector<Condition> conditions;
  std::vector<Write> writes;
  bool unknown = false;
  std::int64_t invoked_ns = 0;
  std::int64_t returned_ns = 0;       ///< if not unknown
  std::optional<std::uint32_t> same;  ///< unknown: the step before it in time that does the same
  [[nodiscard]] bool observer() const { return writes.empty(); }
};

/// Which configurations have been visited: exact, compares all words.
class Visited {
 public:
  /// False if it was there.
  bool insert(const std::vector<std::uint64_t>& configuration);
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  struct Place {
    std::uint64_t hash = 0;
    std::uint64_t at = 0;  ///< in words_, plus 1; 0: empty
  };
  void grow();

  std::vector<Place> places_;
  std::vector<std::uint64_t> words_;  ///< length, words, length, words ...
  std::uint64_t size_ = 0;
};

class Group {
 public:
  /// The entries all belong to one group of keys, in the order of the history.
  Group(const History& history, const std::vector<std::size_t>& entries);
  [[nodiscard]] SearchResult search(std::uint64_t states_max);

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  /// An event of the doubly linked list of Wing and Gong: calls of all steps, returns of those that returned.
  struct Event {
    std::uint32_t step = 0;
    bool call = true;
    std::uint32_t previous = none;
    std::uint32_t next = none;
  };
  struct Frame {
    std::uint32_t step = 0;
    std::size_t undo_begin = 0;
    bool forced = false;
  };
  struct Undo {
    std::uint32_t key = 0;
    ValueId value = 0;
  };
  enum class Next : std::uint8_t { deeper, done, back, budget };

  void compile(const HistoryEntry& entry, Step& step);
  std::uint32_t key_id(std::string_view key);
  void drop_unobserved();
  void sort_steps();
  void link_same();
  void link_events();

  [[nodiscard]] bool applicable(const Step& step) const;
  [[nodiscard]] bool worth_trying(const Step& step);
  [[nodiscard]] ValueId after(const Write& write);
  void place(std::uint32_t step, bool forced);
  void take_back();
  void lift(std::uint32_t event);
  void unlift(std::uint32_t event);
  void absorb_observers();
  [[nodiscard]] bool fresh_configuration();
  [[nodiscard]] bool backtrack(std::uint32_t& cursor);
  void note_best(std::uint32_t event);

  std::map<std::string, std::uint32_t, std::less<>> keys_;
  ValueTable values_;
  std::vector<Step> steps_;     ///< those that returned, by invocation; then the unknown ones, by invocation
  std::uint32_t definite_ = 0;  ///< how many of them returned

  std::vector<Event> events_;  ///< 0 is the head of the list
  std::vector<std::uint32_t> call_event_;
  std::vector<std::uint32_t> return_event_;

  std::vector<ValueId> state_;
  std::vector<Undo> undo_;
  std::vector<Frame> frames_;
  std::vector<std::uint64_t> placed_;   ///< bits, definite steps
  std::vector<std::uint64_t> guessed_;  ///< bits, unknown steps
  std::size_t first_open_word_ = 0;     ///< words of placed_ before it are full
  std::size_t used_words_ = 0;          ///< words of placed_ from it on are empty
  std::uint32_t left_ = 0;              ///< definite steps not placed
  Visited visited_;
  std::vector<std::uint64_t> configuration_;

  std::vector<std::uint32_t> best_;
  std::size_t best_same_ = 0;  ///< how many of the frames are as in best_
  std::uint32_t best_definite_ = 0;
  std::optional<std::uint32_t> stuck_;
};

}  // namespace raftlab::invariants::search_detail
