// Folders on a disk: benchmarks of durable writes mean nothing on a file system in memory.
#pragma once

#include <filesystem>
#include <optional>

namespace openindex::bench {

/// Tell whether the folder can be written to and its file system is not in memory.
bool is_on_disk(const std::filesystem::path& folder);

/// Choose $TMPDIR, or else the current folder; nullopt when neither is on a disk.
std::optional<std::filesystem::path> default_folder();

/// A fresh folder inside another, removed at the end.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& parent);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// Copy a file and have the copy on the disk, so that nobody's later fsync pays for it.
void copy_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// Remove a database and what SQLite keeps beside it. Only while nobody has it open.
void remove_database(const std::filesystem::path& path);

}  // namespace openindex::bench
