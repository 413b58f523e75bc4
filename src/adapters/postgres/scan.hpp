// Scans and counts: one statement each, along one index.
#pragma once

#include <openindex/storage/storage.hpp>

#include "adapters/postgres/connection.hpp"

namespace openindex::postgres {

/// @par Errors as Storage::scan. The request has passed `check_scan`.
Result<ScanPage> scan(Connection& connection, const std::string& table, const ScanRequest& request);

/// @par Errors as Storage::count. The request has passed `check_selection`.
Result<std::uint64_t> count(Connection& connection, const std::string& table, const CountRequest& request);

}  // namespace openindex::postgres
