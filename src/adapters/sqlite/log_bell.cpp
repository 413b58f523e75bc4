#include "adapters/sqlite/log_bell.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>

namespace openindex::sqlite {
namespace {

constexpr std::uint32_t written = IN_MODIFY;
constexpr std::uint32_t rung = IN_CLOSE_NOWRITE;
constexpr std::uint32_t nothing = IN_DELETE_SELF;  // a watch wants at least one event; this one never comes

timespec rest_until(LogBell::SteadyTime until) {
  const auto rest = std::max(until - std::chrono::steady_clock::now(), LogBell::SteadyTime::duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(rest);
  return {static_cast<std::time_t>(seconds.count()),
          static_cast<long>(std::chrono::duration_cast<std::chrono::nanoseconds>(rest - seconds).count())};
}

}  // namespace

LogBell::~LogBell() {
  if (kernel_ >= 0) close(kernel_);
  if (poked_ >= 0) close(poked_);
}

/// Without the right to read, or without a log, the clock is left.
void LogBell::ring() noexcept {
  const int log = open(log_.c_str(), O_RDONLY | O_CLOEXEC);
  if (log >= 0) close(log);
}

bool LogBell::open_descriptors() noexcept {
  if (poked_ < 0) poked_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (kernel_ < 0) kernel_ = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  return poked_ >= 0 && kernel_ >= 0;
}

/// Watch by name every time: the log may be another file than when we watched last.
bool LogBell::watch_log(std::uint32_t events) noexcept {
  const int watch = inotify_add_watch(kernel_, log_.c_str(), events);
  if (watch_ >= 0 && watch != watch_) (void)inotify_rm_watch(kernel_, watch_);
  watch_ = watch;
  return watch_ >= 0;
}

void LogBell::listen() noexcept {
  const auto now = std::chrono::steady_clock::now();
  hears_ = open_descriptors() && watch_log(written | rung);
  next_look_ = SteadyTime::max();
  (void)read_news();  // of an earlier time
  if (!hears_ || log_was_written_lately()) expect_commit(now);
}

void LogBell::stop() noexcept {
  if (watch_ >= 0) (void)watch_log(nothing);
}

/// A commit that is being written while we begin to listen is told of by nothing but the age of what it wrote.
bool LogBell::log_was_written_lately() const noexcept {
  struct stat found {};
  if (stat(log_.c_str(), &found) != 0) return true;
  const auto age = std::chrono::seconds(std::time(nullptr) - found.st_mtim.tv_sec);
  return age <= periods_.last;
}

void LogBell::expect_commit(SteadyTime now) noexcept {
  pause_ = periods_.first;
  next_look_ = now + pause_;
}

/// @returns whether the log was written to.
bool LogBell::read_news() noexcept {
  bool is_written = false;
  alignas(inotify_event) std::array<char, 4096> news;
  for (;;) {
    const auto size = read(kernel_, news.data(), news.size());
    if (size <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event;
      std::memcpy(&event, news.data() + at, sizeof event);
      is_written = is_written || (event.mask & (written | IN_Q_OVERFLOW)) != 0;
      at += sizeof event + event.len;
    }
  }
  std::uint64_t pokes = 0;
  (void)!read(poked_, &pokes, sizeof pokes);
  return is_written;
}

void LogBell::sleep(SteadyTime until) noexcept {
  const auto rest = rest_until(std::min(until, next_look_));
  std::array<pollfd, 2> descriptors{};
  nfds_t count = 0;
  if (poked_ >= 0) descriptors[count++] = {poked_, POLLIN, 0};
  if (hears_) descriptors[count++] = {kernel_, POLLIN, 0};
  (void)ppoll(descriptors.data(), count, &rest, nullptr);
  const auto now = std::chrono::steady_clock::now();
  const bool is_written = read_news();
  if (is_written || !hears_) {
    expect_commit(now);
  } else if (now >= next_look_) {
    pause_ *= 4;
    next_look_ = pause_ > periods_.last ? SteadyTime::max() : now + pause_;
  }
}

void LogBell::poke() noexcept {
  const std::uint64_t one = 1;
  (void)!write(poked_, &one, sizeof one);
}

}  // namespace openindex::sqlite
