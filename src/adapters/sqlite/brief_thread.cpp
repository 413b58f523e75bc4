#include "adapters/sqlite/brief_thread.hpp"

#include <pthread.h>

#include <csignal>
#include <system_error>
#include <utility>

namespace openindex::sqlite {
namespace {

/// Signals of the host are for its own threads: those that begin meanwhile take none.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

bool BriefThread::start(std::function<void()> work) {
  if (working_) return false;
  wait();
  working_ = true;
  try {
    const SignalsBlocked during;
    thread_ = std::thread([this, work = std::move(work)] {
      work();
      working_ = false;
    });
  } catch (const std::system_error&) {
    working_ = false;
    return false;
  }
  return true;
}

void BriefThread::wait() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace openindex::sqlite
