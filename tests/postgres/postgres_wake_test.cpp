// Who waits for a change is woken by every commit, and by nothing else that can be helped.
#include <atomic>
#include <string>
#include <thread>

#include "postgres/cutting_proxy.hpp"
#include "postgres/postgres_fixture.hpp"
#include "storage/test_records.hpp"

using namespace openindex;

TEST_CASE("a commit in one PostgreSQL storage wakes who waits in another") {
  SERVER_OR_SKIP(server);
  for (const bool notifications : {true, false}) {
    auto options = server->options(new_schema());
    options.notifications = notifications;
    const auto one = open_postgres(options);
    const auto other = open_postgres(options);
    auto seen = one->wait_for_change({}).value().sequence;
    for (int round = 0; round < 3; ++round) {
      std::thread writer([&] { (void)commit_one(*other, test_put("a")); });
      const auto woken = one->wait_for_change({.seen = seen, .timeout = std::chrono::hours(1)});
      writer.join();
      REQUIRE(woken);
      CHECK(woken->sequence != seen);
      seen = woken->sequence;
    }
  }
}

TEST_CASE("a change in PostgreSQL that was waited for is not news again") {
  SERVER_OR_SKIP(server);
  const auto storage = open_postgres(server->options(new_schema()));
  auto seen = storage->wait_for_change({}).value().sequence;
  for (int round = 0; round < 5; ++round) {
    std::thread writer([&] { (void)commit_one(*storage, test_put("a")); });
    seen = storage->wait_for_change({.seen = seen, .timeout = std::chrono::hours(1)}).value().sequence;
    writer.join();
    CHECK(storage->wait_for_change({.seen = seen, .timeout = Duration(1)}).value().sequence == seen);
  }
}

TEST_CASE("a commit that PostgreSQL has counted and we have not been told of is no news before it is told") {
  SERVER_OR_SKIP(server);
  std::atomic<int> looks = 0;
  std::atomic<bool> is_counted = false;
  CuttingProxy proxy(*server, [&](std::string_view bytes) {
    // The third look gets no answer before the commit does: then nothing depends on how quick this test is.
    const bool is_look = bytes.find("last_value") != std::string_view::npos;
    if (is_look && ++looks == 3) return CuttingProxy::Action::answer_late;
    if (bytes.find(std::string_view("COMMIT\0", 7)) == std::string_view::npos || is_counted.exchange(true)) {
      return CuttingProxy::Action::forward;
    }
    return CuttingProxy::Action::answer_late;
  });
  auto options = server->options(new_schema());
  options.notifications = false;
  const auto direct = open_postgres(options);
  options.conninfo = proxy.conninfo();
  const auto storage = open_postgres(options);
  const auto seen = storage->wait_for_change({}).value().sequence;
  std::thread writer([&] { (void)commit_one(*storage, test_put("a")); });
  PlainPostgres psql(server->conninfo());
  while (psql.column("SELECT 1 FROM " + options.schema + ".changes WHERE is_called").empty()) {
  }
  std::atomic<bool> is_woken = false;
  std::thread reader([&] {
    (void)storage->wait_for_change({.seen = seen, .timeout = std::chrono::hours(1)});
    is_woken = true;
  });
  looks = 0;
  while (looks < 3 && !is_woken) {  // when a look begins, the one before it has been judged
  }
  CHECK(!is_woken);

  proxy.let_answers_through();
  writer.join();
  reader.join();
  const auto after = storage->wait_for_change({}).value().sequence;
  looks = 0;
  std::thread other([&] {
    CHECK(storage->wait_for_change({.seen = after, .timeout = std::chrono::hours(1)}).value().sequence == after + 1);
  });
  while (looks < 3) {
  }
  CHECK(commit_one(*direct, test_put("b")).has_value());
  other.join();
}
