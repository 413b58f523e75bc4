#include "crash/acknowledged.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include <openindex/workflow_engine.hpp>

#include "storage/life.hpp"

namespace openindex::crash {
namespace {

/// The item is in the status that its audit trail leads to: a step is there whole or not at all.
std::uint64_t steps_of(WorkflowEngine& engine, const WorkItem& item) {
  static const std::array<const char*, life_steps_count> statuses = {"open", "open", "checking", "building", "done"};
  const auto host = Actor::system("host");
  if (auto chain = engine.verify(host, item.key); !chain) broken("every chain verifies: " + chain.error().describe());
  const auto entries = must(engine.audit(host, item.key), "the audit trail can be read").size();
  const auto* const last = std::find(life_entries.begin(), life_entries.end(), entries);
  if (last == life_entries.end()) broken(item.key.str() + " has the audit entries of whole steps");
  const auto steps = static_cast<std::uint64_t>(last - life_entries.begin()) + 1;
  if (item.status != statuses.at(steps - 1)) broken(item.key.str() + " is in the status that its trail leads to");
  if (item.hold.has_value() != (steps > 1 && steps < life_steps_count))
    broken(item.key.str() + " is held while worked on");
  return steps;
}

std::size_t compare_items(WorkflowEngine& engine, const Acknowledged& acknowledged) {
  std::map<std::string, std::uint64_t> found;
  std::string after;
  do {
    auto page = must(engine.list(Actor::system("host"), {.limit_count = 1000, .after = after}), "items can be listed");
    for (const auto& item : page.items) found[item.key.str()] = steps_of(engine, item);
    after = page.next;
  } while (!after.empty());
  for (const auto& [key, steps] : acknowledged.items) {
    const auto item = found.find(key);
    if (item == found.end() || item->second < steps) {
      broken("step " + std::to_string(steps) + " of " + key + ", which was acknowledged, is there");
    }
  }
  for (const auto& [key, steps] : found) {
    const auto known = acknowledged.items.find(key);
    const auto told = known == acknowledged.items.end() ? 0 : known->second;
    // Each thread has one call under way: one may have created what another one claimed.
    if (steps > told + (told == 0 ? 2 : 1)) broken(key + " is at most a step further than was acknowledged");
  }
  return found.size();
}

void compare_runs(Storage& storage, const Acknowledged& acknowledged) {
  for (const auto& [name, told] : acknowledged.runs) {
    const RecordId id{"host.run", name};
    const auto run = must(storage.get({&id, 1}), "runs can be read").front();
    if (!run || run->version < told || run->version > told + 1) broken("run " + name + " has its acknowledged steps");
    const auto steps = must(storage.count({.index = Index::key,
                                           .prefix = {"host.step"},
                                           .from = name + "/",
                                           .below = name + "0"}),  // the character after the slash
                            "steps can be counted");
    if (steps != run->version) broken("run " + name + " has as many steps as its record says");
  }
}

}  // namespace

void broken(const std::string& promise) {
  std::printf("BROKEN: %s\n", promise.c_str());
  std::exit(1);
}

void Acknowledged::add(const Report& report) {
  const std::string name(report.name.data());
  if (report.what == Report::What::failure) broken("a call of a process that hammers succeeds: " + name);
  auto& last = (report.what == Report::What::item ? items : runs)[name];
  last = std::max(last, report.number);
  ++count;
}

std::size_t compare(Storage& storage, const Acknowledged& acknowledged) {
  WorkflowEngine engine{{.storage = storage}};
  const auto items = compare_items(engine, acknowledged);
  compare_runs(storage, acknowledged);
  return items;
}

}  // namespace openindex::crash
