// A help desk in a database file, and the rows that working on its items writes.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <openindex/adapters/sqlite_storage.hpp>
#include <openindex/workflow_engine.hpp>

#include "bench/disk.hpp"
#include "bench/figure.hpp"
#include "bench/raw_sqlite.hpp"

namespace openindex::bench {

/// Free items, claimed in every pass on a copy of the file.
class Desk {
 public:
  Desk(const Place& place, const char* name, std::size_t items);

  [[nodiscard]] const std::vector<ItemKey>& keys() const noexcept { return keys_; }
  [[nodiscard]] const RawProgram& program() const noexcept { return program_; }
  [[nodiscard]] const std::vector<RawStep>& claims() const noexcept { return claims_; }  ///< One for each key.
  [[nodiscard]] const std::vector<ChangeSet>& sets() const noexcept { return sets_; }    ///< The same, as committed.

  /// Call with a fresh copy of the file, and remove it.
  void on_copy(const std::function<void(const std::filesystem::path&)>& pass) const;

 private:
  void record_claims();

  std::filesystem::path database_;
  std::filesystem::path copy_;
  std::vector<ItemKey> keys_;
  RawProgram program_;
  std::vector<RawStep> claims_;
  std::vector<ChangeSet> sets_;
};

/// An engine that has not seen the items before, on a database.
struct OpenDesk {
  explicit OpenDesk(const std::filesystem::path& path)
      : storage(SqliteStorage::open({.path = path}).value()), engine{{.storage = *storage}} {}

  std::unique_ptr<SqliteStorage> storage;
  WorkflowEngine engine;
};

}  // namespace openindex::bench
