#include "bench/raw_sqlite.hpp"

#include <stdexcept>
#include <string_view>
#include <variant>

#include "bench/figure.hpp"

namespace openindex::bench {
namespace {

void bind_to(sqlite3_stmt* statement, int place, std::string_view text) {
  sqlite3_bind_text(statement, place, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

void bind_to(sqlite3_stmt* statement, int place, std::int64_t number) { sqlite3_bind_int64(statement, place, number); }

const IndexValue& value_of(const Put& put, Index index, std::size_t field) {
  for (const auto& entry : put.index) {
    if (entry.index == index) return entry.values.at(field);
  }
  throw std::logic_error("a claim does not feed the index it should: " + put.id.key);
}

}  // namespace

RawClaim RawClaim::from(const ChangeSet& changes) {
  const bool expected_shape = changes.puts.size() == 2 && changes.puts[0].id.kind == "item" &&
                              changes.puts[1].id.kind == "hold" && !changes.appends.empty() && changes.erases.empty() &&
                              !changes.expectations.empty() && changes.expectations[0].id == changes.puts[0].id;
  if (!expected_shape) throw std::logic_error("the engine writes other rows for a claim than the raw program");
  const Put& state = changes.puts[0];
  const Put& hold = changes.puts[1];
  RawClaim claim{.item = state.id.key,
                 .version = static_cast<std::int64_t>(changes.expectations[0].version),
                 .state = state.body,
                 .status = std::get<std::string>(value_of(state, Index::items, 4)),
                 .holder = std::get<std::string>(value_of(state, Index::items, 8)),
                 .hold = hold.body,
                 .deadline_ms = std::get<std::int64_t>(value_of(hold, Index::due, 1))};
  for (const Put& append : changes.appends) claim.audit.push_back({append.id.key, append.body});
  return claim;
}

RawSqlite::RawSqlite(const std::filesystem::path& path)
    : sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(database);
  check(code);
  pragma("PRAGMA journal_mode=WAL", "wal");
  pragma("PRAGMA synchronous=FULL", nullptr);
  pragma("PRAGMA synchronous", "2");
  pragma("PRAGMA wal_autocheckpoint=4000", "4000");  // as often as SqliteStorage
  pragma("PRAGMA cache_size=-8000", nullptr);
  begin_ = prepare("BEGIN IMMEDIATE");
  commit_ = prepare("COMMIT");
  read_state_ = prepare("SELECT id, version, body FROM records WHERE kind = 'item' AND key = ?");
  update_state_ = prepare(
      "UPDATE records SET version = ?, body = ?, items_status = ?, items_holder = ?, queue_holder = ? "
      "WHERE id = ? AND version = ?");
  upsert_hold_ = prepare(
      "INSERT INTO records (kind, key, version, due_topic, due_at, due_subject, body) "
      "VALUES ('hold', ?1, 1, 'hold', ?2, ?1, ?3) ON CONFLICT (kind, key) DO UPDATE SET version = version + 1, "
      "due_topic = 'hold', due_at = excluded.due_at, due_subject = excluded.due_subject, body = excluded.body");
  insert_audit_ = prepare("INSERT INTO records (kind, key, version, body) VALUES ('audit', ?, 1, ?)");
}

void RawSqlite::claim(const RawClaim& claim) {
  run(begin_);
  write_state(claim, check_state(claim));
  write_hold(claim);
  write_audit(claim);
  run(commit_);
}

std::int64_t RawSqlite::check_state(const RawClaim& claim) {
  bind_to(read_state_.get(), 1, claim.item);
  if (sqlite3_step(read_state_.get()) != SQLITE_ROW) throw std::runtime_error("there is no item " + claim.item);
  const std::int64_t row = sqlite3_column_int64(read_state_.get(), 0);
  const std::int64_t version = sqlite3_column_int64(read_state_.get(), 1);
  keep(sqlite3_column_text(read_state_.get(), 2));
  sqlite3_reset(read_state_.get());
  if (version != claim.version) throw std::runtime_error("somebody has changed " + claim.item);
  return row;
}

void RawSqlite::write_state(const RawClaim& claim, std::int64_t row) {
  bind_to(update_state_.get(), 1, claim.version + 1);
  bind_to(update_state_.get(), 2, claim.state);
  bind_to(update_state_.get(), 3, claim.status);
  bind_to(update_state_.get(), 4, claim.holder);
  bind_to(update_state_.get(), 5, claim.holder);
  bind_to(update_state_.get(), 6, row);
  bind_to(update_state_.get(), 7, claim.version);
  run(update_state_);
  if (sqlite3_changes(database_.get()) != 1) throw std::runtime_error("somebody has changed " + claim.item);
}

void RawSqlite::write_hold(const RawClaim& claim) {
  bind_to(upsert_hold_.get(), 1, claim.item);
  bind_to(upsert_hold_.get(), 2, claim.deadline_ms);
  bind_to(upsert_hold_.get(), 3, claim.hold);
  run(upsert_hold_);
}

void RawSqlite::write_audit(const RawClaim& claim) {
  for (const auto& [key, body] : claim.audit) {
    if (EVP_DigestInit_ex2(context_.get(), sha256_.get(), nullptr) != 1 ||
        EVP_DigestUpdate(context_.get(), body.data(), body.size()) != 1 ||
        EVP_DigestFinal_ex(context_.get(), digest_.data(), nullptr) != 1) {
      throw std::runtime_error("SHA-256 failed");
    }
    bind_to(insert_audit_.get(), 1, key);
    bind_to(insert_audit_.get(), 2, body);
    run(insert_audit_);
  }
}

void RawSqlite::check(int code) const {
  if (code != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(database_.get()));
}

void RawSqlite::pragma(const char* sql, const char* expected) {
  const Statement statement = prepare(sql);
  const int code = sqlite3_step(statement.get());
  if (expected == nullptr) return;
  const auto* found = code == SQLITE_ROW ? sqlite3_column_text(statement.get(), 0) : nullptr;
  if (found == nullptr || std::string_view(reinterpret_cast<const char*>(found)) != expected) {
    throw std::runtime_error(std::string("SQLite did not accept ") + sql);
  }
}

RawSqlite::Statement RawSqlite::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  return Statement(statement);
}

void RawSqlite::run(const Statement& statement) {
  const int code = sqlite3_step(statement.get());
  if (code != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(database_.get()));
  sqlite3_reset(statement.get());
}

}  // namespace openindex::bench
