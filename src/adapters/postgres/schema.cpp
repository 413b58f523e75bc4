#include "adapters/postgres/schema.hpp"

#include <charconv>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/postgres/failure.hpp"

namespace openindex::postgres {
namespace {

constexpr const char* index_text =
    "CREATE INDEX IF NOT EXISTS records_text ON {}.records (text_domain, text_number, text_sub) WHERE text_domain IS "
    "NOT NULL";

// A schema that was released is never edited, but brought forward. `{}` stands for the schema's name. The columns of an
// index are named after `index_schemas()`. Text compares byte by byte: COLLATE "C". The index of the items stops where
// its columns could outgrow what a page takes; few items share the fields before that.
constexpr const char* create_tables[] = {
    R"(CREATE TABLE {}.records (
  domain text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  queue_holder text COLLATE "C", queue_rank bigint, queue_number bigint, queue_domain text COLLATE "C",
  queue_workflow text COLLATE "C", queue_stage text COLLATE "C",
  items_domain text COLLATE "C", items_number bigint, items_sub bigint, items_workflow text COLLATE "C",
  items_status text COLLATE "C", items_stage text COLLATE "C", items_resolution text COLLATE "C",
  items_target text COLLATE "C", items_holder text COLLATE "C", items_kind text COLLATE "C", items_priority bigint,
  items_parent text COLLATE "C", items_owner text COLLATE "C", items_assignee text COLLATE "C",
  items_schedule text COLLATE "C", items_resolved_at bigint,
  due_topic text COLLATE "C", due_at bigint, due_subject text COLLATE "C",
  tree_parent text COLLATE "C", tree_number bigint, tree_sub bigint,
  audit_at bigint, audit_domain text COLLATE "C", audit_type text COLLATE "C", audit_actor text COLLATE "C",
  audit_stream text COLLATE "C",
  text_domain text COLLATE "C", text_number bigint, text_sub bigint, text_bits_0 bigint, text_bits_1 bigint,
  text_bits_2 bigint, text_bits_3 bigint, text_bits_4 bigint, text_bits_5 bigint, text_bits_6 bigint,
  text_bits_7 bigint,
  body text COLLATE "C",
  body_bytes bytea,
  PRIMARY KEY (domain, kind, key),
  CHECK ((body IS NULL) <> (body_bytes IS NULL))
))",
    "CREATE INDEX records_key ON {}.records (kind, key)",
    "CREATE INDEX records_queue ON {}.records (queue_holder, queue_rank, queue_number, queue_domain, queue_workflow, "
    "queue_stage, kind, key) WHERE queue_holder IS NOT NULL",
    "CREATE INDEX records_items ON {}.records (items_domain, items_number, items_sub) WHERE items_domain IS NOT NULL",
    "CREATE INDEX records_due ON {}.records (due_topic, due_at, due_subject, kind, key) WHERE due_topic IS NOT NULL",
    "CREATE INDEX records_tree ON {}.records (tree_parent, tree_number, tree_sub, kind, key) "
    "WHERE tree_parent IS NOT NULL",
    "CREATE INDEX records_audit ON {}.records (audit_at, audit_domain, audit_type, audit_actor, audit_stream, kind, "
    "key) "
    "WHERE audit_at IS NOT NULL",
    index_text,
    "CREATE SEQUENCE {}.changes",
};

// Version 1 read every item that was searched. What was written before says anything until it is written again. Where a
// change of the schema commits by itself, a second start finds part of it done.
constexpr const char* add_text[] = {
    R"(ALTER TABLE {}.records ADD COLUMN IF NOT EXISTS text_domain text COLLATE "C", ADD COLUMN IF NOT EXISTS text_number bigint,
  ADD COLUMN IF NOT EXISTS text_sub bigint, ADD COLUMN IF NOT EXISTS text_bits_0 bigint, ADD COLUMN IF NOT EXISTS text_bits_1 bigint,
  ADD COLUMN IF NOT EXISTS text_bits_2 bigint, ADD COLUMN IF NOT EXISTS text_bits_3 bigint, ADD COLUMN IF NOT EXISTS text_bits_4 bigint,
  ADD COLUMN IF NOT EXISTS text_bits_5 bigint, ADD COLUMN IF NOT EXISTS text_bits_6 bigint, ADD COLUMN IF NOT EXISTS text_bits_7 bigint)",
    R"(UPDATE {}.records SET text_domain = split_part(key, '-', 1),
  text_number = substring(key from '-([0-9]+)')::bigint,
  text_sub = coalesce(substring(key from '[.]([0-9]+)$')::bigint, 0),
  text_bits_0 = -1, text_bits_1 = -1, text_bits_2 = -1, text_bits_3 = -1, text_bits_4 = -1, text_bits_5 = -1,
  text_bits_6 = -1, text_bits_7 = -1
  WHERE kind = 'content' AND key ~ '^[A-Z0-9]+-[0-9]{1,18}([.][0-9]{1,18})?$')",
    index_text,
};

