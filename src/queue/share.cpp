#include "queue/share.hpp"

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <set>

namespace openindex::queue {
namespace {

/// Long enough to see others at work in a slice, short enough for items that wait in one whose owner is gone.
constexpr Duration trust{3000};

}  // namespace

bool Share::has_all(Duration now) const {
  return std::all_of(left_until_.begin(), left_until_.end(), [&](Duration until) { return until <= now; });
}

void Share::leave(const ItemKey& key, Duration now) { left_until_[slice_of(key)] = now + trust; }

// A slice of which nothing is to be seen belongs to somebody who is ahead of the others.
void Share::look(std::span<const ItemKey> head, Duration now) {
  const std::set<ItemKey> there(head.begin(), head.end());
  std::bitset<slice_count> lying;
  std::bitset<slice_count> taken;
  for (const ItemKey& seen : head_) (there.contains(seen) ? lying : taken).set(slice_of(seen));
  for (std::size_t slice = 0; slice < slice_count; ++slice) {
    const bool busy = taken[slice] || !lying[slice];
    if (busy && left_until_[slice] > now) left_until_[slice] = now + trust;
  }
  head_.assign(head.begin(), head.end());
}

// The same in every process, whatever it was built with: FNV-1a, whose upper bits hardly tell keys with other last
// digits apart, and so a multiplication that carries them up.
std::size_t Share::slice_of(const ItemKey& key) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : key.str()) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return static_cast<std::size_t>((hash * 11400714819323198485U) >> (64U - slice_bits));
}

}  // namespace openindex::queue
