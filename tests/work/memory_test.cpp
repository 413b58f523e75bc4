// What a decision costs in memory: a refusal allocates its error and no more, an acceptance no copy of the item.
#include <doctest/doctest.h>

#include "bench/helpdesk_definition.hpp"
#include "work/counted_memory.hpp"
#include "work/standing.hpp"

using namespace openindex;
using namespace openindex::tests;

namespace {

// Too long to be kept inside a string: whatever is copied on the way is seen.
const Actor night = Actor::agent("agent-of-the-whole-night-shift");
const Actor day = Actor::agent("agent-of-the-whole-long-day-shift");
const Actor person = Actor::person("somebody-from-the-third-floor");

struct Refused {
  errc code;
  Command command;
  Standing item;
  Actor actor = night;
  std::uint64_t fence = 0;
};

Standing held_at(const std::string& status) {
  return Standing(bench::helpdesk_workflow(), status).held_by(AgentId(night.id()));
}

template <class Change>
Standing held_at(const std::string& status, Change change) {
  Standing item = held_at(status);
  change(item);
  return item;
}

std::vector<Refused> refusals() {
  const auto complete = [](Standing& item) {
    for (const Field& field : item.workflow->definition().fields) item.item.fields[field.key] = "some value or other";
  };
  const auto stale = [](Standing& item) {
    item.item.gates = {{.gate = "review_to_release",
                        .changed = {"the title of the item", "the description of the item"},
                        .changed_by = "somebody-from-the-third-floor"}};
  };
  const auto worked = [](Standing& item) { item.workers = {person.id()}; };
  const auto waits = [](Standing& item) {
    item.item.hold.reset();
    item.item.blocked_by = {"AN-ITEM-OF-ANOTHER-DOMAIN-1", "AN-ITEM-OF-ANOTHER-DOMAIN-2"};
  };
  return {
      {errc::status_transition_not_allowed, ChangeStatus{"releasing"}, held_at("awaiting_customer")},
      {errc::status_transition_not_allowed, ChangeStatus{"a status of which nobody has heard"}, held_at("new")},
      {errc::status_transition_not_allowed, Claim{.to_status = "answered"}, held_at("new")},
      {errc::gate_required, ChangeStatus{"analysing"}, held_at("answering")},
      {errc::gate_required, Complete{"released"}, held_at("releasing")},
      {errc::completion_status_not_terminal, Complete{"analysis_blocked"}, held_at("new")},
      {errc::completion_status_not_terminal, Complete{}, held_at("new")},
      {errc::gate_not_available, Progress{"analysis_to_build"}, held_at("new")},
      {errc::gate_not_available, Progress{"a gate of which nobody has heard"}, held_at("new")},
      {errc::gate_not_available, Reacknowledge{"analysis_to_build"}, held_at("new", stale)},
      {errc::required_fields_missing, Progress{"intake_to_analysis", true}, held_at("new")},
      {errc::requirements_not_acknowledged, Progress{"intake_to_analysis"}, held_at("new", complete)},
      {errc::checklist_incomplete, Progress{"analysis_to_build"}, held_at("analysing", complete)},
      {errc::gate_for_people, Progress{"review_to_release"}, held_at("in_review")},
      {errc::approver_is_worker, Progress{"review_to_release"}, held_at("in_review", worked), person},
      {errc::gate_stale, ChangeStatus{"answered"}, held_at("new", stale)},
      {errc::already_claimed, Claim{}, held_at("new"), day},
      {errc::already_claimed, ChangeStatus{"answering"}, held_at("new"), day},
      {errc::hold_lost, ChangeStatus{"answering"}, held_at("new"), night, 3},
      {errc::hold_lost, Claim{}, held_at("new"), day, 3},
      {errc::hold_required, AddComment{"late"}, Standing(bench::helpdesk_workflow(), "new")},
      {errc::dependencies_unresolved, Claim{}, held_at("new", waits)},
      {errc::agent_id_required, Claim{}, held_at("new"), person},
      {errc::not_permitted, Reopen{}, held_at("new")},
      {errc::already_resolved, ChangeStatus{"new"}, held_at("answered")},
      {errc::unknown_field, SetFields{{{"a field of which nobody has heard", 1}, {"another one of that kind", 2}}},
       held_at("new")},
      {errc::invalid_field_value, SetFields{{{"severity", "a bit"}, {"channel", "pigeon"}, {"plan", "none"}}},
       held_at("new")},
      {errc::agent_stage_in_the_way, Done{"released"}, held_at("new")},
      {errc::required_fields_missing, Done{}, held_at("releasing")},
      {errc::checklist_incomplete, Done{}, held_at("releasing", complete)},
      {errc::gate_stale, Done{}, held_at("new", stale)},
      {errc::completion_status_not_terminal, Done{"a status of which nobody has heard"}, held_at("new")},
      {errc::invalid_argument,
       UpdateItem{.title = std::string(501, '\n'),
                  .owner = std::string(300, 'x'),
                  .assignee = std::string(300, 'x'),
                  .categories = std::vector<std::string>(60),
                  .objective_state = std::string(2000, 'x')},
       held_at("new")},
      {errc::invalid_argument, AddAttachment{{.name = "", .media_type = std::string(200, 'x'), .uri = ""}},
       held_at("new")},
      {errc::gate_not_available, Reacknowledge{"a gate of which nobody has heard"}, held_at("new", stale)},
  };
}

// Asks, and requires that everything taken for the answer belongs to its error.
template <class Ask>
void check_refusal(errc code, Ask ask) {
  std::optional<decltype(ask())> answer;
  const CountedMemory before = counted_memory();
  answer.emplace(ask());
  const CountedMemory after = counted_memory();
  REQUIRE_FALSE(*answer);
  CHECK(answer->error().code() == code);
  CHECK(after.taken > before.taken);
  CHECK(after.given_back == before.given_back);

  const CountedMemory ending = counted_memory();
  answer.reset();
  const CountedMemory ended = counted_memory();
  CHECK(ended.given_back - ending.given_back == after.taken - before.taken);
}

}  // namespace

