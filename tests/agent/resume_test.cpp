// After a crash a run goes on exactly where it stopped, wherever that was.
#include <doctest/doctest.h>

#include <array>
#include <random>

#include "agent/rehearsal.hpp"

using namespace openindex;
using rehearsal::calls;
using rehearsal::Rehearsal;
using rehearsal::says;
using rehearsal::spelled;

namespace {

// A model that does everything a model can do, right and wrong.
class MoodyModel {
 public:
  explicit MoodyModel(std::uint32_t seed) : random_(seed) {}

  ChatReply reply() {
    switch (pick(8)) {
      case 0:
        return says("I believe that I am done: \"\\ \n \u00e4\U0001F600");
      case 1:
        return says("cut in the mid", ChatReply::Stop::length);
      case 2:
        return pick(4) == 0 ? says("No.", ChatReply::Stop::refused) : says("");
      default:
        break;
    }
    std::vector<std::pair<std::string, std::string>> wanted;
    for (std::size_t i = 1 + pick(3); i > 0; --i) wanted.push_back(call());
    ChatReply reply = calls(std::move(wanted));
    if (pick(10) == 0) reply.turn.calls.back().id = reply.turn.calls.front().id;
    if (pick(10) == 0) reply.stop = ChatReply::Stop::length;
    return reply;
  }

  /// What a person says who lets the run go on.
  std::string answer() {
    constexpr const char* bodies[] = {R"({"by":"mia","answer":"1.2"})",
                                      R"({"by":"mia"})",
                                      R"({"by":"mia","answer":"no","approved":false})",
                                      R"({"by":"mia","answer":"yes","approved":true})",
                                      R"({"by":"mia","answer":"go on","reason":"agents_stopped"})",
                                      R"({"by":"mia","answer":"1.3","reason":"needs_person"})"};
    return bodies[pick(6)];
  }
  bool dies() { return pick(4) == 0; }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  std::pair<std::string, std::string> call() {
    static const std::vector<std::pair<std::string, std::string>> known = {
        {"set_fields", R"({"severity":"high"})"},
        {"set_fields", R"({"score":3})"},
        {"set_fields", R"({"score":)"},
        {"set_fields", R"({"notes":"a text that is longer than the field can be"})"},
        {"add_comment", R"({"body":"caf\u00e9 \u0000 \ud83d\ude00"})"},
        {"change_status", R"({"to_status":"looking"})"},
        {"change_status", R"({"to_status":"done"})"},
        {"progress_triage_to_plan", R"({"accept_requirements_text":true})"},
        {"progress_triage_to_plan", R"({"accept_requirements_text":false})"},
        {"search", R"({"term":"x"})"},
        {"ask_person", R"({"question":"Which release?","options":["1.2"]})"},
        {"no_such_tool", "not even JSON"},
    };
    return known[pick(known.size())];
  }

  std::mt19937 random_;
};

struct Moment {
  std::size_t steps;
  AgentContext context;
  std::string action;
};

Tool search_by_name() {
  Tool tool;
  tool.name = "search";
  return tool;
}

}  // namespace

TEST_CASE("from every prefix of every journal a run goes on with the action that the uninterrupted run took") {
  std::array<std::size_t, std::variant_size_v<RunAction>> seen{};
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    Rehearsal rehearsal;
    rehearsal.tools = {search_by_name()};
    rehearsal.options.turns_max = 12;
    MoodyModel model(seed);
    std::vector<Moment> moments;
    int answers = 0;

    for (auto action = rehearsal.begin(); !rehearsal.left_stage();) {
      ++seen[action.index()];
      moments.push_back({rehearsal.journal.size(), rehearsal.context(), spelled(action)});
      if (std::holds_alternative<GiveUp>(action)) break;
      if (std::holds_alternative<AskPerson>(action)) {
        if (++answers > 3) break;
        rehearsal.add_step("resumed", model.answer());
        action = rehearsal.begin();
      } else if (const auto* call = std::get_if<CallHostTool>(&action); call != nullptr && model.dies()) {
        rehearsal.add_step("intent", agent::intent_body(call->call));
        action = rehearsal.begin();
      } else if (std::holds_alternative<AskModel>(action)) {
        action = rehearsal.reply(action, model.reply());
      } else {
        action = rehearsal.carry_out(action);
      }
    }

    for (const Moment& moment : moments) {
      const std::vector<RunStep> prefix(rehearsal.journal.begin(),
                                        rehearsal.journal.begin() + static_cast<std::ptrdiff_t>(moment.steps));
      const auto program = ChatRunner(rehearsal.options).start();
      const auto action = rehearsal.begin_with(*program, prefix, moment.context);
      if (spelled(action) != moment.action) {
        CAPTURE(moment.steps);
        CHECK(spelled(action) == moment.action);
        return;
      }
    }
  }
  // Every kind of action must have been met, or the property says nothing about it; but one, which it does not know.
  const std::size_t work_on_host = RunAction(WorkOnHost{}).index();
  for (std::size_t kind = 0; kind < seen.size(); ++kind) {
    CAPTURE(kind);
    CHECK((seen[kind] > 20) == (kind != work_on_host));
  }
}

