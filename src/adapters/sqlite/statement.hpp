// Prepared statements: bind, step, read columns; and what an SQLite result code means to our callers.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include <openindex/core/result.hpp>
#include <openindex/storage/index.hpp>

#include "storage/scan_cursor.hpp"

namespace openindex::sqlite {

/// Say what a failed call means. `doing` is the step that failed, for people; `path` is for a file that did not open.
Error error_of(sqlite3* database, int code, std::string_view doing, const char* path = nullptr);

/// A prepared statement; lives as long as its connection keeps it.
class Statement {
 public:
  static Result<Statement> prepare(sqlite3* database, std::string_view sql);

 private:
  friend class Query;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// One execution of a statement: parameters in order, then rows. What is bound must outlive it.
class Query {
 public:
  explicit Query(Statement& statement) : statement_(statement.statement_.get()) {}
  ~Query() { sqlite3_reset(statement_); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& bind(std::int64_t number);
  Query& bind(std::string_view text);
  Query& bind_value(const IndexValue& value);
  Query& bind_null();

  /// Bodies are text for whoever reads the table, except that text with a NUL in it would look cut off: those are
  /// blobs.
  Query& bind_body(std::string_view body);

  /// Step to the next row; false when there is none.
  Result<bool> next();

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string_view text(int column) const;  ///< Text or blob; valid until the next step.
  [[nodiscard]] storage::FieldView field(int column, IndexType type) const;

 private:
  void note(int code) noexcept;

  sqlite3_stmt* statement_;
  int parameter_ = 0;
  int failed_code_ = SQLITE_OK;  ///< The first bind that failed; told by `next`.
};

}  // namespace openindex::sqlite
