// The open database: its connections and what each of them is for.
#pragma once

#include <memory>
#include <string>

#include <openindex/adapters/sqlite_storage.hpp>

#include "adapters/sqlite/change_watch.hpp"
#include "adapters/sqlite/checkpoint.hpp"
#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/group_commit.hpp"
#include "adapters/sqlite/read_pool.hpp"
#include "adapters/sqlite/tuning.hpp"

namespace openindex {
inline namespace v0 {

class SqliteStorage::Database {
 public:
  static Result<std::unique_ptr<Database>> open(SqliteOptions options, const sqlite::Tuning& tuning);

  [[nodiscard]] Result<SqliteStatus> status();

  /// The file's name as SQLite spells it: absolute, without links.
  [[nodiscard]] std::string file() const { return sqlite3_db_filename(connections_.writer->raw(), "main"); }

  [[nodiscard]] const SqliteOptions& options() const { return options_; }
  sqlite::ReadPool& readers() { return readers_; }
  sqlite::ChangeWatch& watch() { return watch_; }
  sqlite::GroupCommit& commits() { return commits_; }

 private:
  using OwnedConnection = std::unique_ptr<sqlite::Connection>;
  struct Connections {
    OwnedConnection writer = nullptr;
    OwnedConnection copying = nullptr, bounding = nullptr, syncing = nullptr;  ///< Of the checkpoints.
    OwnedConnection watcher = nullptr;
  };
  Database(SqliteOptions options, const sqlite::Tuning& tuning, Connections connections);

  const SqliteOptions options_;
  Connections connections_;
  sqlite::ReadPool readers_;
  sqlite::ChangeWatch watch_;
  sqlite::Checkpoint checkpoint_;
  sqlite::GroupCommit commits_;
};

}  // namespace v0
}  // namespace openindex
