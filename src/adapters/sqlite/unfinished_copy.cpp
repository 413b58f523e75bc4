#include "adapters/sqlite/unfinished_copy.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace openindex::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr const char* copy_name = "copy";

int open_folder(const fs::path& folder) {
  return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

enum class Lock { taken, taken_by_others, unknown };

/// The kernel gives it back when the process dies.
Lock lock(int folder) {
  if (flock(folder, LOCK_EX | LOCK_NB) == 0) return Lock::taken;
  return errno == EWOULDBLOCK ? Lock::taken_by_others : Lock::unknown;  // a file system without such locks
}

bool is_still_there(const fs::path& folder, int descriptor) {
  struct stat by_name {};
  struct stat opened {};
  return stat(folder.c_str(), &by_name) == 0 && fstat(descriptor, &opened) == 0 && by_name.st_dev == opened.st_dev &&
         by_name.st_ino == opened.st_ino;
}

/// Anything that is not ours stays, and the folder with it.
void remove_folder(const fs::path& folder, int descriptor) {
  const auto journal = std::string(copy_name) + "-journal";
  unlinkat(descriptor, copy_name, 0);
  unlinkat(descriptor, journal.c_str(), 0);
  rmdir(folder.c_str());
}

fs::path next_folder(const fs::path& to) {
  static std::atomic<unsigned> count = 0;
  return to.string() + ".part-" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Tell whether it is called like a folder of `UnfinishedCopy`.
bool is_called_like_one(const fs::path& folder, const fs::path& to) {
  const auto name = folder.filename().string();
  const auto start = to.filename().string() + ".part-";
  if (name.compare(0, start.size(), start) != 0) return false;
  const auto numbers = std::string_view(name).substr(start.size());
  const auto dash = numbers.find('-');
  return dash != numbers.npos && is_number(numbers.substr(0, dash)) && is_number(numbers.substr(dash + 1));
}

Error failed(const fs::path& folder, int error) {
  const bool is_closed = error == EACCES || error == EPERM || error == EROFS;
  const bool is_full = error == ENOSPC || error == EDQUOT;
  const auto code = is_closed ? errc::storage_read_only : is_full ? errc::storage_full : errc::storage_failed;
  return Error(code)
      .with("doing", "making a folder for the copy")
      .with("path", folder.string())
      .with("system", std::generic_category().message(error));
}

}  // namespace

/// Whoever removes what is abandoned may take a folder for that between its making and its locking: then the next one.
Result<UnfinishedCopy> UnfinishedCopy::make(const fs::path& to) {
  for (;;) {
    auto folder = next_folder(to);
    if (mkdir(folder.c_str(), 0700) != 0) {
      if (errno == EEXIST) continue;
      return failed(folder, errno);
    }
    UnfinishedCopy made(std::move(folder), -1);
    made.descriptor_ = open_folder(made.folder_);
    if (made.descriptor_ < 0 && errno != ENOENT) return failed(made.folder_, errno);
    if (made.descriptor_ < 0 || lock(made.descriptor_) == Lock::taken_by_others) continue;
    if (is_still_there(made.folder_, made.descriptor_)) return made;
  }
}

UnfinishedCopy::~UnfinishedCopy() {
  if (descriptor_ < 0) {
    if (!folder_.empty()) rmdir(folder_.c_str());
    return;
  }
  remove_folder(folder_, descriptor_);
  close(descriptor_);
}

fs::path UnfinishedCopy::file() const { return folder_ / copy_name; }

void remove_abandoned_copies(const fs::path& to) {
  std::error_code failed;
  fs::directory_iterator entries(to.parent_path(), failed);
  for (; !failed && entries != fs::directory_iterator(); entries.increment(failed)) {
    const auto& folder = entries->path();
    if (!is_called_like_one(folder, to)) continue;
    const int descriptor = open_folder(folder);
    if (descriptor < 0) continue;
    if (lock(descriptor) == Lock::taken) remove_folder(folder, descriptor);
    close(descriptor);
  }
}

}  // namespace openindex::sqlite
