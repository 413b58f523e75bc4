#include "adapters/sqlite/schema.hpp"

#include <string>
#include <utility>

namespace openindex::sqlite {
namespace {

// A schema that was released is never edited, but brought forward. The columns of an index are named after
// `index_schemas()`. The body comes last, so that reading the other columns does not walk through a long one; in
// files of version 2 and 3 what came later stands behind it.
constexpr const char* create_records = R"(
CREATE TABLE records (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  queue_holder TEXT, queue_rank INTEGER, queue_number INTEGER, queue_domain TEXT, queue_workflow TEXT, queue_stage TEXT,
  items_domain TEXT, items_number INTEGER, items_sub INTEGER, items_workflow TEXT, items_status TEXT, items_stage TEXT,
  items_resolution TEXT, items_target TEXT, items_holder TEXT, items_kind TEXT, items_priority INTEGER,
  items_parent TEXT, items_owner TEXT, items_assignee TEXT, items_schedule TEXT, items_resolved_at INTEGER,
  due_topic TEXT, due_at INTEGER, due_subject TEXT,
  tree_parent TEXT, tree_number INTEGER, tree_sub INTEGER,
  audit_at INTEGER, audit_domain TEXT, audit_type TEXT, audit_actor TEXT, audit_stream TEXT,
  text_domain TEXT, text_number INTEGER, text_sub INTEGER, text_bits_0 INTEGER, text_bits_1 INTEGER,
  text_bits_2 INTEGER, text_bits_3 INTEGER, text_bits_4 INTEGER, text_bits_5 INTEGER, text_bits_6 INTEGER,
  text_bits_7 INTEGER,
  body ANY NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_key ON records (kind, key);
CREATE INDEX records_queue ON records
  (queue_holder, queue_rank, queue_number, queue_domain, queue_workflow, queue_stage, kind, key)
  WHERE queue_holder IS NOT NULL;
CREATE INDEX records_queue_stage ON records
  (queue_holder, queue_stage, queue_rank, queue_number, queue_domain, queue_workflow, kind, key)
  WHERE queue_holder IS NOT NULL;
CREATE INDEX records_items ON records
  (items_domain, items_number, items_sub, items_workflow, items_status, items_stage, items_resolution, items_target,
   items_holder, items_kind, items_priority, items_parent, items_owner, items_assignee, items_schedule,
   items_resolved_at, kind, key)
  WHERE items_domain IS NOT NULL;
CREATE INDEX records_due ON records (due_topic, due_at, due_subject, kind, key)
  WHERE due_topic IS NOT NULL;
CREATE INDEX records_tree ON records (tree_parent, tree_number, tree_sub, kind, key)
  WHERE tree_parent IS NOT NULL;
CREATE INDEX records_audit ON records (audit_at, audit_domain, audit_type, audit_actor, audit_stream, kind, key)
  WHERE audit_at IS NOT NULL;
)";

// Version 2 looked through a whole queue for the items of one stage.
constexpr const char* order_by_stage = R"(
CREATE INDEX records_queue_stage ON records
  (queue_holder, queue_stage, queue_rank, queue_number, queue_domain, queue_workflow, kind, key)
  WHERE queue_holder IS NOT NULL;
)";

// What an item of version 1 could not say is what it says by default; its audit entries take their places by time.
constexpr const char* set_version_1_aside = R"(
DROP INDEX records_key; DROP INDEX records_queue; DROP INDEX records_items; DROP INDEX records_due;
ALTER TABLE records RENAME TO records_1;
)";
constexpr const char* copy_version_1 = R"(
INSERT INTO records
SELECT id, kind, key, version,
  queue_holder, queue_rank, queue_number, queue_domain, queue_workflow, queue_stage,
  items_domain, items_number, iif(items_domain IS NULL, NULL, 0), items_workflow, items_status, items_stage,
  items_resolution, items_target, items_holder, iif(items_domain IS NULL, NULL, 'task'),
  iif(items_domain IS NULL, NULL, CASE json_extract(body, '$.priority')
    WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'low' THEN 3 ELSE 2 END),
  iif(items_domain IS NULL, NULL, ''), iif(items_domain IS NULL, NULL, ''), iif(items_domain IS NULL, NULL, ''),
  iif(items_domain IS NULL, NULL, 'none'),
  iif(items_domain IS NULL, NULL, coalesce(json_extract(body, '$.resolved'), 0)),
  due_topic, due_at, due_subject,
  NULL, NULL, NULL,
  iif(kind = 'audit', CAST(strftime('%s', json_extract(body, '$.at')) AS INTEGER) * 1000
    + CAST(substr(json_extract(body, '$.at'), 21, 3) AS INTEGER), NULL),
  iif(kind = 'audit', iif(key GLOB '[A-Z0-9]*-[0-9]*/*', substr(key, 1, instr(key, '-') - 1), ''), NULL),
  iif(kind = 'audit', json_extract(body, '$.type'), NULL),
  iif(kind = 'audit', coalesce(json_extract(body, '$.actor'), ''), NULL),
  iif(kind = 'audit', substr(key, 1, instr(key, '/') - 1), NULL),
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  body
FROM records_1;
DROP TABLE records_1;
)";

