// A copy of the database while it is in use.
#pragma once

#include <filesystem>

#include <openindex/adapters/sqlite_storage.hpp>

namespace openindex::sqlite {

/// @par Errors as SqliteStorage::backup
Result<void> back_up(const SqliteOptions& options, const std::filesystem::path& to);

}  // namespace openindex::sqlite
