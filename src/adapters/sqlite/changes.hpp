// Change sets as statements: what a transaction does for each of them, whoever began it.
#pragma once

#include <openindex/storage/storage.hpp>

#include "adapters/sqlite/connection.hpp"

namespace openindex::sqlite {

/// Check every expectation of a change set, then write it. A conflict is found before anything is written; another
/// error may leave half of the set behind, for the caller to roll back.
/// @par Errors as Storage::commit
Result<CommitReceipt> apply_changes(Connection& connection, const ChangeSet& changes);

}  // namespace openindex::sqlite
