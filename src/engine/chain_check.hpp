// Follows the chain of one stream's audit entries and tells which one is not as it was written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/audit_chain.hpp"

namespace openindex::engine {

/// What is wrong with a chain: the first thing, or the one that explains the others.
struct ChainFault {
  std::uint64_t entry = 0;
  std::string what;
};

class ChainCheck {
 public:
  /// Take the bytes of the next entry. False: they are no entry of this number, and the chain cannot be followed on.
  bool take(std::string_view body);

  /// Compare with where the chain should have led. Call once, after the last `take`.
  std::optional<ChainFault> finish(const ChainHead& head);

 private:
  std::uint64_t count_ = 0;
  std::string digest_;
  std::uint64_t changed_ = 0;  ///< The last entry whose bytes are not what the next one says; 0: none so far.
  bool lost_ = false;
};

}  // namespace openindex::engine
