// Items as last seen. A stale one is harmless: commits check versions, and a refusal is only believed of a fresh one.
#pragma once

#include <array>
#include <mutex>
#include <string>
#include <unordered_map>

#include "engine/loaded_item.hpp"

namespace openindex::engine {

class ItemCache {
 public:
  /// One that does not keep is always empty: for what may be rolled back, after which versions say something else.
  explicit ItemCache(bool keeps) : keeps_(keeps) {}

  [[nodiscard]] LoadedItemPtr find(const ItemKey& key) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.items.find(key.str());
    return found == shard.items.end() ? nullptr : found->second;
  }

  void keep(LoadedItemPtr item) {
    if (!keeps_) return;
    Shard& shard = shard_of(item->item.key);
    const std::lock_guard lock(shard.mutex);
    if (shard.items.size() >= items_per_shard) shard.items.erase(shard.items.begin());
    LoadedItemPtr& slot = shard.items[item->item.key.str()];
    const bool newer = !slot || item->item.version > slot->item.version ||
                       (item->item.version == slot->item.version && item->hold_version >= slot->hold_version);
    if (newer) slot = std::move(item);
  }

  /// Of an item that is gone.
  void forget(const ItemKey& key) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    shard.items.erase(key.str());
  }

 private:
  static constexpr std::size_t items_per_shard = 4096;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, LoadedItemPtr> items;
  };
  Shard& shard_of(const ItemKey& key) { return shards_[std::hash<std::string>()(key.str()) % shards_.size()]; }

  const bool keeps_;
  std::array<Shard, 16> shards_;
};

}  // namespace openindex::engine
