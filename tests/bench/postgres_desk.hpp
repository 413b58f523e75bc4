// A help desk on a PostgreSQL server of this program's own, and the rows that working on its items writes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <openindex/adapters/postgres_storage.hpp>
#include <openindex/workflow_engine.hpp>

#include "bench/figure.hpp"
#include "bench/raw_postgres.hpp"
#include "postgres/postgres_server.hpp"

namespace openindex::bench {

/// Start a server in the place's folder that has every commit on the disk before it is acknowledged. Throws when
/// PostgreSQL is not installed.
std::unique_ptr<PostgresServer> start_postgres(const Place& place, std::vector<std::string> more_settings = {});

/// Fill a new schema with free items quickly (`fill_items`).
void fill_schema(const PostgresServer& server, const std::string& schema, std::size_t items);

/// Remember the items of a schema as they are, and put every one back to where it was.
void keep_copy(const PostgresServer& server, const std::string& schema);
void put_back(const PostgresServer& server, const std::string& schema);

/// Have tables as they are after a quiet night, and everything on the disk.
void tidy(const PostgresServer& server, const std::string& schema);

/// A schema with free items, of which every pass takes a copy.
class PostgresDesk {
 public:
  /// The server must outlive it.
  PostgresDesk(const PostgresServer& server, std::string schema, std::size_t items);

  [[nodiscard]] const std::vector<ItemKey>& keys() const noexcept { return keys_; }
  [[nodiscard]] const std::vector<RawClaim>& claims() const noexcept { return claims_; }  ///< One for each key.
  [[nodiscard]] const PostgresServer& server() const noexcept { return server_; }
  [[nodiscard]] const std::string& schema() const noexcept { return schema_; }

  /// Put every item back to where it was.
  void reset() const { put_back(server_, schema_); }

  /// Connect so many raw programs.
  [[nodiscard]] std::vector<std::unique_ptr<RawPostgres>> connect(std::size_t count) const;

 private:
  const PostgresServer& server_;
  std::string schema_;
  std::vector<ItemKey> keys_;
  std::vector<RawClaim> claims_;
};

/// An engine that has not seen the items before, on a schema.
struct OpenPostgres {
  OpenPostgres(const PostgresServer& server, const std::string& schema)
      : storage(PostgresStorage::open(server.options(schema)).value()), engine{{.storage = *storage}} {}

  std::unique_ptr<PostgresStorage> storage;
  WorkflowEngine engine;
};

}  // namespace openindex::bench
