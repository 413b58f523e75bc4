// The tables: how a file is known to be ours, how it is created, and how an older one is brought forward.
#pragma once

#include <cstdint>

#include "adapters/sqlite/connection.hpp"

namespace openindex::sqlite {

/// `PRAGMA application_id` of our files: "oidx". The `file` program and other applications go by it.
constexpr std::int64_t application_id = 0x6f696478;

/// `PRAGMA user_version`: rises with every migration.
constexpr std::int64_t schema_version = 4;

/// Refuse a file that is not ours, without changing it. A new, empty file is ours to be.
/// @par Errors storage_not_ours, storage_newer_schema, storage_corrupt, storage_busy, storage_failed
Result<void> check_identity(Connection& connection);

/// Create the tables or bring them forward, in one transaction; safe when several processes do it at once.
/// @par Errors as check_identity, and storage_full
Result<void> migrate(Connection& connection);

}  // namespace openindex::sqlite
