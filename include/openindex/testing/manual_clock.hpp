// ManualClock: time that stands still until the test moves it.
//
// Thread safety: all methods, from any threads.
#pragma once

#include <atomic>

#include <openindex/core/clock.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

class OPENINDEX_API ManualClock final : public Clock {
 public:
  /// Start at 2026-01-01T00:00:00Z unless told otherwise.
  explicit ManualClock(Time start = Time(Duration(1'767'225'600'000)));
  ~ManualClock() override;

  [[nodiscard]] Time now() const override;
  [[nodiscard]] Duration steady() const override;

  /// Move both readings forward.
  void advance(Duration by) noexcept;

  /// Set the wall time, as an operator or NTP would: `steady()` does not move.
  void set_wall(Time to) noexcept;

 private:
  std::atomic<std::int64_t> wall_ms_;
  std::atomic<std::int64_t> steady_ms_{0};
};

}  // namespace testing
}  // namespace v0
}  // namespace openindex
