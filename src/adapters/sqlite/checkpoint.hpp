// Moving the log's pages into the database, so that the log can start over and does not grow for ever.
//
// SQLite's automatic checkpoints are off on every connection; this is the only place that starts one. Libraries that
// have the WAL-reset bug (sqlite.org/wal.html#walresetbug) can lose a commit that starts the log over while another
// connection begins a checkpoint. With them a checkpoint runs only while our writer holds the write lock of the file
// and has written nothing: then no connection of any process can commit. With others, pages are copied beside commits.
//
// Either way it is done a piece at a time, so that nobody waits for more than one:
//
//   copy       Before a group is committed, a connection of ours begins to read. A checkpoint behind the group goes no
//              further than that, and so neither syncs the database nor lets the log start over: it only copies what
//              has come since the last one, at most `piece` pages and one transaction.
//   sync       The database is synced beside commits, by a thread that lives no longer. Its result is not relied on.
//   start over Under the write lock, the few pages that are left are copied, and what little is not on the disk is
//              synced, both by SQLite itself. The next commit begins the log anew, if no reader uses it any more.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <functional>
#include <mutex>

#include "adapters/sqlite/brief_thread.hpp"
#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/read_pool.hpp"

namespace openindex::sqlite {

/// Tell whether a library (as `sqlite3_libversion_number`) is free of the WAL-reset bug. 3.52.0 was withdrawn.
constexpr bool checkpoints_safely(int version) {
  return version >= 3'053'000 || (version >= 3'051'003 && version < 3'052'000) ||
         (version >= 3'050'007 && version < 3'051'000) || (version >= 3'044'006 && version < 3'045'000);
}

/// When to checkpoint, in pages of the log, 4 KiB each. A longer log means fewer syncs of a page that changes often,
/// and more to recover after a crash.
struct CheckpointLimits {
  int piece = 1'000;  ///< How many are copied at once; half of them when no commit waits.
  int soon = 4'000;   ///< The log is to start over when no commit waits,
  int now = 16'000;   ///< or although commits wait.
  int most = 17'000;  ///< From here on nobody begins to read while those who do are waited for, up to a second.
  int retry = 1'000;  ///< How far the log grows at least before it is tried again to start over.
  bool concurrent = checkpoints_safely(sqlite3_libversion_number());  ///< Copy beside commits, without the write lock.
};

/// What the connections are for that only checkpoints use. None may be used by anybody else.
struct CheckpointConnections {
  Connection& copying;
  Connection& bounding;  ///< Reads, so that a checkpoint goes no further.
  Connection& syncing;   ///< Never reads. `copying` hears of a failed sync nevertheless: it has another descriptor.
};

class Checkpoint {
 public:
  enum class Task { none, copy, copy_and_sync, start_over };

  /// Begin a transaction on the writer that holds the write lock and has written nothing; false when that cannot be. An
  /// urgent one waits for others who write.
  using Lock = std::function<bool(bool urgent)>;

  /// `writer` is the connection that commits. All must outlive this.
  Checkpoint(Connection& writer, const CheckpointConnections& own, ReadPool& readers,
             const CheckpointLimits& limits = {});
  ~Checkpoint();
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  /// Tell whether pages are copied beside commits.
  [[nodiscard]] bool concurrent() const { return limits_.concurrent; }

  /// Count pages that another connection has written; an estimate, until one of ours commits.
  void add(int pages);

  /// What is to be done now. Any thread may ask.
  [[nodiscard]] Task choose(bool commits_wait) const;

  /// The leader of the commits calls these around each group, and `run` in between, behind the commit, if the first one
  /// says that there is something to do. Nothing of it fails: what could not be done now is done later.
  bool before_commit(bool commits_wait);
  void run(Task task, const Lock& lock);
  void after_commit();

 private:
  /// What is known of the log. Another process may know better.
  struct Log {
    int pages = 0;
    int pages_added = 0;    ///< By others, about.
    int copied = 0;         ///< The first so many are in the database,
    int unsynced = 0;       ///< where so many writes may not be on the disk.
    int copy_at = 0;        ///< A copy is worth its while when the log is so long,
    int start_over_at = 0;  ///< and so is starting over.
    int due_since = 0;      ///< which became due at this length;
    int rounds = 0;         ///< so often it was copied and synced since.
    bool held_up = false;   ///< A reader was in the way.
    unsigned starts = 0;    ///< How often it has started over.

    [[nodiscard]] int length() const { return pages + pages_added; }
    [[nodiscard]] int uncopied() const { return length() - copied; }
  };

  /// How much of it is in the database; -1 when SQLite cannot say.
  struct Copied {
    int in_log = -1;
    int copied = -1;
  };

  static int on_commit(void* self, sqlite3* database, const char* name, int log_pages);
  void set_length(int pages);
  [[nodiscard]] bool is_due(bool commits_wait) const;
  bool copy_under_lock();
  [[nodiscard]] Copied copy() const;
  void note(const Copied& result);
  void run_under_lock(Task task, const Lock& lock);
  void copy_beside_commits(Task task);
  void sync();
  void start_over();
  bool copy_behind_readers(std::chrono::microseconds patience);
  [[nodiscard]] Log log() const;
  bool bound();

  Connection& writer_;
  CheckpointConnections own_;
  ReadPool& readers_;
  const CheckpointLimits limits_;
  mutable std::mutex mutex_;
  Log log_;
  BriefThread beside_;
};

}  // namespace openindex::sqlite
