#include "engine/commit.hpp"

#include <algorithm>

#include "engine/audit_chain.hpp"

namespace openindex::engine {
namespace {

// The versions that the commit gave: what was expected, plus one. What stands there now may be somebody's later write,
// and must not be taken for ours. A put without expectation reads as 0, which the next use finds to be stale.
CommitReceipt receipt_of(const ChangeSet& changes) {
  CommitReceipt receipt;
  for (const Put& put : changes.puts) {
    const auto guard = std::find_if(changes.expectations.begin(), changes.expectations.end(),
                                    [&](const Expectation& expected) { return expected.id == put.id; });
    receipt.versions.push_back(guard == changes.expectations.end() ? 0 : guard->version + 1);
  }
  return receipt;
}

/// Commit a set again whose first attempt may have landed, may have failed, and may be under way still.
///
/// That its first append is not there proves nothing yet: a server that waits for its standby shows the first attempt
/// later. The second attempt meets it at that append, or takes its place, so that one of the two happens. Only a
/// conflict whose cause is not our own append says that neither does: it was found behind whatever the first one had
/// locked.
Result<CommitReceipt> settle(Storage& storage, const ChangeSet& changes, const Error& unknown) {
  if (changes.appends.empty()) return unknown;
  const auto looked = find_out(storage, changes, unknown);
  if (looked || looked.error().code() != errc::conflict) return looked;
  auto again = std::move(storage.commit(std::span(&changes, 1)).front());
  if (again) return again;
  const auto found = find_out(storage, changes, unknown);
  if (found || again.error().code() == errc::conflict) return found;
  return unknown;
}

}  // namespace

Result<CommitReceipt> find_out(Storage& storage, const ChangeSet& changes, const Error& unknown) {
  if (changes.appends.empty()) return unknown;
  auto found = storage.get_bodies(std::span(&changes.appends.front().id, 1));
  if (!found) return unknown;
  const auto& first = found->front();
  if (first && commit_of(first->body) == changes.id.str()) return receipt_of(changes);
  return Error(errc::conflict, "The commit did not happen").caused_by(unknown);
}

std::vector<Result<CommitReceipt>> commit(Storage& storage, std::span<const ChangeSet> changes) {
  auto results = storage.commit(changes);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i] && results[i].error().code() == errc::commit_unknown) {
      results[i] = settle(storage, changes[i], results[i].error());
    }
  }
  return results;
}

Result<CommitReceipt> commit(Storage& storage, const ChangeSet& changes) {
  return std::move(commit(storage, std::span(&changes, 1)).front());
}

Result<Record> read_record(Storage& storage, const RecordId& id, std::string_view what) {
  auto found = storage.get_bodies(std::span(&id, 1));
  if (!found) return found.error();
  if (!found->front()) return Error(errc::not_found).with("what", what).with("name", id.key);
  return std::move(*found->front());
}

}  // namespace openindex::engine
