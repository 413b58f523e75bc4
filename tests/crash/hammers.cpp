#include "crash/hammers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace openindex::crash {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int longest_silence_ms = 60'000;

void become_hammer(int pipe, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"hammer", "--hammer", std::to_string(pipe)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> raw;
  for (auto& word : words) raw.push_back(word.data());
  raw.push_back(nullptr);
  execv("/proc/self/exe", raw.data());
  _exit(127);
}

}  // namespace

/// A process that hammers, and the pipe from it.
class Hammers::Process {
 public:
  explicit Process(const std::vector<std::string>& arguments) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) broken("a pipe can be made");
    child_ = fork();
    if (child_ == 0) {
      fcntl(ends[1], F_SETFD, 0);
      become_hammer(ends[1], arguments);
    }
    close(ends[1]);
    reports_ = ends[0];
  }
  ~Process() { close(reports_); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] int reports() const { return reports_; }

  /// @returns false at the end.
  bool read_one(Acknowledged& acknowledged) const {
    Report report;
    const auto size = read(reports_, &report, sizeof report);
    if (size != sizeof report) return false;
    acknowledged.add(report);
    return true;
  }

  void end(Acknowledged& acknowledged) const {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    while (read_one(acknowledged)) continue;
  }

 private:
  pid_t child_ = -1;
  int reports_ = -1;
};

Hammers::Hammers(Acknowledged& acknowledged) : acknowledged_(acknowledged) {}

Hammers::~Hammers() = default;

void Hammers::start(const std::vector<std::string>& arguments) {
  processes_.push_back(std::make_unique<Process>(arguments));
}

void Hammers::listen(SteadyTime until) {
  for (;;) {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    if (rest <= 0 || read_some(static_cast<int>(rest)) == 0) return;
  }
}

void Hammers::drain() {
  while (read_some(0) > 0) continue;
}

void Hammers::listen_for(int reports_count) {
  while (reports_count > 0) {
    const int read = read_some(longest_silence_ms);
    if (read == 0) broken("work resumes by itself");
    reports_count -= read;
  }
}

/// @returns how many reports; 0 when nobody has said anything in time.
int Hammers::read_some(int timeout_ms) {
  std::vector<pollfd> pipes;
  for (const auto& process : processes_) pipes.push_back({process->reports(), POLLIN, 0});
  if (poll(pipes.data(), pipes.size(), timeout_ms) <= 0) return 0;
  int count = 0;
  for (std::size_t i = 0; i < pipes.size(); ++i) {
    if (pipes[i].revents == 0) continue;
    if (!processes_[i]->read_one(acknowledged_)) broken("a process lives until it is killed");
    ++count;
  }
  return count;
}

void Hammers::kill_one() {
  processes_.back()->end(acknowledged_);
  processes_.pop_back();
}

}  // namespace openindex::crash
