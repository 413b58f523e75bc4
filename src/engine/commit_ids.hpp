// Commit ids: minted before an attempt, so that its fate can be found out afterwards.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include <openindex/core/ids.hpp>
#include <openindex/core/random.hpp>

namespace openindex::engine {

/// Thread safety: all methods, from any threads.
class CommitIds {
 public:
  /// A new id each time. Minting from one random prefix costs a tenth of drawing each id.
  explicit CommitIds(RandomSource& random) : prefix_(mint_id(random, "c")), counts_(true) {}

  /// The same id each time: what is prepared apart lands in one commit.
  explicit CommitIds(const CommitId& only) : prefix_(only.str()), counts_(false) {}

  CommitId mint() { return counts_ ? CommitId(prefix_ + "." + std::to_string(++count_)) : CommitId(prefix_); }

 private:
  std::string prefix_;
  bool counts_;
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace openindex::engine
