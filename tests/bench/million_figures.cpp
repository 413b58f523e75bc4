// What a million waiting items cost: claims from a long queue beside claims from a short one, and opening the database.
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <openindex/agent_queue.hpp>

#include "bench/desk.hpp"
#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/million.hpp"

namespace openindex::bench {
namespace {

AgentSession claim_one(AgentQueue& queue) {
  auto claimed = queue.claim_next(agent()).value();
  if (!claimed) throw std::logic_error("the queue is empty");
  return std::move(*claimed);
}

double long_rate(const std::filesystem::path& file, const QueueFilter& filter) {
  OpenDesk open(file);
  Stopwatch watch;
  const auto count = claim_some(open.engine, filter, million, watch);
  return static_cast<double>(count) / watch.seconds();
}

double short_rate(const std::filesystem::path& file, const QueueFilter& filter) {
  const auto copy = std::filesystem::path(file).replace_extension(".copy.db");
  std::size_t count = 0;
  Stopwatch watch;
  while (watch.wants_more()) {
    copy_durably(file, copy);
    {
      OpenDesk open(copy);
      count += claim_some(open.engine, filter, claims_per_pass, watch);
    }
    remove_database(copy);
  }
  return static_cast<double>(count) / watch.seconds();
}

Rounds claims(const Place& place, const char* stage) {
  const QueueFilter filter{.stage = stage};
  const auto big = million_items(place.folder);
  const auto small = place.folder / (std::string("short-") + stage + ".db");
  const bool in_review = filter.stage == "review";
  make_items(small, in_review ? 0 : short_queue, in_review ? short_queue : 0);
  return {.value = [=] { return long_rate(big, filter); }, .baseline = [=] { return short_rate(small, filter); }};
}

/// From nothing to the first claim, in milliseconds.
double reopen(const std::filesystem::path& file) {
  const auto start = std::chrono::steady_clock::now();
  OpenDesk open(file);
  AgentQueue queue(open.engine);
  const AgentSession claimed = claim_one(queue);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

Rounds reopenings(const Place& place) {
  const auto big = million_items(place.folder);
  const auto small = place.folder / "short.db";
  make_items(small, short_queue, 0);
  return {.value = [=] { return reopen(big); }, .baseline = [=] { return reopen(small); }};
}

/// A process with an open database and engine in which nothing is due and nobody waits.
std::vector<Reading> idleness(const Place& place) {
  OpenDesk open(million_items(place.folder));
  AgentQueue queue(open.engine);
  { const AgentSession given_back = claim_one(queue); }
  rusage before{};
  rusage after{};
  getrusage(RUSAGE_SELF, &before);
  std::this_thread::sleep_for(std::chrono::duration<double>(place.seconds.value_or(5)));
  getrusage(RUSAGE_SELF, &after);
  const auto micros = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  const auto cpu = [&](const rusage& use) { return micros(use.ru_utime) + micros(use.ru_stime); };
  const double own = 1;  // the sleep above
  const auto wakeups = static_cast<double>(after.ru_nvcsw - before.ru_nvcsw) - own;
  const double used = cpu(after) - cpu(before);
  return {{"sqlite.idle_wakeups", "wake-ups", {wakeups, wakeups, wakeups, {}}},
          {"sqlite.idle_cpu", "us", {used, used, used, {}}}};
}

}  // namespace

std::vector<Figure> million_figures() {
  return {{.name = "sqlite.claim.items_1m",
           .unit = "per second",
           .on_disk = true,
           .big = true,
           .prepare = [](const Place& place) { return claims(place, ""); }},
          {.name = "sqlite.claim.items_1m_filtered",
           .unit = "per second",
           .on_disk = true,
           .big = true,
           .prepare = [](const Place& place) { return claims(place, "review"); }},
          {.name = "sqlite.reopen_1m", .unit = "ms", .on_disk = true, .big = true, .prepare = reopenings},
          {.name = "sqlite.idle_wakeups", .on_disk = true, .big = true, .read = idleness}};
}

}  // namespace openindex::bench
