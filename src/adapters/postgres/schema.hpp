// The tables: how a schema is known to be ours, how it is created, and how an older one is brought forward.
#pragma once

#include <string>

#include "adapters/postgres/connection.hpp"

namespace openindex::postgres {

/// `openindex_meta` row `schema_version`: rises with every migration.
constexpr std::int64_t schema_version = 2;

/// Return an identifier in quotes, fit for any text of SQL.
std::string quoted(std::string_view identifier);

/// Whether the server is PostgreSQL itself, and not one that speaks its protocol. @par Errors as Connection::query
Result<bool> is_postgresql(Connection& connection);

/// Create the tables or bring them forward, in one transaction; safe when several processes do it at once. Tables that
/// are up to date are only read.
/// @par Errors storage_not_ours, storage_newer_schema, storage_corrupt, storage_read_only, storage_busy, storage_full,
/// storage_failed
Result<void> migrate(Connection& connection, const std::string& schema, bool is_postgresql);

}  // namespace openindex::postgres
