// PostgreSQL: claims from a queue of a million items beside claims from a short one, on the same server.
#include <memory>
#include <string>

#include "bench/figures.hpp"
#include "bench/million.hpp"
#include "bench/postgres_desk.hpp"

namespace openindex::bench {
namespace {

const std::string long_queue_schema = "a_million";
const std::string short_queue_schema = "a_thousand";

double rate(const PostgresServer& server, const std::string& schema) {
  std::size_t count = 0;
  Stopwatch watch;
  while (watch.wants_more()) {
    tidy(server, schema);
    OpenPostgres open(server, schema);
    count += claim_some(open.engine, {}, claims_per_pass, watch);
  }
  return static_cast<double>(count) / watch.seconds();
}

Rounds claims(const Place& place) {
  // Nothing tidies up in the background while claims are timed.
  const std::shared_ptr<PostgresServer> server = start_postgres(place, {"autovacuum=off", "max_wal_size=4GB"});
  fill_schema(*server, long_queue_schema, million);
  fill_schema(*server, short_queue_schema, short_queue);
  return {.value = [server] { return rate(*server, long_queue_schema); },
          .baseline = [server] { return rate(*server, short_queue_schema); }};
}

}  // namespace

std::vector<Figure> postgres_million_figures() {
  return {{.name = "postgres.claim.items_1m", .unit = "per second", .on_disk = true, .big = true, .prepare = claims}};
}

}  // namespace openindex::bench
