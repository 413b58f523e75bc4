#include "bench/disk.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "bench/figures.hpp"

namespace openindex::bench {
namespace {

[[noreturn]] void fail(const std::string& doing) { throw std::system_error(errno, std::generic_category(), doing); }

/// A file that is open for writing.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags) : number_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (number_ < 0) fail("opening " + path.string());
  }
  ~Descriptor() { close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

/// One page at the end of a growing file, then fdatasync: the least that a durable write can cost here.
double sync_rate(const std::filesystem::path& folder) {
  const auto path = folder / "synced";
  double count = 0;
  Stopwatch watch;
  {
    const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
    const std::array<char, 4096> page{'o'};
    watch.start();
    do {
      if (write(file.number(), page.data(), page.size()) != static_cast<ssize_t>(page.size())) fail("writing a page");
      if (fdatasync(file.number()) != 0) fail("fdatasync");
      ++count;
    } while (!watch.full());
    watch.stop();
  }
  std::filesystem::remove(path);
  return count / watch.seconds();
}

}  // namespace

bool is_on_disk(const std::filesystem::path& folder) {
  struct statfs found {};
  if (statfs(folder.c_str(), &found) != 0 || access(folder.c_str(), W_OK) != 0) return false;
  return found.f_type != TMPFS_MAGIC && found.f_type != RAMFS_MAGIC;
}

std::optional<std::filesystem::path> default_folder() {
  const char* named = getenv("TMPDIR");
  if (named != nullptr && is_on_disk(named)) return named;
  auto current = std::filesystem::current_path();
  if (is_on_disk(current)) return current;
  return std::nullopt;
}

TemporaryFolder::TemporaryFolder(const std::filesystem::path& parent) {
  std::string name = (std::filesystem::absolute(parent) / "openindex-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) fail("making a folder in " + parent.string());
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void copy_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
  const Descriptor copy(to, O_RDWR);
  if (fsync(copy.number()) != 0) fail("syncing " + to.string());
}

void remove_database(const std::filesystem::path& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path.string() + suffix);
}

std::vector<Figure> disk_figures() {
  return {{.name = "disk.fdatasync", .unit = "per second", .on_disk = true, .prepare = [](const Place& place) {
             return Rounds{.value = [folder = place.folder] { return sync_rate(folder); }};
           }}};
}

}  // namespace openindex::bench
