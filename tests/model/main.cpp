// The engine against the reference model: random commands, the same answers. tests/model/run gives a million.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include <openindex/core/error.hpp>

#include "model/trial.hpp"

namespace {

using namespace openindex;
using namespace openindex::model;

constexpr const char* usage = R"(usage: tests/model/run [--count N] [--seed S] [--steps N] [--trace]

  --count N  attempts in all, in worlds of 2,000 each; the world number i has the seed S + i
  --seed S   where to start; by default 1
  --steps N  one world only, of this many attempts: repeats what a disagreement printed
  --trace    print every attempt with both answers
)";

constexpr std::uint64_t steps_per_world = 2000;

struct Options {
  std::uint64_t count = 100'000;
  std::uint64_t seed = 1;
  std::uint64_t steps = 0;
  bool trace = false;
};

// Every refusal that `decide` documents, and those of calls with keys and of bulk calls.
constexpr errc refusals[] = {errc::status_transition_not_allowed,
                             errc::completion_status_not_terminal,
                             errc::requirements_not_acknowledged,
                             errc::checklist_incomplete,
                             errc::agent_id_required,
                             errc::required_fields_missing,
                             errc::gate_not_available,
                             errc::gate_required,
                             errc::gate_for_people,
                             errc::approver_is_worker,
                             errc::already_resolved,
                             errc::not_for_agents,
                             errc::already_claimed,
                             errc::hold_lost,
                             errc::hold_required,
                             errc::not_permitted,
                             errc::outside_run,
                             errc::unknown_field,
                             errc::invalid_field_value,
                             errc::invalid_argument,
                             errc::gate_stale,
                             errc::dependencies_unresolved,
                             errc::dependency_cycle,
                             errc::not_resolved,
                             errc::agent_stage_in_the_way,
                             errc::migration_refused,
                             errc::stage_for_runs,
                             errc::item_needed,
                             errc::not_found,
                             errc::idempotency_conflict,
                             errc::bulk_refused};

bool read_options(int count, char** arguments, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    if (option == "--trace") {
      options.trace = true;
      continue;
    }
    std::uint64_t* target = option == "--count"   ? &options.count
                            : option == "--seed"  ? &options.seed
                            : option == "--steps" ? &options.steps
                                                  : nullptr;
    if (target == nullptr || ++i == count) return false;
    char* end = nullptr;
    *target = std::strtoull(arguments[i], &end, 10);
    if (end == arguments[i] || *end != '\0') return false;
  }
  return true;
}

bool run_world(std::uint64_t seed, std::uint64_t steps, bool trace, Tally& tally) {
  Trial trial(seed);
  std::string differs;
  std::uint64_t step = 0;
  while (differs.empty() && step < steps) {
    differs = trial.step(tally);
    ++step;
    if (trace) std::printf("%llu %s\n", static_cast<unsigned long long>(step), trial.last().c_str());
  }
  if (differs.empty()) differs = trial.compare_all();
  if (differs.empty()) return true;
  std::printf("DISAGREEMENT at seed %llu, step %llu: %s\n  %s\n  again: --seed %llu --steps %llu --trace\n",
              static_cast<unsigned long long>(seed), static_cast<unsigned long long>(step), differs.c_str(),
              trial.last().c_str(), static_cast<unsigned long long>(seed), static_cast<unsigned long long>(step));
  return false;
}

// A row that is too thin proves little: the choice of commands has lost its balance.
bool print_table(const Tally& tally, std::uint64_t least, double seconds) {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  bool enough = true;
  const auto row = [&](std::string_view name, std::uint64_t first, std::uint64_t second, std::uint64_t weakest) {
    const bool thin = weakest < least;
    enough = enough && !thin;
    std::printf("%-32.*s %10llu %10llu%s\n", static_cast<int>(name.size()), name.data(),
                static_cast<unsigned long long>(first), static_cast<unsigned long long>(second),
                thin ? "  too few" : "");
  };
  std::printf("%-32s %10s %10s\n", "what", "accepted", "refused");
  for (std::size_t kind = 0; kind < kind_count; ++kind) {
    row(kind_name(kind), tally.accepted[kind], tally.refused[kind], tally.accepted[kind]);
    accepted += tally.accepted[kind];
    refused += tally.refused[kind];
  }
  row("execute_all, two or more or none", tally.whole_bulks, 0, tally.whole_bulks);
  for (const errc code : refusals) {
    const auto found = tally.codes.find(code);
    const std::uint64_t times = found == tally.codes.end() ? 0 : found->second;
    row(name(code), 0, times, times);
  }
  for (const auto& [code, times] : tally.codes) {
    if (std::find(std::begin(refusals), std::end(refusals), code) == std::end(refusals))
      row(name(code), 0, times, least);
  }
  const double share = 100.0 * static_cast<double>(accepted) / static_cast<double>(accepted + refused);
  std::printf("%llu attempts, %.1f %% accepted, %.0f a second\n", static_cast<unsigned long long>(accepted + refused),
              share, static_cast<double>(accepted + refused) / seconds);
  return enough && share >= 40.0;
}

int run(const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  Tally tally;
  if (options.steps != 0) return run_world(options.seed, options.steps, options.trace, tally) ? 0 : 1;
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  std::uint64_t seed = options.seed;
  for (std::uint64_t done = 0; done < options.count; done += steps_per_world) {
    if (!run_world(seed++, std::min(steps_per_world, options.count - done), options.trace, tally)) return 1;
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  if (print_table(tally, options.count / 1000, taken.count())) return 0;
  std::printf("Too few were accepted, or a row is too thin\n");
  return 1;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  if (!read_options(count, arguments, options)) {
    std::fputs(usage, stderr);
    return 2;
  }
  try {
    return run(options);
  } catch (const std::exception& thrown) {
    std::printf("stopped: %s\n", thrown.what());
    return 1;
  }
}
