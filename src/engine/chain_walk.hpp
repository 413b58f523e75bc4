// A walk over the stored audit entries of one stream, from the first to where its record says that the chain stands.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <openindex/storage/storage.hpp>
#include <openindex/work/audit_receipt.hpp>

namespace openindex::engine {

/// Sees the bytes of each entry in order; says what is wrong with them, if anything.
using Witness = std::function<std::optional<std::string>(std::uint64_t number, const std::string& body)>;

/// @returns whether entries stand behind the head.
/// @par Errors storage_corrupt (`broken_chain`), storage
Result<bool> walk_chain(Storage& storage, const AuditHead& head, const Witness& witness = {});

/// storage_corrupt at an entry of a chain: context `item` and `entry`.
Error broken_chain(const AuditHead& head, std::uint64_t entry, std::string what);

}  // namespace openindex::engine
