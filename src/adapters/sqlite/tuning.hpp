// What our own tests may set differently, so that they meet in a moment what takes hosts hours.
#pragma once

#include <memory>

#include <openindex/adapters/sqlite_storage.hpp>

#include "adapters/sqlite/checkpoint.hpp"
#include "adapters/sqlite/log_bell.hpp"

namespace openindex::sqlite {

struct Tuning {
  LookPeriods looks = {};
  CheckpointLimits checkpoints = {};
};

/// A way into `SqliteStorage` for our own tests.
struct TunedStorage {
  /// @par Errors as SqliteStorage::open
  static Result<std::unique_ptr<SqliteStorage>> open(SqliteOptions options, const Tuning& tuning);
};

}  // namespace openindex::sqlite
