// Runs whose provider is at AWS and acts in a role.
#include <doctest/doctest.h>

#include <algorithm>

#include "dispatch/dispatch_fixture.hpp"
#include "provider/aws_fixture.hpp"
#include "provider/provider_directory.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::DispatchFixture;

namespace {

constexpr const char* bedrock_url = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse";

struct BedrockFixture : DispatchFixture {
  test::PlayedIdentity identity;

  explicit BedrockFixture(bool with_identity = true) {
    if (with_identity) providers.directory().options.aws_identity = &identity;
  }
  ProviderId bedrock(const std::string& connection) {
    ProviderConfig config{{"connectionType", connection}, {"region", "eu-west-1"}, {"model", "m"}};
    if (connection == "EXTERNAL_ROLE") {
      config.insert({{"roleArn", "arn:aws:iam::123456789012:role/bot"}, {"externalId", "ext-MARKER"}});
    }
    return providers.create(host, {.name = connection, .type = "aws_bedrock_anthropic", .config = config}).value().id;
  }
  void answer_role(const std::string& mark) {
    REQUIRE(asks_for_role());
    model.answer(HttpResponse{200, {}, test::role_answer(mark, clock.now() + 1h)});
  }
  bool asks_for_role() const {
    return model.requests.back().url == "https://sts.eu-west-1.amazonaws.com/" &&
           model.requests.back().body.starts_with("Action=AssumeRole&");
  }
  /// One run through, so that a session of the role is kept.
  void take_role(const std::string& mark) {
    dispatched();
    settle();
    answer_role(mark);
    settle();
    while (!model.waiting.empty()) stay_silent();
  }
  /// The model has nothing to do, as often as it is asked.
  void stay_silent() {
    answer_reply();
    settle();
  }
  bool asks_role_first() const {
    return model.waiting.size() > 1 && model.requests[model.requests.size() - 2].url.starts_with("https://sts.");
  }
  std::size_t questions_for_role(std::size_t from) const {
    return static_cast<std::size_t>(
        std::count_if(model.requests.begin() + static_cast<std::ptrdiff_t>(from), model.requests.end(),
                      [](const HttpRequest& request) { return request.url.starts_with("https://sts."); }));
  }
  void answer_reply() {
    model.answer(HttpResponse{
        200,
        {},
        R"({"output":{"message":{"role":"assistant","content":[{"text":"Nothing to do."}]}},"stopReason":"end_turn"})"});
  }
  void refuse() {
    model.answer(HttpResponse{
        403, {{"x-amzn-ErrorType", "ExpiredTokenException"}}, R"({"message":"The security token is expired"})"});
  }
  std::string sent(std::string_view name) const {
    for (const auto& [key, value] : model.requests.back().headers) {
      if (key == name) return value;
    }
    return {};
  }
  bool signed_as(const std::string& access_key) const {
    return sent("Authorization").starts_with("AWS4-HMAC-SHA256 Credential=" + access_key + "/");
  }
};

}  // namespace

TEST_CASE("the host's own role asks a model with the host's credentials, and nothing before it") {
  BedrockFixture f;
  f.attach(f.bedrock("CONDUCTOR_ROLE"));
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.model.requests.size() == 1);
  CHECK(f.model.requests.back().url == bedrock_url);
  CHECK(f.signed_as("AKIAHOST"));
  CHECK(f.sent("X-Amz-Security-Token") == "host-session-MARKER");
  f.answer_reply();
  f.settle();
  CHECK(f.run(bug).turns == 1);
}

TEST_CASE("the host's credentials are asked for at each request, so that new ones are used at once") {
  BedrockFixture f;
  f.attach(f.bedrock("CONDUCTOR_ROLE"));
  f.dispatched();
  f.settle();
  f.identity.given = AwsCredentials{"AKIANEXT", "next-secret", {}, {}};
  f.answer_reply();
  f.settle();
  REQUIRE(f.model.requests.size() == 2);
  CHECK(f.signed_as("AKIANEXT"));
  CHECK(f.sent("X-Amz-Security-Token").empty());
}

