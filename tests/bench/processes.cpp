#include "bench/processes.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "bench/figure.hpp"

namespace openindex::bench {
namespace {

using Work = std::function<std::vector<double>(std::size_t)>;

class Pipe {
 public:
  Pipe() {
    if (pipe(ends_.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  }
  ~Pipe() {
    for (const int end : ends_) close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void write_all(const void* bytes, std::size_t size) const {
    for (const auto* next = static_cast<const char*>(bytes); size > 0;) {
      const auto written = write(ends_[1], next, size);
      if (written <= 0) throw std::system_error(errno, std::generic_category(), "writing to a pipe");
      next += written;
      size -= static_cast<std::size_t>(written);
    }
  }
  void read_all(void* bytes, std::size_t size) const {
    for (auto* next = static_cast<char*>(bytes); size > 0;) {
      const auto found = read(ends_[0], next, size);
      if (found <= 0) throw std::runtime_error("a process of the benchmark died");
      next += found;
      size -= static_cast<std::size_t>(found);
    }
  }
  void close_writing() {
    close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{};
};

/// The whole life of a process; never returns, since what the parent owns is not its own to destroy.
[[noreturn]] void live(const Pipe& pipe, std::size_t number, const Work& work) {
  try {
    const auto told = work(number);
    const std::size_t count = told.size();
    pipe.write_all(&count, sizeof count);
    pipe.write_all(told.data(), count * sizeof(double));
    _exit(0);
  } catch (const BadResult& error) {
    std::fprintf(stderr, "a process failed: %s\n", error.error().describe().c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "a process failed: %s\n", error.what());
  }
  _exit(1);
}

/// A process that ends with its parent, however that ends.
class Process {
 public:
  Process(std::size_t number, const Work& work) : child_(fork()) {
    if (child_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      live(pipe_, number, work);
    }
    pipe_.close_writing();
  }
  ~Process() {
    kill(child_, SIGKILL);  // it has told everything, or one of them has failed
    waitpid(child_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] std::vector<double> hear() const {
    std::size_t count = 0;
    pipe_.read_all(&count, sizeof count);
    std::vector<double> told(count);
    pipe_.read_all(told.data(), count * sizeof(double));
    return told;
  }

 private:
  Pipe pipe_;
  pid_t child_;
};

}  // namespace

std::vector<std::vector<double>> in_processes(std::size_t count, const Work& work) {
  std::vector<std::unique_ptr<Process>> processes;
  while (processes.size() < count) processes.push_back(std::make_unique<Process>(processes.size(), work));
  std::vector<std::vector<double>> told;
  for (const auto& process : processes) told.push_back(process->hear());
  return told;
}

}  // namespace openindex::bench
