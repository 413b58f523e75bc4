// Counts what this program takes from the heap and gives back, for each thread by itself.
#pragma once

#include <cstddef>

namespace openindex::tests {

struct CountedMemory {
  std::size_t taken = 0;  ///< Blocks.
  std::size_t given_back = 0;
  std::size_t bytes_taken = 0;
};

/// The counts since the calling thread began.
CountedMemory counted_memory() noexcept;

}  // namespace openindex::tests
