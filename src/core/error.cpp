#include <openindex/core/error.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace openindex {
inline namespace v0 {
namespace {

struct Row {
  errc code;
  std::string_view name;
  std::string_view message;
  std::string_view remedy;
};

// The five texts under "the workflow says no" and nothing else here are the contract's (openindex.md, section 5).
constexpr Row table[] = {
    {errc::invalid_argument, "invalid_argument", "An argument is out of its bounds",
     "Read the named argument's documented bounds and call again"},
    {errc::invalid_json, "invalid_json", "The text is not valid JSON", "Correct the text at the place named"},
    {errc::invalid_definition, "invalid_definition", "The definition is not valid",
     "Correct every listed problem; nothing was stored"},
    {errc::input_too_large, "input_too_large", "The input is larger than its bound",
     "Send less: the bound is in the context"},
    {errc::invalid_field_value, "invalid_field_value", "A custom field does not accept this value",
     "Send a value of the field's type, inside its options and bounds"},
    {errc::unknown_field, "unknown_field", "The workflow has no such custom field",
     "Use one of the field keys listed as allowed"},
    {errc::idempotency_conflict, "idempotency_conflict", "The idempotency key was used for another request",
     "Use a new key for a new request"},
    {errc::bulk_refused, "bulk_refused", "Some of the elements are refused",
     "Correct them, or ask for a partial result"},
    {errc::migration_refused, "migration_refused", "The work item does not fit the other version",
     "Map its status, or set its fields to values that fit"},
    {errc::not_found, "not_found", "There is no such thing, or it is not visible to this actor",
     "Check the name in the context"},
    {errc::already_exists, "already_exists", "Something of that name exists already",
     "Choose another name, or update the existing one"},
    {errc::status_transition_not_allowed, "status_transition_not_allowed", "Status transition is not allowed",
     "Ask for the item's transitions and choose one of them"},
    {errc::completion_status_not_terminal, "completion_status_not_terminal", "Completion status must be terminal",
     "Use one of the terminal statuses listed as allowed"},
    {errc::requirements_not_acknowledged, "requirements_not_acknowledged",
     "Stage gate requirements must be acknowledged", "Read the requirements and progress again with accept_text"},
    {errc::checklist_incomplete, "checklist_incomplete", "Stage gate checklist is incomplete",
     "Progress again with every missing item checked"},
    {errc::agent_id_required, "agent_id_required", "Agent id is required", "Act as an agent with a non-empty id"},
    {errc::required_fields_missing, "required_fields_missing", "Required custom fields are missing",
     "Set every missing field, then progress again"},
    {errc::gate_not_available, "gate_not_available", "Stage gate is not available from the current stage",
     "Choose one of the gates listed as allowed"},
    {errc::gate_required, "gate_required", "This move leads through a stage gate",
     "Progress through the gate named in the context instead"},
    {errc::gate_for_people, "gate_for_people", "This stage gate is for people", "Let a person progress the gate"},
    {errc::approver_is_worker, "approver_is_worker", "The approver of this stage gate must not have done the work",
     "Let somebody else progress the gate"},
    {errc::already_resolved, "already_resolved", "The work item is already resolved",
     "Reopening is a separate command; nothing was changed"},
    {errc::not_for_agents, "not_for_agents", "Work item is not available to agents",
     "Set its execution target to agent or either first"},
    {errc::gate_stale, "gate_stale", "What a stage gate was acknowledged for has changed since",
     "Acknowledge the gate again, or take the change back"},
    {errc::dependencies_unresolved, "dependencies_unresolved", "The work item waits for other work items",
     "Resolve what it depends on, or remove the dependencies"},
    {errc::dependency_cycle, "dependency_cycle", "The work items would wait for each other",
     "Leave out one of the dependencies"},
    {errc::not_resolved, "not_resolved", "The work item is not resolved", "Nothing needs to be reopened"},
    {errc::agent_stage_in_the_way, "agent_stage_in_the_way", "A stage that agents must do is in the way",
     "Move the item into that stage and let it be done"},
    {errc::stage_for_runs, "stage_for_runs", "Agents do not claim work items of this stage by hand",
     "Leave it to the stage's run, or set claims_by_hand in the settings of the stage"},
    {errc::item_needed, "item_needed", "Other work items stand below the work item or depend on it",
     "Delete those below it first, and remove the dependencies; the error names them"},
    {errc::already_claimed, "already_claimed", "Work item is already claimed",
     "Claim another item, or wait until the deadline named in the context"},
    {errc::hold_lost, "hold_lost", "The hold on the work item was lost",
     "Stop working on it; claim it again if it is still available"},
    {errc::hold_required, "hold_required", "An agent must claim the work item first", "Claim the item, then repeat"},
    {errc::not_permitted, "not_permitted", "This actor may not do that", "Use a credential with the needed authority"},
    {errc::outside_run, "outside_run", "A run may touch its own work item only", "Work on the run's own item"},
    {errc::agents_stopped, "agents_stopped", "Agents are stopped", "Wait until somebody lets them work again"},
    {errc::credential_refused, "credential_refused", "The credential is not valid, or not any more",
     "Use a credential that is valid; a run's ends with the run"},
    {errc::no_provider, "no_provider", "Assistant provider is not configured",
     "Create a provider and attach it to the stage"},
    {errc::provider_disabled, "provider_disabled", "Every assistant provider of the stage is disabled",
     "Enable one of the stage's providers or attach another"},
    {errc::no_runner, "no_runner", "No runner of that name is registered",
     "Register the runner named in the workflow with the dispatcher"},
    {errc::run_not_active, "run_not_active", "The run is not active", "Look at the run's state and reason"},
    {errc::unknown_provider_type, "unknown_provider_type", "The type is not a recognized integration on this server",
     "Use one of the types listed as allowed"},
    {errc::provider_type_fixed, "provider_type_fixed", "The type of a provider cannot be changed",
     "Create another provider of the other type"},
    {errc::secret_required_for_endpoint, "secret_required_for_endpoint",
     "A changed endpoint needs its secret given again", "Send the secret together with the new endpoint"},
    {errc::secret_unreadable, "secret_unreadable", "A sealed secret cannot be opened with this key",
     "Open the storage with the key that sealed it, or set the secret again"},
    {errc::token_limit_reached, "token_limit_reached",
     "The tokens that the provider may use in this period are used up", "Wait for the next period, or raise the limit"},
    {errc::run_not_waiting, "run_not_waiting", "The run does not wait for anything",
     "Look at the run's state: who works already need not be resumed, and after an end another run is started"},
    {errc::run_in_the_way, "run_in_the_way", "The stage has a run that has not ended",
     "Resume the run if it waits, or cancel it first"},
    {errc::run_moved_on, "run_moved_on", "The run has gone on since it asked that",
     "Look at the run again, and answer what it asks now"},
    {errc::provider_rate_limited, "provider_rate_limited", "The provider asks to slow down", "Try again later"},
    {errc::provider_overloaded, "provider_overloaded", "The provider is overloaded or failing", "Try again later"},
    {errc::provider_unauthorized, "provider_unauthorized", "The provider refuses the credential",
     "Set a valid key for the provider"},
    {errc::provider_out_of_credit, "provider_out_of_credit", "The provider's credit or spending limit is used up",
     "Raise the limit at the provider, or attach another provider"},
    {errc::provider_context_too_long, "provider_context_too_long", "The conversation is too long for the model",
     "Use a model with a larger context, or shorten the item"},
    {errc::provider_refused, "provider_refused", "The model or its filter refused to answer",
     "Let a person look at the item's content"},
    {errc::provider_rejected_request, "provider_rejected_request", "The provider rejected the request",
     "Check the provider's model and endpoint"},
    {errc::provider_malformed_reply, "provider_malformed_reply", "The provider's answer cannot be understood",
     "Check that the endpoint speaks the provider's protocol"},
    {errc::http_unreachable, "http_unreachable", "The server cannot be reached",
     "Check the address and that the server runs"},
    {errc::http_timeout, "http_timeout", "The server did not answer in time", "Try again, or allow more time"},
    {errc::http_too_large, "http_too_large", "The answer is larger than its bound",
     "Raise response_bytes_max, or ask for less"},
    {errc::http_interrupted, "http_interrupted", "The connection broke before the answer was complete", "Try again"},
    {errc::http_tls, "http_tls", "The server's certificate or TLS handshake was not accepted",
     "Check the server's certificate and the trusted roots"},
    {errc::http_refused_by_policy, "http_refused_by_policy", "The egress policy does not allow this address",
     "Allow the address in the client's Egress if it is meant to be reached"},
    {errc::http_cancelled, "http_cancelled", "The exchange was cancelled", "Nothing; somebody asked for it"},
    {errc::http_no_start_tls, "http_no_start_tls", "The connector cannot begin TLS on an open connection",
     "Give the registry a connector that can, such as CurlConnector"},
    {errc::conflict, "conflict", "Somebody else changed the record first", "Load again and decide again"},
    {errc::contention, "contention", "The change lost against others too often",
     "Try again; many writers work on this one record"},
    {errc::commit_unknown, "commit_unknown", "Whether the change was stored is not known",
     "Look whether the first appended record carries the commit id"},
    {errc::storage_failed, "storage_failed", "The storage failed", "See the cause; nothing was changed"},
    {errc::storage_busy, "storage_busy", "The storage is locked by another process", "Try again"},
    {errc::storage_not_ours, "storage_not_ours", "The file is not an openindex database",
     "Name another file; this one was not touched"},
    {errc::storage_newer_schema, "storage_newer_schema", "The database was written by a newer version",
     "Open it with that version or a later one; it was not touched"},
    {errc::storage_corrupt, "storage_corrupt", "The stored data is damaged",
     "Restore a backup; keep the damaged file for inspection"},
    {errc::storage_read_only, "storage_read_only", "The storage cannot be written to",
     "Check the permissions of the file and its folder"},
    {errc::storage_full, "storage_full", "The disk is full", "Free space; work resumes by itself"},
    {errc::receipt_broken, "receipt_broken", "The audit receipt is not as it was written",
     "Use an untouched copy of the receipt; without one, treat it as tampered with"},
    {errc::host_callback_failed, "host_callback_failed", "A function supplied by the host failed",
     "See the message of the function"},
};

const Row& row(errc code) noexcept {
  for (const Row& entry : table) {
    if (entry.code == code) return entry;
  }
  return table[0];
}

}  // namespace

std::string_view name(errc code) noexcept { return row(code).name; }
std::string_view message(errc code) noexcept { return row(code).message; }
std::string_view remedy(errc code) noexcept { return row(code).remedy; }

const std::vector<errc>& all_errcs() {
  static const std::vector<errc> codes = [] {
    std::vector<errc> all;
    for (const Row& entry : table) all.push_back(entry.code);
    return all;
  }();
  return codes;
}

struct Error::Facts {
  errc code;
  std::string message;
  std::vector<std::pair<std::string, std::string>> context;
  std::vector<std::string> missing;
  std::vector<std::string> allowed;
  std::vector<Problem> problems;
  std::optional<std::chrono::milliseconds> retry_after;
  std::optional<Error> cause;
};

Error::Error(errc code) : Error(code, std::string(openindex::message(code))) {}

Error::Error(errc code, std::string message) : facts_(std::make_shared<Facts>()) {
  facts_->code = code;
  facts_->message = std::move(message);
}

Error::Facts& Error::facts() {
  if (facts_.use_count() > 1) facts_ = std::make_shared<Facts>(*facts_);
  return *facts_;
}

Error Error::with(std::string_view key, std::string_view value) && {
  return std::move(*this).with_own(key, std::string(value));
}

Error Error::with_own(std::string_view key, std::string value) && {
  constexpr std::size_t usual = 4;  // more than that are rare, and growing would throw away what was allocated
  auto& context = facts().context;
  if (context.empty()) context.reserve(usual);
  const bool known = std::any_of(context.begin(), context.end(), [&](const auto& pair) { return pair.first == key; });
  if (!known) context.emplace_back(key, std::move(value));
  return std::move(*this);
}

Error Error::with(std::string_view key, std::string_view value) const& { return Error(*this).with(key, value); }

Error Error::with_missing(std::vector<std::string> missing) && {
  facts().missing = std::move(missing);
  return std::move(*this);
}

Error Error::with_allowed(std::vector<std::string> allowed) && {
  facts().allowed = std::move(allowed);
  return std::move(*this);
}

Error Error::with_problems(std::vector<Problem> problems) && {
  facts().problems = std::move(problems);
  return std::move(*this);
}

Error Error::with_retry_after(std::chrono::milliseconds delay) && {
  facts().retry_after = delay;
  return std::move(*this);
}

Error Error::caused_by(Error cause) && {
  facts().cause = std::move(cause);
  return std::move(*this);
}

errc Error::code() const noexcept { return facts_->code; }
const std::string& Error::message() const noexcept { return facts_->message; }
const std::vector<std::pair<std::string, std::string>>& Error::context() const noexcept { return facts_->context; }
const std::vector<std::string>& Error::missing() const noexcept { return facts_->missing; }
const std::vector<std::string>& Error::allowed() const noexcept { return facts_->allowed; }
const std::vector<Problem>& Error::problems() const noexcept { return facts_->problems; }
std::optional<std::chrono::milliseconds> Error::retry_after() const noexcept { return facts_->retry_after; }
const Error* Error::cause() const noexcept { return facts_->cause ? &*facts_->cause : nullptr; }

std::string_view Error::context(std::string_view key) const noexcept {
  for (const auto& [name, value] : facts_->context) {
    if (name == key) return value;
  }
  return {};
}

std::string Error::describe() const {
  std::string text = fmt::format("{} [{}]", message(), name(code()));
  for (const auto& [key, value] : context()) text += fmt::format("\n  {}: {}", key, value);
  for (const auto& item : missing()) text += fmt::format("\n  missing: {}", item);
  for (const auto& item : allowed()) text += fmt::format("\n  allowed: {}", item);
  for (const auto& [pointer, what] : problems()) {
    text += pointer.empty() ? fmt::format("\n  {}", what) : fmt::format("\n  at {}: {}", pointer, what);
  }
  if (retry_after()) text += fmt::format("\n  try again after {} ms", retry_after()->count());
  if (const Error* below = cause()) {
    text += fmt::format("\n  because: {} [{}]", below->message(), name(below->code()));
    for (const auto& [key, value] : below->context()) text += fmt::format("\n    {}: {}", key, value);
  }
  text += fmt::format("\n  to do: {}", remedy(code()));
  return text;
}

}  // namespace v0
}  // namespace openindex
