// Time as an injected interface: the core reads no clock of its own.
//
// Implement it to control time in tests (`testing::ManualClock` does). Called from any thread, concurrently; must not
// block and must not fail. `now()` may jump when somebody sets the machine's clock; `steady()` never goes back.
// Deadlines that are stored use `now()`; delays inside one process use `steady()`.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <openindex/core/api.hpp>
#include <openindex/core/version.hpp>

namespace openindex {
inline namespace v0 {

using Duration = std::chrono::milliseconds;
using Time = std::chrono::sys_time<std::chrono::milliseconds>;  ///< Wall time, UTC, milliseconds.

class OPENINDEX_API Clock {
 public:
  Clock() = default;
  virtual ~Clock();
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  [[nodiscard]] virtual Time now() const = 0;         ///< Wall time.
  [[nodiscard]] virtual Duration steady() const = 0;  ///< Time since an arbitrary start; never goes back.
};

/// Return the machine's clock; lives as long as the program.
OPENINDEX_API Clock& system_clock();

/// Format as RFC 3339 in UTC with milliseconds, `2026-11-22T10:02:00.250Z`.
OPENINDEX_API std::string to_rfc3339(Time time);

/// Read RFC 3339 with any offset; nullopt when the text is not one.
OPENINDEX_API std::optional<Time> parse_rfc3339(std::string_view text);

}  // namespace v0
}  // namespace openindex
