// What a provider's failure means for a run. Retrying depends on the reason: out of credit is not overload.
#pragma once

#include <openindex/core/clock.hpp>
#include <openindex/core/error.hpp>
#include <openindex/core/random.hpp>
#include <openindex/work/agent_run.hpp>

namespace openindex::dispatch {

enum class Recovery : std::uint8_t {
  time,      ///< May pass by itself.
  settings,  ///< Passes when somebody changes the provider or the stage settings.
  never,     ///< Lies in the item or the model: the run has failed.
};

struct Failure {
  RunReason reason = RunReason::network;
  Recovery recovery = Recovery::time;
};

/// Classify an error of resolving, calling or understanding a provider.
Failure classify(const Error& error);

/// Tell whether the storage failed, and not what was asked of it.
bool is_storage_failure(const Error& error);

/// Tell whether a provider's failure leaves more hope than another's: it passes by itself, and sooner.
bool is_more_hopeful(const Error& one, const Error& other);

/// Tell whether a run that waits for this reason is looked at again when settings change.
bool waits_for_settings(RunReason reason);

/// The pause before retry number `retries` (from 1): doubling, half of it jitter, at least what the provider asked for.
Duration backoff(std::uint32_t retries, Duration min, Duration max, const Error& error, RandomSource& random);

}  // namespace openindex::dispatch
