// Servers that a test plays in memory, and a registry whose tests of brokers and databases reach them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provider/registry_fixture.hpp"

namespace openindex::test {

/// A server in memory: what it answers to each thing that it is sent, cut into pieces of `cut` bytes.
struct Played {
  std::string greeting = {};
  std::function<std::string(std::string_view)> answer = [](std::string_view) { return std::string(); };
  std::size_t cut = 7;
  bool hangs = false;  ///< What is not there does not come; else the server has closed.
};

class PlayedConnection final : public Connection {
 public:
  PlayedConnection(const Played& played, std::string& sent) : played_(played), sent_(sent), ready_(played.greeting) {}

  Result<void> write(std::string_view bytes) override {
    sent_ += bytes;
    ready_ += played_.answer(bytes);
    return {};
  }
  Result<std::string> read(std::size_t bytes_max) override {
    if (ready_.empty()) return played_.hangs ? Result<std::string>(errc::http_timeout) : std::string();
    const std::string out = ready_.substr(0, std::min(bytes_max, played_.cut));
    ready_.erase(0, out.size());
    return out;
  }

 private:
  const Played& played_;
  std::string& sent_;
  std::string ready_;
};

struct PlayedConnector final : Connector {
  Played played;
  std::optional<errc> refuses = {};
  std::vector<ConnectRequest> requests;
  std::string sent;

  Result<std::unique_ptr<Connection>> open(const ConnectRequest& request) override {
    requests.push_back(request);
    sent.clear();
    if (refuses) return *refuses;
    return std::unique_ptr<Connection>(std::make_unique<PlayedConnection>(played, sent));
  }
};

struct ProtocolFixture : RegistryFixture {
  int made_so_far = 0;
  PlayedConnector connector;
  ProviderRegistry providers{
      {.storage = storage, .secrets = secrets, .http = http, .clock = clock, .connector = &connector}};

  ProviderTest tested(const std::string& type, const ProviderConfig& config) {
    const std::string name = type + std::to_string(++made_so_far);
    const auto made = providers.create(host, {.name = name, .type = type, .config = config});
    REQUIRE(made);
    const auto test = providers.test(host, made->id);
    REQUIRE(test);
    CHECK(test->message.find("MARKER") == std::string::npos);
    CHECK(!test->message.empty());
    return *test;
  }
};

inline void check(const ProviderTest& test, bool reachable, bool authenticated, bool configured,
                  std::optional<errc> code) {
  CHECK(test.reachable == reachable);
  CHECK(test.authenticated == authenticated);
  CHECK(test.configured == configured);
  CHECK(test.code == code);
}

inline ProviderConfig with(ProviderConfig config, const std::string& key, const std::string& value) {
  config[key] = value;
  return config;
}

}  // namespace openindex::test