// Until a table has grown, statistics of its first rows would have prepared statements read all of it for good: a plan
// is made once, and made again only after the next ANALYZE. And a queue is short where most of its rows come and go.
constexpr const char* tune_tables =
    "ALTER TABLE {}.records SET (autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_threshold = 5000, "
    "autovacuum_analyze_threshold = 5000, autovacuum_vacuum_scale_factor = 0.05)";

constexpr const char* create_meta =
    "CREATE TABLE IF NOT EXISTS {}.openindex_meta (name text PRIMARY KEY, value text NOT NULL)";

struct Found {
  bool has_schema = false;
  bool has_meta = false;
  bool has_records = false;
  std::optional<std::int64_t> version = {};  ///< As openindex_meta says.
};

std::string in_schema(std::string_view sql, std::string_view schema) {
  std::string text;
  for (std::size_t at = 0;;) {
    const auto mark = sql.find("{}", at);
    text += sql.substr(at, mark - at);
    if (mark == std::string_view::npos) return text;
    text += quoted(schema);
    at = mark + 2;
  }
}

Result<void> execute(Connection& connection, const std::string& sql) {
  const Statement statement{sql};
  if (auto done = connection.query({&statement, {}}); !done) return done.error();
  return {};
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<std::optional<std::int64_t>> read_version(Connection& connection, const std::string& schema) {
  const Statement statement{in_schema("SELECT value FROM {}.openindex_meta WHERE name = 'schema_version'", schema)};
  const auto rows = connection.query({&statement, {}});
  if (!rows) {
    // Somebody else's table may be called like ours and have other columns.
    if (rows.error().context("sqlstate") == "42703") return std::optional<std::int64_t>();
    return rows.error();
  }
  if (rows->count() != 1) return std::optional<std::int64_t>();
  return number_in(rows->text(0, 0));
}

Result<Found> look(Connection& connection, const std::string& schema) {
  static const Statement statement{
      "SELECT c.relname::text FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid "
      "AND c.relname IN ('records', 'openindex_meta') WHERE n.nspname = $1"};
  Parameters parameters;
  parameters.text(schema);
  const auto rows = connection.query({&statement, parameters});
  if (!rows) return rows.error();
  Found found;
  found.has_schema = rows->count() > 0;
  for (int row = 0; row < rows->count(); ++row) {
    found.has_meta = found.has_meta || rows->text(row, 0) == "openindex_meta";
    found.has_records = found.has_records || rows->text(row, 0) == "records";
  }
  if (!found.has_meta) return found;
  auto version = read_version(connection, schema);
  if (!version) return version.error();
  found.version = *version;
  return found;
}

Result<void> judge(const Found& found, const std::string& schema) {
  if (!found.has_meta && !found.has_records) return {};
  if (!found.version) {
    return Error(errc::storage_not_ours, "The schema holds a table called like one of ours that is not ours.")
        .with("schema", schema);
  }
  if (*found.version > schema_version) {
    return Error(errc::storage_newer_schema)
        .with("schema", schema)
        .with("found", std::to_string(*found.version))
        .with("newest_known", std::to_string(schema_version));
  }
  if (*found.version < 1 || !found.has_records) return Error(errc::storage_corrupt).with("schema", schema);
  return {};
}

/// Create everything inside an open transaction. The first row of the meta table, being unique, makes others wait who
/// are a moment later.
Result<void> create(Connection& connection, const std::string& schema, bool tunable) {
  const auto now = [&](std::string_view sql) { return execute(connection, in_schema(sql, schema)); };
  if (auto done = now(create_meta); !done) return done;
  if (auto done = now("INSERT INTO {}.openindex_meta (name, value) VALUES ('application', 'openindex')"); !done) {
    return done;
  }
  for (const char* sql : create_tables) {
    if (auto done = now(sql); !done) return done;
  }
  if (tunable) {
    if (auto done = now(tune_tables); !done) return done;
  }
  return now("INSERT INTO {}.openindex_meta (name, value) VALUES ('schema_version', '" +
             std::to_string(schema_version) + "')");
}

/// Inside an open transaction. Whoever else does the same waits for the row, and finds it done.
Result<void> bring_forward(Connection& connection, const std::string& schema) {
  const auto now = [&](std::string_view sql) { return execute(connection, in_schema(sql, schema)); };
  if (auto done = now("SELECT value FROM {}.openindex_meta WHERE name = 'schema_version' FOR UPDATE"); !done) {
    return done;
  }
  const auto version = read_version(connection, schema);
  if (!version) return version.error();
  if (*version != 1) return {};
  // Who waits for the table makes all wait behind it who come later; but a vacuum gives way only after a second.
  if (auto done = now("SELECT set_config('lock_timeout', '3s', true)"); !done) return done;
  for (const char* sql : add_text) {
    if (auto done = now(sql); !done) return done;
  }
  return now("UPDATE {}.openindex_meta SET value = '" + std::to_string(schema_version) +
             "' WHERE name = 'schema_version'");
}

Result<void> make_current(Connection& connection, const Found& found, const std::string& schema, bool tunable) {
  if (auto begun = execute(connection, "BEGIN ISOLATION LEVEL READ COMMITTED"); !begun) return begun;
  Result<void> done;
  if (!found.has_schema) done = execute(connection, in_schema("CREATE SCHEMA IF NOT EXISTS {}", schema));
  if (done) done = found.version ? bring_forward(connection, schema) : create(connection, schema, tunable);
  if (done) done = execute(connection, "COMMIT");
  if (!done) (void)execute(connection, "ROLLBACK");
  return done;
}

/// Two who create the same thing at once: one of them is told so, in one of several ways.
bool was_overtaken(const Error& error) {
  const auto state = error.context("sqlstate");
  return is_transient(error) || state == "42P07" || state == "42P06" || state == "XX000" || state == "42710";
}

/// The mark says that the schema is ours; make sure that the table has the columns that we use.
Result<void> check_columns(Connection& connection, const std::string& schema) {
  std::string columns;
  for (const auto& index : index_schemas().subspan(1)) {
    for (const auto& field : index.fields) {
      columns += ", " + std::string(index.name) + "_" + std::string(field.name);
    }
  }
  const auto read = execute(
      connection,
      in_schema("SELECT domain, kind, key, version, body, body_bytes" + columns + " FROM {}.records LIMIT 0", schema));
  if (read) return {};
  const auto state = read.error().context("sqlstate");
  if (state != "42703" && state != "42P01") return read;
  return Error(errc::storage_corrupt, "The database lacks tables or columns that its schema version has.")
      .with("schema", schema)
      .caused_by(read.error());
}

}  // namespace

