// One storage on trial: asks it things, and remembers the first answer that was wrong.
//
// Every question has an answer that the next line can use, even after a failure, so that a case reads as a list of
// facts.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openindex/storage/storage.hpp>
#include <openindex/testing/storage_contract.hpp>

namespace openindex::contract {

using testing::ContractCase;
using testing::StorageFactory;

std::vector<ContractCase> commit_cases();
std::vector<ContractCase> bound_cases();
std::vector<ContractCase> scan_cases();
std::vector<ContractCase> paging_cases();
std::vector<ContractCase> concurrency_cases();

/// Name a record of the kind that most cases use.
RecordId named(std::string key);

IndexEntry in_queue(std::string holder, std::int64_t rank, std::int64_t number, std::string stage = "triage");
IndexEntry in_items(std::string domain, std::int64_t number, std::string status = "new", std::string holder = "");
IndexEntry in_due(std::string topic, std::int64_t at, std::string subject);

/// Begin a change set with puts only.
ChangeSet putting(std::vector<Put> puts);

class Trial {
 public:
  explicit Trial(const StorageFactory& make);

  Storage& storage() { return *storage_; }

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

  [[nodiscard]] Result<void> verdict() const;

 private:
  void fail(std::string what, const Error* cause = nullptr);

  std::unique_ptr<Storage> storage_;
  std::optional<Error> first_;
};

using Keys = std::vector<std::string>;

}  // namespace openindex::contract
