#include "adapters/sqlite/statement.hpp"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

namespace openindex::sqlite {
namespace {

errc meaning_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return errc::storage_busy;
    case SQLITE_NOTADB:
      return errc::storage_not_ours;
    case SQLITE_CORRUPT:
      return errc::storage_corrupt;
    case SQLITE_FULL:
      return errc::storage_full;
    case SQLITE_READONLY:
      return errc::storage_read_only;
    case SQLITE_IOERR:
      return code == SQLITE_IOERR_DATA || code == SQLITE_IOERR_CORRUPTFS ? errc::storage_corrupt : errc::storage_failed;
    default:
      return errc::storage_failed;
  }
}

/// SQLite says only that it cannot open a file; often the folder does not let it create the log. (Asking about the
/// folder touches no file of the database.)
bool is_in_read_only_folder(const char* path) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  return std::filesystem::is_directory(folder, ignored) && access(folder.c_str(), W_OK) != 0;
}

}  // namespace

Error error_of(sqlite3* database, int code, std::string_view doing, const char* path) {
  // A connection of the host's may tell less than it knows.
  if (database != nullptr && (sqlite3_extended_errcode(database) & 0xff) == code) {
    code = sqlite3_extended_errcode(database);
  }
  // The connection's message is about its last call, which need not be the one that returned this code.
  const bool is_last = database != nullptr && sqlite3_extended_errcode(database) == code;
  if (path == nullptr && database != nullptr) path = sqlite3_db_filename(database, "main");
  const bool read_only = (code & 0xff) == SQLITE_CANTOPEN && path != nullptr && is_in_read_only_folder(path);
  auto error = Error(read_only ? errc::storage_read_only : meaning_of(code))
                   .with("doing", doing)
                   .with("sqlite", is_last ? sqlite3_errmsg(database) : sqlite3_errstr(code))
                   .with("sqlite_code", std::to_string(code));
  if (path != nullptr) error = std::move(error).with("path", path);
  return error;
}

Result<Statement> Statement::prepare(sqlite3* database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  if (code != SQLITE_OK) return error_of(database, code, "preparing a statement");
  return Statement(statement);
}

void Query::note(int code) noexcept {
  if (failed_code_ == SQLITE_OK) failed_code_ = code;
}

Query& Query::bind(std::int64_t number) {
  note(sqlite3_bind_int64(statement_, ++parameter_, number));
  return *this;
}

Query& Query::bind(std::string_view text) {
  // A null pointer would bind NULL; an empty view may have one.
  const char* bytes = text.data() != nullptr ? text.data() : "";
  note(sqlite3_bind_text64(statement_, ++parameter_, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Query& Query::bind_value(const IndexValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return bind(std::string_view(*text));
  return bind(std::get<std::int64_t>(value));
}

Query& Query::bind_null() {
  note(sqlite3_bind_null(statement_, ++parameter_));
  return *this;
}

Query& Query::bind_body(std::string_view body) {
  if (body.find('\0') == std::string_view::npos) return bind(body);
  note(sqlite3_bind_blob64(statement_, ++parameter_, body.data(), body.size(), SQLITE_STATIC));
  return *this;
}

Result<bool> Query::next() {
  sqlite3* database = sqlite3_db_handle(statement_);
  if (failed_code_ != SQLITE_OK) return error_of(database, failed_code_, "binding a parameter");
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error_of(database, code, sqlite3_sql(statement_));
}

bool Query::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Query::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

storage::FieldView Query::field(int column, IndexType type) const {
  if (type == IndexType::text) return text(column);
  return integer(column);
}

}  // namespace openindex::sqlite
