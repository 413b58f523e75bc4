// One storage on trial: asks it things, and remembers the first answer that was wrong.
//
// Every question has an answer that the next line can use, even after a failure, so that a case reads as a list of
// facts.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/storage/storage.hpp>
#include <openindex/testing/storage_contract.hpp>

namespace openindex::contract {

using testing::ContractCase;
using testing::StorageUnderTest;

std::vector<ContractCase> commit_cases();
std::vector<ContractCase> bound_cases();
std::vector<ContractCase> text_cases();
std::vector<ContractCase> repeat_cases();
std::vector<ContractCase> scan_cases();
std::vector<ContractCase> index_cases();
std::vector<ContractCase> paging_cases();
std::vector<ContractCase> concurrency_cases();
std::vector<ContractCase> race_cases();
std::vector<ContractCase> large_table_cases();
std::vector<ContractCase> crash_cases();

/// Name a record of the kind that most cases use.
RecordId named(std::string key);

Expectation expecting(std::string key, std::uint64_t version);

IndexEntry in_queue(std::string holder, std::int64_t rank, std::int64_t number, std::string stage = "triage");
IndexEntry in_items(std::string domain, std::int64_t number, std::string status = "new", std::string holder = "");
IndexEntry in_due(std::string topic, std::int64_t at, std::string subject);

/// Begin a change set with puts only.
ChangeSet putting(std::vector<Put> puts);

constexpr int threads_count = 8;

/// Call `work(0)` to `work(count - 1)`, each in a thread of its own, and wait for them.
void run_in_threads(int count, const std::function<void(int)>& work);

class Trial {
 public:
  explicit Trial(const StorageUnderTest& tested);

  Storage& storage() { return *storage_; }

  /// Crash the storage and go on with what it left.
  void crash();

  /// Note that a fact does not hold.
  void that(std::string_view fact, bool holds);

  template <class T>
  void equal(std::string_view fact, const T& found, const T& expected) {
    if (!(found == expected)) fail(fmt::format("{}: expected {}, found {}", fact, expected, found));
  }

  /// Commit one change set that must succeed; the versions of its puts.
  std::vector<std::uint64_t> commit(const ChangeSet& changes);

  /// Put one record; its version, 0 after a failure.
  std::uint64_t put(std::string key, std::string body = "{}", std::vector<IndexEntry> index = {});

  void erase(std::string key);

  /// Commit one change set that must be refused with this code, and return the refusal.
  Error refuse(std::string_view fact, errc code, const ChangeSet& changes);

  /// Read one record; an empty one when it is missing, which is noted.
  Record get(const RecordId& id);
  bool exists(const RecordId& id);

  ScanPage scan(const ScanRequest& request);
  void refuse_scan(std::string_view fact, const ScanRequest& request);

  /// Return the keys of one page.
  std::vector<std::string> keys(const ScanRequest& request);

  /// Return the keys of all pages, and count the pages in `page_count`.
  std::vector<std::string> all_keys(ScanRequest request);
  std::size_t page_count = 0;

  std::uint64_t count(const CountRequest& request);

  /// Describe all that is stored: every record whole, and the order of every index. Equal texts: equal contents.
  std::string picture();

  [[nodiscard]] Result<void> verdict() const;

 private:
  void fail(std::string what, const Error* cause = nullptr);
  void adopt(std::unique_ptr<Storage> storage, std::string_view otherwise);

  const StorageUnderTest& tested_;
  std::unique_ptr<Storage> storage_;
  std::optional<Error> first_;
};

using Keys = std::vector<std::string>;

}  // namespace openindex::contract
