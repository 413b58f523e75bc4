// What the PostgreSQL tests share: one server for each test program, and schemas of their own.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "postgres/postgres_server.hpp"

namespace openindex {

/// Return this process's server, started at its first use; null when PostgreSQL is not installed, which is a failure
/// where OPENINDEX_REQUIRE_POSTGRES is set, and says what makes ctest skip the test elsewhere.
PostgresServer* shared_server();

/// Return a schema name that no other test of this process uses.
std::string new_schema();

std::unique_ptr<PostgresStorage> open_postgres(PostgresOptions options);

}  // namespace openindex

// Ends the test, and says why, when there is no server to be had.
#define SERVER_OR_SKIP(name)          \
  auto* const name = shared_server(); \
  if (name == nullptr) return
