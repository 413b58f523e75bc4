// Moving the log's pages into the database, so that the log can start over and does not grow for ever.
//
// SQLite's automatic checkpoints are off on every connection; this is the only place that starts one. Libraries that
// have the WAL-reset bug (sqlite.org/wal.html#walresetbug) can lose a commit that starts the log over while another
// connection begins a checkpoint. With them a checkpoint runs only while our writer holds the write lock of the file
// and has written nothing: then no connection of any process can commit.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/read_pool.hpp"

namespace openindex::sqlite {

/// Tell whether a library (as `sqlite3_libversion_number`) is free of the WAL-reset bug. 3.52.0 was withdrawn.
constexpr bool checkpoints_safely(int version) {
  return version >= 3'053'000 || (version >= 3'051'003 && version < 3'052'000) ||
         (version >= 3'050'007 && version < 3'051'000) || (version >= 3'044'006 && version < 3'045'000);
}

/// When to checkpoint, in pages of the log, 4 KiB each. Longer means fewer copies of a page that changes often, and
/// more to recover after a crash.
struct CheckpointLimits {
  int soon = 4'000;
  int now = 16'000;
  int retry = 1'000;  ///< How far the log grows before a checkpoint that did not help is tried again.
  bool concurrent = checkpoints_safely(sqlite3_libversion_number());  ///< Beside commits, not under the write lock.
};

class Checkpoint {
 public:
  /// `writer` is the connection that commits, `own` one that nobody else uses. Both must outlive this.
  Checkpoint(Connection& writer, Connection& own, ReadPool& readers, const CheckpointLimits& limits = {});
  ~Checkpoint();
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  enum class Need { none, soon, now };

  /// How urgent it is. `soon`: whenever no commit waits. `now`: although commits wait.
  [[nodiscard]] Need need() const;

  /// Tell whether `run` uses the writer connection, so that only the leader of the commits may call it.
  [[nodiscard]] bool needs_writer(Need need) const { return !limits_.concurrent || need == Need::now; }

  /// Tell whether checkpoints run beside commits.
  [[nodiscard]] bool concurrent() const { return limits_.concurrent; }

  /// Count pages that another connection has written; an estimate, until one of ours commits.
  void add(int pages) { log_pages_ += pages; }

  /// Checkpoint as much as possible. Never fails: what could not be done now is done later.
  void run(Need need);

 private:
  static int on_commit(void* self, sqlite3* database, const char* name, int log_pages);
  bool copy_pages();
  void run_under_write_lock(Need need);

  Connection& writer_;
  Connection& own_;
  ReadPool& readers_;
  const CheckpointLimits limits_;
  std::mutex running_;
  std::atomic<int> log_pages_{0};
  std::atomic<int> due_at_pages_;
};

}  // namespace openindex::sqlite
