// The open database: its connections and what they are used for.
#pragma once

#include <memory>

#include <openindex/adapters/postgres_storage.hpp>

#include "adapters/postgres/change_watch.hpp"
#include "adapters/postgres/group_commit.hpp"
#include "adapters/postgres/group_read.hpp"
#include "adapters/postgres/pool.hpp"
#include "adapters/postgres/rows.hpp"

namespace openindex {
inline namespace v0 {

class PostgresStorage::Database {
 public:
  static Result<std::unique_ptr<Database>> open(PostgresOptions options);

  const postgres::Statements& statements() const { return statements_; }
  postgres::Pool& pool() { return pool_; }
  postgres::ChangeWatch& watch() { return watch_; }
  postgres::GroupCommit& commits() { return commits_; }
  postgres::GroupRead& reads() { return reads_; }

  /// Tell other processes, and wake those who wait here.
  void announce() noexcept;

 private:
  Database(PostgresOptions options, bool is_postgresql);

  const PostgresOptions options_;
  const postgres::Statements statements_;
  postgres::Pool pool_;
  postgres::ChangeWatch watch_;
  postgres::GroupCommit commits_;
  postgres::GroupRead reads_{statements_, pool_};
};

}  // namespace v0
}  // namespace openindex
