// Providers whose credential is exchanged for a token before they are asked.
#include <doctest/doctest.h>

#include "dispatch/dispatch_fixture.hpp"
#include "provider/google_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::DispatchFixture;

namespace {

constexpr const char* token_url = "https://oauth2.googleapis.com/token";
constexpr const char* chat_url =
    "https://europe-west1-aiplatform.googleapis.com/v1/projects/project-1/locations/europe-west1/publishers/google/"
    "models/gemini-x:generateContent";

struct VertexFixture : DispatchFixture {
  ProviderId vertex(const std::string& name = "vertex") {
    return providers
        .create(host, {.name = name,
                       .type = "vertex_ai_gemini",
                       .config = {{"projectName", "project-1"},
                                  {"environment", "europe-west1"},
                                  {"file", test::GoogleKey::shared().file()},
                                  {"model", "gemini-x"}}})
        .value()
        .id;
  }
  void answer_token(const std::string& token) {
    REQUIRE(model.requests.back().url == token_url);
    model.answer(HttpResponse{200, {}, R"({"access_token":")" + token + R"(","expires_in":3600})"});
  }
  void answer_reply(const std::string& text) {
    model.answer(HttpResponse{
        200,
        {},
        R"({"candidates":[{"content":{"role":"model","parts":[{"text":")" + text + R"("}]},"finishReason":"STOP"}]})"});
  }
  std::string credential() {
    for (const auto& [name, value] : model.requests.back().headers) {
      if (name == "Authorization") return value;
    }
    return {};
  }
};

}  // namespace

TEST_CASE("a token is fetched before the first question, once for all runs, and kept until it is old") {
  VertexFixture f;
  f.attach(f.vertex());
  for (int i = 0; i < 3; ++i) f.dispatched();
  f.settle();
  REQUIRE(f.model.requests.size() == 1);
  f.answer_token("token-1");
  f.settle();
  REQUIRE(f.model.requests.size() == 4);
  CHECK(f.model.requests.back().url == chat_url);
  CHECK(f.credential() == "Bearer token-1");

  f.clock.advance(54min);
  f.dispatched();
  f.settle();
  REQUIRE(f.model.requests.size() > 4);
  CHECK(f.model.requests.back().url == chat_url);
  f.clock.advance(2min);
  f.dispatched();
  f.settle();
  const auto asked = f.model.requests.end();
  CHECK((asked - 2)->url == token_url);  // nobody waits for it
  CHECK((asked - 1)->url == chat_url);
  CHECK(f.credential() == "Bearer token-1");
  f.clock.advance(4min);
  f.dispatched();
  f.settle();
  CHECK(f.model.requests.back().url == chat_url);  // the question for a token is still under way
}

TEST_CASE("a token that is refused before its time is fetched anew, once") {
  VertexFixture f;
  f.attach(f.vertex());
  const ItemKey bug = f.dispatched();
  f.settle();
  f.answer_token("token-1");
  f.settle();
  f.model.answer_status(401);
  f.settle();
  f.answer_token("token-2");
  f.settle();
  REQUIRE(f.model.requests.size() == 4);
  CHECK(f.credential() == "Bearer token-2");
  f.model.answer_status(401);
  f.settle();
  CHECK(f.model.requests.size() == 4);
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).reason == RunReason::unauthorized);
}

TEST_CASE("every run whose token is taken back is asked again with another one, not only the first") {
  VertexFixture f;
  f.attach(f.vertex());
  const ItemKey one = f.dispatched(), other = f.dispatched();
  f.settle();
  f.answer_token("token-1");
  f.settle();
  REQUIRE(f.model.waiting.size() == 2);
  f.model.answer_status(401);
  f.model.answer_status(401);
  f.settle();
  REQUIRE(f.model.waiting.size() == 1);
  f.answer_token("token-2");
  f.settle();
  REQUIRE(f.model.waiting.size() == 2);
  CHECK(f.credential() == "Bearer token-2");
  // One that comes late finds the new token there.
  while (!f.model.waiting.empty()) f.answer_reply("Nothing to do.");
  f.settle();
  for (const ItemKey& key : {one, other}) CHECK(f.run(key).turns == 1);
}

TEST_CASE("the next provider's token may be renewed, too") {
  VertexFixture f;
  const ProviderId a = f.vertex("a"), b = f.vertex("b");
  for (const char* stage : {"triage", "plan"}) {
    f.engine.attach_provider(f.host, "TRIAGE", stage, a).value();
    f.engine.attach_provider(f.host, "TRIAGE", stage, b).value();
  }
  const ItemKey bug = f.dispatched();
  f.settle();
  for (const char* token : {"a-1", "a-2", "b-1", "b-2"}) {
    f.answer_token(token);
    f.settle();
    CHECK(f.credential() == std::string("Bearer ") + token);
    if (token == std::string("b-2")) break;
    f.model.answer_status(401);
    f.settle();
  }
  f.answer_reply("Nothing to do.");
  f.settle();
  CHECK(f.run(bug).turns == 1);
}

TEST_CASE("the refusal of a credential that has been replaced meanwhile stops nobody") {
  VertexFixture f;
  const ProviderId id = f.vertex();
  f.attach(id);
  const ItemKey first = f.dispatched();
  f.settle();
  test::GoogleKey another;
  REQUIRE(f.providers.update(f.host, id, {.config = {{"file", another.file()}}}));
  const ItemKey second = f.dispatched();
  f.settle();
  REQUIRE(f.model.waiting.size() == 2);  // the second run has a login of its own
  f.model.answer(HttpResponse{400, {}, R"({"error":"invalid_grant"})"});
  f.settle();
  for (const ItemKey& key : {first, second}) CHECK(f.run(key).state == RunState::running);
  f.answer_token("token-2");
  f.settle();
  CHECK(f.credential() == "Bearer token-2");
}

TEST_CASE("runs whose provider gives no token wait for the reason, all of them") {
  VertexFixture f;
  f.attach(f.vertex());
  const ItemKey one = f.dispatched(), other = f.dispatched();
  f.settle();
  f.model.answer(HttpResponse{400, {}, R"({"error":"invalid_grant"})"});
  f.settle();
  for (const ItemKey& key : {one, other}) {
    CHECK(f.run(key).state == RunState::waiting);
    CHECK(f.run(key).reason == RunReason::unauthorized);
  }
  CHECK(f.run(one).detail.find("Google refuses the service account") != std::string::npos);
}

TEST_CASE("a run that ends while its token is on the way does not keep others from it") {
  VertexFixture f;
  f.attach(f.vertex());
  const ItemKey first = f.dispatched(), second = f.dispatched();
  f.settle();
  REQUIRE(f.model.requests.size() == 1);
  REQUIRE(f.engine.delete_item(f.host, first));
  f.settle();
  f.answer_token("token-1");
  f.settle();
  REQUIRE(!f.model.waiting.empty());
  while (!f.model.waiting.empty()) f.answer_reply("Nothing to do.");
  f.settle();
  CHECK(f.run(second).turns == 1);
}

TEST_CASE("a token belongs to the configuration that it was fetched for") {
  VertexFixture f;
  const ProviderId id = f.vertex();
  f.attach(id);
  f.dispatched();
  f.settle();
  test::GoogleKey another;
  REQUIRE(f.providers.update(f.host, id, {.config = {{"file", another.file()}}}));
  f.answer_token("token-1");
  f.settle();
  REQUIRE(f.model.requests.size() == 2);
  CHECK(f.model.requests.back().url == token_url);
  CHECK(f.model.requests.back().body != f.model.requests.front().body);
}
