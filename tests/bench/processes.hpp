// Many processes at once, as hosts that share a database.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace openindex::bench {

/// Let that many new processes work, each with its number from 0, and return what each has to tell. No database may be
/// open in this process, and no thread be at work. A process that fails ends the benchmark.
std::vector<std::vector<double>> in_processes(std::size_t count,
                                              const std::function<std::vector<double>(std::size_t)>& work);

}  // namespace openindex::bench
