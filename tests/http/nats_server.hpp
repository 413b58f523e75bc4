// Debian's nats-server, where that is installed: one of the test's own, and a provider of it that is tried out.
#pragma once

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <openindex/adapters/curl_connector.hpp>
#include <openindex/adapters/memory_storage.hpp>
#include <openindex/adapters/sealed_secret_store.hpp>
#include <openindex/provider_registry.hpp>

namespace openindex::test {

/// A folder for the server's files; removed at the end.
class NatsFolder {
 public:
  NatsFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "openindex-nats-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~NatsFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  NatsFolder(const NatsFolder&) = delete;
  NatsFolder& operator=(const NatsFolder&) = delete;

  [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// A server on a port that it picks itself and tells in its log.
class NatsServer {
 public:
  static constexpr const char* program = "/usr/sbin/nats-server";

  /// False, and says what makes ctest skip the test, when there is none.
  static bool is_there() {
    if (::access(program, X_OK) == 0) return true;
    MESSAGE("skipped: nats-server is not installed");
    return false;
  }

  explicit NatsServer(std::vector<std::string> arguments) {
    std::vector<std::string> command = {program, "-a", "127.0.0.1", "-p", "-1"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    std::vector<char*> words;
    for (auto& word : command) words.push_back(word.data());
    words.push_back(nullptr);
    int log[2];
    REQUIRE(::pipe2(log, O_CLOEXEC) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(log[1], STDERR_FILENO);
      ::execv(program, words.data());
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
    CAPTURE(text);
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

/// A registry that reaches this machine.
struct NatsFixture {
  const CurlOptions options{.egress = Egress::public_and_loopback()};
  MemoryStorage storage;
  SealedSecretStore secrets{HostKey::ephemeral()};
  CurlHttpClient http{options};
  CurlConnector connector{options};
  ProviderRegistry registry{{.storage = storage, .secrets = secrets, .http = http, .connector = &connector}};

  /// Try out a server; `more` goes over a login as mia without TLS.
  ProviderTest tested(const NatsServer& server, const ProviderConfig& more) {
    ProviderConfig config = more;
    config.insert({{"endpoint", server.address()},
                   {"connectionType", "Default"},
                   {"authenticationType", "With Credentials"},
                   {"protocol", "NONE"},
                   {"tls", "NONE"},
                   {"user", "mia"},
                   {"password", "another"}});
    const Actor host = Actor::system("host");
    const std::string name = "nats-" + std::to_string(++providers_made_);
    const auto made = registry.create(host, {.name = name, .type = "nats", .config = config}).value();
    return registry.test(host, made.id).value();
  }

  void check_refused(const NatsServer& server, const ProviderConfig& more, errc code) {
    const auto refused = tested(server, more);
    CHECK(refused.reachable);
    CHECK_FALSE(refused.authenticated);
    CHECK(refused.code == code);
  }

 private:
  int providers_made_ = 0;
};

}  // namespace openindex::test
