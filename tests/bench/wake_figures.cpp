// Waking across processes: how long after a commit a sleeper in another process goes on, beside a bare pipe.
#include <functional>
#include <memory>
#include <vector>

#include <openindex/adapters/sqlite_storage.hpp>
#include <openindex/agent_queue.hpp>

#include "bench/disk.hpp"
#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/postgres_desk.hpp"
#include "bench/sleeper.hpp"
#include "engine/hooked_storage.hpp"

namespace openindex::bench {
namespace {

using std::chrono::microseconds;

constexpr std::uint64_t wakes_per_round = 1000;

SqliteOptions options_of(const Place& place) {
  // No sync: how long the disk takes for one is disk.fdatasync.
  return {.path = place.folder / "wake.db", .synchronous = SqliteOptions::Synchronous::normal};
}

double sqlite_wake(const Place& place) {
  double median = 0;
  {
    Sleeper sleeper(wakes_per_round, [&](const auto& about_to_sleep) {
      const std::shared_ptr<SqliteStorage> storage = SqliteStorage::open(options_of(place)).value();
      return [storage, about_to_sleep, seen = std::uint64_t{0}]() mutable {
        if (seen == 0) seen = storage->wait_for_change({}).value().sequence;
        about_to_sleep();
        const auto before = seen;
        while (seen == before) {
          seen = storage->wait_for_change({.seen = before, .timeout = std::chrono::hours(1)}).value().sequence;
        }
      };
    });
    const auto storage = SqliteStorage::open(options_of(place)).value();
    ChangeSet changes;
    changes.id = "commit_1";
    changes.puts = {{{"host.bench", "news"}, "{}", {}}};
    const auto wake = [&] {
      const auto before = Sleeper::Clock::now();
      require(storage->commit({&changes, 1}).at(0));
      return before;
    };
    median = sleeper.median_us(wake, [](std::uint64_t) { return microseconds(300); });
  }
  remove_database(options_of(place).path);
  return median;
}

/// An agent's process, or that of whoever has work for it.
struct Party {
  explicit Party(const PostgresOptions& options) : storage(PostgresStorage::open(options).value()) {}

  std::unique_ptr<PostgresStorage> storage;
  tests::HookedStorage hooked{*storage};
  WorkflowEngine engine{{.storage = hooked}};
  AgentQueue queue{engine};
  std::vector<AgentSession> claimed = {};
};

/// Take what there is, then wait for more.
void wait_for_work(Party& party) {
  while (auto session = party.queue.claim_next(agent()).value()) party.claimed.push_back(std::move(*session));
  require(party.queue.wait_available(agent(), {}, std::chrono::hours(1)));
}

double postgres_wake(const PostgresOptions& options, std::uint64_t wakes,
                     const std::function<microseconds(std::uint64_t)>& pause) {
  Sleeper sleeper(wakes, [&](const auto& about_to_sleep) {
    const auto party = std::make_shared<Party>(options);
    party->hooked.on_sleep = [about_to_sleep](const WaitRequest&) {
      about_to_sleep();
      return std::nullopt;
    };
    return [party] { wait_for_work(*party); };
  });
  Party party(options);
  const Actor host = Actor::system("host");
  require(party.engine.save(host, helpdesk_workflow()));
  Sleeper::Clock::time_point committing{};
  party.hooked.on_commit = [&] { committing = Sleeper::Clock::now(); };
  const auto wake = [&] {
    require(party.engine.create(host, helpdesk_request()));
    return committing;
  };
  return sleeper.median_us(wake, pause);
}

PostgresOptions postgres_options(const PostgresServer& server) {
  auto options = server.options("wake");
  options.conninfo += " options='-c synchronous_commit=off'";  // no sync, as above
  return options;
}

constexpr std::uint64_t postgres_wakes = 200;
constexpr std::uint64_t polled_wakes = 20;
constexpr std::chrono::milliseconds polled_every{250};

Rounds told(const Place& place) {
  const std::shared_ptr<PostgresServer> server = start_postgres(place);
  return {.value =
              [server] {
                return postgres_wake(postgres_options(*server), postgres_wakes,
                                     [](std::uint64_t) { return std::chrono::milliseconds(2); });
              },
          .baseline = [] { return pipe_wake_us(postgres_wakes); }};
}

/// Commits come at every time between two looks alike, as they would.
Rounds polled(const Place& place) {
  const std::shared_ptr<PostgresServer> server = start_postgres(place);
  return {.value = [server] {
    auto options = postgres_options(*server);
    options.notifications = false;
    return postgres_wake(options, polled_wakes,
                         [](std::uint64_t i) { return microseconds(polled_every) * i / polled_wakes; });
  }};
}

}  // namespace

std::vector<Figure> wake_figures() {
  return {{.name = "sqlite.wake_p50_us",
           .unit = "us",
           .on_disk = true,
           .prepare =
               [](const Place& place) {
                 return Rounds{.value = [place] { return sqlite_wake(place); },
                               .baseline = [] { return pipe_wake_us(wakes_per_round); }};
               }},
          {.name = "postgres.wake_p50_us", .unit = "us", .on_disk = true, .prepare = told},
          {.name = "postgres.wake_polled_p50_us", .unit = "us", .on_disk = true, .prepare = polled}};
}

}  // namespace openindex::bench
