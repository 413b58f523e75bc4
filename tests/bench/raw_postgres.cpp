#include "bench/raw_postgres.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

#include "bench/figure.hpp"

namespace openindex::bench {
namespace {

std::string domain_of(const std::string& item) { return item.substr(0, item.find('-')); }

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

RawPostgres::RawPostgres(const std::string& conninfo, const std::string& schema)
    : connection_(PQconnectdb(conninfo.c_str())) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection_.get()));
  execute("SET search_path = " + schema);
  prepare("begin", "BEGIN");
  prepare("commit", "COMMIT");
  prepare("read_state",
          "SELECT version, body FROM records WHERE domain = $1 AND kind = 'item' AND key = $2 FOR UPDATE");
  prepare("update_state",
          "UPDATE records SET version = $3::bigint, body = $4, items_status = $5, items_holder = $6, queue_holder = $6 "
          "WHERE domain = $1 AND kind = 'item' AND key = $2 AND version = $7::bigint");
  prepare("upsert_hold",
          "INSERT INTO records (domain, kind, key, version, due_topic, due_at, due_subject, body) "
          "VALUES ($1, 'hold', $2, 1, 'hold', $3::bigint, $2, $4) ON CONFLICT (domain, kind, key) DO UPDATE SET "
          "version = records.version + 1, due_topic = 'hold', due_at = excluded.due_at, "
          "due_subject = excluded.due_subject, body = excluded.body");
  prepare(
      "insert_audit",
      "INSERT INTO records (domain, kind, key, version, audit_at, audit_domain, audit_type, audit_actor, "
      "audit_stream, body) VALUES ($1, 'audit', $2, 1, $3::bigint, $1, 'work_item.claimed', 'agent-alpha', $4, $5)");
}

void RawPostgres::execute(const std::string& sql) { check(PQexec(connection_.get(), sql.c_str())); }

void RawPostgres::claim(const RawClaim& claim) {
  const auto domain = domain_of(claim.item);
  run("begin", {});
  const auto state = run("read_state", {domain, claim.item});
  if (PQntuples(state.get()) != 1 || PQgetvalue(state.get(), 0, 0) != std::to_string(claim.version)) {
    throw std::runtime_error("somebody has changed " + claim.item);
  }
  const auto updated = run("update_state", {domain, claim.item, std::to_string(claim.version + 1), claim.state,
                                            claim.status, claim.holder, std::to_string(claim.version)});
  if (std::string(PQcmdTuples(updated.get())) != "1") throw std::runtime_error("somebody has changed " + claim.item);
  run("upsert_hold", {domain, claim.item, std::to_string(claim.deadline_ms), claim.hold});
  for (const auto& [key, body] : claim.audit) {
    std::array<unsigned char, 32> digest{};
    if (EVP_Digest(body.data(), body.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
      throw std::runtime_error("SHA-256 failed");
    }
    keep(digest);
    run("insert_audit", {domain, key, std::to_string(claim.deadline_ms), claim.item, body});
  }
  run("commit", {});
}

RawPostgres::Answer RawPostgres::check(PGresult* result) const {
  Answer answer(result);
  const auto status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return answer;
  throw std::runtime_error(PQerrorMessage(connection_.get()));
}

RawPostgres::Answer RawPostgres::run(const char* statement, const std::vector<std::string>& values) {
  std::vector<const char*> texts;
  for (const auto& value : values) texts.push_back(value.c_str());
  return check(
      PQexecPrepared(connection_.get(), statement, static_cast<int>(texts.size()), texts.data(), nullptr, nullptr, 0));
}

void RawPostgres::prepare(const char* name, const char* sql) {
  check(PQprepare(connection_.get(), name, sql, 0, nullptr));
}

}  // namespace openindex::bench
