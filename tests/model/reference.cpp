#include "model/reference.hpp"

#include <algorithm>

#include "model/step.hpp"

namespace openindex::model {
namespace {

template <class List, class Key>
auto find_key(const List& list, const Key& key) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.key == key; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

Verdict Reference::execute(const Actor& actor, const ItemKey& key, const Command& command, Time now,
                           std::uint64_t fence) {
  if (actor.kind() == ActorKind::run && actor.run_item() != key) return errc::outside_run;
  if (actor.id().empty() && actor.kind() == ActorKind::person) return errc::invalid_argument;
  if (actor.id().empty() && actor.kind() == ActorKind::agent) return errc::agent_id_required;
  if (!items.contains(key)) return errc::not_found;
  if (actor.id().empty()) return actor.is_agent() ? errc::agent_id_required : errc::invalid_argument;
  Item copy = items.at(key);
  try {
    std::visit(Step{*this, book(copy), copy, actor, now, fence}, command);
  } catch (errc code) {
    return code;
  }
  if (copy.deleted) {
    items.erase(key);
  } else {
    items[key] = copy;
  }
  return {};
}

Verdict Reference::judge_create(const Actor& actor, const NewItem& item) const {
  if (actor.kind() == ActorKind::run) return errc::outside_run;
  if (actor.id().empty()) return actor.is_agent() ? errc::agent_id_required : errc::invalid_argument;
  if (item.title.empty() || item.title.size() > 500) return errc::invalid_argument;
  const Book& latest = books_.back();
  if (const Verdict refused = latest.judge_fields(item.fields)) return refused;
  const std::string& initial = latest.workflow.initial_status;
  const Status* at = latest.status(item.status.empty() ? initial : item.status);
  if (at == nullptr || at->stage != latest.status(initial)->stage) return errc::status_transition_not_allowed;
  for (const ItemKey& on : item.depends_on) {
    if (!items.contains(on)) return errc::not_found;
  }
  return {};
}

void Reference::add(const ItemKey& key, const NewItem& given, Time now) {
  Item& item = items[key];
  const Book& latest = books_.back();
  const Actor host = Actor::system("host");
  Step{*this, latest, item, host, now, 0}.stand_at(
      *latest.status(given.status.empty() ? latest.workflow.initial_status : given.status));
  item.seen.workflow_version = static_cast<std::uint32_t>(books_.size());
  item.seen.key = key;
  item.seen.title = given.title;
  item.seen.priority = given.priority;
  item.seen.execution_target = given.execution_target.value_or(latest.workflow.execution_target);
  item.seen.fields = given.fields;
  for (const ItemKey& on : given.depends_on) {
    if (!has(item.seen.depends_on, on)) item.seen.depends_on.push_back(on);
  }
}

Verdict Reference::start_run(const ItemKey& key, const AgentId& agent, Duration hold, Time now) {
  Item& item = items.at(key);
  if (item.seen.run.empty()) return errc::run_not_active;
  if (live(item, now)) return errc::already_claimed;
  if (!blocked_by(item).empty()) return errc::dependencies_unresolved;
  take(item, agent, item.seen.run, hold, now);
  item.run_state = RunState::running;
  item.workers.insert(agent.str());
  return {};
}

std::set<std::string> Reference::available(Time now) const {
  std::set<std::string> out;
  for (const auto& [key, item] : items) {
    const WorkItem& seen = item.seen;
    if (seen.stage == stage_for_runs && book(item).stage(seen.stage).agent_required) continue;
    if (seen.resolution == Resolution::unresolved && seen.execution_target != ExecutionTarget::human &&
        !live(item, now) && blocked_by(item).empty()) {
      out.insert(key.str());
    }
  }
  return out;
}

std::set<std::string> Reference::mine(const AgentId& agent) const {
  std::set<std::string> out;
  for (const auto& [key, item] : items) {
    if (item.seen.hold && item.seen.hold->agent == agent) out.insert(key.str());
  }
  return out;
}

std::vector<ItemKey> Reference::blocked_by(const Item& item) const {
  std::vector<ItemKey> out;
  for (const ItemKey& on : item.seen.depends_on) {
    if (items.at(on).seen.resolution == Resolution::unresolved) out.push_back(on);
  }
  return out;
}

bool Reference::depends(const ItemKey& item, const ItemKey& on) const {
  const auto& direct = items.at(item).seen.depends_on;
  return has(direct, on) ||
         std::any_of(direct.begin(), direct.end(), [&](const ItemKey& next) { return depends(next, on); });
}

const Book* Reference::version(std::uint32_t number) const {
  if (number > books_.size()) return nullptr;
  return number == 0 ? &books_.back() : &books_[number - 1];
}

const Book& Reference::book(const Item& item) const { return *version(item.seen.workflow_version); }

const Status* Book::status(const std::string& key) const { return find_key(workflow.statuses, key); }
const Stage& Book::stage(const std::string& key) const { return *find_key(workflow.stages, key); }
const StageGate* Book::gate(const std::string& key) const { return find_key(workflow.gates, key); }
const Field* Book::field(const std::string& key) const { return find_key(workflow.fields, key); }

const StageGate* Book::gate_between(const std::string& from, const std::string& to) const {
  for (const StageGate& gate : workflow.gates) {
    if (gate.from_stage == from && gate.to_stage == to) return &gate;
  }
  return nullptr;
}

std::vector<std::string> Book::exits(const std::string& from) const {
  std::vector<std::string> out;
  for (const Transition& move : workflow.transitions) {
    if (move.from == from) out.push_back(move.to);
  }
  return out;
}

Verdict Book::judge_fields(const FieldValues& values) const {
  for (const auto& [key, value] : values) {
    if (field(key) == nullptr) return errc::unknown_field;
  }
  for (const auto& [key, value] : values) {
    const Field& field = *this->field(key);
    const auto* text = value.text();
    const auto* number = value.number();
    const auto* date = value.date();
    const bool fits =
        value.empty() ||
        (field.type == FieldType::text && text && text->size() >= field.bytes_min && text->size() <= field.bytes_max) ||
        (field.type == FieldType::select && text && has(field.options, *text)) ||
        (field.type == FieldType::number && number && *number >= *field.minimum && *number <= *field.maximum) ||
        (field.type == FieldType::date && date && *date >= *field.earliest);
    if (!fits) return errc::invalid_field_value;
  }
  return {};
}

}  // namespace openindex::model
