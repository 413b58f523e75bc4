#include <openindex/adapters/postgres_storage.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "postgres/postgres_server.hpp"
#include "storage/run_contract.hpp"
#include "storage/test_records.hpp"

using namespace openindex;

TEST_CASE("PostgreSQL storage keeps the storage contract") {
  SERVER_OR_SKIP(server);
  run_contract([&] { return open_postgres(server->options(new_schema())); });
}

TEST_CASE("PostgreSQL storage keeps the storage contract without prepared statements and notifications") {
  SERVER_OR_SKIP(server);
  run_contract([&] {
    auto options = server->options(new_schema());
    options.prepared_statements = false;
    options.notifications = false;
    return open_postgres(options);
  });
}
