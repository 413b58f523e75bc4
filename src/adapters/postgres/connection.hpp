// One connection to the server: commands in a pipeline, rows as they come back.
//
// Used by one thread at a time; whoever owns it sees to that.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/core/result.hpp>

#include "adapters/postgres/parameters.hpp"
#include "storage/scan_cursor.hpp"

namespace openindex::postgres {

/// A text of SQL. One with a name is prepared when a connection is opened, if connections prepare.
struct Statement {
  std::string sql = {};
  std::string name = {};
  std::vector<Oid> types = {};  ///< Of the parameters; for preparing.
};

/// One execution of a statement, which must outlive it.
struct Command {
  const Statement* statement;
  Parameters parameters = {};
};

/// The rows that a command returned.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}

  [[nodiscard]] int count() const { return PQntuples(result_.get()); }
  [[nodiscard]] bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  [[nodiscard]] std::int64_t integer(int row, int column) const;   ///< Of a bigint.
  [[nodiscard]] std::string_view text(int row, int column) const;  ///< Text or bytes.
  [[nodiscard]] bool boolean(int row, int column) const;
  [[nodiscard]] storage::FieldView field(int row, int column, IndexType type) const;
  [[nodiscard]] std::string_view tag() const { return PQcmdStatus(result_.get()); }  ///< Such as `COMMIT`.

 private:
  struct Clear {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

/// What came of several commands: rows of those before the first that failed, and why that one did.
struct Reply {
  std::vector<Rows> rows = {};
  std::optional<Error> error = {};
  bool lost = false;  ///< The connection is gone; commands from the failed one on may or may not have been executed.
};

/// Where to connect to, and what to prepare there.
struct Target {
  std::string conninfo = {};
  std::span<const Statement* const> prepared = {};
};

class Connection {
 public:
  /// Refuse a connection string that libpq cannot read. @par Errors invalid_argument
  static Result<void> check_conninfo(const std::string& conninfo);

  /// @par Errors invalid_argument (another encoding than UTF-8), storage_busy, storage_read_only, storage_failed
  static Result<std::unique_ptr<Connection>> open(const Target& target);

  /// Use somebody else's connection, and leave it as it is. Prepares nothing.
  static std::unique_ptr<Connection> borrow(PGconn* connection);

  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Send all commands, and then read what comes back: one round trip. The server executes none behind the first that
  /// fails.
  Reply run(std::span<const Command> commands);

  /// Run one command. @par Errors as the server says
  Result<Rows> query(const Command& command);

  [[nodiscard]] PGconn* raw() const { return connection_; }

  /// Whether nothing more can be asked of it. An idle one hears here of a server that has gone.
  [[nodiscard]] bool is_lost();

  /// Whether a call has found it lost, or somebody has given it up. Asks nobody.
  [[nodiscard]] bool has_failed() const { return lost_ || PQstatus(connection_) != CONNECTION_OK; }

  /// Keep what other processes notify, for `take_notifications`.
  void listen() { listens_ = true; }

  /// Read what has come without being asked: the payloads. A connection that was lost says so by `has_failed`.
  std::vector<std::string> take_notifications();

  /// Note that its state is not to be relied on.
  void give_up() { lost_ = true; }

 private:
  explicit Connection(PGconn* connection, bool owned) : connection_(connection), owned_(owned) {}

  Result<void> prepare(std::span<const Statement* const> statements);
  bool send(const Command& command);
  void read(Reply& reply, std::span<const Command> commands);

  PGconn* connection_;
  bool owned_;
  bool prepared_ = false;
  bool listens_ = false;
  bool lost_ = false;
};

}  // namespace openindex::postgres
