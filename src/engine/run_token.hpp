// The credential of a run: `oi_run_<run>_<secret><checksum>`. Shown once, kept as a hash in the run's record.
//
// It names its run, so that it is found with one read, and ends with a checksum, so that a mistyped one is refused
// without any. The secret has 238 bits: its hash tells nothing. (architecture, section 6)
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <openindex/core/ids.hpp>
#include <openindex/core/random.hpp>

namespace openindex::engine {

std::string mint_run_token(RandomSource& random, const RunId& run);

/// The run that a token is of; nullopt: it is none.
std::optional<RunId> run_of_token(std::string_view token);

std::string hash_of_token(std::string_view token);

/// Compare in constant time. An empty hash is of no token.
bool is_token_of(std::string_view token, std::string_view hash);

}  // namespace openindex::engine
