// The last step of the one door: commit change sets, and find out what became of the ones whose answer was lost.
#pragma once

#include <span>
#include <vector>

#include <openindex/storage/storage.hpp>

namespace openindex::engine {

/// How often a change that lost against another is decided again before `contention`.
constexpr int attempts_max = 16;

/// As `Storage::commit`, but `commit_unknown` is resolved: by looking for the first append of the set, and where it is
/// not there by committing the same set again, which cannot happen twice. It stays unknown when that fails, too; and
/// for a set without appends, whose caller must be able to repeat it.
std::vector<Result<CommitReceipt>> commit(Storage& storage, std::span<const ChangeSet> changes);

Result<CommitReceipt> commit(Storage& storage, const ChangeSet& changes);

/// Look whether a change set was committed, by its first append. Without appends that cannot be told. What is not there
/// may come yet while the commit is under way.
/// @returns its receipt. @par Errors conflict (it was not), `unknown` (nobody can tell)
Result<CommitReceipt> find_out(Storage& storage, const ChangeSet& changes, const Error& unknown);

/// Read one record; not_found when there is none (context `what`).
Result<Record> read_record(Storage& storage, const RecordId& id, std::string_view what);

}  // namespace openindex::engine
