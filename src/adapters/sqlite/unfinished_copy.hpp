// Where a copy of the database is written until it is whole and gets its name; and what is left of copies whose
// process has died.
#pragma once

#include <filesystem>
#include <utility>

#include <openindex/core/result.hpp>

namespace openindex::sqlite {

/// A file in a folder of its own beside the place where it shall go, `<to>.part-<process>-<number>`. The folder is
/// removed at the end.
///
/// As long as it is in use, this process has the folder locked. The lock is the folder's, not the file's: closing a
/// descriptor of a database drops the locks that SQLite has on it (and the copy, once it has its name, may be opened
/// before we are done here).
class UnfinishedCopy {
 public:
  /// @par Errors storage_read_only, storage_full, storage_failed
  static Result<UnfinishedCopy> make(const std::filesystem::path& to);
  UnfinishedCopy(UnfinishedCopy&& other) noexcept
      : folder_(std::exchange(other.folder_, {})), descriptor_(std::exchange(other.descriptor_, -1)) {}
  ~UnfinishedCopy();

  [[nodiscard]] std::filesystem::path file() const;

 private:
  UnfinishedCopy(std::filesystem::path folder, int descriptor) : folder_(std::move(folder)), descriptor_(descriptor) {}

  std::filesystem::path folder_;
  int descriptor_;
};

/// Remove what dead processes have left of copies to this place. What may be in use is left alone: whose folder is
/// locked, or cannot be. Never fails.
void remove_abandoned_copies(const std::filesystem::path& to);

}  // namespace openindex::sqlite
