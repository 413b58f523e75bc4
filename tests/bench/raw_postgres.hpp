// Claims written with nothing but libpq: the baseline of the PostgreSQL figures.
//
// A program that somebody would write by hand for this one purpose. One connection for each caller, one transaction for
// each claim: lock and read the state row, check its version, update it, write the hold, append the audit entries with
// their SHA-256. Prepared statements, one call for each.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/raw_sqlite.hpp"

namespace openindex::bench {

class RawPostgres {
 public:
  /// Connect to a database in which `PostgresStorage` has made its tables. Throws on failure, like everything here.
  explicit RawPostgres(const std::string& conninfo);

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
