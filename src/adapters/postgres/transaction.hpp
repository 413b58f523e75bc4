// One attempt to commit a group of change sets: read and lock what they name, check, write.
//
// Two round trips: the first begins and locks every record that is there, in the same order for everybody; between the
// two all expectations are checked here; the second writes and commits. A record that was not there cannot be locked:
// inserting it finds out whether somebody else has done so meanwhile, and then the server executes nothing behind the
// failure, the COMMIT included.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <openindex/storage/storage.hpp>

#include "adapters/postgres/connection.hpp"
#include "adapters/postgres/rows.hpp"
#include "storage/commit_queue.hpp"

namespace openindex::postgres {

/// What stands around the statements of a group: a transaction of its own, or a savepoint in somebody else's.
struct Bracket {
  std::vector<Command> begin = {};
  Statement commit = {};
  std::string_view commit_tag = {};  ///< What the server says to it when it did it.
  std::vector<Command> after = {};   ///< Sent along behind the commit; may fail.
  std::vector<Command> undo = {};
  bool waits_for_locks = true;  ///< Or answers sets that name a locked record with `locked`, and writes the others.
};

/// What an attempt came to.
enum class Outcome {
  answered,   ///< Every entry has its result.
  failed,     ///< Nothing was written; `Attempt::error` says why.
  cut_short,  ///< The connection was lost before the commit was asked for: nothing was written.
  unknown,    ///< The connection was lost after that. Results are what they are if it was done.
  declined,   ///< The records were locked, and the set that must go through does not: nothing was written.
};

struct Attempt {
  Outcome outcome = Outcome::answered;
  std::optional<Error> error = {};
  bool wrote = false;
  std::optional<std::int64_t> counted = {};  ///< What the first command of `Bracket::after` answered.
};

/// Commit a group inside a bracket. `connection` is left outside of the bracket, or is lost. Where `must_go_through` is
/// given, the group is only written when this set is written with it.
Attempt attempt(Connection& connection, const Statements& statements, const Bracket& bracket,
                std::span<const storage::Entry> entries, const storage::Entry* must_go_through = nullptr);

}  // namespace openindex::postgres
