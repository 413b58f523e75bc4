// One connection to the database file: opened, configured and verified, with its prepared statements.
//
// Used by one thread at a time; whoever owns it sees to that.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <openindex/adapters/sqlite_storage.hpp>
#include <openindex/core/result.hpp>

#include "adapters/sqlite/statement.hpp"

namespace openindex::sqlite {

class Connection {
 public:
  /// Open the file and create it if `create`; nothing is read yet.
  static Result<std::unique_ptr<Connection>> open(const SqliteOptions& options, bool create);

  /// Open a database that is known to be ours, and configure it. @par Errors as SqliteStorage::open
  static Result<std::unique_ptr<Connection>> open_another(const SqliteOptions& options);

  /// Use a connection of the host's, which stays open and as it is.
  explicit Connection(sqlite3* of_the_host) : database_(of_the_host, Close{.of_the_host = true}) {}

  /// Set every pragma the storage relies on, and read each back. Only for a database that is ours.
  Result<void> configure(const SqliteOptions& options);

  /// Set one pragma and require what it reads back as. @par Errors storage_failed, storage_busy
  Result<void> set_pragma(const std::string& name, const std::string& value, const std::string& read_back);

  /// Return the statement for this text, prepared at its first use and kept: our code can form a few hundred texts.
  Result<Statement*> prepare(std::string_view sql);

  /// The same for a text that lives as long as the program: found by where it stands, not by what it says.
  Result<Statement*> prepare_constant(const std::string& sql);

  /// Execute without rows.
  Result<void> execute(const char* sql);

  /// Begin a transaction that reads, or one that holds the write lock: each commit pays for these, so they are
  /// prepared.
  Result<void> begin();
  Result<void> begin_immediate();
  Result<void> commit();

  /// Read one value, such as a pragma's.
  Result<std::string> read_text(const char* sql);
  Result<std::int64_t> read_integer(const char* sql);

  /// End an open transaction without its changes, if there is one: after some errors SQLite has done so itself, and a
  /// second ROLLBACK would only hide the first cause.
  Result<void> roll_back();

  /// Whether to wait for locks of others up to the busy timeout, as at first, or not at all.
  void wait_when_busy(bool wait) noexcept { waits_ = wait; }

  [[nodiscard]] Duration busy_timeout() const noexcept { return busy_timeout_; }

  /// The name of the log. SQLite knows best: it has followed links.
  [[nodiscard]] const char* log() const { return sqlite3_filename_wal(sqlite3_db_filename(raw(), "main")); }

  [[nodiscard]] sqlite3* raw() const noexcept { return database_.get(); }

 private:
  struct Close {
    bool of_the_host;
    void operator()(sqlite3* database) const noexcept {
      if (!of_the_host) sqlite3_close_v2(database);
    }
  };
  struct HashText {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };

  Connection(sqlite3* database, Duration busy_timeout);
  Result<void> switch_to_wal();
  Result<void> run(const std::string& sql);
  static int on_busy(void* connection, int attempt);

  std::unique_ptr<sqlite3, Close> database_;
  Duration busy_timeout_{0};
  bool waits_ = true;
  std::chrono::steady_clock::time_point busy_until_;
  std::unordered_map<std::string, Statement, HashText, std::equal_to<>> statements_;
  std::unordered_map<const std::string*, Statement*> constants_;  ///< Some of them.
};

}  // namespace openindex::sqlite
