// A database with a million items that wait, made once for all figures that need one.
#pragma once

#include <cstddef>
#include <filesystem>

namespace openindex::bench {

inline constexpr std::size_t million = 1'000'000;

/// Make a database with so many free items in the stage `intake` and, behind them, so many in the stage `review`. They
/// are as the engine writes them; their change sets are copies of one that it made, committed in bulk.
void make_items(const std::filesystem::path& path, std::size_t intake, std::size_t review);

/// Return the database with a million items in `intake` and 20,000 in `review`; it is made at the first call.
std::filesystem::path million_items(const std::filesystem::path& folder);

}  // namespace openindex::bench
