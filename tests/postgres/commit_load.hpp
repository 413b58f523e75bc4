// Commits by several threads, each a state record and an audit entry, and what of them was acknowledged.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "postgres/postgres_server.hpp"
#include "storage/test_records.hpp"

namespace openindex {

/// Commit by several threads until told to stop, and remember what was acknowledged.
class CommitLoad {
 public:
  CommitLoad(Storage& storage, int threads_count) {
    for (int thread = 0; thread < threads_count; ++thread) {
      threads_.emplace_back([this, &storage, thread] { run(storage, thread); });
    }
  }
  ~CommitLoad() { stop(); }

  /// Wait until so many more were acknowledged. @returns false when they were not in time.
  bool wait_for_more(int count, Duration within = std::chrono::hours(1)) const {
    const int before = count_;
    const auto until = std::chrono::steady_clock::now() + within;
    while (count_ < before + count) {
      if (std::chrono::steady_clock::now() >= until) return false;
      std::this_thread::yield();
    }
    return true;
  }

  void stop() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  /// How many of the acknowledged are not among these.
  [[nodiscard]] int missing_from(const std::set<std::string>& found) const {
    int missing = 0;
    for (const auto& name : acknowledged_) missing += found.count(name) == 0 ? 1 : 0;
    return missing;
  }

 private:
  void run(Storage& storage, int thread) {
    for (int i = 0; !stop_; ++i) {
      const auto name = std::to_string(thread) + "." + std::to_string(i);
      auto changes = test_put("state/" + name);
      changes.appends = {{test_record("audit/" + name), "{}", {}}};
      if (!commit_one(storage, changes)) continue;
      const std::lock_guard lock(mutex_);
      acknowledged_.insert(name);
      ++count_;
    }
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int> count_ = 0;
  std::mutex mutex_;
  std::set<std::string> acknowledged_;
  std::vector<std::thread> threads_;
};

inline std::set<std::string> names_in(PlainPostgres& psql, const std::string& prefix,
                                      const std::string& schema = "openindex") {
  const auto keys = psql.column("SELECT substr(key, 7) FROM " + schema + ".records WHERE key LIKE '" + prefix + "/%'");
  return {keys.begin(), keys.end()};
}

}  // namespace openindex
