// A file of an older schema is brought forward when it is opened, with everything that is in it.
#include <openindex/workflow_engine.hpp>

#include "storage/database_file.hpp"
#include "workflow/triage_definition.hpp"

using namespace openindex;

namespace {

constexpr const char* version_1 = R"(
CREATE TABLE records (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,
  queue_holder TEXT, queue_rank INTEGER, queue_number INTEGER, queue_domain TEXT, queue_workflow TEXT, queue_stage TEXT,
  items_domain TEXT, items_number INTEGER, items_workflow TEXT, items_status TEXT, items_stage TEXT,
  items_resolution TEXT, items_target TEXT, items_holder TEXT,
  due_topic TEXT, due_at INTEGER, due_subject TEXT, body ANY NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_key ON records (kind, key);
CREATE INDEX records_queue ON records
  (queue_holder, queue_rank, queue_number, queue_domain, queue_workflow, queue_stage, kind, key)
  WHERE queue_holder IS NOT NULL;
CREATE INDEX records_items ON records
  (items_domain, items_number, items_workflow, items_status, items_stage, items_resolution, items_target, items_holder,
   kind, key) WHERE items_domain IS NOT NULL;
CREATE INDEX records_due ON records (due_topic, due_at, due_subject, kind, key) WHERE due_topic IS NOT NULL;
INSERT INTO records (kind, key, version, queue_holder, queue_rank, queue_number, queue_domain, queue_workflow,
  queue_stage, items_domain, items_number, items_workflow, items_status, items_stage, items_resolution, items_target,
  items_holder, body) VALUES ('item', 'OPS-7', 3, '', 1, 7, 'OPS', 'OPS', 's', 'OPS', 7, 'OPS', 'new', 's',
  'unresolved', 'agent', '', '{"priority":"high"}');
INSERT INTO records (kind, key, version, body) VALUES
  ('content', 'OPS-7', 2, '{"title":"t"}'), ('content', 'OPS-7.12', 1, '{"title":"t"}'),
  ('audit', 'OPS-7/00000001', 1, '{"type":"work_item.created","at":"2026-11-22T10:00:00.250Z","actor":"mia"}'),
  ('audit', 'provider.p1/00000001', 1, '{"type":"admin.ai_provider_created","at":"2026-11-22T10:00:01.000Z"}'),
  ('host.notes', 'n', 2, 'not JSON');
PRAGMA application_id=1869177976;
PRAGMA user_version=1;
)";

// What the fourth schema added, taken away.
std::string without_text() {
  std::string sql = "DROP INDEX records_text;";
  for (const auto& field : index_schema(Index::text).fields) {
    sql += "ALTER TABLE records DROP COLUMN text_" + std::string(field.name) + ";";
  }
  return sql;
}

using Places = std::vector<std::vector<IndexValue>>;

// Where texts stand in the index of words, all of which may hold any word.
Places texts(Storage& storage) {
  Places out;
  for (const Record& row : storage.scan({.index = Index::text}).value().rows) {
    auto values = row.index.back().values;
    for (std::size_t field = 3; field < values.size(); ++field) CHECK(values[field] == IndexValue(std::int64_t{-1}));
    values.resize(3);
    out.push_back(std::move(values));
  }
  return out;
}

}  // namespace

TEST_CASE("a database of the first schema is brought forward with everything in it") {
  const DatabaseFile file;
  PlainConnection(file).execute(version_1);
  const auto storage = file.open();
  const auto items =
      storage->scan({.index = Index::items, .prefix = {"OPS", 7, 0}, .where = {{10, Predicate::Op::equal, 1}}});
  REQUIRE(items);
  REQUIRE(items->rows.size() == 1);
  CHECK(items->rows.front().version == 3);
  CHECK(items->rows.front().body == R"({"priority":"high"})");
  const auto free = storage->count({.index = Index::queue, .prefix = {""}});
  CHECK(free.value() == 1);
  const auto entries = storage->scan({.index = Index::audit});
  REQUIRE(entries);
  REQUIRE(entries->rows.size() == 2);
  CHECK(entries->rows.front().index.front().values ==
        std::vector<IndexValue>{1795341600250, "OPS", "work_item.created", "mia", "OPS-7"});
  const RecordId note{"host.notes", "n"};
  CHECK(storage->get(std::span(&note, 1)).value().front()->body == "not JSON");
  CHECK(texts(*storage) == Places{{"OPS", 7, 0}, {"OPS", 7, 12}});
}

