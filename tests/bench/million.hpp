// Databases with a million items that wait, and claims from them.
#pragma once

#include <cstddef>
#include <filesystem>

#include <openindex/agent_queue.hpp>
#include <openindex/storage/storage.hpp>

#include "bench/figure.hpp"

namespace openindex::bench {

inline constexpr std::size_t million = 1'000'000;

/// How many free items a short queue has, and how many of them a pass claims, so that it stays a queue.
inline constexpr std::size_t short_queue = 1'000;
inline constexpr std::size_t claims_per_pass = 500;

/// Fill an empty storage with so many free items in the stage `intake` and, behind them, so many in the stage `review`.
/// They are as the engine writes them; their change sets are copies of one that it made, committed in bulk.
void fill_items(Storage& storage, std::size_t intake, std::size_t review);

/// Make a database file with such items.
void make_items(const std::filesystem::path& path, std::size_t intake, std::size_t review);

/// Return the database with a million items in `intake` and 20,000 in `review`; it is made at the first call.
std::filesystem::path million_items(const std::filesystem::path& folder);

/// Claim that many of the next items, until the round is full; how many that were. The first claim warms up. All are
/// given back when the watch has stopped.
std::size_t claim_some(WorkflowEngine& engine, const QueueFilter& filter, std::size_t count, Stopwatch& watch);

}  // namespace openindex::bench
