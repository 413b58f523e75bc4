#include <openindex/testing/scenario.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "engine/digest.hpp"
#include "testing/scenario_way.hpp"

namespace openindex {
inline namespace v0 {
namespace testing {
namespace {

// libcrypto reads its configuration when it is first used, which takes longer than any test: before the first one.
[[maybe_unused]] const std::string warm = engine::sha256_hex("");

template <class T>
T expect(Scenario& scenario, Result<T> result, std::string_view step, CallSite site) {
  if (!result) scenario.fail(step, result.error().describe(), site);
  return *std::move(result);
}

template <class List>
std::string keys(const List& list) {
  std::string out;
  for (const auto& entry : list) out += (out.empty() ? "" : ", ") + entry.key;
  return out.empty() ? "none" : out;
}

template <class List>
bool has_key(const List& list, std::string_view key) {
  return std::ranges::any_of(list, [&](const auto& entry) { return entry.key == key; });
}

// Takes an item somewhere, for one step of a scenario.
class Journey {
 public:
  Journey(Scenario& scenario, const ItemKey& key, std::string step, CallSite site)
      : scenario_(scenario),
        key_(key),
        step_(std::move(step)),
        site_(site),
        item_(scenario.item(key, site)),
        workflow_(scenario.workflow_of(item_, site)) {}

  void go_to(std::string_view place) {
    const bool status = has_key(workflow_.statuses, place);
    if (!status && !has_key(workflow_.stages, place)) {
      fail(fmt::format("The workflow {} has no such status or stage.\nStatuses: {}\nStages: {}", workflow_.id.str(),
                       keys(workflow_.statuses), keys(workflow_.stages)));
    }
    go([&](const Status& there) { return (status ? there.key : there.stage) == place; });
  }

  void prepare(std::string_view key) {
    const auto gate = std::ranges::find(workflow_.gates, key, &StageGate::key);
    if (gate == workflow_.gates.end()) {
      fail(fmt::format("The workflow {} has no such gate.\nGates: {}", workflow_.id.str(), keys(workflow_.gates)));
    }
    go([&](const Status& there) { return scenario::leads_from(workflow_, there.key, *gate); });
    fill(*gate);
  }

 private:
  [[noreturn]] void fail(std::string_view why) const { scenario_.fail(step_, why, site_); }

  void go(const scenario::Goal& goal) {
    const auto way = scenario::find_way(workflow_, item_.status, goal);
    if (!way) fail(fmt::format("No way leads there from the status '{}'.", item_.status));
    for (const scenario::Step& step : *way) {
      if (step.gate) {
        pass(*step.gate);
      } else {
        item_ = done(scenario_.host().transition(key_, step.to->key), "changing the status to", step.to->key);
      }
    }
  }

  void pass(const StageGate& gate) {
    fill(gate);
    const auto approver = scenario_.person("scenario-approver");
    item_ = done(approver.progress(key_, gate.key, {.accept_text = true, .checked = gate.items}),
                 "progressing the gate", gate.key);
  }

  void fill(const StageGate& gate) {
    FieldValues values;
    for (const Field& field : workflow_.fields) {
      if (std::ranges::find(gate.required_fields, field.key) == gate.required_fields.end()) continue;
      const auto found = item_.fields.find(field.key);
      if (found != item_.fields.end() && found->second != FieldValue("")) continue;
      values.emplace(field.key, scenario::plausible_value(field, scenario_.clock().now()));
    }
    if (values.empty()) return;
    item_ = done(scenario_.host().set_fields(key_, std::move(values)),
                 "giving plausible values, which `with` can give better, to the fields of the gate", gate.key);
  }

  WorkItem done(Result<WorkItem> result, std::string_view doing, std::string_view key) const {
    if (!result)
      fail(fmt::format("In the status '{}', {} '{}': {}", item_.status, doing, key, result.error().describe()));
    return *std::move(result);
  }

  Scenario& scenario_;
  const ItemKey& key_;
  std::string step_;
  CallSite site_;
  WorkItem item_;
  Workflow workflow_;
};

}  // namespace

ScenarioItem ScenarioItem::at(std::string_view place, CallSite site) const {
  Journey(*scenario_, key_, fmt::format("bring {} to '{}'", key_.str(), place), site).go_to(place);
  return *this;
}

ScenarioItem ScenarioItem::ready_for(std::string_view gate, CallSite site) const {
  Journey(*scenario_, key_, fmt::format("make {} ready for the gate '{}'", key_.str(), gate), site).prepare(gate);
  return *this;
}

ScenarioItem ScenarioItem::with(FieldValues values, CallSite site) const {
  expect(*scenario_, scenario_->host().set_fields(key_, std::move(values)), "set fields of " + key_.str(), site);
  return *this;
}

Scenario::Scenario(Result<Workflow> workflow, ScenarioOptions options, CallSite site)
    : options_(std::move(options)), engine_({.storage = storage_, .clock = clock_, .random = random_}) {
  workflow_ = save(std::move(workflow), site).id;
}

Scenario::~Scenario() = default;

ScenarioItem Scenario::create(NewItem item, CallSite site) {
  if (item.title.empty()) item.title = "work";
  return {*this, expect(*this, host().create(std::move(item)), "create an item", site).key};
}

AgentSession Scenario::claim(const std::string& agent_id, const ItemKey& item, CallSite site) {
  return expect(*this, agent(agent_id).claim(item), fmt::format("let {} claim {}", agent_id, item.str()), site);
}

SavedWorkflow Scenario::save(Result<Workflow> workflow, CallSite site) {
  const Workflow valid = expect(*this, std::move(workflow), "use the workflow", site);
  return expect(*this, engine_.save(host().actor(), valid), "save the workflow " + valid.id.str(), site);
}

WorkItem Scenario::item(const ItemKey& item, CallSite site) {
  return expect(*this, engine_.get(host().actor(), item), "read " + item.str(), site);
}

ItemList Scenario::available(CallSite site) {
  AgentQueue queue(engine_);
  ItemList out;
  std::string after;
  do {
    auto page = expect(*this, queue.available(host().actor(), {}, 1000, after), "list what is available", site);
    std::ranges::move(page.items, std::back_inserter(out.items));
    after = std::move(page.next);
  } while (!after.empty());
  return out;
}

ItemList Scenario::mine(const std::string& agent_id, CallSite site) {
  return {expect(*this, AgentQueue(engine_).mine(agent(agent_id).actor()), "list what " + agent_id + " holds", site)};
}

AuditTrail Scenario::audit(const ItemKey& key, CallSite site) {
  static_cast<void>(item(key, site));  // the trail of an item that is not there is no failure of the engine's
  AuditTrail out;
  for (;;) {
    auto more = expect(*this, engine_.audit(host().actor(), key, out.entries.size() + 1), "read the audit trail", site);
    if (more.empty()) return out;
    std::ranges::move(more, std::back_inserter(out.entries));
  }
}

Explanation Scenario::explain(const ItemKey& item, CallSite site) {
  return expect(*this, engine_.explain(host().actor(), item), "explain " + item.str(), site);
}

ScenarioContext Scenario::context(const std::string& agent_id, const ItemKey& item, CallSite site) {
  return context(agent(agent_id).actor(), item, site);
}

ScenarioContext Scenario::context(const Actor& actor, const ItemKey& item, CallSite site) {
  return {*this, expect(*this, engine_.agent_context(actor, item), "ask what may be done to " + item.str(), site)};
}

Workflow Scenario::workflow_of(const WorkItem& item, CallSite site) {
  return expect(*this, engine_.workflow(host().actor(), item.workflow, item.workflow_version),
                "read the workflow of " + item.key.str(), site);
}

void Scenario::fail(std::string_view step, std::string_view why, CallSite site) const {
  const std::string message = fmt::format("{}:{}: the scenario cannot {}\n{}\n", site.file, site.line, step, why);
  if (options_.on_failure) {
    options_.on_failure(message);
  } else {
    std::fputs(message.c_str(), stderr);
  }
  std::abort();
}

}  // namespace testing
}  // namespace v0
}  // namespace openindex