TEST_CASE("what ended before the third schema takes its place among what can be pruned") {
  const DatabaseFile file;
  { const auto made = file.open(); }
  PlainConnection(file).execute(std::string(R"(
INSERT INTO records (kind, key, version, items_domain, items_number, items_sub, items_resolved_at, body) VALUES
  ('item', 'OPS-7', 3, 'OPS', 7, 0, 5000, '{}'), ('item', 'OPS-8', 3, 'OPS', 8, 0, 0, '{}');
INSERT INTO records (kind, key, version, body) VALUES
  ('run', 'run_OPS-7_0001', 9, '{"ended":6000}'), ('run', 'run_OPS-8_0001', 9, '{"due":7000}'),
  ('run', 'run_OPS-9_0001', 9, 'damaged'), ('idempotency', 'create/OPS/damaged', 1, 'damaged'),
  ('idempotency', 'create/OPS/key', 1, '{"digest":"d","item":"OPS-7","at":"2026-11-22T10:00:00.250Z"}');
INSERT INTO records (kind, key, version, body) VALUES ('content', 'OPS-9', 1, '{}'), ('content', 'A1-12.3', 1, '{}');
DROP INDEX records_queue_stage;
)") + without_text() + "PRAGMA user_version=2");
  const auto storage = file.open();
  const auto entries = [&](const char* topic) {
    std::vector<std::vector<IndexValue>> out;
    for (const Record& row : storage->scan({.index = Index::due, .prefix = {topic}}).value().rows) {
      out.push_back(row.index.back().values);
    }
    return out;
  };
  using Entries = std::vector<std::vector<IndexValue>>;
  CHECK(entries("resolved") == Entries{{"resolved", 5000, "OPS-7"}});
  CHECK(entries("ended") == Entries{{"ended", 6000, "run_OPS-7_0001"}});
  CHECK(entries("created") == Entries{{"created", 1795341600250, "create/OPS/key"}});
  CHECK(texts(*storage) == Places{{"A1", 12, 3}, {"OPS", 9, 0}});
}

TEST_CASE("a database of the second schema gets its order by stage") {
  const DatabaseFile file;
  { const auto storage = file.open(); }
  PlainConnection(file).execute(without_text() + "DROP INDEX records_queue_stage; PRAGMA user_version=2");
  const auto storage = file.open();
  const auto free = storage->count(
      {.index = Index::queue, .prefix = {""}, .where = {{5, Predicate::Op::equal, std::string("review")}}});
  CHECK(free.value() == 0);
  CHECK(PlainConnection(file).column("PRAGMA user_version") == std::vector<std::string>{"4"});
}

TEST_CASE("items of the third schema are found by their words") {
  const DatabaseFile file;
  const Actor host = Actor::system("host");
  const NewItem given{.workflow = "TRIAGE", .title = "crash", .description = "The lexer stumbles"};
  ItemKey key;
  {
    const auto storage = file.open();
    WorkflowEngine engine{{.storage = *storage}};
    REQUIRE(engine.save(host, tests::triage_workflow()));
    for (int i = 0; i < 11; ++i) key = engine.create(host, given).value().key;
  }
  PlainConnection(file).execute(without_text() + "PRAGMA user_version=3");

  const auto storage = file.open();
  WorkflowEngine engine{{.storage = *storage}};
  const auto found = engine.list(host, {.search = "lexer"}).value().items;
  REQUIRE(found.size() == 11);
  CHECK(found.back().key == key);
  CHECK(engine.list(host, {.search = "parser"})->items.empty());
  CHECK(engine.list(host, {.key = key, .search = "lexer"})->items.size() == 1);
}

TEST_CASE("the free items of one stage come in the order of the queue, page by page") {
  const DatabaseFile file;
  const auto storage = file.open();
  std::vector<ChangeSet> sets;
  for (std::int64_t number = 1; number <= 30; ++number) {
    const std::string stage = number % 3 == 0 ? "review" : "intake";
    const std::string key = "OPS-" + std::to_string(number);
    sets.push_back({.puts = {{{"item", key}, "{}", {{Index::queue, {"", number % 2, number, "OPS", "OPS", stage}}}}}});
  }
  for (const auto& committed : storage->commit(sets)) REQUIRE(committed);
  ScanRequest request{.index = Index::queue,
                      .prefix = {""},
                      .where = {{5, Predicate::Op::equal, std::string("review")}},
                      .limit_count = 3};
  std::vector<std::string> keys;
  do {
    const auto page = storage->scan(request);
    REQUIRE(page);
    for (const auto& row : page->rows) keys.push_back(row.id.key);
    request.after = page->next;
  } while (!request.after.empty());
  CHECK(keys == std::vector<std::string>{"OPS-6", "OPS-12", "OPS-18", "OPS-24", "OPS-30", "OPS-3", "OPS-9", "OPS-15",
                                         "OPS-21", "OPS-27"});
  request = {.index = Index::queue, .prefix = {"", 1}, .where = request.where, .descending = true, .after = {}};
  CHECK(storage->scan(request).value().rows.front().id.key == "OPS-27");
}
