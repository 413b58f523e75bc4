// How long the host's credentials at AWS are kept, and who waits for others.
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include <openindex/adapters/aws_default_identity.hpp>
#include <openindex/testing/manual_clock.hpp>

#include "adapters/metadata_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using test::agent_answer;

namespace {

constexpr const char* agent = "GET http://169.254.170.2/creds";

struct IdentityFixture {
  testing::ManualClock clock;
  test::PlayedNetwork network;
  AwsDefaultIdentity identity{{.http = network, .sources = sources(), .clock = clock}};

  static AwsSources sources() {
    AwsSources from;
    from.container_relative_uri = "/creds";
    return from;
  }
  void give(const std::string& mark, Duration lasts) { network.answer(agent, agent_answer(mark, clock.now() + lasts)); }
  void fail() { network.answers.clear(); }
  std::string key() {
    const auto credentials = identity.credentials();
    return credentials ? credentials->access_key : std::string(name(credentials.error().code()));
  }
};

}  // namespace

TEST_CASE_FIXTURE(IdentityFixture, "the host's credentials are kept until five minutes before they expire") {
  give("1", 60min);
  CHECK(key() == "ASIA1");
  give("2", 120min);
  clock.advance(55min - 1ms);
  CHECK(key() == "ASIA1");
  CHECK(network.requests.size() == 1);
  clock.advance(1ms);
  CHECK(key() == "ASIA2");
  CHECK(network.requests.size() == 2);
}

TEST_CASE_FIXTURE(IdentityFixture, "credentials that are given shortly before they expire are kept for half of that") {
  give("1", 4min);
  CHECK(key() == "ASIA1");
  clock.advance(2min - 1ms);
  CHECK(key() == "ASIA1");
  CHECK(network.requests.size() == 1);
  clock.advance(1ms);
  CHECK(key() == "ASIA1");
  CHECK(network.requests.size() == 2);
}

TEST_CASE_FIXTURE(IdentityFixture, "a renewal that fails leaves the former credentials as long as they are good") {
  give("1", 60min);
  CHECK(key() == "ASIA1");
  fail();
  clock.advance(56min);
  for (int i = 0; i < 3; ++i) CHECK(key() == "ASIA1");
  CHECK(network.requests.size() == 2);  // not for each caller
  clock.advance(10s);
  CHECK(key() == "ASIA1");
  CHECK(network.requests.size() == 3);
  clock.advance(4min);
  CHECK(key() == "http_unreachable");
}

TEST_CASE_FIXTURE(IdentityFixture, "a failure is told for ten seconds before the next attempt") {
  CHECK(key() == "http_unreachable");
  give("1", 60min);
  clock.advance(10s - 1ms);
  CHECK(key() == "http_unreachable");
  CHECK(network.requests.size() == 1);
  clock.advance(1ms);
  CHECK(key() == "ASIA1");
}

TEST_CASE_FIXTURE(IdentityFixture,
                  "credentials that AWS refuses are fetched anew, if they are the ones that are kept") {
  give("1", 60min);
  CHECK(key() == "ASIA1");
  give("2", 60min);
  identity.refused("ASIA0");
  CHECK(key() == "ASIA1");
  identity.refused("ASIA1");
  CHECK(key() == "ASIA2");
  identity.refused("ASIA1");
  CHECK(key() == "ASIA2");
  CHECK(network.requests.size() == 2);
}

TEST_CASE_FIXTURE(IdentityFixture,
                  "credentials that AWS refuses are given on while there are no others, and not fetched all the time") {
  give("1", 60min);
  CHECK(key() == "ASIA1");
  identity.refused("ASIA1");
  CHECK(key() == "ASIA1");  // there are no others
  CHECK(network.requests.size() == 2);
  identity.refused("ASIA1");
  CHECK(key() == "ASIA1");
  CHECK(network.requests.size() == 2);
  clock.advance(1min);
  fail();
  identity.refused("ASIA1");
  CHECK(key() == "ASIA1");
  CHECK(network.requests.size() == 3);
  give("2", 60min);
  clock.advance(10s);
  CHECK(key() == "ASIA2");
}

