// Randomness as an injected interface: identifiers, jitter and nonces all draw from it.
//
// Implement it to make a run repeatable (`testing::SeededRandom` does). Called from any thread, concurrently; must not
// block for long and must not fail. Secrets and tokens need the system source: a seeded one is for tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <openindex/core/api.hpp>
#include <openindex/core/version.hpp>

namespace openindex {
inline namespace v0 {

class OPENINDEX_API RandomSource {
 public:
  RandomSource() = default;
  virtual ~RandomSource();
  RandomSource(const RandomSource&) = delete;
  RandomSource& operator=(const RandomSource&) = delete;

  /// Fill the whole span with uniformly distributed bytes.
  virtual void fill(std::span<std::byte> bytes) = 0;

  /// Draw one number, uniformly from all 64-bit values.
  [[nodiscard]] std::uint64_t next();
};

/// Return the operating system's source, fit for secrets; lives as long as the program.
OPENINDEX_API RandomSource& system_random();

/// Mint an identifier: the prefix, an underscore and 20 characters of base62 (119 bits).
OPENINDEX_API std::string mint_id(RandomSource& random, std::string_view prefix);

}  // namespace v0
}  // namespace openindex
