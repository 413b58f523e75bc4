// A disk that fails when told to: SQLite's own file functions, except that writes and syncs of the log can be refused.
#pragma once

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
};

}  // namespace openindex
