// Scenario: a workflow definition under test, with everything around it that it needs.
//
// For people who design workflows and want to know that a definition is right before it meets real work. Memory
// storage, a clock that stands still, identifiers that repeat: no files, no threads, well under a millisecond each.
//
//     Scenario s{triage_workflow()};
//     auto bug = s.create({.title = "crash on empty input"}).at("plan");
//     auto work = s.claim("agent-alpha", bug);
//     CHECK(work.progress("plan_to_review") == errc::required_fields_missing);
//     s.advance(31min);
//     CHECK(s.available().contains(bug));
//
// Two kinds of steps. What leads up to the question (`create`, `at`, `claim`, …) must succeed: when it does not, the
// scenario fails, with a message that names the line of the test, the step and the cause. By default the message goes
// to stderr and the program is aborted, which every test framework reports; `ScenarioOptions::on_failure` may throw
// instead. What is in question is done by a session or by somebody (`person`, `agent`), and returns a Result to check.
//
// Target: openindex::testing. No test framework is involved. Thread safety: one scenario, one thread at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <openindex/adapters/memory_storage.hpp>
#include <openindex/agent_queue.hpp>
#include <openindex/testing/call_site.hpp>
#include <openindex/testing/manual_clock.hpp>
#include <openindex/testing/scenario_actor.hpp>
#include <openindex/testing/scenario_answers.hpp>
#include <openindex/testing/seeded_random.hpp>
#include <openindex/testing/verdict.hpp>
#include <openindex/workflow_engine.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

struct ScenarioOptions {
  /// Called with the message when a step fails that must not. It may throw what its test framework understands; when it
  /// returns, the program is aborted. Empty: the message goes to stderr.
  std::function<void(const std::string& message)> on_failure = {};
};

/// An item of a scenario, as a handle. Goes wherever an `ItemKey` does. Must not outlive its scenario.
class OPENINDEX_API ScenarioItem {
 public:
  ScenarioItem(Scenario& scenario, ItemKey key) : scenario_(&scenario), key_(std::move(key)) {}

  [[nodiscard]] const ItemKey& key() const noexcept { return key_; }
  operator const ItemKey&() const noexcept { return key_; }  // NOLINT(google-explicit-constructor)

  /// Bring it to a status, or to the nearest status of a stage (a key that is both: the status), by the shortest way.
  ///
  /// The host `scenario` moves it and gives the fields that gates on the way require plausible values; the person
  /// `scenario-approver` acknowledges the gates. Whoever held it loses it as by any person's move to another stage.
  /// Fails when no way leads there, and when a gate wants what nobody can guess: give that first, `with`.
  ScenarioItem at(std::string_view place, CallSite site = CallSite::here()) const;

  /// Bring it to where a gate can be progressed and fill in the fields that it requires: the acknowledgement is all
  /// that is left.
  ScenarioItem ready_for(std::string_view gate, CallSite site = CallSite::here()) const;

  /// Set custom fields, as the host `scenario`.
  ScenarioItem with(FieldValues values, CallSite site = CallSite::here()) const;

 private:
  Scenario* scenario_;
  ItemKey key_;
};

class OPENINDEX_API Scenario {
 public:
  /// Fails when the workflow is not valid, with all that is wrong with it. `WorkflowBuilder::build()` and
  /// `Workflow::from_json` can be given as they are.
  explicit Scenario(Result<Workflow> workflow, ScenarioOptions options = {}, CallSite site = CallSite::here());
  ~Scenario();
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;

  // -- What leads up to the question --------------------------------------------------------------------------------

  /// Create an item as the host `scenario`. It has the latest version of the scenario's workflow and the title `work`,
  /// unless it says otherwise.
  ScenarioItem create(NewItem item = {}, CallSite site = CallSite::here());

  /// Claim an item for an agent. The session gives it back when it goes; one that is kept while time passes is that of
  /// an agent that vanished.
  AgentSession claim(const std::string& agent, const ItemKey& item, CallSite site = CallSite::here());

  /// Save another workflow, or the next version of the scenario's.
  SavedWorkflow save(Result<Workflow> workflow, CallSite site = CallSite::here());

  /// Let time pass. @pre `by` is not negative
  void advance(Duration by) noexcept { clock_.advance(by); }

  // -- Who acts -----------------------------------------------------------------------------------------------------

  [[nodiscard]] ScenarioActor person(std::string user_id) { return {*this, Actor::person(std::move(user_id))}; }
  [[nodiscard]] ScenarioAgent agent(std::string agent_id) { return {*this, Actor::agent(std::move(agent_id))}; }
  [[nodiscard]] ScenarioActor host() { return {*this, Actor::system("scenario")}; }

  // -- What came of it ----------------------------------------------------------------------------------------------

  [[nodiscard]] WorkItem item(const ItemKey& item, CallSite site = CallSite::here());
  [[nodiscard]] ItemList available(CallSite site = CallSite::here());
  [[nodiscard]] ItemList mine(const std::string& agent, CallSite site = CallSite::here());
  [[nodiscard]] AuditTrail audit(const ItemKey& item, CallSite site = CallSite::here());
  [[nodiscard]] Explanation explain(const ItemKey& item, CallSite site = CallSite::here());

  /// Tell what an agent may do to the item, and why not the rest.
  [[nodiscard]] ScenarioContext context(const std::string& agent, const ItemKey& item,
                                        CallSite site = CallSite::here());
  [[nodiscard]] ScenarioContext context(const Actor& actor, const ItemKey& item, CallSite site = CallSite::here());

  // -- For steps of your own ----------------------------------------------------------------------------------------

  [[nodiscard]] const WorkflowId& workflow() const noexcept { return workflow_; }
  /// The version of the definition that an item is pinned to.
  [[nodiscard]] Workflow workflow_of(const WorkItem& item, CallSite site = CallSite::here());
  [[nodiscard]] WorkflowEngine& engine() noexcept { return engine_; }
  [[nodiscard]] ManualClock& clock() noexcept { return clock_; }

  /// Fail the scenario: it `cannot <step>`, because of `why`.
  [[noreturn]] void fail(std::string_view step, std::string_view why, CallSite site = CallSite::here()) const;

 private:
  ScenarioOptions options_;
  ManualClock clock_;
  SeededRandom random_{1};
  MemoryStorage storage_;
  WorkflowEngine engine_;
  WorkflowId workflow_;
};

}  // namespace testing
}  // namespace v0
}  // namespace openindex
