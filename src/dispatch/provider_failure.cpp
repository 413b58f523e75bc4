#include "dispatch/provider_failure.hpp"

#include <algorithm>

namespace openindex::dispatch {

Failure classify(const Error& error) {
  switch (error.code()) {
    case errc::no_provider:
    case errc::not_found:
      return {RunReason::no_provider, Recovery::settings};
    case errc::provider_disabled:
      return {RunReason::provider_disabled, Recovery::settings};
    case errc::token_limit_reached:
      return {RunReason::token_limit, Recovery::time};
    case errc::provider_rate_limited:
      return {RunReason::rate_limited, Recovery::time};
    case errc::provider_overloaded:
      return {RunReason::overloaded, Recovery::time};
    case errc::provider_malformed_reply:
    case errc::http_too_large:
      return {RunReason::malformed_reply, Recovery::time};
    case errc::provider_unauthorized:
    case errc::secret_unreadable:
      return {RunReason::unauthorized, Recovery::settings};
    case errc::provider_out_of_credit:
      return {RunReason::out_of_credit, Recovery::settings};
    case errc::provider_context_too_long:
      return {RunReason::context_too_long, Recovery::never};
    case errc::provider_refused:
      return {RunReason::refused, Recovery::never};
    case errc::provider_rejected_request:
    case errc::http_refused_by_policy:
    case errc::invalid_argument:
      return {RunReason::rejected_request, Recovery::settings};
    default:
      return {RunReason::network, Recovery::time};
  }
}

bool is_storage_failure(const Error& error) {
  return error.code() >= errc::contention && error.code() <= errc::storage_full;
}

// A limit of tokens passes for certain, but maybe only next month; anything else that passes is tried again in a
// minute.
bool is_more_hopeful(const Error& one, const Error& other) {
  const auto first = classify(one).recovery, second = classify(other).recovery;
  if (first != second) return first < second;
  const bool one_limited = one.code() == errc::token_limit_reached, other_limited = other.code() == one.code();
  if (one_limited && other_limited) return one.retry_after() < other.retry_after();
  return !one_limited && other.code() == errc::token_limit_reached;
}

bool waits_for_settings(RunReason reason) {
  switch (reason) {
    case RunReason::no_provider:
    case RunReason::provider_disabled:
    case RunReason::no_runner:
    case RunReason::unauthorized:
    case RunReason::out_of_credit:
    case RunReason::rejected_request:
    case RunReason::rate_limited:
    case RunReason::overloaded:
    case RunReason::network:
    case RunReason::malformed_reply:
    case RunReason::budget_exhausted:
    case RunReason::stage_disabled:
    case RunReason::token_limit:
    case RunReason::agents_stopped:
      return true;
    default:
      return false;
  }
}

Duration backoff(std::uint32_t retries, Duration min, Duration max, const Error& error, RandomSource& random) {
  Duration pause = min;
  for (std::uint32_t i = 1; i < retries && pause < max; ++i) pause *= 2;
  pause = std::min(pause, max);
  const auto half = std::max<std::int64_t>(1, pause.count() / 2);
  pause = Duration(pause.count() - static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(half)));
  return std::max(pause, error.retry_after().value_or(Duration(0)));
}

}  // namespace openindex::dispatch
