// A model that obeys by its output: huge, malformed, too much at once. What it leads to is bounded, journaled, told of.
#include <doctest/doctest.h>

#include <algorithm>

#include "agent/journal.hpp"
#include "dispatch/bystanders.hpp"
#include "dispatch/dispatch_fixture.hpp"

using namespace openindex;
using tests::DispatchFixture;

namespace {

using Calls = std::vector<std::pair<std::string, std::string>>;
constexpr std::size_t mebibyte = 1024 * 1024;

HttpResponse raw_answer(std::string body) { return {200, {{"Content-Type", "application/json"}}, std::move(body)}; }

HttpResponse message_answer(const boost::json::object& message) {
  return raw_answer(boost::json::serialize(
      boost::json::value{{"model", "played"},
                         {"choices", boost::json::array{{{"message", message}, {"finish_reason", "stop"}}}},
                         {"usage", {{"prompt_tokens", 100}, {"completion_tokens", 10}}}}));
}

HttpResponse text_answer(const std::string& words) {
  return message_answer({{"role", "assistant"}, {"content", words}});
}

HttpResponse calls_answer(const Calls& wanted, const std::string& id = "call_") {
  boost::json::array list;
  for (const auto& [name, arguments] : wanted) {
    list.push_back({{"id", id + (id == "call_" ? std::to_string(list.size()) : "")},
                    {"type", "function"},
                    {"function", {{"name", name}, {"arguments", arguments}}}});
  }
  return message_answer({{"role", "assistant"}, {"content", nullptr}, {"tool_calls", list}});
}

std::string comment(const std::string& body) { return R"({"body":")" + body + R"("})"; }

Calls many(std::size_t count) {
  Calls wanted;
  for (std::size_t i = 0; i < count; ++i) wanted.emplace_back("add_comment", comment(std::to_string(i)));
  return wanted;
}

struct HostileOutput {
  std::string name;
  HttpResponse (*answer)();
  RunState state;    // right after the answer
  RunReason reason;  // why it waits
  std::size_t carried_out = 0;
  std::size_t refused = 0;
  std::string journaled = {};  // somewhere in the journal
};

constexpr auto goes_on = RunState::running;
constexpr auto waits = RunState::waiting;

const std::vector<HostileOutput> hostile_outputs = {
    {"arguments of two megabytes",
     [] {
       return calls_answer({{"add_comment", comment(std::string(2 * mebibyte, 'x'))}});
     },
     goes_on, RunReason::none, 0, 1, "input_too_large"},
    {"a call as large as an answer may be",
     [] {
       return calls_answer({{"drop_everything", std::string(4 * mebibyte - 300, 'x')}});
     },
     goes_on, RunReason::none, 0, 0, "drop_everything xxxx"},
    {"a text of three megabytes", [] { return text_answer(std::string(3 * mebibyte, 'x')); }, goes_on, RunReason::none},
    {"an answer larger than any may be", [] { return text_answer(std::string(5 * mebibyte, 'x')); }, waits,
     RunReason::malformed_reply},
    {"a tool's name of a megabyte",
     [] {
       return calls_answer({{std::string(mebibyte, 'n'), "{}"}});
     },
     goes_on, RunReason::none, 0, 1, "There is no tool 'nnn"},
    {"sixty calls in one turn", [] { return calls_answer(many(60)); }, goes_on, RunReason::none, 50, 10,
     "At most 50 calls of one answer are carried out"},
    {"twenty thousand calls in one turn", [] { return calls_answer(many(20'000)); }, goes_on, RunReason::none, 0, 0,
     "20000 calls"},
    {"two calls with one id", [] { return calls_answer(many(2), "the same"); }, waits, RunReason::malformed_reply},
    {"arguments nested deep",
     [] {
       return calls_answer({{"set_fields", std::string(100'000, '[')}});
     },
     goes_on, RunReason::none, 0, 1, "invalid_json"},
    {"an answer nested deep", [] { return raw_answer(std::string(100'000, '[')); }, waits, RunReason::malformed_reply},
    {"bytes that are no UTF-8", [] { return raw_answer("{\"choices\":[{\"message\":{\"content\":\"\xff\xfe\"}}]}"); },
     waits, RunReason::malformed_reply},
    {"half a character in arguments",
     [] {
       return calls_answer({{"add_comment", comment(R"(\ud800)")}});
     },
     goes_on, RunReason::none, 0, 1, "invalid_json"},
    {"control characters in arguments",
     [] {
       return calls_answer({{"add_comment", comment(R"(\u0000\u001b[2Jseen\u009b\r)")}});
     },
     goes_on, RunReason::none, 1},
    {"nothing but control characters",
     [] {
       return calls_answer({{"add_comment", comment(R"(\u0000\u0007)")}});
     },
     goes_on, RunReason::none, 0, 1, "invalid_argument"},
    {"control characters in a tool's name",
     [] {
       return calls_answer({{std::string("add_comment\0\x1b[2J", 16), comment("x")}});
     },
     goes_on, RunReason::none, 0, 1, "not_found"},
};

struct OutputFixture : DispatchFixture {
  ItemKey bystander = bug("a bug of somebody else's"), key;
  tests::Stored before;

  OutputFixture() {
    attach(provider("played-0123456789"));
    key = bug();
    before = tests::everything_stored(memory);
    static_cast<void>(engine.transition(mia, key, "triaging").value());
  }
  std::vector<RunStep> journal() { return engine.journal(host, run(key).id).value(); }
  std::vector<ToolOutcome> outcomes() {
    std::vector<ToolOutcome> out;
    for (const RunStep& step : journal()) {
      if (step.kind == agent::step_kind::tool) out.push_back(agent::read_tool(step.body)->second);
    }
    return out;
  }
  bool is_journaled(std::string_view words) {
    const auto steps = journal();
    return std::any_of(steps.begin(), steps.end(),
                       [&](const RunStep& step) { return step.body.find(words) != std::string::npos; });
  }
  // However it goes on, it comes to rest with a reason, and nobody else has noticed.
  void end_well() {
    for (int i = 0; i < 10 && !model.waiting.empty(); ++i) {
      model.answer_text("That was all.");
      settle();
    }
    CHECK(dispatcher->step()->in_flight == 0);
    const AgentRun last = run(key);
    CHECK(last.state != RunState::running);
    CHECK(last.reason != RunReason::none);
    CHECK_FALSE(last.detail.empty());
    CHECK(engine.explain(host, key)->summary.find(last.detail) != std::string::npos);
    CHECK(engine.explain(host, key)->run_reason == last.reason);
    const auto after = tests::everything_stored(memory);
    CHECK(tests::spelled(tests::changed_elsewhere(before, after, {key})) == "");
    CHECK_FALSE(tests::stored_anywhere(after, "k-played-0123456789"));
    CHECK(engine.verify_all(host));
  }
};

}  // namespace

TEST_CASE("huge and malformed output of a model is bounded and journaled, and touches nothing outside of the item") {
  for (const HostileOutput& hostile : hostile_outputs) {
    CAPTURE(hostile.name);
    OutputFixture f;
    f.settle();
    REQUIRE(f.model.waiting.size() == 1);
    f.model.answer(hostile.answer());
    f.settle();
    CHECK(f.run(f.key).state == hostile.state);
    CHECK(f.run(f.key).reason == hostile.reason);
    CHECK(f.model.waiting.size() == (hostile.state == goes_on ? 1 : 0));

    const auto outcomes = f.outcomes();
    const auto refused = static_cast<std::size_t>(
        std::count_if(outcomes.begin(), outcomes.end(), [](const ToolOutcome& outcome) { return outcome.is_error; }));
    CHECK(refused == hostile.refused);
    CHECK(outcomes.size() - refused == hostile.carried_out);
    CHECK((hostile.journaled.empty() || f.is_journaled(hostile.journaled)));
    std::size_t journal_bytes = 0;
    for (const RunStep& step : f.journal()) journal_bytes += step.body.size();
    CHECK(journal_bytes < 8 * mebibyte);
    CHECK(f.run(f.key).steps < 100);
    for (const Comment& comment : f.engine.comments(f.host, f.key).value()) {
      CHECK(std::none_of(comment.body.begin(), comment.body.end(), [](char c) { return c >= 0 && c < ' '; }));
    }
    f.end_well();
  }
}

TEST_CASE("a tool's huge or malformed result is bounded and journaled, and the run goes on") {
  using Answer = Result<std::string>;
  struct Row {
    std::string name;
    Answer (*call)();
    bool is_error;
  };
  const std::vector<Row> rows = {
      {"a result of five megabytes", [] { return Answer(std::string(5 * mebibyte, 'r')); }, false},
      {"an error of five megabytes", [] { return Answer(Error(errc::conflict, std::string(5 * mebibyte, 'e'))); },
       true},
      {"an exception of five megabytes", []() -> Answer { throw std::runtime_error(std::string(5 * mebibyte, 't')); },
       true},
      {"a result that is no UTF-8", [] { return Answer("\xff\xfe\x80"); }, true},
      {"an error that is no UTF-8", [] { return Answer(Error(errc::conflict, "\xff\xfe\x80")); }, true},
      {"a result of control characters", [] { return Answer(std::string(100'000, '\0')); }, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    OutputFixture f;
    REQUIRE(f.dispatcher->add_tool({.name = "look_up", .call = [&](const ToolCall&) { return row.call(); }}));
    f.settle();
    f.model.answer(calls_answer({{"look_up", "{}"}}));
    f.settle();
    REQUIRE(f.outcomes().size() == 1);
    CHECK(f.outcomes()[0].is_error == row.is_error);
    CHECK(f.outcomes()[0].text.size() < 20'000);
    CHECK(f.run(f.key).state == RunState::running);
    REQUIRE(f.model.waiting.size() == 1);
    CHECK(f.model.requests.back().body.size() < 200'000);
    f.end_well();
  }
}

TEST_CASE("a result that no record can hold ends the run, which does not wait for its hold to run out") {
  OutputFixture f;
  REQUIRE(f.dispatcher->add_tool(
      {.name = "look_up",
       .effect = ToolEffect::write,
       .result_bytes_max = 16 * mebibyte,
       .call = [](const ToolCall&) -> Result<std::string> { return std::string(5 * mebibyte, 'r'); }}));
  f.settle();
  f.model.answer(calls_answer({{"look_up", "{}"}}));
  f.settle();
  CHECK(f.run(f.key).state == RunState::failed);
  CHECK(f.run(f.key).detail.find("look_up") != std::string::npos);
  CHECK(f.is_journaled("look_up"));
  f.end_well();
}

TEST_CASE("a provider that repeats its key tells it to nobody") {
  OutputFixture f;
  std::string told;
  f.dispatcher->observe([&](const RunUpdate& update) { told += update.run.detail + std::string(update.detail); });
  f.settle();
  SUBCASE("in the error of a refusal") {
    f.model.answer(HttpResponse{
        401,
        {},
        R"({"error":{"message":"Incorrect API key provided: k-played-0123456789","code":"k-played-0123456789"}})"});
  }
  SUBCASE("in an answer of no known shape") { f.model.answer(raw_answer("k-played-0123456789 is not welcome")); }
  f.settle();
  CHECK(f.run(f.key).state == RunState::waiting);
  CHECK(told.find("k-played") == std::string::npos);
  CHECK(f.engine.explain(f.host, f.key)->summary.find("k-played") == std::string::npos);
  f.end_well();
}
