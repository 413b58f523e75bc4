// A process that hammers a storage until it is killed, and tells its parent of every change that was acknowledged.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <openindex/storage/storage.hpp>

namespace openindex::crash {

/// One change that was acknowledged; small enough that a pipe takes it whole.
struct Report {
  enum class What : std::uint8_t {
    item,     ///< Step `number` of the item `name`: 1 created, 2 claimed, 3 and 4 gates, 5 completed.
    journal,  ///< Step `number` of the run `name`, which counts from 1.
    failure,  ///< A call failed with the code `number`; `name` begins with the error's text. The process ends.
  };
  What what = What::item;
  std::uint64_t number = 0;
  std::array<char, 400> name = {};
};

/// How many threads hammer in one process; each has one call under way.
inline constexpr int threads_count = 3;

/// How many steps the life of an item has.
inline constexpr std::uint64_t life_steps_count = 5;

using OpenStorage = std::function<Result<std::unique_ptr<Storage>>()>;

/// Hammer what `open` opens. Reports go to `pipe`; `process` is a name that no other process on this storage has.
/// Never returns but by a failure.
int hammer(const OpenStorage& open, int pipe, const std::string& process);

}  // namespace openindex::crash
