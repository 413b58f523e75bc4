// Creating and finding the tables.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <openindex/workflow_engine.hpp>

#include "postgres/postgres_fixture.hpp"
#include "storage/test_records.hpp"
#include "workflow/triage_definition.hpp"

using namespace openindex;

namespace {

Error refusal(const PostgresOptions& options) {
  const auto storage = PostgresStorage::open(options);
  REQUIRE(!storage);
  return storage.error();
}

}  // namespace

TEST_CASE("ten processes that create the PostgreSQL tables at once all get them") {
  SERVER_OR_SKIP(server);
  for (int round = 0; round < 3; ++round) {
    const auto options = server->options(new_schema());
    int gate[2];
    REQUIRE(pipe(gate) == 0);
    std::vector<pid_t> children;
    for (int i = 0; i < 10; ++i) {
      const auto child = fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        close(gate[1]);
        char byte = 0;
        (void)!read(gate[0], &byte, 1);  // until the parent closes it
        const auto storage = PostgresStorage::open(options);
        _exit(storage && commit_one(**storage, test_put("child" + std::to_string(i))) ? 0 : 1);
      }
      children.push_back(child);
    }
    close(gate[0]);
    close(gate[1]);
    for (const auto child : children) {
      int status = 0;
      waitpid(child, &status, 0);
      CHECK(WIFEXITED(status));
      CHECK(WEXITSTATUS(status) == 0);
    }
    CHECK(count_records(*open_postgres(options)) == 10);
  }
}

TEST_CASE("a newer schema in PostgreSQL is refused by name and left as it is") {
  SERVER_OR_SKIP(server);
  (void)open_postgres(server->options("newer"));
  PlainPostgres psql(server->conninfo());
  psql.execute("UPDATE newer.openindex_meta SET value = '99' WHERE name = 'schema_version'");
  const auto error = refusal(server->options("newer"));
  CHECK(error.code() == errc::storage_newer_schema);
  CHECK(error.context("found") == "99");
  CHECK(error.context("schema") == "newer");
  CHECK(psql.column("SELECT value FROM newer.openindex_meta WHERE name = 'schema_version'").front() == "99");
}

TEST_CASE("items of the first schema in PostgreSQL are found by their words, whoever of many brings it forward") {
  SERVER_OR_SKIP(server);
  const auto options = server->options("first");
  const Actor host = Actor::system("host");
  {
    const auto storage = open_postgres(options);
    WorkflowEngine engine{{.storage = *storage}};
    REQUIRE(engine.save(host, tests::triage_workflow()));
    for (int i = 0; i < 11; ++i) {
      REQUIRE(engine.create(host, {.workflow = "TRIAGE", .title = "crash", .description = "The lexer stumbles"}));
    }
  }
  PlainPostgres psql(server->conninfo());
  for (const auto& field : index_schema(Index::text).fields) {
    psql.execute("ALTER TABLE first.records DROP COLUMN text_" + std::string(field.name));
  }
  psql.execute("UPDATE first.openindex_meta SET value = '1' WHERE name = 'schema_version'");

  std::vector<std::jthread> threads;
  std::atomic<int> opened{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { opened += PostgresStorage::open(options).has_value() ? 1 : 0; });
  }
  threads.clear();
  CHECK(opened == 4);
  CHECK(psql.column("SELECT value FROM first.openindex_meta WHERE name = 'schema_version'").front() == "2");
  const auto storage = open_postgres(options);
  WorkflowEngine engine{{.storage = *storage}};
  CHECK(engine.list(host, {.search = "lexer"})->items.size() == 11);
  CHECK(engine.list(host, {.search = "parser"})->items.empty());
}

TEST_CASE("a schema that somebody reads at length is brought forward later, and holds up nobody for long meanwhile") {
  SERVER_OR_SKIP(server);
  const auto options = server->options("held");
  (void)open_postgres(options);
  PlainPostgres psql(server->conninfo());
  psql.execute("UPDATE held.openindex_meta SET value = '1' WHERE name = 'schema_version'");
  psql.execute("DROP INDEX held.records_text; ALTER TABLE held.records DROP COLUMN text_bits_7");
  PlainPostgres reader(server->conninfo());
  reader.execute("BEGIN; LOCK TABLE held.records IN ACCESS SHARE MODE");

  std::atomic<bool> opened{false};
  std::jthread opening([&] { opened = PostgresStorage::open(options).has_value(); });
  // It waits for the table, gives up, and waits again.
  const std::string waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'held.records'::regclass";
  const auto until = [&](const char* count) {
    while (psql.column(waits).front() != count) std::this_thread::yield();
  };
  until("1");
  until("0");
  until("1");
  CHECK(!opened);
  reader.execute("COMMIT");
  opening.join();
  CHECK(opened);
  CHECK(psql.column("SELECT value FROM held.openindex_meta WHERE name = 'schema_version'").front() == "2");
}