TEST_CASE("a role is taken before the first question, once for all runs, and kept until it is old") {
  BedrockFixture f;
  f.attach(f.bedrock("EXTERNAL_ROLE"));
  for (int i = 0; i < 3; ++i) f.dispatched();
  f.settle();
  REQUIRE(f.model.requests.size() == 1);
  CHECK(f.signed_as("AKIAHOST"));
  f.answer_role("1");
  f.settle();
  REQUIRE(f.model.requests.size() == 4);
  CHECK(f.model.requests.back().url == bedrock_url);
  CHECK(f.signed_as("ASIA1"));
  CHECK(f.sent("X-Amz-Security-Token") == "role-session-1==");

  f.clock.advance(54min);
  f.dispatched();
  f.settle();
  REQUIRE(f.model.requests.size() > 4);
  CHECK(f.model.requests.back().url == bedrock_url);
  f.clock.advance(7min);
  f.dispatched();
  f.settle();
  CHECK(f.asks_for_role());
}

TEST_CASE("a session that is still good is used beside the question for the next one, and until there is one") {
  BedrockFixture f;
  f.attach(f.bedrock("EXTERNAL_ROLE"));
  f.take_role("1");
  f.clock.advance(56min);
  f.dispatched();
  f.settle();
  REQUIRE(f.model.waiting.size() == 2);  // the question to STS, and beside it the model's
  CHECK(f.model.requests.back().url == bedrock_url);
  CHECK(f.signed_as("ASIA1"));

  f.model.answer(HttpResponse{200, {}, test::role_answer("2", f.clock.now() + 1h)});
  f.answer_reply();
  f.settle();
  CHECK(f.model.requests.back().url == bedrock_url);
  CHECK(f.signed_as("ASIA2"));
}

TEST_CASE("while AWS gives no next session the last one is used until it expires, and asked for once a minute") {
  BedrockFixture f;
  f.attach(f.bedrock("EXTERNAL_ROLE"));
  f.take_role("1");
  f.clock.advance(55min);
  const std::size_t before = f.model.requests.size();
  for (int minute = 0; minute < 5; ++minute) {
    for (int run = 0; run < 2; ++run) {
      const ItemKey bug = f.dispatched();
      f.settle();
      if (f.asks_role_first()) {
        f.model.answer(HttpResponse{503, {}, "<html>"});
        f.settle();
      }
      CHECK(f.signed_as("ASIA1"));
      while (!f.model.waiting.empty()) f.stay_silent();
      CHECK(f.run(bug).turns > 0);
    }
    if (minute < 4) f.clock.advance(1min);
  }
  CHECK(f.questions_for_role(before) == 5);

  f.clock.advance(50s);  // ten seconds before it expires, it might be too late when it arrives
  const ItemKey late = f.dispatched();
  f.settle();
  CHECK(f.asks_for_role());
  f.model.answer(HttpResponse{503, {}, "<html>"});
  f.settle();
  CHECK(f.run(late).state == RunState::waiting);
  CHECK(f.run(late).reason == RunReason::overloaded);
}

TEST_CASE("a session is used while the host's own credentials are not there to get the next one with") {
  BedrockFixture f;
  f.attach(f.bedrock("EXTERNAL_ROLE"));
  f.take_role("1");
  f.clock.advance(56min);
  f.identity.given = Error(errc::secret_unreadable, "There is no role");
  const ItemKey bug = f.dispatched();
  f.settle();
  REQUIRE(f.model.waiting.size() == 1);
  CHECK(f.signed_as("ASIA1"));
  f.answer_reply();
  f.settle();
  CHECK(f.run(bug).turns == 1);
}

TEST_CASE("a role whose session is refused is taken anew, once") {
  BedrockFixture f;
  f.attach(f.bedrock("EXTERNAL_ROLE"));
  const ItemKey bug = f.dispatched();
  f.settle();
  f.answer_role("1");
  f.settle();
  f.refuse();
  f.settle();
  f.answer_role("2");
  f.settle();
  REQUIRE(f.model.requests.size() == 4);
  CHECK(f.signed_as("ASIA2"));
  f.refuse();
  f.settle();
  CHECK(f.model.requests.size() == 4);
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).reason == RunReason::unauthorized);
}

