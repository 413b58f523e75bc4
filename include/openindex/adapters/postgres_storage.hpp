// PostgresStorage: everything in one schema of a PostgreSQL database, for work that outgrows one machine.
//
// Any number of processes on any number of machines share it. Concurrent commits of one process are coalesced: a group
// costs two round trips and one durable write, led by the first caller on its own thread. Connections are libpq's, and
// so are TLS, passwords, several hosts and failover: say them in `conninfo`. Operators can read the tables with `psql`:
// `docs/storage.md`. Target: openindex::postgres.
//
// Thread safety: all methods, from any threads. Lifetime: destroy it after everything that uses it, enlisted storages
// included. Starts one thread at the first `wait_for_change`. Do not carry it across `fork()`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <openindex/storage/enlistment.hpp>
#include <openindex/storage/storage.hpp>

struct pg_conn;  // PGconn of libpq

namespace openindex {
inline namespace v0 {

struct PostgresOptions {
  /// What libpq takes: `host=db1,db2 dbname=work target_session_attrs=read-write sslmode=verify-full` or a URI. What it
  /// leaves out comes from libpq's environment variables and files. Its password appears in no error.
  std::string conninfo = {};

  /// The schema that holds our tables, 1 to 63 bytes; created when missing.
  std::string schema = "openindex";

  /// Prepare statements on each connection. Turn it off for poolers that do not carry them, such as PgBouncer before
  /// 1.21 in transaction mode.
  bool prepared_statements = true;

  /// How many connections to have at once, 1 to 1,000; the listening one is not counted.
  std::uint32_t connections_max = 8;

  /// How long a call waits for a free connection, or for a server that cannot be reached, before it fails.
  Duration connection_wait{5'000};

  /// How long a change set waits for a record that somebody else has locked before `storage_busy`. Others that were
  /// committed with it go ahead after 100 ms.
  Duration lock_wait{10'000};

  /// Tell other processes of each commit with NOTIFY, and listen on a connection of its own while somebody waits.
  /// Without it they look every 250 ms. The same for every process of a schema.
  bool notifications = true;

  /// Where to listen; empty: as `conninfo`. LISTEN does not work through PgBouncer in transaction mode: name the server
  /// itself.
  std::string listen_conninfo = {};
};

class OPENINDEX_API PostgresStorage final : public Storage {
 public:
  /// Connect, and create our tables or bring them forward; safe when many processes do it at once.
  /// @par Errors invalid_argument (an option; a database that is not UTF-8), storage_not_ours (tables of other software
  /// in the schema), storage_newer_schema, storage_corrupt, storage_read_only, storage_busy, storage_full,
  /// storage_failed. Nothing is overwritten.
  static Result<std::unique_ptr<PostgresStorage>> open(PostgresOptions options);
  ~PostgresStorage() override;

  /// Make a transaction that the host has begun on a connection of its own a storage (see `Enlistment`), for
  /// `WorkflowEngine::with`. The connection must be to the same database. Each commit is a savepoint, so that a
  /// conflict of ours leaves the host's work as it is. Locks last as long as the transaction: make it short.
  /// @par Errors invalid_argument (null, no open transaction or a failed one, another client encoding than UTF-8)
  [[nodiscard]] Result<std::unique_ptr<Enlistment>> enlist(pg_conn* transaction);

  Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) override;
  Result<std::vector<std::optional<Record>>> get_bodies(std::span<const RecordId> ids) override;
  Result<ScanPage> scan(const ScanRequest& request) override;
  Result<std::uint64_t> count(const CountRequest& request) override;
  std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) override;
  Result<Changed> wait_for_change(const WaitRequest& request) override;
  void wake() noexcept override;

 private:
  class Database;
  explicit PostgresStorage(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace v0
}  // namespace openindex
