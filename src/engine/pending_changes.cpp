#include "engine/pending_changes.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace openindex::engine {
namespace {

Error conflict(const Expectation& expected) {
  return Error(errc::conflict)
      .with("kind", expected.id.kind)
      .with("key", expected.id.key)
      .with("expected", std::to_string(expected.version));
}

}  // namespace

Result<std::vector<std::optional<Record>>> PendingChanges::get(std::span<const RecordId> ids) {
  auto found = below_.get(ids);
  if (!found) return found;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto known = written_.find(ids[i]);
    if (known == written_.end()) continue;
    Written& written = known->second;
    std::optional<Record>& record = (*found)[i];
    if (written.as == Written::As::erased) {
      record.reset();
      continue;
    }
    if (!written.version) written.version = record ? record->version + 1 : 1;
    const Put& put =
        written.as == Written::As::append ? whole_.appends[written.position] : whole_.puts[written.position];
    record = Record{put.id, *written.version, put.body, put.index};
  }
  return found;
}

std::vector<Result<CommitReceipt>> PendingChanges::commit(std::span<const ChangeSet> changes) {
  std::vector<Result<CommitReceipt>> results;
  results.reserve(changes.size());
  for (const ChangeSet& set : changes) results.push_back(add(set));
  return results;
}

Result<CommitReceipt> PendingChanges::add(const ChangeSet& changes) {
  if (auto fit = check_bounds(changes); !fit) return fit.error();
  if (auto fit = check(changes); !fit) return fit.error();
  if (whole_.id.empty()) whole_.id = changes.id;
  for (const Expectation& expectation : changes.expectations) expect(expectation);
  CommitReceipt receipt;
  for (const Put& one : changes.puts) {
    put(one);
    receipt.versions.push_back(written_.at(one.id).version.value_or(0));
  }
  for (const Put& one : changes.appends) {
    written_[one.id] = {whole_.appends.size(), Written::As::append, 1};
    whole_.appends.push_back(one);
  }
  for (const RecordId& id : changes.erases) erase(id);
  return receipt;
}

Result<void> PendingChanges::check(const ChangeSet& changes) const {
  for (const Expectation& expected : changes.expectations) {
    const auto known = written_.find(expected.id);
    if (known != written_.end() && known->second.version != expected.version) return conflict(expected);
  }
  for (const Put& append : changes.appends) {
    if (written_.contains(append.id)) return conflict({append.id, 0});
  }
  return {};
}

void PendingChanges::expect(const Expectation& expectation) {
  if (written_.contains(expectation.id)) return;
  if (expected_.try_emplace(expectation.id, expectation.version).second) whole_.expectations.push_back(expectation);
}

void PendingChanges::put(const Put& put) {
  const auto [known, is_new] = written_.try_emplace(put.id);
  if (!is_new && known->second.as == Written::As::put) {
    whole_.puts[known->second.position] = put;
    return;
  }
  if (!is_new) {  // it was erased: one set cannot say both, and for the storage below it is written anew
    std::erase(whole_.erases, put.id);
    known->second = {};
  }
  known->second.position = whole_.puts.size();
  if (const auto expected = expected_.find(put.id); expected != expected_.end()) {
    known->second.version = expected->second + 1;
  }
  whole_.puts.push_back(put);
}

void PendingChanges::erase(const RecordId& id) {
  const auto [known, is_new] = written_.try_emplace(id);
  if (!is_new && known->second.as == Written::As::erased) return;
  assert((is_new || known->second.as == Written::As::put) && "an append is never erased");
  if (!is_new) take_back_put(known->second.position);
  known->second = {0, Written::As::erased, 0};
  whole_.erases.push_back(id);
}

/// The last put takes the place of the one that goes.
void PendingChanges::take_back_put(std::size_t position) {
  if (position + 1 != whole_.puts.size()) {
    whole_.puts[position] = std::move(whole_.puts.back());
    written_.at(whole_.puts[position].id).position = position;
  }
  whole_.puts.pop_back();
}

}  // namespace openindex::engine