TEST_CASE("tables of other software are refused and left as they are") {
  SERVER_OR_SKIP(server);
  PlainPostgres psql(server->conninfo());
  psql.execute("CREATE SCHEMA theirs; CREATE TABLE theirs.records (id int)");
  CHECK(refusal(server->options("theirs")).code() == errc::storage_not_ours);
  psql.execute("CREATE SCHEMA theirs2; CREATE TABLE theirs2.openindex_meta (other int)");
  CHECK(refusal(server->options("theirs2")).code() == errc::storage_not_ours);
  CHECK(psql.column("SELECT count(*) FROM pg_tables WHERE schemaname LIKE 'theirs%'").front() == "2");
}

TEST_CASE("a schema may hold the host's tables beside ours") {
  SERVER_OR_SKIP(server);
  PlainPostgres psql(server->conninfo());
  psql.execute("CREATE SCHEMA shared; CREATE TABLE shared.orders (id int)");
  const auto storage = open_postgres(server->options("shared"));
  CHECK(commit_one(*storage, test_put("a")).has_value());
}

TEST_CASE("PostgreSQL tables that lack a column are damage, and said to be") {
  SERVER_OR_SKIP(server);
  (void)open_postgres(server->options("damaged"));
  PlainPostgres psql(server->conninfo());
  psql.execute("ALTER TABLE damaged.records DROP COLUMN due_at");
  CHECK(refusal(server->options("damaged")).code() == errc::storage_corrupt);
  psql.execute("DROP TABLE damaged.records");
  CHECK(refusal(server->options("damaged")).code() == errc::storage_corrupt);
}

TEST_CASE("a schema may be called anything") {
  SERVER_OR_SKIP(server);
  for (const std::string name : {"Mixed Case", "quote\"d", "it's", "select", "\xc3\xa9t\xc3\xa9"}) {
    auto options = server->options(name);
    const auto storage = open_postgres(options);
    CHECK(commit_one(*storage, test_put("a")).has_value());
    CHECK(count_records(*open_postgres(options)) == 1);
    const auto seen = storage->wait_for_change({}).value().sequence;
    CHECK(storage->wait_for_change({.seen = seen, .timeout = Duration(1)}).has_value());
  }
}

TEST_CASE("a database that is not UTF-8 is refused") {
  SERVER_OR_SKIP(server);
  PlainPostgres(server->conninfo()).execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
  auto options = server->options("openindex");
  options.conninfo += " dbname=latin";
  CHECK(refusal(options).code() == errc::invalid_argument);
}

TEST_CASE("PostgreSQL options out of their bounds are refused by name") {
  PostgresOptions options;
  options.schema = "";
  CHECK(refusal(options).context("field") == "schema");
  options.schema = std::string(64, 's');
  CHECK(refusal(options).context("field") == "schema");
  options.schema = "s";
  options.connections_max = 0;
  CHECK(refusal(options).context("field") == "connections_max");
  options.connections_max = 1;
  options.conninfo = "no equals sign";
  CHECK(refusal(options).context("field") == "conninfo");
  options.conninfo = "";
  options.listen_conninfo = "no equals sign";
  CHECK(refusal(options).context("field") == "listen_conninfo");
}

TEST_CASE("the password of a connection string is in no error") {
  PostgresOptions options;
  options.connection_wait = Duration(1);
  for (const std::string conninfo :
       {"password=hun ter2 host=/nowhere", "host=/nowhere password=hunter2", "postgresql://me:hunter2@/x?bad=hunter2",
        "postgresql://me:hunter2@[half/x", "host=127.0.0.1 port=1 password=hunter2",
        "host=/nowhere password=hunter2 sslmode=hunter2"}) {
    options.conninfo = conninfo;
    const auto text = refusal(options).describe();
    CHECK(text.find("ter2") == std::string::npos);
  }
}
