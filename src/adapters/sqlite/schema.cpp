#include "adapters/sqlite/schema.hpp"

#include <array>
#include <string>
#include <utility>

namespace openindex::sqlite {
namespace {

// A step that was released is never edited: a file is what the steps made of it. The columns of an index are named
// after `index_schemas()`. The body comes last, so that reading the other columns does not walk through a long one.
constexpr const char* create_records = R"(
CREATE TABLE records (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  queue_holder TEXT, queue_rank INTEGER, queue_number INTEGER, queue_domain TEXT, queue_workflow TEXT, queue_stage TEXT,
  items_domain TEXT, items_number INTEGER, items_workflow TEXT, items_status TEXT, items_stage TEXT,
  items_resolution TEXT, items_target TEXT, items_holder TEXT,
  due_topic TEXT, due_at INTEGER, due_subject TEXT,
  body ANY NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_key ON records (kind, key);
CREATE INDEX records_queue ON records
  (queue_holder, queue_rank, queue_number, queue_domain, queue_workflow, queue_stage, kind, key)
  WHERE queue_holder IS NOT NULL;
CREATE INDEX records_items ON records
  (items_domain, items_number, items_workflow, items_status, items_stage, items_resolution, items_target, items_holder,
   kind, key)
  WHERE items_domain IS NOT NULL;
CREATE INDEX records_due ON records (due_topic, due_at, due_subject, kind, key)
  WHERE due_topic IS NOT NULL;
)";

/// Step n brings version n to n + 1.
constexpr std::array steps = {create_records};
static_assert(steps.size() == schema_version);

struct Identity {
  std::int64_t application = 0;
  std::int64_t version = 0;
  bool is_empty = false;
};

Result<Identity> read_identity(Connection& connection) {
  const auto application = connection.read_integer("PRAGMA application_id");
  if (!application) return application.error();
  const auto version = connection.read_integer("PRAGMA user_version");
  if (!version) return version.error();
  const auto objects = connection.read_integer("SELECT count(*) FROM sqlite_master");
  if (!objects) return objects.error();
  return Identity{*application, *version, *objects == 0};
}

/// Read it as of one moment: somebody may be creating the tables right now.
Result<Identity> read_identity_at_once(Connection& connection) {
  if (auto begun = connection.execute("BEGIN"); !begun) return begun.error();
  auto found = read_identity(connection);
  if (auto ended = connection.roll_back(); found && !ended) return ended.error();
  return found;
}

bool is_new(const Identity& found) { return found.application == 0 && found.version == 0 && found.is_empty; }

Result<void> judge(Connection& connection, const Identity& found) {
  if (is_new(found)) return {};
  const char* path = sqlite3_db_filename(connection.raw(), "main");
  if (found.application != application_id) {
    return Error(errc::storage_not_ours).with("path", path).with("application_id", std::to_string(found.application));
  }
  if (found.version > schema_version) {
    return Error(errc::storage_newer_schema)
        .with("path", path)
        .with("found", std::to_string(found.version))
        .with("newest_known", std::to_string(schema_version));
  }
  // Creation writes identity and tables in one transaction: one without the other was damaged later.
  if (found.version < 1 || found.is_empty) return Error(errc::storage_corrupt).with("path", path);
  return {};
}

Result<void> bring_forward(Connection& connection) {
  // Somebody else may have done it between our first look and our write lock.
  const auto found = read_identity(connection);
  if (!found) return found.error();
  if (auto judged = judge(connection, *found); !judged) return judged;
  for (auto step = static_cast<std::size_t>(found->version); step < steps.size(); ++step) {
    if (auto done = connection.execute(steps[step]); !done) return done;
  }
  const std::string mark = "PRAGMA application_id=" + std::to_string(application_id) +
                           ";PRAGMA user_version=" + std::to_string(schema_version);
  return connection.execute(mark.c_str());
}

}  // namespace

Result<void> check_identity(Connection& connection) {
  const auto found = read_identity_at_once(connection);
  if (!found) return found.error();
  return judge(connection, *found);
}

Result<void> migrate(Connection& connection) {
  const auto found = read_identity_at_once(connection);
  if (!found) return found.error();
  if (found->version == schema_version) return {};
  if (auto begun = connection.execute("BEGIN IMMEDIATE"); !begun) return begun;
  auto done = bring_forward(connection);
  if (done) done = connection.execute("COMMIT");
  if (!done) (void)connection.roll_back();
  return done;
}

}  // namespace openindex::sqlite
