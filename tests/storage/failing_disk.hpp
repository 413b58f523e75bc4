// A disk that fails when told to: SQLite's own file functions, except that writes and syncs can be refused. Nothing is
// really synced.
#pragma once

#include <cstdint>

namespace openindex {

/// While one exists, every database that is opened goes through it.
class FailingDisk {
 public:
  FailingDisk();
  ~FailingDisk();
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;

  /// Answer every write, or every sync, of a log with this SQLite code; SQLITE_OK: let them through.
  void fail_writes(int code);
  void fail_syncs(int code);

  /// One call to come, of any file of a database.
  struct Fault {
    enum class Call : std::uint8_t { write, sync };
    Call call = Call::write;
    int number = 1;         ///< Which of these calls, counted from now on.
    int code = 0;           ///< What it answers.
    bool is_short = false;  ///< Half of it is written nevertheless.
  };
  void fail_once(const Fault& fault);

  /// Tell whether it has come to that.
  [[nodiscard]] bool has_failed() const;
};

}  // namespace openindex
