#include <openindex/testing/scenario_actor.hpp>

#include <openindex/testing/scenario.hpp>

namespace openindex {
inline namespace v0 {
namespace testing {

Result<WorkItem> ScenarioActor::create(NewItem item) const {
  if (item.workflow.empty()) item.workflow = scenario_->workflow();
  return scenario_->engine().create(actor_, item);
}

Result<WorkItem> ScenarioActor::execute(const ItemKey& item, const Command& command) const {
  return scenario_->engine().execute(actor_, item, command);
}

Result<WorkItem> ScenarioActor::progress(const ItemKey& item, std::string gate, Progress acknowledged) const {
  acknowledged.gate = std::move(gate);
  return execute(item, acknowledged);
}

Result<WorkItem> ScenarioActor::set_fields(const ItemKey& item, FieldValues values) const {
  return execute(item, SetFields{std::move(values)});
}
Result<WorkItem> ScenarioActor::set_field(const ItemKey& item, const std::string& field, FieldValue value) const {
  return execute(item, SetFields{{{field, std::move(value)}}});
}
Result<WorkItem> ScenarioActor::comment(const ItemKey& item, std::string body) const {
  return execute(item, AddComment{std::move(body)});
}
Result<WorkItem> ScenarioActor::transition(const ItemKey& item, std::string to_status) const {
  return execute(item, ChangeStatus{std::move(to_status)});
}
Result<WorkItem> ScenarioActor::complete(const ItemKey& item, std::string to_status) const {
  return execute(item, Complete{std::move(to_status)});
}
Result<WorkItem> ScenarioActor::done(const ItemKey& item) const { return execute(item, Done{}); }
Result<WorkItem> ScenarioActor::reacknowledge(const ItemKey& item, Reacknowledge again) const {
  return execute(item, std::move(again));
}
Result<WorkItem> ScenarioActor::take_over(const ItemKey& item, TakeOver take) const {
  return execute(item, std::move(take));
}
Result<WorkItem> ScenarioActor::reopen(const ItemKey& item, std::string to_status) const {
  return execute(item, Reopen{std::move(to_status)});
}
Result<WorkItem> ScenarioActor::update(const ItemKey& item, UpdateItem update) const {
  return execute(item, std::move(update));
}
Result<WorkItem> ScenarioActor::depend(const ItemKey& item, const ItemKey& on) const {
  return execute(item, AddDependency{on});
}

ScenarioContext ScenarioActor::context(const ItemKey& item, CallSite site) const {
  return scenario_->context(actor_, item, site);
}

Result<AgentSession> ScenarioAgent::claim(const ItemKey& item, const Claim& claim) const {
  return AgentQueue(scenario_->engine()).claim(actor_, item, claim);
}

Result<std::optional<AgentSession>> ScenarioAgent::claim_next(const QueueFilter& filter) const {
  // A queue of its own each time: one that lives on hands out candidates of up to a second ago, and here time stands.
  return AgentQueue(scenario_->engine()).claim_next(actor_, filter);
}

Result<WorkItem> ScenarioAgent::does(const std::vector<Command>& script) const {
  return run([&](AgentSession& work) -> Result<void> {
    for (std::size_t i = 0; i < script.size(); ++i) {
      const auto done = scenario_->engine().execute(actor_, work.item().key, script[i], {.fence = work.epoch()});
      if (!done) return done.error().with("step", std::to_string(i + 1));
    }
    return {};
  });
}

Result<WorkItem> ScenarioAgent::run(const std::function<Result<void>(AgentSession&)>& script) const {
  ItemKey key;
  {
    auto work = claim_next();
    if (!work) return work.error();
    if (!*work) return Error(errc::not_found, "No work item is available").with("agent", actor_.id());
    key = (*work)->item().key;
    if (auto done = script(**work); !done) return done.error();
  }
  return scenario_->engine().get(actor_, key);
}

}  // namespace testing
}  // namespace v0
}  // namespace openindex
