#include "adapters/sqlite/connection.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace openindex::sqlite {
namespace {

using SteadyClock = std::chrono::steady_clock;

}  // namespace

Connection::Connection(sqlite3* database, Duration busy_timeout)
    : database_(database, Close{false}),
      busy_timeout_(std::clamp(busy_timeout, Duration::zero(), Duration(std::chrono::hours(1)))) {}

Result<std::unique_ptr<Connection>> Connection::open(const SqliteOptions& options, bool create) {
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (create ? SQLITE_OPEN_CREATE : 0);
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(options.path.c_str(), &database, flags, nullptr);
  std::unique_ptr<Connection> connection(new Connection(database, options.busy_timeout));
  if (code != SQLITE_OK) return error_of(database, code, "opening the database", options.path.c_str());
  if (sqlite3_db_readonly(database, "main") == 1) {
    return Error(errc::storage_read_only).with("path", options.path.string());
  }
  sqlite3_busy_handler(database, &Connection::on_busy, connection.get());
  // Until the database is known to be ours, closing it must not tidy up somebody else's log.
  sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_wal_autocheckpoint(database, 0);  // when to checkpoint is decided in checkpoint.cpp alone
  return connection;
}

Result<std::unique_ptr<Connection>> Connection::open_another(const SqliteOptions& options) {
  auto connection = open(options, false);
  if (!connection) return connection;
  if (auto configured = (*connection)->configure(options); !configured) return configured.error();
  return connection;
}

/// SQLite's own handler sleeps up to 100 ms at a time, which is an age beside a commit of another process.
int Connection::on_busy(void* context, int attempt) {
  auto& self = *static_cast<Connection*>(context);
  const auto now = SteadyClock::now();
  if (attempt == 0) self.busy_until_ = now + self.busy_timeout_;
  if (!self.waits_ || now >= self.busy_until_) return 0;
  // Commits of others are short. A lock that is held for long is looked at less often.
  constexpr int short_looks = 200;
  const int pause = attempt < short_looks ? 100 : 5000;
  std::this_thread::sleep_for(std::chrono::microseconds(pause));
  return 1;
}

Result<void> Connection::set_pragma(const std::string& name, const std::string& value, const std::string& read_back) {
  if (auto done = execute(("PRAGMA " + name + "=" + value).c_str()); !done) return done;
  const auto found = read_text(("PRAGMA " + name).c_str());
  if (!found) return found.error();
  if (*found == read_back) return {};
  return Error(errc::storage_failed, "SQLite did not accept a setting that the storage relies on.")
      .with("pragma", name)
      .with("expected", read_back)
      .with("found", *found);
}

/// Two processes that switch a new file at the same time can refuse each other without asking the busy handler.
Result<void> Connection::switch_to_wal() {
  const auto until = SteadyClock::now() + busy_timeout_;
  for (;;) {
    const auto mode = read_text("PRAGMA journal_mode=WAL");
    if (mode && *mode == "wal") return {};
    if (mode) {
      return Error(errc::storage_failed, "This file cannot have a write-ahead log.").with("journal_mode", *mode);
    }
    if (mode.error().code() != errc::storage_busy || SteadyClock::now() >= until) return mode.error();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Result<void> Connection::configure(const SqliteOptions& options) {
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  if (auto switched = switch_to_wal(); !switched) return switched;

  struct Pragma {
    const char* name;
    const char* value;
    const char* read_back;
  };
  const bool full = options.synchronous == SqliteOptions::Synchronous::full;
  const Pragma pragmas[] = {
      {"synchronous", full ? "FULL" : "NORMAL", full ? "2" : "1"},
      {"wal_autocheckpoint", "0", "0"},
      {"trusted_schema", "OFF", "0"},
      {"cell_size_check", "ON", "1"},
  };
  for (const auto& pragma : pragmas) {
    if (auto set = set_pragma(pragma.name, pragma.value, pragma.read_back); !set) return set;
  }
  return {};
}

Result<Statement*> Connection::prepare(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return &found->second;
  auto prepared = Statement::prepare(database_.get(), sql);
  if (!prepared) return prepared.error();
  return &statements_.emplace(sql, std::move(*prepared)).first->second;
}

Result<Statement*> Connection::prepare_constant(const std::string& sql) {
  if (const auto found = constants_.find(&sql); found != constants_.end()) return found->second;
  auto prepared = prepare(sql);
  if (prepared) constants_.emplace(&sql, *prepared);
  return prepared;
}

Result<void> Connection::execute(const char* sql) {
  const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(database_.get(), code, sql);
  return {};
}

Result<std::string> Connection::read_text(const char* sql) {
  auto statement = Statement::prepare(database_.get(), sql);
  if (!statement) return statement.error();
  Query query(*statement);
  const auto row = query.next();
  if (!row) return row.error();
  return *row ? std::string(query.text(0)) : std::string();
}

Result<std::int64_t> Connection::read_integer(const char* sql) {
  auto statement = Statement::prepare(database_.get(), sql);
  if (!statement) return statement.error();
  Query query(*statement);
  const auto row = query.next();
  if (!row) return row.error();
  return *row ? query.integer(0) : 0;
}

Result<void> Connection::run(const std::string& sql) {
  const auto statement = prepare_constant(sql);
  if (!statement) return statement.error();
  Query query(**statement);
  if (auto done = query.next(); !done) return done.error();
  return {};
}

Result<void> Connection::begin() {
  static const std::string text = "BEGIN";
  return run(text);
}

Result<void> Connection::begin_immediate() {
  static const std::string text = "BEGIN IMMEDIATE";
  return run(text);
}

Result<void> Connection::commit() {
  static const std::string text = "COMMIT";
  return run(text);
}

Result<void> Connection::roll_back() {
  static const std::string text = "ROLLBACK";
  if (sqlite3_get_autocommit(database_.get()) != 0) return {};
  return run(text);
}

}  // namespace openindex::sqlite
