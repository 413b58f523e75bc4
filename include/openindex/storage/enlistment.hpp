// Enlistment: a transaction of the host, as a storage. What is committed here lands with the host's rows, or not at
// all.
//
// `SqliteStorage::enlist` makes one of a transaction that the host has begun on a connection of its own;
// `WorkflowEngine::with` works in it. Reads see what was written in the transaction, by the host and through this. A
// commit is part of the transaction: durable when the host's COMMIT is, and a conflict undoes the change set alone. The
// host ends the transaction, and says `committed()` if it did so with COMMIT.
//
// Thread safety: one thread at a time, the one that uses the connection. Lifetime: one for each transaction; destroy
// it before the connection is closed and before the storage it comes from.
#pragma once

#include <functional>
#include <vector>

#include <openindex/storage/storage.hpp>

namespace openindex {
inline namespace v0 {

class OPENINDEX_API Enlistment : public Storage {
 public:
  ~Enlistment() override;

  /// Say that the transaction has been committed: whoever waits for changes is woken, subscriptions are told what
  /// changed. Call it after COMMIT. Called after a ROLLBACK, it tells nobody anything: it looks at what landed. Who
  /// never calls it leaves subscriptions of this process untold; others learn of the commit as of any process's.
  void committed() noexcept;

  /// For the engine: do this in `committed`; forget it when this is destroyed before.
  void after_commit(std::function<void()> action);

  /// The storage that this transaction belongs to.
  [[nodiscard]] virtual const Storage& enlisted_in() const noexcept = 0;

 protected:
  /// Wake whoever waits for changes, in other processes, too.
  virtual void announce() noexcept = 0;

 private:
  std::vector<std::function<void()>> actions_;
};

}  // namespace v0
}  // namespace openindex
