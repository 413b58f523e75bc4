// Every audit chain of a storage: those of items, workflows, domains, providers and prompts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <openindex/storage/storage.hpp>

namespace openindex::engine {

/// What is known after all chains were walked.
struct ChainsFound {
  std::uint64_t chain_count = 0;
  std::uint64_t entry_count = 0;
  std::uint64_t broken_count = 0;
  std::vector<Problem> problems;  ///< Of each broken chain one, `/<stream>/<entry>`; at most `problems_max`.

  static constexpr std::size_t problems_max = 1000;
};

/// Which streams to look at; empty: all. @par Errors storage
using ChosenStreams = std::function<Result<bool>(const std::string& stream)>;

/// Walk every chain, a page at a time, while others may write. A broken chain is told, and the next one walked.
/// @par Errors storage
Result<ChainsFound> check_every_chain(Storage& storage, const ChosenStreams& chosen = {});

}  // namespace openindex::engine
