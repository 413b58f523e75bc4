// A process that hammers a database until it is killed, and tells its parent of every change that was acknowledged.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace openindex::crash {

/// One change that was acknowledged; small enough that a pipe takes it whole.
struct Report {
  enum class What : std::uint8_t {
    item,     ///< Step `number` of the item `name`: 1 created, 2 claimed, 3 and 4 gates, 5 completed.
    journal,  ///< Step `number` of the run `name`, which counts from 1.
    failure,  ///< A call failed that should not; `name` begins with the error's text.
  };
  What what = What::item;
  std::uint64_t number = 0;
  std::array<char, 200> name = {};
};

/// How many steps the life of an item has.
inline constexpr std::uint64_t life_steps_count = 5;

struct HammerOptions {
  std::string database = {};
  int pipe = -1;             ///< Where the reports go.
  std::string process = {};  ///< A name that no other process on this database has.
  bool concurrent_checkpoints = false;
};

/// Never returns but by a failure.
int hammer(const HammerOptions& options);

}  // namespace openindex::crash
