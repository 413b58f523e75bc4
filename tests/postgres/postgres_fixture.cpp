#include "postgres/postgres_fixture.hpp"

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <utility>

namespace openindex {

PostgresServer* shared_server() {
  if (PostgresServer::programs().empty()) {
    if (std::getenv("OPENINDEX_REQUIRE_POSTGRES") != nullptr) FAIL("PostgreSQL is not installed");
    std::cout << "PostgreSQL is not installed: skipped\n";
    return nullptr;
  }
  static std::optional<PostgresServer> server;
  if (!server) server.emplace();
  return &*server;
}

std::string new_schema() {
  static std::atomic<int> count = 0;
  return "test_" + std::to_string(++count);
}

std::unique_ptr<PostgresStorage> open_postgres(PostgresOptions options) {
  auto storage = PostgresStorage::open(std::move(options));
  REQUIRE_MESSAGE(storage.has_value(), (storage ? std::string() : storage.error().describe()));
  return std::move(*storage);
}

}  // namespace openindex
