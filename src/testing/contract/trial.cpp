#include "testing/contract/trial.hpp"

#include <thread>
#include <utility>

#include <openindex/adapters/memory_storage.hpp>

namespace openindex::contract {

RecordId named(std::string key) { return {"host.contract", std::move(key)}; }

Expectation expecting(std::string key, std::uint64_t version) { return {named(std::move(key)), version}; }

IndexEntry in_queue(std::string holder, std::int64_t rank, std::int64_t number, std::string stage) {
  return {Index::queue, {std::move(holder), rank, number, "OPS", "TRIAGE", std::move(stage)}};
}

IndexEntry in_items(std::string domain, std::int64_t number, std::string status, std::string holder) {
  return {Index::items,
          {std::move(domain), number, 0, "TRIAGE", std::move(status), "triage", "", "", std::move(holder), "task", 2,
           "", "", "", "none", 0}};
}

IndexEntry in_due(std::string topic, std::int64_t at, std::string subject) {
  return {Index::due, {std::move(topic), at, std::move(subject)}};
}

ChangeSet putting(std::vector<Put> puts) {
  ChangeSet changes;
  changes.id = "commit_1";
  changes.puts = std::move(puts);
  return changes;
}

namespace {

std::string describe(const Record& record, bool whole) {
  std::string text = record.id.kind + " " + record.id.key;
  if (!whole) return text;
  text += fmt::format(" v{} {} bytes: {}", record.version, record.body.size(), record.body);
  for (const auto& schema : index_schemas()) {
    for (const auto& entry : record.index) {
      if (entry.index != schema.index) continue;
      for (const auto& value : entry.values)
        std::visit([&](const auto& one) { text += fmt::format(" {}", one); }, value);
    }
  }
  return text;
}

}  // namespace

void run_in_threads(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
}

Trial::Trial(const StorageUnderTest& tested) : tested_(tested) { adopt(tested.make(), "the factory made no storage"); }

void Trial::crash() {
  adopt(tested_.crash_and_reopen(std::move(storage_)), "what a crash left could not be opened again");
}

void Trial::adopt(std::unique_ptr<Storage> storage, std::string_view otherwise) {
  storage_ = std::move(storage);
  if (storage_ != nullptr) return;
  fail(std::string(otherwise));
  storage_ = std::make_unique<MemoryStorage>();
}

void Trial::that(std::string_view fact, bool holds) {
  if (!holds) fail(std::string(fact));
}

void Trial::fail(std::string what, const Error* cause) {
  if (first_) return;
  first_ = Error(errc::storage_failed, "The storage contract is broken: " + std::move(what) + ".");
  if (cause != nullptr) first_ = std::move(*first_).caused_by(*cause);
}

std::vector<std::uint64_t> Trial::commit(const ChangeSet& changes) {
  const auto results = storage_->commit({&changes, 1});
  if (results.size() != 1) {
    fail(fmt::format("a commit of one change set has one result: found {}", results.size()));
    return {};
  }
  if (!results.front()) {
    fail("a commit that must succeed was refused", &results.front().error());
    return {};
  }
  equal("a receipt has a version for each put", results.front()->versions.size(), changes.puts.size());
  return results.front()->versions;
}

std::uint64_t Trial::put(std::string key, std::string body, std::vector<IndexEntry> index) {
  const auto versions = commit(putting({{named(std::move(key)), std::move(body), std::move(index)}}));
  return versions.empty() ? 0 : versions.front();
}

void Trial::erase(std::string key) {
  ChangeSet changes;
  changes.id = "commit_1";
  changes.erases = {named(std::move(key))};
  commit(changes);
}

Error Trial::refuse(std::string_view fact, errc code, const ChangeSet& changes) {
  const auto results = storage_->commit({&changes, 1});
  if (results.size() != 1 || results.front()) {
    fail(std::string(fact) + ": the commit was accepted");
    return code;
  }
  equal(fact, name(results.front().error().code()), name(code));
  return results.front().error();
}

Record Trial::get(const RecordId& id) {
  const auto found = storage_->get({&id, 1});
  if (!found) {
    fail("a read of one record failed", &found.error());
  } else if (found->size() != 1 || !found->front()) {
    fail(fmt::format("record {} must be there", id.key));
  } else {
    return *found->front();
  }
  return {};
}

bool Trial::exists(const RecordId& id) {
  const auto found = storage_->get({&id, 1});
  if (!found) fail("a read of one record failed", &found.error());
  return found && found->size() == 1 && found->front();
}

ScanPage Trial::scan(const ScanRequest& request) {
  auto page = storage_->scan(request);
  if (page) return std::move(*page);
  fail("a scan failed", &page.error());
  return {};
}

void Trial::refuse_scan(std::string_view fact, const ScanRequest& request) {
  const auto page = storage_->scan(request);
  that(fact, !page && page.error().code() == errc::invalid_argument);
}

Keys Trial::keys(const ScanRequest& request) {
  Keys keys;
  for (const auto& row : scan(request).rows) keys.push_back(row.id.key);
  return keys;
}

Keys Trial::all_keys(ScanRequest request) {
  constexpr std::size_t pages_max = 10'000;
  Keys keys;
  page_count = 0;
  do {
    auto page = scan(request);
    for (const auto& row : page.rows) keys.push_back(row.id.key);
    that("a page has no more rows than asked for", page.rows.size() <= request.limit_count);
    request.after = std::move(page.next);
  } while (!request.after.empty() && ++page_count < pages_max);
  that("a paged scan ends", request.after.empty());
  return keys;
}

std::uint64_t Trial::count(const CountRequest& request) {
  const auto counted = storage_->count(request);
  if (counted) return *counted;
  fail("a count failed", &counted.error());
  return 0;
}

std::string Trial::picture() {
  std::string text;
  for (const auto& schema : index_schemas()) {
    text += fmt::format("{}:\n", schema.name);
    const auto page = scan({.index = schema.index, .prefix = {}, .limit_count = 10'000});
    for (const auto& row : page.rows) text += describe(row, schema.index == Index::key) + "\n";
    that("a picture is taken of small storages only", page.next.empty());
  }
  return text;
}

Result<void> Trial::verdict() const {
  if (first_) return *first_;
  return {};
}

}  // namespace openindex::contract
