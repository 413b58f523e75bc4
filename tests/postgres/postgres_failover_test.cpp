// A primary that dies, and a synchronous standby that takes its place.
#include <chrono>
#include <string>

#include "postgres/commit_load.hpp"
#include "postgres/postgres_fixture.hpp"

using namespace openindex;

TEST_CASE("a failover to a synchronous standby loses nothing that was acknowledged, and work resumes within 5 s") {
  if (shared_server() == nullptr) return;
  PostgresServer primary;
  PostgresServer standby(primary, {});
  {
    PlainPostgres psql(primary.conninfo());
    psql.execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
    psql.execute("SELECT pg_reload_conf()");
    while (psql.column("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").empty()) {
    }
  }
  PostgresOptions options;
  options.conninfo = "host=" + primary.socket_folder().string() + "," + standby.socket_folder().string() +
                     " user=openindex dbname=postgres target_session_attrs=read-write";
  options.connection_wait = Duration(30'000);
  const auto storage = open_postgres(options);
  CommitLoad load(*storage, 6);
  load.wait_for_more(300);
  primary.kill();
  standby.run({"pg_ctl", "promote", "-w", "-D", standby.data().string()});
  const auto promoted = std::chrono::steady_clock::now();
  REQUIRE(load.wait_for_more(1, std::chrono::seconds(5)));
  const std::chrono::duration<double> pause = std::chrono::steady_clock::now() - promoted;
  MESSAGE("the first commit came " << pause.count() << " s after the promotion");
  load.wait_for_more(300);
  load.stop();

  PlainPostgres psql(standby.conninfo());
  const auto states = names_in(psql, "state");
  CHECK(states == names_in(psql, "audit"));
  CHECK(load.missing_from(states) == 0);
}
