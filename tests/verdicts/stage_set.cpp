#include "verdicts/stage_set.hpp"

#include <openindex/workflow/builder.hpp>

#include "engine/started_run.hpp"

namespace openindex::verdicts {
namespace {

using namespace std::chrono_literals;

const Actor host = Actor::system("host");
const Actor mia = Actor::person("mia");
constexpr const char* alpha = "agent-alpha";

}  // namespace

Workflow two_stages() {
  return WorkflowBuilder("VERDICTS")
      .domain("VER")
      .execution_target(ExecutionTarget::agent)
      .stage({.key = "work", .agent_required = true})
      .status({.key = "working", .stage = "work", .in_progress = true})
      .status({.key = "stuck", .stage = "work"})
      .stage({.key = "check"})
      .status({.key = "checking", .stage = "check"})
      .stage({.key = "closed"})
      .status({.key = "done", .stage = "closed", .resolution = Resolution::resolved})
      .transition("working", "stuck")
      .transition("stuck", "working")
      .transition("working", "checking")
      .transition("checking", "working")
      .transition("working", "done")
      .gate({.key = "finish", .from_stage = "work", .to_stage = "check", .to_status = "checking"})
      .field({.key = "note"})
      .build()
      .value();
}

StageSet::StageSet(Holding holding, Who who) {
  static_cast<void>(engine.save(host, two_stages()).value());
  static_cast<void>(engine.create_domain(host, {.key = "VER", .name = "Verdicts", .owner = "olga"}).value());
  static_cast<void>(engine.set_member(host, "VER", "mia", Role::member).value());
  static_cast<void>(engine.set_member(host, "VER", "ada", Role::admin).value());
  static_cast<void>(engine.set_member(host, "VER", "vic", Role::viewer).value());
  prepare_items();
  hold(who);
  turn_to(holding);
  Workflow changed = two_stages();
  changed.description = "Now with a description";
  static_cast<void>(engine.save(host, changed).value());  // so that there is a version to migrate to
}

void StageSet::prepare_items() {
  const auto create = [&](NewItem given) {
    given.workflow = "VERDICTS";
    return engine.create(host, given).value().key;
  };
  open_item = create({.title = "Open"});
  closed_item = create({.title = "Closed"});
  static_cast<void>(engine.complete(host, closed_item).value());
  item = create({.title = "Cellar", .depends_on = {closed_item}});
  static_cast<void>(engine.attach(host, item, {.name = "plan", .uri = "file:plan"}).value());
  static_cast<void>(engine.progress(host, item, {"finish"}).value());  // so that there is a gate to vouch for again
  static_cast<void>(engine.transition(host, item, "working").value());
}

// The run works through its own hold; for everybody else it is an agent that has claimed the item.
void StageSet::hold(Who who) {
  if (who == Who::run) {
    as_claimed = tests::start_run(engine, item, "openindex-dispatcher", 30min).value();
  } else {
    as_claimed = engine.claim(Actor::agent(alpha), item, {.hold = 30min}).value();
  }
  const Hold& held = as_claimed.hold.value();
  switch (who) {
    case Who::person:
      actor = mia;
      role = Role::member;
      break;
    case Who::admin:
      actor = Actor::person("ada");
      role = Role::admin;
      break;
    case Who::viewer:
      actor = Actor::person("vic");
      role = Role::viewer;
      break;
    case Who::fenced_agent:
      fence = held.epoch;
      [[fallthrough]];
    case Who::agent:
      actor = Actor::agent(alpha);
      role = Role::member;
      break;
    case Who::viewers_agent:
      actor = Actor::agent(alpha, "vic");
      role = Role::viewer;
      break;
    case Who::run:
      actor = Actor::run(held.run, item, held.agent, held.epoch);
      break;
    case Who::host:
      break;
    case Who::foreign_run:
      actor = Actor::run("run_" + open_item.str() + "_0001", open_item, "openindex-dispatcher", 1);
      break;
  }
}

void StageSet::turn_to(Holding holding) {
  switch (holding) {
    case Holding::own:
      return;
    case Holding::none:
      static_cast<void>(engine.take_over(host, item, {}).value());
      return;
    case Holding::own_expired:
      clock.advance(2h);
      return;
    case Holding::anothers:
    case Holding::anothers_expired:
      static_cast<void>(engine.take_over(host, item, {.agent = "agent-beta", .hold = 30min}).value());
      if (holding == Holding::anothers_expired) clock.advance(2h);
      return;
    case Holding::run_ended:  // the item has left the stage and come back: another run waits there now
      static_cast<void>(engine.progress(mia, item, {"finish"}).value());
      static_cast<void>(engine.transition(mia, item, "working").value());
      return;
    case Holding::resolved:
      static_cast<void>(engine.complete(mia, item).value());
      return;
    case Holding::for_runs:
      static_cast<void>(engine.take_over(host, item, {}).value());
      engine.set_stage_settings(host, "VERDICTS", "work", {.claims_by_hand = false}).value();
      return;
  }
}

}  // namespace openindex::verdicts
