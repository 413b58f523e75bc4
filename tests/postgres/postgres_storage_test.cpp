#include <openindex/adapters/postgres_storage.hpp>

#include <atomic>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "adapters/postgres/rows.hpp"
#include "postgres/postgres_fixture.hpp"
#include "storage/run_contract.hpp"
#include "storage/test_records.hpp"

using namespace openindex;

namespace {

template <class Work>
void run_in_threads(int count, Work work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
}

Record read(Storage& storage, const std::string& key) {
  const auto id = test_record(key);
  const auto found = storage.get({&id, 1});
  REQUIRE(found);
  REQUIRE(found->front());
  return *found->front();
}

}  // namespace

TEST_CASE("reads that are asked together answer each caller with its own records, and with none where there is none") {
  SERVER_OR_SKIP(server);
  const auto storage = open_postgres(server->options(new_schema()));
  constexpr int callers = 12, rounds = 40;
  ChangeSet changes;
  changes.id = "com_1";
  const auto key = [](int caller, int record) {
    return (caller % 3 == 0 ? "B-" : "A-") + std::to_string(caller) + "-" + std::to_string(record);
  };
  for (int caller = 0; caller < callers; ++caller) {
    for (int record = 0; record < 3; ++record) {
      changes.puts.push_back({test_record(key(caller, record)), "body of " + key(caller, record), {}});
    }
  }
  REQUIRE(storage->commit({&changes, 1}).front());
  std::atomic<int> right = 0;
  run_in_threads(callers, [&](int caller) {
    for (int round = 0; round < rounds; ++round) {
      const std::vector<RecordId> ids = {test_record(key(caller, 0)), test_record(key(caller, 9)),
                                         test_record(key(caller, round % 3))};
      const auto found = storage->get_bodies(ids);
      const auto has = [&](std::size_t at) {
        const auto& one = (*found)[at];
        return one && one->id == ids[at] && one->version == 1 && one->body == "body of " + ids[at].key;
      };
      right += found && found->size() == 3 && has(0) && !(*found)[1] && has(2) ? 1 : 0;
    }
  });
  CHECK(right == callers * rounds);
}

TEST_CASE("PostgreSQL storage keeps the storage contract") {
  SERVER_OR_SKIP(server);
  run_contract([&] { return open_postgres(server->options(new_schema())); });
}

TEST_CASE("PostgreSQL storage keeps the storage contract without prepared statements and notifications") {
  SERVER_OR_SKIP(server);
  run_contract({.make =
                    [&] {
                      auto options = server->options(new_schema());
                      options.prepared_statements = false;
                      options.notifications = false;
                      return open_postgres(options);
                    },
                .rows_count = few_rows});
}

TEST_CASE("PostgreSQL storage keeps the storage contract on one connection") {
  SERVER_OR_SKIP(server);
  run_contract({.make =
                    [&] {
                      auto options = server->options(new_schema());
                      options.connections_max = 1;
                      return open_postgres(options);
                    },
                .rows_count = few_rows});
}

TEST_CASE("a server compiles no walk, however little it knows of the table") {
  if (shared_server() == nullptr) return;
  PostgresServer server({"session_preload_libraries=auto_explain", "auto_explain.log_min_duration=0",
                         "auto_explain.log_analyze=on", "log_min_messages=log"});
  const auto storage = open_postgres(server.options("walks"));
  REQUIRE(storage->scan({.index = Index::items, .prefix = {"OPS", 7, 0}, .limit_count = 10}).has_value());
  std::ifstream file(server.socket_folder() / "server.log");
  const std::string log{std::istreambuf_iterator<char>(file), {}};
  CHECK(log.find("Sort Key: items_workflow") != std::string::npos);
  CHECK(log.find("JIT:") == std::string::npos);
}

TEST_CASE("an operator reads the PostgreSQL tables with psql") {
  SERVER_OR_SKIP(server);
  const auto storage = open_postgres(server->options("work"));
  const IndexEntry entry{Index::items,
                         {"OPS", 7, 0, "TRIAGE", "new", "", "", "", "", "task", 2, "", "", "", "none", 0}};
  CHECK(commit_one(*storage, test_put("OPS-7", R"({"title":"crash"})", {entry})).has_value());
  PlainPostgres psql(server->conninfo());
  CHECK(psql.column("SELECT body::json ->> 'title' FROM work.records WHERE items_domain = 'OPS'") ==
        std::vector<std::string>{"crash"});
  CHECK(psql.column("SELECT domain FROM work.records WHERE kind = 'host.test'") == std::vector<std::string>{"OPS"});
}

