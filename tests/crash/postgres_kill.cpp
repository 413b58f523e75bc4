// Kills processes that hammer a PostgreSQL schema, and the server under them, at random moments, and compares the
// schema with what they reported.
//
// Usage: openindex_postgres_kill [--kills N] [--seed S]
//
// Two processes share a schema on a server that this program starts. About half of the kills end a process with -9, the
// others the server as `pg_ctl stop -m immediate` does; it is started again, and every process has to go on by itself,
// with no call failed. After the processes are dead: nothing that was acknowledged is missing, nothing is half there,
// every audit chain verifies, and so do the server's indexes. The server runs without fsync: what a power cut leaves is
// PostgreSQL's business.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <openindex/adapters/postgres_storage.hpp>

#include "crash/hammers.hpp"
#include "crash/kills.hpp"
#include "postgres/postgres_server.hpp"

namespace openindex::crash {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int processes_count = 2;

Result<std::unique_ptr<Storage>> open_patiently(const std::string& conninfo, const std::string& schema) {
  PostgresOptions options;
  options.conninfo = conninfo;
  options.schema = schema;
  options.connection_wait = std::chrono::minutes(1);
  auto storage = PostgresStorage::open(options);
  if (!storage) return storage.error();
  return std::unique_ptr<Storage>(std::move(*storage));
}

void kill_server(PostgresServer& server, Hammers& hammers) {
  server.stop_immediately();
  hammers.drain();
  server.start();
  // What was acknowledged before may be reported only now: by every thread once.
  hammers.listen_for(processes_count * threads_count + 1);
}

/// Let them hammer for random whiles, and kill one of them or the server, until they are all dead.
int hammer_and_kill(PostgresServer& server, const std::string& schema, int life, std::mt19937& random,
                    Acknowledged& acknowledged) {
  Hammers hammers(acknowledged);
  for (int i = 0; i < processes_count; ++i) {
    hammers.start({std::to_string(life) + "." + std::to_string(i), server.conninfo(), schema});
  }
  int kills = 0;
  for (; !hammers.empty(); ++kills) {
    hammers.listen(SteadyClock::now() + std::chrono::microseconds(random() % 150'000));
    random() % 2 == 0 ? kill_server(server, hammers) : hammers.kill_one();
  }
  return kills;
}

/// What a dead process has asked for last may still be on its way.
void wait_for_silence(PlainPostgres& psql) {
  while (!psql.column("SELECT 1 FROM pg_stat_activity WHERE application_name = 'openindex'").empty()) continue;
}

std::size_t check(PostgresServer& server, const std::string& schema, const Acknowledged& acknowledged) {
  PlainPostgres psql(server.conninfo());
  wait_for_silence(psql);
  const auto items = compare(*must(open_patiently(server.conninfo(), schema), "the schema opens"), acknowledged);
  psql.execute("SELECT bt_index_check(indexrelid, true) FROM pg_index WHERE indrelid = '" + schema +
               ".records'::regclass");
  return items;
}

int kill_and_compare(const KillOptions& options) {
  PostgresServer server;
  PlainPostgres(server.conninfo()).execute("CREATE EXTENSION amcheck");
  std::printf("%d kills, seed %u, in %s\n", options.kills, options.seed, server.socket_folder().c_str());
  return kill_and_compare(options, [&](int number) -> Site {
    const auto schema = "kill_" + std::to_string(number);
    return {[&server, schema](int life, std::mt19937& random, Acknowledged& acknowledged) {
              return hammer_and_kill(server, schema, life, random, acknowledged);
            },
            [&server, schema](const Acknowledged& acknowledged) { return check(server, schema, acknowledged); }};
  });
}

int run(const std::vector<std::string>& arguments, const char* program) {
  if (arguments.size() == 5 && arguments[0] == "--hammer") {
    const auto open = [&] { return open_patiently(arguments[3], arguments[4]); };
    return hammer(open, std::stoi(arguments[1]), arguments[2]);
  }
  const auto options = read_kill_options(arguments);
  if (options.kills <= 0 || !options.rest.empty()) {
    std::fprintf(stderr, "usage: %s [--kills N] [--seed S]\n", program);
    return 2;
  }
  if (PostgresServer::programs().empty()) {
    std::printf("PostgreSQL is not installed: skipped\n");
    return std::getenv("OPENINDEX_REQUIRE_POSTGRES") != nullptr ? 1 : 0;
  }
  try {
    return kill_and_compare(options);
  } catch (const std::exception& failed) {
    broken(failed.what());
  }
}

}  // namespace
}  // namespace openindex::crash

int main(int count, char** values) { return openindex::crash::run({values + 1, values + count}, values[0]); }
