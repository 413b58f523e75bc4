// Inside a transaction of the host.
#include <string>
#include <thread>
#include <vector>

#include <openindex/storage/scan_range.hpp>
#include <openindex/workflow_engine.hpp>

#include "postgres/postgres_fixture.hpp"
#include "storage/test_records.hpp"
#include "workflow/triage_definition.hpp"

using namespace openindex;

namespace {

/// A storage, and a host with a table and a connection of its own.
struct Host {
  explicit Host(PostgresServer& server)
      : options(server.options(new_schema())), storage(open_postgres(options)), psql(server.conninfo()) {
    psql.execute("CREATE TABLE IF NOT EXISTS orders (schema text, id int)");
  }

  std::unique_ptr<Enlistment> begin() {
    psql.execute("BEGIN; INSERT INTO orders VALUES ('" + options.schema + "', 1)");
    auto enlisted = storage->enlist(psql.raw());
    REQUIRE(enlisted);
    return std::move(*enlisted);
  }

  int orders() {
    return std::stoi(psql.column("SELECT count(*) FROM orders WHERE schema = '" + options.schema + "'").front());
  }

  PostgresOptions options;
  std::unique_ptr<PostgresStorage> storage;
  PlainPostgres psql;
};

}  // namespace

TEST_CASE("the host's rows and ours are committed together") {
  SERVER_OR_SKIP(server);
  Host host(*server);
  const auto enlisted = host.begin();
  CHECK(commit_one(*enlisted, test_put("a")).has_value());
  CHECK(count_records(*enlisted) == 1);
  CHECK(count_records(*host.storage) == 0);
  host.psql.execute("COMMIT");
  CHECK(count_records(*host.storage) == 1);
  CHECK(host.orders() == 1);
}

TEST_CASE("the host's rows and ours are rolled back together") {
  SERVER_OR_SKIP(server);
  Host host(*server);
  const auto enlisted = host.begin();
  CHECK(commit_one(*enlisted, test_put("a")).has_value());
  host.psql.execute("ROLLBACK");
  CHECK(count_records(*host.storage) == 0);
  CHECK(host.orders() == 0);
}

TEST_CASE("an enlisted storage reads its own writes in every way") {
  SERVER_OR_SKIP(server);
  Host host(*server);
  const auto enlisted = host.begin();
  const IndexEntry entry{Index::due, {"hold", 5, "a"}};
  CHECK(commit_one(*enlisted, test_put("a", "1", {entry})).value().versions.front() == 1);
  CHECK(commit_one(*enlisted, test_put("a", std::string("2\0", 2), {entry})).value().versions.front() == 2);
  const std::vector ids = {test_record("b"), test_record("a"), test_record("a")};
  const auto found = enlisted->get(ids).value();
  CHECK(!found[0]);
  REQUIRE(found[1]);
  CHECK(found[1]->body == std::string("2\0", 2));
  CHECK(found[2]->version == 2);
  CHECK(enlisted->scan({.index = Index::due, .prefix = {"hold"}}).value().rows.size() == 1);
  CHECK(enlisted->get({}).value().empty());
  host.psql.execute("ROLLBACK");
}

TEST_CASE("asking for text that cannot be stored leaves the host's transaction as it is") {
  SERVER_OR_SKIP(server);
  Host host(*server);
  const auto enlisted = host.begin();
  REQUIRE(commit_one(*enlisted, test_put("a")).has_value());
  for (const auto& text : {std::string("\xff"), std::string("nul\0", 4)}) {
    const std::vector ids = {test_record(text), test_record("a"), RecordId{text, "a"}};
    const auto found = enlisted->get(ids);
    REQUIRE(found);
    CHECK(!found->at(0));
    CHECK(found->at(1));
    CHECK(!found->at(2));
    const auto page = enlisted->scan({.index = Index::key, .prefix = {text}});
    REQUIRE(!page);
    CHECK(page.error().code() == errc::invalid_argument);
    const auto count = enlisted->count({.index = Index::due, .prefix = {}, .from = text});
    REQUIRE(!count);
    CHECK(count.error().code() == errc::invalid_argument);
    const ScanRequest forged{
        .index = Index::key, .prefix = {}, .after = write_cursor({.index = Index::key}, {"a", text})};
    const auto behind = enlisted->scan(forged);
    REQUIRE(!behind);
    CHECK(behind.error().code() == errc::invalid_argument);
  }
  host.psql.execute("COMMIT");
  CHECK(count_records(*host.storage) == 1);
  CHECK(host.orders() == 1);
}

TEST_CASE("a conflict of ours leaves the host's transaction as it is") {
  SERVER_OR_SKIP(server);
  Host host(*server);
  CHECK(commit_one(*host.storage, test_put("there")).has_value());
  const auto enlisted = host.begin();
  CHECK(commit_one(*enlisted, test_put("first")).has_value());
  auto stale = test_put("second");
  stale.expectations = {{test_record("there"), 7}};
  const auto refused = commit_one(*enlisted, stale);
  REQUIRE(!refused);
  CHECK(refused.error().code() == errc::conflict);
  CHECK(refused.error().context("found") == "1");
  std::vector<ChangeSet> sets = {test_put("third"), stale, test_put("fourth")};
  const auto results = enlisted->commit(sets);
  CHECK(results[0].has_value());
  CHECK(!results[1]);
  CHECK(results[2].has_value());
  host.psql.execute("COMMIT");
  CHECK(count_records(*host.storage) == 4);
  CHECK(host.orders() == 1);
}

