// A connector over a server in memory that is spoken to without TLS, and then with it.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provider/registry_fixture.hpp"

namespace openindex::test {

/// What is said on one side of the handshake.
struct Secrecy {
  std::string greeting = {};
  std::function<std::string(std::string_view)> answer = [](std::string_view) { return std::string(); };
  std::string sent = {};
};

class SecrecyConnection final : public Connection {
 public:
  explicit SecrecyConnection(Secrecy& secrecy) : secrecy_(secrecy), ready_(secrecy.greeting) { secrecy_.sent.clear(); }

  Result<void> write(std::string_view bytes) override {
    secrecy_.sent += bytes;
    ready_ += secrecy_.answer(bytes);
    return {};
  }
  Result<std::string> read(std::size_t bytes_max) override {
    const std::string out = ready_.substr(0, bytes_max);
    ready_.erase(0, out.size());
    return out;
  }

 private:
  Secrecy& secrecy_;
  std::string ready_;
};

struct SecuredConnector final : Connector {
  Secrecy clear, sealed;
  std::optional<errc> refuses_tls = {};
  std::vector<ConnectRequest> opened, started;

  Result<std::unique_ptr<Connection>> open(const ConnectRequest& request) override {
    opened.push_back(request);
    sealed.sent.clear();
    return std::unique_ptr<Connection>(std::make_unique<SecrecyConnection>(clear));
  }
  Result<std::unique_ptr<Connection>> start_tls(std::unique_ptr<Connection> connection,
                                                const ConnectRequest& request) override {
    CHECK(connection != nullptr);
    started.push_back(request);
    if (refuses_tls) return *refuses_tls;
    return std::unique_ptr<Connection>(std::make_unique<SecrecyConnection>(sealed));
  }
};

struct SecuredFixture : RegistryFixture {
  SecuredConnector connector;
  ProviderRegistry providers{
      {.storage = storage, .secrets = secrets, .http = http, .clock = clock, .connector = &connector}};

  /// Nothing secret is said without TLS, nor in the answer.
  ProviderTest tested(const std::string& type, const ProviderConfig& config) {
    connector.started.clear();
    const std::string name = type + "-" + std::to_string(++providers_made_);
    const auto made = providers.create(host, {.name = name, .type = type, .config = config});
    REQUIRE_MESSAGE(made.has_value(), (made ? std::string() : made.error().describe()));
    const auto test = providers.test(host, made->id);
    REQUIRE(test);
    CHECK(test->message.find("MARKER") == std::string::npos);
    CHECK(!test->message.empty());
    return *test;
  }

  void check_tested(const std::string& type, const ProviderConfig& config, bool authenticated, bool configured,
                    std::optional<errc> code) {
    const auto test = tested(type, config);
    CHECK(test.reachable);
    CHECK(test.authenticated == authenticated);
    CHECK(test.configured == configured);
    CHECK(test.code == code);
  }

 private:
  int providers_made_ = 0;
};

inline ProviderConfig with_value(ProviderConfig config, const std::string& key, const std::string& value) {
  config[key] = value;
  return config;
}

}  // namespace openindex::test
