// Looking for damage in the whole file.
#pragma once

#include <openindex/adapters/sqlite_storage.hpp>

namespace openindex::sqlite {

/// `storage` is the database of `options`. @par Errors as SqliteStorage::check
Result<void> check(const SqliteOptions& options, Storage& storage);

}  // namespace openindex::sqlite
