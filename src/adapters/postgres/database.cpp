#include "adapters/postgres/database.hpp"

#include <utility>

#include "adapters/postgres/schema.hpp"
#include "core/utf8.hpp"

namespace openindex {
inline namespace v0 {
namespace {

Result<void> check_options(const PostgresOptions& options) {
  constexpr std::size_t name_bytes_max = 63;
  constexpr std::uint32_t connections_bound = 1'000;
  const auto wrong = [](const char* field, const char* what) {
    return Error(errc::invalid_argument, what).with("field", field);
  };
  if (options.schema.empty() || options.schema.size() > name_bytes_max || !is_utf8(options.schema) ||
      options.schema.find('\0') != std::string::npos) {
    return wrong("schema", "The name of the schema must have 1 to 63 bytes of UTF-8.");
  }
  if (options.connections_max == 0 || options.connections_max > connections_bound) {
    return wrong("connections_max", "There must be 1 to 1,000 connections.");
  }
  if (auto checked = postgres::Connection::check_conninfo(options.conninfo); !checked) return checked;
  if (options.listen_conninfo.empty()) return {};
  if (postgres::Connection::check_conninfo(options.listen_conninfo)) return {};
  return wrong("listen_conninfo", "The connection string is none that libpq can read.");
}

/// The pool prepares statements, which takes tables: it comes after them. This one waits and tries again like it. Tell
/// whether the server is PostgreSQL itself.
Result<bool> prepare_schema(const PostgresOptions& options) {
  postgres::Pool pool(options, {});
  return postgres::repeat_on(pool, [&](postgres::Connection& connection) -> Result<bool> {
    const auto is_postgresql = postgres::is_postgresql(connection);
    if (!is_postgresql) return is_postgresql;
    if (auto migrated = postgres::migrate(connection, options.schema, *is_postgresql); !migrated) {
      return migrated.error();
    }
    return is_postgresql;
  });
}

}  // namespace

PostgresStorage::Database::Database(PostgresOptions options, bool is_postgresql)
    : options_(std::move(options)),
      statements_(options_.schema, options_.notifications, is_postgresql),
      pool_(options_,
            options_.prepared_statements ? statements_.prepared() : std::vector<const postgres::Statement*>()),
      watch_(options_, statements_, pool_),
      commits_(options_, statements_, pool_, watch_) {}

Result<std::unique_ptr<PostgresStorage::Database>> PostgresStorage::Database::open(PostgresOptions options) {
  if (auto sound = check_options(options); !sound) return sound.error();
  const auto is_postgresql = prepare_schema(options);
  if (!is_postgresql) return is_postgresql.error();
  std::unique_ptr<Database> database(new Database(std::move(options), *is_postgresql));
  if (auto begun = database->watch_.begin(); !begun) return begun.error();
  return database;
}

void PostgresStorage::Database::announce() noexcept {
  const postgres::ChangeWatch::OwnCommit own(watch_);
  std::optional<std::int64_t> counted;
  if (auto connection = pool_.take()) {
    const auto command = watch_.announcement();
    if (const auto rows = (*connection)->query(command)) counted = rows->integer(0, 0);
  }
  watch_.committed(counted);
}

}  // namespace v0
}  // namespace openindex
