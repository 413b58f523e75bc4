#include "adapters/sqlite/database.hpp"

#include <filesystem>
#include <string>
#include <utility>

#include "adapters/sqlite/rows.hpp"
#include "adapters/sqlite/schema.hpp"

namespace openindex {
inline namespace v0 {
namespace {

using sqlite::Connection;
using OwnedConnection = std::unique_ptr<Connection>;

/// The mark says that the file is ours; make sure that the table is there and has the columns that we use.
Result<void> check_tables(Connection& writer) {
  const auto read = sqlite::read_record(writer, RecordId{"openindex", "any"});
  if (read) return {};
  if (read.error().context("sqlite_code") != std::to_string(SQLITE_ERROR)) return read.error();
  return Error(errc::storage_corrupt, "The database lacks tables or columns that its schema version has.")
      .caused_by(read.error());
}

/// SQLite says no more than that it cannot open the file.
Result<void> check_place(const std::filesystem::path& path) {
  std::error_code unknown;
  const auto wrong = [&](const char* what) { return Error(errc::invalid_argument, what).with("path", path.string()); };
  if (path.filename() == ":memory:") return wrong("A database in memory is MemoryStorage; this one is a file");
  if (std::filesystem::is_directory(path, unknown)) return wrong("The path of the database is a folder");
  if (!std::filesystem::is_directory(path.parent_path(), unknown))
    return wrong("The folder of the database is missing");
  return {};
}

Result<OwnedConnection> open_writer(const SqliteOptions& options) {
  auto writer = Connection::open(options, true);
  if (!writer) return writer;
  if (auto checked = sqlite::check_identity(**writer); !checked) return checked.error();
  if (auto configured = (*writer)->configure(options); !configured) return configured.error();
  // 16 MB: each commit touches a few index pages anywhere in a large file.
  if (auto set = (*writer)->set_pragma("cache_size", "-16000", "-16000"); !set) return set.error();
  if (auto migrated = sqlite::migrate(**writer); !migrated) return migrated.error();
  if (auto checked = check_tables(**writer); !checked) return checked.error();
  return writer;
}

}  // namespace

SqliteStorage::Database::Database(SqliteOptions options, const sqlite::Tuning& tuning, Connections connections)
    : options_(std::move(options)),
      connections_(std::move(connections)),
      readers_(options_),
      watch_(std::move(connections_.watcher), tuning.looks),
      checkpoint_(*connections_.writer, {*connections_.copying, *connections_.bounding, *connections_.syncing},
                  readers_, tuning.checkpoints),
      commits_(*connections_.writer, checkpoint_, watch_) {}

Result<std::unique_ptr<SqliteStorage::Database>> SqliteStorage::Database::open(SqliteOptions options,
                                                                               const sqlite::Tuning& tuning) {
  // Absolute, because connections are opened later, too, when the working folder may be another; and because names such
  // as `:memory:` and `file:…` mean something else to SQLite.
  std::error_code failed;
  auto path = std::filesystem::absolute(options.path, failed);
  if (failed || options.path.empty()) {
    return Error(errc::invalid_argument, "The path of the database is empty or cannot be made absolute")
        .with("path", options.path.string());
  }
  options.path = std::move(path);
  if (auto sound = check_place(options.path); !sound) return sound.error();

  auto writer = open_writer(options);
  if (!writer) return writer.error();
  Connections connections{.writer = std::move(*writer)};
  for (auto* place : {&connections.copying, &connections.bounding, &connections.watcher}) {
    auto another = Connection::open_another(options);
    if (!another) return another.error();
    *place = std::move(*another);
  }
  auto syncing = Connection::open(options, false);
  if (!syncing) return syncing.error();
  connections.syncing = std::move(*syncing);
  return std::unique_ptr<Database>(new Database(std::move(options), tuning, std::move(connections)));
}

Result<SqliteStatus> SqliteStorage::Database::status() {
  auto reader = readers_.take();
  if (!reader) return reader.error();
  auto mode = (*reader)->read_text("PRAGMA journal_mode");
  if (!mode) return mode.error();
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(connections_.writer->log(), missing);
  return SqliteStatus{
      .library_version = sqlite3_libversion(),
      .journal_mode = std::move(*mode),
      .synchronous = options_.synchronous == SqliteOptions::Synchronous::full ? "full" : "normal",
      .concurrent_checkpoints = checkpoint_.concurrent(),
      .wal_bytes = missing ? 0 : static_cast<std::int64_t>(bytes),
  };
}

}  // namespace v0
}  // namespace openindex