TEST_CASE("the host's credentials are asked for once more when AWS refuses them") {
  BedrockFixture f;
  f.attach(f.bedrock("CONDUCTOR_ROLE"));
  const ItemKey bug = f.dispatched();
  f.settle();
  f.identity.given = AwsCredentials{"AKIANEXT", "next-secret", {}, {}};
  f.refuse();
  f.settle();
  CHECK(f.identity.refusals == std::vector<std::string>{"AKIAHOST"});
  REQUIRE(f.model.requests.size() == 2);
  CHECK(f.signed_as("AKIANEXT"));
  f.answer_reply();
  f.settle();
  CHECK(f.run(bug).turns == 1);
}

TEST_CASE("runs whose role is not given wait for the reason, and no secret is in it") {
  BedrockFixture f;
  f.attach(f.bedrock("EXTERNAL_ROLE"));
  const ItemKey one = f.dispatched(), other = f.dispatched();
  f.settle();
  f.model.answer(HttpResponse{
      403, {}, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>ext-MARKER</Message></Error></ErrorResponse>"});
  f.settle();
  for (const ItemKey& key : {one, other}) {
    CHECK(f.run(key).state == RunState::waiting);
    CHECK(f.run(key).reason == RunReason::unauthorized);
    CHECK(f.run(key).detail.find("roleArn, externalId") != std::string::npos);
    CHECK(f.run(key).detail.find("MARKER") == std::string::npos);
  }
  CHECK(f.model.requests.size() == 1);
}

TEST_CASE("what a model's server repeats of a session is not kept") {
  BedrockFixture f;
  f.attach(f.bedrock("CONDUCTOR_ROLE"));
  const ItemKey bug = f.dispatched();
  f.settle();
  f.model.answer(HttpResponse{400, {}, R"({"message":"host-session-MARKER and host-secret-MARKER are no good"})"});
  f.settle();
  CHECK(f.run(bug).state == RunState::waiting);
  CHECK(f.run(bug).detail.find("no good") != std::string::npos);
  CHECK(f.run(bug).detail.find("MARKER") == std::string::npos);
}

TEST_CASE("a role without an identity of the host keeps its runs waiting, with what the host must set") {
  for (const char* connection : {"CONDUCTOR_ROLE", "EXTERNAL_ROLE"}) {
    BedrockFixture f(false);
    f.attach(f.bedrock(connection));
    const ItemKey bug = f.dispatched();
    f.settle();
    CHECK(f.model.requests.empty());
    CHECK(f.run(bug).state == RunState::waiting);
    CHECK(f.run(bug).detail.find("aws_identity") != std::string::npos);
  }
}

TEST_CASE("an identity that cannot be asked at the moment is asked again later") {
  BedrockFixture f;
  f.identity.given = Error(errc::http_timeout, "No answer");
  f.attach(f.bedrock("CONDUCTOR_ROLE"));
  const ItemKey bug = f.dispatched();
  f.settle();
  CHECK(f.run(bug).reason == RunReason::network);
  f.identity.given = AwsCredentials{"AKIAHOST", "s", {}, {}};
  f.clock.advance(5min);
  f.settle();
  CHECK(f.model.requests.size() == 1);
}

TEST_CASE(
    "the host's credentials are waited for when they were there before, and set up by somebody when they were not") {
  for (const errc code : {errc::secret_unreadable, errc::provider_unauthorized, errc::provider_rejected_request}) {
    CAPTURE(std::string(name(code)));
    BedrockFixture f;
    f.identity.given = Error(code, "No role");
    f.attach(f.bedrock("CONDUCTOR_ROLE"));
    const ItemKey first = f.dispatched();
    f.settle();
    f.clock.advance(5min);
    f.settle();
    CHECK(f.run(first).reason != RunReason::network);
    CHECK(f.identity.asked == 1);  // nobody has set up anything

    f.identity.given = AwsCredentials{"AKIAHOST", "s", {}, {}};
    const ItemKey second = f.dispatched();
    f.settle();
    f.stay_silent();
    f.identity.given = Error(code, "No role");
    const ItemKey third = f.dispatched();
    f.settle();
    CHECK(f.run(third).state == RunState::waiting);
    CHECK(f.run(third).reason == RunReason::network);
    CHECK(f.run(third).detail.find("No role; there were credentials before") != std::string::npos);
    f.identity.given = AwsCredentials{"AKIANEXT", "s", {}, {}};
    f.clock.advance(1min);
    f.settle();
    CHECK(f.run(third).state == RunState::running);
    CHECK(f.signed_as("AKIANEXT"));
    CHECK(f.run(second).turns > 0);
  }
}