TEST_CASE("an item's runs and the counter of its domain are kept with the item") {
  SERVER_OR_SKIP(server);
  const auto options = server->options(new_schema());
  const auto storage = open_postgres(options);
  for (const char* key : {"OPS-12", "OPS-12/00000003", "run_OPS-12_0001", "run_OPS-12_0001/0001", "item/OPS"}) {
    REQUIRE(commit_one(*storage, test_put(key)).has_value());
  }
  PlainPostgres psql(server->conninfo());
  CHECK(psql.column("SELECT DISTINCT domain FROM " + options.schema + ".records") == std::vector<std::string>{"OPS"});
}

TEST_CASE("a wait for a lock that is longer than PostgreSQL can count is as long as it can count") {
  SERVER_OR_SKIP(server);
  auto options = server->options(new_schema());
  options.lock_wait = std::chrono::hours(10'000);
  CHECK(commit_one(*open_postgres(options), test_put("a")).has_value());
}

TEST_CASE("two schemas on one session do not share prepared statements") {
  const postgres::Statements one("one", true, true);
  const postgres::Statements other("other", true, true);
  CHECK(one.read.name != other.read.name);
  CHECK(one.read.name == postgres::Statements("one", true, true).read.name);
}

TEST_CASE("bodies are text exactly as written, and bytes where text cannot hold them") {
  SERVER_OR_SKIP(server);
  const auto storage = open_postgres(server->options("bodies"));
  const std::string json = "{\"b\": 1,  \"a\": \"\\u0000 \xf0\x9f\x98\x80\"}";
  CHECK(commit_one(*storage, test_put("json", json)).has_value());
  CHECK(commit_one(*storage, test_put("nul", std::string("a\0b", 3))).has_value());
  CHECK(commit_one(*storage, test_put("bytes", "\xff")).has_value());
  CHECK(read(*storage, "json").body == json);
  PlainPostgres psql(server->conninfo());
  CHECK(psql.column("SELECT body FROM bodies.records WHERE key = 'json'") == std::vector{json});
  CHECK(psql.column("SELECT key FROM bodies.records WHERE body IS NULL AND body_bytes IS NOT NULL ORDER BY key") ==
        std::vector<std::string>{"bytes", "nul"});
  CHECK(commit_one(*storage, test_put("nul", "text again")).has_value());
  CHECK(read(*storage, "nul").body == "text again");
}

TEST_CASE("two PostgreSQL storages respect each other's versions") {
  SERVER_OR_SKIP(server);
  const auto schema = new_schema();
  const auto one = open_postgres(server->options(schema));
  const auto other = open_postgres(server->options(schema));
  CHECK(commit_one(*one, test_put("a")).has_value());
  auto changes = test_put("a");
  changes.expectations = {{test_record("a"), 1}};
  CHECK(commit_one(*other, changes).has_value());
  const auto late = commit_one(*one, changes);
  REQUIRE(!late);
  CHECK(late.error().code() == errc::conflict);
  CHECK(late.error().context("found") == "2");
}

TEST_CASE("of two storages that append one record at once, one is told of a conflict") {
  SERVER_OR_SKIP(server);
  constexpr int rounds = 40;
  const auto schema = new_schema();
  const std::vector storages = {open_postgres(server->options(schema)).release(),
                                open_postgres(server->options(schema)).release()};
  for (int round = 0; round < rounds; ++round) {
    std::atomic<int> landed = 0;
    std::atomic<int> conflicts = 0;
    run_in_threads(2, [&](int thread) {
      auto changes = test_put("by " + std::to_string(thread) + "/" + std::to_string(round));
      changes.appends = {{test_record("entry" + std::to_string(round)), std::to_string(thread), {}}};
      const auto done = commit_one(*storages[static_cast<std::size_t>(thread)], changes);
      landed += done ? 1 : 0;
      conflicts += !done && done.error().code() == errc::conflict ? 1 : 0;
    });
    CHECK(landed == 1);
    CHECK(conflicts == 1);
  }
  CHECK(count_records(*storages[0]) == 2 * rounds);
  for (const auto* storage : storages) delete storage;
}

TEST_CASE("two storages that each rely on the other's record being absent do not both go through") {
  SERVER_OR_SKIP(server);
  const auto schema = new_schema();
  const auto one = open_postgres(server->options(schema));
  const auto other = open_postgres(server->options(schema));
  for (int round = 0; round < 40; ++round) {
    const auto left = "left" + std::to_string(round);
    const auto right = "right" + std::to_string(round);
    std::atomic<int> landed = 0;
    run_in_threads(2, [&](int thread) {
      auto changes = test_put(thread == 0 ? left : right);
      changes.expectations = {{test_record(thread == 0 ? right : left), 0}};
      landed += commit_one(thread == 0 ? *one : *other, changes) ? 1 : 0;
    });
    CHECK(landed == 1);
  }
  CHECK(count_records(*one) == 40);
}

TEST_CASE("four storages that increment one counter lose nothing") {
  SERVER_OR_SKIP(server);
  const auto schema = new_schema();
  std::vector<std::unique_ptr<PostgresStorage>> storages;
  for (int i = 0; i < 4; ++i) storages.push_back(open_postgres(server->options(schema)));
  REQUIRE(commit_one(*storages[0], test_put("counter", "0")).has_value());
  std::atomic<int> failures = 0;
  run_in_threads(8, [&](int thread) {
    auto& storage = *storages[static_cast<std::size_t>(thread) % storages.size()];
    const auto id = test_record("counter");
    for (int left = 20; left > 0;) {
      const auto found = storage.get({&id, 1});
      if (!found || !found->front()) return void(++failures);
      auto changes = test_put("counter", std::to_string(std::stoi(found->front()->body) + 1));
      changes.expectations = {{id, found->front()->version}};
      const auto done = commit_one(storage, changes);
      if (done) --left;
      if (!done && done.error().code() != errc::conflict) return void(++failures);
    }
  });
  CHECK(failures == 0);
  CHECK(read(*storages[1], "counter").body == "160");
}

TEST_CASE("storages that write the same records in another order do not wait for each other for ever") {
  SERVER_OR_SKIP(server);
  const auto schema = new_schema();
  const auto one = open_postgres(server->options(schema));
  const auto other = open_postgres(server->options(schema));
  std::atomic<int> failures = 0;
  run_in_threads(4, [&](int thread) {
    for (int round = 0; round < 25; ++round) {
      ChangeSet changes;
      changes.id = "commit_1";
      for (int i = 0; i < 10; ++i) {
        const auto number = std::to_string(thread % 2 == 0 ? i : 9 - i);
        changes.puts.push_back({test_record("D" + number + "-1"), std::to_string(round), {}});
      }
      failures += commit_one(thread < 2 ? *one : *other, changes) ? 0 : 1;
    }
  });
  CHECK(failures == 0);
  CHECK(read(*one, "D0-1").version == 100);
}

TEST_CASE("a change set that PostgreSQL refuses halfway leaves nothing behind and costs its neighbours nothing") {
  SERVER_OR_SKIP(server);
  const auto storage = open_postgres(server->options("half"));
  PlainPostgres(server->conninfo())
      .execute(
          "CREATE FUNCTION half.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
          "IF NEW.key = 'bad' THEN RAISE 'refused'; END IF; "
          "IF NEW.key = 'full' THEN RAISE 'no room' USING ERRCODE = '53100'; END IF; RETURN NEW; END $$;"
          "CREATE TRIGGER refuse BEFORE INSERT ON half.records FOR EACH ROW EXECUTE FUNCTION half.refuse()");
  std::vector<ChangeSet> sets = {test_put("a"), test_put("half"), test_put("b"), test_put("full")};
  sets[1].puts.push_back({test_record("bad"), "{}", {}});
  const auto results = storage->commit(sets);
  CHECK(results[0].has_value());
  REQUIRE(!results[1]);
  CHECK(results[1].error().code() == errc::storage_failed);
  CHECK(results[1].error().context("postgres") == "refused");
  CHECK(results[2].has_value());
  REQUIRE(!results[3]);
  CHECK(results[3].error().code() == errc::storage_full);
  CHECK(count_records(*storage) == 2);
}

TEST_CASE("commits of sixteen threads to PostgreSQL all land, and conflicts cost their neighbours nothing") {
  SERVER_OR_SKIP(server);
  const auto storage = open_postgres(server->options(new_schema()));
  std::atomic<int> landed = 0;
  std::atomic<int> conflicts = 0;
  run_in_threads(16, [&](int thread) {
    for (int i = 0; i < 20; ++i) {
      auto changes = test_put(std::to_string(thread) + "/" + std::to_string(i));
      if (thread % 4 == 0) changes.expectations = {{test_record("absent"), 1}};
      const auto done = commit_one(*storage, changes);
      landed += done ? 1 : 0;
      conflicts += !done && done.error().code() == errc::conflict ? 1 : 0;
    }
  });
  CHECK(landed == 240);
  CHECK(conflicts == 80);
  CHECK(count_records(*storage) == 240);
}

TEST_CASE("a commit of many large bodies goes through whole") {
  SERVER_OR_SKIP(server);
  const auto storage = open_postgres(server->options(new_schema()));
  ChangeSet changes;
  changes.id = "commit_1";
  for (int i = 0; i < 12; ++i) {
    changes.puts.push_back({test_record("big/" + std::to_string(i)), std::string(std::size_t{4} << 20, 'x'), {}});
  }
  CHECK(commit_one(*storage, changes).has_value());
  CHECK(count_records(*storage) == 12);
}
