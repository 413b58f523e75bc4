// Refusals in a language that nobody here speaks.
#include <locale.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

#include "http/raw_server.hpp"
#include "postgres/postgres_fixture.hpp"
#include "storage/test_records.hpp"

using namespace openindex;

namespace {

/// Refuse every client with a code, as a server does that speaks some other language.
test::RawServer::Talk refuse_with(const char* sqlstate) {
  return [=](int client) {
    char startup[1024];
    if (recv(client, startup, sizeof startup, 0) <= 0) return;
    const auto field = [](char type, const std::string& text) { return type + text + std::string(1, '\0'); };
    const auto fields = field('S', "SCHWERWIEGEND") + field('V', "FATAL") + field('C', sqlstate) +
                        field('M', "Das wird nichts: leider") + field('F', "somewhere.c") + field('L', "1") +
                        field('R', "somewhere") + std::string(1, '\0');
    const auto size = static_cast<char>(fields.size() + 4);
    const auto message = std::string("E\0\0\0", 4) + size + fields;
    send(client, message.data(), message.size(), MSG_NOSIGNAL);
  };
}

Error refusal(const PostgresOptions& options) {
  const auto refused = PostgresStorage::open(options);
  REQUIRE(!refused);
  return refused.error();
}

/// Have libpq in this process, and servers that it starts, speak German, if they can.
void speak_german() {
  setenv("LANGUAGE", "de", 1);
  setenv("LC_ALL", "C.UTF-8", 1);
  setlocale(LC_ALL, "");
}

}  // namespace

TEST_CASE("a server's refusal is known by its code, whatever its words") {
  for (const auto& [sqlstate, code] : {std::pair{"53300", errc::storage_busy},
                                       {"57P03", errc::storage_busy},
                                       {"25006", errc::storage_read_only},
                                       {"57P01", errc::storage_failed}}) {
    const test::RawServer server(refuse_with(sqlstate));
    PostgresOptions options;
    options.conninfo =
        "host=127.0.0.1 sslmode=disable gssencmode=disable user=nobody port=" + std::to_string(server.port());
    options.connection_wait = Duration(0);
    const auto error = refusal(options);
    CHECK(error.code() == code);
    CHECK(error.context("sqlstate") == sqlstate);
    CHECK(error.context("postgres").find("Das wird nichts: leider") != std::string::npos);
    CHECK(error.context("postgres").find("somewhere") == std::string::npos);
  }
}

TEST_CASE("what does not get better by waiting is refused at once, whatever the server's words") {
  for (const char* sqlstate : {"28P01", "28000", "3D000"}) {
    const test::RawServer server(refuse_with(sqlstate));
    PostgresOptions options;
    options.conninfo =
        "host=127.0.0.1 sslmode=disable gssencmode=disable user=nobody port=" + std::to_string(server.port());
    options.connection_wait = std::chrono::hours(1);
    CHECK(refusal(options).code() == errc::storage_failed);
  }
}

TEST_CASE("a server and a libpq that speak German are understood") {
  if (shared_server() == nullptr) return;
  speak_german();
  const PostgresServer server({"lc_messages=C.UTF-8"});
  PlainPostgres psql(server.conninfo());
  auto* result = PQexec(psql.raw(), "SELECT 1/0");
  const bool is_german = std::string(PQresultErrorMessage(result)).find("Division durch Null") != std::string::npos;
  PQclear(result);
  if (!is_german) {
    std::cout << "PostgreSQL's German is not installed: skipped\n";
    return;
  }
  psql.execute("CREATE ROLE narrow LOGIN CONNECTION LIMIT 1");
  psql.execute("CREATE ROLE reader LOGIN");
  psql.execute("ALTER ROLE reader SET default_transaction_read_only = on");

  auto options = server.options("openindex");
  const auto plain = options.conninfo;
  options.connection_wait = Duration(0);
  const PlainPostgres occupant(plain + " user=narrow");
  options.conninfo = plain + " user=narrow";
  CHECK(refusal(options).code() == errc::storage_busy);
  options.conninfo = plain + " user=reader target_session_attrs=read-write";
  CHECK(refusal(options).code() == errc::storage_read_only);

  options.connection_wait = std::chrono::hours(1);
  options.conninfo = plain + " user=nobody";
  CHECK(refusal(options).code() == errc::storage_failed);
  options.conninfo = plain + " dbname=nothing";
  CHECK(refusal(options).code() == errc::storage_failed);

  options.conninfo = plain;
  CHECK(commit_one(*open_postgres(options), test_put("a")).has_value());
}
