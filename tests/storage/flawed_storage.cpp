#include "storage/flawed_storage.hpp"

#include <utility>

namespace openindex {

std::unique_ptr<Storage> FlawedStorage::crash_and_reopen(std::unique_ptr<Storage> dying) {
  auto& old = dynamic_cast<FlawedStorage&>(*dying);
  auto opened = std::make_unique<FlawedStorage>(old.flaw_);
  opened->history_ = std::move(old.history_);
  if (old.flaw_.crash) old.flaw_.crash(opened->history_);
  for (const auto& [set, accepted] : opened->history_) {
    if (accepted) (void)opened->memory_.commit({&set, 1});
  }
  return opened;
}

Result<std::vector<std::optional<Record>>> FlawedStorage::get(std::span<const RecordId> ids) {
  std::vector<RecordId> names(ids.begin(), ids.end());
  if (flaw_.names) flaw_.names(names);
  auto found = memory_.get(names);
  if (found && flaw_.record) {
    for (auto& record : *found) {
      if (record) flaw_.record(*record);
    }
  }
  if (found && flaw_.got) flaw_.got(*found);
  return found;
}

Result<std::vector<std::optional<Record>>> FlawedStorage::get_bodies(std::span<const RecordId> ids) {
  auto found = get(ids);
  if (found && flaw_.got_bodies) flaw_.got_bodies(*found);
  return found;
}

Result<ScanPage> FlawedStorage::scan(const ScanRequest& request) {
  auto page = flaw_.scan ? flaw_.scan(memory_, request) : memory_.scan(request);
  if (page && flaw_.record) {
    for (auto& row : page->rows) flaw_.record(row);
  }
  if (page && flaw_.page) flaw_.page(*page);
  return page;
}

Result<std::uint64_t> FlawedStorage::count(const CountRequest& request) {
  return flaw_.count ? flaw_.count(memory_, request) : memory_.count(request);
}

Commits FlawedStorage::commit(std::span<const ChangeSet> sets) {
  std::vector<ChangeSet> changes(sets.begin(), sets.end());
  if (flaw_.set) {
    for (auto& set : changes) flaw_.set(memory_, set);
  }
  if (flaw_.commit) return flaw_.commit(memory_, changes);
  const std::lock_guard lock(mutex_);
  auto answers = memory_.commit(changes);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    history_.push_back({std::move(changes[i]), answers[i].has_value()});
  }
  for (auto& answer : answers) {
    if (flaw_.answer) flaw_.answer(answer);
  }
  return answers;
}

Result<Changed> FlawedStorage::wait_for_change(const WaitRequest& request) {
  return flaw_.wait ? flaw_.wait(memory_, request) : memory_.wait_for_change(request);
}

std::vector<MakeFlaw> all_flaws() {
  std::vector<MakeFlaw> flaws;
  for (auto* some : {&commit_flaws, &content_flaws, &scan_flaws, &thread_flaws, &crash_flaws}) {
    for (auto& flaw : some()) flaws.push_back(std::move(flaw));
  }
  return flaws;
}

}  // namespace openindex
