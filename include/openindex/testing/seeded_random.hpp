// SeededRandom: numbers that repeat from one seed. Never for secrets.
//
// `fork(label)` gives a stream of its own, so that one more draw in one place does not change the others.
// Thread safety: all methods, from any threads (the order of draws is then the threads').
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include <openindex/core/random.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

class OPENINDEX_API SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : seed_(seed), state_(seed) {}
  ~SeededRandom() override;

  void fill(std::span<std::byte> bytes) override;

  /// Return a stream that depends on this one's seed and the label only, not on what was drawn before.
  [[nodiscard]] std::unique_ptr<SeededRandom> fork(std::string_view label) const;

 private:
  std::uint64_t seed_;
  std::mutex mutex_;
  std::uint64_t state_;
};

}  // namespace testing
}  // namespace v0
}  // namespace openindex
