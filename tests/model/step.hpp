// What each command does to an item, in the words of the rules: one function for each, from top to bottom.
#pragma once

#include <algorithm>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "model/definition.hpp"
#include "model/reference.hpp"

namespace openindex::model {

template <class List, class Value>
bool has(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

inline bool live(const Item& item, Time now) { return item.seen.hold && now < item.seen.hold->deadline; }

/// Whoever has it loses it; its run, if it was the holder, waits for the taker.
inline void take(Item& item, const AgentId& agent, const RunId& run, Duration length, Time now) {
  if (item.seen.hold && !item.seen.run.empty() && item.seen.hold->run == item.seen.run && run.empty()) {
    item.run_state = RunState::waiting;
  }
  item.hold_length = length;
  item.seen.hold = Hold{agent, ++item.epoch, now + length, run};
}

inline void set_free(Item& item) {
  if (item.seen.hold && !item.seen.run.empty() && item.seen.hold->run == item.seen.run) {
    item.run_state = RunState::queued;
  }
  item.seen.hold.reset();
}

inline void begin_run(Item& item) {
  const std::string number = std::to_string(++item.runs);
  item.seen.run = "run_" + item.seen.key.str() + "_" + std::string(4 - number.size(), '0') + number;
  item.run_state = RunState::queued;
}

/// Judges one command on a copy of the item and changes the copy.
struct Step {
  const Reference& world;
  const Book& all;  ///< The version that the item stands under.
  Item& item;
  const Actor& actor;
  Time now;
  std::uint64_t fence;
  WorkItem& seen = item.seen;

  [[noreturn]] static void refuse(errc code) { throw code; }
  static void demand(bool fine, errc code) {
    if (!fine) refuse(code);
  }

  bool holds() const {
    if (!seen.hold) return false;
    if (actor.kind() == ActorKind::run) {
      return !seen.hold->run.empty() && seen.hold->run == actor.run_id() && seen.hold->epoch == actor.run_epoch();
    }
    return actor.kind() == ActorKind::agent && seen.hold->run.empty() && seen.hold->agent.str() == actor.id();
  }
  void may_write() const {
    if (!actor.is_agent()) return;
    if (holds() && (actor.kind() == ActorKind::run || fence == 0 || fence == seen.hold->epoch)) return;
    demand(actor.kind() != ActorKind::run && fence == 0, errc::hold_lost);
    refuse(live(item, now) ? errc::already_claimed : errc::hold_required);
  }
  void is_open() const { demand(seen.resolution == Resolution::unresolved, errc::already_resolved); }
  void may_work() const {
    may_write();
    is_open();
  }
  auto position(const std::string& stage) const {
    return std::ranges::find(all.workflow.stages, stage, &Stage::key) - all.workflow.stages.begin();
  }
  static void check_hold(Duration hold) {
    demand(hold >= std::chrono::seconds(1) && hold <= std::chrono::days(7), errc::invalid_argument);
  }
  void extend(Duration length) {
    item.hold_length = length;
    seen.hold->deadline = std::max(seen.hold->deadline, now + length);
  }
  void beat() {
    if (holds()) extend(item.hold_length);
  }
  void mark(GateAcknowledgement& made, const std::string& what) const {
    made.changed_by = actor.id();
    if (!has(made.changed, what)) made.changed.push_back(what);
  }
  /// What was covered by an acknowledgement has changed.
  void outdate(const std::string& what) {
    for (GateAcknowledgement& made : seen.gates) {
      if (what == "title" || what == "description" || has(made.covered, what)) mark(made, what);
    }
  }
  bool stale_except(const std::string& gate) const {
    return std::any_of(seen.gates.begin(), seen.gates.end(),
                       [&](const auto& made) { return made.stale() && made.gate != gate; });
  }
  void check_fresh(const Status& to, const std::string& except = {}) const {
    demand(to.resolution != Resolution::resolved || !stale_except(except), errc::gate_stale);
  }
  void check_move(const std::string& to) const {
    demand(has(all.exits(seen.status), to), errc::status_transition_not_allowed);
    demand(all.gate_between(seen.stage, all.status(to)->stage) == nullptr, errc::gate_required);
    check_fresh(*all.status(to));
  }
  void check_demands(const StageGate& gate, bool accept_text, const std::vector<std::string>& checked) const {
    demand(!gate.people_only || actor.kind() == ActorKind::person, errc::gate_for_people);
    demand(!gate.approver_not_worker || !item.workers.contains(actor.id()), errc::approver_is_worker);
    for (const std::string& key : gate.required_fields) {
      const auto value = seen.fields.find(key);
      demand(value != seen.fields.end() && value->second != FieldValue(""), errc::required_fields_missing);
    }
    demand(gate.mode != GateMode::text || accept_text, errc::requirements_not_acknowledged);
    for (const std::string& entry : gate.items) demand(has(checked, entry), errc::checklist_incomplete);
  }
  void acknowledge(const StageGate& gate) {
    GateAcknowledgement made{.gate = gate.key, .by = actor.id(), .by_agent = actor.is_agent(), .at = now};
    if (gate.mode == GateMode::checklist) made.checked = gate.items;
    for (const auto& [key, value] : seen.fields) made.covered.push_back(key);
    for (const Attachment& file : seen.attachments) made.covered.push_back("attachment/" + std::to_string(file.number));
    for (GateAcknowledgement& old : seen.gates) {
      if (old.gate == gate.key) return void(old = made);
    }
    seen.gates.push_back(made);
  }
  void stand_at(const Status& to) {
    seen.status = to.key;
    seen.stage = to.stage;
    seen.resolution = to.resolution.value_or(Resolution::unresolved);
    seen.resolved_at = to.resolution ? std::optional(now) : std::nullopt;
  }
  void enter(const std::string& status) {
    const Status& to = *all.status(status);
    const bool leaves = to.stage != seen.stage;
    if (!seen.run.empty() && (leaves || to.resolution)) {
      item.run_state = actor.kind() == ActorKind::run ? RunState::succeeded : RunState::cancelled;
      seen.run = {};
    }
    const bool keeps = actor.kind() == ActorKind::agent && holds();
    if (to.resolution || (leaves && !keeps)) seen.hold.reset();
    stand_at(to);
    if (leaves && !to.resolution && all.stage(to.stage).agent_required) begin_run(item);
  }
  std::string completion(const std::string& wanted) const {
    if (!wanted.empty()) {
      const Status* to = all.status(wanted);
      demand(to != nullptr && to->resolution.has_value(), errc::completion_status_not_terminal);
      return wanted;
    }
    std::vector<std::string> ends;
    for (const std::string& exit : all.exits(seen.status)) {
      if (all.status(exit)->resolution) ends.push_back(exit);
    }
    demand(ends.size() == 1, errc::completion_status_not_terminal);
    return ends.front();
  }

  void operator()(const Claim& claim) {
    demand(actor.is_agent(), errc::agent_id_required);
    check_hold(claim.hold);
    if (actor.kind() == ActorKind::run || fence != 0) may_write();
    is_open();
    demand(holds() || !live(item, now), errc::already_claimed);
    demand(holds() || seen.execution_target != ExecutionTarget::human, errc::not_for_agents);
    demand(holds() || seen.stage != stage_for_runs || !all.stage(seen.stage).agent_required, errc::stage_for_runs);
    demand(holds() || world.blocked_by(item).empty(), errc::dependencies_unresolved);
    std::string to = claim.to_status;
    if (!to.empty() && to != seen.status) {
      demand(all.status(to) != nullptr, errc::status_transition_not_allowed);
      check_move(to);
      demand(!all.status(to)->resolution, errc::status_transition_not_allowed);
    } else if (to.empty() && !all.status(seen.status)->in_progress) {
      for (const std::string& exit : all.exits(seen.status)) {
        const Status& next = *all.status(exit);
        const bool onward = next.in_progress && position(next.stage) >= position(seen.stage);
        if (to.empty() && onward && all.gate_between(seen.stage, next.stage) == nullptr) to = exit;
      }
    }
    if (holds() && (live(item, now) || actor.kind() == ActorKind::run)) {
      extend(claim.hold);
    } else {
      take(item, actor.id(), {}, claim.hold, now);
      item.workers.insert(actor.id());
    }
    if (!to.empty() && to != seen.status) enter(to);
  }
  void operator()(const Release& release) {
    demand(actor.is_agent(), errc::agent_id_required);
    may_write();
    demand(release.note.size() <= 2000, errc::invalid_argument);
    set_free(item);
  }
  void operator()(const Heartbeat& heartbeat) {
    demand(actor.is_agent(), errc::agent_id_required);
    may_write();
    check_hold(heartbeat.hold);
    extend(heartbeat.hold);
  }
  void operator()(const TakeOver& given) {
    demand(!actor.is_agent(), errc::not_permitted);
    is_open();
    demand(given.reason.size() <= 2000, errc::invalid_argument);
    if (given.agent.empty()) return set_free(item);
    demand(seen.execution_target != ExecutionTarget::human, errc::not_for_agents);
    check_hold(given.hold);
    take(item, given.agent, {}, given.hold, now);
    item.workers.insert(given.agent.str());
  }
  void operator()(const SetFields& set) {
    may_work();
    demand(!set.values.empty(), errc::invalid_argument);
    if (const Verdict refused = all.judge_fields(set.values)) refuse(*refused);
    for (const auto& [key, value] : set.values) {
      if (seen.fields[key] != value) {
        outdate(key);
        item.workers.insert(actor.id());
      }
      seen.fields[key] = value;
      if (value.empty()) seen.fields.erase(key);
    }
    beat();
  }
  void operator()(const AddComment& comment) {
    may_write();
    demand(!comment.body.empty() && comment.body.size() <= 65'536, errc::invalid_argument);
    ++seen.comment_count;
    beat();
  }
  void operator()(const ChangeStatus& change) {
    may_work();
    demand(all.status(change.to_status) != nullptr, errc::status_transition_not_allowed);
    check_move(change.to_status);
    enter(change.to_status);
    beat();
  }
  void operator()(const Progress& progress) {
    may_work();
    const StageGate* gate = all.gate(progress.gate);
    demand(gate != nullptr && gate->from_stage == seen.stage, errc::gate_not_available);
    demand(has(all.exits(seen.status), gate->to_status), errc::status_transition_not_allowed);
    check_demands(*gate, progress.accept_text, progress.checked);
    check_fresh(*all.status(gate->to_status), gate->key);
    acknowledge(*gate);
    enter(gate->to_status);
    beat();
  }
  void operator()(const Complete& complete) {
    may_work();
    const std::string to = completion(complete.to_status);
    check_move(to);
    enter(to);
  }
  /// The shortest way to completion, by looking at every way in turn; `strict`: only over steps that may be taken.
  std::vector<std::string> way(const std::string& wanted, bool strict) const {
    std::deque<std::vector<std::string>> ways{{seen.status}};
    for (std::set<std::string> been{seen.status}; !ways.empty(); ways.pop_front()) {
      const std::vector<std::string> so_far = ways.front();
      const Status& at = *all.status(so_far.back());
      if (wanted.empty() ? at.resolution == Resolution::resolved : at.key == wanted) return so_far;
      if (at.resolution) continue;
      for (const std::string& next : all.exits(at.key)) {
        const StageGate* gate = all.gate_between(at.stage, all.status(next)->stage);
        if (been.contains(next) || (gate != nullptr && gate->to_status != next)) continue;
        if (strict && refusal(at, *all.status(next))) continue;
        been.insert(next);
        ways.push_back(so_far);
        ways.back().push_back(next);
      }
    }
    return {};
  }
  Verdict refusal(const Status& from, const Status& to) const {
    const StageGate* gate = all.gate_between(from.stage, to.stage);
    try {
      demand(from.stage == to.stage || to.resolution || !all.stage(to.stage).agent_required,
             errc::agent_stage_in_the_way);
      if (gate != nullptr) check_demands(*gate, false, {});
      check_fresh(to, gate != nullptr ? gate->key : "");
    } catch (errc code) {
      return code;
    }
    return {};
  }
  void operator()(const Done& done) {
    may_work();
    if (!done.to_status.empty()) completion(done.to_status);
    const auto path = way(done.to_status, true);
    const auto wish = path.empty() ? way(done.to_status, false) : path;
    for (std::size_t i = 1; i < wish.size(); ++i) {
      if (const Verdict refused = refusal(*all.status(wish[i - 1]), *all.status(wish[i]))) refuse(*refused);
    }
    demand(!path.empty(), errc::completion_status_not_terminal);
    for (std::size_t i = 1; i < path.size(); ++i) {
      const StageGate* gate = all.gate_between(seen.stage, all.status(path[i])->stage);
      if (gate != nullptr) acknowledge(*gate);
      enter(path[i]);
    }
  }
  void operator()(const Reacknowledge& again) {
    may_work();
    std::vector<const StageGate*> gates;
    for (const GateAcknowledgement& made : seen.gates) {
      if (again.gate.empty() ? made.stale() : made.gate == again.gate) gates.push_back(all.gate(made.gate));
    }
    for (const StageGate* gate : gates) check_demands(*gate, again.accept_text, again.checked);
    demand(!gates.empty() || again.gate.empty(), errc::gate_not_available);
    for (const StageGate* gate : gates) acknowledge(*gate);
    beat();
  }
  void operator()(const Reopen& reopen) {
    demand(!actor.is_agent(), errc::not_permitted);
    demand(seen.resolution != Resolution::unresolved, errc::not_resolved);
    demand(reopen.reason.size() <= 2000, errc::invalid_argument);
    const Status* to = all.status(reopen.to_status.empty() ? all.workflow.initial_status : reopen.to_status);
    demand(to != nullptr && !to->resolution, errc::status_transition_not_allowed);
    stand_at(*to);
    if (all.stage(to->stage).agent_required) begin_run(item);
  }
  void operator()(const UpdateItem& update) {
    may_work();
    demand(!update.title || (!update.title->empty() && update.title->size() <= 500), errc::invalid_argument);
    demand(!update.owner || update.owner->size() <= 200, errc::invalid_argument);
    demand(!update.schedule || update.schedule->granularity != ScheduleGranularity::datetime ||
               update.schedule->start < update.schedule->end,
           errc::invalid_argument);
    const auto change = [&](const auto& wanted, auto& current, const char* covered = nullptr) {
      if (!wanted || *wanted == current) return;
      current = *wanted;
      if (covered == nullptr) return;
      outdate(covered);
      item.workers.insert(actor.id());
    };
    change(update.title, seen.title, "title");
    change(update.description, seen.description, "description");
    change(update.priority, seen.priority);
    change(update.execution_target, seen.execution_target);
    change(update.owner, seen.owner);
    change(update.assignee, seen.assignee);
    change(update.schedule, seen.schedule);
    change(update.objective_state, seen.objective_state);
    if (update.categories) {
      const std::set<std::string> each(update.categories->begin(), update.categories->end());
      seen.categories.assign(each.begin(), each.end());
    }
    beat();
  }
  void operator()(const AddDependency& add) {
    may_work();
    if (!has(seen.depends_on, add.on)) {
      demand(world.items.contains(add.on), errc::not_found);
      demand(add.on != seen.key && !world.depends(add.on, seen.key), errc::dependency_cycle);
      seen.depends_on.push_back(add.on);
    }
    beat();
  }
  void operator()(const RemoveDependency& remove) {
    may_work();
    std::erase(seen.depends_on, remove.on);
    beat();
  }
  void operator()(const AddAttachment& add) {
    may_write();
    demand(!add.attachment.name.empty() && !add.attachment.uri.empty(), errc::invalid_argument);
    demand(seen.attachments.size() < 100, errc::invalid_argument);
    seen.attachments.push_back(add.attachment);
    seen.attachments.back().number = ++item.attachments;
    seen.attachments.back().added_by = actor.id();
    seen.attachments.back().added_at = now;
    beat();
  }
  void operator()(const RemoveAttachment& remove) {
    may_write();
    const auto same = [&](const Attachment& file) { return file.number == remove.number; };
    demand(std::erase_if(seen.attachments, same) != 0, errc::not_found);
    outdate("attachment/" + std::to_string(remove.number));
    beat();
  }
  void operator()(const DeleteItem& deletion) {
    demand(!actor.is_agent(), errc::not_permitted);
    demand(deletion.reason.size() <= 2000, errc::invalid_argument);
    for (const auto& [key, other] : world.items) {
      demand(!has(other.seen.depends_on, seen.key) && other.seen.parent != seen.key, errc::item_needed);
    }
    item.deleted = true;
  }
  void operator()(const CancelRun& cancel) {
    demand(!actor.is_agent(), errc::not_permitted);
    demand(!seen.run.empty() && (cancel.run.empty() || cancel.run == seen.run), errc::run_not_active);
    demand(cancel.reason.size() <= 2000, errc::invalid_argument);
    if (seen.hold && seen.hold->run == seen.run) seen.hold.reset();
    seen.run = {};
    item.run_state = RunState::cancelled;
  }
  void operator()(const ResumeRun& resume) {
    demand(!actor.is_agent(), errc::not_permitted);
    demand(!seen.run.empty() && (resume.run.empty() || resume.run == seen.run), errc::run_not_active);
    demand(item.run_state == RunState::waiting, errc::run_not_waiting);
    item.run_state = RunState::queued;
  }
  void operator()(const StartRun& start) {
    demand(!actor.is_agent(), errc::not_permitted);
    is_open();
    demand(all.stage(seen.stage).agent_required, errc::invalid_argument);
    demand(seen.run.empty(), errc::run_in_the_way);
    demand(start.provider.empty(), errc::invalid_argument);
    begin_run(item);
  }
  void operator()(const Migrate& migrate) {
    demand(!actor.is_agent(), errc::not_permitted);
    const Book* to = world.version(migrate.version);
    demand(to != nullptr, errc::not_found);
    if (to == &all) return;
    for (const auto& [old_key, new_key] : migrate.mapping.statuses) {
      demand(to->status(new_key) != nullptr, errc::migration_refused);
    }
    const auto mapped = migrate.mapping.statuses.find(seen.status);
    const Status* stands = to->status(mapped == migrate.mapping.statuses.end() ? seen.status : mapped->second);
    demand(stands != nullptr, errc::migration_refused);
    demand(stands->resolution.value_or(Resolution::unresolved) == seen.resolution, errc::migration_refused);
    std::vector<std::string> dropped;
    for (const auto& [key, value] : seen.fields) {
      if (to->field(key) == nullptr) dropped.push_back(key);
    }
    demand(dropped.empty() || migrate.mapping.drop_unknown_fields, errc::migration_refused);
    std::erase_if(seen.gates, [&](const auto& made) { return to->gate(made.gate) == nullptr; });
    for (GateAcknowledgement& made : seen.gates) {
      const StageGate* before = all.gate(made.gate);
      const StageGate* after = to->gate(made.gate);
      if (before == nullptr || before->items != after->items || before->text != after->text) mark(made, "requirements");
    }
    for (const std::string& key : dropped) {
      outdate(key);
      seen.fields.erase(key);
    }
    const bool same =
        seen.stage == stands->stage && all.stage(seen.stage).agent_required == to->stage(stands->stage).agent_required;
    seen.status = stands->key;
    seen.stage = stands->stage;
    seen.workflow_version = migrate.version == 0 ? 2 : migrate.version;
    if (same || stands->resolution) return;
    if (!seen.run.empty()) {
      item.run_state = RunState::cancelled;
      if (seen.hold && seen.hold->run == seen.run) seen.hold.reset();
      seen.run = {};
    }
    if (to->stage(stands->stage).agent_required) begin_run(item);
  }
};

}  // namespace openindex::model
