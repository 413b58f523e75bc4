#include "adapters/postgres/failure.hpp"

#include <array>
#include <utility>

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

/// A refused connection has a text and no SQLSTATE: libpq keeps no result of it.
errc meaning_of_refusal(std::string_view text) {
  const auto says = [&](std::string_view part) { return text.find(part) != std::string_view::npos; };
  if (says("too many clients") || says("too many connections") || says("connection slots are reserved") ||
      says("no more connections allowed")) {
    return errc::storage_busy;
  }
  if (says("starting up") || says("shutting down") || says("recovery mode")) return errc::storage_busy;
  if (says("session is read-only") || says("server is in hot standby mode")) return errc::storage_read_only;
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
  const auto text = trimmed(PQerrorMessage(connection));
  return Error(meaning_of_refusal(text)).with("doing", doing).with("postgres", without(text, password));
}

bool ends_connection(const PGresult* result) {
  const auto severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return severity == "FATAL" || severity == "PANIC";
}

bool may_pass(const Error& refusal) {
  if (refusal.code() == errc::invalid_argument) return false;
  if (refusal.code() == errc::storage_busy || refusal.code() == errc::storage_read_only) return true;
  const auto state = refusal.context("sqlstate");  // of preparing, once it is connected
  if (!state.empty()) return state.starts_with("57") || state.starts_with("53") || state.starts_with("08");
  const auto text = refusal.context("postgres");
  const auto says = [&](std::string_view part) { return text.find(part) != std::string_view::npos; };
  return !says("authentication failed") && !says("no password supplied") && !says("no pg_hba.conf entry") &&
         !says("\" does not exist") && !says("certificate verify failed") && !says("does not match host name") &&
         !says("does not support SSL");
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
