// Scans and counts: one statement each, along one index.
#pragma once

#include <openindex/storage/storage.hpp>

#include "adapters/postgres/connection.hpp"
#include "adapters/postgres/rows.hpp"

namespace openindex::postgres {

/// Whose transaction a scan runs in: one of its own may tell the planner to walk along the index.
enum class Transaction { own, of_the_host };

/// @par Errors as Storage::scan. The request has passed `check_scan`.
Result<ScanPage> scan(Connection& connection, const Statements& statements, const ScanRequest& request,
                      Transaction transaction);

/// @par Errors as Storage::count. The request has passed `check_selection`.
Result<std::uint64_t> count(Connection& connection, const Statements& statements, const CountRequest& request);

}  // namespace openindex::postgres
