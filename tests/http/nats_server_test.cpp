// The test of a NATS provider against Debian's nats-server, where that is installed.
#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include <openindex/adapters/curl_connector.hpp>
#include <openindex/adapters/memory_storage.hpp>
#include <openindex/adapters/sealed_secret_store.hpp>
#include <openindex/provider_registry.hpp>

using namespace openindex;

namespace {

constexpr const char* program = "/usr/sbin/nats-server";

// A server of the test's own, on a port that it picks itself and tells in its log.
class NatsServer {
 public:
  NatsServer() {
    int log[2];
    REQUIRE(::pipe2(log, O_CLOEXEC) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(log[1], STDERR_FILENO);
      ::execl(program, program, "-a", "127.0.0.1", "-p", "-1", "--user", "mia", "--pass", "a \"secret\"", nullptr);
      ::_exit(127);
    }
    ::close(log[1]);
    const std::string mark = "client connections on 127.0.0.1:";
    std::string text;
    char byte = 0;
    for (auto at = std::string::npos; ::read(log[0], &byte, 1) == 1; at = text.find(mark)) {
      text += byte;
      if (byte != '\n' || at == std::string::npos) continue;
      port_ = text.substr(at + mark.size(), text.find('\n', at) - at - mark.size());
      break;
    }
    log_ = log[0];
    REQUIRE(!port_.empty());
  }
  ~NatsServer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(log_);
  }
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;

  [[nodiscard]] std::string address() const { return "nats://127.0.0.1:" + port_; }

 private:
  pid_t pid_ = -1;
  int log_ = -1;
  std::string port_;
};

}  // namespace

TEST_CASE("a NATS provider is tried out against a real server") {
  if (::access(program, X_OK) != 0) {
    MESSAGE("skipped: nats-server is not installed");
    return;
  }
  const NatsServer server;
  MemoryStorage storage;
  SealedSecretStore secrets{HostKey::ephemeral()};
  const CurlOptions options{.egress = Egress::public_and_loopback()};
  CurlHttpClient http(options);
  CurlConnector connector(options);
  ProviderRegistry registry{{.storage = storage, .secrets = secrets, .http = http, .connector = &connector}};
  const Actor host = Actor::system("host");
  const auto tested = [&](const std::string& password) {
    const ProviderConfig config{{"endpoint", server.address()},
                                {"connectionType", "Default"},
                                {"authenticationType", "With Credentials"},
                                {"protocol", "NONE"},
                                {"tls", "NONE"},
                                {"user", "mia"},
                                {"password", password}};
    const auto made = registry.save(host, {.name = "nats", .type = "nats", .config = config}).value();
    return registry.test(host, made.id).value();
  };
  CHECK(tested("a \"secret\"").ok());
  const auto refused = tested("another");
  CHECK(refused.reachable);
  CHECK_FALSE(refused.authenticated);
  CHECK(refused.code == errc::provider_unauthorized);
}
