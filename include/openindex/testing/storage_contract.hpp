// The storage contract: what every backend must do, as a list of named checks.
//
// Bring a backend of your own under it: give a factory that makes an empty storage, run every case, look at the
// answers. No test framework is involved; in doctest: `for (auto& c : storage_contract()) { SUBCASE(c.name)
// CHECK(c.run(make)) }`. A durable backend also says how to crash it, and is asked what it kept; see
// `examples/custom_storage`. Target: openindex::testing.
//
// The suite judges answers, never speed: a case that takes minutes on a small disk is no failure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <openindex/storage/storage.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

/// Make an empty storage of its own for each call. Called from one thread at a time, as is everything below.
using StorageFactory = std::function<std::unique_ptr<Storage>()>;

/// End a storage that `make` made, as kill -9 would, and open again what it left: nothing that it still holds in memory
/// may get through. No call is under way meanwhile. Null: it could not be opened, which fails the case.
using CrashAndReopen = std::function<std::unique_ptr<Storage>(std::unique_ptr<Storage> dying)>;

/// The backend on trial.
struct StorageUnderTest {
  StorageFactory make = {};
  CrashAndReopen crash_and_reopen = {};  ///< Empty: it promises to survive nothing, as `MemoryStorage`.
  std::uint32_t rows_count = 20'000;     ///< How many rows the cases about large tables write; at least 200.
};

/// One behaviour. Cases share nothing: run them in any order, also at the same time if `make` allows it.
struct ContractCase {
  std::string name;                                            ///< The behaviour, as a sentence.
  std::function<Result<void>(const StorageUnderTest&)> check;  ///< What `run` calls.
  bool needs_crash = false;                                    ///< Whether it needs `crash_and_reopen`.

  /// Put a backend on trial. An error says what was expected and what came.
  /// @par Errors storage_failed (the contract is broken), invalid_argument (nothing was tried: no factory, too few
  /// rows, or the case needs `crash_and_reopen`)
  [[nodiscard]] OPENINDEX_API Result<void> run(const StorageUnderTest& tested) const;
  [[nodiscard]] OPENINDEX_API Result<void> run(const StorageFactory& make) const;
};

/// Return every case that a factory is enough for.
OPENINDEX_API std::vector<ContractCase> storage_contract();

/// Return every case for this backend: with `crash_and_reopen` also those about what survives a crash.
OPENINDEX_API std::vector<ContractCase> storage_contract(const StorageUnderTest& tested);

}  // namespace testing
}  // namespace v0
}  // namespace openindex
