// Claimers in several processes that take items from one queue in PostgreSQL: how often they get in each other's way.
#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <openindex/agent_queue.hpp>

#include "bench/figures.hpp"
#include "bench/postgres_desk.hpp"
#include "bench/processes.hpp"
#include "engine/hooked_storage.hpp"

namespace openindex::bench {
namespace {

using Clock = std::chrono::steady_clock;

const std::string schema = "openindex";
constexpr std::size_t item_count = 100'000;
constexpr double default_seconds = 2;
constexpr std::size_t series_count = 3;

/// As many processes as there are claimers, up to four; what is more are threads of theirs.
struct Crew {
  std::size_t processes;
  std::size_t threads;

  [[nodiscard]] std::size_t claimers() const { return processes * threads; }
};
constexpr std::array crews{Crew{1, 1}, Crew{2, 1}, Crew{4, 1}, Crew{4, 2}, Crew{4, 4}};

/// What a crew did together.
struct Haul {
  double commits = 0;
  double conflicts = 0;
  double seconds = 0;
  std::vector<double> claims = {};  ///< Of each claimer.

  [[nodiscard]] double items() const { return std::accumulate(claims.begin(), claims.end(), 0.0); }
  [[nodiscard]] double rate() const { return items() / seconds; }
};

/// Claim until the time is up or nothing is left; how many that were. What is claimed is kept.
double claim_all(AgentQueue& queue, const Actor& actor, Clock::time_point start, Clock::time_point until) {
  std::this_thread::sleep_until(start);
  double count = 0;
  while (Clock::now() < until) {
    auto session = queue.claim_next(actor).value();
    if (session) {
      ++count;
      new AgentSession(std::move(*session));  // never destroyed, which would give the item back
    } else if (queue.available(actor, {}, 1).value().items.empty()) {
      break;
    }
  }
  return count;
}

/// The life of one process: seconds of work, commits, conflicts, claims of each thread.
std::vector<double> work(const PostgresServer& server, std::size_t process, std::size_t threads,
                         Clock::time_point start, Clock::time_point until) {
  const auto storage = PostgresStorage::open(server.options(schema)).value();
  tests::HookedStorage counting(*storage);
  WorkflowEngine engine{{.storage = counting}};
  AgentQueue queue(engine);
  std::vector<double> claims(threads);
  {
    std::vector<std::jthread> claimers;
    for (std::size_t i = 0; i < threads; ++i) {
      claimers.emplace_back([&, i] {
        const Actor actor = Actor::agent("agent-" + std::to_string(process) + "-" + std::to_string(i));
        claims[i] = claim_all(queue, actor, start, until);
      });
    }
  }
  std::vector<double> told{std::chrono::duration<double>(Clock::now() - start).count(),
                           static_cast<double>(counting.commits), static_cast<double>(counting.conflicts)};
  told.insert(told.end(), claims.begin(), claims.end());
  return told;
}

Haul send(const PostgresServer& server, const Crew& crew, std::chrono::duration<double> time) {
  const auto start = Clock::now() + std::chrono::milliseconds(500);  // when all have connected
  const auto until = start + std::chrono::duration_cast<Clock::duration>(time);
  Haul haul;
  for (const auto& told : in_processes(
           crew.processes, [&](std::size_t process) { return work(server, process, crew.threads, start, until); })) {
    haul.seconds = std::max(haul.seconds, told[0]);
    haul.commits += told[1];
    haul.conflicts += told[2];
    haul.claims.insert(haul.claims.end(), told.begin() + 3, told.end());
  }
  return haul;
}

/// The rates of 16 claimers, beside those of whichever crew is the quickest.
Measured compare_crews(const PostgresServer& server, std::chrono::duration<double> time) {
  std::map<std::size_t, std::vector<double>> rates;
  for (std::size_t i = 0; i < series_count && !asked_to_stop(); ++i) {
    put_back(server, schema);
    for (const Crew& crew : crews) {
      rates[crew.claimers()].push_back(send(server, crew, time).rate());
      tidy(server, schema);
    }
  }
  double best = 0;
  for (auto& [claimers, values] : rates) {
    std::sort(values.begin(), values.end());
    best = std::max(best, values[values.size() / 2]);
    std::fprintf(stderr, "-- %zu claimers: %.0f items per second\n", claimers, values[values.size() / 2]);
  }
  const auto& all = rates[crews.back().claimers()];
  return {all[all.size() / 2], all.front(), all.back(), best};
}

std::vector<Reading> claimers(const Place& place) {
  const auto server = start_postgres(place, {"max_wal_size=4GB"});
  fill_schema(*server, schema, item_count);
  keep_copy(*server, schema);
  const auto compared = compare_crews(*server, std::chrono::duration<double>(place.seconds.value_or(default_seconds)));
  if (asked_to_stop()) return {};

  put_back(*server, schema);
  const auto haul = send(*server, crews.back(), std::chrono::hours(1));
  const auto one = [](double value) { return Measured{value, value, value, {}}; };
  const auto [least, most] = std::minmax_element(haul.claims.begin(), haul.claims.end());
  const double mean = haul.items() / static_cast<double>(haul.claims.size());
  if (haul.items() != item_count) throw std::logic_error("the claimers left items behind");
  return {{"postgres.claimers_best", "per second", compared},
          {"postgres.claimers_rate", "per second", one(haul.rate())},
          {"postgres.claimers_conflicts", "percent", one(100 * haul.conflicts / haul.commits)},
          {"postgres.claimers_least", "items", {*least, *least, *most, mean}}};
}

}  // namespace

std::vector<Figure> claimers_figures() {
  return {{.name = "postgres.claimers_conflicts",
           .also = {"postgres.claimers_best", "postgres.claimers_rate", "postgres.claimers_least"},
           .on_disk = true,
           .big = true,
           .read = claimers}};
}

}  // namespace openindex::bench
