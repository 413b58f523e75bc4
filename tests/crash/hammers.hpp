// Processes that hammer one storage at the same time, and the end of them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "crash/acknowledged.hpp"

namespace openindex::crash {

class Hammers {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  explicit Hammers(Acknowledged& acknowledged);
  ~Hammers();

  /// Start this program once more, as `--hammer <pipe> <arguments>...`.
  void start(const std::vector<std::string>& arguments);

  [[nodiscard]] bool empty() const { return processes_.empty(); }

  /// Note what is reported until a moment.
  void listen(SteadyTime until);

  /// Note what has been reported.
  void drain();

  /// Note so many reports; broken if they do not come.
  void listen_for(int reports_count);

  /// Kill one with -9, and note what it had still to say.
  void kill_one();

 private:
  class Process;

  int read_some(int timeout_ms);

  Acknowledged& acknowledged_;
  std::vector<std::unique_ptr<Process>> processes_;
};

}  // namespace openindex::crash
