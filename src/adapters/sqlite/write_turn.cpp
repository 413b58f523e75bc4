#include "adapters/sqlite/write_turn.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace openindex::sqlite {
namespace {

constexpr off_t far_behind_the_end = off_t{1} << 60;
constexpr std::chrono::microseconds pause{100};  // less than a fast commit

}  // namespace

WriteTurn::~WriteTurn() {
  if (descriptor_ >= 0) close(descriptor_);
}

/// The log may not be there yet, or be another file than before. Asking for its times, as fstat does, would have the
/// next write set them anew (Linux 6.13), and each commit write the inode to the disk as well.
bool WriteTurn::open_log() {
  struct statx found {};
  const bool known = descriptor_ >= 0 && statx(descriptor_, "", AT_EMPTY_PATH, STATX_NLINK, &found) == 0;
  if (known && found.stx_nlink > 0) return true;
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = open(log_.c_str(), O_RDWR | O_CLOEXEC);
  return descriptor_ >= 0;
}

bool WriteTurn::set_lock(short type) const {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = far_behind_the_end;
  lock.l_len = 1;
  return fcntl(descriptor_, F_OFD_SETLK, &lock) == 0;
}

bool WriteTurn::take(Duration timeout) {
  if (!open_log()) return true;
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (!set_lock(F_WRLCK)) {
    if (errno != EAGAIN && errno != EACCES) return true;  // a file system without such locks
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

void WriteTurn::give_back() {
  if (descriptor_ >= 0) (void)set_lock(F_UNLCK);
}

}  // namespace openindex::sqlite
