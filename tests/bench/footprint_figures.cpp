// What an open item takes: memory of the process, and room on the disk.
#include <malloc.h>

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/agent_queue.hpp>

#include "bench/desk.hpp"
#include "bench/figures.hpp"
#include "bench/helpdesk.hpp"
#include "bench/million.hpp"
#include "bench/recording_storage.hpp"

namespace openindex::bench {
namespace {

constexpr std::size_t items = 20'000;
constexpr std::size_t few_items = 1'000;

/// Everything that is allocated, large blocks that the kernel gave by themselves included.
double heap_bytes() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

double bytes_of(const RecordId& id) { return static_cast<double>(id.kind.size() + id.key.size()); }

/// Names, bodies and index values: what is to be kept, without anything that helps to find it.
double payload(const std::vector<ChangeSet>& sets) {
  double bytes = 0;
  for (const ChangeSet& set : sets) {
    for (const auto* puts : {&set.puts, &set.appends}) {
      for (const Put& put : *puts) {
        bytes += bytes_of(put.id) + static_cast<double>(put.body.size());
        for (const auto& entry : put.index) {
          for (const auto& value : entry.values) {
            const auto* text = std::get_if<std::string>(&value);
            bytes += text == nullptr ? 8 : static_cast<double>(text->size());
          }
        }
      }
    }
  }
  return bytes / static_cast<double>(items);
}

std::vector<ChangeSet> record_filing() {
  RecordingStorage storage;
  WorkflowEngine engine{{.storage = storage}};
  file_requests(engine, items);
  return storage.take();
}

double memory_per_item(const std::vector<ChangeSet>& filing) {
  const double before = heap_bytes();
  MemoryStorage storage;
  for (const ChangeSet& set : filing) require(storage.commit(std::span(&set, 1)).front());
  return (heap_bytes() - before) / static_cast<double>(items);
}

double file_per_item(const std::vector<ChangeSet>& filing, const std::filesystem::path& file) {
  remove_database(file);
  {
    const auto storage = SqliteStorage::open({.path = file, .synchronous = SqliteOptions::Synchronous::normal}).value();
    for (const auto& result : storage->commit(filing)) require(result);
  }
  return static_cast<double>(std::filesystem::file_size(file)) / static_cast<double>(items);
}

/// With an engine at work on it: it has looked at the queue and claimed from it.
double heap_when_open(const std::filesystem::path& file) {
  const double before = heap_bytes();
  OpenDesk open(file);
  AgentQueue queue(open.engine);
  for (int i = 0; i < 300; ++i) require(queue.claim_next(agent()));
  return heap_bytes() - before;
}

/// How much more memory a database with many open items takes than one with few, for each item that it has more.
double heap_per_item(const std::filesystem::path& folder) {
  const auto many = folder / "many.db";
  const auto few = folder / "few.db";
  make_items(many, items, 0);
  make_items(few, few_items, 0);
  const double with_few = heap_when_open(few);
  return (heap_when_open(many) - with_few) / static_cast<double>(items - few_items);
}

Rounds in_memory(const Place& /*place*/) {
  const auto filing = std::make_shared<const std::vector<ChangeSet>>(record_filing());
  return {.value = [filing] { return memory_per_item(*filing); }, .baseline = [filing] { return payload(*filing); }};
}

Rounds in_file(const Place& place) {
  const auto filing = std::make_shared<const std::vector<ChangeSet>>(record_filing());
  return {.value = [filing, file = place.folder / "filed.db"] { return file_per_item(*filing, file); },
          .baseline = [filing] { return payload(*filing); }};
}

}  // namespace

std::vector<Figure> footprint_figures() {
  return {{.name = "memory.bytes_per_item", .unit = "bytes", .prepare = in_memory},
          {.name = "sqlite.bytes_per_item", .unit = "bytes", .on_disk = true, .prepare = in_file},
          {.name = "sqlite.heap_bytes_per_item", .unit = "bytes", .on_disk = true, .prepare = [](const Place& place) {
             return Rounds{.value = [folder = place.folder] { return heap_per_item(folder); }};
           }}};
}

}  // namespace openindex::bench
