// The credential of a run: good for its item, as long as the run works.
#include <doctest/doctest.h>

#include "dispatch/dispatch_fixture.hpp"

using namespace openindex;
using namespace std::chrono_literals;
using tests::DispatchFixture;

namespace {

// Keeps the tokens that it is handed, and asks the model for ever.
class Keeper final : public AgentRunner {
 public:
  std::vector<std::string> tokens;

  std::unique_ptr<RunProgram> start() override { return std::make_unique<Program>(*this); }

 private:
  class Program final : public RunProgram {
   public:
    explicit Program(Keeper& keeper) : keeper_(keeper) {}
    RunAction on(const RunEvent& event) override {
      if (const auto* begins = std::get_if<RunBegins>(&event)) keeper_.tokens.emplace_back(begins->token);
      AskModel ask;
      ask.request.turns = {{.text = "Hello"}};
      return ask;
    }

   private:
    Keeper& keeper_;
  };
};

struct TokenFixture : DispatchFixture {
  Keeper keeper;
  ItemKey bug;

  TokenFixture() {
    dispatcher->add_runner("chat", keeper);
    attach(provider());
    bug = dispatched();
    settle();
    REQUIRE(keeper.tokens.size() == 1);
  }
  errc refusal(const std::string& token) { return engine.actor_of_token(token).error().code(); }
};

}  // namespace

TEST_CASE("a runner is handed a token that stands for its run, and for nothing but its item") {
  TokenFixture f;
  const std::string token = f.keeper.tokens.front();
  CHECK(token.starts_with("oi_run_"));
  const auto actor = f.engine.actor_of_token(token);
  REQUIRE(actor);
  CHECK(actor->kind() == ActorKind::run);
  CHECK(actor->run_id() == f.run(f.bug).id);
  CHECK(f.engine.comment(*actor, f.bug, "from elsewhere"));
  const ItemKey other = f.dispatched();
  CHECK(f.engine.comment(*actor, other, "from elsewhere").error().code() == errc::outside_run);
  CHECK(f.engine.list_runs(*actor).error().code() == errc::outside_run);
  CHECK(f.engine.start_run(*actor, f.bug).error().code() == errc::not_permitted);
}

TEST_CASE("a token dies with its run, with its hold and with its start") {
  SUBCASE("the run is cancelled") {
    TokenFixture f;
    REQUIRE(f.engine.cancel_run(f.mia, f.bug));
    CHECK(f.refusal(f.keeper.tokens.front()) == errc::credential_refused);
  }
  SUBCASE("an agent takes the item") {
    TokenFixture f;
    REQUIRE(f.engine.take_over(f.mia, f.bug, {.agent = "agent-alpha"}));
    CHECK(f.refusal(f.keeper.tokens.front()) == errc::credential_refused);
  }
  SUBCASE("another dispatcher has taken over") {
    TokenFixture f;
    f.crash();
    f.dispatcher->add_runner("chat", f.keeper);
    f.clock.advance(2min);
    f.settle();
    REQUIRE(f.keeper.tokens.size() == 2);
    CHECK(f.refusal(f.keeper.tokens[0]) == errc::credential_refused);
    CHECK(f.engine.actor_of_token(f.keeper.tokens[1]));
  }
}

TEST_CASE("what is no token is refused") {
  TokenFixture f;
  const std::string token = f.keeper.tokens.front();
  std::string mistyped = token;
  mistyped[mistyped.size() - 20] = mistyped[mistyped.size() - 20] == 'a' ? 'b' : 'a';
  for (const std::string& text : {std::string(), std::string("oi_run_"), std::string("oi_pat_x"), mistyped, token + "0",
                                  token.substr(1), std::string(100'000, 'x')}) {
    CAPTURE(text.substr(0, 40));
    CHECK(f.refusal(text) == errc::credential_refused);
  }
}

TEST_CASE("a token is stored nowhere") {
  TokenFixture f;
  const std::string secret = f.keeper.tokens.front().substr(f.keeper.tokens.front().size() - 46, 40);
  std::size_t looked_at = 0;
  for (const char* kind : {"run", "item", "hold", "step", "audit"}) {
    const auto page = f.storage.scan({.index = Index::key, .prefix = {std::string(kind)}}).value();
    looked_at += page.rows.size();
    for (const Record& record : page.rows) CHECK(record.body.find(secret) == std::string::npos);
  }
  CHECK(looked_at > 3);
}