TEST_CASE("a change set that the server refuses leaves the host's transaction as it is") {
  SERVER_OR_SKIP(server);
  Host host(*server);
  host.psql.execute("ALTER TABLE " + host.options.schema + ".records ADD CHECK (key <> 'bad')");
  const auto enlisted = host.begin();
  std::vector<ChangeSet> sets = {test_put("a"), test_put("bad"), test_put("b")};
  const auto results = enlisted->commit(sets);
  CHECK(results[0].has_value());
  REQUIRE(!results[1]);
  CHECK(results[1].error().code() == errc::storage_failed);
  CHECK(results[2].has_value());
  host.psql.execute("COMMIT");
  CHECK(count_records(*host.storage) == 2);
  CHECK(host.orders() == 1);
}

TEST_CASE("calls outside of an enlisted transaction are busy after a bound where they need what it holds") {
  SERVER_OR_SKIP(server);
  Host host(*server);
  CHECK(commit_one(*host.storage, test_put("held", "before")).has_value());
  auto options = host.options;
  options.lock_wait = Duration(50);
  const auto other = open_postgres(options);
  const auto enlisted = host.begin();
  CHECK(commit_one(*enlisted, test_put("held", "after")).has_value());
  const auto id = test_record("held");
  CHECK(other->get({&id, 1}).value().front()->body == "before");  // readers do not wait
  const std::vector<ChangeSet> sets = {test_put("free"), test_put("held", "outside")};
  const auto results = other->commit(sets);
  CHECK(results[0].has_value());
  REQUIRE(!results[1]);
  CHECK(results[1].error().code() == errc::storage_busy);
  host.psql.execute("COMMIT");
  CHECK(commit_one(*other, test_put("held", "outside")).value().versions.front() == 3);
}

TEST_CASE("committed() wakes who waits, here and in other processes") {
  SERVER_OR_SKIP(server);
  for (const bool notifications : {true, false}) {
    Host host(*server);
    auto options = host.options;
    options.notifications = notifications;
    const auto here = open_postgres(options);
    const auto there = open_postgres(options);
    const auto seen_here = here->wait_for_change({}).value().sequence;
    const auto seen_there = there->wait_for_change({}).value().sequence;
    host.psql.execute("BEGIN");
    const auto transaction = here->enlist(host.psql.raw()).value();
    CHECK(commit_one(*transaction, test_put("a")));
    host.psql.execute("COMMIT");
    std::thread teller([&] { transaction->committed(); });
    CHECK(there->wait_for_change({.seen = seen_there, .timeout = std::chrono::hours(1)}).value().sequence !=
          seen_there);
    teller.join();
    CHECK(here->wait_for_change({.seen = seen_here, .timeout = std::chrono::hours(1)}).value().sequence != seen_here);
  }
}

TEST_CASE("an engine works in a transaction of the host, and tells its subscriptions after the commit") {
  SERVER_OR_SKIP(server);
  Host host(*server);
  WorkflowEngine engine({.storage = *host.storage});
  const Actor shop = Actor::system("shop");
  REQUIRE(engine.save(shop, tests::triage_workflow()));
  std::vector<ItemKey> told;
  const auto subscription =
      engine.subscribe({}, inline_executor(), [&](const Event& event) { told.push_back(event.item); });
  {
    const auto transaction = host.begin();
    const auto item = engine.with(*transaction).create(shop, {.workflow = "TRIAGE", .title = "an order"});
    REQUIRE(item);
    CHECK(engine.get(shop, item->key).error().code() == errc::not_found);
    host.psql.execute("ROLLBACK");
    transaction->committed();
    CHECK(told.empty());
    CHECK(host.orders() == 0);
  }
  const auto transaction = host.begin();
  const auto item = engine.with(*transaction).create(shop, {.workflow = "TRIAGE", .title = "an order"});
  REQUIRE(item);
  host.psql.execute("COMMIT");
  CHECK(told.empty());
  transaction->committed();
  CHECK(told == std::vector{item->key});
  CHECK(engine.get(shop, item->key));
  CHECK(engine.verify(shop, item->key));
  CHECK(host.orders() == 1);
}

TEST_CASE("only an open, sound transaction can be enlisted") {
  SERVER_OR_SKIP(server);
  Host host(*server);
  const auto refused = [&] {
    const auto enlisted = host.storage->enlist(host.psql.raw());
    REQUIRE(!enlisted);
    return enlisted.error();
  };
  CHECK(refused().code() == errc::invalid_argument);
  host.psql.execute("BEGIN");
  CHECK(host.psql.refused("SELECT 1/0") == "22012");
  CHECK(refused().code() == errc::invalid_argument);
  host.psql.execute("ROLLBACK");
  host.psql.execute("SET client_encoding = 'LATIN1'");
  host.psql.execute("BEGIN");
  CHECK(refused().code() == errc::invalid_argument);
  CHECK(!host.storage->enlist(nullptr));
}
