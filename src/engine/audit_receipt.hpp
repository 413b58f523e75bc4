// Writing audit receipts, and what the engine needs of reading them. The format: docs/audit.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <openindex/work/audit_receipt.hpp>

namespace openindex::engine {

/// Return the first line of a receipt.
std::string begin_receipt(const AuditHead& head);

/// Append the last line to the first and those of the entries, each with its line feed.
void end_receipt(std::string& receipt, const AuditHead& head);

/// Cut at the line feeds; behind the last one there is another line only if it is not empty.
std::vector<std::string_view> lines_of(std::string_view receipt);

}  // namespace openindex::engine
