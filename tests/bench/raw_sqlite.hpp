// Durable steps written with nothing but the SQLite C API: the baseline of the durable figures.
//
// A program that somebody would write by hand for this one purpose. For each step: read the item's state row and check
// its version, update what columns change, insert the new rows, digest each audit entry with SHA-256. Log, synchronous
// FULL, prepared statements. It neither builds JSON nor parses any: what it writes was made before.
#pragma once

#include <openssl/evp.h>
#include <sqlite3.h>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <openindex/storage/change_set.hpp>

namespace openindex::bench {

/// The rows of one durable step, as values.
struct RawStep {
  std::string item = {};     ///< Whose state is read and checked; empty: it is created.
  std::int64_t version = 0;  ///< Of the state row before the step.

  struct Write {
    std::size_t statement = 0;            ///< Among the texts of the program.
    std::vector<IndexValue> values = {};  ///< Of its parameters, in order.
    std::size_t digested = 0;             ///< Which of them is the body of an audit entry, from 1; 0: none.
    bool of_state = false;                ///< The row that was read; its number is the last parameter.
  };
  std::vector<Write> writes = {};
};

/// What the hand-written program knows: its statements, and what columns a step changes.
class RawProgram {
 public:
  /// Take the rows from what the engine committed. Call it for all that was committed to a record, in order. Throws
  /// when that is not what this program writes.
  RawStep step(const ChangeSet& changes);

  [[nodiscard]] const std::vector<std::string>& statements() const noexcept { return texts_; }

 private:
  std::size_t statement(const std::string& text);
  RawStep::Write insert(const Put& put);
  RawStep::Write update(const Put& put, const Put& before);

  std::vector<std::string> texts_;
  std::map<std::string, std::size_t> numbers_;
  std::map<RecordId, Put> written_;
};

class RawSqlite {
 public:
  /// Open a database that `SqliteStorage` has made. Throws on failure, like everything here.
  RawSqlite(const std::filesystem::path& path, const RawProgram& program);

  enum class Digests { made, left_out };

  /// Commit steps in one transaction.
  void commit(std::span<const RawStep* const> steps, Digests digests = Digests::made);
  void commit(const RawStep& step);

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  struct Close {
    void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
  };
  struct FreeContext {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  struct FreeDigest {
    void operator()(EVP_MD* digest) const noexcept { EVP_MD_free(digest); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  void check(int code) const;
  void pragma(const char* sql, const char* expected);
  Statement prepare(const char* sql);
  void run(const Statement& statement);
  std::int64_t check_state(const RawStep& step);
  void write(const RawStep::Write& row, std::int64_t state, Digests digests);
  void digest(const std::string& body);

  std::unique_ptr<sqlite3, Close> database_;
  Statement begin_, commit_, read_state_;
  std::vector<Statement> writes_;
  std::unique_ptr<EVP_MD, FreeDigest> sha256_;
  std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
  std::array<unsigned char, 32> digest_{};
};

/// Many callers, one transaction: whoever finds nobody at it commits for all that wait.
class RawGroup {
 public:
  explicit RawGroup(RawSqlite& database) : database_(database) {}

  /// Return when the step is durable. From any thread.
  void commit(const RawStep& step);

 private:
  struct Caller {
    const RawStep* step;
    bool done = false;
    std::condition_variable turn = {};
  };
  void lead(std::unique_lock<std::mutex>& lock);

  RawSqlite& database_;
  std::mutex mutex_;
  std::deque<Caller*> waiting_;
  bool leading_ = false;
};

}  // namespace openindex::bench
