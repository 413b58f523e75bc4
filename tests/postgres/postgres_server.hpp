// A PostgreSQL server of the test's own: a private data directory and a Unix socket in a temporary folder, no TCP,
// never the system's. It ends with the process that started it, however that ends.
#pragma once

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
  explicit ServerFolder(const std::filesystem::path& parent = {});
  ~ServerFolder();
  ServerFolder(const ServerFolder&) = delete;
  ServerFolder& operator=(const ServerFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Make a file one that only the server's user may read: a key.
void keep_for_server(const std::filesystem::path& file);

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
  /// Make a new cluster in a folder inside `parent`, and start it. `settings` go over ours, which are quick and forget
  /// what is not written when the machine stops; with a `port` it may listen on TCP as well. Like everything here,
  /// throws on failure.
  explicit PostgresServer(std::vector<std::string> settings = {}, const std::filesystem::path& parent = {});

  /// Start from a copy of another cluster, made by pg_basebackup.
  PostgresServer(const PostgresServer& primary, std::vector<std::string> settings);

  ~PostgresServer();

  void make_cluster() const;
  void start();

  /// End at once, as pg_ctl's `-m immediate` does: no checkpoint, clients are cut off.
  void stop_immediately();

  /// Wait for connections to end, as pg_ctl's default mode does not: clients are disconnected, work is rolled back.
  void stop_fast();

  /// Kill the postmaster with -9 and everything that it has started.
  void kill();

  /// Whether it has given up by itself.
  [[nodiscard]] bool has_ended() { return process_->has_ended(); }

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
