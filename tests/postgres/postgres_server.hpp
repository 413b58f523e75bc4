// A PostgreSQL server of the test's own: a private data directory and a Unix socket in a temporary folder, no TCP,
// never the system's. It ends with the process that started it, however that ends.
#pragma once

#include <doctest/doctest.h>
#include <libpq-fe.h>
#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <openindex/adapters/postgres_storage.hpp>

namespace openindex {

/// A folder that the server's user may enter; removed at the end.
class ServerFolder {
 public:
  ServerFolder();
  ~ServerFolder();
  ServerFolder(const ServerFolder&) = delete;
  ServerFolder& operator=(const ServerFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A program that runs as a user who may run servers: PostgreSQL refuses root.
class ServerProcess {
 public:
  /// Start it; its output goes to a file.
  ServerProcess(std::vector<std::string> command, const std::filesystem::path& log);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }
  [[nodiscard]] bool has_ended();

  /// Send a signal and wait for the end.
  void end(int signal);

  /// Wait for the end; its exit code.
  int wait();

 private:
  pid_t id_ = -1;
  int status_ = 0;
};

class PostgresServer {
 public:
  /// Make a new cluster and start it. `settings` are words of the server's command line.
  explicit PostgresServer(std::vector<std::string> settings = {});

  /// Start from a copy of another cluster, made by pg_basebackup.
  PostgresServer(const PostgresServer& primary, std::vector<std::string> settings);

  ~PostgresServer();

  void start();

  /// End at once, as pg_ctl's `-m immediate` does: no checkpoint, clients are cut off.
  void stop_immediately();

  /// Wait for connections to end, as pg_ctl's default mode does not: clients are disconnected, work is rolled back.
  void stop_fast();

  /// Kill the postmaster with -9 and everything that it has started.
  void kill();

  /// Run one of PostgreSQL's programs, such as pg_ctl, and wait for it.
  void run(std::vector<std::string> command) const;

  [[nodiscard]] std::filesystem::path data() const { return folder_.path() / "data"; }
  [[nodiscard]] std::filesystem::path socket_folder() const { return folder_.path(); }
  [[nodiscard]] std::string conninfo() const;
  [[nodiscard]] PostgresOptions options(std::string schema) const;
  [[nodiscard]] pid_t process() const { return process_->id(); }

  /// Where PostgreSQL's programs are; empty when they are not installed.
  static std::filesystem::path programs();

 private:
  ServerFolder folder_;
  std::vector<std::string> settings_;
  std::unique_ptr<ServerProcess> process_;
};

/// Return this process's server, started at its first use; null when PostgreSQL is not installed, which is a failure
/// where OPENINDEX_REQUIRE_POSTGRES is set, and says what makes ctest skip the test elsewhere.
PostgresServer* shared_server();

/// Return a schema name that no other test of this process uses.
std::string new_schema();

std::unique_ptr<PostgresStorage> open_postgres(PostgresOptions options);

/// libpq itself, as an operator's shell would use it.
class PlainPostgres {
 public:
  explicit PlainPostgres(const std::string& conninfo);
  ~PlainPostgres() { PQfinish(connection_); }
  PlainPostgres(const PlainPostgres&) = delete;
  PlainPostgres& operator=(const PlainPostgres&) = delete;

  [[nodiscard]] PGconn* raw() const { return connection_; }

  /// Run one command; its first column, row by row.
  std::vector<std::string> column(const std::string& sql);
  void execute(const std::string& sql) { (void)column(sql); }

  /// Run one command that fails; its SQLSTATE.
  std::string refused(const std::string& sql);

 private:
  PGconn* connection_;
};

}  // namespace openindex

// Ends the test, and says why, when there is no server to be had.
#define SERVER_OR_SKIP(name)          \
  auto* const name = shared_server(); \
  if (name == nullptr) return
