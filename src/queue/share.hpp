// Which of the free items a queue goes for, so that processes keep apart that know of each other only what they see in
// the storage.
//
// Items fall into slices by their keys. A queue has every slice at first. Where it loses an item to somebody else it
// leaves the whole slice to them, until it sees an item lie there for seconds. So processes that claim as fast as they
// can soon have slices of their own; and who is alone, or in no hurry, has them all.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <openindex/core/clock.hpp>
#include <openindex/core/ids.hpp>

namespace openindex::queue {

/// For one thread at a time. `now` is the steady clock.
class Share {
 public:
  [[nodiscard]] bool has(const ItemKey& key, Duration now) const { return left_until_[slice_of(key)] <= now; }
  [[nodiscard]] bool has_all(Duration now) const;

  /// Somebody else took this item.
  void leave(const ItemKey& key, Duration now);

  /// Go for the items of this one's slice again.
  void enter(const ItemKey& key) { left_until_[slice_of(key)] = Duration(0); }

  /// See where others are at work: where nothing of what was at the head of the queue the last time lies there still.
  void look(std::span<const ItemKey> head, Duration now);

  [[nodiscard]] static bool are_of_one_slice(const ItemKey& one, const ItemKey& other) {
    return slice_of(one) == slice_of(other);
  }

 private:
  static constexpr unsigned slice_bits = 6;
  static constexpr std::size_t slice_count = std::size_t{1} << slice_bits;
  static std::size_t slice_of(const ItemKey& key);

  std::array<Duration, slice_count> left_until_{};
  std::vector<ItemKey> head_;  ///< As it was seen last.
};

}  // namespace openindex::queue
