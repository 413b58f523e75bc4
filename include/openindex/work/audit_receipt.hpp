// Audit receipts: proof of an item's history, to be kept where the storage's owner cannot reach it.
//
// `WorkflowEngine::export_receipt` writes one; these functions check it without engine or storage, and so does
// docs/verify_receipt.py. What a receipt proves, and its format to the byte: docs/audit.md. A sealed head is the short
// form: where the chain stood, under a key that whoever can write the storage does not have.
//
// Thread safety: pure functions and plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <openindex/core/api.hpp>
#include <openindex/core/result.hpp>

namespace openindex {
inline namespace v0 {

/// Where the chain of one stream of audit entries stands, or stood.
struct AuditHead {
  std::string stream = {};  ///< Item key.
  std::uint64_t count = 0;  ///< Number of the last entry.
  std::string digest = {};  ///< Hex SHA-256 of the last entry's stored bytes; empty when there is none.

  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

/// Check a receipt by itself: every byte is as it was written, no line is missing, added or in another place.
/// Whoever can write a whole receipt anew can make a sound one: compare its head with one you trust.
/// @par Errors receipt_broken (context `line`, from 1, and if it is an entry's line `entry`: where, and what is wrong)
OPENINDEX_API Result<AuditHead> verify_receipt(std::string_view receipt);

/// Write a head as one line of JSON that only holders of the key can make: HMAC-SHA256. `HostKey::bytes()` will do.
/// @pre `head.stream` is UTF-8
OPENINDEX_API std::string seal_head(const AuditHead& head, std::span<const std::byte, 32> key);

/// Read a sealed head. @par Errors receipt_broken (changed, cut off, or sealed with another key)
OPENINDEX_API Result<AuditHead> open_sealed_head(std::string_view line, std::span<const std::byte, 32> key);

}  // namespace v0
}  // namespace openindex
