// Servers and clients that end, and connections that they take with them.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <string>

#include "postgres/commit_load.hpp"
#include "postgres/cutting_proxy.hpp"
#include "postgres/postgres_fixture.hpp"
#include "storage/test_records.hpp"

using namespace openindex;

TEST_CASE("a server that is killed under load loses nothing that was acknowledged, and work resumes by itself") {
  if (shared_server() == nullptr) return;
  PostgresServer server;
  auto options = server.options("openindex");
  options.connection_wait = Duration(20'000);
  const auto storage = open_postgres(options);
  CommitLoad load(*storage, 6);
  for (int kills = 0; kills < 4; ++kills) {
    load.wait_for_more(200);
    server.stop_immediately();
    server.start();
  }
  load.wait_for_more(200);
  load.stop();

  PlainPostgres psql(server.conninfo());
  const auto states = names_in(psql, "state");
  CHECK(states == names_in(psql, "audit"));
  CHECK(load.missing_from(states) == 0);
}

TEST_CASE("a client that is killed under load loses nothing that was acknowledged, and leaves no half of anything") {
  SERVER_OR_SKIP(server);
  const auto options = server->options("killed");
  int next = 0;
  std::set<std::string> acknowledged;
  for (int kills = 0; kills < 10; ++kills) {
    int reports[2];
    REQUIRE(pipe(reports) == 0);
    const auto child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const auto storage = PostgresStorage::open(options);
      for (int number = next; storage; ++number) {
        auto changes = test_put("state/" + std::to_string(number));
        changes.appends = {{test_record("audit/" + std::to_string(number)), "{}", {}}};
        if (commit_one(**storage, changes)) (void)!write(reports[1], &number, sizeof number);
      }
      _exit(1);
    }
    close(reports[1]);
    int number = 0;
    for (int i = 0; i < 20 + kills; ++i) {
      REQUIRE(read(reports[0], &number, sizeof number) == sizeof number);
      acknowledged.insert(std::to_string(number));
    }
    kill(child, SIGKILL);
    while (read(reports[0], &number, sizeof number) == sizeof number) acknowledged.insert(std::to_string(number));
    close(reports[0]);
    waitpid(child, nullptr, 0);
    next = number + 2;  // behind one that may have landed without being acknowledged
  }
  PlainPostgres psql(server->conninfo());
  const auto states = names_in(psql, "state", "killed");
  CHECK(states == names_in(psql, "audit", "killed"));
  for (const auto& name : acknowledged) CHECK(states.count(name) == 1);
}

TEST_CASE("a server that is away is a coded error, and work resumes by itself") {
  if (shared_server() == nullptr) return;
  PostgresServer server;
  auto options = server.options("openindex");
  options.connection_wait = Duration(20);
  const auto storage = open_postgres(options);
  REQUIRE(commit_one(*storage, test_put("a")).has_value());
  const auto seen = storage->wait_for_change({}).value().sequence;
  server.stop_fast();
  const auto refused = commit_one(*storage, test_put("b"));
  REQUIRE(!refused);
  CHECK(refused.error().code() == errc::storage_failed);
  const auto id = test_record("a");
  REQUIRE(!storage->get({&id, 1}));
  CHECK(storage->wait_for_change({.seen = seen, .timeout = Duration(1)}).has_value());
  server.start();
  while (!commit_one(*storage, test_put("b"))) {
  }
  CHECK(count_records(*storage) == 2);
}

TEST_CASE("a server without room for more connections is busy") {
  SERVER_OR_SKIP(server);
  PlainPostgres psql(server->conninfo());
  psql.execute("CREATE ROLE narrow LOGIN CONNECTION LIMIT 1");
  psql.execute("GRANT CREATE ON DATABASE postgres TO narrow");
  auto options = server->options(new_schema());
  options.conninfo += " user=narrow";
  options.connection_wait = Duration(30);
  {
    const PlainPostgres occupant(options.conninfo);
    const auto refused = PostgresStorage::open(options);
    REQUIRE(!refused);
    CHECK(refused.error().code() == errc::storage_busy);
  }
  options.connection_wait = Duration(5'000);
  const auto storage = open_postgres(options);
  CHECK(commit_one(*storage, test_put("a")).has_value());
}

TEST_CASE("a connection that the server ends is replaced without anybody noticing") {
  SERVER_OR_SKIP(server);
  const auto storage = open_postgres(server->options(new_schema()));
  REQUIRE(commit_one(*storage, test_put("a")).has_value());
  PlainPostgres psql(server->conninfo());
  for (int round = 0; round < 10; ++round) {
    psql.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'openindex'");
    CHECK(commit_one(*storage, test_put("b")).has_value());
    psql.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'openindex'");
    CHECK(count_records(*storage) == 2);
  }
}

TEST_CASE("a server that takes one connection after the other keeps nobody from opening, reading and committing") {
  SERVER_OR_SKIP(server);
  constexpr int cuts = 7;
  std::atomic<int> left = 0;
  const CuttingProxy proxy(*server, [&](std::string_view bytes) {
    const bool connects = bytes.find("application_name") != std::string_view::npos;
    return !connects && left > 0 && left-- > 0 ? CuttingProxy::Action::cut_before : CuttingProxy::Action::forward;
  });
  auto options = server->options(new_schema());
  options.conninfo = proxy.conninfo();
  options.prepared_statements = false;
  left = cuts;
  const auto storage = open_postgres(options);
  CHECK(left == 0);
  left = cuts;
  CHECK(commit_one(*storage, test_put("a")).has_value());
  CHECK(left == 0);
  left = cuts;
  CHECK(count_records(*storage) == 1);
  CHECK(left == 0);
}
