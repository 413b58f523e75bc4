// What somebody who watches is told of an answer that is still being written.
#include <doctest/doctest.h>

#include "dispatch/dispatch_fixture.hpp"

using namespace openindex;
using tests::DispatchFixture;

namespace {

struct StreamFixture : DispatchFixture {
  std::string watched;
  std::vector<Usage> usages;
  ItemKey bug;

  StreamFixture() {
    dispatcher = std::make_unique<Dispatcher>(
        Dispatcher::Options{.engine = engine, .providers = providers, .http = model, .stream = true});
    dispatcher->observe([this](const RunUpdate& update) {
      if (update.what == RunUpdate::What::text) watched += update.detail;
      if (update.what == RunUpdate::What::turn) usages.push_back(update.usage);
    });
    attach(provider());
    bug = dispatched();
    settle();
  }

  static std::string text_event(const std::string& text) {
    const boost::json::value event = {{"choices", boost::json::array{{{"index", 0}, {"delta", {{"content", text}}}}}}};
    return "data: " + boost::json::serialize(event) + "\n\n";
  }
  static std::string end_events() {
    return R"(data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"
           "\n\n"
           R"(data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}})"
           "\n\ndata: [DONE]\n\n";
  }
  void arrives(const std::string& part) { model.requests.back().on_body(part); }
};

}  // namespace

TEST_CASE("the text of an answer is told as it is written, and the turn when all of it is there") {
  StreamFixture f;
  REQUIRE(f.model.requests.size() == 1);
  CHECK(f.model.requests.back().body.find(R"("stream":true)") != std::string::npos);
  const std::string first = f.text_event("I look "), second = f.text_event("at it");
  f.arrives(first);
  f.arrives(second.substr(0, 10));
  f.settle();
  CHECK(f.watched == "I look ");
  CHECK(f.run(f.bug).turns == 0);  // nothing of it is committed
  f.arrives(second.substr(10));
  f.settle();
  CHECK(f.watched == "I look at it");
  f.model.answer(HttpResponse{200, {{"Content-Type", "text/event-stream"}}, first + second + f.end_events()});
  f.settle();
  CHECK(f.run(f.bug).turns == 1);
  REQUIRE(f.usages.size() == 1);
  CHECK(f.usages.front() == Usage{7, 3, 0});
  CHECK(f.watched == "I look at it");
}

TEST_CASE("an answer that stops in the middle is asked for again") {
  StreamFixture f;
  const std::string part = f.text_event("I look");
  f.arrives(part);
  f.model.answer(HttpResponse{200, {{"Content-Type", "text/event-stream"}}, part});
  f.settle();
  CHECK(f.run(f.bug).turns == 0);
  CHECK(f.run(f.bug).reason == RunReason::malformed_reply);
  f.clock.advance(std::chrono::minutes(2));
  f.settle();
  CHECK(f.model.requests.size() == 2);
}

TEST_CASE("a server that sends the whole at once is understood all the same") {
  StreamFixture f;
  f.model.answer_text("In one piece");
  f.settle();
  CHECK(f.run(f.bug).turns == 1);
  CHECK(f.watched.empty());
}

TEST_CASE("bytes that are no answer are left to the whole to judge, and parts of an old request are nobody's") {
  StreamFixture f;
  const auto late = f.model.requests.back().on_body;
  f.arrives("data: {]\n\n");
  f.settle();
  CHECK(f.run(f.bug).state == RunState::running);
  f.model.answer(HttpResponse{503, {}, "{}"});
  f.settle();
  CHECK(f.run(f.bug).reason == RunReason::overloaded);
  late(f.text_event("too late"));
  f.settle();
  CHECK(f.watched.empty());
}
