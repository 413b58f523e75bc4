#include <openindex/testing/manual_clock.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

ManualClock::ManualClock(Time start) : wall_ms_(start.time_since_epoch().count()) {}
ManualClock::~ManualClock() = default;

Time ManualClock::now() const { return Time(Duration(wall_ms_.load())); }
Duration ManualClock::steady() const { return Duration(steady_ms_.load()); }

void ManualClock::advance(Duration by) noexcept {
  wall_ms_ += by.count();
  steady_ms_ += by.count();
}

void ManualClock::set_wall(Time to) noexcept { wall_ms_ = to.time_since_epoch().count(); }

}  // namespace testing
}  // namespace v0
}  // namespace openindex
