#include "adapters/postgres/failure.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace openindex::postgres {
namespace {

constexpr std::string_view serialization_failure = "40001";
constexpr std::string_view deadlock_detected = "40P01";
constexpr std::string_view unique_violation = "23505";
constexpr std::string_view lock_not_available = "55P03";

// Of a prepared statement, when another session's connection is used than the one that it was prepared on.
constexpr std::string_view prepared_is_missing = "26000";
constexpr std::string_view prepared_is_there = "42P05";

errc meaning_of(std::string_view sqlstate) {
  constexpr std::array meanings = {
      std::pair(serialization_failure, errc::conflict),
      std::pair(deadlock_detected, errc::conflict),
      std::pair(unique_violation, errc::conflict),
      std::pair(std::string_view("25006"), errc::storage_read_only),  // a standby, or default_transaction_read_only
      std::pair(std::string_view("53100"), errc::storage_full),
      std::pair(std::string_view("53300"), errc::storage_busy),  // too many connections
      std::pair(lock_not_available, errc::storage_busy),
      std::pair(std::string_view("57P03"), errc::storage_busy),  // starting up or shutting down
      std::pair(std::string_view("XX001"), errc::storage_corrupt),
      std::pair(std::string_view("XX002"), errc::storage_corrupt),
  };
  for (const auto& [state, meaning] : meanings) {
    if (state == sqlstate) return meaning;
  }
  return errc::storage_failed;
}

std::string_view field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text != nullptr ? text : "";
}

/// libpq ends its messages with a line break.
std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

std::string without(std::string text, std::string_view secret) {
  if (secret.empty()) return text;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "***");
    at += 3;
  }
  return text;
}

bool says(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// What stands before the words of a server, behind their severity: `FATAL:  53300: ...`.
constexpr std::string_view before_words = ":  ";

/// The SQLSTATEs in the text of a refused connection, several where there are several hosts. libpq keeps no result of
/// it, but is told to say them in the text.
std::vector<std::string_view> sqlstates_in(std::string_view text) {
  constexpr std::size_t length = 5;
  constexpr std::string_view characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::vector<std::string_view> states;
  for (auto at = text.find(before_words); at != std::string_view::npos; at = text.find(before_words, at + 1)) {
    const auto rest = text.substr(at + before_words.size());
    if (rest.find_first_not_of(characters) == length && rest[length] == ':') states.push_back(rest.substr(0, length));
  }
  return states;
}

/// Without where in its source the server found the words.
std::string without_locations(std::string text) {
  constexpr std::string_view begins = "\nLOCATION:  ";
  for (auto at = text.find(begins); at != std::string::npos; at = text.find(begins, at)) {
    const auto end = text.find('\n', at + 1);
    text.erase(at, end == std::string::npos ? end : end - at);
  }
  return text;
}

errc meaning_of_refusal(std::string_view text) {
  for (const auto state : sqlstates_in(text)) {
    if (const auto meaning = meaning_of(state); meaning != errc::storage_failed) return meaning;
  }
  // PgBouncer has one code for everything; both it and, here, libpq speak English.
  if (says(text, "no more connections allowed")) return errc::storage_busy;
  if (says(text, "session is read-only") || says(text, "server is in hot standby mode")) return errc::storage_read_only;
  return errc::storage_failed;
}

}  // namespace

Error error_of(const PGresult* result, std::string_view doing) {
  const auto sqlstate = field(result, PG_DIAG_SQLSTATE);
  const auto primary = field(result, PG_DIAG_MESSAGE_PRIMARY);
  auto error = Error(meaning_of(sqlstate));
  if (sqlstate == prepared_is_missing || sqlstate == prepared_is_there) {
    error = Error(errc::storage_failed,
                  "A pooler before the server does not carry prepared statements: turn `prepared_statements` off.");
  }
  return std::move(error)
      .with("doing", doing)
      .with("postgres", primary.empty() ? trimmed(PQresultErrorMessage(result)) : std::string(primary))
      .with("sqlstate", sqlstate);
}

Error error_of(PGconn* connection, std::string_view doing, std::string_view password) {
  const auto text = without_locations(trimmed(PQerrorMessage(connection)));
  auto error = Error(meaning_of_refusal(text)).with("doing", doing).with("postgres", without(text, password));
  const auto states = sqlstates_in(text);
  return states.empty() ? error : std::move(error).with("sqlstate", states.back());
}

bool has_words_of_server(PGconn* connection) { return says(PQerrorMessage(connection), before_words); }

bool ends_connection(const PGresult* result) {
  const auto severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return severity == "FATAL" || severity == "PANIC";
}

bool may_pass(const Error& refusal) {
  if (refusal.code() == errc::invalid_argument) return false;
  if (refusal.code() == errc::storage_busy || refusal.code() == errc::storage_read_only) return true;
  const auto state = refusal.context("sqlstate");
  if (!state.empty()) return state.starts_with("57") || state.starts_with("53") || state.starts_with("08");
  const auto text = refusal.context("postgres");
  constexpr std::array lasting = {"no password supplied", "\" does not exist", "certificate verify failed",
                                  "does not match host name", "does not support SSL"};
  return std::none_of(lasting.begin(), lasting.end(), [&](const char* part) { return says(text, part); });
}

bool is_transient(const Error& error) {
  const auto state = error.context("sqlstate");
  return state == serialization_failure || state == deadlock_detected || state == unique_violation;
}

Error locked(const RecordId& id) {
  return Error(errc::storage_busy).with("kind", id.kind).with("key", id.key).with("sqlstate", lock_not_available);
}

bool met_lock(const Error& error) { return error.context("sqlstate") == lock_not_available; }

}  // namespace openindex::postgres
