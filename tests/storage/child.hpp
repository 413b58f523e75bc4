// A child process. It is made before this process opens the database: SQLite's connections must not be carried across a
// fork.
#pragma once

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace openindex {

/// A child process that starts when told to and writes numbers to its parent.
class Child {
 public:
  /// How the child talks to its parent.
  class Report {
   public:
    Report(int go, int back) : go_(go), back_(back) {}
    void operator()(int number) const { (void)!::write(back_, &number, sizeof number); }
    /// @returns false when the parent has gone.
    [[nodiscard]] bool wait_for_go() const {
      char byte = 0;
      return read(go_, &byte, 1) == 1;
    }

   private:
    int go_;
    int back_;
  };

  explicit Child(const std::function<int(const Report&)>& work) {
    int go[2];
    int back[2];
    REQUIRE(pipe(go) == 0);
    REQUIRE(pipe(back) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      close(go[1]);
      const Report report(go[0], back[1]);
      _exit(report.wait_for_go() ? work(report) : 1);
    }
    close(go[0]);
    close(back[1]);
    go_ = go[1];
    reports_ = back[0];
  }
  ~Child() {
    close(go_);
    close(reports_);
    if (!ended_) kill_and_wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Let the child go on: it starts, or returns from `wait_for_go`.
  void go() { REQUIRE(::write(go_, "g", 1) == 1); }

  /// Read the next number; false at the end.
  bool next(int& number) { return read(reports_, &number, sizeof number) == sizeof number; }

  void kill_and_wait() {
    kill(pid_, SIGKILL);
    wait();
  }

  int wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int go_ = -1;
  int reports_ = -1;
  bool ended_ = false;
};

}  // namespace openindex
