#include <openindex/adapters/secret_folders.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace openindex {
inline namespace v0 {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t bytes_max = 65'536;

// Both in their normal form.
bool lies_in(const fs::path& path, const fs::path& folder) {
  const auto [in_folder, in_path] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return in_folder == folder.end() && in_path != path.end();
}

// A path that says what it means: absolute, without `.`, `..` and doubled slashes.
bool is_plain(const fs::path& path) {
  return path.is_absolute() && path.has_filename() && path.native() == path.lexically_normal().native();
}

Error unreadable(std::string_view path, const std::string& why) {
  return Error(errc::secret_unreadable, "A file that a configuration names cannot be read: " + why).with("path", path);
}

Result<std::string> read_all(const fs::path& path, std::string_view named) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) return unreadable(named, std::generic_category().message(errno));
  std::string text(bytes_max + 1, '\0');
  std::size_t size = 0;
  struct stat about {};
  const bool is_file = ::fstat(file, &about) == 0 && S_ISREG(about.st_mode);
  int failed = 0;
  while (is_file && failed == 0 && size < text.size()) {
    const auto got = ::read(file, text.data() + size, text.size() - size);
    if (got == 0) break;
    if (got > 0) size += static_cast<std::size_t>(got);
    if (got < 0 && errno != EINTR) failed = errno;
  }
  ::close(file);
  if (!is_file) return unreadable(named, "it is no regular file");
  if (failed != 0) return unreadable(named, std::generic_category().message(failed));
  if (size > bytes_max) return unreadable(named, "it is longer than 65536 bytes");
  text.resize(size);
  return text;
}

}  // namespace

SecretFolders::SecretFolders(std::vector<std::string> folders) : folders_(std::move(folders)) {
  for (std::string& folder : folders_) {
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  }
}

SecretFolders::~SecretFolders() = default;

bool SecretFolders::allows(std::string_view path) const {
  const fs::path named(path);
  return path.size() <= 4096 && is_plain(named) &&
         std::any_of(folders_.begin(), folders_.end(),
                     [&](const fs::path& folder) { return is_plain(folder) && lies_in(named, folder); });
}

Result<std::string> SecretFolders::read(std::string_view path) {
  if (!allows(path)) return unreadable(path, "the host does not allow it");
  std::error_code failed;
  const fs::path real = fs::canonical(fs::path(path), failed);
  if (failed) return unreadable(path, failed.message());
  const bool inside = std::any_of(folders_.begin(), folders_.end(), [&](const fs::path& folder) {
    std::error_code missing;
    const fs::path base = fs::canonical(folder, missing);
    return !missing && lies_in(real, base);
  });
  if (!inside) return unreadable(path, "it leads out of the folders that the host allows");
  auto text = read_all(real, path);
  if (!text) return text;
  if (text->ends_with('\n')) text->pop_back();
  if (text->ends_with('\r')) text->pop_back();
  if (text->empty()) return unreadable(path, "it is empty");
  return text;
}

}  // namespace v0
}  // namespace openindex