TEST_CASE("what was journaled before an answer that never came is sent again and not journaled twice") {
  Rehearsal rehearsal;
  const auto first = rehearsal.begin();
  const auto noted = rehearsal.reply(first, says("Done."));
  REQUIRE(std::get<AskModel>(noted).journal_first.size() == 1);
  const auto turns = std::get<AskModel>(noted).request.turns.size();

  rehearsal.add_step("note_to_model", std::get<AskModel>(noted).journal_first[0].body);
  const auto again = rehearsal.begin();
  CHECK(std::get<AskModel>(again).journal_first.empty());
  CHECK(std::get<AskModel>(again).request.turns.size() == turns);

  rehearsal.journal.resize(1);
  const auto from_start = rehearsal.begin();
  CHECK(std::get<AskModel>(from_start).journal_first.empty());
  CHECK(std::get<AskModel>(from_start).request.turns.size() == 1);
}

TEST_CASE("steps that mean nothing to a run are ignored") {
  Rehearsal rehearsal;
  rehearsal.add_step("note", "no JSON");
  auto action = rehearsal.begin();
  CHECK(std::get<AskModel>(action).journal_first.size() == 1);
  action = rehearsal.reply(action, calls({{"set_fields", R"({"score":1})"}}));
  rehearsal.add_step("future_kind", "{}");
  CHECK(spelled(rehearsal.begin()) == spelled(action));
}

TEST_CASE("a call whose effect is unknown is not made again") {
  Rehearsal rehearsal;
  rehearsal.tools = {search_by_name()};
  auto action = rehearsal.reply(rehearsal.begin(), calls({{"search", "{}"}}));
  rehearsal.add_step("intent", agent::intent_body(std::get<CallHostTool>(action).call));
  action = rehearsal.begin();
  CHECK(std::get<SettleCall>(action).call.name == "search");

  rehearsal.add_step("resumed", "{}");
  action = rehearsal.begin();
  CHECK(std::get<RejectCall>(action).text.find("commit_unknown") != std::string::npos);
  CHECK(std::holds_alternative<AskModel>(rehearsal.carry_out(action)));
}

TEST_CASE("an intent that was followed by its outcome is settled") {
  Rehearsal rehearsal;
  rehearsal.tools = {search_by_name()};
  const auto action = rehearsal.reply(rehearsal.begin(), calls({{"search", "{}"}, {"search", "{}"}}));
  rehearsal.add_step("intent", agent::intent_body(std::get<CallHostTool>(action).call));
  rehearsal.carry_out(action);
  CHECK(std::get<CallHostTool>(rehearsal.begin()).call.id == "call_1");
}

TEST_CASE("a run that a person lets go on is not stopped by the same past") {
  Rehearsal rehearsal;
  auto action = rehearsal.begin();
  SUBCASE("after reminders") {
    for (int i = 0; i < 3; ++i) action = rehearsal.reply(action, says("Done."));
  }
  REQUIRE(std::holds_alternative<AskPerson>(action));
  REQUIRE(std::holds_alternative<AskPerson>(rehearsal.begin()));
  rehearsal.add_step("resumed", "{}");
  CHECK(std::holds_alternative<AskModel>(rehearsal.begin()));
}

TEST_CASE("a journal that cannot be continued ends the run with the step's key") {
  Rehearsal rehearsal;
  rehearsal.reply(rehearsal.begin(), says("Done."));
  const auto turn = agent::turn_body(says("Done."), "");
  const ToolUse call{"call_0", "set_fields", "{}"};
  SUBCASE("no JSON") { rehearsal.add_step("note_to_model", "{\"text\":"); }
  SUBCASE("the wrong shape") { rehearsal.add_step("note_to_model", "[]"); }
  SUBCASE("a turn that answers nothing") { rehearsal.add_step("turn", turn); }
  SUBCASE("an outcome without its call") { rehearsal.add_step("tool", agent::tool_body(call, {})); }
  SUBCASE("an intent without its call") { rehearsal.add_step("intent", agent::intent_body(call)); }
  SUBCASE("a second context") { rehearsal.add_step("context", agent::context_body("a", "b")); }
  const auto action = rehearsal.begin();
  CHECK(std::get<GiveUp>(action).reason == RunReason::runner_failed);
  CHECK(std::get<GiveUp>(action).detail.find("step run-1.3:") != std::string::npos);
}
