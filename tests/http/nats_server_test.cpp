// The test of a NATS provider against Debian's nats-server, where that is installed: passwords, with TLS and without.
#include "http/nats_server.hpp"

#include "http/certificate.hpp"

using namespace openindex;
using namespace openindex::test;

namespace {

std::string text_of_file(const std::string& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE_FIXTURE(NatsFixture, "a NATS provider is tried out against a real server") {
  if (!NatsServer::is_there()) return;
  const NatsServer server({"--user", "mia", "--pass", "a \"secret\""});
  CHECK(tested(server, {{"password", "a \"secret\""}}).ok());
  check_refused(server, {}, errc::provider_unauthorized);
  check_refused(server, {{"tls", "PEM"}, {"tlsFile", "-----BEGIN X-----"}}, errc::http_tls);  // it offers none
}

TEST_CASE_FIXTURE(NatsFixture, "a NATS provider is tried out against a real server under TLS") {
  if (!NatsServer::is_there()) return;
  const NatsFolder folder;
  const Key key(EVP_EC_gen("P-256"));
  write_key(folder.file("key.pem"), key.get());
  write_certificate(folder.file("certificate.pem"), make_certificate(key.get(), "IP:127.0.0.1").get());
  write_certificate(folder.file("other.pem"), make_certificate(key.get(), "DNS:elsewhere.example").get());
  const auto roots = text_of_file(folder.file("certificate.pem"));
  const std::vector<std::string> login = {
      "--user", "mia", "--pass", "secret", "--tls", "--tlskey", folder.file("key.pem")};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), login.begin(), login.end());
    return more;
  };
  {
    const NatsServer server(with({"--tlscert", folder.file("certificate.pem")}));
    const auto accepted = tested(server, {{"tls", "PEM"}, {"tlsFile", roots}, {"password", "secret"}});
    CAPTURE(accepted.message);
    CHECK(accepted.ok());
    check_refused(server, {{"tls", "PEM"}, {"tlsFile", roots}}, errc::provider_unauthorized);
    check_refused(server, {{"password", "secret"}}, errc::http_tls);  // nobody whom this machine trusts
  }
  const NatsServer elsewhere(with({"--tlscert", folder.file("other.pem")}));
  const ProviderConfig trusting{
      {"tls", "PEM"}, {"tlsFile", text_of_file(folder.file("other.pem"))}, {"password", "secret"}};
  check_refused(elsewhere, trusting, errc::http_tls);
  const NatsServer strict(with(
      {"--tlscert", folder.file("certificate.pem"), "--tlsverify", "--tlscacert", folder.file("certificate.pem")}));
  const auto wants_more = tested(strict, {{"tls", "PEM"}, {"tlsFile", roots}, {"password", "secret"}});
  CHECK(wants_more.reachable);
  CHECK_FALSE(wants_more.ok());
  CHECK(wants_more.message.find("certificate of the client") != std::string::npos);
}