// What ended before version 3 takes its place among what can be pruned.
constexpr const char* place_ended = R"(
UPDATE records SET due_topic = 'resolved', due_at = items_resolved_at, due_subject = key
  WHERE kind = 'item' AND items_resolved_at > 0;
UPDATE records SET due_topic = 'ended', due_at = json_extract(body, '$.ended'), due_subject = key
  WHERE kind = 'run' AND CASE WHEN json_valid(body) THEN json_type(body, '$.ended') = 'integer' ELSE 0 END;
UPDATE records SET due_topic = 'created', due_subject = key,
  due_at = CAST(strftime('%s', json_extract(body, '$.at')) AS INTEGER) * 1000
    + CAST(substr(json_extract(body, '$.at'), 21, 3) AS INTEGER)
  WHERE kind = 'idempotency' AND key GLOB 'create/*'
    AND CASE WHEN json_valid(body) THEN strftime('%s', json_extract(body, '$.at')) IS NOT NULL ELSE 0 END;
)";

// Version 3 read every item that was searched. What was written before says anything until it is written again.
constexpr const char* add_text = R"(
ALTER TABLE records ADD COLUMN text_domain TEXT; ALTER TABLE records ADD COLUMN text_number INTEGER;
ALTER TABLE records ADD COLUMN text_sub INTEGER; ALTER TABLE records ADD COLUMN text_bits_0 INTEGER;
ALTER TABLE records ADD COLUMN text_bits_1 INTEGER; ALTER TABLE records ADD COLUMN text_bits_2 INTEGER;
ALTER TABLE records ADD COLUMN text_bits_3 INTEGER; ALTER TABLE records ADD COLUMN text_bits_4 INTEGER;
ALTER TABLE records ADD COLUMN text_bits_5 INTEGER; ALTER TABLE records ADD COLUMN text_bits_6 INTEGER;
ALTER TABLE records ADD COLUMN text_bits_7 INTEGER;
)";
// Apart from both ways to come by its columns.
constexpr const char* index_text = R"(
CREATE INDEX records_text ON records
  (text_domain, text_number, text_sub, text_bits_0, text_bits_1, text_bits_2, text_bits_3, text_bits_4, text_bits_5,
   text_bits_6, text_bits_7, kind, key)
  WHERE text_domain IS NOT NULL;
)";
constexpr const char* place_text = R"(
UPDATE records SET text_domain = substr(key, 1, instr(key, '-') - 1),
  text_number = CAST(substr(key, instr(key, '-') + 1) AS INTEGER),
  text_sub = iif(instr(key, '.') > 0, CAST(substr(key, instr(key, '.') + 1) AS INTEGER), 0),
  text_bits_0 = -1, text_bits_1 = -1, text_bits_2 = -1, text_bits_3 = -1, text_bits_4 = -1, text_bits_5 = -1,
  text_bits_6 = -1, text_bits_7 = -1
  WHERE kind = 'content' AND key GLOB '[A-Z0-9]*-[0-9]*';
)";

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
  if (found->version == 1) {
    if (auto done = connection.execute(set_version_1_aside); !done) return done;
  }
  if (found->version < 2) {
    if (auto done = connection.execute(create_records); !done) return done;
  }
  if (found->version == 1) {
    if (auto done = connection.execute(copy_version_1); !done) return done;
  }
  if (found->version == 2) {
    if (auto done = connection.execute(order_by_stage); !done) return done;
  }
  if (found->version == 1 || found->version == 2) {
    if (auto done = connection.execute(place_ended); !done) return done;
  }
  if (found->version == 2 || found->version == 3) {
    if (auto done = connection.execute(add_text); !done) return done;
  }
  if (found->version < 4) {
    if (auto done = connection.execute(index_text); !done) return done;
  }
  if (found->version >= 1 && found->version <= 3) {
    if (auto done = connection.execute(place_text); !done) return done;
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