TEST_CASE("a refused command allocates nothing beyond its error") {
  for (const Refused& row : refusals()) {
    CAPTURE(name(row.code));
    CAPTURE(row.command.index());
    CAPTURE(row.item.item.status);
    const ItemSnapshot snapshot = row.item.snapshot();
    check_refusal(row.code, [&] { return decide(snapshot, row.command, row.actor, start, row.fence); });
  }
}

TEST_CASE("a refused creation allocates nothing beyond its error") {
  const auto workflow = CompiledWorkflow::compile(bench::helpdesk_workflow(), 1).value();
  const NewItem sound = bench::helpdesk_request();
  const auto check = [&](errc code, auto change) {
    NewItem item = sound;
    change(item);
    check_refusal(code, [&] { return decide_create(*workflow, item, person, nullptr); });
  };
  check(errc::invalid_argument, [](NewItem& item) {
    item.title = std::string(501, '\n');
    item.categories.resize(60);
    item.parent = "AN-ITEM-OF-ANOTHER-DOMAIN-1";
    item.domain = "a domain that is none";
    item.idempotency_key = std::string(300, 'x');
  });
  check(errc::status_transition_not_allowed, [](NewItem& item) { item.status = "building"; });
  check(errc::unknown_field, [](NewItem& item) { item.fields = {{"a field of which nobody has heard", 1}}; });
}

namespace {

// What an accepted decision takes beside itself.
std::size_t bytes_of_decision(const Standing& item, const Command& command) {
  const ItemSnapshot snapshot = item.snapshot();
  const CountedMemory before = counted_memory();
  const auto decision = decide(snapshot, command, night, start);
  const CountedMemory after = counted_memory();
  REQUIRE(decision);
  return after.bytes_taken - before.bytes_taken;
}

void grow(Standing& item) {
  item.item.title = item.item.description = std::string(10'000, 'x');
  for (const Field& field : item.workflow->definition().fields) item.item.fields[field.key] = std::string(1000, 'x');
  item.item.attachments.resize(100);
  item.item.depends_on.resize(100, "AN-ITEM-OF-ANOTHER-DOMAIN-1");
}

}  // namespace

TEST_CASE("an accepted move or claim holds no copy of the item, however large that is") {
  static_assert(sizeof(Decision) < 1024);
  constexpr std::size_t bytes_max = 640;
  std::size_t moves = 0;
  const Workflow workflow = bench::helpdesk_workflow();
  for (const Status& from : workflow.statuses) {
    if (from.resolution) continue;
    CAPTURE(from.key);
    Standing small = held_at(from.key);
    Standing large = held_at(from.key, grow);
    for (const std::string& to : transitions_of(small.snapshot()).allowed_transitions) {
      CAPTURE(to);
      ++moves;
      const std::size_t bytes = bytes_of_decision(large, ChangeStatus{to});
      CHECK(bytes < bytes_max);
      CHECK(bytes == bytes_of_decision(small, ChangeStatus{to}));
    }
    small.item.hold.reset();
    large.item.hold.reset();
    const std::size_t bytes = bytes_of_decision(large, Claim{});
    CHECK(bytes < bytes_max);
    CHECK(bytes == bytes_of_decision(small, Claim{}));
  }
  CHECK(moves > 10);
}
