// CallOptions: what may come along with any call that changes something.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>

#include <openindex/core/version.hpp>

namespace openindex {
inline namespace v0 {

struct CallOptions {
  /// The epoch the caller believes it holds; refused with `hold_lost` when another one counts. 0: none.
  std::uint64_t fence = 0;
  /// The same key with the same request, by the same actor, gives the same accepted answer again, and changes nothing a
  /// second time; with another request it is refused with `idempotency_conflict`. A refusal is not remembered. An
  /// answer is remembered for 24 hours. At most 200 bytes; empty: none.
  std::string idempotency_key = {};
};

}  // namespace v0
}  // namespace openindex
