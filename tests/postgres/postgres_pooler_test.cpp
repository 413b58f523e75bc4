// Through PgBouncer in transaction mode: each transaction may run on another connection of the server.
#include <poll.h>
#include <signal.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "postgres/postgres_fixture.hpp"
#include "storage/run_contract.hpp"
#include "storage/test_records.hpp"

using namespace openindex;

namespace {

constexpr const char* pooler_program = "/usr/sbin/pgbouncer";

class Pooler {
 public:
  explicit Pooler(const PostgresServer& server) {
    const auto path = folder_.path().string();
    std::ofstream(folder_.path() / "users.txt") << "\"openindex\" \"\"\n";
    std::ofstream(folder_.path() / "pooler.ini")
        << "[databases]\n* = host=" << server.socket_folder().string() << " port=5432\n[pgbouncer]\nlisten_addr =\n"
        << "unix_socket_dir = " << path << "\nauth_type = trust\nauth_file = " << path << "/users.txt\n"
        << "pool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 200\n";
    process_ = std::make_unique<ServerProcess>(std::vector<std::string>{pooler_program, path + "/pooler.ini"},
                                               folder_.path() / "pooler.log");
    while (PQping(conninfo().c_str()) != PQPING_OK) {
      REQUIRE_MESSAGE(!process_->has_ended(), "PgBouncer does not start: see " << path);
      poll(nullptr, 0, 5);
    }
  }
  ~Pooler() { process_->end(SIGTERM); }

  [[nodiscard]] std::string conninfo() const {
    return "host=" + folder_.path().string() + " port=6432 user=openindex dbname=postgres";
  }

 private:
  ServerFolder folder_;
  std::unique_ptr<ServerProcess> process_;
};

bool pooler_is_missing() {
  if (std::filesystem::exists(pooler_program)) return false;
  if (std::getenv("OPENINDEX_REQUIRE_POSTGRES") != nullptr) FAIL("PgBouncer is not installed");
  std::cout << "PgBouncer is not installed: skipped\n";
  return true;
}

PostgresOptions through(const Pooler& pooler, const PostgresServer& server) {
  auto options = server.options(new_schema());
  options.listen_conninfo = options.conninfo;
  options.conninfo = pooler.conninfo();
  options.prepared_statements = false;
  return options;
}

}  // namespace

TEST_CASE("PostgreSQL storage keeps the storage contract through PgBouncer in transaction mode") {
  SERVER_OR_SKIP(server);
  if (pooler_is_missing()) return;
  static std::unique_ptr<Pooler> pooler;
  if (!pooler) pooler = std::make_unique<Pooler>(*server);
  run_contract({.make = [&] { return open_postgres(through(*pooler, *server)); }, .rows_count = few_rows});
}

TEST_CASE("NOTIFY goes through PgBouncer, and LISTEN beside it") {
  SERVER_OR_SKIP(server);
  if (pooler_is_missing()) return;
  const Pooler pooler(*server);
  const auto options = through(pooler, *server);
  const auto one = open_postgres(options);
  const auto other = open_postgres(options);
  const auto seen = one->wait_for_change({}).value().sequence;
  std::thread writer([&] { CHECK(commit_one(*other, test_put("a")).has_value()); });
  CHECK(one->wait_for_change({.seen = seen, .timeout = std::chrono::hours(1)}).value().sequence != seen);
  writer.join();
}

TEST_CASE("prepared statements that a pooler does not carry are named in the error") {
  SERVER_OR_SKIP(server);
  if (pooler_is_missing()) return;
  const Pooler pooler(*server);
  auto options = through(pooler, *server);
  options.prepared_statements = true;
  bool named = false;
  for (int i = 0; i < 20 && !named; ++i) {
    const auto storage = PostgresStorage::open(options);
    const auto done = storage ? commit_one(**storage, test_put("a")) : Result<CommitReceipt>(storage.error());
    named = !done && done.error().describe().find("prepared_statements") != std::string::npos;
  }
  CHECK(named);
}
