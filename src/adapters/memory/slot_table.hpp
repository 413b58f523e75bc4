// Where records live: a hash table by name, and for each index the order of the rows that feed it.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "adapters/memory/stored_record.hpp"

namespace openindex::memory {

struct Slot;

/// A slot in one index. `place` is its record's entry there, at hand without a step to the record.
struct Row {
  mutable std::string_view place;  ///< Set anew with each record; the order never changes by it.
  Slot* slot;
};

/// The leading values of a place, packed. A row compares as equal when it begins with them.
struct Leading {
  std::string_view values;
};

/// The order of an index: by its fields, then by kind and key.
struct RowOrder {
  using is_transparent = void;
  bool operator()(const Row& a, const Row& b) const;
  bool operator()(const Row& row, const Leading& leading) const { return compare(row, leading) < 0; }
  bool operator()(const Leading& leading, const Row& row) const { return compare(row, leading) > 0; }

 private:
  static int compare(const Row& row, const Leading& leading);
};

using Rows = std::set<Row, RowOrder>;

/// Stays in place while its record is replaced, so that indexes can point at it.
struct Slot {
  std::size_t hash;
  SharedRecord record;
  std::array<Rows::iterator, index_count> rows{};  ///< Where it stands in the indexes that it feeds.
  std::unique_ptr<Slot> next{};                    ///< In the same bucket.
};

class SlotTable {
 public:
  SlotTable() : buckets_(64) {}
  ~SlotTable();
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;

  [[nodiscard]] Slot* find(const NameView& name) const;

  /// @pre nothing is there by that name
  Slot& insert(std::size_t hash, SharedRecord record);
  void erase(const Slot& slot);

 private:
  void grow();
  [[nodiscard]] std::unique_ptr<Slot>& bucket(std::size_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }

  std::vector<std::unique_ptr<Slot>> buckets_;  ///< A power of two.
  std::size_t count_ = 0;
};

}  // namespace openindex::memory
