// Errors: what went wrong, where, and what to do about it.
//
// Every operation that the world can make fail returns `Result<T>`; the error side is an `Error`. There is one
// code per cause. `message()` of a code that the OpenIndex contract names is the contract's text, word for word
// (openindex.md, section 5). Values are stable: codes are added at the end of their group, never renumbered.
//
// Thread safety: an Error is an immutable value; copies share and may be read from any thread.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openindex/core/api.hpp>
#include <openindex/core/version.hpp>

namespace openindex {
inline namespace v0 {

/// Say what happened. Grouped by who can act on it; `remedy(code)` says what to do next.
enum class errc : std::uint16_t {
  // The call itself is wrong: change the call.
  invalid_argument = 1,
  invalid_json = 2,
  invalid_definition = 3,
  input_too_large = 4,
  invalid_field_value = 5,
  unknown_field = 6,
  idempotency_conflict = 7,
  bulk_refused = 8,
  migration_refused = 9,

  // The thing is not there, or already is.
  not_found = 20,
  already_exists = 21,

  // The workflow says no (first five: texts of the contract).
  status_transition_not_allowed = 40,
  completion_status_not_terminal = 41,
  requirements_not_acknowledged = 42,
  checklist_incomplete = 43,
  agent_id_required = 44,
  required_fields_missing = 45,
  gate_not_available = 46,
  gate_required = 47,
  gate_for_people = 48,
  approver_is_worker = 49,
  already_resolved = 50,
  not_for_agents = 51,
  gate_stale = 52,
  dependencies_unresolved = 53,
  dependency_cycle = 54,
  not_resolved = 55,
  agent_stage_in_the_way = 56,
  stage_for_runs = 57,
  item_needed = 58,

  // Somebody else is on it.
  already_claimed = 60,
  hold_lost = 61,
  hold_required = 62,

  // The actor may not.
  not_permitted = 80,
  outside_run = 81,
  agents_stopped = 82,
  credential_refused = 83,

  // Runs and providers.
  no_provider = 100,
  provider_disabled = 101,
  no_runner = 102,
  run_not_active = 103,
  unknown_provider_type = 104,
  provider_type_fixed = 105,
  secret_required_for_endpoint = 106,
  secret_unreadable = 107,
  token_limit_reached = 108,
  run_not_waiting = 109,
  run_in_the_way = 110,
  run_moved_on = 111,

  // What a provider's answer means (codecs classify; the dispatcher decides what to do).
  provider_rate_limited = 120,
  provider_overloaded = 121,
  provider_unauthorized = 122,
  provider_out_of_credit = 123,
  provider_context_too_long = 124,
  provider_refused = 125,
  provider_rejected_request = 126,
  provider_malformed_reply = 127,

  // HTTP below the provider.
  http_unreachable = 140,
  http_timeout = 141,
  http_too_large = 142,
  http_interrupted = 143,
  http_tls = 144,
  http_refused_by_policy = 145,
  http_cancelled = 146,
  http_no_start_tls = 147,

  // Storage.
  conflict = 160,
  contention = 161,
  commit_unknown = 162,
  storage_failed = 163,
  storage_busy = 164,
  storage_not_ours = 165,
  storage_newer_schema = 166,
  storage_corrupt = 167,
  storage_read_only = 168,
  storage_full = 169,
  receipt_broken = 170,

  // A function the host supplied.
  host_callback_failed = 180,
};

/// Return the code's name as it is spelled in this enumeration, for logs and wire forms.
OPENINDEX_API std::string_view name(errc code) noexcept;

/// Return one sentence that says what happened: the contract's text where it has one.
OPENINDEX_API std::string_view message(errc code) noexcept;

/// Return one sentence that says what to do next.
OPENINDEX_API std::string_view remedy(errc code) noexcept;

/// Return every code there is, in order; for tables in tests and documentation.
OPENINDEX_API const std::vector<errc>& all_errcs();

/// Name one mistake and its place, for errors that report all mistakes at once.
struct Problem {
  std::string pointer =
      {};                 ///< JSON pointer (RFC 6901) to the place, such as `/statuses/3/stageKey`; empty: the whole.
  std::string text = {};  ///< What is wrong there, one sentence.

  friend bool operator==(const Problem&, const Problem&) = default;
};

/// Carry a failure: code, sentence, and the facts somebody needs to act on it.
///
/// Built once by the library and then only read. Never contains a secret.
class OPENINDEX_API Error {
 public:
  /// Build from a code alone; the sentence is the code's own.
  Error(errc code);  // NOLINT(google-explicit-constructor): `return errc::not_found;` is the idiom

  /// Build from a code and a sentence that is more exact than the code's own.
  Error(errc code, std::string message);

  /// Add a fact, such as {"item", "OPS-42"}. A key given twice keeps the first value.
  [[nodiscard]] Error with(std::string_view key, std::string_view value) &&;
  [[nodiscard]] Error with(std::string_view key, std::string_view value) const&;
  template <std::same_as<std::string> Text>  // takes a text over that is nobody else's
  [[nodiscard]] Error with(std::string_view key, Text&& value) && {
    return std::move(*this).with_own(key, std::move(value));
  }

  /// Name what is missing: checklist items, field keys.
  [[nodiscard]] Error with_missing(std::vector<std::string> missing) &&;

  /// Name what would have been accepted instead: statuses, gates, options.
  [[nodiscard]] Error with_allowed(std::vector<std::string> allowed) &&;

  /// List every mistake of an input.
  [[nodiscard]] Error with_problems(std::vector<Problem> problems) &&;

  /// Say when trying again makes sense, as far as the other side told.
  [[nodiscard]] Error with_retry_after(std::chrono::milliseconds delay) &&;

  /// Keep the failure below this one.
  [[nodiscard]] Error caused_by(Error cause) &&;

  [[nodiscard]] errc code() const noexcept;
  [[nodiscard]] const std::string& message() const noexcept;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& context() const noexcept;
  [[nodiscard]] std::string_view context(std::string_view key) const noexcept;  ///< Empty when absent.
  [[nodiscard]] const std::vector<std::string>& missing() const noexcept;
  [[nodiscard]] const std::vector<std::string>& allowed() const noexcept;
  [[nodiscard]] const std::vector<Problem>& problems() const noexcept;
  [[nodiscard]] std::optional<std::chrono::milliseconds> retry_after() const noexcept;
  [[nodiscard]] const Error* cause() const noexcept;  ///< Null when this is the first cause.

  /// Return everything above as text for a person: sentence, facts, problems, cause, remedy; several lines.
  [[nodiscard]] std::string describe() const;

 private:
  struct Facts;
  Facts& facts();
  Error with_own(std::string_view key, std::string value) &&;

  std::shared_ptr<Facts> facts_;
};

}  // namespace v0
}  // namespace openindex