std::string quoted(std::string_view identifier) {
  std::string text = "\"";
  for (const char c : identifier) {
    text += c;
    if (c == '"') text += c;
  }
  return text + "\"";
}

Result<bool> is_postgresql(Connection& connection) {
  static const Statement statement{"SELECT version()", {}, {}};
  const auto rows = connection.query({&statement, {}});
  if (!rows) return rows.error();
  const auto version = rows->text(0, 0);
  return version.starts_with("PostgreSQL") && version.find("-YB-") == std::string_view::npos;
}

Result<void> migrate(Connection& connection, const std::string& schema, bool is_postgresql) {
  constexpr int attempts_max = 50;
  for (int attempt = 1;; ++attempt) {
    const auto found = look(connection, schema);
    if (!found) return found.error();
    if (auto judged = judge(*found, schema); !judged) return judged;
    if (found->version == schema_version) return check_columns(connection, schema);
    const auto done = make_current(connection, *found, schema, is_postgresql);
    if (done) continue;
    const bool locked = done.error().context("sqlstate") == "55P03";
    if ((!locked && !was_overtaken(done.error())) || attempt == attempts_max) return done;
    std::this_thread::sleep_for(std::chrono::milliseconds(locked ? 500 : attempt));
  }
}

}  // namespace openindex::postgres
