// Records that the tests of every backend write.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <openindex/storage/storage.hpp>

namespace openindex {

inline RecordId test_record(std::string key) { return {"host.test", std::move(key)}; }

inline ChangeSet test_put(std::string key, std::string body = "{}", std::vector<IndexEntry> index = {}) {
  ChangeSet changes;
  changes.id = "commit_1";
  changes.puts = {{test_record(std::move(key)), std::move(body), std::move(index)}};
  return changes;
}

inline Result<CommitReceipt> commit_one(Storage& storage, const ChangeSet& changes) {
  return storage.commit({&changes, 1}).at(0);
}

inline std::uint64_t count_records(Storage& storage) {
  return storage.count({.index = Index::key, .prefix = {"host.test"}}).value_or(std::uint64_t{0});
}

}  // namespace openindex
