// Claims written with nothing but libpq: the baseline of the PostgreSQL figures.
//
// A program that somebody would write by hand for this one purpose. One connection for each caller, one transaction for
// each claim: lock and read the state row, check its version, update it, write the hold, append the audit entries with
// their SHA-256. Prepared statements, one call for each.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
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

class RawPostgres {
 public:
  /// Connect to a schema in which `PostgresStorage` has made its tables. Throws on failure, like everything here.
  RawPostgres(const std::string& conninfo, const std::string& schema);

  void execute(const std::string& sql);

  void claim(const RawClaim& claim);

 private:
  struct Finish {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  };
  struct Clear {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
  };
  using Answer = std::unique_ptr<PGresult, Clear>;

  Answer check(PGresult* result) const;
  Answer run(const char* statement, const std::vector<std::string>& values);
  void prepare(const char* name, const char* sql);

  std::unique_ptr<PGconn, Finish> connection_;
};

}  // namespace openindex::bench
