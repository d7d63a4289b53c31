#include "kv/use_order.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace raftlab::kv {
namespace {

/// The model: the slots as a list, oldest first.
RC_GTEST_PROP(UseOrderProperty, is_a_list_of_slots_by_last_use, ()) {
  UseOrder order;
  std::vector<Slot> model;
  const auto check_ends = [&] {
    RC_ASSERT(order.oldest() == (model.empty() ? no_slot : model.front()));
    RC_ASSERT(order.newest() == (model.empty() ? no_slot : model.back()));
  };
  const auto remove = [&](Slot slot) {
    order.remove(slot);
    std::erase(model, slot);
    std::ranges::replace(model, static_cast<Slot>(model.size()), slot);
  };
  const int calls = *rc::gen::inRange(0, 100);
  for (int i = 0; i < calls; ++i) {
    const int what = *rc::gen::inRange(0, 3);
    if (what == 0 || model.empty()) {
      order.add();
      model.push_back(static_cast<Slot>(model.size()));
    } else {
      const Slot slot = *rc::gen::inRange(Slot{0}, static_cast<Slot>(model.size()));
      if (what == 1) {
        order.use(slot);
        std::erase(model, slot);
        model.push_back(slot);
      } else {
        remove(slot);
      }
    }
    check_ends();
  }
  while (!model.empty()) {
    remove(model.front());
    check_ends();
  }
}

}  // namespace
}  // namespace raftlab::kv
