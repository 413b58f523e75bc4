#include "adapters/memory/slot_table.hpp"

#include <utility>

namespace openindex::memory {

bool RowOrder::operator()(const Row& a, const Row& b) const {
  const int compared = a.place.compare(b.place);
  if (compared != 0) return compared < 0;
  return a.slot->record->entry(Index::key) < b.slot->record->entry(Index::key);
}

int RowOrder::compare(const Row& row, const Leading& leading) {
  const auto& values = leading.values;
  if (values.size() <= row.place.size()) return row.place.substr(0, values.size()).compare(values);
  const int compared = row.place.compare(values.substr(0, row.place.size()));
  if (compared != 0) return compared;
  const auto rest = values.substr(row.place.size());
  return row.slot->record->entry(Index::key).substr(0, rest.size()).compare(rest);
}

// One by one: a bucket that frees the next one by itself would do so ever deeper.
SlotTable::~SlotTable() {
  for (auto& first : buckets_) {
    while (first) first = std::move(first->next);
  }
}

Slot* SlotTable::find(const NameView& name) const {
  Slot* slot = buckets_[name.hash & (buckets_.size() - 1)].get();
  while (slot != nullptr && (slot->hash != name.hash || !slot->record->is_named(name))) slot = slot->next.get();
  return slot;
}

Slot& SlotTable::insert(std::size_t hash, SharedRecord record) {
  if (count_ == buckets_.size()) grow();
  auto slot = std::make_unique<Slot>(Slot{.hash = hash, .record = std::move(record)});
  auto& first = bucket(hash);
  slot->next = std::move(first);
  first = std::move(slot);
  ++count_;
  return *first;
}

void SlotTable::erase(const Slot& slot) {
  auto* link = &bucket(slot.hash);
  while (link->get() != &slot) link = &(*link)->next;
  *link = std::move((*link)->next);
  --count_;
}

void SlotTable::grow() {
  auto old = std::exchange(buckets_, std::vector<std::unique_ptr<Slot>>(buckets_.size() * 2));
  for (auto& first : old) {
    while (first) {
      auto slot = std::exchange(first, std::move(first->next));
      auto& place = bucket(slot->hash);
      slot->next = std::move(place);
      place = std::move(slot);
    }
  }
}

}  // namespace openindex::memory
