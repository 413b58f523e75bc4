// What PostgreSQL does when it is asked for nothing but the next free row: one statement, run by its own pgbench.
#pragma once

#include <cstddef>
#include <filesystem>

#include "postgres/postgres_server.hpp"

namespace openindex::bench {

/// A plain table as a queue: no audit, no versions, one row for each item. Throws on failure.
class SkipLocked {
 public:
  /// Make the table; the server must outlive this. The folder is for pgbench's script.
  SkipLocked(const PostgresServer& server, const std::filesystem::path& folder, std::size_t clients,
             std::size_t rows_per_client);

  /// Have all rows taken, each once; how many a second that were, as pgbench says.
  double rate() const;

  /// Tell whether pgbench is there: it comes with Debian's `postgresql-15`.
  static bool is_installed();

 private:
  const PostgresServer& server_;
  std::filesystem::path script_;
  std::size_t clients_;
  std::size_t rows_per_client_;
};

}  // namespace openindex::bench
