// Whose turn it is to ask for the write lock, among the processes that share a database.
//
// SQLite's lock is whoever's asks first when it is free, and those who wait ask now and then. A process that commits
// all the time asks at once, so the others would hardly ever find it free. Therefore a process asks only while it has
// the turn: one that waits for the lock keeps the turn, and the one that has just committed cannot pass it.
//
// The turn is a lock on a byte of the log (`-wal`), far behind its end, owned by a descriptor of our own. SQLite has no
// locks on that file, so closing the descriptor drops none of its. The kernel gives the turn back when a process dies.
// Where there is no turn to be had, commits go on without: it is about fairness, never about safety.
#pragma once

#include <string>
#include <utility>

#include <openindex/core/clock.hpp>

namespace openindex::sqlite {

class WriteTurn {
 public:
  explicit WriteTurn(std::string log) : log_(std::move(log)) {}
  ~WriteTurn();
  WriteTurn(const WriteTurn&) = delete;
  WriteTurn& operator=(const WriteTurn&) = delete;

  /// Wait for the turn; false when another process has kept it for that long. One thread at a time.
  bool take(Duration timeout);
  void give_back();

 private:
  bool open_log();
  [[nodiscard]] bool set_lock(short type) const;

  const std::string log_;
  int descriptor_ = -1;
};

}  // namespace openindex::sqlite
