// Claims written with nothing but the SQLite C API: the baseline of the durable figures.
//
// A program that somebody would write by hand for this one purpose. One transaction for each claim: read the state row,
// check its version, update it, write the hold, append the audit entries with their SHA-256. Log, synchronous FULL,
// prepared statements.
#pragma once

#include <openssl/evp.h>
#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <openindex/storage/change_set.hpp>

namespace openindex::bench {

/// The rows of one claim, as values.
struct RawClaim {
  std::string item = {};
  std::int64_t version = 0;  ///< Of the state row before the claim.
  std::string state = {};
  std::string status = {};
  std::string holder = {};
  std::string hold = {};
  std::int64_t deadline_ms = 0;
  struct Entry {
    std::string key = {};
    std::string body = {};
  };
  std::vector<Entry> audit = {};

  /// Take the rows from what the engine committed for a claim. Throws when that is not what this program writes.
  static RawClaim from(const ChangeSet& changes);
};

class RawSqlite {
 public:
  /// Open a database that `SqliteStorage` has made. Throws on failure, like everything here.
  explicit RawSqlite(const std::filesystem::path& path);

  void claim(const RawClaim& claim);

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
  std::int64_t check_state(const RawClaim& claim);
  void write_state(const RawClaim& claim, std::int64_t row);
  void write_hold(const RawClaim& claim);
  void write_audit(const RawClaim& claim);

  std::unique_ptr<sqlite3, Close> database_;
  Statement begin_, commit_, read_state_, update_state_, upsert_hold_, insert_audit_;
  std::unique_ptr<EVP_MD, FreeDigest> sha256_;
  std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
  std::array<unsigned char, 32> digest_{};
};

}  // namespace openindex::bench
