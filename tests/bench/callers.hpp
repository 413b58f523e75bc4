// Many callers at once, as threads of a host.
#pragma once

#include <cstddef>
#include <functional>

#include "bench/figure.hpp"

namespace openindex::bench {

/// Call with 0, 1, 2 … from that many threads until the numbers or the round are used up; return how many calls there
/// were. Only the time from the first call to the end of the last one counts. What a call throws ends the benchmark.
std::size_t run_callers(Stopwatch& watch, std::size_t callers, std::size_t count,
                        const std::function<void(std::size_t)>& call);

}  // namespace openindex::bench
