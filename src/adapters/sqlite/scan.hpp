// Scans and counts: walks along one index, looking up only the rows that match.
#pragma once

#include <openindex/storage/storage.hpp>

#include "adapters/sqlite/connection.hpp"

namespace openindex::sqlite {

/// @par Errors as Storage::scan
Result<ScanPage> scan(Connection& connection, const ScanRequest& request);

/// @par Errors as Storage::count
Result<std::uint64_t> count(Connection& connection, const CountRequest& request);

}  // namespace openindex::sqlite
