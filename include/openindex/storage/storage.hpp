// Storage: where everything durable lives. Small enough that a stranger writes a backend in a day.
//
// The engines call it; `MemoryStorage`, `SqliteStorage` and `PostgresStorage` implement it, and a host may bring its
// own: scan_range.hpp does what every backend does alike, and `testing::storage_contract` proves it. It stores records
// (kind, key, version, body, index entries) and knows nothing about workflows.
//
// For implementers. Every method is called from any thread, concurrently, and may block on I/O. None may throw. A
// failed call has no effect and may be repeated; the one exception is `commit_unknown`. Arguments belong to the caller
// and are valid during the call only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <openindex/core/clock.hpp>
#include <openindex/core/result.hpp>
#include <openindex/storage/change_set.hpp>
#include <openindex/storage/index.hpp>

namespace openindex {
inline namespace v0 {

/// Keep only rows whose field compares like this. A residual predicate: it filters rows that were examined.
struct Predicate {
  enum class Op : std::uint8_t {
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    has_bits  ///< Of numbers: every bit that is set in `value` is set in the field.
  };
  std::size_t field = 0;  ///< Position in the index schema.
  Op op = Op::equal;
  IndexValue value = {};
};

/// Ask for rows of one index, in index order: by its fields, then by kind and key.
struct ScanRequest {
  Index index = Index::key;
  std::vector<IndexValue> prefix = {};   ///< Equal to the leading fields; for `Index::key` the first is the kind.
  std::optional<IndexValue> from = {};   ///< The next field is at least this.
  std::optional<IndexValue> below = {};  ///< The next field is less than this.
  std::vector<Predicate> where = {};
  bool descending = false;
  std::uint32_t limit_count = 100;       ///< Rows returned at most, 1 to 10,000.
  std::uint32_t examine_count = 10'000;  ///< Rows looked at, at most; a page may be short because of it.
  std::string after = {};                ///< The cursor of an earlier page of the same request; empty: from the start.
                                         ///< Good for as long as the data is, also in another process.
};

struct ScanPage {
  std::vector<Record> rows = {};
  std::string next = {};  ///< Where to go on; empty when there is nothing more.
};

/// Ask how many rows match; stops at `limit_count`.
struct CountRequest {
  Index index = Index::key;
  std::vector<IndexValue> prefix = {};
  std::optional<IndexValue> from = {};
  std::optional<IndexValue> below = {};
  std::vector<Predicate> where = {};
  std::uint64_t limit_count = 1'000'000;
};

struct CommitReceipt {
  std::vector<std::uint64_t> versions = {};  ///< The new version of each put, in order.
};

/// Ask to be woken after a commit. `seen` is the `sequence` of the last answer, 0 at first (answers at once).
struct WaitRequest {
  std::uint64_t seen = 0;
  Duration timeout{1000};
};

struct Changed {
  std::uint64_t sequence = 0;  ///< Differs from `seen` when something was committed since.
};

class OPENINDEX_API Storage {
 public:
  Storage() = default;
  virtual ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  /// Read records by name; nullopt where there is none. Committed data only, all of one moment.
  /// @par Errors storage_failed, storage_corrupt, storage_busy
  virtual Result<std::vector<std::optional<Record>>> get(std::span<const RecordId> ids) = 0;

  /// As `get`, but index entries may be left out, which is quicker where they are columns: for who asks for no more
  /// than versions and bodies, as the engine does. A backend need not override it: by itself it is `get`.
  /// @par Errors as get
  virtual Result<std::vector<std::optional<Record>>> get_bodies(std::span<const RecordId> ids);

  /// Read a page of one index. A row that matches throughout a paged scan appears exactly once.
  /// @par Errors invalid_argument (a cursor that is none, a type that does not fit), storage_failed, storage_corrupt
  virtual Result<ScanPage> scan(const ScanRequest& request) = 0;

  /// Count rows of one index. @par Errors as scan
  virtual Result<std::uint64_t> count(const CountRequest& request) = 0;

  /// Apply change sets, each atomically and by itself, with one durable write for all of them if possible.
  ///
  /// When this returns a receipt, the changes survive the death of the process and of the machine. They are applied as
  /// if in order: a later one sees what an earlier one of the same call wrote.
  /// @returns one result for each change set, in order.
  /// @par Errors conflict (context `kind`, `key`, `expected`, `found`: the first expectation that failed; nothing of
  /// this set was written), commit_unknown (it may have happened: look for the first append), storage_failed,
  /// storage_full, storage_read_only, storage_busy, invalid_argument (a bound of `ChangeSet` is broken)
  virtual std::vector<Result<CommitReceipt>> commit(std::span<const ChangeSet> changes) = 0;

  /// Sleep until something may have been committed, by this process or another, or until the timeout.
  /// A hint to wake up, never the truth: waking for nothing is fine, missing a change for good is not.
  virtual Result<Changed> wait_for_change(const WaitRequest& request) = 0;

  /// Wake everybody who sleeps in `wait_for_change`. Never fails.
  virtual void wake() noexcept = 0;
};

/// Check the bounds that `RecordId`, `IndexEntry` and `Record` document; every backend calls it before it writes.
/// @par Errors invalid_argument (context `kind`, `key`, for a value of an entry `field` such as `due.subject`; the
/// sentence says which bound)
OPENINDEX_API Result<void> check_bounds(const ChangeSet& changes);

/// Check what a change set expects, and that its appends are new, by asking for versions (0: no such record) one by
/// one; for backends that have their records at hand.
/// @par Errors conflict, as `Storage::commit` has to tell it
OPENINDEX_API Result<void> check_expectations(const ChangeSet& changes,
                                              const std::function<std::uint64_t(const RecordId&)>& version_of);

}  // namespace v0
}  // namespace openindex