TEST_CASE_FIXTURE(IdentityFixture, "an HTTP client that throws is a failure like others") {
  network.before_answer = [] { throw std::runtime_error("MARKER"); };
  const auto credentials = identity.credentials();
  REQUIRE_FALSE(credentials);
  CHECK(credentials.error().code() == errc::host_callback_failed);
  CHECK(credentials.error().describe().find("MARKER") == std::string::npos);
  network.before_answer = [] {};
  give("1", 60min);
  clock.advance(10s);
  CHECK(key() == "ASIA1");
}

TEST_CASE_FIXTURE(IdentityFixture, "threads that ask at the same time share one exchange and its outcome") {
  give("1", 60min);
  std::promise<void> arrived, go_on;
  network.before_answer = [&] {
    arrived.set_value();
    go_on.get_future().wait();
  };
  auto first = std::async(std::launch::async, [this] { return key(); });
  arrived.get_future().wait();
  // The exchange is under way: who asks now waits for it, and a second exchange would set the promise twice.
  std::vector<std::future<std::string>> others;
  std::atomic<int> asking{0};
  for (int i = 0; i < 4; ++i) {
    others.push_back(std::async(std::launch::async, [this, &asking] {
      ++asking;
      return key();
    }));
  }
  while (asking < 4) std::this_thread::yield();
  go_on.set_value();
  CHECK(first.get() == "ASIA1");
  for (auto& other : others) CHECK(other.get() == "ASIA1");
  CHECK(network.requests.size() == 1);
}

TEST_CASE_FIXTURE(IdentityFixture, "who asks during a renewal goes on with credentials that are still good") {
  give("1", 60min);
  CHECK(key() == "ASIA1");
  give("2", 120min);
  clock.advance(56min);
  std::promise<void> arrived, go_on;
  network.before_answer = [&] {
    arrived.set_value();
    go_on.get_future().wait();
  };
  auto renewing = std::async(std::launch::async, [this] { return key(); });
  arrived.get_future().wait();
  CHECK(key() == "ASIA1");  // would wait for ever otherwise
  go_on.set_value();
  CHECK(renewing.get() == "ASIA2");
  CHECK(key() == "ASIA2");
}

TEST_CASE_FIXTURE(IdentityFixture,
                  "nobody waits for a renewal, not even who begins it, while the former ones are good") {
  give("1", 60min);
  CHECK(key() == "ASIA1");
  network.is_silent = true;
  clock.advance(56min);
  for (int i = 0; i < 3; ++i) CHECK(key() == "ASIA1");  // the first would wait for ever otherwise
  CHECK(network.requests.size() == 2);
  give("2", 60min);
  network.speak();
  CHECK(key() == "ASIA2");
  CHECK(network.requests.size() == 2);
}

TEST_CASE_FIXTURE(IdentityFixture, "a source that has failed and is silent now makes nobody wait") {
  give("1", 60min);
  CHECK(key() == "ASIA1");
  fail();
  clock.advance(56min);
  CHECK(key() == "ASIA1");
  network.is_silent = true;
  clock.advance(5min);
  for (int i = 0; i < 3; ++i) CHECK(key() == "http_unreachable");
  CHECK(network.requests.size() == 3);
  give("2", 60min);
  network.speak();
  CHECK(key() == "ASIA2");
}

TEST_CASE_FIXTURE(IdentityFixture, "an answer that nobody has come for is not read when it may be outdated") {
  give("1", 60min);
  CHECK(key() == "ASIA1");
  network.is_silent = true;
  clock.advance(56min);
  CHECK(key() == "ASIA1");
  give("2", 1min);
  network.speak();
  clock.advance(2min);
  give("3", 60min);
  CHECK(key() == "ASIA3");
  CHECK(network.requests.size() == 3);
}

TEST_CASE("an identity that goes takes its question back, and a late answer finds nobody") {
  testing::ManualClock clock;
  test::PlayedNetwork network;
  {
    AwsDefaultIdentity identity({.http = network, .sources = IdentityFixture::sources(), .clock = clock});
    network.answer(agent, agent_answer("1", clock.now() + 60min));
    CHECK(identity.credentials());
    network.is_silent = true;
    clock.advance(56min);
    CHECK(identity.credentials());
    CHECK(network.cancelled.empty());
  }
  CHECK(network.cancelled == std::vector<HttpTicket>{2});
  network.speak();
}
