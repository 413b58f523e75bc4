// A disk that remembers what was synced, and when: SQLite's own file functions, with a journal of all they were told.
//
// What a power cut would have left at any moment is worked out from the journal afterwards, so that one run of a
// workload is cut everywhere. Nothing is really synced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace openindex {

/// One thing that happened to the disk, or that the workload noted in between.
struct DiskStep {
  enum class Kind : std::uint8_t { create, write, truncate, sync, sync_folder, remove, remove_durably, note };
  Kind kind = Kind::note;
  std::string file = {};    ///< The file's name, without its folder.
  std::int64_t offset = 0;  ///< Of a write; the new size for a truncation; the number that was noted.
  std::string bytes = {};
};

/// While one exists, every database that is opened goes through it. One at a time.
class ForgetfulDisk {
 public:
  ForgetfulDisk();
  ~ForgetfulDisk();
  ForgetfulDisk(const ForgetfulDisk&) = delete;
  ForgetfulDisk& operator=(const ForgetfulDisk&) = delete;

  /// Put a number of the workload's own into the journal.
  void note(std::int64_t number);

  /// Return the journal, and keep none from now on.
  std::vector<DiskStep> take_journal();
};

/// What is on the disk, step by step.
class Platter {
 public:
  void apply(const DiskStep& step);

  /// Return the files as a power cut leaves them now: what was synced, and of every sector that was written since,
  /// those for which `survives` says so.
  [[nodiscard]] std::map<std::string, std::string> cut(const std::function<bool()>& survives) const;

 private:
  struct File {
    std::string synced = {};
    bool is_synced = false;  ///< Its name is on the disk.
    bool is_removed = false;
    std::vector<DiskStep> pending = {};
  };
  std::map<std::string, File> files_;
};

}  // namespace openindex
