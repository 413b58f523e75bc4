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

}  // namespace

Result<CommitReceipt> find_out(Storage& storage, const ChangeSet& changes, const Error& unknown) {
  if (changes.appends.empty()) return unknown;
  auto found = storage.get(std::span(&changes.appends.front().id, 1));
  if (!found) return unknown;
  const auto& first = found->front();
  if (first && commit_of(first->body) == changes.id.str()) return receipt_of(changes);
  return Error(errc::conflict, "The commit did not happen").caused_by(unknown);
}

std::vector<Result<CommitReceipt>> commit(Storage& storage, std::span<const ChangeSet> changes) {
  auto results = storage.commit(changes);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i] && results[i].error().code() == errc::commit_unknown) {
      results[i] = find_out(storage, changes[i], results[i].error());
    }
  }
  return results;
}

Result<CommitReceipt> commit(Storage& storage, const ChangeSet& changes) {
  return std::move(commit(storage, std::span(&changes, 1)).front());
}

Result<Record> read_record(Storage& storage, const RecordId& id, std::string_view what) {
  auto found = storage.get(std::span(&id, 1));
  if (!found) return found.error();
  if (!found->front()) return Error(errc::not_found).with("what", what).with("name", id.key);
  return std::move(*found->front());
}

}  // namespace openindex::engine
