// The test of a NATS provider with a credentials file, against Debian's nats-server, where that is installed.
#include "http/nats_jwt.hpp"
#include "http/nats_server.hpp"
#include "provider/nats_credentials_sample.hpp"

using namespace openindex;
using namespace openindex::test;

TEST_CASE_FIXTURE(NatsFixture, "a credentials file logs in to a real NATS server, and one of another key does not") {
  if (!NatsServer::is_there()) return;
  const NatsKey authority(NatsRole::operator_), account(NatsRole::account), user(NatsRole::user), other(NatsRole::user);
  const auto operator_jwt = authority.vouch_for(authority, R"({"type":"operator","version":2})");
  const auto account_jwt = authority.vouch_for(
      account, R"({"limits":{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"conn":-1,)"
               R"("leaf":-1},"default_permissions":{"pub":{},"sub":{}},"type":"account","version":2})");
  const auto user_jwt =
      account.vouch_for(user, R"({"pub":{},"sub":{},"subs":-1,"data":-1,"payload":-1,"type":"user","version":2})");
  const NatsFolder folder;
  {
    std::ofstream config(folder.file("server.conf"));
    config << "operator: " << operator_jwt << "\nresolver: MEMORY\nresolver_preload: {\n  " << account.name() << ": "
           << account_jwt << "\n}\n";
  }
  const NatsServer server({"-c", folder.file("server.conf")});
  const auto accepted = tested(server, {{"protocol", "JWT"}, {"file", credentials_file(user_jwt, user.seed())}});
  CAPTURE(accepted.message);
  CHECK(accepted.ok());
  check_refused(server, {{"protocol", "JWT"}, {"file", credentials_file(user_jwt, other.seed())}},
                errc::provider_unauthorized);
  check_refused(server, {}, errc::provider_unauthorized);  // with a password
}
