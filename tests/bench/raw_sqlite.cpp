#include "bench/raw_sqlite.hpp"

#include <span>
#include <stdexcept>
#include <string_view>
#include <variant>

#include "bench/figure.hpp"

namespace openindex::bench {
namespace {

void bind_to(sqlite3_stmt* statement, int place, std::string_view text) {
  sqlite3_bind_text(statement, place, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

void bind_to(sqlite3_stmt* statement, int place, const IndexValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    bind_to(statement, place, std::string_view(*text));
  } else {
    sqlite3_bind_int64(statement, place, std::get<std::int64_t>(value));
  }
}

std::string column(Index index, std::size_t field) {
  const auto& schema = index_schema(index);
  return std::string(schema.name) + "_" + std::string(schema.fields[field].name);
}

const IndexEntry* entry_of(const Put& put, Index index) {
  for (const auto& entry : put.index) {
    if (entry.index == index) return &entry;
  }
  return nullptr;
}

}  // namespace

RawStep RawProgram::step(const ChangeSet& changes) {
  if (!changes.erases.empty()) throw std::logic_error("the raw program erases nothing");
  RawStep step;
  for (const auto& put : changes.puts) {
    const auto before = written_.find(put.id);
    step.writes.push_back(before == written_.end() ? insert(put) : update(put, before->second));
    if (put.id.kind == "item" && before != written_.end()) step.item = put.id.key;
    written_.insert_or_assign(put.id, put);
  }
  for (const auto& expected : changes.expectations) {
    if (expected.id.kind == "item") step.version = static_cast<std::int64_t>(expected.version);
  }
  for (const auto& append : changes.appends) {
    step.writes.push_back(insert(append));
    if (append.id.kind == "audit") step.writes.back().digested = 3;
  }
  return step;
}

std::size_t RawProgram::statement(const std::string& text) {
  const auto [found, is_new] = numbers_.emplace(text, texts_.size());
  if (is_new) texts_.push_back(text);
  return found->second;
}

RawStep::Write RawProgram::insert(const Put& put) {
  std::string columns = "kind, key, version, body";
  std::string marks = "?, ?, 1, ?";
  RawStep::Write row{.values = {put.id.kind, put.id.key, put.body}};
  for (const auto& entry : put.index) {
    for (std::size_t i = 0; i < entry.values.size(); ++i) {
      columns += ", " + column(entry.index, i);
      marks += ", ?";
      row.values.push_back(entry.values[i]);
    }
  }
  row.statement = statement("INSERT INTO records (" + columns + ") VALUES (" + marks + ")");
  return row;
}

/// Name only the columns that change.
RawStep::Write RawProgram::update(const Put& put, const Put& before) {
  std::string text = "UPDATE records SET version = version + 1, body = ?";
  RawStep::Write row{.values = {put.body}};
  for (const auto& schema : index_schemas().subspan(1)) {
    const auto* now = entry_of(put, schema.index);
    const auto* then = entry_of(before, schema.index);
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      if (now == nullptr && then != nullptr) text += ", " + column(schema.index, i) + " = NULL";
      if (now == nullptr || (then != nullptr && then->values[i] == now->values[i])) continue;
      text += ", " + column(schema.index, i) + " = ?";
      row.values.push_back(now->values[i]);
    }
  }
  row.of_state = put.id.kind == "item";
  if (!row.of_state) row.values.insert(row.values.end(), {put.id.kind, put.id.key});
  row.statement = statement(text + (row.of_state ? " WHERE id = ?" : " WHERE kind = ? AND key = ?"));
  return row;
}

RawSqlite::RawSqlite(const std::filesystem::path& path, const RawProgram& program)
    : sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(database);
  check(code);
  pragma("PRAGMA journal_mode=WAL", "wal");
  pragma("PRAGMA synchronous=FULL", nullptr);
  pragma("PRAGMA synchronous", "2");
  pragma("PRAGMA wal_autocheckpoint=4000", "4000");  // as often as SqliteStorage
  pragma("PRAGMA cache_size=-16000", nullptr);       // as much as SqliteStorage's writer
  begin_ = prepare("BEGIN IMMEDIATE");
  commit_ = prepare("COMMIT");
  read_state_ = prepare("SELECT id, version, body FROM records WHERE kind = 'item' AND key = ?");
  for (const auto& text : program.statements()) writes_.push_back(prepare(text.c_str()));
}

void RawSqlite::commit(const RawStep& step) {
  const RawStep* const only = &step;
  commit(std::span(&only, 1));
}

void RawSqlite::commit(std::span<const RawStep* const> steps, Digests digests) {
  run(begin_);
  for (const RawStep* step : steps) {
    const std::int64_t state = step->item.empty() ? 0 : check_state(*step);
    for (const auto& row : step->writes) write(row, state, digests);
  }
  run(commit_);
}

std::int64_t RawSqlite::check_state(const RawStep& step) {
  bind_to(read_state_.get(), 1, std::string_view(step.item));
  if (sqlite3_step(read_state_.get()) != SQLITE_ROW) throw std::runtime_error("there is no item " + step.item);
  const std::int64_t row = sqlite3_column_int64(read_state_.get(), 0);
  const std::int64_t version = sqlite3_column_int64(read_state_.get(), 1);
  keep(sqlite3_column_text(read_state_.get(), 2));
  sqlite3_reset(read_state_.get());
  if (version != step.version) throw std::runtime_error("somebody has changed " + step.item);
  return row;
}

void RawSqlite::write(const RawStep::Write& row, std::int64_t state, Digests digests) {
  if (row.digested != 0 && digests == Digests::made) digest(std::get<std::string>(row.values[row.digested - 1]));
  const auto& statement = writes_[row.statement];
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    bind_to(statement.get(), static_cast<int>(i) + 1, row.values[i]);
  }
  if (row.of_state) sqlite3_bind_int64(statement.get(), static_cast<int>(row.values.size()) + 1, state);
  run(statement);
  if (sqlite3_changes(database_.get()) != 1) throw std::runtime_error("a row is not what it was");
}

void RawSqlite::digest(const std::string& body) {
  if (EVP_DigestInit_ex2(context_.get(), sha256_.get(), nullptr) != 1 ||
      EVP_DigestUpdate(context_.get(), body.data(), body.size()) != 1 ||
      EVP_DigestFinal_ex(context_.get(), digest_.data(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed");
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

void RawGroup::commit(const RawStep& step) {
  Caller mine{.step = &step};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  mine.turn.wait(lock, [&] { return mine.done || (!leading_ && waiting_.front() == &mine); });
  if (!mine.done) lead(lock);
}

void RawGroup::lead(std::unique_lock<std::mutex>& lock) {
  leading_ = true;
  const auto group = std::exchange(waiting_, {});
  lock.unlock();
  std::vector<const RawStep*> steps;
  for (const auto* caller : group) steps.push_back(caller->step);
  database_.commit(steps);
  lock.lock();
  for (auto* caller : group) {
    caller->done = true;
    caller->turn.notify_one();
  }
  leading_ = false;
  if (!waiting_.empty()) waiting_.front()->turn.notify_one();
}

}  // namespace openindex::bench
