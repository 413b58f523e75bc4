// What the SQLite tests share: a folder of their own, the file's bytes, and a plain SQLite connection to it.
#pragma once

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <openindex/adapters/sqlite_storage.hpp>

#include "storage/test_records.hpp"

namespace openindex {

/// A folder that is removed at the end, and the path of a database in it.
class DatabaseFile {
 public:
  DatabaseFile() {
    std::string name = (std::filesystem::temp_directory_path() / "openindex-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~DatabaseFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  DatabaseFile(const DatabaseFile&) = delete;
  DatabaseFile& operator=(const DatabaseFile&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "test.db"; }
  [[nodiscard]] SqliteOptions options() const { return {.path = path()}; }

  /// Read or write the bytes. Only while nothing in this process has the database open.
  [[nodiscard]] std::string bytes() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(std::string_view bytes) const {
    std::ofstream file(path(), std::ios::binary | std::ios::trunc);
    file << bytes;
  }

  [[nodiscard]] std::unique_ptr<SqliteStorage> open() const { return open(options()); }
  [[nodiscard]] static std::unique_ptr<SqliteStorage> open(SqliteOptions options) {
    auto storage = SqliteStorage::open(std::move(options));
    REQUIRE_MESSAGE(storage.has_value(), (storage ? std::string() : storage.error().describe()));
    return std::move(*storage);
  }

 private:
  std::filesystem::path folder_;
};

/// SQLite itself, as an operator's shell would use it.
class PlainConnection {
 public:
  explicit PlainConnection(const DatabaseFile& file) {
    REQUIRE(sqlite3_open(file.path().c_str(), &database_) == SQLITE_OK);
  }
  ~PlainConnection() { sqlite3_close(database_); }
  PlainConnection(const PlainConnection&) = delete;
  PlainConnection& operator=(const PlainConnection&) = delete;

  [[nodiscard]] sqlite3* raw() const { return database_; }

  void execute(const std::string& sql) {
    REQUIRE(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  }

  /// Execute, and leave the log beside the database when closing, as a crash would.
  void leave_log(const std::string& sql) {
    execute(sql);
    REQUIRE(sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr) == SQLITE_OK);
  }

  /// Return the first column of every row.
  std::vector<std::string> column(const std::string& sql) {
    std::vector<std::string> values;
    const auto collect = [](void* into, int, char** row, char**) {
      static_cast<std::vector<std::string>*>(into)->emplace_back(row[0] != nullptr ? row[0] : "NULL");
      return 0;
    };
    REQUIRE(sqlite3_exec(database_, sql.c_str(), collect, &values, nullptr) == SQLITE_OK);
    return values;
  }

 private:
  sqlite3* database_ = nullptr;
};

}  // namespace openindex
